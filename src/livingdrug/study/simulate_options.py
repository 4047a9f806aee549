"""What the simulator expects of each option in this patient: response, time without progression, and the difference.

Nothing here moves an option into another band.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.options.option_combination import check_combination
from livingdrug.study.option_courses import Courses, Start, judge_courses, run_courses
from livingdrug.study.option_levers import PLANS, Plan, Setting, plan_nothing, plan_second_infusion
from livingdrug.study.option_release import Release, describe_release
from livingdrug.study.option_toxicity import find_severe_release

MONTH = 30.44
SPAN = (5.0, 95.0)
"""Percentiles of the intervals: over draws."""
BASES = {
    "patient": "the posterior of this patient’s record",
    "population": "virtual patients of the same disease and product who failed about then, not this patient",
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was expected of one option.

    Parameters
    ----------
    id : str
        Every number of it is known by this name.
    response : float
        Probability, over draws and strengths.
    pfs_months : float
        Median from the start of treatment; the horizon where fewer than half progress by then.
    crs_grade3 : float or None
        Probability of cytokine release of grade 3 or more; None where neither the model nor a row tells.
    crs_basis : str
        What that rests on.
    intervals, difference : mapping
        90 % over draws; against no further therapy, looked at from the same day.
    basis, strength : str
    compared_with : tuple of str
    delay_days : float
    growth : float
        Tumour on the day that treatment starts, relative to the decision: what the wait costs.
    variants : tuple of mapping
    """

    id: str
    response: float
    pfs_months: float
    crs_grade3: float | None
    crs_basis: str
    intervals: Mapping[str, tuple[float, float]]
    difference: Mapping[str, Any]
    basis: str
    strength: str
    compared_with: tuple[str, ...]
    delay_days: float
    growth: float
    draws: int
    horizon_months: float
    variants: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Seen:
    response: np.ndarray
    pfs: np.ndarray


def simulate_options(
    options: Iterable[Option],
    start: Start,
    settings: Ruleset,
    *,
    densities: Mapping[str, float] | None = None,
    evidence: Mapping[str, EvidenceItem] | None = None,
    with_toxicity: bool = True,
    jobs: int | None = None,
) -> tuple[dict[str, Simulated | str], dict[str, Any]]:
    """Simulate every option that the model can represent.

    Parameters
    ----------
    densities : mapping of antigen to its measured density, optional
    evidence : mapping of id to item, optional
        Where cytokine release is read that the model cannot tell.
    with_toxicity : bool
        Whether the risk of cytokine release is computed.

    Returns
    -------
    simulated : mapping of option to its result, or to the sentence why there is none
    nothing : mapping
        What is expected without further therapy.
    """
    own = dict(densities or {})
    runs = _Runs(start, settings, own, jobs, evidence or {}, with_toxicity=with_toxicity)
    found: dict[str, Simulated | str] = {}
    for option in options:
        found[option.id] = runs.simulate(option)
    return found, runs.describe_nothing()


class _Runs:
    """One patient's runs; no further therapy is run once for each delay."""

    def __init__(
        self,
        start: Start,
        settings: Ruleset,
        densities: Mapping[str, float],
        jobs: int | None,
        evidence: Mapping[str, EvidenceItem],
        *,
        with_toxicity: bool,
    ) -> None:
        self._with_toxicity, self._evidence = with_toxicity, evidence
        self._start, self._settings, self._densities, self._jobs = start, settings, densities, jobs
        self._nothing: dict[float, Courses] = {}
        self._released: dict[float, np.ndarray | None] = {}

    def run_nothing(self, delay: float) -> Courses:
        """Run no further therapy, looked at from a delay on."""
        if delay not in self._nothing:
            self._nothing[delay] = run_courses(self._start, (), self._settings, delay=delay, jobs=self._jobs)
        return self._nothing[delay]

    def release(self, option: Option, plan: Plan) -> Release:
        """Say how likely severe cytokine release is under an option, and how much likelier than without."""
        if not self._with_toxicity:
            return Release(None, None, None, None, "not asked for")
        without = self.release_nothing(plan.delay)
        return describe_release(option, plan, self._start, without, evidence=self._evidence, jobs=self._jobs)

    def release_nothing(self, delay: float) -> np.ndarray | None:
        """Find severe cytokine release without further therapy, looked at from a delay on."""
        if delay not in self._released:
            self._released[delay] = find_severe_release(self._start, Plan((), delay), jobs=self._jobs)
        return self._released[delay]

    def run(self, plan: Plan) -> Courses:
        """Run a plan."""
        return run_courses(
            self._start,
            plan.steps,
            self._settings,
            delay=plan.delay,
            strengths=plan.strengths,
            model=plan.model,
            parameters=plan.parameters,
            jobs=self._jobs,
        )

    def simulate(self, option: Option) -> Simulated | str:
        """Simulate one option, or say why not."""
        effect = option.simulation
        if effect.lever == "none":
            return f"not simulated: {effect.reason}"
        if effect.strength == "fitted" and not {"kill", "potency"} & set(effect.values):
            return "not simulated: its strength could not be fitted to its evidence"
        check_combination(self._start.disease, (option.intervention.name, *option.intervention.parts))
        setting = Setting(option, self._start, self._settings, self._densities)
        plan = PLANS[effect.lever](setting)
        if isinstance(plan, str):
            return f"not simulated: {plan}"
        seen, without = self._see(self.run(plan)), self._see(self.run_nothing(plan.delay))
        variants: tuple[Mapping[str, Any], ...] = ()
        if effect.lever == "second_infusion":
            bare = self._see(self.run(plan_second_infusion(setting, with_lymphodepletion=False)))
            variants = (
                {"name": "with lymphodepletion", **_summarise(seen)},
                {"name": "without lymphodepletion", **_summarise(bare)},
            )
        return self._describe(option, plan, seen, without, variants)

    def _see(self, courses: Courses) -> _Seen:
        response, pfs = judge_courses(courses, self._start.disease, self._settings)
        return _Seen(response.astype(float), np.minimum(pfs, self._settings.threshold("horizon")) / MONTH)

    def _describe(
        self,
        option: Option,
        plan: Plan,
        seen: _Seen,
        without: _Seen,
        variants: tuple[Mapping[str, Any], ...],
    ) -> Simulated:
        own, other = seen.response.mean(axis=1), without.response.mean(axis=1)
        longer = np.median(seen.pfs, axis=1) - np.median(without.pfs, axis=1)
        summary, release = _summarise(seen), self.release(option, plan)
        start = self.run_nothing(0.0).tumour[:, 0, 0]
        growth = float(np.median(self.run_nothing(plan.delay).tumour[:, 0, 0] / start))
        return Simulated(
            id=f"SIM-{option.id}",
            response=summary["response"],
            pfs_months=summary["pfs_months"],
            crs_grade3=release.chance,
            crs_basis=release.basis,
            intervals={**summary["intervals"], **({"crs_grade3": release.interval} if release.interval else {})},
            difference={
                "response": float((own - other).mean()),
                "response_interval": _span(own - other, float((own - other).mean())),
                "pfs_months": float(np.median(longer)),
                "pfs_months_interval": _span(longer, float(np.median(longer))),
                "crs_grade3": release.difference,
                "crs_grade3_interval": release.difference_interval,
                "against": "no further therapy",
            },
            basis=BASES[self._start.basis],
            strength=option.simulation.strength,
            compared_with=option.simulation.compared_with,
            delay_days=plan.delay,
            growth=growth,
            draws=len(own),
            horizon_months=self._settings.threshold("horizon") / MONTH,
            variants=variants,
        )

    def describe_nothing(self) -> dict[str, Any]:
        """Say what is expected without further therapy."""
        delay = self._settings.threshold("delay_drug")
        seen = self._see(self.run_nothing(delay))
        severe = self.release_nothing(delay) if self._with_toxicity else None
        crs = None if severe is None or not np.isfinite(severe).any() else float(np.nanmean(severe))
        return {
            "id": "SIM-no_further_therapy",
            **_summarise(seen),
            "crs_grade3": crs,
            "basis": BASES[self._start.basis],
        }


def _span(values: np.ndarray, told: float) -> tuple[float, float]:
    # a mean that few draws make lies outside these percentiles: an interval holds what it is told beside
    low, high = np.nanpercentile(values, SPAN)
    return float(min(low, told)), float(max(high, told))


def _summarise(seen: _Seen) -> dict[str, Any]:
    chance, time = seen.response.mean(axis=1), np.median(seen.pfs, axis=1)
    return {
        "response": float(chance.mean()),
        "pfs_months": float(np.median(time)),
        "intervals": {
            "response": _span(chance, float(chance.mean())),
            "pfs_months": _span(time, float(np.median(time))),
        },
    }


__all__ = ["Simulated", "plan_nothing", "simulate_options"]
