"""Facts that trials ask for under other names than a record has them: the disease by its kinds, antigens by a word."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from livingdrug.options.antigen_names import ANTIGENS
from livingdrug.options.disease_names import is_kind_of, list_parents
from livingdrug.options.facts import Fact

FRACTION = "antigen_positive_fraction:"


def list_disease_facts(disease: Fact) -> Iterator[Fact]:
    """List of every disease that trials name whether the patient's is one; a subtype that is not known is left out.

    Examples
    --------
    >>> facts = {fact.name: fact.value for fact in list_disease_facts(Fact("disease", "lbcl"))}
    >>> facts["disease.b_nhl"], facts["disease.myeloma"], "disease.dlbcl" in facts
    (True, False, False)
    """
    own = str(disease.value)
    if own not in list_parents():
        return
    for name in list_parents():
        if is_kind_of(own, name):
            yield replace(disease, name=f"disease.{name}", value=True, note=own)
        elif not is_kind_of(name, own):
            yield replace(disease, name=f"disease.{name}", value=False, note=own)


def list_antigen_facts(facts: Iterable[Fact], negative_below: float) -> Iterator[Fact]:
    """List the antigens that were measured on the tumour as positive or negative, with the share of cells.

    Parameters
    ----------
    facts : iterable of Fact
    negative_below : number
        Share of cells below which a tumour is called negative.

    Examples
    --------
    >>> measured = [Fact("antigen_positive_fraction:BCMA", 0.9), Fact("antigen_positive_fraction:CD19", 0.01)]
    >>> [(fact.name, fact.value) for fact in list_antigen_facts(measured, 0.05)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('antigen.BCMA', 'positive'), ('antigen.BCMA.fraction', 0.9),
     ('antigen.CD19', 'negative'), ('antigen.CD19.fraction', 0.01)]
    """
    known = {name.upper(): name for name in ANTIGENS}
    for fact in facts:
        if not fact.name.startswith(FRACTION) or isinstance(fact.value, str | bool):
            continue
        given = fact.name.removeprefix(FRACTION)
        name = known.get(given.upper(), given)
        is_negative = fact.value < negative_below
        note = f"{fact.value:.1%} of cells"
        word = "negative" if is_negative else "positive"
        yield replace(fact, name=f"antigen.{name}", value=word, unit="", note=note, censored="none")
        yield replace(fact, name=f"antigen.{name}.fraction")
