"""The linter of everything packaged here: each fault with its path.

Knowledge does not see the models; a caller that does passes them, and names and units are then
checked against them too.
"""

from collections.abc import Iterable, Mapping, Sequence

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet, Value, bind
from livingdrug.knowledge.option_check import check_options
from livingdrug.knowledge.parameters import list_correlations, list_parameters, read_document, read_parameters
from livingdrug.knowledge.rules import list_rules, read_rules
from livingdrug.knowledge.sources import NOT_MEASURED, Source, read_bibliography

_MEMORY = "from memory"


def check_all(models: Sequence[Model] = ()) -> list[Fault]:
    """List every fault of the packaged values, criteria and sources; an empty list means sound.

    Parameters
    ----------
    models : sequence of Model, optional
        With them, names and units are checked against the model that a set is for, and a source
        that nothing rests on is reported.

    Examples
    --------
    >>> [str(fault) for fault in check_all()]
    []
    """
    sources, faults = read_bibliography()
    used = {model.source for model in models}
    for name in list_parameters():
        values, more = read_parameters(name)
        faults += more
        if values is not None:
            carried = {**values.values, **list_correlations(read_document(name)[0])}
            faults += check_values(carried, sources, name) + check_against_models(values, models)
            used.update(value.source for value in carried.values())
    for name in list_rules():
        rules, more = read_rules(name)
        faults += more
        if rules is not None:
            faults += check_values(rules.thresholds, sources, name) + _check_keys([rules.source], sources, name)
            used.update([rules.source], (value.source for value in rules.thresholds.values()))
    faults += check_options()
    if models:
        faults += _check_keys((model.source for model in models), sources, "models")
        faults += check_unused(sources, used)
    return faults


def check_values(values: Mapping[str, Value], sources: Mapping[str, Source], where: str) -> list[Fault]:
    """Check values against the bibliography: known sources, and `assumed` where nothing was measured.

    Examples
    --------
    >>> value = Value(1.0, "1", "memory", "none", "reported")
    >>> check_values({"k": value}, {"memory": Source("memory", "misc")}, "x")[0].rule
    'must be assumed, for its source measured nothing'
    """
    faults: list[Fault] = []
    for name, value in values.items():
        path = f"{where}.{name}"
        faults += _check_keys([value.source], sources, f"{path}.source")
        is_measured = value.source not in NOT_MEASURED
        if not is_measured and value.how != "assumed":
            rule = "must be assumed, for its source measured nothing"
            faults.append(Fault(f"{path}.how", rule, repr(value.how), "write assumed, or name what was read"))
        if is_measured and value.how != "assumed" and _MEMORY in value.note.lower():
            rule = "must be assumed, for its note says that it is from memory"
            faults.append(Fault(f"{path}.how", rule, repr(value.how), "read the source, or write assumed"))
        if is_measured and value.where.strip().lower() == "none":
            rule = "must say the table, figure or page"
            faults.append(Fault(f"{path}.where", rule, repr(value.where), "say where the number stands"))
    return faults


def check_against_models(values: ParameterSet, models: Sequence[Model]) -> list[Fault]:
    """Check that a set names a known model and binds to it; nothing is checked without models."""
    if not models:
        return []
    model = next((model for model in models if model.name == values.model), None)
    if model is None:
        names = ", ".join(model.name for model in models)
        return [Fault(f"{values.name}.set.model", f"must be one of {names}", repr(values.model), "correct the name")]
    try:
        bind(model, values)
    except InputError as error:
        return list(error.faults)
    return []


def check_unused(sources: Mapping[str, Source], used: Iterable[str]) -> list[Fault]:
    """Report the publications that nothing rests on.

    Examples
    --------
    >>> [fault.was for fault in check_unused({"x2020": Source("x2020", "article")}, [])]
    ['nothing']
    """
    used = set(used)
    return [
        Fault(f"sources.bib, {key}", "must be what some value, rule or model rests on", "nothing", "remove the entry")
        for key, source in sources.items()
        if key not in used and source.kind != "misc"
    ]


def _check_keys(keys: Iterable[str], sources: Mapping[str, Source], where: str) -> list[Fault]:
    return [
        Fault(where, "must be a key of sources.bib", repr(key), "add an entry or correct the key")
        for key in keys
        if key not in sources
    ]
