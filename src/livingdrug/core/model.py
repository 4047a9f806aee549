"""A model: named states and parameters, and how the states change.

A :class:`Model` holds equations and no numbers. Its functions are ordinary Python written with
``+ - * /``, small integer powers and :func:`exp`, :func:`log`, :func:`sqrt`, :func:`power` of
:mod:`livingdrug.core.arithmetic`; called with floats they are the reference, called with symbols
they are what the engine differentiates and compiles.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from livingdrug.core.errors import InputError

Function = Callable[[Any, Any, Any], Mapping[str, Any]]
"""``f(day, y, p)``: states and parameters are read as attributes; names to values come back."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A name, its unit and what it means: one line of a model.

    ``floor`` is the amount below which a state no longer matters (its absolute tolerance is
    ``floor`` times the relative one); parameters and outputs leave it at 0.
    """

    name: str
    unit: str
    meaning: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """Equations without numbers.

    Parameters
    ----------
    name : str
    states, parameters, outputs : tuple of Quantity
        Outputs are what can be looked at besides the states.
    rhs : function ``(day, y, p) -> {state: rate per day}``
    initial : function ``(p) -> {state: amount at day 0}``
        May use the parameters only; states left out start at 0.
    observe : function ``(day, y, p) -> {output: value}``, optional
    source : str
        Key of the bibliography.

    Raises
    ------
    InputError
        If a name stands twice or is not a Python identifier.

    Examples
    --------
    >>> decay = Model(
    ...     name="decay",
    ...     states=(Quantity("x", "1", "amount"),),
    ...     parameters=(Quantity("k", "1/day", "loss rate"), Quantity("x0", "1", "start")),
    ...     rhs=lambda day, y, p: {"x": -p.k * y.x},
    ...     initial=lambda p: {"x": p.x0},
    ...     source="illustrative",
    ... )
    >>> decay.state_names, decay.parameter_names
    (('x',), ('k', 'x0'))
    """

    name: str
    states: tuple[Quantity, ...]
    parameters: tuple[Quantity, ...]
    rhs: Function
    initial: Callable[[Any], Mapping[str, Any]]
    source: str
    outputs: tuple[Quantity, ...] = ()
    observe: Function | None = None

    def __post_init__(self) -> None:
        names = [q.name for q in (*self.states, *self.parameters, *self.outputs)]
        for name in names:
            if not name.isidentifier() or names.count(name) > 1:
                raise InputError(
                    f"a name in model `{self.name}` must be an identifier and stand once, but was {name!r}. "
                    "Hint: rename the state, parameter or output."
                )
        if bool(self.outputs) != (self.observe is not None):
            raise InputError(
                f"`outputs` and `observe` of model `{self.name}` must be given together, but one was missing. "
                "Hint: name every output that `observe` returns."
            )

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states, in order."""
        return tuple(q.name for q in self.states)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(q.name for q in self.parameters)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return tuple(q.name for q in self.outputs)


def describe_values(name: str, parameters: tuple[Quantity, ...], *, source: str) -> Model:
    """Return a model without states: values with nothing to solve, for what is computed in closed form.

    Examples
    --------
    >>> describe_values("fate", (Quantity("late", "1/day", "hazard"),), source="design").state_names
    ()
    """
    return Model(name, (), parameters, rhs=lambda *_: {}, initial=lambda _: {}, source=source)
