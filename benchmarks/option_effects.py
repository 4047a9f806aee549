"""Fit the simulated strength of each option to the response rate, and its duration to the median time, of one row.

The people are virtual patients of the disease whose tumour came back about when it does in the rows. What is fitted is
printed as the values of the option files; ``--check`` prints simulated against published for every option instead.

Run: ``PYTHONPATH=src python benchmarks/option_effects.py [--check] [--out FILE]``
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.options import load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.option_courses import start_from_population
from livingdrug.study.simulate_options import simulate_options

PEOPLE = {"myeloma": ("ide_cel", 300.0), "lbcl": ("axi_cel", 100.0), "b_all": ("tisa_cel", 180.0)}
"""Product and day of failure of the virtual patients."""
SPREAD, DURATION = 1.0, 84.0
OF_FIRST_ANTIGEN = ("antigen_kill", "second_infusion", "same_target_car")
DRUGS = ("kill", "antigen_kill", "checkpoint")
LIMITS = {"kill": (1e-3, 3.0), "potency": (1e-4, 1e2)}
ROUNDS, HALVINGS = 2, 11
SEED = 20261121


def keep_carriers(start):
    """The people of a trial of an agent against the first antigen: at failure most of their tumour carries it."""
    states = ("tumour_high", "tumour_low", "tumour_negative")
    solution = solve(compile_model(UNIFIED, keep=states), start.parameters, [start.day], keep=states, rtol=1e-4)
    high, low, negative = (solution.at(name)[:, 0] for name in states)
    return replace(start, parameters=start.parameters[high + low > negative])


def published(item):
    """Response and median time of a row; for leukaemia the complete response is the response."""
    outcomes = item.outcomes
    response = outcomes.get("orr_pct") or outcomes.get("cr_pct")
    time = outcomes.get("mpfs_mo") or outcomes.get("mefs_mo")
    return response / 100, time if isinstance(time, int | float) else None


def with_values(option, values):
    tables = {
        name: {
            "value": float(f"{value:.4g}"),
            "unit": unit,
            "source": "calibration" if how == "fitted" else "design",
            "where": "benchmarks/option_effects.py",
            "how": how,
        }
        for name, (value, unit, how) in values.items()
    }
    effect = option.simulation.model_copy(update={"values": tables})
    return option.model_copy(update={"simulation": effect})


def make_values(name, strength, duration, is_timed):
    unit = "1/day" if name == "kill" else "1"
    values = {name: (strength, unit, "fitted"), f"{name}_spread": (SPREAD, "1", "assumed")}
    if name == "kill":
        values["duration"] = (duration, "day", "fitted" if is_timed else "assumed")
    return values


def bisect(rises, low, high):
    """The value at which a rising function crosses its goal, on the scale of the logarithm."""
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if rises(middle) else (middle, high)
    return float(np.sqrt(low * high))


def fit_option(option, people, settings, evidence):
    name = "kill" if option.simulation.lever in DRUGS else "potency"
    response, time = published(evidence[option.simulation.compared_with[0]])
    duration = DURATION

    def see(strength, days):
        changed = with_values(option, make_values(name, strength, days, time is not None))
        return simulate_options([changed], people, settings, with_toxicity=False)[0][option.id]

    for _ in range(ROUNDS if name == "kill" and time is not None else 1):
        strength = bisect(lambda k, d=duration: see(k, d).response >= response, *LIMITS[name])
        if name == "kill" and time is not None:
            duration = bisect(lambda d, k=strength: see(k, d).pfs_months >= time, 7.0, 500.0)
    if name == "kill" and time is not None:
        strength = bisect(lambda k, d=duration: see(k, d).response >= response, *LIMITS[name])
    return with_values(option, make_values(name, strength, duration, time is not None)).simulation.values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", help="one option")
    arguments = parser.parse_args()
    known, settings = load_options(), load_rules("options/1")
    found = {}
    for disease, (product, day) in PEOPLE.items():
        start = start_from_population(disease, product, day, settings, seed=SEED)
        carriers = keep_carriers(start)
        for option in known.options.values():
            effect = option.simulation
            people = carriers if effect.lever in OF_FIRST_ANTIGEN else start
            if (
                arguments.only not in (None, option.id)
                or disease not in option.diseases
                or not effect.compared_with
                or effect.lever == "none"
            ):
                continue
            if not arguments.check and effect.strength == "fitted":
                found[option.id] = fit_option(option, people, settings, known.evidence)
                option = option.model_copy(
                    update={"simulation": effect.model_copy(update={"values": found[option.id]})}
                )
            seen = simulate_options([option], people, settings, with_toxicity=False)[0][option.id]
            response, time = published(known.evidence[effect.compared_with[0]])
            said = seen if isinstance(seen, str) else f"{100 * seen.response:5.1f} % {seen.pfs_months:5.1f} mo"
            print(
                f"{option.id:34} {effect.strength:8} {effect.compared_with[0]} "
                f"published {100 * response:5.1f} % {time if time is not None else '-':>5} simulated {said}",
                flush=True,
            )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
