"""Law 1: equations hold no numbers. Every number in a model's file is one of these, or a value without provenance.

Allowed are the whole numbers 0 to 4 (signs, shares such as ``1 - x``, squares, two divisions making
four cells) and the floor of a :class:`Quantity`, which is a tolerance of the solver and not biology.
"""

import ast
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "src" / "livingdrug" / "models"
STRUCTURAL = (0, 1, 2, 3, 4)
FLOOR_POSITION = 3


def floors(tree: ast.AST) -> set[int]:
    """Identities of the constants that stand in a Quantity's floor."""
    found: set[int] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Quantity":
            inside = [keyword.value for keyword in call.keywords if keyword.arg == "floor"]
            inside += call.args[FLOOR_POSITION:]
            found |= {id(node) for value in inside for node in ast.walk(value)}
    return found


def numbers_in(source: str) -> list[tuple[int, complex]]:
    """Line and value of every number that is not allowed."""
    tree = ast.parse(source)
    allowed = floors(tree)
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float | complex)
        and not isinstance(node.value, bool)
        and id(node) not in allowed
        and not (isinstance(node.value, int) and node.value in STRUCTURAL)
    ]


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.py")), ids=lambda path: str(path.relative_to(MODELS)))
def test_a_model_file_holds_no_number_that_belongs_in_a_value_file(path):
    assert numbers_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("planted", ["rate = 0.16 * x", "x / 5e8", "x ** 5", "x * 1.0", "Quantity('x', '1', 7)"])
def test_a_planted_number_is_found(planted):
    assert numbers_in(planted)


@pytest.mark.parametrize("fine", ["1 - x", "x ** 2", "4 * x", "Quantity('x', '1', 'y', floor=1e-9)", "y = True"])
def test_structure_and_solver_floors_are_allowed(fine):
    assert numbers_in(fine) == []
