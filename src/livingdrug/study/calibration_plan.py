"""What a calibration is asked to do: which values are free, around what, and against which published results.

Plans stand in ``knowledge/data/calibration``. Each free value has a prior that it is held near and the sets that share
it; each published result names the quantity of a simulated population, or of a mixture of populations, that it is
compared with. A plan in which nothing is free is a list of predictions.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.targets import load_targets

RELATIVE_ERROR = 0.1
"""Standard error of a result that was published without one, relative to it; and the largest that a share has."""
SMALLEST_SHARE_ERROR = 2.0
"""Percent: a model is not expected to be nearer, unless to a share that is itself small."""
WIDTH = 2 * 1.96
"""Standard errors in a 95 % interval."""
NOT_SETTINGS = ("id", "set", "mixture", "quantity", "note", "error", "missed")
"""Fields of a target that are not settings of its quantity."""
NOT_AN_INTERVAL = ("IQR", "range", "SD", "random-effect")
"""What the two limits of a published row may mean instead: a spread between patients."""


@dataclass(frozen=True, slots=True)
class Free:
    """One value that is calibrated: its prior and the sets that share it.

    ``part`` is ``typical`` or ``spread``; ``scale`` is ``log`` or ``logit``.
    """

    name: str
    part: str
    sets: tuple[str, ...]
    scale: str
    prior: float
    sd: float
    why: str

    def value(self, z: float) -> float:
        """Return the value that lies ``z`` prior spreads from the prior.

        Examples
        --------
        >>> Free("r", "typical", ("a",), "log", 0.05, 0.2, "").value(0.0)
        0.05
        """
        if self.scale == "logit":
            return 1 / (1 + math.exp(-(math.log(self.prior / (1 - self.prior)) + self.sd * z)))
        return self.prior * math.exp(self.sd * z)

    def place(self, value: float) -> float:
        """Return how many prior spreads a value lies from the prior."""
        if self.scale == "logit":
            return (math.log(value / (1 - value)) - math.log(self.prior / (1 - self.prior))) / self.sd
        return math.log(value / self.prior) / self.sd


@dataclass(frozen=True, slots=True)
class Target:
    """One published result and the quantity of a simulated population that is held against it.

    ``mixture`` names each set of the population with its weight: one, or several that a publication pooled; ``missed``
    says why the values do not meet the result.
    """

    id: str
    trial: str
    mixture: Mapping[str, float]
    quantity: str
    settings: Mapping[str, float]
    value: float
    lower: float | None
    upper: float | None
    error: float
    unit: str
    what: str
    note: str = ""
    missed: str = ""

    @property
    def set(self) -> str:
        """Return the name of the set, or the names of those that are pooled."""
        return " + ".join(self.mixture)


@dataclass(frozen=True, slots=True)
class Case:
    """People of a first product that failed, or is about to, and what they are given.

    ``people``: ``failed``, or ``b_cells_returned``: in remission with B cells back.
    """

    name: str
    option: str
    people: str = "failed"
    with_lymphodepletion: bool = True


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """What is free and what it is held against.

    ``cases``: people who are given an option, in place of value sets. ``question`` names how the people are simulated
    (:data:`~livingdrug.study.target_results.QUESTIONS`); ``change`` holds values that this plan sets for everybody,
    such as another dose.
    """

    name: str
    question: str
    change: Mapping[str, float]
    sets: tuple[str, ...]
    patients: int
    seed: int
    free: tuple[Free, ...]
    targets: tuple[Target, ...]
    cases: tuple[Case, ...] = ()


def name_people(sets: str) -> str:
    """Return the names of sets without that of their block; cases of options keep theirs.

    Examples
    --------
    >>> name_people("unified_lbcl_axi_cel + unified_lbcl_tisa_cel")
    'lbcl_axi_cel + lbcl_tisa_cel'
    >>> name_people("lbcl.tafasitamab_lenalidomide")
    'lbcl.tafasitamab_lenalidomide'
    """
    return " + ".join(name if "." in name else name.partition("_")[2] for name in sets.split(" + "))


@cache
def load_plan(name: str) -> CalibrationPlan:
    """Load a packaged plan by name.

    Examples
    --------
    >>> load_plan("bcma").sets
    ('unified_myeloma_cilta_cel', 'unified_myeloma_ide_cel')
    """
    path = files("livingdrug.knowledge").joinpath("data", "calibration", f"{name}.toml")
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    head = document["plan"]
    free = tuple(Free(**{**entry, "sets": tuple(entry["sets"])}) for entry in document.get("free", ()))
    targets = tuple(_read_target(entry) for entry in document["target"])
    how = (head.get("question", "outcome"), head.get("change", {}))
    cases = tuple(Case(**entry) for entry in document.get("case", ()))
    sets = tuple(head.get("sets", (case.name for case in cases)))
    return CalibrationPlan(head["name"], *how, sets, head["patients"], head["seed"], free, targets, cases)


def list_plans() -> tuple[str, ...]:
    """Name the packaged plans."""
    folder = files("livingdrug.knowledge").joinpath("data", "calibration")
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def find_plan(disease: str, product: str, *, block: str = "unified") -> CalibrationPlan:
    """Return the plan in which a disease and product are calibrated.

    Parameters
    ----------
    block : str
        ``unified`` for growth, kinetics and response; ``toxicity`` and ``inflammation`` for what rests on them.

    Raises
    ------
    InputError
        If none is.
    """
    name = f"{block}_{disease}_{product}"
    known = []
    for plan in map(load_plan, list_plans()):
        if not plan.free:
            continue
        if name in plan.sets:
            return plan
        known += [one for one in plan.sets if one.startswith(block)]
    listed = [f"{d}/{name.removeprefix(f'{block}_{d}_')}" for name in known if (d := load_parameters(name).disease)]
    raise InputError(
        f"`disease/product` must be one that is calibrated, but was '{disease}/{product}'. "
        f"Hint: there are {', '.join(sorted(listed))}."
    )


def _read_target(entry: Mapping[str, Any]) -> Target:
    row = load_targets().row(by_predicate=pl.col("id") == entry["id"], named=True)
    rest = {key: value for key, value in entry.items() if key not in NOT_SETTINGS}
    what = f"{row['product']} {row['disease']}, {row['trial']}: {row['quantity']}"
    is_interval = row["lower"] is not None and not (row["spread"] or "").startswith(NOT_AN_INTERVAL)
    return Target(
        entry["id"],
        row["trial"] or "",
        entry.get("mixture") or {entry["set"]: 1.0},
        entry["quantity"],
        rest,
        row["value"],
        row["lower"] if is_interval else None,
        row["upper"] if is_interval else None,
        entry.get("error") or compute_error(row),
        row["unit"],
        what,
        entry.get("note", ""),
        entry.get("missed", ""),
    )


def compute_error(row: Mapping[str, Any]) -> float:
    """Return the standard error of a published number: from its interval, its count of patients, or a tenth of it.

    Examples
    --------
    >>> row = {"value": 50.0, "lower": None, "upper": None, "spread": None, "unit": "percent", "n": 100.0}
    >>> round(compute_error(row), 6)
    5.0
    """
    spread = row["spread"] or ""
    if row["lower"] is not None and not spread.startswith(NOT_AN_INTERVAL):
        return float(row["upper"] - row["lower"]) / WIDTH
    if row["unit"] == "percent" and row["n"]:
        share = min(max(row["value"] / 100, 0.02), 0.98)
        chance = max(100 * math.sqrt(share * (1 - share) / row["n"]), SMALLEST_SHARE_ERROR)
        return min(chance, RELATIVE_ERROR * abs(float(row["value"])))
    return RELATIVE_ERROR * abs(float(row["value"]))


def leave_out(plan: CalibrationPlan, trial: str) -> tuple[CalibrationPlan, CalibrationPlan]:
    """Split a plan into what is left without a trial, and that trial's own results.

    Raises
    ------
    InputError
        If no result of the plan is of that trial.

    Examples
    --------
    >>> rest, own = leave_out(load_plan("bcma"), "CARTITUDE-1")
    >>> len(rest.targets) + len(own.targets) == len(load_plan("bcma").targets)
    True
    """
    own = tuple(target for target in plan.targets if target.trial == trial)
    rest = tuple(target for target in plan.targets if target.trial != trial)
    if not (own and rest):
        known = ", ".join(sorted({target.trial for target in plan.targets}))
        raise InputError(
            f"`--without` must name a trial beside which others are left, but was '{trial}'. Hint: there are {known}."
        )
    return replace(plan, targets=rest), replace(plan, targets=own)
