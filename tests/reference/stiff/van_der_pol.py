"""The Van der Pol oscillator with mu = 1e3, time scaled by mu: ``epsilon = 1 / mu**2``."""

from livingdrug.core.model import Model, Quantity

VALUES = {"epsilon": 1e-6}


def rhs(day, y, p):
    return {"position": y.speed, "speed": ((1 - y.position**2) * y.speed - y.position) / p.epsilon}


MODEL = Model(
    name="van_der_pol",
    states=(Quantity("position", "1", "position", 1e-2), Quantity("speed", "1", "speed", 1e-2)),
    parameters=(Quantity("epsilon", "1", "stiffness"),),
    rhs=rhs,
    initial=lambda p: {"position": 2.0},
    source="vanderpol1926",
)
