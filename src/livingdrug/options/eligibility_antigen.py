"""Antigens that the tumour must carry: the expression that is demanded, not the target of the product."""

import re
from collections.abc import Iterator

from livingdrug.options.antigen_names import find_antigens
from livingdrug.options.eligibility_statement import EXCLUDED, PARSED, REQUIRED, Statement, TrialContext
from livingdrug.options.eligibility_text import EXCLUSION, MAIN, EligibilityText, Unit
from livingdrug.options.predicate import Group, Leaf, Predicate

_LINK = re.compile(
    r"\s*(?:\([^()]{0,40}\)\s*)?(?:,|/|;|\band/or\b|\band\b|\bor\b|&|-|\+(?=\s*(?:cd|bcma))|,\s*(?:and|or)\b"
    r"|\+/)?\s*(?:and|or|/|either|both)?\s*(?:anti-)?\s*"
)
_WHAT = (
    r"(?:\s*(?:antigens?|tumou?rs?|tumou?r\s+(?:cell\s+)?surface|proteins?|surface|targets?|molecules?"
    r"|membrane|cell|blasts?|ligands?|leuka?emic|malignant|on|level|status|marker|ihc|\([^()]{0,60}\)"
    r"|results?))*"
)
_BE = (
    r"(?:\s*(?:was|is|are|were|must|should|need(?:s)?|has|have|to|be|been|being|shows?|shown|showed|confirmed"
    r"|detected|as|tested?|test|documented|strongly|weakly|highly|at\s+least|moderate(?:ly)?|of|by|with"
    r"|(?:flow\s+cytometry|immunohistochemistry|ihc)(?:\s+or\s+(?:flow\s+cytometry|immunohistochemistry"
    r"|ihc))?|\([^()]{0,60}\)))*"
)
_AFTER = re.compile(
    rf"{_WHAT}{_BE}"
    rf"\s*-*\s*(?P<sign>(?:double|dual|co|over)?-?\s?(?:positiv\w*|express\w*|pos\b)|overexpress\w*"
    rf"|over-expression|\(?\+{{1,3}}\)?(?!\s*(?:t[\s-]|ratio))|detected|detectable|staining|presence)"
)
_NEGATIVE = re.compile(rf"{_WHAT}{_BE}\s*-*\s*(?:negativ\w*|\bneg\b|loss\b|lost\b|deficient|dim\b|deletion)")
_BEFORE = re.compile(
    r"(?:(?:over)?-?express(?:ion|es|ing|ed)?|positiv(?:e|ity)|presence|detection|staining)(?:\s+(?:status"
    r"|level|levels|rate|of|for|to|the|target|antigens?|tumou?r|either|both|any|and/or|at\s+least\s+one"
    r"|level\s+of|in\s+\w+|surface|or|high|strong|are|was|st|\w*glycosylated|human|membrane|full-length"
    r"|any))*\W*$"
)
_CONDITIONAL = re.compile(r"\b(?:if|unless|whether|in\s+case|when)\b[^.;]{0,80}$")
_COUNT = re.compile(
    r"\s*\+?\s*(?:b|t|nk)?[\s-]*(?:cells?|lymphocytes?)?\s*(?:count|cells?\s*(?:/|per)"
    r"|in\s+(?:peripheral\s+)?blood\s*[<>])|\s*\+?\s*cells\s*(?:/|x)"
)
_NOT_TUMOUR = re.compile(
    r"\b(?:antibod(?:y|ies)|inhibitors?|therap(?:y|ies)|vaccin\w*|treatment|agents?|mab|directed|targeted"
    r"|targeting|bispecific|donor)\b"
)
_NEGATED = re.compile(
    r"\b(?:no|not|without|absence\s+of|lack(?:ing|s)?(?:\s+of)?|loss\s+of|negative\s+for|fail\w*\s+to"
    r"|does\s+not|do\s+not|non)\s+(?:\w+\s+){0,3}$"
)
_WAIVED = re.compile(
    r"\b(?:not\s+(?:required|needed|necessary|mandatory|be\s+required)|regardless|irrespective|waived"
    r"|optional|without\s+regard)\b"
)
_SHARE = re.compile(r"(?:≥|>\s?=?|=\s?>|at\s+least|more\s+than|greater\s+than|above)?\s*(\d{1,3})\s*%")
SPECIAL = frozenset({"CD4", "CD34", "CD45"})


def find_required_antigens(text: EligibilityText, context: TrialContext) -> Iterator[Statement]:
    r"""Find the antigens that the tumour must express, and those that it must not.

    Examples
    --------
    >>> from livingdrug.options.eligibility_text import split_text
    >>> text = split_text("Inclusion Criteria:\n* CD19 and/or CD22 positive\n"
    ...                   "Exclusion Criteria:\n* prior anti-CD20 antibody")
    >>> [(s.polarity, s.value) for s in find_required_antigens(text, TrialContext())]
    [('required', 'CD19'), ('required', 'CD22')]
    """
    if not any(mark in text.lower for mark in ("express", "posit", "+", "negativ", "loss", "detect", "presence")):
        return
    seen: set[tuple[str, str]] = set()
    for unit, names in _group(text):
        if unit.is_heading or unit.block != MAIN:
            continue
        for statement in _read_unit(text, unit, names, context):
            if (statement.polarity, statement.value) not in seen:
                seen.add((statement.polarity, statement.value))
                yield statement


def _group(text: EligibilityText) -> list[tuple[Unit, list[tuple[int, int, str]]]]:
    groups: dict[int, tuple[Unit, list[tuple[int, int, str]]]] = {}
    for item in find_antigens(text.plain):
        unit = text.find_unit(item[0])
        groups.setdefault(unit.start, (unit, []))[1].append(item)
    return list(groups.values())


def _read_unit(
    text: EligibilityText, unit: Unit, names: list[tuple[int, int, str]], context: TrialContext
) -> Iterator[Statement]:
    for run in _list_runs(text.lower, names):
        start, end = run[0][0], run[-1][1]
        before, after = text.lower[unit.body : start], text.lower[end : unit.end]
        found = _read_sign(before, after)
        if found is None or _is_about_something_else(before, after, run, context):
            continue
        is_positive, reach = found
        is_demanded = is_positive == (unit.section != EXCLUSION)
        if _WAIVED.search(after) or (not is_positive and unit.section != EXCLUSION):
            continue
        is_choice = bool(re.search(r"\bor\b|and/or|/", text.lower[start:end])) and len(run) > 1
        extra = _read_share(before, after, is_choice=is_choice)
        for first, last, name in run:
            asked = [item[2] for item in run] if is_choice and is_demanded else [name]
            yield Statement(
                "antigen",
                REQUIRED if is_demanded else EXCLUDED,
                name,
                first,
                max(last, end + reach if len(run) == 1 else last),
                unit.section,
                PARSED,
                ask_antigens(asked, is_demanded=is_demanded),
                extra=extra,
            )


def ask_antigens(names: list[str], *, is_demanded: bool) -> Predicate:
    """Return what is asked of the tumour."""
    word = "positive"
    leaves = tuple(Leaf(f"antigen.{name}", "eq", word, ask=f"{name} on the relapse biopsy?") for name in names)
    asked: Predicate = leaves[0] if len(leaves) == 1 else Group("any", leaves)
    return asked if is_demanded else Group("not", (asked,))


def _list_runs(lower: str, names: list[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """Join the antigens of one list."""
    runs: list[list[tuple[int, int, str]]] = []
    for item in names:
        last = runs[-1][-1][1] if runs else -1
        if runs and item[0] >= last and _LINK.fullmatch(lower[last : item[0]]):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _read_sign(before: str, after: str) -> tuple[bool, int] | None:
    """Return whether the antigen is to be there, and how far what says so reaches; None where nothing does."""
    negative = _NEGATIVE.match(after)
    if negative is not None:
        return False, negative.end()
    positive = _AFTER.match(after)
    if positive is not None:
        return not _NEGATED.search(before), positive.end()
    if re.search(r"(?:loss|lack|absence)\s+of\s+(?:\w+\s+){0,2}$", before):
        return False, 0
    found = _BEFORE.search(before)
    if found is not None:
        return not _NEGATED.search(before[: found.start()]), 0
    return None


def _is_about_something_else(before: str, after: str, run: list[tuple[int, int, str]], context: TrialContext) -> bool:
    if _CONDITIONAL.search(before) or _COUNT.match(after):
        return True
    clause = re.split(r"[.;]", before)[-1]
    if re.search(r"anti-?\s*$", before) or (_NOT_TUMOUR.match(after.strip(" -"))):
        return True
    if context.targets and not any(name in context.targets for _, _, name in run):
        return bool(
            re.search(
                r"\b(?:must\s+have\s+received|should\s+have\s+received|prior|previous|received|for\s+(?:patients"
                r"|subjects|participants|those)|with\s+her2)\b",
                clause + after[:60],
            )
        ) or run[0][2] in {"PD-L1", "HER2", "EGFR", "CD38"}
    return bool(re.search(r"\b(?:donors?|receptor\s+status|hormone)\b", clause))


def _read_share(before: str, after: str, *, is_choice: bool) -> dict[str, object]:
    found = _SHARE.search(re.split(r"[;]", after)[0]) or _SHARE.search(before[-40:])
    extra: dict[str, object] = {"any_of_list": True} if is_choice else {}
    return extra | ({"percent": float(found[1])} if found and float(found[1]) <= 100 else {})
