"""Everything that is read of a trial: statements of its text, and of the registry's fields where the text is silent."""

from collections.abc import Iterator

from livingdrug.options.antigen_names import find_product_targets
from livingdrug.options.disease_names import find_diseases
from livingdrug.options.eligibility_age import ask_age, find_ages
from livingdrug.options.eligibility_antigen import find_required_antigens
from livingdrug.options.eligibility_car_t import find_prior_car_t
from livingdrug.options.eligibility_disease import BROAD, ask_disease, find_stated_diseases
from livingdrug.options.eligibility_performance import find_performance
from livingdrug.options.eligibility_statement import REQUIRED, Statement, TrialContext
from livingdrug.options.eligibility_text import INCLUSION, fold_text, lower_text, split_text
from livingdrug.options.trial_record import TrialRecord, read_age

READERS = (find_stated_diseases, find_prior_car_t, find_required_antigens, find_ages, find_performance)
"""What is looked for in a text; each takes the text and what the rest of the record tells."""


def extract_statements(record: TrialRecord) -> tuple[Statement, ...]:
    r"""Read a trial's criteria, in the order of the text; then the fields for what the text does not state.

    Examples
    --------
    >>> record = TrialRecord("NCT00000000", title="CD19 CAR-T", conditions=("DLBCL",), minimum_age="18 Years",
    ...                      eligibility="Inclusion Criteria:\n* ECOG 0-1\nExclusion Criteria:\n* Prior CAR-T therapy")
    >>> [(s.target, s.polarity, s.source) for s in extract_statements(record)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('ecog', 'required', 'eligibilityCriteria'), ('prior_car_t', 'excluded', 'eligibilityCriteria'),
     ('disease', 'required', 'conditions'), ('age', 'required', 'minimumAge')]
    """
    context = read_context(record)
    text = split_text(record.eligibility)
    found = [statement for read in READERS for statement in read(text, context)]
    found.sort(key=lambda statement: (statement.start, statement.end))
    return (*found, *_read_fields(record, found, context))


def read_context(record: TrialRecord) -> TrialContext:
    """Return what title, conditions and interventions tell."""
    products = " ; ".join((record.title, *record.interventions))
    names = fold_text(" ; ".join((*record.conditions, record.title)))
    diseases = tuple(dict.fromkeys(name for _, _, name in find_diseases(names, lower_text(names))))
    return TrialContext(
        find_product_targets(products), diseases, read_age(record.minimum_age), read_age(record.maximum_age)
    )


def _read_fields(record: TrialRecord, found: list[Statement], context: TrialContext) -> Iterator[Statement]:
    stated = {statement.target for statement in found if statement.polarity == REQUIRED}
    if "disease" not in stated:
        for position, condition in enumerate(record.conditions):
            yield from _read_condition(condition, position, context)
    if "age" not in stated:
        yield from _read_ages(record, context)


def _read_condition(condition: str, position: int, context: TrialContext) -> Iterator[Statement]:
    plain = fold_text(condition)
    narrow = [name for name in context.diseases if name not in BROAD]
    for start, end, name in find_diseases(plain, lower_text(plain)):
        if name in BROAD and narrow:
            continue
        yield Statement(
            "disease",
            REQUIRED,
            name,
            start,
            end,
            INCLUSION,
            predicate=ask_disease([name]),
            source="conditions",
            extra={"position": position},
        )


def _read_ages(record: TrialRecord, context: TrialContext) -> Iterator[Statement]:
    limits = {"min": context.minimum_age, "max": context.maximum_age}
    value = {name: limit for name, limit in limits.items() if limit is not None}
    if value:
        source, text = ("minimumAge", record.minimum_age) if "min" in value else ("maximumAge", record.maximum_age)
        yield Statement("age", REQUIRED, value, 0, len(text), INCLUSION, predicate=ask_age(value), source=source)
