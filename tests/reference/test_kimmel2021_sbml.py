"""The Kimmel 2021 equations against BIOMD0000001041, evaluated here from its MathML.

`biomd1041_values.csv` keeps the file's numbers, so that this runs without the file too.
"""

import csv
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.kimmel2021 import KIMMEL2021

HERE = Path(__file__).parent
SBML = HERE.parents[2] / "shared" / "data" / "models" / "sbml" / "BIOMD0000001041_kimmel2021.xml"
NAMES = {
    "gamma_B": "g_B",
    "Normal_T_cells": "N_0",
    "CAR_T_cells": "C_0",
    "Antigen_presenting_tumour_cells": "B_0",
}
STATES = ("Normal_T_cells", "CAR_T_cells", "Antigen_presenting_tumour_cells")
POINTS = ((6.0, 0.36, 94.86), (40.0, 30.0, 1.0), (130.0, 9.0, 1e-6), (480.0, 0.01, 50.0))
ARITHMETIC = {
    "plus": lambda *x: math.fsum(x),
    "times": lambda *x: math.prod(x),
    "minus": lambda *x: -x[0] if len(x) == 1 else x[0] - x[1],
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "ln": math.log,
}


def rows(kind):
    with (HERE / "biomd1041_values.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(x for x in file if not x.startswith("#")) if row["kind"] == kind]


def values_of_our_set():
    return {name: value.value for name, value in load_parameters("kimmel2021").values.items()}


def our_rates(point):
    state = SimpleNamespace(**dict(zip(KIMMEL2021.state_names, point, strict=True)))
    rates = KIMMEL2021.rhs(0.0, state, SimpleNamespace(**values_of_our_set()))
    return [rates[name] for name in KIMMEL2021.state_names]


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def evaluate(node, names, functions):
    """Value of one MathML element."""
    if local(node) == "cn":
        return float(node.text)
    if local(node) == "ci":
        return names[node.text.strip()]
    head, *rest = node
    arguments = [evaluate(child, names, functions) for child in rest]
    if local(head) != "ci":
        return ARITHMETIC[local(head)](*arguments)
    *bound, body = functions[head.text.strip()]
    called = {name[0].text.strip(): value for name, value in zip(bound, arguments, strict=True)}
    return evaluate(body, called, functions)


def sbml_rates(point):
    model = ET.parse(SBML).getroot()[0]
    ns = {"s": model.tag.split("}")[0][1:], "m": "http://www.w3.org/1998/Math/MathML"}
    functions = {f.get("id"): list(f.find(".//m:lambda", ns)) for f in model.iterfind(".//s:functionDefinition", ns)}
    names = {p.get("id"): float(p.get("value")) for p in model.iterfind("./s:listOfParameters/s:parameter", ns)}
    names |= {"compartment": 1.0} | dict(zip(STATES, point, strict=True))
    for rule in model.iterfind(".//s:assignmentRule", ns):
        names[rule.get("variable")] = evaluate(rule.find("m:math", ns)[0], names, functions)
    rates = dict.fromkeys(STATES, 0.0)
    for reaction in model.iterfind(".//s:reaction", ns):
        speed = evaluate(reaction.find("s:kineticLaw/m:math", ns)[0], names, functions)
        for group, sign in (("listOfReactants", -1.0), ("listOfProducts", 1.0)):
            for reference in reaction.iterfind(f"s:{group}/s:speciesReference", ns):
                rates[reference.get("species")] += sign * float(reference.get("stoichiometry", "1")) * speed
    return [rates[name] for name in STATES]


def test_our_values_are_those_of_the_file():
    ours = values_of_our_set()
    assert {NAMES.get(row["id"], row["id"]): float(row["number"]) for row in rows("value")} == ours


@pytest.mark.parametrize("row", rows("rate"), ids=lambda row: f"{row['id']} at {row['state']}")
def test_our_rates_are_those_noted_from_the_file(row):
    point = [float(x) for x in row["state"].split(";")]
    assert our_rates(point)[STATES.index(row["id"])] == pytest.approx(float(row["number"]), rel=1e-12)


@pytest.mark.needs_shared
@pytest.mark.skipif(not SBML.exists(), reason="the team's library is not beside the checkout")
@pytest.mark.parametrize("point", POINTS)
def test_our_rates_are_those_that_the_file_computes(point):
    assert our_rates(point) == pytest.approx(sbml_rates(point), rel=1e-12)
