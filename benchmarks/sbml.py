"""A traced model as SBML, for the peers that read it. Needs `python-libsbml`."""

from collections.abc import Mapping

import libsbml
import sympy as sp
from equations import Equations, name_shared
from sympy.printing.c import C99CodePrinter


class Printer(C99CodePrinter):
    """Prints SBML infix: powers with a caret, natural logarithm as ``ln``."""

    def _print_Pow(self, expr: sp.Pow) -> str:
        base, exponent = (self.parenthesize(a, 1000) for a in (expr.base, expr.exp))
        return f"1/{base}" if expr.exp == -1 else f"{base}^{exponent}"

    def _print_log(self, expr: sp.Expr) -> str:
        return f"ln({self._print(expr.args[0])})"

    def _print_Whole(self, expr: sp.Expr) -> str:
        return f"({self._print(expr.args[0])})"

    def _print_Rational(self, expr: sp.Rational) -> str:
        return f"({expr.p}/{expr.q})"


def write_sbml(equations: Equations, observed: Mapping[str, sp.Expr], *, with_constants: bool) -> str:
    """Return SBML level 3 with one rate rule per state and common subexpressions assigned once.

    With ``with_constants`` the hoisted constants are the only parameters (the caller computes them and the
    amounts at day 0 for each patient); otherwise the model's own parameters are, the constants are assigned
    from them, and day 0 is an initial assignment. ``observed``, in states and constants, is assigned to ``seen_NAME``.
    """
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    model.setId(equations.model.name)
    inputs = equations.k if with_constants else equations.p
    for symbol in inputs:
        add_parameter(model, symbol.name, 1.0, constant=True)
    if not with_constants:
        for symbol, constant in zip(equations.k, equations.constants, strict=True):
            add_assignment(model, symbol.name, constant, equations)
    shared, results = name_shared([*equations.rhs, *observed.values()])
    rates, seen = results[: len(equations.y)], results[len(equations.y) :]
    for symbol, expression in shared:
        add_assignment(model, symbol.name, expression, equations)
    for symbol, rate, start in zip(equations.y, rates, equations.initial, strict=True):
        add_parameter(model, symbol.name, 0.0, constant=False)
        rule = model.createRateRule()
        rule.setVariable(symbol.name)
        rule.setMath(parse(rate, equations))
        if not with_constants:
            assignment = model.createInitialAssignment()
            assignment.setSymbol(symbol.name)
            assignment.setMath(parse(start, equations))
    for name, expression in zip(observed, seen, strict=True):
        add_assignment(model, f"seen_{name}", expression, equations)
    return str(libsbml.writeSBMLToString(document))


def add_parameter(model: libsbml.Model, name: str, value: float, *, constant: bool) -> None:
    """Add a global parameter."""
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(constant)
    parameter.setValue(float(value))


def add_assignment(model: libsbml.Model, name: str, expression: sp.Expr, equations: Equations) -> None:
    """Add a quantity that always equals an expression."""
    add_parameter(model, name, 0.0, constant=False)
    rule = model.createAssignmentRule()
    rule.setVariable(name)
    rule.setMath(parse(expression, equations))


def parse(expression: sp.Expr, equations: Equations) -> libsbml.ASTNode:
    """Return the MathML tree of an expression; ``day`` becomes SBML's time."""
    text = Printer().doprint(expression.xreplace({equations.day: sp.Symbol("time")}))
    node = libsbml.parseL3Formula(text)
    if node is None:
        raise ValueError(f"SBML formula must parse, but was {text!r}: {libsbml.getLastParseL3Error()}")
    return node
