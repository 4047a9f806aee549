"""What a text says of an earlier CAR T-cell therapy: required, allowed, excluded, or excluded for a time.

A wrong reading here misleads exactly the patients this is for, so a therapy counts only where the sentence says
that the patient had it; the trial's own product, its manufacture and its dates are told apart by what precedes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from livingdrug.options.antigen_names import find_antigens
from livingdrug.options.eligibility_history import IS_INTERVAL, LET, NOT, STOPPED, Mention, is_history
from livingdrug.options.eligibility_statement import (
    ALLOWED,
    EXCLUDED,
    PARSED,
    PARTIAL,
    REQUIRED,
    Statement,
    TrialContext,
    find_durations,
)
from livingdrug.options.eligibility_text import EXCLUSION, MAIN, EligibilityText, Unit
from livingdrug.options.predicate import Group, Leaf, Predicate

CAR_T, GENE_OR_CELL, TARGET_THERAPY = "car_t", "gene_or_cell_therapy", "target_therapy"

_CAR = re.compile(
    r"\bcar[\s.-]*(?:modified[\s-]*)?(?:ts?|nks?)\b(?:[\s-]*(?:cells?))?|\bc?cars?[\s-]*t[\s-]*cells?|\bcart\b"
    r"|\bcart[\s-]*(?:cells?|therapy)|\bchimeric\s+(?:antigen|antigens"
    r"|receptor)[\s-]*(?:antigen\s+)?(?:receptors?)?(?:[\s-]*(?:modified|engineered|redirected)?[\s-]*(?:t|nk)[\s-]*(?:cells?|lymphocytes?)\b)?"
    r"|\bcar[\s-]+(?:cell(?:ular)?\s+)?(?:therapy|therapies|treatment|products?|modified|transduced"
    r"|engineered|expressing)|\bcar[\s-]*t(?=[\s-]*(?:na[iï]ve|exposed|experienced|pretreated))"
)
_BARE_CAR = re.compile(r"(?:directed|targeted|specific|cd19|cd22|bcma)\s+(cars?)\b(?![\s.-]*(?:t|nk)\b)")
_GENE = re.compile(
    r"\b(?:gene|genetically|genetic)[\s-]*(?:therap(?:y|ies)|edit(?:ing|ed)|modified|engineered|manipulated|transfer"
    r"|transduced)(?:\s+(?:products?|t[\s-]*cells?|cell(?:s|ular)?(?:\s+(?:therap\w+|immunotherap\w+"
    r"|products?))?|t[\s-]*cell\s+therap\w+|autologous\s+t[\s-]*cells?))?"
    r"|\btransgenic\s+(?:t[\s-]*)?cell\s+therap\w+|\b(?:lentiviral|retroviral"
    r"|viral\s+vector)[\s-]*(?:or\s+\w+[\s-]*)?(?:based\s+)?(?:gene\s+)?(?:therap\w+|vector)"
    r"|(?<!stem\s)(?<!stem-)(?<!nk\s)(?<!killer\s)(?<!dendritic\s)(?<!lak\s)(?<!cik\s)(?<!til\s)"
    r"\b(?:(?:adoptive|t|immune|effector|engineered|transferred|genetically|b\s+cell-directed|lymphocyte"
    r"|modified|autologous|allogeneic|somatic|other|any)[\s-]+)*cell(?:ular)?[\s-]+(?:immuno)?(?:therap(?:y"
    r"|ies)|treatment|transfer)(?:\s+products?)?"
    r"|\bcell[\s-]based\s+(?:immuno)?therap\w+"
    r"|\badoptive\s+(?:immuno)?therap\w+|\badoptive\s+(?:immune\s+)?(?:t[\s-]*)?cell(?:ular)?\s+\w+"
    r"|\bengineered\s+(?:t[\s-]*)?cells?(?:\s+therap\w+)?|\bt[\s-]*cell\s+receptor[\s-]+(?:engineered"
    r"|modified|therapy|t)"
)
_MARKS = ("gene", "adoptive", "engineered", "viral", "receptor")
_CELL = re.compile(r"cell(?:ular)?[\s-]+(?:based\s+)?(?:immuno)?(?:therap|treat|transf)")
_DIRECTED = re.compile(
    r"(?:-?\s+(?:or|and|/)\s+[\w-]+?)?(?:[\s-]*(?:directed|targeted|targeting|specific|based)[\s,-]*(?:[\w-]+[\s-]+){0,2}?(?:therap(?:y|ies)"
    r"|treatments?|agents?|products?|drugs?|immunotherap\w+|medications?|investigational))|\s+(?:therap(?:y"
    r"|ies)|treatment)\b"
)
_IS_EXPRESSED = re.compile(r"\W{0,3}(?:positiv|express|negativ)")
_AGAINST = re.compile(r"\s+(?:agents?|drugs?|products?|immunotherap\w+)\b")
"""After ``anti-CD7``."""
_BY_ANTIBODY = frozenset({"CD20", "CD38"})
"""Agents against these are antibodies of standard therapy unless more is said."""
_DIRECTED_AT = re.compile(
    r"\b(?:therap(?:y|ies)|treatments?|agents?|drugs?|products?)\b[\w\s]{0,20}?\b(?:directed\s+(?:at|to"
    r"|against|toward)|targeting|targeted\s+(?:at|to|against)|against"
    r"|that\s+targets?)\s+(?:\w+[\s/,-]+){0,8}\W*$"
)
_EXCEPT = re.compile(
    r"\b(?:except(?:ing|ion)?(?:\s+(?:for|of|that))?|excluding|other\s+than|with\s+the\s+exception\s+of"
    r"|apart\s+from|aside\s+from|unless)\b"
)
_MUST = re.compile(
    r"\b(?:must\s+have|have\s+(?:previously\s+)?(?:received|failed|relapsed|progressed)|has\s+(?:received"
    r"|failed|relapsed|progressed)|required|relaps\w+|refractory|progress\w+|failed|failure|treated|after"
    r"|following|received|had)\b"
)
_IF = re.compile(
    r"\b(?:if|provided|unless|as\s+long\s+as|only|when|who\s+(?:did|do|have|had)|that\s+(?:did|resulted)"
    r"|without\s+(?:response|achiev))\b"
)
_RESULT = re.compile(
    r"\b(?:refractory\s+to|fail\w*\s+to\s+respond|no\s+response|non-?respon\w+|progress\w+\s+(?:within|on)"
    r"|relaps\w+\s+within|toxicit\w+|grade|crs|icans|neurotox\w+|unresolved|not\s+recovered)\b"
)
_MUST_SHOW = re.compile(
    r"[^,;]{0,30}?\b(?:must|should|need\s+to|are\s+required\s+to)\s+(?:also\s+)?(?:have|show|be|undergo|provide)\b"
)
"""Those who had the therapy are let in, and more is asked of them."""
_IS_REQUIRED = re.compile(
    r"[\w\s-]{0,25}?\b(?:has|have|had)\s+failed\b"
    r"|[\w\s-]{0,30}?(?<!not )(?<!no )\b(?:is|are)?\s*(?:required|mandatory)\b"
)
_NO_NEGATION = re.compile(
    r"not\s+limited\s+to|not\s+only|no\s+more\s+than|whether\s+or\s+not|(?:did|does|do|have|has|had)\s+not\s+"
    r"(?:respond\w*|achiev\w*|benefit\w*|reach\w*|obtain\w*)"
    r"|\bnot\s+(?:eligible|suitable|appropriate|an?\s+candidates?|candidates?)\s+for|\bno\s+(?:response|remission)|\bnot\s+respond\w*"
)
"""Words that deny a response, or nothing, rather than the therapy."""
_CASE = re.compile(
    r"^\W*(?:if|when|in\s+(?:case|patients|subjects|participants|those)|for\s+(?:patients|subjects|participants|those))\b"
)
"""What follows is asked of those who had the therapy."""
_NAMED_AMONG = re.compile(r"[^.;()]{0,60}(?:\(|\bincluding\b|\bsuch\s+as\b|\be\.?g\b|\blike\b)[^.;]{0,80}")
"""Between therapies against a target and a CAR T-cell therapy that is one of them."""
_EITHER_TIME = re.compile(r"\b(?:on|during|at|upon)\s+or\s+after\b|\bafter\s+or\s+(?:on|during)\b")
_OR_DRUG = re.compile(r"\b(?:drugs?|agents?|antibod\w+|treatments?)\W+(?:and/or|or|and)\W+(?:\w+\W+){0,2}$")
_SAME_EVENT = re.compile(
    r"\b(?:progress|relaps|refractor|fail|recur)\w*\s+or\s+(?=(?:progress|relaps|refractor|fail|recur))"
)
_NAMES_CAR_T = re.compile(r"[^.;]{0,40}\bincluding\b[^.;]{0,30}\bcar-?\s?t\b")


Antigen = tuple[int, int, str]
"""Where one stands in a sentence, and its name."""


def find_prior_car_t(text: EligibilityText, _: TrialContext) -> Iterator[Statement]:
    r"""Find what a text says of CAR T-cell, gene-modified or target-directed therapy before the trial.

    Examples
    --------
    >>> from livingdrug.options.eligibility_text import split_text
    >>> text = split_text("Inclusion Criteria:\n* Prior CD19 CAR-T is allowed\n"
    ...                   "Exclusion Criteria:\n* CAR-T within 3 months")
    >>> [(s.polarity, s.value) for s in find_prior_car_t(text, TrialContext())]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('allowed', {'scope': 'car_t', 'targets': ['CD19'], 'within_days': None}),
     ('excluded', {'scope': 'car_t', 'targets': [], 'within_days': 90.0})]
    """
    seen: set[tuple[str, str, str]] = set()
    antigens = find_antigens(text.plain)
    for unit in _list_units(text, antigens):
        lower = text.lower[unit.body : unit.end]
        here = [(a - unit.body, b - unit.body, name) for a, b, name in antigens if unit.body <= a and b <= unit.end]
        for statement in _read_unit(lower, here, unit):
            if statement.key not in seen:
                seen.add(statement.key)
                yield statement


def _list_units(text: EligibilityText, antigens: list[Antigen]) -> list[Unit]:
    """Return what may speak of such a therapy: a quick look before the long one."""
    units = {text.find_unit(start) for start, _, _ in antigens}
    units.update(text.find_units(("car", "chimer", *_MARKS)))
    units.update(text.find_unit(found.start()) for found in _CELL.finditer(text.lower))
    return sorted(unit for unit in units if not unit.is_heading and unit.block == MAIN)


def _may_be_gene(lower: str) -> bool:
    """Whether a sentence may speak of gene or cell therapy: a quick look before the long one."""
    return any(mark in lower for mark in _MARKS) or ("cell" in lower and _CELL.search(lower) is not None)


def ask_prior_car_t(value: dict[str, object], polarity: str) -> Predicate:
    """Return what is asked of the CAR T-cell therapies that the patient had."""
    targets = value["targets"] if isinstance(value["targets"], list) else []
    days = value["within_days"]
    names = [f"prior.car_t.{target}" for target in targets] or ["prior.car_t"]
    leaves: list[Predicate] = []
    for name in names:
        what = f" against {name.rsplit('.', 1)[-1]}" if targets else ""
        if days is None:
            leaves.append(Leaf(name, "eq", value=True, ask=f"any CAR T-cell therapy{what} before?"))
        else:
            given = Leaf(name, "eq", value=True, ask=f"any CAR T-cell therapy{what} before?")
            recent = Leaf(
                f"{name}.days", "within_days", float(str(days)), ask=f"when was the last CAR T-cell therapy{what}?"
            )
            leaves.append(Group("all", (given, recent)))
    if value["scope"] == TARGET_THERAPY:
        leaves += [
            Leaf(f"prior.targeted.{t}", "eq", value=True, ask=f"any other therapy against {t} before?") for t in targets
        ]
    asked = leaves[0] if len(leaves) == 1 else Group("any", tuple(leaves))
    if polarity == ALLOWED:
        return Group("all", ())
    return asked if polarity == REQUIRED else Group("not", (asked,))


def _read_unit(lower: str, antigens: list[Antigen], unit: Unit) -> Iterator[Statement]:
    named = _list_mentions(lower, antigens)
    mentions = [m for m in named if is_history(lower, m, unit)]
    if not mentions:
        return
    except_at = _EXCEPT.search(lower)
    if except_at is not None and mentions[0].start < except_at.start():
        mentions += [m for m in named if m.scope == CAR_T and m.start > except_at.start() and m not in mentions]
    main = [m for m in mentions if except_at is None or m.start < except_at.start()]
    excepted = [m for m in mentions if m not in main and m.scope == CAR_T]
    if main:
        stated = _state(lower, unit, main, is_split=bool(excepted))
        if stated.polarity != REQUIRED or stated.value["scope"] == CAR_T:
            yield stated
    if excepted and (main or unit.section == EXCLUSION or NOT.search(lower[: excepted[0].start])):
        polarity = ALLOWED if except_at and "unless" not in except_at[0] else EXCLUDED
        yield _make(unit, excepted, polarity, None, PARSED if polarity == ALLOWED else PARTIAL)
    elif excepted:
        yield _state(lower, unit, excepted, is_split=False)


def _state(lower: str, unit: Unit, mentions: list[Mention], *, is_split: bool) -> Statement:
    wide = mentions[0]
    if wide.scope != CAR_T and wide.targets and all(_is_named_among(lower, wide, m) for m in mentions[1:]):
        has_car = wide.scope == GENE_OR_CELL and any(m.scope == CAR_T for m in mentions)
        mentions = [replace(wide, scope=CAR_T) if has_car else wide]
    is_any = any(m.scope == GENE_OR_CELL and not m.targets for m in mentions)
    mentions = [m for m in mentions if m.scope == CAR_T] or mentions
    if is_any and mentions[0].scope == CAR_T:
        mentions = [replace(m, targets=()) for m in mentions]
    if mentions[0].scope == GENE_OR_CELL and _NAMES_CAR_T.match(lower, mentions[0].end):
        mentions = [replace(mentions[0], scope=CAR_T), *mentions[1:]]
    first, last = mentions[0], mentions[-1]
    if first.scope == GENE_OR_CELL and first.targets and _OR_DRUG.search(lower[: first.start]):
        first = replace(first, scope=TARGET_THERAPY)
        mentions = [first, *mentions[1:]]
    before, after = lower[: first.start], lower[last.end :]
    days, is_minimum = _find_interval(lower, first, last)
    polarity = _find_polarity(before, after, unit)
    if (
        days is not None
        and polarity in (REQUIRED, ALLOWED)
        and (is_minimum or re.search(r"wash[\s-]*out|elapsed|interval", lower))
    ):
        polarity = EXCLUDED
    elif polarity in (REQUIRED, ALLOWED):
        days = None
    certainty = PARSED
    rest = after if not is_split else after[: (_EXCEPT.search(after) or re.compile("$").search(after)).start()]  # type: ignore[union-attr]
    if _IF.search(rest) or (unit.section == EXCLUSION and _RESULT.search(lower)):
        certainty = PARTIAL
    if polarity == EXCLUDED and not is_split and _EXCEPT.search(after):
        certainty = PARTIAL
    return _make(unit, mentions, polarity, days, certainty)


def _is_named_among(lower: str, wide: Mention, narrow: Mention) -> bool:
    """Whether a therapy is given as one of those against a target."""
    return set(narrow.targets) <= set(wide.targets) and bool(_NAMED_AMONG.fullmatch(lower, wide.end, narrow.start))


def _make(unit: Unit, mentions: list[Mention], polarity: str, days: float | None, certainty: str) -> Statement:
    targets = list(dict.fromkeys(target for m in mentions for target in m.targets))
    if any(m.scope == CAR_T and not m.targets for m in mentions):
        targets = []
    value: dict[str, object] = {"scope": mentions[0].scope, "targets": targets, "within_days": days}
    start, end = unit.body + mentions[0].start, unit.body + mentions[-1].end
    predicate = ask_prior_car_t(value, polarity)
    return Statement("prior_car_t", polarity, value, start, end, unit.section, certainty, predicate)


def _list_mentions(lower: str, antigens: list[Antigen]) -> list[Mention]:
    found = [(m.start(), m.end(), CAR_T) for m in _CAR.finditer(lower)]
    found += [(*m.span(1), CAR_T) for m in _BARE_CAR.finditer(lower)]
    found += [
        (m.start(), m.end(), GENE_OR_CELL)
        for m in (_GENE.finditer(lower) if _may_be_gene(lower) else ())
        if not any(m.start() < end and m.end() > start for start, end, _ in found)
        and not re.search(r"\b(?:stem|nk|killer|dendritic|car[\s-]*t?)[\s-]+$", lower[: m.start()])
    ]
    mentions = [Mention(start, end, scope, _find_targets(lower, antigens, start, end)) for start, end, scope in found]
    for start, end, name in antigens:
        taken = any(
            m.start - 60 <= start <= m.end + 30
            and name in m.targets
            and not any(other == name and end <= first < m.start for first, _, other in antigens)
            for m in mentions
        )
        antibody = re.search(r"antibod|mab\b|monoclonal", lower[max(0, start - 40) : end + 30])
        directed = _DIRECTED_AT.search(lower[:start])
        is_against = (
            name not in _BY_ANTIBODY
            and lower[max(0, start - 5) : start].startswith("anti")
            and _AGAINST.match(lower, end)
        )
        if not taken and antibody is None and (directed or is_against or _DIRECTED.match(lower, end)):
            mentions.append(Mention(directed.start() if directed else start, end, TARGET_THERAPY, (name,)))
    return sorted(mentions, key=lambda m: m.start)


def _find_targets(lower: str, antigens: list[Antigen], start: int, end: int) -> tuple[str, ...]:
    """Return the antigens that stand right before a therapy or right after it, as ``targeting CD19``."""
    targets: list[str] = []
    edge = start
    for first, last, name in reversed(antigens):
        gap = lower[last:edge] if last <= edge else ""
        if last <= edge and re.fullmatch(
            r"(?:[\s,./)+-]|\b(?:and|or|directed|targeted|targeting|specific|based|chimeric|antigen|receptor"
            r"|other|any|autologous|allogeneic|positive|therapies|therapy|products?)\b)*",
            gap,
        ):
            targets.append(name)
            edge = first - len("anti-") if lower[max(0, first - 5) : first].startswith("anti") else first
    edge = end
    for first, last, name in antigens:
        gap = lower[edge:first] if first >= edge else "?"
        if _IS_EXPRESSED.match(lower, last):
            break
        if re.fullmatch(
            r"(?:[\s,/(-]|\b(?:cells?|therap(?:y|ies)|products?|treatments?|infusions?|directed|targeting"
            r"|targeted|against|at|to|towards?|that|targets?|and|or|specific|for|is|are|anti)\b)*",
            gap,
        ) and re.search(r"target|direct|against|toward|and|or|,|/|specific|anti|\(|to\b", gap):
            targets.insert(0, name)
            edge = last
    return tuple(dict.fromkeys(reversed(targets)))


def _find_polarity(before: str, after: str, unit: Unit) -> str:
    clause = re.split(r"[.;]", before)[-1]
    near = re.split(r"[.;]", after)[0]
    if re.match(r"[\s-]*na[iï]ve", near):
        is_either = re.search(r"\beither\b", clause) or re.search(
            r"\b(?:exposed|experienced|treated|pretreated)\b", near
        )
        return ALLOWED if is_either else (EXCLUDED if unit.section != EXCLUSION else REQUIRED)
    if re.search(r"\bna[iï]ve\s+(?:to|for)\b", clause):
        return EXCLUDED if unit.section != EXCLUSION else REQUIRED
    if unit.section != EXCLUSION and _IS_REQUIRED.match(near):
        return REQUIRED
    negated = NOT.search(_NO_NEGATION.sub("", clause))
    lets = LET.search(near) or (unit.section != EXCLUSION and LET.search(clause))
    if negated and re.match(r"\W*(?:\w+\W+){0,4}?(?:permitted|allowed|acceptable)\W*$", near):
        return EXCLUDED
    denied = re.search(
        r"\b(?:is|are|be)\s+not\s+(?:allowed|permitted|eligible|acceptable)|\bnot\s+(?:allowed|permitted|eligible"
        r"|acceptable)|\b(?:is|are|be)\s+(?:excluded|prohibited|ineligible(?!\s+for))",
        near,
    )
    if denied and not re.search(r"not\s+(?:be\s+)?excluded", near):
        return EXCLUDED
    if (
        lets
        and not (negated and negated.start() < (LET.search(clause) or negated).start())
        and not (negated and not LET.search(near))
    ):
        return ALLOWED
    if unit.section == EXCLUSION:
        not_had = re.search(
            r"\b(?:have|has|had)\s+not\s+(?:yet\s+)?(?:received|been|had|undergone|failed|relapsed|progressed)\b"
            r"|\bnever\s+(?:received|been|had)\b|\bwithout\s+prior\b|\bno\s+prior\b",
            clause,
        )
        return REQUIRED if not_had else EXCLUDED
    if negated or STOPPED.search(near) or IS_INTERVAL.match(near):
        return EXCLUDED
    return REQUIRED if _MUST.search(clause) and not _is_one_of_several(clause, near, unit) else ALLOWED


def _is_one_of_several(clause: str, near: str, unit: Unit) -> bool:
    """Whether a therapy is one way of several to qualify, or is named for its date only."""
    if _MUST_SHOW.match(near) or _CASE.match(clause) or re.search(r"\bif\b", clause):
        return True
    if re.search(r"\bwash[\s-]*out\b", near) or re.search(r"\b(?:elapsed|since|interval)\b", clause + near):
        return True
    alternatives = re.sub(r"\w*-?(?:cel|leucel)\b[^.;]*?\bor\s+(?:any\s+)?(?:an)?other\b", "", clause)
    alternatives = _SAME_EVENT.sub("", _EITHER_TIME.sub("after", alternatives))
    if re.search(r"\b(?:or|and/or)\W*(?:\w+\W+){0,4}$", alternatives) or re.match(
        r"\W*(?:\w+\W+){0,4}(?:or|and/or)\b", near.split("(")[0]
    ):
        return True
    return bool(
        re.search(
            r"\b(?:one|any|either)\b.{0,40}\b(?:of|following)\b|\bdefin\w+|\binclud\w+|\bfollowing\b.{0,30}:",
            unit.parent,
        )
    )


def _find_interval(lower: str, first: Mention, last: Mention) -> tuple[float | None, bool]:
    """Return the span of time that a mention is bound to, and whether it must at least have passed."""
    spans = find_durations(lower)
    after = [
        span for span in spans if span.start >= last.end - 1 and not re.search(r"[.;]", lower[last.end : span.start])
    ]
    if after and _is_bound(lower, after[0].start, after[0].end):
        return after[0].days, after[0].is_minimum
    before = [
        span for span in spans if span.end <= first.start and not re.search(r"[.;]", lower[span.end : first.start])
    ]
    if before and re.search(r"\b(?:relaps|progress|recur)\w*\s*(?:\w+\s+)?$", lower[: before[-1].start]):
        return None, False
    if before and re.search(
        r"\b(?:since|from|after|wash[\s-]*out|elapsed|prior|previous|of)\b", lower[before[-1].end : first.start]
    ):
        return before[-1].days, before[-1].is_minimum
    if before and re.match(r"within|in\s+the|less|<", lower[before[-1].start : before[-1].end]):
        return before[-1].days, False
    return None, False


def _is_bound(lower: str, start: int, end: int) -> bool:
    text = lower[max(0, start - 12) : end + 40]
    return bool(
        re.search(
            r"≥|more\s+than|\bago\b|within|past|last|previous|prior|before|preceding|less\s+than|<|since|wash|at\s+least|elapsed"
            r"|of\s+(?:enrol|screen|leuk|apher)",
            text,
        )
    )
