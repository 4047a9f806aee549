"""HIRES: the high irradiance response of plants (Schaefer 1975), eight substances."""

from livingdrug.core.model import Model, Quantity

VALUES = {"k1": 1.71, "k2": 0.43, "k3": 8.32, "k4": 0.69, "k5": 0.035, "k6": 280.0, "oks": 0.0007}


def rhs(day, y, p):
    binding = p.k6 * y.y6 * y.y8
    release = (p.k2 + 2 * p.k4) * y.y7
    return {
        "y1": -p.k1 * y.y1 + p.k2 * y.y2 + p.k3 * y.y3 + p.oks,
        "y2": p.k1 * y.y1 - (p.k2 + p.k3) * y.y2,
        "y3": -(p.k1 + p.k3) * y.y3 + p.k2 * y.y4 + p.k5 * y.y5,
        "y4": p.k3 * y.y2 + p.k1 * y.y3 - (p.k2 + p.k4) * y.y4,
        "y5": -(p.k5 + p.k1) * y.y5 + p.k2 * y.y6 + p.k2 * y.y7,
        "y6": -binding + p.k4 * y.y4 + p.k1 * y.y5 - p.k2 * y.y6 + p.k4 * y.y7,
        "y7": binding - release,
        "y8": -binding + release,
    }


MODEL = Model(
    name="hires",
    states=tuple(Quantity(f"y{i}", "1", "phytochrome form", 1e-6) for i in range(1, 9)),
    parameters=tuple(Quantity(name, "1/day", "rate") for name in VALUES),
    rhs=rhs,
    initial=lambda p: {"y1": 1.0, "y8": 0.0057},
    source="schaefer1975",
)
