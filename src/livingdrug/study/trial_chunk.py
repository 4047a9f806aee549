"""One chunk of one arm: simulate, write the record that a hospital would have, assess it, keep the outcomes.

A chunk is a function of the design, the seed and the places of its patients; it knows nothing of other chunks,
so that it can be computed anywhere, in any order, and again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl

from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.solve import Solution, solve
from livingdrug.engine.summary import AnySummary, Integral, Maximum, Minimum, TimeOfMaximum
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import DOSE
from livingdrug.simulate.people import sample_people
from livingdrug.simulate.visits import Stop, list_days, list_outputs
from livingdrug.study.assess_record import ENDPOINT_RULES, FAILURE_RULES, WARNING_RULES, choose_options
from livingdrug.study.fate import draw_fates, find_fate
from livingdrug.study.synthetic_record import observe_subjects
from livingdrug.study.trial_chunk_assessment import (
    Books,
    Judged,
    judge_again,
    judge_record,
    list_failures,
    list_progressions,
    name_lineage_switches,
    tabulate_outcomes,
)
from livingdrug.study.trial_chunk_counts import add_counts
from livingdrug.study.trial_chunk_follow_up import (
    FollowUp,
    add_deaths,
    cut_rows,
    draw_follow_up,
    find_changed,
    tabulate_end,
)
from livingdrug.study.trial_chunk_treatment import (
    BURDEN,
    LATER_THERAPY,
    ArmModel,
    Given,
    choose_model,
    draw_given,
    sample_arm,
    schedule_given,
    tabulate_event,
    tabulate_given,
)
from livingdrug.study.trial_chunk_visits import plan_visits
from livingdrug.study.trial_design import Arm, TrialDesign, TrialEvent, derive_arm_seed
from livingdrug.study.visit_plans import VisitPlan

CHUNK = 512
"""Patients of a chunk; results do not depend on it."""
RTOL = 1e-5
SUMMARIES: dict[str, AnySummary] = {
    "car_t_cells_max": Maximum("car_t_cells", 0.0, 90.0),
    "car_t_cells_max_day": TimeOfMaximum("car_t_cells", 0.0, 90.0),
    "car_t_cells_auc_0_28": Integral("car_t_cells", 0.0, 28.0),
    "tumour_cells_min": Minimum("tumour_cells"),
}
WITH_COUNTS = ("b_all",)
"""Diseases whose criteria ask for blood counts."""
NEVER = 1e100


@dataclass(frozen=True, slots=True)
class ChunkTask:
    """Which patients of which arm: all that a worker is told."""

    design: TrialDesign
    arm: str
    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """What the part of the results is called."""
        return f"{self.arm}-{self.number:05d}"


@dataclass(frozen=True, slots=True)
class _Patients:
    """The patients of a chunk, as drawn."""

    task: ChunkTask
    arm: Arm
    seed: int
    chosen: ArmModel
    visits: VisitPlan
    parameters: np.ndarray
    identity: pl.DataFrame
    subjects: pl.DataFrame


def list_tasks(design: TrialDesign, size: int = CHUNK) -> Iterator[ChunkTask]:
    """Yield the chunks of a design, arm by arm.

    Examples
    --------
    >>> design = TrialDesign("One arm", "myeloma", 365.0, 1, (Arm("ide", "ide_cel", 700),), "imwg/2016")
    >>> [(task.name, task.first, task.count) for task in list_tasks(design)]
    [('ide-00000', 0, 512), ('ide-00001', 512, 188)]
    """
    for arm in design.arms:
        for number, first in enumerate(range(0, arm.n, size)):
            yield ChunkTask(design, arm.name, number, first, min(size, arm.n - first))


def compute_chunk(task: ChunkTask, *, threads: int = 1) -> pl.DataFrame:
    """Compute the outcomes of a chunk: one row a patient.

    Parameters
    ----------
    threads : int
        Of the engine; they do not change the result.

    Examples
    --------
    >>> design = TrialDesign("One arm", "myeloma", 180.0, 1, (Arm("ide", "ide_cel", 3),), "imwg/2016")
    >>> compute_chunk(next(list_tasks(design))).height
    3
    """
    patients, books = _draw(task), load_books(task.design)
    fates = draw_fates(find_fate(task.design.disease, patients.arm.product), task.first, task.count, seed=patients.seed)
    follow_up = draw_follow_up(task.design, fates, task.first, task.count, patients.seed)
    nobody = np.full(task.count, np.nan)
    given = draw_given(patients.arm, task.first, task.count, patients.seed, nobody)
    solution = _simulate(patients, given, threads)
    record = _write_record(patients, solution, given, follow_up)
    judged = judge_record(record, books)
    failed = list_failures(judged)
    before, follow_up = follow_up, add_deaths(follow_up, task.design, fates, task.first, patients.seed, failed)
    if any(event.day is None for event in patients.arm.events):
        known = list_progressions(judged)
        given = draw_given(patients.arm, task.first, task.count, patients.seed, known)
        solution = _simulate(patients, given, threads)
        judged = judge_record(_write_record(patients, solution, given, follow_up), books)
    elif (changed := find_changed(before, follow_up)).any():
        record = _write_record(patients, solution, given, follow_up)
        judged = judge_again(judged, record, changed, books)
    outcomes = _tabulate(patients, solution, follow_up, given, judged, books)
    return name_lineage_switches(outcomes, fates.can_switch)


@cache
def _load_books(criteria: str, options: tuple[tuple[str, object], ...]) -> Books:
    rules = load_rules(criteria)
    books: tuple[Ruleset, ...] = (rules, *(load_rules(one) for one in (ENDPOINT_RULES, FAILURE_RULES, WARNING_RULES)))
    return Books(rules, books[1], books[2], choose_options(books, dict(options)))  # type: ignore[arg-type]


def load_books(design: TrialDesign) -> Books:
    """Return the rulesets of a design with its options."""
    return _load_books(design.criteria, tuple(sorted(design.options.items())))


def _draw(task: ChunkTask) -> _Patients:
    design, arm = task.design, task.design.arm(task.arm)
    seed = derive_arm_seed(design.seed, arm.name)
    chosen, visits = choose_model(design.disease, arm), plan_visits(design)
    if any(event.type in LATER_THERAPY for event in arm.events):
        visits = replace(visits, stop=Stop(visits.stop.output, NEVER, NEVER, 0.0))
    numbers = pl.Series("subject", np.arange(task.first + 1, task.first + task.count + 1)).cast(pl.String)
    identity = pl.DataFrame({"subject_id": numbers.str.zfill(7).str.replace("^", "SIM-")})
    people = sample_people(visits.population, task.first, task.count, seed=seed)
    subjects = identity.with_columns(disease=pl.lit(design.disease), product=pl.lit(arm.product)).with_columns(
        people.get_columns()
    )
    parameters = sample_arm(chosen, arm, task.first, task.count, seed)
    return _Patients(task, arm, seed, chosen, visits, parameters, identity, subjects)


def _simulate(patients: _Patients, given: tuple[Given, ...], threads: int) -> Solution:
    visits, end = patients.visits, patients.task.design.days
    kernel = compile_model(patients.chosen.model, tuple(SUMMARIES.values()))
    return solve(
        kernel,
        patients.parameters,
        list_days(visits.assays, end),
        schedule=schedule_given(patients.chosen, patients.parameters, given),
        keep=list_outputs(visits.assays, visits.stop),
        rtol=RTOL,
        threads=threads,
    )


def _write_record(patients: _Patients, solution: Solution, given: tuple[Given, ...], follow_up: FollowUp) -> Record:
    """Return what a hospital would have, up to each patient's last day."""
    identity, visits, arm = patients.identity, patients.visits, patients.arm
    dose = patients.parameters[:, patients.chosen.model.parameter_names.index(DOSE)]
    day_0 = np.zeros(len(identity))
    infusion = tabulate_event(identity, TrialEvent("car_t", unit="cells"), day_0).with_columns(amount=pl.Series(dose))
    before = [
        tabulate_event(identity, TrialEvent(e.type, duration_days=e.duration_days), np.full(len(identity), e.day))
        for e in visits.before
        if arm.lymphodepletion > 0 or e.type != "lymphodepletion"
    ]
    events = pl.concat([*before, infusion, cut_rows(tabulate_given(identity, given), identity, follow_up)])
    events = pl.concat([events, tabulate_end(identity, follow_up)]).sort("subject_id", "day", maintain_order=True)
    observations = observe_subjects(visits, solution, patients.task.first, patients.seed)
    if patients.task.design.disease in WITH_COUNTS:
        observations = add_counts(observations)
    return Record(patients.subjects, events, cut_rows(observations, identity, follow_up))


def _tabulate(
    patients: _Patients,
    solution: Solution,
    follow_up: FollowUp,
    given: tuple[Given, ...],
    judged: list[Judged],
    books: Books,
) -> pl.DataFrame:
    names = {code.value: code.name.lower() for code in Outcome}
    is_done = solution.outcome == 0
    burden = patients.parameters[:, patients.chosen.model.parameter_names.index(BURDEN)]
    own = pl.DataFrame(
        {
            "outcome": pl.Series([names[int(code)] for code in solution.outcome], dtype=pl.String),
            "infusion_day": follow_up.infusion,
            "follow_up_day": follow_up.end,
            "dropout_day": _observe(follow_up.dropout, follow_up),
            "death_day": follow_up.death,
            "next_therapy_day": _find_first(given, follow_up),
            "dose": patients.parameters[:, patients.chosen.model.parameter_names.index(DOSE)],
            "burden": burden,
            **{name: np.where(is_done, solution.summaries[:, i], np.nan) for i, name in enumerate(SUMMARIES)},
        }
    )
    own = own.with_columns(pl.col(pl.Float64).replace([np.inf, -np.inf], None).fill_nan(None))
    arm = patients.subjects.select(
        pl.lit(patients.arm.name).alias("arm"),
        pl.format("{}-{}", pl.lit(patients.arm.name), pl.col("subject_id").str.slice(4)).alias("subject_id"),
        "age_years",
        "sex",
        "weight_kg",
    )
    return pl.concat([arm, own, tabulate_outcomes(judged, books)], how="horizontal")


def _observe(days: np.ndarray, follow_up: FollowUp) -> np.ndarray:
    return np.where(days <= follow_up.end, days, np.inf)


def _is_new(event: TrialEvent) -> bool:
    return event.type in LATER_THERAPY and not event.is_planned


def _find_first(given: tuple[Given, ...], follow_up: FollowUp) -> np.ndarray:
    """Return the day of the first later therapy that was given in the time observed."""
    later = [np.nan_to_num(one.days, nan=np.inf) for one in given if _is_new(one.event)]
    first = np.min(later, axis=0) if later else np.full(len(follow_up.infusion), np.inf)
    return _observe(first, follow_up)
