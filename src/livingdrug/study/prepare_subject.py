"""Fit one subject once, for its explanation and for the questions that may be asked afterwards."""

from dataclasses import dataclass

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.study.beyond_data import BeyondData, compute_beyond_data
from livingdrug.study.explain_failure import Explained, explain_subject
from livingdrug.study.explanation import Explanation
from livingdrug.study.fit_patient import DRAWS
from livingdrug.study.patient_data import select_patient
from livingdrug.study.what_if import WhatIfStart, prepare_what_if


@dataclass(frozen=True, slots=True)
class Prepared:
    """An explanation, and the start of what-if questions where a model covers the subject.

    Parameters
    ----------
    explained : Explained
        The explanation with its fit, for what is asked of the future.
    start : WhatIfStart or None
    reason : str
        Why there is no start, as a sentence.
    beyond : BeyondData or None
        What the fit says beside the data; None where nothing was fitted.
    """

    explained: Explained
    start: WhatIfStart | None
    reason: str = ""
    beyond: BeyondData | None = None

    @property
    def explanation(self) -> Explanation:
        """The explanation without its fit."""
        return self.explained.explanation


def prepare_subject(
    record: Record, *, subject_id: str | None = None, seed: int = 0, jobs: int | None = None
) -> Prepared:
    """Explain one subject and prepare what-if questions about it, on one fit.

    Raises
    ------
    InputError
        If the subject is not in the record.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> explained = prepare_subject(load_example("myeloma_late_relapse"), seed=1)
    >>> explained.explanation.answered, explained.start.horizon
    ('antigen_low', 730.0)
    """
    found = explain_subject(record, subject_id=subject_id, seed=seed, draws=DRAWS, jobs=jobs)
    beyond = None
    if found.fit is not None:
        beyond = compute_beyond_data(found.fit, select_patient(record, subject_id), seed=seed, jobs=jobs)
    try:
        start = prepare_what_if(record, subject_id=found.explanation.subject_id, seed=seed, jobs=jobs, fit=found.fit)
    except InputError as error:
        return Prepared(found, None, str(error), beyond)
    return Prepared(found, start, beyond=beyond)
