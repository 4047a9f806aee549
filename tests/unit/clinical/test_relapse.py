"""Labels of relapse that are not progression."""

import polars as pl

from livingdrug.clinical.relapse import (
    find_biochemical_relapse,
    find_clinical_relapse,
    find_relapse_from_complete_response,
)
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
SCHEMA = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String}
EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})


def build(*rows):
    table = [(float(d), v, None if isinstance(x, str) else x, x if isinstance(x, str) else None) for d, v, x in rows]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def true_days(findings):
    return [day for day, finding in findings if finding.truth == Truth.TRUE]


def test_calcium_is_corrected_for_albumin():
    rows = [(28, "calcium", 10.5), (28, "albumin", 3.0), (56, "calcium", 10.5), (56, "albumin", 4.0)]
    assert true_days(find_clinical_relapse(build(*rows), EVENTS, RULES)) == [28.0]


def test_calcium_without_albumin_is_not_judged():
    assert true_days(find_clinical_relapse(build((28, "calcium", 12.0)), EVENTS, RULES)) == []


def test_haemoglobin_and_creatinine_ask_a_question():
    rows = [
        (-7, "haemoglobin", 13.0),
        (28, "haemoglobin", 11.0),
        (56, "haemoglobin", 11.1),
        (-7, "creatinine", 1.0),
        (84, "creatinine", 3.0),
    ]
    found = find_clinical_relapse(build(*rows), EVENTS, RULES)
    assert true_days(found) == []
    assert [day for day, finding in found if finding.truth == Truth.UNKNOWN] == [28.0, 84.0]
    assert found[0][1].missing == ("whether it is due to myeloma",)
    counted = find_clinical_relapse(build(*rows), EVENTS, RULES, organ_attribution="count")
    assert true_days(counted) == [28.0, 84.0]


def test_a_doubling_in_two_samples_within_two_months_is_a_significant_biochemical_relapse():
    rows = [(-7, 3.0), (28, 0.3), (50, 0.6), (80, 0.7), (120, 0.8)]
    table = build(*((d, "m_protein", v) for d, v in rows))
    assert true_days(find_biochemical_relapse(table, EVENTS, RULES)) == [50.0]


def test_a_slow_doubling_is_not():
    rows = [(-7, 3.0), (28, 0.3), (80, 0.6), (120, 0.7)]
    table = build(*((d, "m_protein", v) for d, v in rows))
    assert true_days(find_biochemical_relapse(table, EVENTS, RULES)) == []


def test_a_rise_by_one_gram_needs_two_samples():
    rows = [(-7, 5.0), (28, 2.0), (150, 3.0), (180, 2.9), (210, 3.0), (240, 3.1)]
    table = build(*((d, "m_protein", v) for d, v in rows))
    assert true_days(find_biochemical_relapse(table, EVENTS, RULES)) == [210.0]


def test_light_chains_need_an_abnormal_ratio():
    rows = [(-7, 400, 10), (28, 20, 15), (56, 230, 12), (84, 240, 12)]
    table = build(*((d, f"flc_{c}", float(v)) for d, k, l_ in rows for c, v in (("kappa", k), ("lambda", l_))))
    assert true_days(find_biochemical_relapse(table, EVENTS, RULES)) == [56.0]


def test_immunofixation_alone_is_a_relapse_from_complete_response_unless_the_registry_reads_it():
    table = build((84, "serum_immunofixation", "positive"), (84, "m_protein", 0.0))
    assert true_days(find_relapse_from_complete_response(table, EVENTS, RULES, since=56.0)) == [84.0]
    registry = find_relapse_from_complete_response(table, EVENTS, RULES, since=56.0, relapse_immunofixation="registry")
    assert true_days(registry) == []
