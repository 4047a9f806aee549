"""Pollution: air chemistry of 20 substances and 25 reactions (Verwer 1994)."""

from livingdrug.core.model import Model, Quantity

RATES = (0.35, 26.6, 1.23e4, 8.6e-4, 8.2e-4, 1.5e4, 1.3e-4, 2.4e4, 1.65e4, 9e3, 0.022, 1.2e4, 1.88, 1.63e4, 4.8e6,
         3.5e-4, 0.0175, 1e8, 4.44e11, 1.24e3, 2.1, 5.78, 0.0474, 1.78e3, 3.12)  # fmt: skip
VALUES = {f"k{i}": rate for i, rate in enumerate(RATES, start=1)}

# reactions: consumed -> produced, by state number
REACTIONS = (
    ((1,), (2, 3)), ((2, 4), (1,)), ((5, 2), (1, 6)), ((7,), (5, 5, 8)), ((7,), (8,)), ((7, 6), (8, 5)),
    ((9,), (10, 8, 5)), ((9, 6), (11,)), ((11, 2), (1, 10, 12)), ((11, 1), (13,)), ((13,), (11, 1)),
    ((10, 2), (14, 1)), ((14,), (7, 5)), ((1, 6), (15,)), ((3,), (4,)), ((4,), (16,)), ((4,), (3,)),
    ((16,), (6, 6)), ((16,), (3,)), ((17, 6), (5, 18)), ((19,), (2,)), ((19,), (1, 3)), ((1, 4), (19,)),
    ((19, 1), (20,)), ((20,), (1, 19)),
)  # fmt: skip
START = {2: 0.2, 4: 0.04, 7: 0.1, 8: 0.3, 9: 0.01, 17: 0.007}


def rhs(day, y, p):
    rates = dict.fromkeys(range(1, 21), 0.0)
    for number, (consumed, produced) in enumerate(REACTIONS, start=1):
        speed = getattr(p, f"k{number}")
        for i in consumed:
            speed = speed * getattr(y, f"y{i}")
        for i in consumed:
            rates[i] = rates[i] - speed
        for i in produced:
            rates[i] = rates[i] + speed
    return {f"y{i}": rate for i, rate in rates.items()}


MODEL = Model(
    name="pollution",
    states=tuple(Quantity(f"y{i}", "ppm", "concentration", 1e-18 if i == 16 else 1e-9) for i in range(1, 21)),
    parameters=tuple(Quantity(name, "1/min", "rate") for name in VALUES),
    rhs=rhs,
    initial=lambda p: {f"y{i}": amount for i, amount in START.items()},
    source="verwer1994",
)
