"""E5: a chemical pyrolysis (Enright and Hull 1976), amounts over twenty orders of magnitude, time to 1e13.

Written with the invariant ``y3 = y2 - y4``: as four equations, the rounding of a double alone moves the invariant
by more than the end values, 1e-22, over 1e13 days.
"""

from livingdrug.core.model import Model, Quantity

VALUES = {"a": 7.89e-10, "b": 1.1e7, "c": 1.13e3, "m": 1e6}


def rhs(day, y, p):
    y3 = y.y2 - y.y4
    split, attack = p.a * y.y1, p.b * y.y1 * y3
    return {"y1": -split - attack, "y2": split - p.m * p.c * y.y2 * y3, "y4": attack - p.c * y.y4}


MODEL = Model(
    name="e5",
    states=(Quantity("y1", "1", "amount", 1e-40), Quantity("y2", "1", "amount", 1e-24),
            Quantity("y4", "1", "amount", 1e-24)),
    parameters=tuple(Quantity(name, "1/day", "rate") for name in VALUES),
    outputs=(Quantity("y3", "1", "amount", 1e-24),),
    rhs=rhs,
    initial=lambda p: {"y1": 1.76e-3},
    observe=lambda day, y, p: {"y3": y.y2 - y.y4},
    source="enright1976",
)  # fmt: skip
