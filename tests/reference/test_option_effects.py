"""The published table of simulated effects: complete, true to the packaged rows, and what the simulator says today."""

import csv
from pathlib import Path

import pytest

from livingdrug.knowledge.options import load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.after_failure import find_failed
from livingdrug.study.simulate_options import simulate_options

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
KNOWN = load_options()
EVERY = {**KNOWN.options, **KNOWN.pooled}
NOT_FITTED = ("solid",)
MISSED = {
    ("myeloma.bispecific.bcma", "NE-037"),
    ("myeloma.bispecific.gprc5d", "NE-046"),
    ("myeloma.car.bcma_other", "NE-036"),
}
"""Rows without an interval that one strength cannot meet to a point together with their time, or with other rows."""


@pytest.fixture(scope="module")
def rows():
    with (REFERENCE / "option_effects.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_option_that_is_simulated_stands_in_the_table_with_response_time_and_cytokine_release(rows):
    wanted = {
        option.id
        for option in EVERY.values()
        if option.simulation.lever != "none" and not set(option.diseases) & set(NOT_FITTED)
    }
    assert {row["option"] for row in rows} == wanted
    assert all(row["simulated_response"] and row["simulated_months"] and row["simulated_crs_grade3"] for row in rows)


def test_published_numbers_are_those_of_the_packaged_rows(rows):
    for row in rows:
        if row["row"]:
            outcomes = KNOWN.evidence[row["row"]].outcomes
            told = outcomes.get("orr_pct", outcomes.get("cr_pct"))
            shown = float(row["published_response"]) if row["published_response"] else None
            assert shown == (told if isinstance(told, int | float) else None), row


def test_what_was_fitted_to_a_response_lies_in_the_interval_of_its_row(rows):
    fitted = [row for row in rows if row["use"].startswith("fitted to response")]
    assert len(fitted) >= 18
    missed = {
        (row["option"], row["row"])
        for row in fitted
        if row["distance"] != "inside" and (row["low"] or abs(float(row["distance"].split()[0])) > 1)
    }
    assert missed == MISSED


def test_options_say_of_themselves_what_the_table_says(rows):
    for row in rows:
        effect = EVERY[row["option"]].simulation
        if row["use"].startswith("fitted"):
            assert effect.strength == "fitted"
            assert row["row"] in effect.compared_with
        assert row["crs"] == (effect.crs[0] if effect.crs else row["crs"])


def test_the_page_shows_the_table(rows):
    page = (REFERENCE / "options.md").read_text(encoding="utf-8")
    shown = page.split("<!-- option_effects.csv -->")[1].split("<!-- end")[0]
    lines = [line for line in shown.splitlines() if line.startswith("| `")]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert f"`{row['option']}`" in line
        assert f"{row['simulated_response']} %" in line


def test_the_simulator_says_today_what_the_table_says(rows):
    table = {row["option"]: row for row in rows}
    settings = load_rules("options/1")
    start = find_failed("lbcl", 400, 20261121, jobs=1)
    chosen = [KNOWN.options[name] for name in ("lbcl.chemotherapy", "lbcl.bispecific.cd20", "lbcl.car.cd22")]
    found = simulate_options(chosen, start, settings, evidence=KNOWN.evidence, jobs=1)[0]
    for option in chosen:
        assert 100 * found[option.id].response == pytest.approx(float(table[option.id]["simulated_response"]), abs=3)
        assert 100 * found[option.id].crs_grade3 == pytest.approx(
            float(table[option.id]["simulated_crs_grade3"]), abs=4
        )
