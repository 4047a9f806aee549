"""One engine against one tier: the loosest tolerance that meets it, then the rate at that tolerance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reference import Workload, compute_errors, compute_tier

RTOLS = tuple(float(f"{m}e-{d}") for d in range(3, 10) for m in (3.16, 1))  # half decades
LEAST_SECONDS = 0.2
SHARES = (1.0, 1e-2, 1e-4)  # absolute tolerance of a state = rtol x share x its floor


class Engine(Protocol):
    """What every engine answers."""

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and the seconds it took."""

    def close(self) -> None:
        """End what was started."""


@dataclass(frozen=True)
class Setting:
    """A tolerance and what it gave."""

    engine: str
    rtol: float
    share: float
    error: float
    rate: float
    patients: int = 0


def measure(engine: Engine, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
    """Return what was seen and patients per second."""
    seen, seconds = engine.solve(work, rtol, rtol * share)
    return seen, len(work.parameters) / seconds


def measure_for(engine: Engine, work: Workload, setting: Setting, seconds: float) -> float:
    """Return patients per second, running the work again until it has taken so long in all."""
    patients, taken = 0, 0.0
    while taken < seconds:
        taken += engine.solve(work, setting.rtol, setting.rtol * setting.share)[1]
        patients += len(work.parameters)
    return patients / taken


def scan(
    name: str,
    engine: Engine,
    work: Workload,
    reference: np.ndarray,
    tiers: Sequence[float],
    best: Mapping[float, float],
    whole: Workload,
) -> dict[float, Setting]:
    """Return the fastest setting that meets each tier, walking from loose to tight for every share.

    Errors are those of ``work``, rates those of as many patients of ``whole`` as a moment holds: a fast engine
    hardly gets under way with the few that have a reference.
    ``best`` holds the rate that a sibling of this engine has reached at a tier: a walk ends as soon as it is
    clearly slower than that, because a tighter tolerance is slower still.
    """
    found: dict[float, Setting] = {}
    engine.solve(work, 1e-4, 1e-4)
    for share in SHARES:
        open_tiers = sorted(tiers, reverse=True)
        for rtol in RTOLS:
            seen, rate = measure(engine, work, rtol, share)
            error = compute_tier(compute_errors(work, seen, reference))
            count = int(np.clip(rate * LEAST_SECONDS, len(work.parameters), len(whole.parameters)))
            rate = measure_for(
                engine, whole.take(slice(0, count)), Setting(name, rtol, share, error, rate), LEAST_SECONDS
            )
            while open_tiers and error <= open_tiers[0]:
                tier = open_tiers.pop(0)
                if tier not in found or rate > found[tier].rate:
                    found[tier] = Setting(name, rtol, share, error, rate)
            is_slower = all(1.2 * rate < max(best.get(t, 0.0), rate_of(found, t)) for t in open_tiers)
            if is_slower:
                break
        if best and not found:
            break
    return found


def rate_of(found: Mapping[float, Setting], tier: float) -> float:
    """Return the rate found for a tier, 0 if none was."""
    return found[tier].rate if tier in found else 0.0


def tighten(engine: Engine, work: Workload, reference: np.ndarray, setting: Setting, tier: float) -> Setting:
    """Return the setting confirmed on all reference patients, tightened by half decades while it misses the tier."""
    for rtol in [r for r in RTOLS if r <= setting.rtol]:
        seen, rate = measure(engine, work, rtol, setting.share)
        error = compute_tier(compute_errors(work, seen, reference))
        setting = Setting(setting.engine, rtol, setting.share, error, rate)
        if error <= tier:
            break
    return setting
