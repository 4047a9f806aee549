"""The 23 boundary vectors of cytokine release syndrome and neurotoxicity."""

import csv
from pathlib import Path

import polars as pl
import pytest

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.icans import assess_icans
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules

PATH = Path(__file__).parents[2] / "reference" / "astct_vectors.csv"
VECTORS = list(csv.DictReader(PATH.read_text(encoding="utf-8").splitlines()[1:]))
OXYGEN = {
    "none": {"oxygen": "none"},
    "low_flow_6": {"oxygen": "nasal_cannula", "oxygen_flow": 6.0},
    "nasal_7": {"oxygen": "nasal_cannula", "oxygen_flow": 7.0},
    "cpap": {"oxygen": "cpap"},
    "intubated_for_airway_ICANS": {"oxygen": "intubation", "intubation_reason": "airway_protection"},
}
CONSCIOUSNESS = {
    "awake": {"consciousness": "awake"},
    "awake_global_aphasia": {"consciousness": "awake"},
    "unarousable": {"consciousness": "unarousable"},
}
SEIZURE = {"no": "none", "brief_resolving": "brief", ">5min": "prolonged"}
WEAKNESS = {"no": "none", "hemiparesis": "hemiparesis", "tremor_only": "none"}
OEDEMA = {"no": "none", "focal_edema": "focal", "diffuse_edema": "diffuse", "ICH": "none"}


def build_tables(seen):
    rows = []
    for name, value in seen.items():
        is_word = bool(VARIABLES[name].words)
        unit = VARIABLES[name].unit or None
        rows.append((3.0, name, None if is_word else float(value), value if is_word else None, unit))
    schema = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String}
    events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String, "row": pl.UInt32})
    return SubjectTables({}, events, pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row"))


def list_crs(vector):
    return {
        "temperature": vector["temp_C"],
        "fever_treated": vector["antipyretic_or_anticytokine_given"],
        "hypotension": vector["hypotension"],
        "vasopressors": vector["n_vasopressors_excl_vasopressin"],
        "vasopressin": vector["vasopressin"],
        **OXYGEN[vector["o2"]],
    }


def list_icans(vector):
    return {
        "ice_score": vector["ICE"],
        **CONSCIOUSNESS[vector["consciousness"]],
        "seizure": SEIZURE[vector["seizure"]],
        "motor_weakness": WEAKNESS[vector["motor"]],
        "tremor": "yes" if vector["motor"] == "tremor_only" else "no",
        "cerebral_oedema": OEDEMA[vector["edema"]],
        "intracranial_haemorrhage": "yes" if vector["edema"] == "ICH" else "no",
        "raised_intracranial_pressure": "none",
    }


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['id']} {v['why']}" for v in VECTORS])
def test_a_vector_has_the_grade_that_was_agreed(vector):
    if vector["kind"] == "CRS":
        found = assess_crs(build_tables(list_crs(vector)), load_rules("astct-crs/2019"))
    else:
        found = assess_icans(build_tables(list_icans(vector)), load_rules("astct-icans/2019"))
    (verdict,) = found.verdicts
    assert (verdict.time_point, verdict.unknowns, found.warnings) == (vector["expected"], (), ())
    assert all(recompute(finding) == finding.truth for finding in verdict.findings)


def test_all_vectors_are_there():
    assert [sum(v["kind"] == kind for v in VECTORS) for kind in ("CRS", "ICANS")] == [11, 12]
