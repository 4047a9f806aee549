"""Grades of toxicity: from clauses to a grade or its bounds, and from graded days to onset, maximum and end."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from livingdrug.clinical.comparison import list_leaves
from livingdrug.core.assessment import Assessed, Endpoint
from livingdrug.core.ruleset import Finding, Truth

NOT_EVALUABLE = "NE"
DENIED_BEFORE = re.compile(
    r"\b(not|no|non|without|unrelated|other than|independent|resolved|resolution|after|despite)\b(\W+\w+){0,4}\W+$"
)
DENIED_AFTER = re.compile(r"^\W+(\w+\W+){0,2}(resolved|excluded|ruled out|unrelated|not the cause|unlikely)\b")
"""What before or after the name of a toxicity says that it was not the cause: ``not due to CRS``, ``CRS resolved``."""


@dataclass(frozen=True, slots=True)
class Graded:
    """The grade of one day: at least ``lower`` and at most ``upper``, and what that rests on."""

    day: float
    lower: int
    upper: int
    findings: tuple[Finding, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether nothing unknown could change the grade."""
        return self.lower == self.upper

    @property
    def text(self) -> str:
        """The grade, or its lower bound; NE where it might be none at all."""
        return NOT_EVALUABLE if self.lower == 0 and not self.is_exact else str(self.lower)


def find_grade(day: float, clauses: Sequence[tuple[int, Finding]]) -> Graded:
    """Find the grade from one clause for each grade, the highest first.

    Examples
    --------
    >>> graded = find_grade(3.0, [(2, Finding("oxygen", Truth.UNKNOWN, missing=("oxygen",))),
    ...                           (1, Finding("fever", Truth.TRUE, rows=(4,)))])
    >>> graded.text, graded.upper
    ('1', 2)
    """
    lower = max([grade for grade, found in clauses if found.truth == Truth.TRUE], default=0)
    upper = max([grade for grade, found in clauses if found.truth != Truth.FALSE], default=0)
    least = max(lower, 1)
    decided = [found for grade, found in clauses if grade == least]
    closed = [found for grade, found in clauses if grade == upper + 1 and grade > least]
    above = [found for grade, found in clauses if least < grade <= upper and found.truth == Truth.UNKNOWN]
    return Graded(day, lower, upper, (*decided, *above, *closed))


def describe_grade(graded: Graded, name: str, note: str = "") -> Assessed:
    """Return the verdict of a day; what could raise the grade is named.

    Examples
    --------
    >>> open_clause = Finding("ICE 7 to 9", Truth.UNKNOWN, missing=("ice_score",))
    >>> describe_grade(Graded(5.0, 0, 1, (open_clause,)), "ICANS").would_change
    ('ICANS grade 1, if ice_score were known',)
    """
    open_clauses = [found for found in graded.findings if found.truth == Truth.UNKNOWN]
    missing = tuple(
        dict.fromkeys([m for f in open_clauses for leaf in list_leaves(f, Truth.UNKNOWN) for m in leaf.missing])
    )
    would_change: tuple[str, ...] = ()
    bound = ""
    if not graded.is_exact:
        first = graded.lower + 1
        range_ = f"{first}" if first == graded.upper else f"{first} to {graded.upper}"
        would_change = (f"{name} grade {range_}, if {list_words(missing)} were known",)
        bound = f"at least grade {graded.lower}" if graded.lower else f"not known: may be 0 to {graded.upper}"
    note = "; ".join(text for text in (note, bound, _tell_reason(graded)) if text)
    return Assessed(
        day=graded.day,
        time_point=graded.text,
        confirmed=graded.text,
        findings=graded.findings,
        unknowns=() if graded.is_exact else missing,
        would_change=would_change,
        note=note,
    )


def _tell_reason(graded: Graded) -> str:
    """Say in words what made the grade: the clauses that hold, each with its value."""
    decided = next((found for found in graded.findings if found.truth == Truth.TRUE), None)
    if not graded.lower or decided is None:
        return ""
    said = []
    for leaf in list_leaves(decided, Truth.TRUE):
        detail = leaf.note or (f"{round(leaf.values[-1], 2):g}" if leaf.values else "")
        said.append(f"{leaf.clause} ({detail})" if detail else leaf.clause)
    return "; ".join(dict.fromkeys(said))


def list_words(words: Iterable[str]) -> str:
    """Join words as a sentence does, each once.

    Examples
    --------
    >>> list_words(["oxygen"]), list_words(["oxygen", "temperature", "oxygen", "vasopressors"])
    ('oxygen', 'oxygen, temperature and vasopressors')
    """
    *first, last = dict.fromkeys(words) or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def ask_death(events: Sequence[Mapping[str, Any]], cause: str, words: str) -> tuple[float, Finding] | None:
    """Return the day of death and whether it was of this toxicity, by its note; None without a death.

    A note that names the toxicity counts unless it denies it; a death without a note is unknown.

    Examples
    --------
    >>> ask_death([{"day": 9.0, "type": "death", "note": "refractory CRS", "row": 3}], "CRS", "crs")[1].truth
    <Truth.TRUE: 'true'>
    """
    death = next((event for event in events if event["type"] == "death"), None)
    if death is None:
        return None
    clause, note, rows = f"death due to {cause}", (death["note"] or "").lower(), (death["row"],)
    if not note.strip():
        return death["day"], Finding(clause, Truth.UNKNOWN, missing=("cause of death",), event_rows=rows)
    is_named = any(_is_cause(found, part) for part in re.split(r"[;,.]", note) for found in re.finditer(words, part))
    return death["day"], Finding(clause, Truth.of(is_named), note=f"the note says: {note}", event_rows=rows)


def _is_cause(found: re.Match[str], part: str) -> bool:
    before, after = part[: found.start()], part[found.end() :]
    return not DENIED_BEFORE.search(before) and not DENIED_AFTER.search(after)


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of days with a toxicity: from its first day to the first day without; no end while it lasts."""

    onset: float
    end: float | None
    maximum: int


def list_endpoints(
    prefix: str, days: Sequence[Graded], episodes: Sequence[Episode], death: float | None
) -> tuple[Endpoint, ...]:
    """Return maximum grade, onset, end and duration as endpoints.

    Parameters
    ----------
    prefix : str
        Such as ``crs``.
    days : graded days, in order
    episodes : sequence of Episode, in order
    death : float or None
        Day of death: a toxicity that had not ended by then is censored there.
    """
    last = max((d.day for d in days), default=None)
    return (
        _find_maximum(prefix, days, last),
        _find_onset(prefix, days, episodes, last),
        *_find_end(prefix, episodes, last if death is None else death),
    )


def _find_maximum(prefix: str, days: Sequence[Graded], last: float | None) -> Endpoint:
    name = f"{prefix}_maximum_grade"
    lower = max((d.lower for d in days), default=0)
    upper = max((d.upper for d in days), default=0)
    if not days:
        return Endpoint(name, "censored", None, NOT_EVALUABLE, "no day was assessed", 0.0)
    if lower == 0:
        reason = "no day showed it" if upper == 0 else f"not known on every day: grade {upper} is not excluded"
        return Endpoint(name, "censored", last, "0" if upper == 0 else NOT_EVALUABLE, reason, 0.0)
    first = next(d.day for d in days if d.lower == lower)
    reason = "highest grade of any day"
    if upper > lower:
        open_days = ", ".join(f"{d.day:g}" for d in days if d.upper > lower)
        reason += f"; at least, for grade {upper} is not excluded on day {open_days}"
    return Endpoint(name, "event", first, str(lower), reason, 0.0)


def _find_onset(prefix: str, days: Sequence[Graded], episodes: Sequence[Episode], last: float | None) -> Endpoint:
    name = f"{prefix}_onset_day"
    if episodes:
        day = episodes[0].onset
        return Endpoint(name, "event", day, f"{day:g}", "first day of grade 1 or more", 0.0)
    is_open = any(d.upper > 0 for d in days)
    reason = "not known on every day" if is_open else "none by the last day that was assessed"
    return Endpoint(name, "censored", last, "", reason if days else "no day was assessed", 0.0)


def _find_end(prefix: str, episodes: Sequence[Episode], last: float | None) -> tuple[Endpoint, ...]:
    if not episodes:
        return ()
    onset, end = episodes[0].onset, episodes[-1].end
    day = last if end is None else end
    length = "" if day is None else f"{day - onset:g}"
    several = f"; {len(episodes)} episodes, from the first onset to the last end" if len(episodes) > 1 else ""
    reason = "had not ended" if end is None else "first day without any sign"
    status: Literal["event", "censored"] = "censored" if end is None else "event"
    ended = Endpoint(f"{prefix}_end_day", status, day, "" if day is None else f"{day:g}", reason + several, 0.0)
    return ended, Endpoint(f"{prefix}_duration", status, day, length, reason + several, onset)


def build_details(days: Sequence[Graded], episodes: Sequence[Episode]) -> dict[str, pl.DataFrame]:
    """Return grades by day with their bounds, and episodes, as tables."""
    graded = [(d.day, d.lower, d.upper) for d in days]
    lasted = [(e.onset, e.end, e.maximum) for e in episodes]
    bounds = {"day": pl.Float64, "lowest_grade": pl.Int64, "highest_grade": pl.Int64}
    spans = {"onset_day": pl.Float64, "end_day": pl.Float64, "maximum_grade": pl.Int64}
    return {
        "grades": pl.DataFrame(graded, schema=bounds, orient="row"),
        "episodes": pl.DataFrame(lasted, schema=spans, orient="row"),
    }
