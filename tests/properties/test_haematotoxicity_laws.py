"""Laws of haematotoxicity grades: lower counts, order and repetition of rows, units, unknown rows."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.haematotoxicity import assess_icaht
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("icaht/2023")
TABLE = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String}
UNITS = {"neutrophils": "10*9/L", "platelets": "10*9/L"}
NAMES = ("early ICAHT", "late ICAHT", "early T-ICAHT", "late T-ICAHT")
counts = {"neutrophils": st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.9, 1.2, 3.0]), "platelets": st.integers(5, 120)}
ends = st.sampled_from([None, ("death", 12.0), ("last_contact", 60.0), ("progression", 45.0), ("next_therapy", 20.0)])


@st.composite
def records(draw):
    """Counts on some days, in stretches, so that runs come about."""
    rows = []
    for name, values in counts.items():
        day = draw(st.integers(0, 4))
        while day < 80:
            level = draw(values)
            for _ in range(draw(st.integers(1, 12))):
                rows.append((float(day), name, float(level), UNITS[name]))
                day += draw(st.sampled_from([1, 1, 1, 2, 5])) if day < 31 else 9
    end = draw(ends)
    return rows, [] if end is None else [end]


def assess(rows, events, **options):
    table = pl.DataFrame(rows, schema=TABLE, orient="row").with_row_index("row")
    history = pl.DataFrame(
        [(day, kind) for kind, day in events], schema={"day": pl.Float64, "type": pl.String}, orient="row"
    )
    return assess_icaht(SubjectTables({"subject_id": "P"}, history, table), RULES, **options)


def grades(found):
    return {
        name: v.time_point for v in found.verdicts for name in NAMES if name in v.note and f"T-{name}" not in v.note
    }


@settings(max_examples=60, deadline=None)
@given(records(), st.data())
def test_a_lower_count_never_lowers_a_grade(record, data):
    rows, events = record
    place = data.draw(st.integers(0, len(rows) - 1))
    day, name, value, unit = rows[place]
    worse = [*rows]
    worse[place] = (day, name, value * data.draw(st.sampled_from([0.0, 0.1, 0.5, 0.9])), unit)
    before, after = grades(assess(rows, events)), grades(assess(worse, events))
    known = [(before[key], after[key]) for key in before if "NE" not in (before[key], after[key])]
    assert all(int(a) <= int(b) for a, b in known)
    assert all(after[key] != "0" for key in before if before[key] not in ("0", "NE"))


@settings(max_examples=60, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_their_repetition_matters(record, random):
    rows, events = record
    shuffled = [*rows, *rows]
    random.shuffle(shuffled)
    a, b = assess(rows, events), assess(shuffled, events)
    assert grades(a) == grades(b)
    assert [(e.name, e.day, e.value) for e in a.endpoints] == [(e.name, e.day, e.value) for e in b.endpoints]


@settings(max_examples=60, deadline=None)
@given(records())
def test_counts_per_microlitre_are_the_same(record):
    rows, events = record
    other = [(day, name, value * 1000, "/uL") for day, name, value, _ in rows]
    assert grades(assess(rows, events)) == grades(assess(other, events))


@settings(max_examples=60, deadline=None)
@given(records(), st.integers(0, 79))
def test_a_row_that_says_nothing_changes_no_grade(record, day):
    rows, events = record
    nothing = [(float(day), "neutrophils", None, "10*9/L"), (float(day), "neutrophils", 0.05, None)]
    last = max(row[0] for row in rows)
    kept = [row for row in nothing if row[0] <= last]
    assert grades(assess(rows, events)) == grades(assess([*rows, *kept], events))


@settings(max_examples=60, deadline=None)
@given(records())
def test_a_grade_is_recomputed_from_its_trail(record):
    for verdict in assess(*record).verdicts:
        assert all(recompute(finding) == finding.truth for finding in verdict.findings)
        assert verdict.time_point == "NE" or any(finding.rows for finding in verdict.findings)


@settings(max_examples=60, deadline=None)
@given(records())
def test_taking_unknown_days_as_up_never_raises_a_grade(record):
    strict, lax = grades(assess(*record)), grades(assess(*record, unfilled_days="above"))
    assert all(strict[key] in (lax[key], "NE") for key in strict)


@settings(max_examples=60, deadline=None)
@given(records())
def test_rows_after_the_one_that_closes_day_30_never_change_an_early_grade(record):
    """The first result after day 30 may tell the days before it, where gaps are filled between two results."""
    rows, events = record
    closing = {name: min((row[0] for row in rows if row[1] == name and row[0] > 30), default=30) for name in counts}
    kept = [row for row in rows if row[0] <= closing[row[1]]]
    end = events or [("last_contact", 80.0)]
    assert grades(assess(rows, end))["early ICAHT"] == grades(assess(kept, end))["early ICAHT"]
