"""Age limits that an eligibility text states; ages that only divide patients into groups are left alone."""

import re
from collections.abc import Iterator

from livingdrug.options.eligibility_statement import PARSED, REQUIRED, Statement, TrialContext
from livingdrug.options.eligibility_text import EXCLUSION, MAIN, EligibilityText, Unit
from livingdrug.options.predicate import Group, Leaf, Predicate

_YEAR = r"(?:-?\s?(?:years?|yrs?|y/?o?|y\.o\.)\b\.?(?:'s?)?|-?\s?months?|-?\s?weeks?)"
_OLD = r"(?:\s*-?\s*(?:old|of\s+age|age)\b)?"
_LOW = (
    r"(?:>\s?=?|=\s?>|≥|at\s+least|(?:greater|older|more|higher)\s+than(?:\s+or\s+equal(?:s|ed)?\s+to)?"
    r"|equal\s+to\s+or\s+(?:greater|older|more)\s+than|no\s+less\s+than|not\s+less\s+than|no\s+younger\s+than"
    r"|not\s+younger\s+than|over|above|minimum(?:\s+age)?(?:\s+of)?|from)"
)
_HIGH = (
    r"(?:<\s?=?|=\s?<|≤|at\s+most|(?:less|younger|lower)\s+than(?:\s+or\s+equal(?:s|ed)?\s+to)?"
    r"|equal\s+to\s+or\s+(?:less|younger)\s+than|no\s+(?:more|older|greater)\s+than|not\s+(?:more|older"
    r"|greater|exceed(?:ing)?|over)(?:\s+than)?|under|below|up\s+to|maximum(?:\s+age)?(?:\s+of)?)"
)
_N = r"(\d{1,3}(?:\.\d+)?)"
_TO = r"(?:\s*(?:-|~|to|and|through|until)\s*)"
_UPWARD = r"(?:\s*(?:,\s*)?(?:or|and)\s+(?:older|above|over|up|more|greater|elder)|\s*(?:\+|older|and\s+up|upwards?))"
_DOWNWARD = r"\s*(?:or|and)\s+(?:younger|below|under|less)"
_RANGE = re.compile(
    rf"(?:between\s+(?:the\s+ages?\s+of\s+)?|from\s+|{_LOW}\s*)?{_N}\s*(?P<u1>{_YEAR})?{_OLD}(?:\s*\([^)]{{0,20}}\))?"
    rf"(?:{_TO}"
    rf"|\s*(?:,|and|to|but|-|/)?\s*(?:and\s+)?(?=[<≤]|not|no\s|less|up\s|under|younger))(?:age\s*)?(?P<high>"
    rf"{_HIGH})?\s*{_N}\s*(?P<u2>{_YEAR})?{_OLD}"
)
_BRACKET = re.compile(
    rf"{_N}\s*(?P<u1>{_YEAR})?{_OLD}"
    rf"\s*(?P<s1><\s?=?|≤|=\s?<)\s*(?:patient'?s?\s+|subject\s+)?age\s*(?P<s2><\s?=?|≤|=\s?<)\s*{_N}\s*(?P<u2>"
    rf"{_YEAR})?"
)
_LOWER = re.compile(rf"(?P<sign>{_LOW})\s*(?:the\s+)?(?:ages?\s+(?:of\s+)?)?{_N}\s*(?P<u1>{_YEAR})?{_OLD}")
_UPPER = re.compile(rf"(?P<sign>{_HIGH})\s*(?:the\s+)?(?:ages?\s+(?:of\s+)?)?{_N}\s*(?P<u1>{_YEAR})?{_OLD}")
_AND_UP = re.compile(rf"{_N}\s*(?P<u1>{_YEAR})?{_OLD}{_UPWARD}(?:\s*(?:years?|in\s+age|than\s+\d+))?")
_AND_DOWN = re.compile(rf"{_N}\s*(?P<u1>{_YEAR})?{_OLD}{_DOWNWARD}")
_MUST_BE = re.compile(
    rf"\bmust\s+be\s+(?:aged\s+)?{_N}\s*(?P<u1>{_YEAR}){_OLD}(?=\W*(?:inclusive|at\s|on\s+the\s+day|when\b|$))"
)
"""``must be 18 years of age at the time of consent``: at least."""
_AGE_WORD = re.compile(
    r"\bage[ds]?\b|\byears?[\s-]+(?:old|of\s+age|or\s+older|and\s+older|and\s+above)|\byears?\s+older\b"
    r"|\by/?o\b|year-old|\badults?\b|years\s+and"
)
_BARE = re.compile(
    rf"\W*(?:(?:fe)?males?|women|men|patients?|subjects?|participants?|adults?|between|and|or|from|\W)*(?:{_LOW}|{_HIGH})?\s*"
    rf"{_N}(?:(?:\s*{_YEAR})?{_TO}{_N})?\s*\+?\s*(?:{_YEAR}|y)(?:\s*\(?inclusive\)?)?\W*"
)
"""A criterion that is nothing but a number of years is one of age."""
_FILLER = re.compile(
    r"(?:\W|\b(?:subjects?|patients?|participants?|individuals?|persons?|people|males?|females?|men|women|man"
    r"|woman|and|or|either|both|any|"
    r"genders?|sex(?:es)?|unlimited|not|limited|regardless|no|limits?|limitation|restriction|all|must|should"
    r"|shall|be|is|are|were|been|being|have|an?|the|of|at|in|"
    r"who|who's|with|adults?|children|child|pediatric|paediatric|adolescents?|young|ages?|aged|aging|range"
    r"|ranging|between|from|to|years?|old|"
    r"time|signing|consent|informed|enrollment|enrolment|screening|icf|volunteers?|eligible|inclusive|on|day"
    r"|date|only|recipients?|hospitalized|chinese|than|then|for|was|will|those|limit|ecog|criteria)\b)*"
)
_CONDITION = re.compile(
    r"\W*(?:of\s+age\W*|inclusive\W*|old\W*)*(?:\(?(?:who|that)\s+(?:do|does|did|have|has)\s+not|who\s+(?:are"
    r"|were)\s+not\b|:\s*(?=\w)|"
    r"\s*(?:their|legal|a)\s+(?:legal|guardian|parent)|.{0,25}\b(?:assent|guardian)\b|(?:must|should|have"
    r"|need)\s.{0,20}\b(?:karnofsky|lansky)\b)"
)
_GROUPED = re.compile(
    r"karnofsky|lansky|creatinine|guardian|minors|assent|contracepti|regimen|chemotherapy|ejection|clearance"
    r"|diagnosed?\s+at|donor|transplant"
)
_DIGIT = re.compile(r"\d")
_NUMBERS = re.compile(r"\d{1,3}(?:\.\d+)?")
_HAS_YEAR = re.compile(r"\d\s?y\b|year|yr|y/o|\byo\b|y\.o|month|week|old|\bage")


def find_ages(text: EligibilityText, _: TrialContext) -> Iterator[Statement]:
    r"""Find age limits; a limit in the list of exclusions is turned round.

    Examples
    --------
    >>> from livingdrug.options.eligibility_text import split_text
    >>> text = split_text("Inclusion Criteria:\n* Age 6 months to 25 years\n* > 16 years: Karnofsky > 60")
    >>> [statement.value for statement in find_ages(text, TrialContext())]
    [{'min': 0.5, 'max': 25.0}]
    """
    for unit in text.units:
        lower = text.lower[unit.body : unit.end]
        if unit.is_heading or unit.block != MAIN or not _may_tell_age(lower):
            continue
        found = _read_unit(lower, unit)
        if found is not None:
            value, start, end = found
            yield Statement(
                "age", REQUIRED, value, unit.body + start, unit.body + end, unit.section, PARSED, ask_age(value)
            )


def _may_tell_age(lower: str) -> bool:
    if _DIGIT.search(lower) is None:
        return False
    if any(word in lower for word in ("age", "year", "old", "adult", "y/o")) and _AGE_WORD.search(lower):
        return True
    return _BARE.fullmatch(lower) is not None


def ask_age(value: dict[str, float]) -> Predicate:
    """Return what is asked of a patient's age."""
    ask = "age at enrolment?"
    strict = value.get("strict", 0)
    leaves: list[Predicate] = []
    if "min" in value:
        leaves.append(Leaf("age_years", "gt" if strict in (1, 3) else "gte", value["min"], ask=ask))
    if "max" in value:
        leaves.append(Leaf("age_years", "lt" if strict in (2, 3) else "lte", value["max"], ask=ask))
    return leaves[0] if len(leaves) == 1 else Group("all", tuple(leaves))


def _read_unit(lower: str, unit: Unit) -> tuple[dict[str, float], int, int] | None:
    is_exclusion = unit.section == EXCLUSION
    for pattern, reader in (
        (_BRACKET, _read_bracket),
        (_RANGE, _read_range),
        (_LOWER, None),
        (_UPPER, None),
        (_AND_UP, None),
        (_AND_DOWN, None),
        (_MUST_BE, None),
    ):
        for found in pattern.finditer(lower):
            if not _is_limit(lower, found):
                continue
            value = reader(found) if reader else _read_single(pattern, found, is_exclusion=is_exclusion)
            if value is None or (reader and is_exclusion):
                continue
            end = found.end()
            if pattern is _AND_UP and not is_exclusion:
                value, end = _add_upper(lower, value, end)
            return value, found.start(), end
    return None


def _add_upper(lower: str, value: dict[str, float], end: int) -> tuple[dict[str, float], int]:
    """Read ``and 75 years or less`` behind ``16 years or more``."""
    joined = re.match(r"\W*(?:and|but)\W+", lower[end:])
    upper = None if joined is None else _AND_DOWN.match(lower, end + joined.end())
    if upper is None:
        return value, end
    return {**value, "max": _years(upper[1], upper["u1"])}, upper.end()


def _is_limit(lower: str, found: re.Match[str]) -> bool:
    before, after = lower[: found.start()], lower[found.end() :]
    lead = _FILLER.match(before)
    starts = lead is not None and lead.end() == len(before)
    named = re.search(
        r"\bage[ds]?\b(?:\s+(?:of|is|range|between|from|at|must\s+be|should\s+be|limit|requirement|group|years?))*\W*$"
        r"|(?<!for )\b(?:patient|subject|participant|individual|person|adult)s?\s+(?:who\s+)?(?:is|are)\s*$",
        before,
    )
    if not starts and named is None:
        return False
    if (
        not _HAS_YEAR.search(found[0])
        and not re.search(r"\bage[ds]?\b", before)
        and not re.match(r"\W*(?:years?|yrs?)", after)
    ):
        return False
    if not starts and _GROUPED.search(before):
        return False
    return _CONDITION.match(after) is None and not re.search(r"\b(?:within|past|last|previous)\W*$", before)


def _years(number: str, unit: str | None) -> float:
    text = unit or ""
    share = 12.0 if "month" in text else 52.0 if "week" in text else 1.0
    return round(float(number) / share, 3)


def _read_bracket(found: re.Match[str]) -> dict[str, float] | None:
    low, high = _years(_NUMBERS.findall(found[0])[0], found["u1"]), _years(_NUMBERS.findall(found[0])[-1], found["u2"])
    strict = ("=" not in found["s1"] and "≤" not in found["s1"]) + 2 * (
        "=" not in found["s2"] and "≤" not in found["s2"]
    )
    return _check({"min": low, "max": high, **({"strict": strict} if strict else {})})


def _read_range(found: re.Match[str]) -> dict[str, float] | None:
    numbers = [g for g in found.groups() if g and re.fullmatch(r"\d{1,3}(?:\.\d+)?", g)]
    low = _years(numbers[0], found["u1"] or (found["u2"] if "month" not in (found["u2"] or "") else None))
    high = _years(numbers[1], found["u2"])
    sign = (found["high"] or "").replace(" ", "")
    strict = 2 if sign in {"<"} or re.match(r"(?:less|younger|under|below)(?!.*equal)", sign) else 0
    lead = found[0].strip()
    if re.match(r">(?!\s?=)", lead):
        strict += 1
    return _check({"min": low, "max": high, **({"strict": strict} if strict else {})})


def _check(value: dict[str, float]) -> dict[str, float] | None:
    """Refuse what cannot be ages of patients, such as scores and dates."""
    low, high = value.get("min", 0.0), value.get("max", 100.0)
    return value if low < high <= 120.0 else None


def _read_single(pattern: re.Pattern[str], found: re.Match[str], *, is_exclusion: bool) -> dict[str, float] | None:
    number = next(g for g in found.groups() if g and re.fullmatch(r"\d{1,3}(?:\.\d+)?", g))
    years = _years(number, found["u1"])
    is_low = pattern in (_LOWER, _AND_UP, _MUST_BE)
    sign = found.groupdict().get("sign") or ""
    strict = bool(sign) and not re.search(r"=|≥|≤|equal|least|most|minimum|maximum|up\s+to|from|\bno\b|not", sign)
    if is_exclusion:
        is_low, strict = not is_low, not strict
    value = {"min" if is_low else "max": years}
    if strict:
        value["strict"] = 1 if is_low else 2
    return _check(value)
