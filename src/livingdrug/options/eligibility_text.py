"""Split an eligibility text into criteria that cover every character of it exactly once.

The text is folded first (full-width signs, escapes, dashes), character for character, so that every position
in the folded text is the same position in the text of the registry.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

INCLUSION, EXCLUSION = "inclusion", "exclusion"
MAIN, DONOR, RETREATMENT = "main", "donor", "retreatment"
LONGEST_HEADING = 160
"""Characters; a longer line that names inclusion or exclusion is a sentence about them."""

_FOLDS = str.maketrans(
    {
        "\u00a0": " ",
        "\u3000": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u200b": " ",
        "\ufeff": " ",
        "＝": "=",
        "≧": "≥",
        "≦": "≤",
        "⩾": "≥",
        "⩽": "≤",
        "﹥": ">",
        "﹤": "<",
        "＞": ">",
        "＜": "<",
        "：": ":",
        "；": ";",
        "，": ",",
        "。": ".",
        "、": ".",
        "（": "(",
        "）": ")",
        "【": "*",
        "】": ":",
        "～": "~",
        "∼": "~",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "－": "-",
        "＋": "+",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "µ": "u",
        "μ": "u",
        "×": "x",
        "•": "*",
        "●": "*",
        "·": "*",
        "％": "%",
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
    }
)
_FOLDED = re.compile("[" + "".join(map(chr, _FOLDS)) + "]")
_CRITERIA = re.compile(
    r"(?P<before>(?:[\w'()&/,-]+\s+){0,6}?)"
    r"\b(?P<word>non-?\s?inclusion|inclusion|exclusion|ineligibility|eligibility)"
    r"(?:\s+(?:and|or|/)\s+\w+)?\s*(?:criteri(?:a|on|um)\b|requirements?\b"
    r"|conditions?\b)?(?P<after>[^:]{0,120})(?P<colon>:?)"
)
_FOR = re.compile(r"criteria\s+(?:for|of)\s+(?P<word>inclusion|exclusion)\b[^:]{0,80}(?P<colon>:?)\s*$")
_INLINE = re.compile(r"(?<=[.;)\]] )(?:(?:key|main|major|general|other)\s+)?(?:in|ex)clusion\s+criteria\s*:")
_NO_HEADING = re.compile(
    r"\b(?:no|not|any|meet|meets|met|apply|applies|appl|there|other|specific|defined|both|all|fulfil|fulfill"
    r"|satisf\w*|who|known|have|has)\b"
)
_EXCLUDED = re.compile(
    r"\b(?:following|any of|one of|below)\b.{0,120}\b(?:excluded|not\s+(?:be\s+)?(?:eligible|included|enrolled|allowed)"
    r"|ineligible(?!\s+(?:for|to))|cannot|can\s+not|may\s+not)\b|\b(?:will|shall|must|should|are"
    r"|is)\s+(?:be\s+)?(?:excluded|not\s+(?:be\s+)?eligible|ineligible)\b.{0,80}\b(?:following|any of|if)\b"
)
_INCLUDED = re.compile(
    r"\b(?:must|should|shall|will)\s+(?:meet|satisfy|fulfil|fulfill)\b.{0,60}\b(?:following|criteria)\b.{0,80}:\s*$"
)
FLAT, FEWEST = 300, 3
"""Letters from which on a line may be a whole list, and items that make it one."""
_FLAT_BULLET = re.compile(r"(?<=\s)\*\s+(?=[^\s\d])")
_FLAT_NUMBER = re.compile(r"(?:(?<=\s)|^)(\d{1,2})\s*[.)]\s+(?=\S)")
_FLAT_HEADING = re.compile(r"(?<=\s)(?:(?:key|main|major|general)\s+)?(?:in|ex)clusion\s+criteria\s*:?(?=\s)")
_ENDS_HEADING = re.compile(r"criteria\s*:?[\s*-]*$")
_DONOR = re.compile(r"\bdonors?\b")
_NOT_DONOR = re.compile(r"\b(?:recipient|patient|subject|participant)s?\b")
_AGAIN = re.compile(r"\b(?:re-?\s?treatment|re-?\s?infusion|second infusion|re-?\s?dosing)\b")
_BULLET = re.compile(r"[\s*\-#>o]*(?:(?:\(?(?:\d{1,2}(?:\.\d{1,2})*|[a-hA-H]|[ivx]{1,4})\s?[.):]\s*){0,3})[\s*\-:.]*")
_NUMBER_ONLY = re.compile(r"[\s*\-#(]*(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})?\s?[.)]*\s*")
_STOP = re.compile(r";\s*|[.](?=\s)\s+|[.](?=[A-Z][a-z])|[.]\)\s+(?=\d{1,2}\s?[.)]\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.?\s?g|i\.?\s?e|vs|approx|etc|incl|no|st|dr|resp|max|min|ca|al|spp)|(?<=\d))[.]$", re.IGNORECASE
)


class Unit(NamedTuple):
    """One criterion, or one sentence of it.

    Parameters
    ----------
    start, end : int
        Its place in the text; units follow each other without gap and without overlap.
    body : int
        Where its own words begin, after the bullet or number.
    section : str
        ``inclusion`` or ``exclusion``.
    block : str
        ``main``, or ``donor`` or ``retreatment``: about somebody else or about later.
    is_heading : bool
    parent : str
        The line above it that introduces it, in small letters; empty where there is none.
    line : int
        Of which line of the text it is a part.
    """

    start: int
    end: int
    body: int
    section: str
    block: str = MAIN
    is_heading: bool = False
    parent: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class EligibilityText:
    """A text, folded, and its units.

    Parameters
    ----------
    raw, plain, lower : str
        As the registry has it; folded; folded and in small letters. All of one length.
    units : tuple of Unit
    """

    raw: str
    plain: str
    lower: str
    units: tuple[Unit, ...]

    def read(self, unit: Unit) -> str:
        """Return a unit's words as the registry has them."""
        return self.raw[unit.body : unit.end].strip()

    def find_unit(self, position: int) -> Unit:
        """Return the unit that holds a position."""
        return self.units[bisect_right(self.units, (position, len(self.raw) + 1)) - 1]

    def find_units(self, words: Sequence[str]) -> list[Unit]:
        """Return the units, in their order, that hold one of some words in small letters."""
        found: dict[int, Unit] = {}
        for word in words:
            place = self.lower.find(word)
            while place >= 0:
                unit = self.find_unit(place)
                found[unit.start] = unit
                place = self.lower.find(word, unit.end)
        return [unit for _, unit in sorted(found.items())]


def fold_text(text: str) -> str:
    """Replace signs that look alike by one of them, character for character.

    Examples
    --------
    >>> fold_text("年龄：１８～７５, B==cell")
    '年龄:18~75, B--cell'
    """
    plain = text if text.isascii() else _FOLDED.sub(lambda sign: _FOLDS[ord(sign[0])], text)
    for sign in ("\\", "\t", "\r"):
        plain = plain.replace(sign, " ")
    return re.sub(r"(?<=\w)==(?=\w)", "--", plain) if "==" in plain else plain


def lower_text(text: str) -> str:
    """Return small letters, character for character."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


@lru_cache(maxsize=64)
def split_text(text: str) -> EligibilityText:
    r"""Split a text into criteria.

    Examples
    --------
    >>> found = split_text("Inclusion Criteria:\n* Age 18-75 years. ECOG 0-1\nExclusion Criteria:\n1. Prior CAR-T")
    >>> [(found.read(u), u.section) for u in found.units if not u.is_heading]
    [('Age 18-75 years.', 'inclusion'), ('ECOG 0-1', 'inclusion'), ('Prior CAR-T', 'exclusion')]
    """
    plain = fold_text(text)
    lower = lower_text(plain)
    return EligibilityText(text, plain, lower, tuple(_split(plain, lower)))


def _split(plain: str, lower: str) -> Iterator[Unit]:
    section, block, parent, indent = INCLUSION, MAIN, "", -1
    for number, (start, end) in enumerate(_list_lines(plain, lower)):
        line = lower[start:end]
        heading = _read_heading(line)
        if heading is not None:
            section, block, size = heading[0] or section, heading[1], heading[2]
            yield Unit(start, start + size, start, section, block, is_heading=True, line=number)
            start, parent, indent = start + size, "", -1
            if start == end:
                continue
            line = lower[start:end]
        bare = line.rstrip()
        is_opening = bare.endswith(":")
        if (
            (is_opening or bare.endswith(("excluded", "excluded.")))
            and len(line) < LONGEST_HEADING
            and _EXCLUDED.search(line)
        ):
            section, block = EXCLUSION, MAIN
        elif is_opening and "exclusion" not in line and _INCLUDED.search(line):
            section = INCLUSION
        depth = len(line) - len(line.lstrip())
        if depth <= indent:
            parent, indent = "", -1
        for first, last in _list_sentences(plain, start, end):
            bullet = _BULLET.match(plain, first, last)
            yield Unit(first, last, bullet.end() if bullet else first, section, block, parent=parent, line=number)
        if is_opening:
            parent, indent = line.strip(), depth if line.lstrip()[:1] in "*-0123456789" else -1


def _list_lines(plain: str, lower: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in plain.splitlines(keepends=True) if "\n" in plain else [plain]:
        end = start + len(line)
        cuts = _cut_flat_list(lower, start, end) if end - start > FLAT else []
        if lower.find("clusion", start, end) >= 0:
            cuts = sorted({*cuts, *(start + found.start() for found in _INLINE.finditer(lower[start:end]))})
        for first, last in zip([start, *cuts], [*cuts, end], strict=True):
            if last > first:
                yield first, last
        start = end


def _cut_flat_list(lower: str, start: int, end: int) -> list[int]:
    """Find where the items of a list begin that stands in one line: bullets, or numbers that count up from one."""
    line = lower[start:end]
    cuts = [start + found.start() for found in _FLAT_BULLET.finditer(line)]
    if len(cuts) < FEWEST:
        cuts = []
    numbered, last = [], 0
    for found in _FLAT_NUMBER.finditer(line):
        number = int(found[1])
        if number == last + 1 or (number == 1 and found.start() > 0 and _ENDS_HEADING.search(line[: found.start()])):
            numbered.append(start + found.start())
            last = number
    heads = [start + found.start() for found in _FLAT_HEADING.finditer(line)]
    found_all = {*cuts, *(numbered if len(numbered) >= FEWEST else [])}
    return sorted({*found_all, *(heads if found_all else [])} - {start})


def _read_heading(line: str) -> tuple[str, str, int] | None:
    """Return section, block and how much of the line is the heading; None where the line is none."""
    if "clusion" not in line and "eligib" not in line:
        return None
    bare = line.strip(" *#-.\n")
    if bare in {"inclusion", "exclusion"}:
        return bare, MAIN, len(line)
    prefix = len(line) - len(line.lstrip(" *#-0123456789.)"))
    found = _CRITERIA.match(line, prefix) or _FOR.search(line)
    if found is None or _NO_HEADING.search(line[prefix : found.start("word")]):
        return None
    has_both = "inclusion" in found[0] and "exclusion" in found[0]
    if has_both or not _is_title(line, found):
        return None
    word = found["word"]
    section = INCLUSION if word in {"inclusion", "eligibility"} else EXCLUSION
    size = found.end() if found["colon"] else len(line)
    rest = line[size:]
    size = size if rest.strip() else len(line)
    return section, _find_block(found[0]), size


def _is_title(line: str, found: re.Match[str]) -> bool:
    """Whether a line that names the criteria is their heading rather than a sentence about them."""
    after = found.groupdict().get("after") or ""
    named = "criteri" in found[0] or "requirement" in found[0]
    if found["word"] == "eligibility" and not ("criteri" in found[0] and found["colon"]):
        return found["before"].strip() in {"donor", "donors"} and "criteri" in found[0]
    if _NO_HEADING.search(after) or re.search(r"\b(?:is|are|was|were|be|will|must)\b", after):
        return False
    return bool(found["colon"] or (named and len(line.strip()) < LONGEST_HEADING and not line[found.end() :].strip()))


def _find_block(heading: str) -> str:
    if _DONOR.search(heading) and not _NOT_DONOR.search(heading):
        return DONOR
    return RETREATMENT if _AGAIN.search(heading) else MAIN


def _list_sentences(plain: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a line where a sentence ends, outside brackets; a number alone belongs to what follows."""
    line = plain[start:end]
    if "." not in line and ";" not in line:
        yield start, end
        return
    first = 0
    for stop in _STOP.finditer(line):
        cut = stop.end()
        so_far = line[first:cut]
        if not line[cut:].strip() or line[:cut].count("(") > line[:cut].count(")"):
            continue
        if _NUMBER_ONLY.fullmatch(so_far):
            continue
        if stop[0][0] == "." and (line[cut].islower() or _is_abbreviation(line[:cut], line[cut])):
            continue
        yield start + first, start + cut
        first = cut
    yield start + first, end


def _is_abbreviation(before: str, following: str) -> bool:
    stripped = before.rstrip()
    if re.search(r"(?:^|[\s:;.])\d{1,2}\s?[.]$", stripped):
        return True
    found = _ABBREVIATION.search(stripped)
    return found is not None and not (following.isupper() or following.isdigit())
