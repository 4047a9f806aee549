"""Fit the simulated strength of each option to the response rate, and its duration to the median time, of its rows.

Rows that an option names together count by the standard error that a calibration gives each (`compute_error`).
The people are virtual patients of the disease whose tumour came back about when it does in the rows. What is fitted is
printed; ``--write`` puts it into the option files, also of those that take their potency from another option: run it,
and then ``--table``, whenever the values of a disease are calibrated again. ``--check`` prints simulated against
published for every option instead, and ``--table`` writes both, row by row, to ``docs/reference/option_effects.csv``
and into ``docs/reference/options.md``.

Run: ``PYTHONPATH=src python benchmarks/option_effects.py [--write | --check | --table] [--out FILE]``
"""

import argparse
import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.knowledge.options import load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.options.option_words import find_interval
from livingdrug.study.after_failure import PRODUCTS, find_failed, run_option, select_people
from livingdrug.study.calibration_plan import compute_error
from livingdrug.study.option_courses import Start, judge_courses
from livingdrug.study.option_release import CAR_LEVERS
from livingdrug.study.simulate_options import MONTH, simulate_options

DRAWS = 400
"""Virtual patients of each disease; each is given five strengths."""
SPREADS, DURATION = (1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1), 84.0
"""Standard deviations of the logarithm of the strength that are tried; the first where no row tells a time. [day]"""
NEAR = 0.5
"""Standard errors that response and time together may be off."""
DRUGS = ("kill", "antigen_kill", "checkpoint")
LIMITS = {"kill": (1e-3, 3.0), "potency": (1e-4, 1e2)}
ROUNDS, HALVINGS, STEPS = 2, 10, 9
SEED = 20261121
REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
OPTIONS = Path(__file__).parents[1] / "src" / "livingdrug" / "knowledge" / "data" / "options"
SALVAGE = OPTIONS.with_name("salvage")
BORROWED = {
    "myeloma.car.dual": "myeloma.car.bcma_other",
    "myeloma.car.gprc5d": "myeloma.car.bcma_other",
    "lbcl.car.dual": "lbcl.car.cd22",
    "lbcl.car.cd20": "lbcl.car.cd22",
    "b_all.car.dual": "b_all.car.cd22",
}
"""Options without a row of their own, and whose potency they are given."""
BEGIN, END = "<!-- option_effects.csv -->", "<!-- end of option_effects.csv -->"
FIELDS = (
    *("option", "row", "n", "use", "published_response", "low", "high", "simulated_response", "distance"),
    *("published_months", "simulated_months", "simulated_crs_grade3", "crs"),
)


def pool(items, names, unit):
    """The published number of several rows, each by its standard error, with its own; None where no row has one."""
    found = [(next((one.outcomes[n] for n in names if n in one.outcomes), None), one.n) for one in items]
    rows = [
        {"value": float(value), "lower": None, "upper": None, "spread": None, "unit": unit, "n": n}
        for value, n in found
        if isinstance(value, int | float)
    ]
    if not rows:
        return None
    weights = np.array([compute_error(row) ** -2 for row in rows])
    return float(np.average([row["value"] for row in rows], weights=weights)), float(weights.sum() ** -0.5)


def published(option, evidence):
    """Response in percent and median time of the rows of an option, each with its error; no time where none is told."""
    items = [evidence[name] for name in option.simulation.compared_with]
    return pool(items, ("orr_pct", "cr_pct"), "percent"), pool(items, ("mpfs_mo", "mefs_mo"), "month")


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


def make_values(name, strength, duration, spread, is_timed):
    unit = "1/day" if name == "kill" else "1"
    how = "fitted" if is_timed else "assumed"
    values = {name: (strength, unit, "fitted"), f"{name}_spread": (spread, "1", how)}
    if name == "kill":
        values["duration"] = (duration, "day", how)
    return values


def bisect(rises, low, high):
    """The value at which a rising function crosses its goal, on the scale of the logarithm."""
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if rises(middle) else (middle, high)
    return float(np.sqrt(low * high))


def judge(option, people, settings):
    """Share that responds in percent, and median time in months."""
    responds, progression = judge_courses(run_option(option, people, settings), people.disease, settings)
    return 100 * responds.mean(), np.median(np.minimum(progression, settings.threshold("horizon"))) / MONTH


def fit_option(option, people, settings, evidence):
    """The strength that gives the response of the rows; where they have a time, with the spread that comes nearest.

    How alike patients are is a second unknown: with a wide spread few respond for long and the others not at all,
    with a narrow one the same share responds while many others stand still for a while.
    """
    fit = Fit(option, people, settings, *published(option, evidence))
    found = None
    for spread in SPREADS if fit.time else SPREADS[:1]:
        one = fit.fit_strength(spread)
        is_nearer = found is None or one[0] < found[0]
        found = one if is_nearer else found
        if found[0] < NEAR or not is_nearer:
            break
    return found[1]


@dataclass(frozen=True)
class Fit:
    """An option, the people it is fitted in, and the published response and time with their errors."""

    option: Option
    people: Start
    settings: Ruleset
    response: tuple[float, float]
    time: tuple[float, float] | None

    @property
    def name(self):
        return "kill" if self.option.simulation.lever in DRUGS else "potency"

    def change(self, strength, days, spread):
        return with_values(self.option, make_values(self.name, strength, days, spread, self.time is not None))

    def see(self, strength, days, spread):
        return judge(self.change(strength, days, spread), self.people, self.settings)

    def measure(self, seen):
        """How many standard errors response and time are off, together."""
        return np.hypot((seen[0] - self.response[0]) / self.response[1], (seen[1] - self.time[0]) / self.time[1])

    def fit_strength(self, spread):
        """How far off the best strength of a spread is, and its values."""
        strength = self.meet_response(DURATION, spread)
        if self.time is None:
            return 0.0, self.change(strength, DURATION, spread).simulation.values
        if self.name == "potency":
            return self.fit_both(strength, spread)
        duration = DURATION
        for _ in range(ROUNDS):
            duration = bisect(lambda d, k=strength: self.see(k, d, spread)[1] >= self.time[0], 7.0, 500.0)
            strength = self.meet_response(duration, spread)
        values = self.change(strength, duration, spread).simulation.values
        return self.measure(self.see(strength, duration, spread)), values

    def meet_response(self, days, spread):
        return bisect(lambda k: self.see(k, days, spread)[0] >= self.response[0], *LIMITS[self.name])

    def fit_both(self, strength, spread):
        """Cells have no duration to choose: the strength that comes nearest to response and time together."""
        other = bisect(lambda k: self.see(k, DURATION, spread)[1] >= self.time[0], *LIMITS[self.name])
        tried = np.geomspace(min(strength, other), max(strength, other), STEPS)
        off = [self.measure(self.see(k, DURATION, spread)) for k in tried]
        best = int(np.argmin(off))
        return off[best], self.change(float(tried[best]), DURATION, spread).simulation.values


def find_rows(option, known):
    """The rows of an option that tell a response or a time: those that it was fitted to first."""
    names = dict.fromkeys([*option.simulation.compared_with, *option.outcomes])
    items = [known.evidence[name] for name in names if not known.evidence[name].is_recalled]
    told = ("orr_pct", "cr_pct", "mpfs_mo", "mefs_mo")
    return [item for item in items if any(isinstance(item.outcomes.get(name), int | float) for name in told)]


def write_values(found):
    """Put fitted values into the option files; the rest of a file stays as it is."""
    for name, tables in found.items():
        path = next(folder / f"{name}.toml" for folder in (OPTIONS, SALVAGE) if (folder / f"{name}.toml").exists())
        text = path.read_text(encoding="utf-8")
        for key, table in tables.items():
            for field in ("value", "source", "how"):
                text = put(text, key, field, table[field], name)
        path.write_text(text, encoding="utf-8")
    for name, other in BORROWED.items():
        if other in found:
            path = OPTIONS / f"{name}.toml"
            text = path.read_text(encoding="utf-8")
            for key in ("potency", "potency_spread"):
                text = put(text, key, "value", found[other][key]["value"], name)
            path.write_text(text, encoding="utf-8")


def put(text, key, field, value, name):
    """Return a file with one field of one simulated value changed."""
    written = f'"{value}"' if isinstance(value, str) else repr(value)
    place = rf"(\[simulation\.values\.{key}\]\n(?:\w+\s*= .*\n)*?{field}\s*= ).*"
    text, count = re.subn(place, lambda m: f"{m[1]}{written}", text)
    assert count == 1, (name, key, field)
    return text


def find_span(item, name):
    """The 95 % interval of a row: as it stands there, or by Wilson from n where the row has one."""
    interval = find_interval(item, name)
    if interval is not None or item.n is None:
        return interval
    z, p, n = 1.96, item.outcomes[name] / 100, item.n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (*tuple(round(100 * (middle + sign * half) / (1 + z * z / n), 1) for sign in (-1, 1)), "Wilson")


def measure_distance(simulated, item, name):
    """Percentage points from the nearest end of the published interval; from the number itself where there is none."""
    interval = find_span(item, name)
    if interval is None:
        return f"{simulated - item.outcomes[name]:+.0f} (no interval)"
    low, high, _ = interval
    return "inside" if low <= simulated <= high else f"{simulated - (low if simulated < low else high):+.0f}"


def describe_use(option, item, known):
    """What of a row the option was fitted to; nothing, where it was only held against it."""
    effect = option.simulation
    items = [known.evidence[name] for name in effect.compared_with] if effect.strength == "fitted" else []
    responses = [one.id for one in items if {"orr_pct", "cr_pct"} & set(one.outcomes)]
    times = [one.id for one in items if {"mpfs_mo", "mefs_mo"} & set(one.outcomes)] if is_timed(effect) else []
    found = [word for word, ids in (("response", responses), ("time", times)) if item.id in ids]
    others = len(responses) > 1 and item.id in responses
    return f"fitted to {' and '.join(found)}{', with others' if others else ''}" if found else "held against"


def make_row(option, seen, item, known):
    effect = option.simulation
    name = "orr_pct" if isinstance(item.outcomes.get("orr_pct"), int | float) else "cr_pct"
    response = item.outcomes.get(name)
    has_response = isinstance(response, int | float)
    interval = find_span(item, name) if has_response else None
    time = item.outcomes.get("mpfs_mo", item.outcomes.get("mefs_mo"))
    return {
        "option": option.id,
        "row": item.id,
        "n": item.n or "",
        "use": describe_use(option, item, known),
        "published_response": response if has_response else "",
        "low": "" if interval is None else interval[0],
        "high": "" if interval is None else interval[1],
        "simulated_response": round(100 * seen.response, 1),
        "distance": measure_distance(100 * seen.response, item, name) if has_response else "",
        "published_months": time if isinstance(time, int | float) else "",
        "simulated_months": round(seen.pfs_months, 1),
        "simulated_crs_grade3": "" if seen.crs_grade3 is None else round(100 * seen.crs_grade3, 1),
        "crs": effect.crs[0] if effect.crs else "model" if effect.lever in CAR_LEVERS else "none added",
    }


def is_timed(effect):
    names = ("kill_spread", "potency_spread")
    return any(effect.values.get(name, {}).get("how") == "fitted" for name in names)


def list_simulated(known):
    """Every option that is simulated, with the disease of the people it is simulated in; pooled treatments last."""
    for disease in PRODUCTS:
        for option in (*known.options.values(), *known.pooled.values()):
            if disease in option.diseases and option.simulation.lever != "none":
                yield disease, option


def find_people(disease, option):
    return select_people(option, find_failed(disease, DRAWS, SEED))


def list_table(known, settings):
    """One row for each option that is simulated and each item that tells something of it."""
    for disease, option in list_simulated(known):
        effect = option.simulation
        people = find_people(disease, option)
        seen = simulate_options([option], people, settings, evidence=known.evidence)[0][option.id]
        if isinstance(seen, str):
            continue
        rows = find_rows(option, known)
        yield from (make_row(option, seen, item, known) for item in rows)
        if not rows or effect.strength == "assumed":
            empty = dict.fromkeys(FIELDS, "")
            yield {
                **empty,
                "option": option.id,
                "use": "assumed",
                "simulated_response": round(100 * seen.response, 1),
                "simulated_months": round(seen.pfs_months, 1),
                "simulated_crs_grade3": "" if seen.crs_grade3 is None else round(100 * seen.crs_grade3, 1),
                "crs": effect.crs[0] if effect.crs else "model" if effect.lever in CAR_LEVERS else "none added",
            }


def write_table(rows):
    with (REFERENCE / "option_effects.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    page = REFERENCE / "options.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{format_table(rows)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def format_table(rows):
    lines = [
        "| option | row (n) | use | published response, 95 % interval | simulated | from the interval "
        "| published months | simulated | cytokine release, grade 3 or more |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        shown = f"{row['low']:g}-{row['high']:g}" if row["low"] != "" else ""
        published = f"{row['published_response']} % {shown}".strip() if row["published_response"] != "" else "-"
        name = f"{row['row']} ({row['n']})" if row["n"] else row["row"] or "-"
        crs = "-" if row["simulated_crs_grade3"] == "" else f"{row['simulated_crs_grade3']} % ({row['crs']})"
        cells = [f"`{row['option']}`", name, row["use"], published, f"{row['simulated_response']} %"]
        cells += [row["distance"] or "-", str(row["published_months"]) or "-", str(row["simulated_months"]), crs]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="+", help="some options")
    arguments = parser.parse_args()
    known, settings = load_options(), load_rules("options/1")
    if arguments.table:
        write_table(list(list_table(known, settings)))
        return
    found = {}
    for disease, option in list_simulated(known):
        effect = option.simulation
        if not effect.compared_with or option.id not in (arguments.only or [option.id]):
            continue
        people = find_people(disease, option)
        if not arguments.check and effect.strength == "fitted":
            found[option.id] = fit_option(option, people, settings, known.evidence)
            if arguments.write:
                write_values({option.id: found[option.id]})
            option = option.model_copy(update={"simulation": effect.model_copy(update={"values": found[option.id]})})
        seen, (response, time) = judge(option, people, settings), published(option, known.evidence)
        print(
            f"{option.id:34} {effect.strength:8} {effect.compared_with[0]} "
            f"published {response[0]:5.1f} % {'-' if time is None else round(time[0], 1):>5} "
            f"simulated {seen[0]:5.1f} % {seen[1]:5.1f} mo",
            flush=True,
        )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
