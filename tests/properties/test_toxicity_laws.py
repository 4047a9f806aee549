"""Laws of grades and scores: a worse sign never lowers them, nor does what is not known."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.haematotoxicity_score import assess_car_hematotox
from livingdrug.clinical.hscore import assess_hscore
from livingdrug.clinical.icans import assess_icans
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.ruleset import Finding
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules

SCHEMA = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}
MILD_FIRST = {
    "astct-crs/2019": {
        "temperature": (36.5, 37.9, 38.0, 39.5),
        "hypotension": ("no", "yes"),
        "vasopressors": (0.0, 1.0, 2.0, 3.0),
        "vasopressin": ("no", "yes"),
        "oxygen": ("none", "low_flow", "high_flow", "face_mask", "cpap", "intubation"),
        "oxygen_flow": (0.0, 2.0, 6.0, 7.0),
    },
    "astct-icans/2019": {
        "ice_score": (10.0, 9.0, 7.0, 6.0, 3.0, 2.0, 0.0),
        "consciousness": ("awake", "spontaneous", "voice", "touch", "vigorous", "coma"),
        "seizure": ("none", "brief", "prolonged"),
        "seizure_duration": (0.0, 1.0, 5.0, 6.0),
        "motor_weakness": ("none", "mild", "hemiparesis"),
        "cerebral_oedema": ("none", "focal", "diffuse"),
        "raised_intracranial_pressure": ("none", "posturing"),
    },
    "hscore/2014": {
        "immunosuppression": ("no", "yes"),
        "temperature": (37.0, 38.4, 39.4, 39.5),
        "hepatomegaly": ("no", "yes"),
        "splenomegaly": ("no", "yes"),
        "haemoglobin": (12.0, 9.3, 9.2, 6.0),
        "leukocytes": (8.0, 5.0, 1.0),
        "platelets": (200.0, 110.0, 20.0),
        "ferritin": (100.0, 2000.0, 6000.0, 6001.0),
        "triglycerides": (90.0, 133.0, 354.0, 400.0),
        "fibrinogen": (400.0, 250.0, 100.0),
        "ast": (20.0, 30.0, 900.0),
        "haemophagocytosis": ("no", "yes"),
    },
    "car-hematotox/2021": {
        "platelets": (200.0, 175.0, 75.0, 74.0),
        "neutrophils": (3.0, 1.2, 0.1),
        "haemoglobin": (12.0, 9.0, 7.0),
        "crp": (5.0, 29.0, 30.0, 200.0),
        "ferritin": (100.0, 650.0, 2000.0, 2001.0),
    },
}
ASSESS = {
    "astct-crs/2019": assess_crs,
    "astct-icans/2019": assess_icans,
    "hscore/2014": assess_hscore,
    "car-hematotox/2021": assess_car_hematotox,
}
OTHER_UNITS = {
    "temperature": ("[degF]", lambda v: 1.8 * v + 32.0),
    "haemoglobin": ("g/L", lambda v: 10.0 * v),
    "platelets": ("/uL", lambda v: 1000.0 * v),
    "leukocytes": ("/uL", lambda v: 1000.0 * v),
    "neutrophils": ("/uL", lambda v: 1000.0 * v),
    "crp": ("mg/dL", lambda v: v / 10.0),
    "ferritin": ("ug/L", lambda v: v),
    "fibrinogen": ("g/L", lambda v: v / 100.0),
    "triglycerides": ("mmol/L", lambda v: v / 88.57),
    "seizure_duration": ("s", lambda v: 60.0 * v),
    "oxygen_flow": ("mL/min", lambda v: 1000.0 * v),
}
NAMES = list(MILD_FIRST)
names = pytest.mark.parametrize("name", NAMES)


@st.composite
def courses(draw, name):
    """Some signs on some days, each by its place in the order from mild to severe, and treatments."""
    first = -9 if name == "car-hematotox/2021" else 0
    days = draw(st.lists(st.integers(first, first + 12), min_size=1, max_size=4, unique=True).map(sorted))
    seen = [
        (float(day), sign, place)
        for day in days
        for sign, values in MILD_FIRST[name].items()
        if (place := draw(st.none() | st.integers(0, len(values) - 1))) is not None
    ]
    kinds = st.sampled_from(("tocilizumab", "corticosteroid", "antipyretic"))
    events = draw(st.lists(st.tuples(st.integers(0, 12).map(float), kinds), max_size=2))
    return seen, events


def write_row(name, day, sign, place):
    value, unit = MILD_FIRST[name][sign][place], VARIABLES[sign].unit or None
    is_word = isinstance(value, str)
    return day, sign, None if is_word else value, value if is_word else None, unit


def write_rows(name, seen):
    return [write_row(name, *found) for found in seen]


def assess(name, rows, events, **options):
    happened = [(day, kind, None, None) for day, kind in events]
    tables = SubjectTables(
        {"age_years": 50.0},
        pl.DataFrame(happened, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=SCHEMA, orient="row"),
    )
    return ASSESS[name](tables, load_rules(name), **options)


def find_lowest(found):
    """The grade or score that each day has in any case."""
    if "grades" in found.details:
        return dict(found.details["grades"].select("day", "lowest_grade").rows())
    if "scores" in found.details:
        return dict(found.details["scores"].select("day", "lowest_score").rows())
    return {0.0: float(found.endpoints[0].value.split("-")[0])}


def tell(found):
    return [(v.day, v.time_point) for v in found.verdicts], [(e.name, e.day, e.value) for e in found.endpoints]


def list_findings(finding: Finding):
    yield finding
    for part in finding.parts:
        yield from list_findings(part)


@names
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_worse_sign_never_lowers_a_grade(name, data):
    seen, events = data.draw(courses(name).filter(lambda course: course[0]))
    worse = list(seen)
    place = data.draw(st.integers(0, len(seen) - 1))
    day, sign, mild = seen[place]
    worse[place] = (day, sign, data.draw(st.integers(mild, len(MILD_FIRST[name][sign]) - 1)))
    before = find_lowest(assess(name, write_rows(name, seen), events))
    after = find_lowest(assess(name, write_rows(name, worse), events))
    assert before.keys() == after.keys()
    assert {d: g for d, g in before.items() if after[d] < g} == {}


@names
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_what_is_not_known_never_lowers_a_grade(name, data):
    seen, events = data.draw(courses(name).filter(lambda course: course[0]))
    rows = write_rows(name, seen)
    sign = data.draw(st.sampled_from([s for s in MILD_FIRST[name] if not VARIABLES[s].words]))
    unreadable = (seen[-1][0], sign, 1.0, None, "furlong")
    before = find_lowest(assess(name, rows, events))
    after = find_lowest(assess(name, [*rows, unreadable], events))
    assert before.keys() == after.keys()
    assert all(after[day] >= grade for day, grade in before.items())


@names
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_the_unit_does_not_matter(name, data):
    seen, events = data.draw(courses(name))
    rows = write_rows(name, seen)
    other = []
    for day, sign, value, text, unit in rows:
        new, convert = OTHER_UNITS.get(sign, (unit, lambda v: v))
        other.append((day, sign, None if value is None else convert(value), text, new))
    assert tell(assess(name, rows, events)) == tell(assess(name, other, events))


@names
@given(data=st.data(), random=st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_neither_order_nor_repetition_of_rows_matters(name, data, random):
    seen, events = data.draw(courses(name))
    rows = write_rows(name, seen)
    mixed = rows + rows[:3]
    random.shuffle(mixed)
    assert tell(assess(name, rows, events)) == tell(assess(name, mixed, events))


@names
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_later_rows_never_change_an_earlier_day(name, data):
    seen, events = data.draw(courses(name))
    last = max((day for day, _, _ in seen), default=0.0)
    early = [found for found in seen if found[0] < last]
    whole = {v.day: v.time_point for v in assess(name, write_rows(name, seen), events).verdicts}
    part = assess(name, write_rows(name, early), events).verdicts
    if name != "car-hematotox/2021":
        assert {v.day: v.time_point for v in part} == {d: whole[d] for d in whole if d < last}


@names
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_every_clause_can_be_recomputed_from_its_trail(name, data):
    seen, events = data.draw(courses(name))
    for verdict in assess(name, write_rows(name, seen), events).verdicts:
        for finding in verdict.findings:
            assert all(recompute(part) == part.truth for part in list_findings(finding))


@names
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_grade_that_is_uncertain_says_what_would_change_it(name, data):
    seen, events = data.draw(courses(name))
    for verdict in assess(name, write_rows(name, seen), events).verdicts:
        assert (verdict.time_point != "NE") or verdict.unknowns
        assert bool(verdict.would_change) <= bool(verdict.unknowns)
