"""Python source text of a traced model's rates and Jacobian, for Numba and JAX alike."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp
from equations import Equations, name_shared
from sympy.printing.pycode import PythonCodePrinter


def write_function(
    name: str, equations: Equations, expressions: Sequence[sp.Expr], store: Callable[[int, str], str], ending: str = ""
) -> str:
    """Return ``def name(day, y, k, out)`` with common subexpressions computed once.

    ``store(i, text)`` says how result ``i`` is kept; ``ending`` is the last line.
    """
    shared, results = name_shared(expressions)
    printer = PythonCodePrinter({"fully_qualified_modules": False, "standard": "python3"})
    lines = [f"def {name}(day, y, k, out):"]
    used = set().union(*(e.free_symbols for e in expressions))
    lines += [f"    {s} = y[{i}]" for i, s in enumerate(equations.y) if s in used]
    lines += [f"    {s} = k[{i}]" for i, s in enumerate(equations.k) if s in used]
    lines += [f"    {s} = {printer.doprint(e)}" for s, e in shared]
    lines += [f"    {store(i, printer.doprint(e))}" for i, e in enumerate(results)]
    return "\n".join([*lines, f"    {ending}" if ending else "", ""])


def write_functions(equations: Equations) -> str:
    """Return the text of ``rates(day, y, k, out)`` and ``jacobian(day, y, k, out[state, state])``."""
    entries = equations.jacobian
    places = list(entries)
    return (
        "from math import exp, log, sqrt\n"
        + write_function("rates", equations, equations.rhs, lambda i, e: f"out[{i}] = {e}")
        + write_function(
            "jacobian", equations, list(entries.values()), lambda i, e: f"out[{places[i][0]}, {places[i][1]}] = {e}"
        )
    )


def build_functions(text: str, jit: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Return the functions of such a text after ``jit``."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<model>", "exec"), namespace)
    return jit(namespace["rates"]), jit(namespace["jacobian"])
