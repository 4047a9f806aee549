"""Limits of performance status: ECOG, Karnofsky, Lansky. None of the scales is turned into another."""

import re
from collections.abc import Iterator

from livingdrug.options.eligibility_statement import PARSED, PARTIAL, REQUIRED, Statement, TrialContext
from livingdrug.options.eligibility_text import EXCLUSION, MAIN, EligibilityText
from livingdrug.options.predicate import Group, Leaf, Predicate, Unread

_NAMES = ("ecog", "e.c", "oncology", "zubrod", "who", "performance", "ps", "karnofsky", "lansky", "jansky")
"""One of these stands where a scale is named: a quick look before the long one."""
REACH = 110
"""Letters after the name of a scale within which its limit stands."""
BEFORE = 60
_SCALE = re.compile(
    r"\be\.?c\.?o\.?g\.?\b|\beastern\s+(?:cooperative|collaborative|co-operative)\s+oncology(?:\s+group)?"
    r"|\becog[\s-]*ps\b|\becog(?=\d)|\bzubrod\b"
    r"|\bwho\s+performance|\bperformance\s+(?:status|score)\s*(?:\((?:ps|who)\))?(?=\W*(?:of|is|score|grade|="
    r"|:|≤|<)*\W*[0-4]\s*(?:-|~|to|or|and|,)\s*[1-4]\b(?!\s*\d|\.))"
    r"|\bps\s*(?:score)?(?=\W*[0-2]\s*(?:-|~|to|or)\s*[1-3]\b)"
)
_KARNOFSKY = re.compile(r"\bkarnofsky\b|\bkps\b")
_LANSKY = re.compile(r"\blansky\b|\bjansky\b|\blps\b")
_LIST = re.compile(
    r"(?<![\d.])([0-4])\s*(?:,\s*([0-4])\s*)?(?:,\s*([0-4])\s*)?(?:,\s*)?(?:-|~|to|or|and|/|,|through"
    r"|&)+\s*([1-5])(?!\s*(?:%|years?|weeks?|months?|days?))(?!\d|\.\d)"
)
_MOST = re.compile(
    r"(?P<sign>≤|<\s?=|=\s?<|<|less\s+than\s+or\s+equal(?:s|ed)?\s+to|equal\s+to\s+or\s+(?:less|lower)\s+than"
    r"|(?:no|not)\s+(?:more|greater|higher|worse)\s+than"
    r"|not\s+exceed(?:ing)?|at\s+most|up\s+to|less\s+than|lower\s+than|below|under)\s*(?:a\s+)?(?:grade|score"
    r"|level)?\s*(?:of\s+)?([0-5])(?!\d|\.\d|\s?%)"
)
_OR_LESS = re.compile(r"(?<![\d.])([0-4])\s*(?:points?|score)?\s*(?:or|and)\s+(?:less|lower|below|better|under|fewer)")
_LEAST = re.compile(
    r"(?P<sign>≥|>\s?=|=\s?>|>|greater\s+than\s+or\s+equal\s+to|(?:greater|more|higher|worse)\s+than"
    r"|at\s+least|over|above)\s*(?:grade|score)?\s*(?:of\s+)?([0-5])(?!\d|\.\d|\s?%)"
)
_OR_MORE = re.compile(r"(?<![\d.])([1-5])\s*(?:points?)?\s*(?:or|and)\s+(?:more|greater|higher|above|worse)")
_ONE = re.compile(
    r"^\W*(?:performance\s+(?:status|score|state)\W*)?(?:\(?ps\)?|scale|score[ds]?|grade|status|points?|of|is"
    r"|was|should\s+be|must\s+be|=|:|\W)*(?<![\d.])([0-4])(?!\d|\.\d|\s?%)"
)
_AS_WORD = re.compile(r"\b(zero|one|two|three)\b")
_WORDS = {"zero": "0", "one": "1", "two": "2", "three": "3"}
_NEXT = re.compile(
    r"\bkarnofsky\b|\bkps\b|\blansky\b|life\s+expectancy|expected\s+(?:survival|life)|\banc\b|ha?emoglobin"
    r"|platelet|creatinine|bilirubin|\bage[ds]?\b|\bfor\s+(?:patients|subjects|participants)\b|\bnyha\b"
)
_ALTERNATIVE = re.compile(r"\bor\b|/|\bequivalent\b")
_PERCENT = re.compile(
    r"(?P<sign>≥|>\s?=|=\s?>|>|at\s+least|greater\s+than(?:\s+or\s+equal\s+to)?|(?:no|not)\s+less\s+than"
    r"|more\s+than|higher\s+than|over|above|of)?\W*(?:a\s+score\s+of\s+|score\s+|than\s+)?\b([3-9]0"
    r"|100)\s?%?(?P<up>\s*(?:%\s*)?(?:or|and)\s+(?:greater|more|higher|above))?"
)


def find_performance(text: EligibilityText, _: TrialContext) -> Iterator[Statement]:
    r"""Find limits of performance status.

    Examples
    --------
    >>> from livingdrug.options.eligibility_text import split_text
    >>> text = split_text("Inclusion Criteria:\n* ECOG 0, 1 or 2\nExclusion Criteria:\n* ECOG performance status >= 3")
    >>> [statement.value for statement in find_performance(text, TrialContext())]
    [{'min': 0, 'max': 2}, {'min': 0, 'max': 2}]
    """
    for unit in text.find_units(_NAMES):
        lower = text.lower[unit.body : unit.end]
        if unit.is_heading or unit.block != MAIN:
            continue
        is_exclusion = unit.section == EXCLUSION
        other = _find_percent(lower, is_exclusion=is_exclusion)
        found = _find_ecog(lower, is_exclusion=is_exclusion)
        if found is not None:
            limit, start, end = found
            value = {"min": 0, "max": limit}
            has_other = other is not None and bool(_ALTERNATIVE.search(lower))
            extra = {"or": "karnofsky"} if has_other else {}
            yield Statement(
                "ecog",
                REQUIRED,
                value,
                unit.body + start,
                unit.body + end,
                unit.section,
                predicate=ask_ecog(limit, or_text=lower if has_other else ""),
                extra=extra,
            )
        if other is not None:
            least, scale, start, end = other
            leaf = Leaf(scale, "gte", float(least), ask=f"{scale} performance score?")
            certainty = PARTIAL if found is not None else PARSED
            yield Statement(
                scale, REQUIRED, {"min": least}, unit.body + start, unit.body + end, unit.section, certainty, leaf
            )


def ask_ecog(limit: int, or_text: str = "") -> Predicate:
    """Return what is asked; where another scale would do as well, a worse ECOG alone decides nothing."""
    leaf = Leaf("ecog", "lte", float(limit), ask="ECOG performance status now?")
    return Group("any", (leaf, Unread("or another scale"))) if or_text else leaf


def _find_ecog(lower: str, *, is_exclusion: bool) -> tuple[int, int, int] | None:
    """Return the worst score that is let in, and where that stands."""
    plain = _AS_WORD.sub(lambda word: _WORDS[word[0]].ljust(len(word[0])), lower) if "ecog" in lower else lower
    for scale in _SCALE.finditer(plain):
        after = plain[scale.end() : scale.end() + REACH]
        cut = _NEXT.search(after)
        after = after[: cut.start()] if cut else after
        read = _read_exclusion(after) if is_exclusion else _read_inclusion(after)
        if read is not None:
            return read[0], scale.start(), scale.end() + read[1]
        start = max(0, scale.start() - BEFORE)
        before = plain[start : scale.start()]
        read = _read_exclusion(before) if is_exclusion else _read_inclusion(before)
        if read is not None and re.search(r"performance|status|score|\bps\b", before):
            return read[0], start + read[2], scale.end()
    return None


def _read_inclusion(text: str) -> tuple[int, int, int] | None:
    for pattern in (_LIST, _OR_LESS, _MOST, _ONE):
        found = pattern.search(text)
        if found is None:
            continue
        limit = int([group for group in found.groups() if group and group.isdigit()][-1])
        sign = found.groupdict().get("sign") or ""
        if sign == "<" or (re.match(r"less|lower|below|under", sign) and "equal" not in sign):
            limit -= 1
        return limit, found.end(), found.start()
    return None


def _read_exclusion(text: str) -> tuple[int, int, int] | None:
    found = _LEAST.search(text)
    if found is not None:
        strict = "=" not in found["sign"] and not re.search(r"≥|equal|least", found["sign"])
        return int(found[2]) - (not strict), found.end(), found.start()
    for pattern in (_OR_MORE, _LIST):
        found = pattern.search(text)
        if found is not None and int(found[1]) > 0:
            return int(found[1]) - 1, found.end(), found.start()
    return None


def _find_percent(lower: str, *, is_exclusion: bool) -> tuple[int, str, int, int] | None:
    for pattern, scale in ((_KARNOFSKY, "karnofsky"), (_LANSKY, "lansky")):
        name = pattern.search(lower)
        if name is None or is_exclusion:
            continue
        found = _PERCENT.search(lower[name.end() : name.end() + REACH])
        if found is not None:
            is_strict = found["sign"] is not None and re.match(
                r">(?!\s?=)|more|higher|over|above|greater\s+than(?!\s+or)", found["sign"]
            )
            least = int(found[2]) + (10 if is_strict and not found["up"] else 0)
            return least, scale, name.start(), name.end() + found.end()
    return None
