"""Laws that every assessment of lymphoma obeys, whatever the patient."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.comparison import list_leaves, recompute
from livingdrug.clinical.lugano import assess_lugano
from livingdrug.clinical.lyric import assess_lyric
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

LUGANO, LYRIC = load_rules("lugano/2014"), load_rules("lyric/2016")
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
TABLE = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String, "text": pl.String}
STRICT = {"new_lesions": "stated_at_every_scan", "equivocal_lesion": "open", "back_date_new_lesions": False}
RANK = ("CR", "PR", "SD", "PD")
OPEN = ("NE", "ND")
CT_NUMBERS = {
    "node_longest_diameter:N1": (0, 60, "mm"),
    "node_shortest_diameter:N1": (0, 60, "mm"),
    "extranodal_longest_diameter:E1": (0, 60, "mm"),
    "extranodal_shortest_diameter:E1": (0, 60, "mm"),
    "spleen_length": (8, 22, "cm"),
}
CT_WORDS = {
    "non_target_lesion:NT1": ("absent", "present", "increased", "unequivocal_progression", "not_evaluable"),
    "new_lesion": ("yes", "no", "no", "equivocal"),
}
PET_WORDS = {"fdg_uptake_change": ("lower", "unchanged", "higher"), "fdg_new_foci": ("yes", "no", "equivocal")}
LAWS = settings(max_examples=50, deadline=None)


@st.composite
def scans(draw, most=4, *, with_pet=True):
    """A baseline on day -7, with every lesion, and scans on which anything may be missing."""
    rows = []
    for day in (-7.0, *(30.0 * (n + 1) for n in range(draw(st.integers(1, most))))):
        for name, (low, high, unit) in CT_NUMBERS.items():
            value = draw(st.integers(low, high) if day < 0 else st.none() | st.integers(low, high))
            if value is not None:
                rows.append((day, name, float(value), unit, None))
        for name, words in CT_WORDS.items():
            if day > 0 or name.startswith("non_target"):
                word = draw(st.none() | st.sampled_from(words)) if day > 0 else "present"
                rows += [] if word is None else [(day, name, None, None, word)]
        if with_pet and draw(st.booleans()):
            rows.append((day, "deauville", float(draw(st.integers(1, 5))), "score", None))
            rows += [(day, name, None, None, draw(st.sampled_from(words))) for name, words in PET_WORDS.items()]
    return rows


def assess(rows, rules=LUGANO, **options):
    tables = SubjectTables({"subject_id": "x"}, NO_EVENTS, pl.DataFrame(rows, schema=TABLE, orient="row"))
    return (assess_lugano if rules is LUGANO else assess_lyric)(tables, rules, **options)


def seen(rows, rules=LUGANO, **options):
    return [(v.day, v.time_point, v.confirmed, v.first_day) for v in assess(rows, rules, **options).verdicts]


@LAWS
@given(scans(), st.randoms(use_true_random=False), st.sampled_from([LUGANO, LYRIC]))
def test_the_order_of_rows_does_not_matter(rows, random, rules):
    mixed = list(rows)
    random.shuffle(mixed)
    assert seen(mixed, rules) == seen(rows, rules)


@LAWS
@given(scans(), st.sampled_from([LUGANO, LYRIC]))
def test_doubled_rows_change_nothing(rows, rules):
    assert seen(rows + rows, rules) == seen(rows, rules)


@LAWS
@given(scans(), st.sampled_from([LUGANO, LYRIC]))
def test_the_units_of_the_images_do_not_matter(rows, rules):
    factor = {"mm": ("cm", 0.1), "cm": ("mm", 10.0)}
    other = [
        (day, name, value * factor[unit][1], factor[unit][0], text)
        if unit in factor
        else (day, name, value, unit, text)
        for day, name, value, unit, text in rows
    ]
    assert seen(other, rules) == seen(rows, rules)


@LAWS
@given(scans(), st.integers(-200, 200))
def test_the_day_from_which_days_are_counted_does_not_matter(rows, shift):
    moved = [(day + shift, *rest) for day, *rest in rows]
    shifted = seen(moved, LYRIC, baseline_day=float(shift), start_day=float(shift))
    assert [(d - shift, *rest[:2]) for d, *rest in shifted] == [(d, *rest[:2]) for d, *rest in seen(rows, LYRIC)]


@LAWS
@given(scans(), st.sampled_from([LUGANO, LYRIC]))
def test_later_scans_never_change_what_held_before(rows, rules):
    whole = seen(rows, rules, back_date_new_lesions=False)
    for count, (day, *_) in enumerate(whole, start=1):
        past = [row for row in rows if row[0] <= day]
        assert seen(past, rules, back_date_new_lesions=False) == whole[:count]


@LAWS
@given(scans(most=1, with_pet=False), st.data())
def test_a_missing_result_never_makes_a_ct_better(rows, data):
    before = assess(rows, **STRICT).verdicts
    index = data.draw(st.sampled_from(range(len(rows))))
    if not before or rows[index][0] < 0:
        return
    after = assess(rows[:index] + rows[index + 1 :], **STRICT).verdicts
    if not after or after[0].time_point in OPEN:
        return
    assert before[0].time_point not in OPEN
    if before[0].time_point == "PD":
        assert after[0].time_point == "PD"
    assert RANK.index(after[0].time_point) >= RANK.index(before[0].time_point)


@LAWS
@given(scans())
def test_an_evaluable_pet_that_becomes_not_evaluable_never_improves_on_all_that_was_seen(rows):
    """It gives way to progression on CT, or to the last PET; what it was itself it never exceeds without one."""
    verdicts = assess(rows).verdicts
    if not verdicts:
        return
    first = min(v.day for v in verdicts)
    has_pet = [row for row in rows if row[0] == first and row[1] == "deauville"]
    others = [row for row in rows if not (row[0] == first and (row[1] == "deauville" or row[1].startswith("fdg_")))]
    if has_pet:
        lost = [*others, (first, "pet_response", None, None, "ne")]
        alone = assess(others).verdicts
        assert assess(lost).verdicts[0].time_point in (*(v.time_point for v in alone if v.day == first), "NE")


@LAWS
@given(scans(), st.sampled_from([LUGANO, LYRIC]))
def test_every_clause_can_be_recomputed_from_its_trail(rows, rules):
    def check(finding):
        assert recompute(finding) == finding.truth, finding
        for part in finding.parts:
            check(part)

    for verdict in assess(rows, rules).verdicts:
        assert verdict.findings
        for finding in verdict.findings:
            check(finding)


@LAWS
@given(scans(with_pet=False))
def test_a_lesion_that_progressed_is_larger_than_its_smallest(rows):
    for verdict in assess(rows).verdicts:
        if verdict.time_point == "PD":
            for leaf in list_leaves(verdict.findings[0], Truth.TRUE):
                if "nadir" in leaf.clause or "lowest" in leaf.clause:
                    assert leaf.values[-1] > leaf.values[0]


@LAWS
@given(scans(most=1, with_pet=False), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4))
def test_lesions_that_only_shrink_never_progress(rows, factors):
    base = [row for row in rows if row[0] < 0]
    scale, sick = 1.0, list(base)
    for count, factor in enumerate(factors, start=1):
        scale *= factor
        for _, name, value, unit, text in base:
            small = value is not None and unit == "mm"
            sick.append((30.0 * count, name, value * scale if small else value, unit, text))
    assert "PD" not in [v.time_point for v in assess(sick).verdicts]


@LAWS
@given(scans(with_pet=False))
def test_sizes_without_a_unit_make_no_category(rows):
    bare = [(day, name, value, None, None) for day, name, value, _, text in rows if text is None]
    assert {v.time_point for v in assess(bare).verdicts} <= {"NE", "ND"}


@LAWS
@given(scans(), st.sampled_from([LUGANO, LYRIC]))
def test_progression_never_comes_before_response(rows, rules):
    for course in assess(rows, rules).courses:
        if course.progression_day is not None and course.response_day is not None:
            assert course.progression_day >= course.response_day


@LAWS
@given(scans())
def test_lyric_differs_from_lugano_only_where_that_sees_progression(rows):
    """Up to the first such scan."""
    for one, other in zip(assess(rows).verdicts, assess(rows, LYRIC).verdicts, strict=True):
        assert one.day == other.day
        if one.time_point == "PD":
            assert other.time_point == "PD" or other.time_point.startswith("IR")
            return
        assert one.time_point == other.time_point
