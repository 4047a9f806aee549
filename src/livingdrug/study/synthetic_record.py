"""From a simulation to the rows of a record: who, what was done, what was measured."""

import numpy as np
import polars as pl

from livingdrug.engine.solve import Solution
from livingdrug.simulate.cohort import draw_blocks
from livingdrug.simulate.protocol import Event
from livingdrug.simulate.visits import compute_follow_up, observe_cohort
from livingdrug.study.visit_plans import VisitPlan


def name_subject() -> pl.Expr:
    """Return ``subject_id`` of the column ``subject``, which counts from 0."""
    return pl.format("SIM-{}", (pl.col("subject") + 1).cast(pl.String).str.zfill(7)).alias("subject_id")


def list_events(identity: pl.DataFrame, events: tuple[Event, ...], dose: np.ndarray, days: float) -> pl.DataFrame:
    """Return the rows of ``events``: before, at and after the infusion, whose dose each patient has.

    Parameters
    ----------
    identity : table
        Column ``subject_id``.
    dose : (patient,) [cells]
    days : float
        Length of follow-up.
    """
    rows = sorted((e for e in (*events, Event(0.0, "car_t", unit="cells")) if e.day <= days), key=lambda e: e.day)
    tables = [
        identity.select(
            "subject_id",
            day=pl.lit(event.day, dtype=pl.Float64),
            type=pl.lit(event.type),
            amount=pl.Series(dose) if event.day == 0 else pl.lit(event.amount, dtype=pl.Float64),
            unit=pl.lit(event.unit or None, dtype=pl.String),
            duration_days=pl.lit(event.duration_days, dtype=pl.Float64),
            note=pl.lit(event.note or None, dtype=pl.String),
        )
        for event in rows
    ]
    return pl.concat(tables).sort("subject_id", "day", maintain_order=True)


def observe_subjects(visits: VisitPlan, solution: Solution, first: int, seed: int) -> pl.DataFrame:
    """Return the rows of ``observations`` of the patients of a solution, the first of which has number ``first``."""
    courses = {name: solution.at(name) for name in solution.names}
    chance = draw_blocks(seed, "light chain", first, len(solution.outcome), lambda g, n: g.random(n))
    table = observe_cohort(
        courses,
        solution.times,
        visits.assays,
        first=first,
        seed=seed,
        attendance=visits.attendance,
        follow_up=compute_follow_up(courses[visits.stop.output], solution.times, visits.stop),
        is_alternative=chance < visits.alternative_share,
    )
    return table.select(
        name_subject(),
        "day",
        "variable",
        "value",
        "text",
        "unit",
        "assay",
        "lloq",
        "censored",
        source=pl.lit("simulated"),
    )
