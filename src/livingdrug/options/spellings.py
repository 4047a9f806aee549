"""Many spellings as one pattern that can skip, by its first letter, what cannot match.

A search is quick where the pattern begins with plain letters: spellings are therefore spread over their first
letters, and what must stand before a name is asked after that letter.
"""

import re
from collections.abc import Iterable, Iterator

_HEAD = re.compile(r"\[(\w+)\]|(\w)(?![?*])|(\w|-)\?")
WORD = r"(?<![A-Za-z0-9].)"
"""Nothing that belongs to a longer word stands before the first letter."""


def compile_spellings(
    spellings: Iterable[str], *, before: str = WORD, after: str, is_small: bool | None = None
) -> re.Pattern[str]:
    """Return one pattern without groups for all spellings; of those with one first letter the earlier wins.

    Parameters
    ----------
    spellings : iterable of str
        Regular expressions, each beginning with a letter, a class of letters, or a group.
    before : str
        What must hold before the name, written as of the place behind its first letter.
    after : str
    is_small : bool, optional
        Only those that begin with a small letter, or only the others.

    Examples
    --------
    >>> pattern = compile_spellings(["[Cc]laudin-?6|CLDN6", "(?:Tn-?)?MUC1"], after="(?![a-z])")
    >>> pattern.findall("CLDN6, claudin6, xCLDN6, Tn-MUC1, MUC1, MUC1a")
    ['CLDN6', 'claudin6', 'Tn-MUC1', 'MUC1']
    """
    rests: dict[str, list[str]] = {}
    for spelling in spellings:
        for letter, rest in _spread(spelling):
            if is_small in (None, letter.islower()):
                rests.setdefault(letter, []).append(rest)
    heads = (f"{letter}{before}(?:{'|'.join(rest)})" for letter, rest in rests.items())
    return re.compile(f"(?:{'|'.join(heads)}){after}")


def _spread(spelling: str) -> Iterator[tuple[str, str]]:
    """List the first letters of a spelling, each with what follows it."""
    for one in _split(spelling):
        if one.startswith("(?:"):
            inside, rest = _open_group(one)
            for choice in _split(inside):
                yield from _spread(choice + rest.removeprefix("?"))
            if rest.startswith("?"):
                yield from _spread(rest[1:])
            continue
        head = _HEAD.match(one)
        if head is None:
            continue
        rest = one[head.end() :]
        for letter in head[1] or head[2] or head[3].replace("-", ""):
            yield letter, rest
        if head[3]:
            yield from _spread(rest)


def _split(spelling: str) -> list[str]:
    """Cut a regular expression at the bars that stand in no bracket."""
    bars = [place for place, letter, depth in _walk(spelling) if letter == "|" and depth == 0]
    return [spelling[first:last] for first, last in zip([0, *(b + 1 for b in bars)], [*bars, None], strict=True)]


def _open_group(spelling: str) -> tuple[str, str]:
    """Return what stands in the group at the beginning, and what stands behind it."""
    end = next(place for place, _, depth in _walk(spelling) if depth == 0)
    return spelling[len("(?:") : end], spelling[end + 1 :]


def _walk(spelling: str) -> Iterator[tuple[int, str, int]]:
    """List place and letter of what is not escaped, with how many brackets are open behind it."""
    depth, is_escaped = 0, False
    for place, letter in enumerate(spelling):
        if not is_escaped:
            depth += (letter in "([") - (letter in ")]")
            yield place, letter, depth
        is_escaped = letter == "\\" and not is_escaped
