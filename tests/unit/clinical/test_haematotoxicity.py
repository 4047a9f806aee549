import polars as pl
import pytest

from livingdrug.clinical.comparison import list_leaves
from livingdrug.clinical.daily import Result
from livingdrug.clinical.daily_series import build_series, find_longest, find_minima, find_runs
from livingdrug.clinical.haematotoxicity import assess_icaht
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("icaht/2023")
COUNTS = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String}
EVENTS = {"day": pl.Float64, "type": pl.String}


def assess(counts, *events, variable="neutrophils", unit="/uL", **options):
    rows = [(float(day), variable, float(value), unit) for day, value in counts]
    tables = SubjectTables(
        {"subject_id": "P1"},
        pl.DataFrame(list(events), schema=EVENTS, orient="row").with_row_index("row"),
        pl.DataFrame(rows, schema=COUNTS, orient="row").with_row_index("row", offset=100),
    )
    return assess_icaht(tables, RULES, **options)


def course(low, count=400, last=60):
    return [(day, count if day in low else 2000) for day in range(last + 1)]


def named(assessment):
    return {endpoint.name: endpoint for endpoint in assessment.endpoints}


def test_the_early_verdict_rests_on_the_rows_of_its_run():
    early = assess(course(range(5, 12))).verdicts[0]
    assert (early.day, early.time_point) == (30.0, "2")
    assert early.findings[0].rows == tuple(range(105, 112))
    assert early.findings[0].values == (7.0,)


def test_the_clause_above_says_how_far_the_run_is_from_the_next_grade():
    early = assess(course(range(5, 12))).verdicts[0]
    above = early.findings[-1].parts[0]
    assert (above.values, above.threshold, above.unit) == ((7.0,), 14.0, "day")


def test_the_late_verdict_stands_on_the_last_day_of_its_window():
    found = assess(course(range(40, 43)), (55.0, "next_therapy"), (200.0, "last_contact"))
    assert (found.verdicts[1].day, found.verdicts[1].time_point) == (55.0, "3")


def test_a_late_window_without_days_says_why():
    found = assess(course(range(5, 12)), (20.0, "relapse"), (200.0, "last_contact"))
    assert found.verdicts[1].time_point == "NE"
    assert found.verdicts[1].note == "late ICAHT: relapse on day 20 is before day 31"


def test_follow_up_ends_with_the_last_row_where_nothing_says_more():
    assert assess([(0, 2000), (5, 2000), (9, 2000)]).verdicts[0].day == 9.0


def test_hours_do_not_make_days():
    assert assess([(0.1, 2000), (1.2, 400), (1.9, 300), (2.5, 2000)]).verdicts[0].time_point == "1"


def test_growth_factor_is_noted_and_changes_nothing():
    plain, treated = assess(course(range(5, 12))), assess(course(range(5, 12)), (7.0, "g_csf"), (60.0, "last_contact"))
    assert treated.verdicts[0].note.endswith("in a row (days 5 to 11); G-CSF on day 7")
    assert [v.time_point for v in treated.verdicts] == [v.time_point for v in plain.verdicts]


def test_platelets_give_two_more_verdicts_and_endpoints():
    found = assess(course(range(5, 12), count=30), variable="platelets", unit="10*9/L")
    assert [v.note for v in found.verdicts][2:] == [
        "early T-ICAHT; platelets below 50 10*9/L on 7 days or more (7)",
        "late T-ICAHT",
    ]
    ends = named(found)
    assert (ends["t_icaht_early_grade"].value, ends["t_icaht_late_grade"].value) == ("2", "0")
    assert ends["days_platelets_below_50"].value == "7"
    assert ends["icaht_early_grade"].value == "NE"


def test_without_platelets_there_is_no_grade_of_them():
    assert not any(name.startswith("t_icaht") for name in named(assess(course(range(5, 12)))))


def test_days_at_or_below_each_threshold_are_counted_without_the_days_between():
    counts = [(day, {5: 400, 6: 900, 7: 100}.get(day, 2000)) for day in range(31)]
    ends = named(assess(counts))
    days = [ends[f"days_neutrophils_at_or_below_{limit}"].value for limit in (500, 100)]
    assert days == ["2", "1"]


def test_what_could_change_a_grade_is_said():
    counts = [(day, 400 if 5 <= day <= 8 else 2000) for day in range(31) if not 9 <= day <= 18]
    early = assess(counts).verdicts[0]
    assert (early.time_point, early.unknowns) == ("1", ("neutrophils",))
    assert early.would_change == ("early ICAHT grade 2 to 3, if neutrophils were known",)
    leaves = [leaf for finding in early.findings for leaf in list_leaves(finding, Truth.UNKNOWN)]
    assert {leaf.note for leaf in leaves} == {"no value on 10 days between day 9 and day 18"}


def test_the_days_as_they_were_graded_are_a_table():
    days = assess([(0, 300), (2, 600), (3, 614)]).details["daily_counts"]
    assert days["low"].to_list() == [300.0, 450.0, 600.0, 610.0]
    assert days["row"].to_list() == [100, None, 101, 102]


def test_recovery_that_has_not_come_is_censored_at_the_last_count():
    ends = named(assess([(day, 2000 if day < 4 else 300) for day in range(15)]))
    recovery = ends["neutrophil_recovery_day"]
    assert (recovery.status, recovery.day) == ("censored", 14.0)


def test_an_unknown_choice_is_refused():
    with pytest.raises(InputError, match="must be calendar or laboratory"):
        assess(course(()), recovery_count="lunar")


def test_ends_are_carried_only_so_far():
    minima = {10: Result("neutrophils", 10.0, 0, 300.0, 300.0)}
    near = build_series(minima, 5, 15, gap_days=7, carry_days=7)
    assert near.unfilled == ()
    far = build_series(minima, 0, 15, gap_days=7, carry_days=7)
    assert far.unfilled == tuple(range(10))


def test_values_outside_a_window_do_not_fill_it():
    rows = [Result("neutrophils", day, int(day), 300.0, 300.0) for day in (28.0, 33.0)]
    series = build_series(find_minima(rows, 0, 30), 0, 30, gap_days=7, carry_days=1)
    assert series.unfilled == (*range(28), 29, 30)


def test_half_of_ten_goes_to_the_even_side():
    minima = {0: Result("neutrophils", 0.0, 0, 505.0, 505.0), 1: Result("neutrophils", 1.0, 1, 515.0, 515.0)}
    assert build_series(minima, 0, 1, gap_days=0, carry_days=0, round_to=10.0).low == (500.0, 520.0)


def test_of_equally_long_runs_the_first_is_named():
    assert find_longest(find_runs([True, False, False, False, True], 0, 2.0)).first == 0
    assert find_longest(()) is None
