"""The bibliography: what every packaged number rests on.

The file is BibTeX in a strict form of our own: ``@kind{key,`` on one line, ``  field = {value},`` on
one line each, ``}`` alone on the last. Comments stand on lines of their own and start with ``%``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from livingdrug.core.errors import Fault, KnowledgeError

KINDS = ("article", "misc")
NOT_MEASURED = ("illustrative", "memory", "design")
"""Sources that measured nothing: a value that rests on one of them is assumed."""

_OPEN = re.compile(r"@(\w+)\{([A-Za-z0-9_-]+),")
_FIELD = re.compile(r"  (\w+) += \{(.*)\},")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the bibliography; a field that is not known for sure stays empty.

    Examples
    --------
    >>> Source("x2020", "article", "Doe, J.", "On x", "J. X", "2020", "1", "2-3", "10.1/x").citation
    'Doe, J. On x. J. X 2020;1:2-3. doi:10.1/x'
    """

    key: str
    kind: str
    author: str = ""
    title: str = ""
    journal: str = ""
    year: str = ""
    volume: str = ""
    pages: str = ""
    doi: str = ""
    note: str = ""

    @property
    def citation(self) -> str:
        """The entry as one line of text."""
        volume = f";{self.volume}" if self.volume else ""
        place = f"{self.journal} {self.year}{volume}{f':{self.pages}' if self.pages else ''}".strip()
        author = self.author.replace(" and others", " et al.").replace(" and ", "; ")
        parts = [part.rstrip(".") for part in (author, self.title, place, self.note) if part]
        return ". ".join(parts) + (f". doi:{self.doi}" if self.doi else ".")


_NAMES = frozenset(f.name for f in fields(Source)) - {"key", "kind"}


def parse_sources(text: str, document: str) -> tuple[dict[str, Source], list[Fault]]:
    r"""Read a bibliography in our strict form; every line that does not fit is a fault.

    Examples
    --------
    >>> sources, faults = parse_sources("@article{x2020,\n  year = {2020},\n}\n", "sources.bib")
    >>> sources["x2020"].year, faults
    ('2020', [])
    """
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    entry: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        rule = _take_line(line, entry, sources)
        if rule:
            hint = "write @kind{key, then one field a line as `  name = {value},` then }"
            faults.append(Fault(f"{document}, line {number}", rule, repr(line), hint))
    if entry:
        rule = f"entry {entry['key']} must be closed"
        faults.append(Fault(document, rule, "the end of the file", "write } on a line of its own"))
    return sources, faults


def _take_line(line: str, entry: dict[str, str], sources: dict[str, Source]) -> str:
    """Take one line into ``entry`` or close it into ``sources``; return the rule that it breaks, if any."""
    if not line.strip() or line.startswith("%"):
        return ""
    if line == "}" and entry:
        sources[entry["key"]] = Source(**entry)
        entry.clear()
        return ""
    opened, field = _OPEN.fullmatch(line), _FIELD.fullmatch(line)
    if opened and not entry:
        entry.update(kind=opened[1], key=opened[2])
        if opened[1] not in KINDS:
            return f"kind must be one of {', '.join(KINDS)}"
        return "key must stand once" if opened[2] in sources else ""
    if field and entry:
        is_new = field[1] in _NAMES and field[1] not in entry
        entry.setdefault(field[1] if is_new else "note", field[2])
        return "" if is_new else f"field must be one of {', '.join(sorted(_NAMES))} and stand once"
    return "line must open an entry, be a field of one, or close it"


def read_bibliography() -> tuple[dict[str, Source], list[Fault]]:
    """Read the packaged bibliography with its faults."""
    text = files("livingdrug.knowledge").joinpath("data", "sources.bib").read_text(encoding="utf-8")
    return parse_sources(text, "sources.bib")


@cache
def load_sources() -> Mapping[str, Source]:
    """Load the packaged bibliography by key.

    Raises
    ------
    KnowledgeError
        If the file breaks its form.

    Examples
    --------
    >>> load_sources()["stein2019"].year
    '2019'
    """
    sources, faults = read_bibliography()
    if faults:
        raise KnowledgeError(f"`sources.bib` must be readable, but was not: {faults[0]}")
    return MappingProxyType(sources)


def cite(keys: Iterable[str]) -> tuple[str, ...]:
    """Write the sources out, each once, in the order in which they are first named.

    Raises
    ------
    KnowledgeError
        If a key is not in the bibliography.

    Examples
    --------
    >>> [line[:5] for line in cite(["singh2021", "singh2021"])]
    ['Singh']
    """
    sources = load_sources()
    for key in (keys := tuple(dict.fromkeys(keys))):
        if key not in sources:
            close = get_close_matches(key, sources, n=1)
            hint = f"did you mean {close[0]!r}" if close else "add it to sources.bib"
            raise KnowledgeError(f"a source must be a key of sources.bib, but was {key!r}. Hint: {hint}.")
    return tuple(sources[key].citation for key in keys)
