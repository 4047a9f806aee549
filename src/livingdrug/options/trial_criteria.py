"""A trial's criteria, one after the other and verbatim, each with what is asked of a patient or with nothing.

What was read of a sentence is one criterion for each statement; words of the sentence that were not read stand
as a further criterion without a question, so that nothing of the text is lost.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from livingdrug.options.eligibility import extract_statements
from livingdrug.options.eligibility_disease import ask_disease
from livingdrug.options.eligibility_statement import ELIGIBILITY, PARTIAL, REQUIRED, Statement
from livingdrug.options.eligibility_text import MAIN, EligibilityText, Unit, split_text
from livingdrug.options.predicate import Predicate
from livingdrug.options.trial_record import TrialRecord

LEFT_OVER = 3
"""Words of a sentence, beyond those that introduce what was read, from which on the rest is shown as not read."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "an and any are as at be been by confirmed cytologically diagnosed diagnosis disease documented eligible for "
        "from has have histologically histology history in inclusion inclusive is male female males females men women "
        "must no not of old older on or participant participants pathologically patient patients performance prior "
        "previous received receiving refractory relapsed relapse score should signing status subject subjects than "
        "that the therapy therapies time to treatment treated with within who will years year age aged cell cells "
        "positive expression group eastern cooperative oncology ecog following criteria least consent informed "
        "screening enrolment enrollment both sexes either sex gender known including recurrent"
    )
)


class Criterion(NamedTuple):
    """One thing that a trial asks, in its own words.

    Parameters
    ----------
    text : str
        Verbatim.
    span : tuple of int
        Where it stands in the field ``source`` of the registry's record.
    section : str
        ``inclusion`` or ``exclusion``.
    target, polarity, value
        What was read; empty and None where nothing was.
    predicate : Predicate, optional
        Met where the patient meets what the trial demands; None where the text is not machine readable.
    source : str
    """

    text: str
    span: tuple[int, int]
    section: str
    target: str = ""
    polarity: str = ""
    value: Any = None
    predicate: Predicate | None = None
    source: str = ELIGIBILITY


def list_criteria(record: TrialRecord) -> tuple[Criterion, ...]:
    r"""List a trial's criteria in the order of its text; those of the registry's fields come last.

    Examples
    --------
    >>> text = "Inclusion Criteria:\n* Age 18-75\n* Adequate organ function\nExclusion Criteria:\n* Prior CAR-T"
    >>> [(c.text, c.target) for c in list_criteria(TrialRecord("NCT00000000", eligibility=text))]
    [('Age 18-75', 'age'), ('Adequate organ function', ''), ('Prior CAR-T', 'prior_car_t')]
    """
    text = split_text(record.eligibility)
    statements = extract_statements(record)
    diseases = tuple(
        dict.fromkeys(str(s.value) for s in statements if s.target == "disease" and s.polarity == REQUIRED)
    )
    stated: dict[int, list[Statement]] = {}
    fields = []
    for statement in statements:
        if statement.source == ELIGIBILITY:
            stated.setdefault(text.find_unit(statement.start).start, []).append(statement)
        else:
            fields.append(statement)
    criteria = [c for unit in text.units for c in _read_unit(text, unit, stated.get(unit.start, []), diseases)]
    return (*criteria, *_read_fields(record, fields, diseases))


def _read_unit(
    text: EligibilityText, unit: Unit, statements: Sequence[Statement], diseases: tuple[str, ...]
) -> Iterator[Criterion]:
    words = text.read(unit)
    if unit.is_heading or not words:
        return
    span = (unit.body, unit.end)
    for statement in _join_diseases(statements):
        yield Criterion(
            words,
            span,
            unit.section,
            statement.target,
            statement.polarity,
            statement.value,
            None if statement.certainty == PARTIAL else _ask(statement, diseases),
        )
    if unit.block != MAIN or not statements or _has_left_over(text, unit, statements):
        yield Criterion(words, span, unit.section)


def _join_diseases(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Keep one of the diseases that a sentence takes: they are alternatives, and are asked together."""
    has_disease = False
    for statement in statements:
        is_taken = statement.target == "disease" and statement.polarity == REQUIRED
        if not (is_taken and has_disease):
            yield statement
        has_disease = has_disease or is_taken


def _ask(statement: Statement, diseases: tuple[str, ...]) -> Predicate | None:
    if statement.target == "disease" and statement.polarity == REQUIRED:
        return ask_disease(diseases)
    return statement.predicate


def _has_left_over(text: EligibilityText, unit: Unit, statements: Sequence[Statement]) -> bool:
    """Whether a sentence says more than what was read of it."""
    rest = list(text.lower[unit.body : unit.end])
    for statement in statements:
        first, last = statement.start - unit.body, statement.end - unit.body
        rest[max(0, first) : last] = " " * (last - max(0, first))
    return sum(word not in _EMPTY_WORDS for word in _WORD.findall("".join(rest))) >= LEFT_OVER


def _read_fields(
    record: TrialRecord, statements: Sequence[Statement], diseases: tuple[str, ...]
) -> Iterator[Criterion]:
    texts = {
        "conditions": "; ".join(record.conditions),
        "minimumAge": f"{record.minimum_age or '-'} to {record.maximum_age or '-'}",
        "maximumAge": f"{record.minimum_age or '-'} to {record.maximum_age or '-'}",
    }
    for statement in _join_diseases(statements):
        words = texts[statement.source]
        yield Criterion(
            words,
            (0, len(words)),
            statement.section,
            statement.target,
            statement.polarity,
            statement.value,
            _ask(statement, diseases),
            statement.source,
        )
