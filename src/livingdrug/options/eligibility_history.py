"""Whether a therapy that a sentence names is one that the patient had, or one that the trial gives."""

import re
from dataclasses import dataclass

from livingdrug.options.eligibility_text import EXCLUSION, Unit

_ANCHOR = re.compile(
    r"\b(?:before|prior\s+to|after|following|preceding|until|during|post|from|of|for|to|since|receive"
    r"|receiving|with|at(?!\s+least)|undergo|undergoing|require\w*|planned|scheduled|following)\s+"
    r"(?:(?:the|their|study|planned|first|initial|protocol|this|start\s+of|day\s+of|time\s+of|receiving"
    r"|treatment\s+with|infusion\s+of|administration\s+of|a|an|anti)\W+)*(?:[\w./+-]+[\s-]+){0,2}?$"
)
_HAD_BEFORE = re.compile(
    r"\b(?:prior|previous(?:ly)?|earlier|past|history|received|receipt|treated|having|had|has\s+had|exposed"
    r"|exposure|used?|underwent|undergone|failed|failure|refractory|relaps\w+|progress\w*|any|other|another"
    r"|na[iï]ve|participated|enrolled|given|administration\s+of|treatment\s+with|accepted|been|pretreated"
    r"|pre-treated|washout|discontinu\w+|since|last|most\s+recent)\b"
)
_RECEIVED_AFTER = re.compile(
    r"^[\w\s,/()-]{0,60}?\b(?:in\s+the\s+past|previously|before\s+(?:enrol|screen|inclusion|entry|leuka"
    r"|apheresis|signing|study|this)|prior\s+to\s+(?:enrol|screen|inclusion|entry|leuka|apheresis|signing"
    r"|study|registration|consent|the\s+study|informed|first)|within|at\s+any\s+time|received)\b"
)
_OWN = re.compile(
    r"\b(?:allerg\w+|hypersensitiv\w+|intoleran\w+|suitable|unsuitable|eligible\s+for|candidates?|ineligible"
    r"|contraindicat\w+|toxicit\w+\s+management|willing\w*|agree\w*|consent|plan(?:ned|s)?\s+to|schedul\w+"
    r"|intend\w*|manufactur\w+|production|prepar\w+|transduc\w+|collect\w*|availab\w+|insufficient|sufficient"
    r"|dose|shedding|contracepti\w+|pregnan\w*|birth\s+control|component|excipient|accept\s+treatment"
    r"|follow-?up|long-?term|vaccin\w+|donat\w+|judged|opinion|bridging|refus\w+|unable\s+to|benefit\s+from"
    r"|naive\s+t|participat\w+\s+in\s+this|intervening)\b"
)
_TOXICITY = re.compile(
    r"\b(?:toxicit\w+|neurotox\w+|crs|icans|cytokine\s+release\s+syndrome|adverse\s+(?:events?|effects?)|complications?|side\s+effects?)"
    r"\b[^,;]{0,50}?\b(?:from|of|due\s+to|related\s+to|caused\s+by|after|following|to)\W+(?:\w+\W+){0,4}$"
)
"""A toxicity of an earlier therapy is barred, not the therapy."""
_OTHER_TRIAL = re.compile(
    r"[\s-]*(?:\w+[\s-]+){0,2}?(?:(?:clinical\s+)?trials?\b(?!\s+within)|protocols?\b|stud(?:y|ies)\b(?!\s+within)|(?:is\s+|are\s+)?(?:planned|scheduled)\b)"
)
_BIRTH_CONTROL = re.compile(r"\b(?:contracepti\w+|birth\s+control|childbearing)\b")
_LEFT_IN_BLOOD = re.compile(
    r"\b(?:residual|detectable|circulating|persist\w+|presence\s+of|antibod\w+\s+(?:to|against|towards?))\W+(?:\w+\W+){0,2}$"
)
_IN_BLOOD = re.compile(r"\b(?:persist\w+|residual|detectable|circulating)\s+(?:\w+\s+)?car[\s.-]?t")
_TOOK_PART = re.compile(
    r"\b(?:previously|have|has|had)\s+(?:previously\s+)?(?:participated|enrolled|taken\s+part|undergone)\b(?!.*\bthis\s*$)"
)
_HAS_FAILED = re.compile(r"[\w\s-]{0,25}?\b(?:has|have|had)\s+failed\b")
_AFTER_EVENT = re.compile(
    r"\bhistory\s+of\s+(?!prior|previous|treat|recei|any|allo|auto)(?:(?!relaps|progress|recurr|fail)\w+\W+){1,5}"
    r"(?:after|following|during|due\s+to|related\s+to|from)\W+(?:\w+\W+){0,3}$"
)
"""Something that happened after an earlier therapy is barred, not the therapy."""
_AMONG_LINES = re.compile(
    r"\bone\s+of\s+(?:which|them|these)\s+(?:must|should|has|had|was|is)\s+(?:(?:be|been|have)\s+)*(?:[\w/-]+\s+){0,2}$"
    r"|\b(?:lines?|therap\w+|treatments?|regimens?)\b.*\binclud\w+\W+(?:[\w/-]+\W+){0,4}$"
)
NOT = re.compile(
    r"\b(?:no|not|never|without|neither|nor|naive|naïve|free\s+of|denies|cannot|must\s+not|should\s+not"
    r"|have\s+not|has\s+not|had\s+not|none|absence\s+of|excluding)\b"
)
LET = re.compile(
    r"\b(?:(?:is|are|be|will\s+be|may\s+be|can\s+be|considered)\s+(?:still\s+)?(?:also\s+)?(?:allowed"
    r"|permitted|eligible|acceptable|accepted|included|enrolled|permissible)|allowed|permitted|acceptable"
    r"|may\s+(?:also\s+)?(?:have|be|include|participate|enrol+)"
    r"|can\s+(?:also\s+)?(?:be|participate|enrol+)|not\s+(?:be\s+)?(?:an?\s+)?(?:exclu\w+)|(?:regardless|irrespective)"
    r"(?!\s+of\s+(?:the\s+)?(?:target|antigen|product|type|time|interval|number|response|outcome|construct))"
    r"|either|eligible\s+(?:if|provided|for\s+(?:enrol|inclusion|the\s+study))|also\s+eligible"
    r"|are\s+eligible|not\s+required|with\s+or\s+without|including\s+those)\b"
)
STOPPED = re.compile(
    r"\bwash[\s-]*out\b|\b(?:must|should|have|has|be)\s+(?:be|been|have\s+been)?\s*(?:discontinued|stopped"
    r"|completed|occurred|finished)\b"
)
IS_INTERVAL = re.compile(
    r"(?:\s*(?:infusions?|therap\w+|products?|treatment))?\s*(?:\([^)]*\)\s*)?[:-]?\s*(?:≥|>\s?=?|=\s?>"
    r"|at\s+least|more\s+than|within|<)\s*\d+\s*(?:days?|weeks?|months?)"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A therapy that a sentence names: where, of which scope, and against which antigens."""

    start: int
    end: int
    scope: str
    targets: tuple[str, ...]


def is_history(lower: str, mention: Mention, unit: Unit) -> bool:
    """Whether a mention is of a therapy that the patient had or did not have, rather than of the trial's own.

    Examples
    --------
    >>> unit = Unit(0, 40, 0, EXCLUSION)
    >>> [is_history(text, Mention(text.index("car-t"), text.index("car-t") + 5, "car_t", ()), unit)
    ...  for text in ("received car-t before", "steroids within 3 days before car-t")]
    [True, False]
    """
    before, after = lower[: mention.start], lower[mention.end :]
    clause = re.split(r"[.;]", before)[-1]
    near = re.split(r"[.;]", after)[0]
    if re.match(r"[\s-]*(?:na[iï]ve|exposed|experienced|pretreated)", after):
        return True
    if _AMONG_LINES.search(clause):
        return True
    if _OWN.search(clause[-70:]) and not re.search(
        r"\b(?:prior|previous\w*|received|history|treated|(?:relaps\w+|progress\w+|recurr\w+)\s+(?:after|following|on)"
        r"|refractory\s+to)\b[^,;]*$",
        clause,
    ):
        return False
    if re.match(
        r"[\s-]*(?:\w+[\s-]+){0,3}?(?:production|manufactur\w*|prepar\w*|product\s+infusion"
        r"|(?<!of )(?<!to )toxicit\w*|availab\w*"
        r"|expan\w*|transduc\w*|collect\w*|prefer\w*|(?<!last )dose\b|infusion\s+day)",
        after,
    ):
        return False
    if _IN_BLOOD.search(clause) or (
        _LEFT_IN_BLOOD.search(clause) and not re.search(r"\b(?:prior|previous\w*)\W+$", clause)
    ):
        return False
    if (
        _AFTER_EVENT.search(clause)
        or _TOXICITY.search(clause)
        or (_OTHER_TRIAL.match(after) and not _TOOK_PART.search(clause))
        or _BIRTH_CONTROL.search(clause)
    ):
        return False
    had = _HAD_BEFORE.search(clause)
    anchor = _ANCHOR.search(clause)
    if anchor is not None:
        return _is_own_history(clause, anchor)
    if had is not None:
        return True
    if unit.section == EXCLUSION:
        return (
            len(clause.strip(" *-,(:")) < 40
            or bool(_RECEIVED_AFTER.match(near) or _HAD_BEFORE.search(unit.parent))
            or ":" in clause
        )
    return bool(
        _HAS_FAILED.match(near)
        or NOT.search(clause[-60:])
        or LET.search(near)
        or STOPPED.search(near)
        or IS_INTERVAL.match(near)
    )


def _is_own_history(clause: str, anchor: re.Match[str]) -> bool:
    """Whether what follows ``after``, ``of`` or ``with`` is the patient's own earlier therapy."""
    held = anchor[0]
    word = re.match(r"\w+", held)
    first = word[0] if word else ""
    if re.search(
        r"\b(?:prior|previous(?:ly)?|earlier|other|another|any|existing|last|recent|history\s+of)\b",
        re.sub(r"^prior\s+to", "", held),
    ):
        return True
    lead = clause[: anchor.start()]
    if first == "of" and re.search(r"\b(?:relaps|progress|recurr)\w*\s+within\s+\d+\s+\w+\W*$", lead):
        return True
    if first in {"of", "for"}:
        return bool(
            re.search(
                r"\b(?:history|receipt|recipients?|lines?|courses?|type|use|exposure|kind|failure|any|prior\s+\w+"
                r"|one)\W*$",
                lead,
            )
        )
    if first in {"receive", "receiving"} and re.search(r"\b(?:did|has|have|had)(?:\s+not)?\W*$", lead):
        return True
    if first in {"with", "to", "from", "receive", "receiving"}:
        return bool(
            re.search(
                r"\b(?:treat\w*|infused|exposed|exposure|\w*therapy|therapies|refractory|managed|pretreated|intervention|recovered"
                r"|toxicit\w+|contact|respond\w*|response|resistan\w+|previously|prior)\W*$",
                lead,
            )
        )
    if first in {"after", "following", "post"}:
        return bool(
            re.search(
                r"\b(?:relaps\w+|progress\w+|recurr\w+|refractory|fail\w*|persist\w+|disease"
                r"|residual)\W*(?:\w+\W+){0,3}$",
                lead,
            )
        )
    return first == "since"
