"""What a calibration leaves behind: value files with the new numbers, and the table of what came out."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.calibration import Fitted, compute_misfit
from livingdrug.study.calibration_plan import CalibrationPlan, Target, name_people

WITHIN = 0.15
"""Relative; where a publication prints no interval, a result this near counts as met."""
DIGITS = 4
WHERE = "docs/reference/calibration.md"


def tabulate_targets(plan: CalibrationPlan, found: Fitted, spread: np.ndarray | None = None) -> pl.DataFrame:
    """Return every published result beside the simulated one.

    Parameters
    ----------
    spread : (target,), optional
        Standard deviation of the simulated results between repetitions.

    Returns
    -------
    table
        ``id, set, quantity, what, unit, value, lower, upper, simulated, sim_lower, sim_upper, z, inside, note``.
    """
    misfit = compute_misfit(plan, found.simulated)
    width = 1.96 * (np.zeros(len(plan.targets)) if spread is None else spread)
    rows = [
        {
            "id": target.id,
            "set": target.set,
            "quantity": target.quantity,
            "what": target.what,
            "unit": target.unit,
            "value": target.value,
            "lower": target.lower,
            "upper": target.upper,
            "simulated": simulated,
            "sim_lower": simulated - half,
            "sim_upper": simulated + half,
            "z": z,
            "inside": is_inside(target, simulated),
            "note": target.note,
        }
        for target, simulated, half, z in zip(
            plan.targets, found.simulated.tolist(), width.tolist(), misfit.tolist(), strict=True
        )
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def is_inside(target: Target, simulated: float) -> bool:
    """Tell whether a simulated result lies in the published interval, or within 15 % where none was printed."""
    if target.lower is not None and target.upper is not None:
        return target.lower <= simulated <= target.upper
    return abs(simulated - target.value) <= WITHIN * abs(target.value)


def list_changes(plan: CalibrationPlan, z: np.ndarray) -> dict[str, dict[tuple[str, str], float]]:
    """Return the new numbers of each set by parameter and part (``typical`` or ``spread``)."""
    changes: dict[str, dict[tuple[str, str], float]] = {name: {} for name in plan.sets}
    for one, place in zip(plan.free, z, strict=True):
        for name in one.sets:
            changes.setdefault(name, {})[one.name, one.part] = float(f"{one.value(place):.{DIGITS}g}")
    return changes


def rewrite_values(text: str, changes: Mapping[tuple[str, str], float], where: str) -> str:
    """Return a value file with new numbers; everything else stays as it is, comments included.

    Examples
    --------
    >>> text = '[r]' + chr(10) + 'value   = 0.05' + chr(10) + 'unit    = "1/day"' + chr(10) + 'how     = "assumed"'
    >>> print(rewrite_values(text, {("r", "typical"): 0.04}, "docs/reference/calibration.md"))
    [r]
    value   = 0.04
    unit    = "1/day"
    how     = "fitted"
    """
    blocks = re.split(r"(?m)^(?=\[)", text)
    for place, block in enumerate(blocks):
        name = block[1 : block.index("]")] if block.startswith("[") else ""
        typical, spread = changes.get((name, "typical")), changes.get((name, "spread"))
        if typical is not None:
            block = re.sub(r"(?m)^(value\s*= ).*$", rf"\g<1>{typical!r}", block)
        if spread is not None:
            block = re.sub(r"(sd = )[\d.eE+-]+", rf"\g<1>{spread!r}", block)
        if typical is not None or spread is not None:
            block = re.sub(r"(?m)^(source\s*= ).*$", r'\g<1>"calibration"', block)
            block = re.sub(r"(?m)^(where\s*= ).*$", rf'\g<1>"{where}"', block)
            block = re.sub(r"(?m)^(how\s*= ).*$", r'\g<1>"fitted"', block)
        blocks[place] = block
    return "".join(blocks)


def add_inherited(text: str, name: str, wanted: Iterable[str]) -> str:
    """Return a value file with blocks of its own for values that its set had from the set it extends."""
    own = set(re.findall(r"(?m)^\[(\w+)\]", text))
    values = load_parameters(name).values
    for parameter in sorted(set(wanted) - own):
        value = values[parameter]
        spread = value.spread
        kind = "" if spread is None else f'\nspread  = {{ kind = "{spread.kind}", sd = {spread.sd!r} }}'
        block = f'[{parameter}]\nvalue   = {value.value!r}\nunit    = "{value.unit}"{kind}\nsource  = "{value.source}"'
        text = f'{text.rstrip()}\n\n{block}\nwhere   = "{value.where}"\nhow     = "{value.how}"\n'
    return text


def write_values(plan: CalibrationPlan, z: np.ndarray, folder: Path) -> tuple[Path, ...]:
    """Write the value files of every set of a plan, with the new numbers, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    packaged = files("livingdrug.knowledge").joinpath("data", "parameters")
    written = []
    for name, changes in list_changes(plan, z).items():
        text = packaged.joinpath(f"{name}.toml").read_text(encoding="utf-8")
        path = folder / f"{name}.toml"
        text = add_inherited(text, name, {parameter for parameter, _ in changes})
        path.write_text(rewrite_values(text, changes, WHERE), encoding="utf-8")
        written.append(path)
    return tuple(written)


def format_targets(table: pl.DataFrame) -> str:
    """Return the table of targets as text, one line a published result."""
    lines = [f"{'':4} {'set':<20} {'quantity':<28} {'published':>20} {'simulated':>10} {'z':>5}"]
    for row in table.iter_rows(named=True):
        name = name_people(row["set"])
        limits = "" if row["lower"] is None else f" ({row['lower']:g}-{row['upper']:g})"
        published = f"{row['value']:g}{limits}"
        mark = "" if row["inside"] else "  missed"
        lines.append(
            f"{row['id']:4} {name:<20} {row['quantity']:<28} {published:>20} "
            f"{row['simulated']:>10.4g} {row['z']:>5.1f}{mark}"
        )
    return "\n".join(lines)
