"""How long each patient of a virtual trial is followed: accrual and cut-off, drop-out, death."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from livingdrug.simulate.cohort import draw_blocks
from livingdrug.study.fate import Fates
from livingdrug.study.trial_chunk_treatment import tabulate_event
from livingdrug.study.trial_design import DAYS_PER_YEAR, TrialDesign, TrialEvent

OTHER_CAUSE = TrialEvent("death", note="unrelated to the cancer")
AFTER_PROGRESSION = TrialEvent("death", note="progression")
LAST_CONTACT = TrialEvent("last_contact")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Days from infusion, but for ``infusion``, a day of the trial's calendar; infinite where it does not happen.

    Parameters
    ----------
    infusion, planned, dropout, death_other, death_disease : (patient,)
        ``planned`` is the end of follow-up or the cut-off, whichever comes first.
    """

    infusion: np.ndarray
    planned: np.ndarray
    dropout: np.ndarray
    death_other: np.ndarray
    death_disease: np.ndarray

    @property
    def leaving(self) -> np.ndarray:
        """Day on which observation ends if the patient lives."""
        return np.asarray(np.minimum(self.planned, self.dropout))

    @property
    def death(self) -> np.ndarray:
        """Day of death, if it is observed."""
        day = np.minimum(self.death_other, self.death_disease)
        return np.where(day <= self.leaving, day, np.inf)

    @property
    def end(self) -> np.ndarray:
        """Last day of observation."""
        return np.asarray(np.minimum(self.leaving, self.death))


def draw_follow_up(design: TrialDesign, fates: Fates, first: int, count: int, seed: int) -> FollowUp:
    """Draw when the patients of an arm come, leave, and die without progression; days are whole.

    Parameters
    ----------
    fates : Fates
        Of the patients, used where the design states no hazard.
    """
    accrual = design.accrual
    chance = draw_blocks(seed, "accrual", first, count, lambda g, n: g.random(n))
    infusion = np.floor(chance * accrual.span)
    cutoff = np.inf if accrual.cutoff is None else accrual.cutoff - infusion
    never = np.full(count, np.inf)
    stated = design.deaths.per_year
    return FollowUp(
        infusion,
        np.minimum(np.full(count, design.days), cutoff),
        _draw_days(seed, "dropout", first, count, design.dropout_per_year),
        _round_up(fates.death_day) if stated is None else _draw_days(seed, "death", first, count, stated),
        never,
    )


def add_deaths(
    follow_up: FollowUp, design: TrialDesign, fates: Fates, first: int, seed: int, failure: np.ndarray
) -> FollowUp:
    """Add deaths after progression, or after no remission, whose days are not numbers where there was neither.

    A hazard after failure, published or stated, is of death from any cause, and takes the place of that without
    progression.
    """
    count, stated = len(failure), design.deaths.after_progression_per_year
    name = "death after progression"
    after = _round_up(fates.survival_after) if stated is None else _draw_days(seed, name, first, count, stated)
    is_replaced = np.isfinite(failure) & ((stated is not None) | np.isfinite(after))
    return replace(
        follow_up,
        death_other=np.where(is_replaced, np.inf, follow_up.death_other),
        death_disease=np.where(np.isfinite(failure), failure + after, np.inf),
    )


def find_changed(before: FollowUp, after: FollowUp) -> np.ndarray:
    """Tell in whom what was observed is no longer the same (patient,) bool."""
    return np.asarray((before.death != after.death) | (before.end != after.end))


def _round_up(days: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(np.ceil(days), 1.0))


def _draw_days(seed: int, stream: str, first: int, count: int, per_year: float) -> np.ndarray:
    if per_year <= 0:
        return np.full(count, np.inf)
    waits = draw_blocks(seed, stream, first, count, lambda g, n: g.standard_exponential(n))
    return _round_up(waits * DAYS_PER_YEAR / per_year)


def tabulate_end(identity: pl.DataFrame, follow_up: FollowUp) -> pl.DataFrame:
    """Return the rows of ``events`` that tell how observation ended: death, or the last contact."""
    death = follow_up.death
    is_other = follow_up.death_other <= follow_up.death_disease
    return pl.concat(
        [
            tabulate_event(identity, OTHER_CAUSE, np.where(is_other, death, np.inf)),
            tabulate_event(identity, AFTER_PROGRESSION, np.where(is_other, np.inf, death)),
            tabulate_event(identity, LAST_CONTACT, np.where(np.isfinite(death), np.inf, follow_up.leaving)),
        ]
    )


def cut_rows(table: pl.DataFrame, identity: pl.DataFrame, follow_up: FollowUp) -> pl.DataFrame:
    """Leave out what lies after each patient's last day."""
    ends = identity.select("subject_id", pl.Series("_end", follow_up.end))
    joined = table.join(ends, on="subject_id", how="left", maintain_order="left")
    return joined.filter(pl.col("day") <= pl.col("_end")).drop("_end")
