"""Leave out what nobody asks for: a model with only the states that can influence certain quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Any

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model
from livingdrug.engine.graph import Graph, Names, Node, Symbol
from livingdrug.engine.trace import trace_model


def restrict_model(model: Model, keep: Sequence[str]) -> Model:
    """Return the part of a model that decides the states and outputs ``keep``.

    A state stays if a kept quantity, or the rate of a state that stays, depends on it. The parameters
    stay as they are.

    Raises
    ------
    InputError
        If a name is neither a state nor an output of the model.

    Examples
    --------
    >>> from livingdrug.core.model import Quantity
    >>> chain = Model("chain", (Quantity("a", "1", ""), Quantity("b", "1", "")), (Quantity("k", "1/day", ""),),
    ...               lambda day, y, p: {"a": -p.k * y.a, "b": p.k * y.a}, lambda p: {"a": 1.0}, "illustrative")
    >>> restrict_model(chain, ["a"]).state_names, restrict_model(chain, ["b"]).state_names
    (('a',), ('a', 'b'))
    """
    for name in keep:
        if name not in (*model.state_names, *model.output_names):
            raise InputError(
                f"`keep` must name states or outputs of {model.name}, but was {name!r}. Hint: see its list."
            )
    trace = trace_model(model)
    rates = dict(zip(model.state_names, trace.rhs, strict=True))
    seen = dict(zip(model.output_names, trace.observe, strict=True))
    needed = {name for name in keep if name in rates}
    for name in keep:
        if name in seen:
            needed |= _states_of(trace.graph, seen[name], model)
    waiting = list(needed)
    while waiting:
        for name in _states_of(trace.graph, rates[waiting.pop()], model) - needed:
            needed.add(name)
            waiting.append(name)
    states = tuple(q for q in model.states if q.name in needed)
    outputs = tuple(q for q in model.outputs if q.name in keep)
    return replace(
        model,
        states=states,
        outputs=outputs,
        rhs=_Part(model, model.rhs, tuple(q.name for q in states)),
        initial=lambda p: {name: start for name, start in model.initial(p).items() if name in needed},
        observe=_Part(model, model.observe, tuple(q.name for q in outputs)) if outputs else None,
    )


def _states_of(graph: Graph, root: Node, model: Model) -> set[str]:
    keys = (graph.keys[node] for node in graph.needed([root]))
    return {model.state_names[key[2]] for key in keys if key[:2] == ("input", "y")}


class _Part:
    """A function of a model that returns some of its names; states that are left out stand as unknown."""

    __slots__ = ("_function", "_model", "_names")

    def __init__(self, model: Model, function: Any, names: tuple[str, ...]) -> None:
        self._model, self._function, self._names = model, function, names

    def __call__(self, day: Any, y: Any, p: Any) -> Mapping[str, Any]:
        states = {name: getattr(y, name, _stand_in(day, i)) for i, name in enumerate(self._model.state_names)}
        values = self._function(day, Names(states), p)
        return {name: values[name] for name in self._names}


def _stand_in(day: Any, i: int) -> Any:
    """Return what stands for state i where it is left out: nothing that is kept depends on it."""
    return day.graph.symbol("left out", i) if isinstance(day, Symbol) else nan
