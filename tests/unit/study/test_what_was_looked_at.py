import numpy as np
import polars as pl
import pytest

from livingdrug.core.parameters import bind
from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.switches import switch_off
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.interventions import LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.protocol import Event, create_changes
from livingdrug.study.examples import load_example
from livingdrug.study.explain_failure import explain_failure
from livingdrug.study.find_cause import list_observed
from livingdrug.study.patient_data import select_patient

ANTIGEN = "antigen_positive_fraction:BCMA"


def add_rows(record, rows, events=()):
    """Return an example with rows (day, variable, value), and events (day, type, amount, days), more."""
    subject = record.subjects["subject_id"][0]
    more = pl.DataFrame(
        [{"subject_id": subject, "day": float(d), "variable": v, "value": x, "unit": "1"} for d, v, x in rows],
        schema={
            "subject_id": pl.String,
            "day": pl.Float64,
            "variable": pl.String,
            "value": pl.Float64,
            "unit": pl.String,
        },
    )
    given = pl.DataFrame(
        [
            {"subject_id": subject, "day": float(d), "type": t, "amount": a, "unit": "mg", "duration_days": n}
            for d, t, a, n in events
        ],
        schema={n: record.events.schema[n] for n in ("subject_id", "day", "type", "amount", "unit", "duration_days")},
    )
    return Record(
        record.subjects,
        pl.concat([record.events, given], how="diagonal_relaxed"),
        pl.concat([record.observations, more.with_columns(censored=pl.lit("none"))], how="diagonal_relaxed"),
        source="changed",
    )


@pytest.fixture(scope="module")
def without_antigen():
    record = load_example("myeloma_late_relapse")
    is_antigen = pl.col("variable").str.starts_with("antigen")
    return Record(record.subjects, record.events, record.observations.filter(~is_antigen), source="changed")


@pytest.mark.parametrize(
    ("day", "value", "is_told"), [(300, 0.1, True), (-7, 0.9, False), (0, 0.9, False), (300, None, False)]
)
def test_antigen_counts_as_looked_at_only_with_a_value_after_infusion(without_antigen, day, value, is_told):
    data = select_patient(add_rows(without_antigen, [(day, ANTIGEN, value)]))
    assert ("antigen_positive_fraction" in list_observed(data)) == is_told
    assert "m_protein" in list_observed(data)


def test_what_was_measured_after_a_new_therapy_does_not_count(without_antigen):
    record = add_rows(without_antigen, [(300, ANTIGEN, 0.1)], [(250, "next_therapy", None, None)])
    assert "antigen_positive_fraction" not in list_observed(select_patient(record))


def test_steroids_switched_off_are_as_if_none_were_given():
    values = load_parameters("unified_myeloma_ide_cel")
    typical, days = bind(UNIFIED, values), np.arange(1.0, 60.0)
    changes = create_changes(UNIFIED, [Event(3.0, "corticosteroid", 40.0, "mg", 14.0)], LEVERS, typical)
    schedule = Schedule.from_changes(UNIFIED, [changes])
    (steroids,) = (c for c in CATALOGUE if c.mechanism.value == "steroids")
    switched = switch_off(
        typical[None], UNIFIED.parameter_names, steroids, create_free(UNIFIED, values, (), typical), 0.5
    )

    def run(parameters, given):
        found = solve(compile_model(UNIFIED), parameters, days, schedule=given, keep=("car_t_cells",), rtol=1e-6)
        return found.values[0, :, 0]

    none, harmed, averted = run(typical[None], None), run(typical[None], schedule), run(switched, schedule)
    assert harmed.max() < 0.7 * none.max()
    assert averted == pytest.approx(none, rel=1e-3)


def test_a_patient_who_had_steroids_is_explained_with_them_among_the_mechanisms():
    record = add_rows(load_example("myeloma_early_relapse"), [], [(5, "corticosteroid", 40.0, 10.0)])
    explanation = explain_failure(record, seed=1, draws=64)
    assert "steroids" in [item["name"] for item in explanation.mechanisms]
    assert sum(item["probability"] for item in explanation.mechanisms) <= 1 + 1e-9
