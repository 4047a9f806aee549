"""One simulated failure explained: its truth beside what was found, kept on file so that a long run can go on."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from livingdrug.core.outcome import Mechanism
from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.attribution import NONE
from livingdrug.study.benchmark_patients import KnownFailure
from livingdrug.study.explain_failure import fit_subject
from livingdrug.study.find_cause import find_cause, find_misfit
from livingdrug.study.fit_patient import Effort
from livingdrug.study.patient_data import select_patient

TUMOUR = "tumour"
CLASSES = {"environment": "quality"}
"""Groups that count as another in the four classes: suppression lowers the quality of CAR T cells."""


@dataclass(frozen=True, slots=True)
class Case:
    """One failure: its truth, what was found, and how long that took.

    Parameters
    ----------
    cohort, subject : str
    truth : mapping of mechanism to share of the reason
        More than one where they tie; ``none`` among them.
    eight, four : mapping of class to probability
        That naming the class is right, of eight mechanisms and of four classes.
    shares, estimated, medians : mapping of mechanism to Shapley share
        True; mean over the posterior; median over the posterior.
    answered : str or None
    probability : float
        Of the answer, or of the best that was not enough.
    is_misfit : bool
    effective, effective_answer : float
        Draws of the parameters, and of the answer.
    seconds, processor_fit, processor_cause : float
        By the clock for all; of the processors for the posterior, and for the attribution.
    expected_error : float
        By how much the posterior itself expects the medians to be off, on average over mechanisms; not a number where
        that is not known.
    """

    cohort: str
    subject: str
    truth: Mapping[str, float]
    eight: Mapping[str, float]
    four: Mapping[str, float]
    shares: Mapping[str, float]
    estimated: Mapping[str, float]
    medians: Mapping[str, float]
    answered: str | None
    probability: float
    is_misfit: bool
    effective: float
    effective_answer: float
    seconds: float
    processor_fit: float
    processor_cause: float
    expected_error: float = float("nan")


def name_group(mechanism: str) -> str:
    """Return the group of a mechanism; ``none`` is its own.

    >>> name_group("potency"), name_group("none")
    ('quality', 'none')
    """
    return NONE if mechanism == NONE else Mechanism(mechanism).group.value


def name_eighth(mechanism: str) -> str:
    """Return one of eight mechanisms: growth and burden of the tumour are one of them.

    >>> name_eighth("tumour_growth"), name_eighth("potency")
    ('tumour', 'potency')
    """
    return TUMOUR if name_group(mechanism) == TUMOUR else mechanism


def name_class(mechanism: str) -> str:
    """Return one of four classes: quantity, quality, antigen, tumour; what was given counts as quantity.

    >>> name_class("suppression"), name_class("steroids")
    ('quality', 'quantity')
    """
    group = name_group(mechanism)
    return CLASSES.get(group, "quantity" if group == "treatment" else group)


def explain_known(
    failure: KnownFailure, settings: Ruleset, *, seed: int, draws: int, effective: float | None = None, jobs: int | None
) -> Case:
    """Explain one failure from its record, as `explain_failure` does, and set the truth beside it."""
    start, processor = time.perf_counter(), time.process_time()
    data, marker, day = select_patient(failure.record), failure.assessment.marker, failure.assessment.failure_day
    fit = fit_subject(data, seed=seed, effort=Effort(draws, effective), jobs=jobs)
    fitted = time.process_time()
    assert fit is not None
    assert marker is not None
    assert day is not None
    misfit = find_misfit(fit, settings=settings, jobs=jobs)
    cause = find_cause(fit, data, marker, day, settings=settings, misfit=misfit, jobs=jobs)
    attribution = cause.attribution
    return Case(
        cohort=f"{failure.disease}/{failure.product}",
        subject=failure.subject_id,
        truth=failure.reasons,
        eight=attribution.compute_named(name_eighth),
        four=attribution.compute_named(name_class),
        shares=failure.shares,
        estimated={share.name: share.share for share in attribution.shares},
        medians={share.name: share.share_median for share in attribution.shares},
        expected_error=expect_error(attribution.parts),
        answered=cause.answer.answered,
        probability=cause.answer.probability,
        is_misfit=misfit.flag,
        effective=fit.posterior.draws.effective,
        effective_answer=attribution.effective,
        seconds=time.perf_counter() - start,
        processor_fit=fitted - processor,
        processor_cause=time.process_time() - fitted,
    )


def expect_error(parts: np.ndarray) -> float:
    """Return the mean distance of draws (mechanism, draw) from their median; not a number without draws.

    >>> expect_error(np.array([[0.0, 0.0, 0.75], [1.0, 1.0, 1.0]]))
    0.125
    """
    if parts.size == 0:
        return float("nan")
    return float(np.abs(parts - np.median(parts, axis=1, keepdims=True)).mean())


def explain_all(
    failures: Sequence[KnownFailure],
    settings: Ruleset,
    *,
    seed: int,
    draws: int,
    effective: float | None = None,
    jobs: int | None,
    kept: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Case]:
    """Explain failure by failure.

    Parameters
    ----------
    draws, effective
        See :class:`~livingdrug.study.fit_patient.Effort`.
    kept : Path, optional
        A file of one case a line: those found there are not explained again, new ones are added at once.
    progress : function of the failures done and of all, optional
    """
    known = {} if kept is None or not kept.exists() else read_cases(kept)
    for done, failure in enumerate(failures, start=1):
        case = known.get(failure.subject_id)
        if case is None:
            case = explain_known(failure, settings, seed=seed, draws=draws, effective=effective, jobs=jobs)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(case)) + "\n")
        if progress is not None:
            progress(done, len(failures))
        yield case


def read_cases(path: Path) -> dict[str, Case]:
    """Read the cases of an earlier run; a line that was cut off in the middle is left out."""
    cases = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            case = Case(**json.loads(line))
        except (json.JSONDecodeError, TypeError):
            continue
        cases[case.subject] = case
    return cases
