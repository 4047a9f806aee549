"""What `explain_failure` hands back: the verdict, why, how sure, and what it rests on."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the treatment of one subject failed, as far as the record can tell.

    Parameters
    ----------
    subject_id, disease, product : str
    failed : bool or None
        None where the record does not tell.
    failure_class : str
        A value of :class:`~livingdrug.core.outcome.FailureClass`.
    failure_day : float or None [day]
    response_rows : table
        ``day, time_point, confirmed, clause``: the response at each visit.
    best_response : str or None
    answered : str or None
        The mechanism, or the group of mechanisms, that the posterior supports; None where it supports none.
    mechanisms : list of mapping
        ``name, group, probability, lower, upper, reduction, share, rescue``, bounds of them, most probable first.
    evidence : list of mapping
        ``statement, mechanism, direction, rows, moved``.
    sentences : list of str
        The explanation in plain words.
    fit : mapping
        What the fit says about itself; ``converged`` is among it.
    bands : table
        ``variable, unit, day, lower, median, upper``: 90 % band of the fitted course.
    observations, events : table
        The subject's rows, as read.
    counterfactuals : table
        One row per mechanism: failure probability as it is and with the mechanism switched off.
    provenance : mapping
        ``version, seed, input_hash, assumed, sources, options``.
    thresholds : table or None
        ``variable, value, label``: horizontal lines for figures.
    cannot_tell_because : str or None
        Why a failure has no answer; None where it has one, or did not fail.
    measure_next : list of mapping
        ``assay, day, gain_bits, doubt_bits, from``: what would most reduce the doubt about the reason, best first.
    misfit : mapping
        ``flag, why, probability``: whether the model cannot reproduce the data.
    forecast : list of mapping
        ``day, probability, lower, upper, from_day``: progression within so many days of the last visit, of a
        subject that has not failed.
    rescue : mapping or None
        ``mechanism, probability``: the single fix most likely to have prevented the failure.
    ties : list of str
        Mechanisms whose shares are too alike to rank; empty where one leads.
    alternatives : list of mapping
        ``parameter, spread, instead_of, why, effective_draws, mechanisms``: the mechanisms under other spreads between
        patients that the calibration allows.
    """

    subject_id: str
    disease: str
    product: str
    failed: bool | None
    failure_class: str
    failure_day: float | None
    response_rows: pl.DataFrame
    best_response: str | None
    answered: str | None
    mechanisms: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    sentences: list[str]
    fit: Mapping[str, Any]
    bands: pl.DataFrame
    observations: pl.DataFrame
    events: pl.DataFrame
    counterfactuals: pl.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)
    thresholds: pl.DataFrame | None = None
    cannot_tell_because: str | None = None
    measure_next: list[dict[str, Any]] = field(default_factory=list)
    misfit: Mapping[str, Any] = field(default_factory=lambda: {"flag": False, "why": None})
    forecast: list[dict[str, Any]] = field(default_factory=list)
    rescue: Mapping[str, Any] | None = None
    ties: list[str] = field(default_factory=list)
    alternatives: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain values, in the form other programs rely on."""
        return {
            "subject_id": self.subject_id,
            "disease": self.disease,
            "product": self.product,
            "failed": self.failed,
            "failure": {"class": self.failure_class, "day": self.failure_day},
            "best_response": self.best_response,
            "answered": self.answered,
            "cannot_tell_because": self.cannot_tell_because,
            "ties": self.ties,
            "rescue": None if self.rescue is None else dict(self.rescue),
            "measure_next": self.measure_next,
            "misfit": dict(self.misfit),
            "forecast": self.forecast,
            "mechanisms": self.mechanisms,
            "alternatives": self.alternatives,
            "evidence": self.evidence,
            "sentences": self.sentences,
            "fit": dict(self.fit),
            "provenance": dict(self.provenance),
        }

    def to_json(self) -> str:
        """Return the explanation as JSON; what is not a number is null.

        Examples
        --------
        >>> empty = pl.DataFrame()
        >>> one = Explanation("p1", "myeloma", "ide_cel", False, "none", None, empty, "VGPR", None, [], [], [],
        ...                   {"converged": True, "ratio": float("nan")}, empty, empty, empty, empty)
        >>> loaded = json.loads(one.to_json())
        >>> loaded["failure"], loaded["fit"]
        ({'class': 'none', 'day': None}, {'converged': True, 'ratio': None})
        """
        return json.dumps(_clean(self.to_dict()), indent=2, ensure_ascii=False, allow_nan=False)


def _clean(value: Any) -> Any:
    """Turn mappings, sequences and numbers into what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)
