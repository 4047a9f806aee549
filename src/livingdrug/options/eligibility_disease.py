"""Diseases that a trial takes and that it does not: named as a diagnosis, not in passing."""

import re
from collections.abc import Iterator, Sequence

from livingdrug.options.disease_names import find_diseases, is_kind_of, list_ancestors
from livingdrug.options.eligibility_statement import EXCLUDED, PARSED, PARTIAL, REQUIRED, Statement, TrialContext
from livingdrug.options.eligibility_text import EXCLUSION, MAIN, EligibilityText, Unit
from livingdrug.options.predicate import Group, Leaf, Predicate

BROAD = frozenset({"leukaemia", "lymphoma", "solid", "myeloid", "acute_leukaemia"})
"""Words that stand for a disease only where nothing narrower is named."""
_DIAGNOSIS = re.compile(
    r"\b(?:diagnos\w*|histolog\w*|cytolog\w*|patholog\w*|confirmed|documented|relapsed?|refractory|recurrent"
    r"|recurrence|r/r|rr|patients?|subjects?|participants?|individuals|"
    r"eligible\s+diseases?|disease\s+types?|have|has|with|advanced|metastatic|persistent|progressive"
    r"|previously\s+treated|newly|following|including|histologies|subtypes?|cohort|types?|must\s+be"
    r"|malignanc\w+|indications?)\b"
)
_PASSING = re.compile(
    r"(?:cells?|blasts?|lesions?|markers?|criteria|guidelines?|working\s+group|network|response|burden"
    r"|infiltrat\w*|involvement|specimens?|tissues?|samples?|biops\w+|lysis|antigen|therapy|therapies"
    r"|regimens?|agents?|meningitis|symptoms?|induced|vaccine|society|group)\b"
)
_BEFORE_PASSING = re.compile(
    r"\b(?:history\s+of|prior|previous|concurrent|concomitant|second(?:ary)?|other\s+than|except(?:ing|ion"
    r"|ions)?(?:\s+(?:for|of))?|excluding|exclude[sd]?|not\s+include|without|no|not|non|rule\s+out|due\s+to"
    r"|related\s+to|caused\s+by|involvement\s+(?:of|by|with|from)|secondary\s+to|unrelated\s+to|"
    r"associated\s+with|guidelines?\s+(?:for|in|on)|criteria\s+for|classification\s+of|explained\s+by"
    r"|attributed\s+to|infiltration\s+(?:of|by)|in\s+situ|such\s+as|international|national|european"
    r"|treated\s+for|adjuvant|family\s+history\s+of|aris\w+\s+from|evolv\w+\s+from|risk\s+of"
    r"|metasta\w+\s+(?:to|in|of))\W+(?:(?:an?|the|any|or|prior|active|primary|known|patients?|with|of"
    r"|subjects?)\W+){0,3}$"
)
_OTHER_CANCER = re.compile(
    r"\b(?:other|second(?:ary)?|additional|another|prior|previous|concurrent|different|active"
    r"|history\s+of(?:\s+\w+){0,2}|multiple\s+primary|uncontrolled)\s+(?:\w+\s+){0,3}?(?:malignan\w+|cancers?"
    r"|tumou?rs?|neoplas\w+|carcinomas?)\b"
    r"|\bin\s+situ\b|\bnon-?\s?melanoma|\bskin\s+cancers?|\bbasal\s+cell|\bsquamous\s+(?:cell\s+)?(?:skin"
    r"|carcinoma\s+of\s+the\s+skin)|\bmalignanc\w+\s+(?:other|within|in\s+the)"
    r"|\bcarcinoma\s+of\s+the\s+(?:skin|cervix)|\bdisease[\s-]free\b|\bcured\b|\bcuratively\b"
)
_AUTOIMMUNE = ("autoimmune",)
_STARTS = re.compile(
    r"^\W*(?:(?:\d+\W+)|(?:patients?|subjects?|participants?|individuals|those|with|has|have|having|a|an|the"
    r"|any|known|prior|previous|current|currently|active|confirmed|suspected|presence|primary|isolated"
    r"|history|past|diagnosis|diagnosed|diagnoses|histolog\w+|patholog\w+|evidence|documented|of|as|who|are"
    r"|is|or|and|by|to|suffering|from|was|were|transformation|transformed|classic|type|certain|following|only"
    r"|concomitant|relapsed|refractory|recurrent|persistent|pure|secondary|non-secretory|smoldering"
    r"|asymptomatic|symptomatic|sole|solitary|bone|extramedullary|plus|chronic|acute|cutaneous|patients'|presenting|exclusively|de\s+novo)\W+)*$"
)
_JOINED = re.compile(r"[,;/]|\b(?:and|or)\b|^\W*$")
_VERB = re.compile(
    r"\b(?:have|has|had|received|treated|within|requir\w+|history|is|are|was|were|except|unless|without|not"
    r"|no|who|that|after|due)\b"
)
LONGEST_GAP = 60
"""Letters between two names of one list."""


def find_stated_diseases(text: EligibilityText, context: TrialContext) -> Iterator[Statement]:
    r"""Find the diseases that a trial takes, and those that it names to leave out.

    Examples
    --------
    >>> from livingdrug.options.eligibility_text import split_text
    >>> text = split_text("Inclusion Criteria:\n* Relapsed DLBCL or mantle cell lymphoma\n"
    ...                   "Exclusion Criteria:\n* Burkitt lymphoma")
    >>> [(s.polarity, s.value) for s in find_stated_diseases(text, TrialContext())]
    [('required', 'dlbcl'), ('required', 'mcl'), ('excluded', 'burkitt')]
    """
    taken, left = _collect(text, context)
    has_narrow = {name for _, (_, _, name) in taken if name not in BROAD}
    seen: set[tuple[str, str]] = set()
    for unit, (start, end, name) in taken:
        if (name in BROAD and any(is_kind_of(other, name) for other in has_narrow)) or (REQUIRED, name) in seen:
            continue
        seen.add((REQUIRED, name))
        yield Statement("disease", REQUIRED, name, start, end, unit.section, PARSED, ask_disease([name]))
    for unit, (start, end, name), certainty in left:
        if (EXCLUDED, name) in seen or (REQUIRED, name) in seen:
            continue
        seen.add((EXCLUDED, name))
        predicate = Group("not", (ask_disease([name]),))
        yield Statement("disease", EXCLUDED, name, start, end, unit.section, certainty, predicate)


def ask_disease(names: Sequence[str]) -> Predicate:
    """Return what is asked of a patient's disease: whether it is one of these or a kind of one."""
    leaves = tuple(Leaf(f"disease.{name}", "eq", value=True, ask="which disease, and which subtype?") for name in names)
    return leaves[0] if len(leaves) == 1 else Group("any", leaves)


Mention = tuple[int, int, str]


def _collect(
    text: EligibilityText, context: TrialContext
) -> tuple[list[tuple[Unit, Mention]], list[tuple[Unit, Mention, str]]]:
    taken: list[tuple[Unit, Mention]] = []
    left: list[tuple[Unit, Mention, str]] = []
    by_unit: dict[int, int] = {}
    for mention in find_diseases(text.plain, text.lower):
        start, end, name = mention
        unit = text.find_unit(start)
        if unit.is_heading or unit.block != MAIN:
            continue
        before, after = text.lower[unit.body : start], text.lower[end : unit.end]
        is_own = _is_own(name, context)
        if unit.section == EXCLUSION:
            last = by_unit.get(unit.start)
            if last is not None or _STARTS.match(before):
                by_unit[unit.start] = end
            if _is_left_out(before, after, name, context, text.lower[last:start] if last else None):
                sure = not re.search(
                    r"\b(?:except|unless|who\s+(?:have|has|had|are|were|did|do)|without|if|that|within|not)\b", after
                )
                left.append((unit, mention, PARSED if sure else PARTIAL))
        elif taken and _repeats(text.lower, taken[-1][1], mention):
            continue
        elif _is_taken(before, after, unit, name, is_own=is_own) or _follows_taken(text, taken, unit, mention):
            taken.append((unit, mention))
        elif re.search(
            r"\b(?:exclud\w+|except(?:ing)?(?:\s+for)?|other\s+than|not\s+including)\s+(?:[\w'-]+\s+){0,2}$|^\W*no\s+(?:primary\s+)?$",
            before,
        ) and _is_related(name, context):
            left.append((unit, mention, PARSED))
    return taken, left


def _follows_taken(text: EligibilityText, taken: list[tuple[Unit, Mention]], unit: Unit, mention: Mention) -> bool:
    """Whether a name is the next of a list whose last one was taken."""
    if not taken or taken[-1][0] != unit or mention[2] in BROAD:
        return False
    gap = text.lower[taken[-1][1][1] : mention[0]]
    return re.fullmatch(r"\W*(?:(?:and|or|including|such\s+as)\W+)?", gap) is not None and bool(gap.strip())


def _repeats(lower: str, last: Mention, mention: Mention) -> bool:
    """Whether a name is the acronym, in brackets, of the narrower one before it."""
    return bool(re.fullmatch(r"\s*\(\s*", lower[last[1] : mention[0]])) and is_kind_of(last[2], mention[2])


def _is_own(name: str, context: TrialContext) -> bool:
    """Whether a disease is one that the trial's title or conditions name, or a kind of one, or its group."""
    return any(is_kind_of(name, other) or is_kind_of(other, name) for other in context.diseases)


def _is_related(name: str, context: TrialContext) -> bool:
    roots = {list_ancestors(other)[-1] for other in context.diseases}
    return not roots or list_ancestors(name)[-1] in roots


def _is_taken(before: str, after: str, unit: Unit, name: str, *, is_own: bool) -> bool:
    whole = before + after
    clause = re.split(r"[.;]", before)[-1]
    if _BEFORE_PASSING.search(clause) or (
        _PASSING.match(after.lstrip(" -),")) and not re.match(r"\W*cell", after) and not is_own
    ):
        return False
    if re.match(
        r"[\s-]*(?:cells?|blasts?|lesions?|working\s+group|clinical\s+practice|guidelines?|criteria|burden"
        r"|meningitis|diagnostic)\b",
        after,
    ):
        return False
    if _OTHER_CANCER.search(whole) and not is_own:
        return False
    if list_ancestors(name)[-1] == "autoimmune" and not is_own:
        return False
    if re.search(r"\b(?:history\s+of|prior)\s+(?:\w+\s+){0,3}$", clause) and not is_own:
        return False
    if is_own:
        return True
    has_word = _DIAGNOSIS.search(before) or _DIAGNOSIS.search(unit.parent) or not before.strip(" *-().0123456789:")
    return bool(has_word) and not text_mentions_treatment(before)


def text_mentions_treatment(before: str) -> bool:
    """Whether what precedes speaks of drugs, tests or sites rather than of a diagnosis."""
    return bool(
        re.search(
            r"\b(?:antibod\w+|treated\s+with|received|(?:therapy|treatments?|used)\s+for|guidelines?|creatinine|ejection"
            r"|expression\s+(?:on|in)|adequate|contracepti\w+|metasta\w+)\b",
            before,
        )
    )


def _is_left_out(before: str, after: str, name: str, context: TrialContext, gap: str | None) -> bool:
    if list_ancestors(name)[-1] == "autoimmune" and not _is_own(name, context):
        return False
    if _OTHER_CANCER.search(before + after) and gap is None:
        return False
    if name in BROAD or not _is_related(name, context):
        return False
    if re.match(
        r"[\s-]*(?:cells?|blasts?|lesions?|involv\w+|infiltrat\w+|working|criteria|with\s+(?:cns|central)|therapy"
        r"|treatment)\b",
        after,
    ):
        return False
    if gap is not None and _is_list(gap) and not _is_whole(name, context):
        return True
    if _BEFORE_PASSING.search(before) and not re.search(r"\b(?:history\s+of|prior|secondary|primary)\W+$", before):
        return False
    if _is_whole(name, context):
        return False
    return bool(_STARTS.match(before)) or bool(re.search(r"\bdiagnos\w+\s+(?:of|with|as)\s+(?:\w+\s+){0,2}$", before))


def _is_list(gap: str) -> bool:
    """Whether what stands between two names only joins them."""
    bare = re.sub(r"\([^()]*\)?", "", gap)
    return len(bare) < LONGEST_GAP and bool(_JOINED.search(bare)) and not _VERB.search(bare)


def _is_whole(name: str, context: TrialContext) -> bool:
    """Whether leaving this out would leave out everything that the trial is about."""
    return any(is_kind_of(other, name) for other in context.diseases)
