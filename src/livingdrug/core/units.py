"""Units: what a text says, and whether and how it converts to another.

The grammar is that of UCUM as far as laboratories use it (``10*9/L``, ``mg/dL``, ``mm[Hg]``, ``{annotations}``),
plus the plain spellings of models and of clinical files (``1e9 cells``, ``cells/uL``, ``mg/24h``, ``K/uL``).
What is counted keeps its name: cells, copies, molecules and enzyme units do not convert into one another.
A unit that is not understood is None, never a guess.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

Dimensions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor and the dimensions it multiplies, in sorted order."""

    factor: float
    dimensions: Dimensions


def _unit(factor: float, **dimensions: int) -> Unit:
    return Unit(factor, tuple(sorted(dimensions.items())))


_METRIC: Mapping[str, Unit] = {
    "g": _unit(1.0, mass=1),
    "m": _unit(1.0, length=1),
    "L": _unit(1e-3, length=3),
    "l": _unit(1e-3, length=3),
    "mol": _unit(1.0, substance=1),
    "M": _unit(1e3, substance=1, length=-3),
    "s": _unit(1.0, time=1),
    "Gy": _unit(1.0, dose=1),
    "Da": _unit(1.0, molar_mass=1),
    "kat": _unit(6e7, enzyme=1),
}
_PREFIXES: Mapping[str, float] = {
    "k": 1e3,
    "d": 1e-1,
    "c": 1e-2,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
    "f": 1e-15,
}
_DAY = 86400.0
_WHOLE: Mapping[str, Unit] = {
    "%": _unit(0.01),
    "percent": _unit(0.01),
    "fraction": _unit(1.0),
    "min": _unit(60.0, time=1),
    "h": _unit(3600.0, time=1),
    "hr": _unit(3600.0, time=1),
    "hour": _unit(3600.0, time=1),
    "hours": _unit(3600.0, time=1),
    "d": _unit(_DAY, time=1),
    "day": _unit(_DAY, time=1),
    "days": _unit(_DAY, time=1),
    "wk": _unit(7 * _DAY, time=1),
    "week": _unit(7 * _DAY, time=1),
    "weeks": _unit(7 * _DAY, time=1),
    "cell": _unit(1.0, cell=1),
    "cells": _unit(1.0, cell=1),
    "copy": _unit(1.0, copy=1),
    "copies": _unit(1.0, copy=1),
    "molecule": _unit(1.0, molecule=1),
    "molecules": _unit(1.0, molecule=1),
    "complexes": _unit(1.0, complex=1),
    "U": _unit(1.0, enzyme=1),
    "[U]": _unit(1.0, enzyme=1),
    "IU": _unit(1.0, international=1),
    "[iU]": _unit(1.0, international=1),
    "mmHg": _unit(1.0, pressure=1),
    "mm[Hg]": _unit(1.0, pressure=1),
    "Cel": _unit(1.0, temperature=1),
    "hrs": _unit(3600.0, time=1),
    "gm": _unit(1.0, mass=1),
    "mcg": _unit(1e-6, mass=1),
    "mcL": _unit(1e-9, length=3),
    "mcmol": _unit(1e-6, substance=1),
    "cc": _unit(1e-6, length=3),
    "K": _unit(1e3),
    "count": _unit(1.0),
    "score": _unit(1.0),
}
_TOKEN = re.compile(
    r"\s*(?:(?P<power>(?:x\s*)?10[*^](?P<exponent>[+-]?\d{1,2}(?!\d)))"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>%|[A-Za-z]*\[[A-Za-z]+\]|[A-Za-z]+)(?P<raised>\^?[+-]?\d(?!\d))?"
    r"|(?P<sign>[*./()]))"
)
_SPELLINGS = str.maketrans({"µ": "u", "μ": "u", "×": "x", "·": "*", "⋅": "*", "−": "-"})
_RAISED = re.compile("[⁻⁰¹²³⁴-⁹]+")
_PLAIN_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_DEGREES = {"°C": "Cel", "degC": "Cel", "C": "Cel", "°F": "[degF]", "degF": "[degF]", "F": "[degF]"}
_DEGREES |= {"deg C": "Cel", "deg F": "[degF]", "mm Hg": "mm[Hg]"}
_COUNTED = re.compile(r"^\{(copies)\}")
_LONGEST = 64
_AMBIGUOUS_POWER = re.compile(r"(?<![\d.])10([eE]\+?\d|[*^][+-]?\d{3})")


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit | None:
    """Read a unit; None where it is not understood.

    ``10E9/L`` is not understood: it is written for 1e9 and reads as 1e10.

    Examples
    --------
    >>> parse_unit("g/L")
    Unit(factor=1000.0, dimensions=(('length', -3), ('mass', 1)))
    >>> parse_unit("mg/") is None, parse_unit("cels") is None, parse_unit("10E9/L") is None
    (True, True, True)
    """
    if not text.strip() or len(text) > _LONGEST:
        return None
    plain = _RAISED.sub(lambda digits: f"^{digits[0].translate(_PLAIN_DIGITS)}", text.strip().translate(_SPELLINGS))
    plain = _COUNTED.sub(r"\1", plain)
    plain = re.sub(r"(?<=[/.*(])\{[^{}]*\}", "1", _DEGREES.get(plain, plain))
    plain = re.sub(r"^\{[^{}]*\}[.*]|\{[^{}]*\}", "", plain).strip()
    if _AMBIGUOUS_POWER.search(plain):
        return None
    tokens = _split(f"1{plain}" if plain.startswith("/") else plain or "1")
    if tokens is None:
        return None
    try:
        unit, rest = _read_product(tokens, 0)
    except (_NotAUnitError, ArithmeticError):
        return None
    is_whole = rest == len(tokens) and 0 < unit.factor < math.inf
    return unit if is_whole else None


class _NotAUnitError(Exception):
    """The text is not a unit."""


def _split(text: str) -> list[re.Match[str]] | None:
    tokens: list[re.Match[str]] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or token.end() == position:
            return None
        tokens.append(token)
        position = token.end()
    return tokens


def _read_product(tokens: list[re.Match[str]], start: int) -> tuple[Unit, int]:
    total, position = _read_factor(tokens, start)
    while position < len(tokens) and tokens[position]["sign"] != ")":
        sign = tokens[position]["sign"]
        if sign in {None, "("}:
            raise _NotAUnitError
        unit, position = _read_factor(tokens, position + 1)
        total = _multiply(total, unit, -1 if sign == "/" else 1)
    return total, position


def _read_factor(tokens: list[re.Match[str]], position: int) -> tuple[Unit, int]:
    if position >= len(tokens):
        raise _NotAUnitError
    token = tokens[position]
    if token["sign"] == "(":
        unit, position = _read_product(tokens, position + 1)
        if position >= len(tokens):
            raise _NotAUnitError
        return unit, position + 1
    if token["sign"]:
        raise _NotAUnitError
    if token["power"] or token["number"]:
        return _read_counted(tokens, position)
    unit = _find_atom(token["name"])
    raised = int((token["raised"] or "1").lstrip("^"))
    return _multiply(_unit(1.0), unit, raised), position + 1


def _read_counted(tokens: list[re.Match[str]], position: int) -> tuple[Unit, int]:
    """Read a number and the name it counts: ``24h`` and ``1e9 cells`` are one factor, also below a stroke."""
    token = tokens[position]
    number = _unit(10.0 ** int(token["exponent"]) if token["power"] else float(token["number"]))
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is not None and following["name"]:
        unit, position = _read_factor(tokens, position + 1)
        return _multiply(number, unit, 1), position
    return number, position + 1


def _find_atom(name: str) -> Unit:
    if name in _WHOLE:
        return _WHOLE[name]
    if name in _METRIC:
        return _METRIC[name]
    prefix, rest = name[:1], name[1:]
    if prefix in _PREFIXES and rest in _METRIC:
        unit = _METRIC[rest]
        return Unit(unit.factor * _PREFIXES[prefix], unit.dimensions)
    if prefix in _PREFIXES and rest in {"U", "IU"}:
        unit = _WHOLE[rest]
        return Unit(unit.factor * _PREFIXES[prefix], unit.dimensions)
    raise _NotAUnitError


def _multiply(a: Unit, b: Unit, power: int) -> Unit:
    dimensions = dict(a.dimensions)
    for name, exponent in b.dimensions:
        dimensions[name] = dimensions.get(name, 0) + power * exponent
    kept = tuple(sorted((name, n) for name, n in dimensions.items() if n))
    return Unit(a.factor * b.factor**power, kept)


def compute_factor(unit: str, to: str) -> float | None:
    """Return what a value in ``unit`` is multiplied by to be in ``to``; None where they do not convert.

    Examples
    --------
    >>> compute_factor("g/L", "g/dL"), compute_factor("cells", "copies"), compute_factor("mg/24h", "mg/day")
    (0.1, None, 1.0)
    """
    if unit == to:
        return 1.0 if parse_unit(unit) is not None else None
    a, b = parse_unit(unit), parse_unit(to)
    if a is None or b is None or a.dimensions != b.dimensions:
        return None
    return _clean(a.factor / b.factor)


def _clean(factor: float) -> float:
    """Remove the rounding that a product of powers of ten leaves behind."""
    return float(f"{factor:.15g}")


def compute_conversion(unit: str, to: str) -> tuple[float, float] | None:
    """Return factor and offset of a conversion; only temperatures have an offset. None where it cannot be done.

    Examples
    --------
    >>> compute_conversion("g/L", "mg/dL"), compute_conversion("Cel", "g/L")
    ((100.0, 0.0), None)
    """
    if _DEGREES.get(unit, unit) == "[degF]" and _DEGREES.get(to, to) == "Cel":
        return 5.0 / 9.0, -160.0 / 9.0
    factor = compute_factor(unit, to)
    return None if factor is None else (factor, 0.0)


def convert(value: float, unit: str, to: str) -> float | None:
    """Convert a value; None where it cannot be done.

    Examples
    --------
    >>> convert(2.0, "mg/dL", "mg/L"), convert(98.6, "[degF]", "Cel")
    (20.0, 37.0)
    """
    conversion = compute_conversion(unit, to)
    return None if conversion is None else _clean(value * conversion[0] + conversion[1])
