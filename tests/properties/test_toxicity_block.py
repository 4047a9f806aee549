"""Cytokine release and encephalopathy: order of events, what drugs and burden do, and grades as a clinic's."""

import numpy as np
import polars as pl
import pytest

from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.icans import assess_icans
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS, TOXICITY_LEVERS
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.simulate.protocol import Event, create_changes
from livingdrug.study import toxicity_outcomes as outcomes

SETS = tuple(name for name in list_parameters() if load_parameters(name).model == UNIFIED_TOXICITY.name)
NAME = "toxicity_lbcl_axi_cel"
DAYS = outcomes.DAYS
STATES = ("csf_interleukin_6", "myeloid_active", "interleukin_1")
KEPT = ("car_t_cells", "temperature", "systolic_bp", "spo2", "ice_score", "il6", "crp", "ferritin")


@pytest.fixture(scope="module")
def kernel():
    return compile_model(UNIFIED_TOXICITY)


def draw(count, name=NAME, **override):
    rows = sample_parameters(UNIFIED_TOXICITY, load_parameters(name), 0, count, seed=7, exponential=EXTINCTION_DRAWS)
    for parameter, value in override.items():
        rows[:, UNIFIED_TOXICITY.parameter_names.index(parameter)] = value
    return rows


def typical(name=NAME, **override):
    row = bind(UNIFIED_TOXICITY, load_parameters(name)).copy()
    for parameter, value in override.items():
        row[UNIFIED_TOXICITY.parameter_names.index(parameter)] = value
    return row[None, :]


def run(kernel, rows, *events):
    changes = [create_changes(UNIFIED_TOXICITY, events, TOXICITY_LEVERS, row) for row in rows]
    schedule = Schedule.from_changes(UNIFIED_TOXICITY, changes) if events else None
    return solve(kernel, rows, DAYS, schedule=schedule, rtol=1e-6)


@pytest.fixture(scope="module")
def untreated(kernel):
    return run(kernel, draw(192))


@pytest.fixture(scope="module")
def rows():
    return draw(192)


def at(solution, name):
    return solution.at(name)


@pytest.mark.parametrize("name", SETS)
def test_states_stay_finite_and_not_negative_and_outputs_are_physiological(kernel, name):
    solution = run(kernel, draw(32, name))
    assert solution.failures == {}
    assert (at(solution, "il6") > 0).all()
    assert (at(solution, "crp") > 0).all()
    assert ((at(solution, "temperature") > 36.5) & (at(solution, "temperature") < 41)).all()
    assert ((at(solution, "ice_score") > -1e-6) & (at(solution, "ice_score") < 10.0 + 1e-6)).all()
    for state in STATES:
        assert (at(solution, state) > -1e-3).all()


def test_fever_begins_before_the_peak_of_expansion_and_icans_after_fever(untreated):
    onset = outcomes._first_day(at(untreated, "temperature") >= outcomes.FEVER)
    icans = outcomes._first_day(at(untreated, "ice_score") < outcomes.ICE[0])
    peak = DAYS[at(untreated, "car_t_cells").argmax(axis=1)]
    has = np.isfinite(onset)
    assert np.median(onset[has]) < np.median(peak[has])
    both = has & np.isfinite(icans)
    assert np.median(icans[both] - onset[both]) > 0.5


def test_crp_follows_interleukin_6_within_two_days_and_ferritin_is_later(untreated):
    six, crp, ferritin = (DAYS[at(untreated, name).argmax(axis=1)] for name in ("il6", "crp", "ferritin"))
    assert 0.5 <= np.median(crp - six) <= 2.0
    assert np.median(ferritin - crp) > 0


def test_more_burden_means_more_and_earlier_cytokine_release(kernel):
    little, much = (run(kernel, typical(B0=burden)) for burden in (20.0, 200.0))
    assert at(much, "il6").max() > 1.2 * at(little, "il6").max()
    assert at(much, "il6").argmax() <= at(little, "il6").argmax()


def test_ten_times_the_dose_does_less_than_ten_times_the_burden(kernel):
    dose = load_parameters(NAME).values["dose"].value
    peaks = [
        at(run(kernel, typical(**change)), "il6").max()
        for change in ({"B0": 20.0}, {"B0": 20.0, "dose": 10 * dose}, {"B0": 200.0})
    ]
    assert peaks[1] / peaks[0] < peaks[2] / peaks[0]


def test_tocilizumab_raises_serum_interleukin_6_and_lowers_fever_and_crp_but_spares_expansion(kernel, rows, untreated):
    treated = run(kernel, rows, Event(3.0, "tocilizumab"))
    week = (DAYS > 3.5) & (DAYS < 8)
    six = np.median(at(treated, "il6")[:, week].mean(axis=1) / at(untreated, "il6")[:, week].mean(axis=1))
    assert six > 1.5
    for name in ("temperature", "crp"):
        assert at(treated, name)[:, week].mean() < at(untreated, name)[:, week].mean()
    areas = [np.trapezoid(at(one, "car_t_cells"), DAYS, axis=1) for one in (treated, untreated)]
    assert 0.9 < np.median(areas[0] / areas[1]) < 1.4


def share_of_icans(solution):
    return (at(solution, "ice_score").min(axis=1) < outcomes.ICE[1]).mean()


def test_tocilizumab_does_not_prevent_neurotoxicity_and_anakinra_does(kernel, rows, untreated):
    tocilizumab = run(kernel, rows, Event(3.0, "tocilizumab"))
    anakinra = run(kernel, rows, Event(0.5, "anakinra", amount=400.0, duration_days=20.0))
    assert share_of_icans(tocilizumab) > 0.8 * share_of_icans(untreated)
    assert share_of_icans(anakinra) < share_of_icans(tocilizumab)
    assert share_of_icans(anakinra) < share_of_icans(untreated)
    for name in ("temperature", "il6"):
        assert at(anakinra, name).max(axis=1).mean() < at(untreated, name).max(axis=1).mean()


def test_dexamethasone_lowers_interleukin_6_neurotoxicity_and_the_car_t_area(kernel, rows, untreated):
    treated = run(kernel, rows, Event(2.0, "corticosteroid", amount=20.0, duration_days=10.0))
    later = (DAYS > 2.5) & (DAYS < 10)
    assert np.median(at(treated, "il6")[:, later].mean(axis=1) / at(untreated, "il6")[:, later].mean(axis=1)) < 0.95
    assert share_of_icans(treated) < share_of_icans(untreated)
    area = [np.trapezoid(at(one, "car_t_cells"), DAYS, axis=1) for one in (treated, untreated)]
    assert np.median(area[0] / area[1]) < 1


def test_without_myeloid_cells_there_is_neither_interleukin_6_nor_interleukin_1(kernel):
    solution = run(kernel, typical(myeloid_0=0.0))
    assert at(solution, "interleukin_1").max() == pytest.approx(0.0, abs=1e-6)
    assert at(solution, "il6").max() == pytest.approx(at(solution, "il6")[0, 0], rel=1e-3)


def test_a_fractionated_dose_lowers_the_peak_of_cytokines(kernel):
    dose = load_parameters(NAME).values["dose"].value
    later = [Event(float(day), "second_infusion", amount=dose / 3) for day in (3, 6)]
    split = run(kernel, typical(dose=dose / 3), *later)
    assert at(split, "il6").max() <= at(run(kernel, typical()), "il6").max() * 1.001


def test_the_core_course_is_the_same_without_the_block():
    from livingdrug.models.unified.model import UNIFIED

    values = load_parameters(NAME)
    days = np.arange(0.0, 43.0, 7.0)
    core = bind(UNIFIED, load_parameters("unified_lbcl_axi_cel"))
    alone = solve(compile_model(UNIFIED), core[None, :], days, rtol=1e-7)
    joined = solve(compile_model(UNIFIED_TOXICITY), bind(UNIFIED_TOXICITY, values)[None, :], days, rtol=1e-7)
    assert joined.at("car_t_cells") == pytest.approx(alone.at("car_t_cells"), rel=1e-4)


def write_crs(temperature, pressure, saturation):
    """What a chart says of a day whose pressure and saturation without support were these."""
    pressors = float(sum(pressure < limit for limit in outcomes.PRESSURE[1:]))
    oxygen = "none" if saturation >= outcomes.SATURATION[0] else "low_flow"
    oxygen = "high_flow" if saturation < outcomes.SATURATION[1] else oxygen
    oxygen = "cpap" if saturation < outcomes.SATURATION[2] else oxygen
    return [
        ("temperature", temperature, None, "Cel"),
        ("hypotension", None, "yes" if pressure < outcomes.PRESSURE[0] else "no", None),
        ("vasopressors", pressors, None, None),
        ("oxygen", None, oxygen, None),
    ]


def test_grades_of_the_calibration_are_those_of_the_clinical_criteria(untreated):
    """Worst grade of a patient by both roads.

    A clinic that looks at nothing but the ICE score cannot say that there is no encephalopathy, nor tell grade 4.
    """
    courses = {name: at(untreated, name) for name in outcomes.KEPT}
    quick = outcomes.grade_toxicity(courses, np.full(192, np.inf))
    for patient in range(24):
        signs, brain = [], []
        for place, day in enumerate(DAYS[:85].tolist()):
            values = (float(courses[name][patient, place]) for name in ("temperature", "systolic_bp", "spo2"))
            signs += [(day, *row) for row in write_crs(*values)]
            brain.append((day, "ice_score", float(np.floor(courses["ice_score"][patient, place] + 0.5)), None, None))
        crs = grade_in_clinic(assess_crs, "astct-crs/2019", signs)
        icans = grade_in_clinic(assess_icans, "astct-icans/2019", brain)
        assert crs == str(quick.crs_grade[patient])
        assert icans == {0: "NE", 4: "3"}.get(int(quick.icans_grade[patient]), str(quick.icans_grade[patient]))


def grade_in_clinic(assess, rules, rows):
    schema = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String}
    seen = pl.DataFrame(rows, schema=schema, orient="row")
    events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    found = assess(SubjectTables({}, events, seen), load_rules(rules))
    return next(endpoint.value for endpoint in found.endpoints if "maximum" in endpoint.name)
