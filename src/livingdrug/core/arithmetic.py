"""The functions beyond ``+ - * /`` that an equation may use, for floats and symbols alike.

A symbol answers through its own method of the same name; anything else is taken as a number.

Examples
--------
>>> power(4.0, 0.5), exp(0.0)
(2.0, 1.0)
"""

import math
from typing import Any


def exp(x: Any) -> Any:
    """Return e to the power ``x``."""
    return x.exp() if hasattr(x, "exp") else math.exp(x)


def log(x: Any) -> Any:
    """Return the natural logarithm of ``x``."""
    return x.log() if hasattr(x, "log") else math.log(x)


def sqrt(x: Any) -> Any:
    """Return the square root of ``x``."""
    return x.sqrt() if hasattr(x, "sqrt") else math.sqrt(x)


def power(x: Any, exponent: Any) -> Any:
    """Return ``x`` to any real power; ``x`` must be positive (integer powers are written ``x**2``)."""
    if hasattr(x, "log") or hasattr(exponent, "log"):
        return exp(exponent * log(x))
    return float(x**exponent)
