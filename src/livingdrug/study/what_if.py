"""What if it had been otherwise? The posterior draws of one subject, run again with knobs turned.

Every question is asked of the same draws with the same chances of extinction (common random numbers), so
that a difference between two positions is the knob and never chance. Fitting is done once, by
:func:`prepare_what_if`; after that a question takes milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.explain.attribution import compute_interval, smooth_share
from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure, compute_progression
from livingdrug.fit.problem import MOST_STEPS
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.protocol import Event, create_changes
from livingdrug.study.assess_response import assess_response
from livingdrug.study.explain_failure import fit_subject
from livingdrug.study.find_cause import STEP
from livingdrug.study.fit_patient import PatientFit
from livingdrug.study.patient_data import find_end, select_patient
from livingdrug.study.plans import SETTINGS, list_landmarks
from livingdrug.study.provenance import compute_input_hash
from livingdrug.study.what_if_knobs import NEVER, NEXT_THERAPY, check_knobs, turn_knobs

DRAWS = 200
EARLY_DAYS = 28.0
EARLY_STEP = 2.0
"""CAR T cells rise and fall within four weeks, between two visits."""
COURSE_LENGTH = 84.0
"""Days for which a next therapy is given."""
QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class WhatIfStart:
    """All that a question needs, once the subject is fitted.

    Parameters
    ----------
    subject_id : str
    parameters : (draw, parameter)
        Of the unified model, with the chances of extinction drawn.
    changes : tuple of Change
        What was done to the subject after the infusion.
    marker : MarkerRule
    horizon : float [day]
        Day by which failure is judged.
    effective : float
        Independent draws.
    is_converged : bool
    provenance : mapping
        ``seed, input_hash``.
    """

    subject_id: str
    parameters: np.ndarray
    changes: tuple[Change, ...]
    marker: MarkerRule
    horizon: float
    effective: float
    is_converged: bool
    provenance: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WhatIfCurve:
    """One quantity over days: 5th, 50th and 95th percentile of the draws, or one line of probabilities."""

    variable: str
    unit: str
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The answer to one question.

    Parameters
    ----------
    knobs : mapping
        As asked.
    failure, lower, upper : float
        Probability of failing by the horizon; 90 % interval for the limited number of draws.
    draws : int
        Draws that could be computed.
    days : (time,)
    curves : tuple of WhatIfCurve
    """

    knobs: Mapping[str, float]
    failure: float
    lower: float
    upper: float
    draws: int
    days: np.ndarray
    curves: tuple[WhatIfCurve, ...]


@cache
def compile_kernel() -> Kernel:
    """Compile the unified model once."""
    return compile_model(UNIFIED)


def prepare_what_if(
    record: Record,
    *,
    subject_id: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    fit: PatientFit | None = None,
) -> WhatIfStart:
    """Fit one subject, or take its fit, and keep what questions are asked of.

    Raises
    ------
    InputError
        If no model here covers the subject's disease, product and measurable marker.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> start = prepare_what_if(load_example("myeloma_late_relapse"), seed=1)
    >>> as_it_was, denser = (compute_what_if(start, knobs).failure for knobs in ({}, {"antigen": 4.0}))
    >>> as_it_was > 0.9, denser < as_it_was
    (True, True)
    """
    data = select_patient(record, subject_id)
    assessment = assess_response(data)
    fit = fit or fit_subject(data, seed=seed, jobs=jobs)
    if fit is None or assessment.marker is None:
        raise InputError(
            f"A what-if needs a model and a measurable marker, but {data.subject_id} has "
            f"{data.disease} after {data.product}{'' if fit is None else ' without a measurable marker'}. "
            "Hint: `livingdrug assess` and `livingdrug explain` work without."
        )
    day = assessment.failure_day if assessment.failed and assessment.failure_day is not None else None
    last = find_end(data) if day is None else day
    return WhatIfStart(
        subject_id=data.subject_id,
        parameters=_thin(fit),
        changes=tuple(fit.problem.changes),
        marker=assessment.marker,
        horizon=choose_horizon(last, list_landmarks(load_rules(SETTINGS))),
        effective=min(float(fit.posterior.draws.effective), float(DRAWS)),
        is_converged=bool(fit.posterior.is_converged),
        provenance={"seed": seed, "input_hash": compute_input_hash(record)},
    )


def _thin(fit: PatientFit) -> np.ndarray:
    """Thin the posterior evenly; the chances by which clones die out are part of each draw."""
    every = fit.posterior.parameters
    places = np.unique(np.linspace(0, len(every) - 1, min(DRAWS, len(every))).round().astype(int))
    return np.asarray(every[places])


def list_times(horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the report days, and which of them are the visits at which failure is judged.

    >>> days, is_visit = list_times(30.0)
    >>> days[is_visit].tolist()
    [0.0, 14.0, 28.0, 30.0]
    """
    visits = np.unique(np.concatenate([np.arange(0.0, horizon, STEP), [horizon]]))
    days = np.unique(np.concatenate([visits, np.arange(0.0, min(EARLY_DAYS, horizon), EARLY_STEP)]))
    return days, np.isin(days, visits)


def _plan(start: WhatIfStart, knobs: Mapping[str, float]) -> tuple[Change, ...]:
    """Return the subject's changes, with those of a next therapy on the day that is asked for."""
    day = knobs.get(NEXT_THERAPY, NEVER)
    if day == NEVER:
        return start.changes
    event = Event(day, "next_therapy", None, "", COURSE_LENGTH)
    added = create_changes(UNIFIED, [event], LEVERS, start.parameters[0])
    return tuple(sorted((*start.changes, *added), key=lambda change: change.day))


def compute_what_if(start: WhatIfStart, knobs: Mapping[str, float], *, threads: int = 1) -> WhatIf:
    """Run every draw again with the knobs turned.

    Parameters
    ----------
    knobs : mapping of knob to position
        Those left out stay as they were.
    threads : int
        Changes nothing but the time.

    Raises
    ------
    InputError
        If a knob is unknown or a position out of range, or if no draw can be computed.
    """
    check_knobs(knobs)
    days, is_visit = list_times(start.horizon)
    changes = _plan(start, knobs)
    parameters = turn_knobs(start.parameters, UNIFIED.parameter_names, knobs)
    shown = (start.marker.marker, "car_t_cells", "antigen_density")
    solution = solve(
        compile_kernel(),
        parameters,
        days,
        schedule=Schedule.from_changes(UNIFIED, [changes]).repeat(len(parameters)) if changes else None,
        keep=shown,
        rtol=1e-4,
        threads=threads,
        max_steps=MOST_STEPS,
    )
    course = solution.values[np.isfinite(solution.values).all(axis=(1, 2))]
    if len(course) == 0:
        raise InputError("the course must be computable in some draw, but was in none. Hint: move a slider back.")
    visits = course[:, is_visit, 0]
    chance = float(compute_failure(visits, start.marker).mean())
    effective = min(start.effective, float(len(course)))
    smooth = float(smooth_share(np.array([chance, 1 - chance]), effective)[0])
    lower, upper = compute_interval(smooth, effective)
    units = {q.name: q.unit for q in UNIFIED.outputs}
    curves = [
        WhatIfCurve(name, units[name], *np.quantile(course[:, :, k], QUANTILES, axis=0)) for k, name in enumerate(shown)
    ]
    progression = np.interp(days, days[is_visit], compute_progression(visits, start.marker).mean(axis=0))
    curves.insert(0, WhatIfCurve("progression", "1", progression, progression, progression))
    return WhatIf(dict(knobs), smooth, lower, upper, len(course), days, tuple(curves))
