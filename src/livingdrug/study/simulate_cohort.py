"""Simulate a cohort: virtual patients, their courses, and the record that a hospital would have of them.

Subjects are taken in chunks, so memory stays flat; every subject's numbers belong to its own place in the
seed's streams, so a result has the same bits in any chunking and on any number of workers.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import ParameterSet
from livingdrug.core.patient import Product
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.solve import Solution, solve
from livingdrug.engine.summary import AnySummary, Integral, Maximum, Minimum, TimeOfMaximum, TimeOfMinimum
from livingdrug.io.tables import write_record
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.interventions import DOSE, EXTINCTION_DRAWS, LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.simulate.people import sample_people
from livingdrug.simulate.protocol import Event, Protocol, create_schedule
from livingdrug.simulate.visits import list_days, list_outputs
from livingdrug.study.baseline_markers import find_marker_values, observe_markers
from livingdrug.study.synthetic_record import list_events, name_subject, observe_subjects
from livingdrug.study.visit_plans import VISIT_PLANS, VisitPlan

CHUNK = 2048
"""Subjects in memory at a time."""
RECORDS = 1000
"""Subjects that get a record unless told otherwise; the others are summarised."""
LONGEST = 36_525
"""Days after infusion that can be simulated: a hundred years."""
RTOL = 1e-5
LIVE = "survival_high", "survival_low", "survival_negative"

SUMMARIES: Mapping[str, AnySummary] = {
    "car_t_cells_max": Maximum("car_t_cells", 0.0, 90.0),
    "car_t_cells_max_day": TimeOfMaximum("car_t_cells", 0.0, 90.0),
    "car_t_cells_auc_0_28": Integral("car_t_cells", 0.0, 28.0),
    "tumour_cells_min": Minimum("tumour_cells"),
    "tumour_cells_min_day": TimeOfMinimum("tumour_cells"),
}
"""Kept of every subject; further columns hold the burden and the chance of each clone to be alive at the end."""


@dataclass(frozen=True, slots=True)
class SimulatedCohort:
    """A simulated cohort.

    Parameters
    ----------
    record : Record
        Subjects, events, observations of the first subjects.
    summaries : table
        One row for every subject.
    manifest : mapping
        What ran, and ``content_hash`` of the results.
    """

    record: Record
    summaries: pl.DataFrame
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    disease: str
    product: str
    values: ParameterSet
    markers: ParameterSet | None
    visits: VisitPlan
    kernel: Kernel
    events: tuple[Event, ...]
    days: float
    seed: int
    jobs: int | None


def simulate_cohort(
    disease: str,
    product: str,
    *,
    n: int = 100,
    days: float = 730.0,
    seed: int = 1,
    jobs: int | None = None,
    records: int = RECORDS,
    protocol: Protocol | None = None,
) -> SimulatedCohort:
    """Simulate ``n`` virtual patients of a disease given a product.

    Parameters
    ----------
    disease, product : str
        As the record spells them: ``"myeloma"``, ``"ide_cel"``.
    n : int
        Subjects.
    days : float
        Length of follow-up from infusion.
    seed : int
        The same seed gives the same bits.
    jobs : int, optional
        Threads; all processors by default. Does not change the result.
    records : int
        Subjects, from the first, whose visits are written down. All have a row in ``summaries``.
    protocol : Protocol, optional
        Events after the infusion.

    Returns
    -------
    SimulatedCohort

    Raises
    ------
    InputError
        If the disease and product have no parameter set, or a number is out of range.

    Examples
    --------
    >>> cohort = simulate_cohort("myeloma", "ide_cel", n=4, days=90.0, seed=1, jobs=1)
    >>> cohort.summaries.height, cohort.record.subjects.height
    (4, 4)
    """
    plan = _create_plan(disease, product, n=n, days=days, seed=seed, jobs=jobs, protocol=protocol)
    subjects, events, observations, summaries = [], [], [], []
    for first, count, with_record in _list_chunks(n, records):
        chunk = _simulate_chunk(plan, first, count, with_record=with_record)
        summaries.append(chunk.summaries)
        if with_record:
            subjects.append(chunk.subjects)
            events.append(chunk.events)
            observations.append(chunk.observations)
    if not subjects:
        nobody = _simulate_chunk(plan, 0, 1, with_record=True)
        subjects, events = [nobody.subjects.clear()], [nobody.events.clear()]
        observations = [nobody.observations.clear()]
    record = Record(pl.concat(subjects), pl.concat(events), pl.concat(observations), source=f"simulated, seed {seed}")
    table = pl.concat(summaries)
    manifest = {
        "disease": disease,
        "product": product,
        "n": n,
        "days": days,
        "seed": seed,
        "records": min(n, records),
        "protocol": None if protocol is None else protocol.name,
        "parameters": plan.values.name,
        "assumed": [*plan.values.assumed, *(() if plan.markers is None else plan.markers.assumed)],
        "failures": int((table["outcome"] != "done").sum()),
        "version": VERSION,
        "content_hash": compute_content_hash((record.subjects, record.events, record.observations, table)),
    }
    return SimulatedCohort(record, table, manifest)


def simulate_summaries(
    disease: str,
    product: str,
    *,
    n: int,
    days: float = 730.0,
    seed: int = 1,
    jobs: int | None = None,
    protocol: Protocol | None = None,
) -> Iterator[pl.DataFrame]:
    """Stream the summaries of a cohort of any size, chunk by chunk; nothing is kept.

    The rows are those that :func:`simulate_cohort` gives.

    Examples
    --------
    >>> sum(table.height for table in simulate_summaries("lbcl", "axi_cel", n=3, days=30.0, jobs=1))
    3
    """
    plan = _create_plan(disease, product, n=n, days=days, seed=seed, jobs=jobs, protocol=protocol)
    for first, count, _ in _list_chunks(n, 0):
        yield _simulate_chunk(plan, first, count, with_record=False).summaries


def write_simulation(result: SimulatedCohort, folder: Path) -> None:
    """Write subjects.csv, events.csv, observations.csv, summaries.parquet and manifest.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_record(result.record, folder)
    result.summaries.write_parquet(folder / "summaries.parquet")
    (folder / "manifest.json").write_text(json.dumps(dict(result.manifest), indent=2) + "\n", encoding="utf-8")


def compute_content_hash(tables: tuple[pl.DataFrame, ...]) -> str:
    """Return a digest of the values of tables: columns, order and bits.

    Examples
    --------
    >>> compute_content_hash((pl.DataFrame({"a": [1.0]}),)) == compute_content_hash((pl.DataFrame({"a": [2.0]}),))
    False
    """
    digest = hashlib.sha256()
    for table in tables:
        for column in table.iter_columns():
            digest.update(f"\x1d{column.name}\x1f{column.dtype}\x1f{column.len()}\x1e".encode())
            digest.update(column.is_null().to_numpy().tobytes())
            if column.dtype == pl.String:
                digest.update("\x1f".join(column.fill_null("").to_list()).encode())
            else:
                digest.update(np.ascontiguousarray(column.fill_null(0).to_numpy()).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Chunk:
    subjects: pl.DataFrame
    events: pl.DataFrame
    observations: pl.DataFrame
    summaries: pl.DataFrame


def _create_plan(
    disease: str, product: str, *, n: int, days: float, seed: int, jobs: int | None, protocol: Protocol | None
) -> _Plan:
    pairs = {f"unified_{planned}_{own}" for planned in VISIT_PLANS for own in Product}
    usable = [known for known in list_parameters() if known in pairs]
    name = f"unified_{disease}_{product}"
    if name not in usable:
        raise InputError(
            f"`disease` and `product` must have values and a plan of visits, but were {disease!r} and {product!r}. "
            f"Hint: there are {', '.join(known.removeprefix('unified_') for known in usable)}."
        )
    if n < 1:
        raise InputError(f"`n` must be 1 or more, but was {n!r}. Hint: say how many subjects to simulate.")
    if not (math.isfinite(days) and 1 <= days <= LONGEST):
        raise InputError(f"`days` must be 1 to {LONGEST}, but was {days!r}. Hint: two years are 730 days.")
    values = load_parameters(name)
    return _Plan(
        disease,
        product,
        values,
        find_marker_values(values),
        VISIT_PLANS[disease],
        compile_model(UNIFIED, tuple(SUMMARIES.values())),
        () if protocol is None else protocol.events,
        float(days),
        seed,
        jobs,
    )


def _list_chunks(n: int, records: int) -> Iterator[tuple[int, int, bool]]:
    first = 0
    while first < n:
        with_record = first < records
        end = min(n, first + CHUNK, records if with_record else n)
        yield first, end - first, with_record
        first = end


def _simulate_chunk(plan: _Plan, first: int, count: int, *, with_record: bool) -> _Chunk:
    parameters = sample_parameters(UNIFIED, plan.values, first, count, seed=plan.seed, exponential=EXTINCTION_DRAWS)
    assays, stop = plan.visits.assays, plan.visits.stop
    last = ("tumour_cells", *LIVE)
    outputs = tuple(dict.fromkeys((*last, *(list_outputs(assays, stop) if with_record else ()))))
    solution = solve(
        plan.kernel,
        parameters,
        list_days(assays if with_record else (), plan.days),
        schedule=create_schedule(UNIFIED, plan.events, LEVERS, parameters),
        keep=outputs,
        rtol=RTOL,
        threads=plan.jobs,
    )
    identity = pl.DataFrame({"subject": np.arange(first, first + count)}).select(name_subject())
    summaries = identity.with_columns(_summarise(solution, last))
    nothing = pl.DataFrame()
    if not with_record:
        return _Chunk(nothing, nothing, nothing, summaries)
    people = sample_people(plan.visits.population, first, count, seed=plan.seed)
    subjects = identity.with_columns(disease=pl.lit(plan.disease), product=pl.lit(plan.product)).with_columns(
        people.get_columns()
    )
    dose = parameters[:, UNIFIED.parameter_names.index(DOSE)]
    observations = observe_subjects(plan.visits, solution, first, plan.seed)
    if plan.markers is not None:
        taken = observe_markers(plan.markers, plan.values, parameters, first, seed=plan.seed)
        observations = pl.concat([observations, taken]).sort("subject_id", "day", maintain_order=True)
    return _Chunk(
        subjects.with_columns(source=pl.lit("simulated")),
        list_events(identity, (*plan.visits.before, *plan.events), dose, plan.days),
        observations,
        summaries,
    )


def _summarise(solution: Solution, last: tuple[str, ...]) -> list[pl.Series]:
    names = {code.value: code.name.lower() for code in Outcome}
    kept = {name: solution.summaries[:, i] for i, name in enumerate(SUMMARIES)}
    kept |= {f"{name}_last": solution.at(name)[:, -1] for name in last}
    is_done = solution.outcome == 0
    return [
        pl.Series("outcome", [names[int(code)] for code in solution.outcome], dtype=pl.String),
        *(pl.Series(name, np.where(is_done, values, np.nan)).fill_nan(None) for name, values in kept.items()),
    ]
