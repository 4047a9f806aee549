"""Robertson's autocatalytic reaction (1966): three substances, rates over nine orders of magnitude."""

from livingdrug.core.model import Model, Quantity

VALUES = {"k1": 0.04, "k2": 3e7, "k3": 1e4}


def rhs(day, y, p):
    slow, fast, back = p.k1 * y.a, p.k2 * y.b**2, p.k3 * y.b * y.c
    return {"a": -slow + back, "b": slow - back - fast, "c": fast}


MODEL = Model(
    name="robertson",
    states=(Quantity("a", "1", "A", 1e-8), Quantity("b", "1", "B", 1e-13), Quantity("c", "1", "C", 1e-3)),
    parameters=tuple(Quantity(name, "1/day", "rate") for name in VALUES),
    rhs=rhs,
    initial=lambda p: {"a": 1.0},
    source="robertson1966",
)
