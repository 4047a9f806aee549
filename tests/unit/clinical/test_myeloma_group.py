"""Several subjects judged at once get what each gets alone."""

import polars as pl

from livingdrug.clinical.imwg import assess_imwg, assess_imwg_subjects
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
SCHEMA = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "row": pl.Int64}
SUBJECTS = (
    [(-7, "m_protein", 3.0, None), (28, "m_protein", 1.4, None), (56, "m_protein", 0.2, None)],
    [
        (-7, "m_protein", 2.0, None),
        (28, "m_protein", 2.6, None),
        (56, "m_protein", 2.7, None),
        (84, "m_protein", 3, None),
    ],
    [(-7, "flc_kappa", 400.0, None), (-7, "flc_lambda", 5.0, None), (28, "flc_kappa", 20.0, None)],
    [(28, "overall_response", None, "vgpr"), (56, "overall_response", None, "cr")],
    [(-7, "plasmacytoma_longest_diameter:A", 30.0, None), (30, "plasmacytoma_longest_diameter:A", 50.0, None)],
    [(-7, "plasmacytoma_longest_diameter:B", 30.0, None), (30, "plasmacytoma_longest_diameter:C", 50.0, None)],
    [(3, "crp", 5.0, None)],
    [(-7, "m_protein", 3.0, None), (28, "m_protein", 1.0, None), (28, "m_protein", 1.2, None)],
    [],
)
EVENTS = ([], [(70.0, "next_therapy", "pomalidomide")], [(-40.0, "leukapheresis", "")], [(90.0, "death", "myeloma")])


def build(rows, events):
    table = pl.DataFrame([(*row, place) for place, row in enumerate(rows)], schema=SCHEMA, orient="row")
    happened = pl.DataFrame(events, schema={"day": pl.Float64, "type": pl.String, "note": pl.String}, orient="row")
    return SubjectTables({}, happened, table)


def tell(found):
    details = {name: table.rows() for name, table in found.details.items()}
    return found.verdicts, found.courses, found.endpoints, found.warnings, details


def test_many_subjects_at_once_get_what_each_gets_alone():
    subjects = [build(rows, EVENTS[place % len(EVENTS)]) for place, rows in enumerate(SUBJECTS)]
    for options in ({}, {"codes": "first"}, {"visit_window_days": 7.0}, {"baseline_reset": "at_relapse"}):
        together = assess_imwg_subjects(subjects, RULES, **options)
        for one, found in zip(subjects, together, strict=True):
            assert tell(found) == tell(assess_imwg(one, RULES, **options))
