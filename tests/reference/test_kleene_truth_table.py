"""The five states join by Kleene's strong logic: the printed table, for predicates and for bare states."""

import json
from pathlib import Path

import pytest

from livingdrug.core.fact_state import FactState, join_all, join_any
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.predicate import decode_predicate, evaluate

TABLE = json.loads((Path(__file__).parent / "kleene_truth_table.json").read_text(encoding="utf-8"))
STATES = {True: FactState.MET, False: FactState.NOT_MET, None: FactState.UNKNOWN}
JOINS = {"all": join_all, "any": join_any, "not": lambda states: ~states[0]}
IDS = [f"{row['op']} {row['args']}" for row in TABLE]


def test_the_printed_table_has_every_pair_of_three_values():
    assert len(TABLE) == 21


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_states_join_as_the_printed_table_says(row):
    assert JOINS[row["op"]]([STATES[value] for value in row["args"]]) == STATES[row["expect"]]


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_predicates_over_facts_come_to_what_the_printed_table_says(row):
    facts = {f"f{i}": (Fact(f"f{i}", value),) for i, value in enumerate(row["args"]) if value is not None}
    leaves = [{"fact": f"f{i}", "eq": True} for i in range(len(row["args"]))]
    rule = {"not": leaves[0]} if row["op"] == "not" else {row["op"]: leaves}
    trace = evaluate(decode_predicate(rule), FactTable(facts))
    assert trace.state == STATES[row["expect"]]
    assert bool(trace.asks) == (row["expect"] is None)
