"""Laws that RECIST 1.1 and iRECIST obey, whatever the lesions."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.best_response import IRECIST, RECIST, Point, Windows, find_best, find_response, select_counted
from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.irecist import assess_irecist
from livingdrug.clinical.recist import assess_recist
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("recist/1.1")
IMMUNE = load_rules("irecist/2017")
FAMILIES = st.sampled_from([(assess_recist, RULES), (assess_irecist, IMMUNE)])
EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
SCHEMA = {
    "row": pl.Int64,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "text": pl.String,
}
WORDS = ("absent", "present", "increased", "unequivocal_progression", "not_evaluable")
ORDER = ("PD", "NE", "NON-CR/NON-PD", "SD", "PR", "CR")
NAMES = {"iUPD": "PD", "iCR": "CR", "iPR": "PR", "iSD": "SD", "NON-iCR/NON-iUPD": "NON-CR/NON-PD"}

sizes = {
    "target_lesion:A": st.integers(0, 600).map(lambda n: n / 10),
    "target_lesion:B": st.integers(0, 300).map(lambda n: n / 10),
    "target_node:C": st.integers(30, 300).map(lambda n: n / 10),
}
words = {"non_target_lesion:D": st.sampled_from(WORDS), "new_lesion:E": st.sampled_from(("yes", "no"))}


@st.composite
def records(draw, least=1, most=5, gap=35.0):
    """Rows of a baseline on day -7 and of some scans after it; rows may be missing, but not at baseline."""
    rows = [(-7.0, name, draw(st.integers(15, 60)) * 1.0, None) for name in sizes]
    if draw(st.booleans()):
        rows.append((-7.0, "non_target_lesion:D", None, "present"))
    for number in range(draw(st.integers(least, most))):
        for name, strategy in (sizes | words).items():
            rare = name == "new_lesion:E" and draw(st.integers(0, 3)) > 0
            if not rare and draw(st.integers(0, 9)) > 0:
                result = draw(strategy)
                numeric = name in sizes
                rows.append((gap * (number + 1), name, result if numeric else None, None if numeric else result))
    return rows


@st.composite
def courses(draw, scale):
    """Time points as codes, at least five days apart."""
    codes = [*scale.order]
    gaps = draw(st.lists(st.integers(5, 60), min_size=1, max_size=7))
    days = [float(sum(gaps[: place + 1])) for place in range(len(gaps))]
    return [Point(day, draw(st.sampled_from(codes))) for day in days]


def assess(rows, family=(assess_recist, RULES), unit="mm", factor=1.0, shift=0.0, order=None, **options):
    table = [
        (place, day + shift, name, None if value is None else value * factor, None if value is None else unit, text)
        for place, (day, name, value, text) in enumerate(rows)
    ]
    if order is not None:
        table = [table[place] for place in order]
    observations = pl.DataFrame(table, schema=SCHEMA, orient="row")
    return family[0](SubjectTables({}, EVENTS, observations), family[1], **options)


def tell(assessment, shift=0.0):
    verdicts = [
        (v.day - shift, v.time_point, v.confirmed, None if v.first_day is None else v.first_day - shift)
        for v in assessment.verdicts
    ]
    endpoints = [(e.name, e.value, None if e.day is None else e.day - shift) for e in assessment.endpoints]
    return verdicts, endpoints


def list_findings(finding):
    yield finding
    for part in finding.parts:
        yield from list_findings(part)


@given(records(), FAMILIES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, family, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    assert tell(assess(rows, family, order=order)) == tell(assess(rows, family))


@given(records(), FAMILIES)
def test_doubled_rows_change_nothing(rows, family):
    assert tell(assess(rows + rows, family)) == tell(assess(rows, family))


@given(records(), FAMILIES)
def test_centimetres_are_the_same_disease(rows, family):
    assert tell(assess(rows, family, unit="cm", factor=0.1)) == tell(assess(rows, family))


@given(records(), FAMILIES, st.integers(-400, 400))
def test_only_the_days_between_matter(rows, family, shift):
    moved = assess(rows, family, shift=float(shift), baseline_day=shift, reference_day=shift)
    assert tell(moved, shift) == tell(assess(rows, family))


@given(records(least=2), FAMILIES)
def test_later_scans_never_change_what_was_said_before(rows, family):
    whole = tell(assess(rows, family))[0]
    for end in sorted({row[0] for row in rows if row[0] > 0}):
        part = tell(assess([row for row in rows if row[0] <= end], family))[0]
        assert part == whole[: len(part)]


@given(records(), FAMILIES)
def test_every_clause_follows_from_its_own_trail(rows, family):
    for verdict in assess(rows, family).verdicts:
        for root in verdict.findings:
            for finding in list_findings(root):
                assert recompute(finding) == finding.truth, finding


@given(records(), FAMILIES)
def test_a_verdict_rests_on_rows_unless_nothing_is_known(rows, family):
    for verdict in assess(rows, family).verdicts:
        used = {row for finding in verdict.findings for part in list_findings(finding) for row in part.rows}
        assert used <= set(range(len(rows)))
        assert used or verdict.time_point == "NE"


@given(records())
def test_progression_of_the_sum_lies_above_its_nadir(rows):
    for verdict in assess(rows).verdicts:
        leaves = [leaf for root in verdict.findings for leaf in list_findings(root)]
        rises = [leaf for leaf in leaves if leaf.comparison == "rise >=" and leaf.truth == "true"]
        assert all(leaf.values[1] > leaf.values[0] for leaf in rises)
        if verdict.time_point == "PD":
            assert any(leaf.truth == "true" and not leaf.parts for leaf in leaves)


@given(records(), st.data())
def test_a_missing_row_never_makes_a_scan_better_unless_progression_is_named_as_open(rows, data):
    place = data.draw(st.sampled_from([i for i, row in enumerate(rows) if row[0] > 0] or [0]))
    day, name = rows[place][:2]
    before = {v.day: v for v in assess(rows).verdicts}.get(day)
    after = {v.day: v for v in assess(rows[:place] + rows[place + 1 :]).verdicts}.get(day)
    is_stray = name == "non_target_lesion:D" and (-7.0, name, None, "present") not in rows
    if before is None or after is None or name == "new_lesion:E" or is_stray:
        return
    if before.time_point == "PD" and after.time_point != "PD":
        assert any("progressive disease" in text for text in after.would_change)
    else:
        assert ORDER.index(after.time_point) <= max(ORDER.index(before.time_point), ORDER.index("NE"))


@given(records())
def test_diameters_of_an_unknown_unit_are_never_a_response(rows):
    targets = [row for row in rows if row[1] in sizes]
    assert {v.time_point for v in assess(targets, unit=None).verdicts} <= {"NE"}


@given(records(least=1, most=1), st.floats(0.0, 1.0))
def test_lesions_that_all_shrink_are_no_progression(rows, factor):
    baseline = [row for row in rows if row[0] < 0]
    smaller = [(42.0, name, None if v is None else v * factor, text) for _, name, v, text in baseline]
    (verdict,) = assess(baseline + smaller).verdicts
    assert verdict.time_point in ("CR", "PR", "SD")


@given(records(), st.floats(0.0, 50.0), st.sampled_from(sorted(sizes)))
def test_a_larger_target_never_makes_the_last_scan_better(rows, more, name):
    last = max(row[0] for row in rows)
    worse = [(d, n, v + more if (d, n) == (last, name) else v, t) for d, n, v, t in rows]
    before, after = (assess(each).verdicts for each in (rows, worse))
    if before and before[-1].day == last and before[-1].time_point != "NE":
        assert ORDER.index(after[-1].time_point) <= ORDER.index(before[-1].time_point)


@given(records())
def test_irecist_agrees_with_recist_up_to_the_first_progression(rows):
    plain = assess(rows).verdicts
    immune = assess(rows, (assess_irecist, IMMUNE)).verdicts
    for one, other in zip(plain, immune, strict=True):
        assert NAMES.get(other.time_point, other.time_point) == one.time_point
        if one.time_point == "PD":
            break


@given(records(least=2))
def test_confirmed_progression_follows_an_unconfirmed_one_by_28_days(rows):
    found = assess(rows, (assess_irecist, IMMUNE))
    confirmed = [v.day for v in found.verdicts if v.time_point == "iCPD"]
    if confirmed:
        day = {e.name: e.day for e in found.endpoints}["progression"]
        assert day is not None
        assert confirmed[0] - day >= 28


@given(records(least=2), FAMILIES)
def test_progression_is_not_before_the_response(rows, family):
    (course,) = assess(rows, family).courses
    if course.progression_day is not None and course.response_day is not None:
        assert course.progression_day > course.response_day


@settings(max_examples=100)
@given(st.sampled_from([RECIST, IRECIST]).flatmap(lambda scale: st.tuples(st.just(scale), courses(scale))))
def test_a_confirmed_response_is_an_unconfirmed_one_too(pair):
    scale, points = pair
    counted = select_counted(points, scale, None)
    confirmed = find_response(counted, scale, Windows(), with_confirmation=True)
    plain = find_response(counted, scale, Windows(), with_confirmation=False)
    assert confirmed is None or (plain is not None and plain.day <= confirmed.day)
    ranks = [
        scale.order.index(find_best(counted, scale, Windows(), with_confirmation=c).category) for c in (True, False)
    ]
    assert ranks[0] >= ranks[1]


@settings(max_examples=100)
@given(courses(RECIST), st.floats(1.0, 400.0))
def test_a_time_point_that_could_not_be_evaluated_never_makes_the_best_response_better(points, day):
    if any(point.day == day for point in points):
        return
    longer = sorted([*points, Point(day, "NE")], key=lambda point: point.day)
    order = RECIST.order
    for confirmed in (True, False):
        ranks = [
            order.index(
                find_best(select_counted(each, RECIST, None), RECIST, Windows(), with_confirmation=confirmed).category
            )
            for each in (points, longer)
        ]
        assert ranks[1] >= ranks[0] or points[0].category == "ND"
