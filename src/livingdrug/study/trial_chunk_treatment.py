"""What is done to the patients of an arm: dose, lymphodepletion, bridging, and events on days of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet
from livingdrug.engine.schedule import Schedule
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.interventions import DOSE, EXTINCTION_DRAWS, LEVERS, TWO_PRODUCT_LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.two_targets import TWO_TARGETS
from livingdrug.simulate.cohort import draw_blocks, sample_parameters
from livingdrug.simulate.protocol import Event, Lever, create_schedule
from livingdrug.study.trial_design import Arm, TrialEvent

BURDEN, LYMPHOCYTES, RECOVERED = "B0", "N0", "KN"
"""Parameters of the model: burden, and host lymphocytes, at infusion; and host lymphocytes when recovered."""
SECOND_DRAWS = (*EXTINCTION_DRAWS, "extinct_double")
LATER_THERAPY = ("second_infusion", "other_car_t", "next_therapy", "transplant", "radiation", "checkpoint_inhibitor")
"""After these a tumour that has grown back does not end the visits."""
REFERENCE = 1.0
"""Day on which an event's steps are laid out before they are moved to each patient's own day."""


@dataclass(frozen=True, slots=True)
class ArmModel:
    """The model of an arm with its values and levers."""

    model: Model
    values: ParameterSet
    levers: Mapping[str, Lever]
    draws: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An event and the day on which each patient had it; not a number where a patient did not."""

    event: TrialEvent
    days: np.ndarray


def choose_model(disease: str, arm: Arm) -> ArmModel:
    """Return the model of an arm: with two targets where a second product is given."""
    if arm.has_second_product:
        values = load_parameters(f"two_targets_{disease}_{arm.product}")
        return ArmModel(TWO_TARGETS, values, TWO_PRODUCT_LEVERS, SECOND_DRAWS)
    return ArmModel(UNIFIED, load_parameters(f"unified_{disease}_{arm.product}"), LEVERS, EXTINCTION_DRAWS)


def sample_arm(chosen: ArmModel, arm: Arm, first: int, count: int, seed: int) -> np.ndarray:
    """Draw the patients of an arm and change what the arm changes at infusion, (patient, parameter)."""
    table = sample_parameters(chosen.model, chosen.values, first, count, seed=seed, exponential=chosen.draws)
    return treat_at_infusion(chosen, arm, table)


def treat_at_infusion(chosen: ArmModel, arm: Arm, table: np.ndarray) -> np.ndarray:
    """Change in patients, (patient, parameter), what the arm changes at infusion; they are changed in place."""
    place = chosen.model.parameter_names.index
    table[:, place(DOSE)] = table[:, place(DOSE)] * arm.dose_factor if arm.cells is None else arm.cells
    table[:, place(BURDEN)] *= arm.burden_factor
    usual, full = table[:, place(LYMPHOCYTES)], table[:, place(RECOVERED)]
    if arm.lymphodepletion != 1:
        table[:, place(LYMPHOCYTES)] = full * (usual / full) ** arm.lymphodepletion
    return table


def draw_given(arm: Arm, first: int, count: int, seed: int, progression: np.ndarray) -> tuple[Given, ...]:
    """Return the events of an arm with each patient's day.

    Parameters
    ----------
    progression : (patient,)
        Day on which progression was known; not a number where it was not.
    """
    found = []
    for place, event in enumerate(arm.events):
        chance = draw_blocks(seed, f"event {place}", first, count, lambda g, n: g.random(n))
        days = progression + event.after if event.day is None else np.full(count, event.day)
        found.append(Given(event, np.where(chance < event.share, days, np.nan)))
    return tuple(found)


def schedule_given(chosen: ArmModel, parameters: np.ndarray, given: Sequence[Given]) -> Schedule:
    """Return what the events change in the model, each patient on days of their own."""
    patients = len(parameters)
    parts = [part for one in given if (part := _lay_out(chosen, parameters, one)) is not None]
    if not parts:
        return Schedule.none(patients)
    day, action, target, value = (np.concatenate([part[i] for part in parts], axis=1) for i in range(4))
    order = np.argsort(day, axis=1, kind="stable")
    day, action, target, value = (np.take_along_axis(part, order, axis=1) for part in (day, action, target, value))
    is_made = np.isfinite(day)
    offsets = np.concatenate([[0], np.cumsum(is_made.sum(axis=1))]).astype(np.int64)
    actions, targets = action[is_made].astype(np.int32), target[is_made].astype(np.int32)
    return Schedule(offsets, day[is_made], actions, targets, value[is_made])


def _lay_out(chosen: ArmModel, parameters: np.ndarray, given: Given) -> tuple[np.ndarray, ...] | None:
    """Return day, action, target and value of an event's steps, (patient, step); None where it changes nothing."""
    event = given.event
    days = np.where(given.days > 0, given.days, np.nan)
    if event.type not in chosen.levers or not np.isfinite(days).any():
        return None
    one = Event(REFERENCE, event.type, event.amount, event.unit, event.duration_days)
    steps = create_schedule(chosen.model, [one], chosen.levers, parameters)
    shape = (len(parameters), -1)
    moved = steps.day.reshape(shape) - REFERENCE + days[:, None]
    return moved, steps.action.reshape(shape), steps.target.reshape(shape), steps.value.reshape(shape)


def tabulate_given(identity: pl.DataFrame, given: Sequence[Given]) -> pl.DataFrame:
    """Return the rows of ``events`` of what was given; criteria must not take what was planned for a new therapy.

    Parameters
    ----------
    identity : table
        ``subject_id``, in the order of the patients.
    """
    told = (one for one in given if not (one.event.is_planned and one.event.type in LATER_THERAPY))
    tables = [identity.select("subject_id", *_describe(one.event, pl.Series(one.days))) for one in told]
    return (
        pl.concat(tables).filter(pl.col("day").is_not_nan())
        if tables
        else identity.select("subject_id", *_describe(TrialEvent(""), pl.Series(np.zeros(len(identity))))).clear()
    )


def tabulate_event(identity: pl.DataFrame, event: TrialEvent, days: np.ndarray) -> pl.DataFrame:
    """Return the rows of ``events`` of one event; patients whose day is not finite have none."""
    finite = np.where(np.isfinite(days), days, np.nan)
    return tabulate_given(identity, (Given(event, finite),))


def _describe(event: TrialEvent, days: pl.Series) -> tuple[pl.Expr | pl.Series, ...]:
    return (
        days.cast(pl.Float64).alias("day"),
        pl.lit(event.type).alias("type"),
        pl.lit(event.amount, dtype=pl.Float64).alias("amount"),
        pl.lit(event.unit or None, dtype=pl.String).alias("unit"),
        pl.lit(event.duration_days, dtype=pl.Float64).alias("duration_days"),
        pl.lit(event.note or None, dtype=pl.String).alias("note"),
    )
