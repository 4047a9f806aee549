"""What a verdict on a failure says: its class, day and certainty, and what was measured about its cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from livingdrug.clinical.persistence import Persistence
from livingdrug.core.outcome import AntigenStatus, FailureClass
from livingdrug.core.ruleset import Finding

Certainty = Literal["measured", "presumptive", "unknown"]
Site = Literal["local", "de_novo", "local_and_de_novo", "local_component", "de_novo_component", "unknown"]
Label = Literal["antigen_negative", "antigen_low", "car_loss", "car_present_antigen_positive", "unknown"]


@dataclass(frozen=True, slots=True)
class FailureVerdict:
    """How and when a therapy failed.

    Parameters
    ----------
    failure : FailureClass
    day : float or None
    certainty : ``measured``, ``presumptive`` (one sample, or as the treating team recorded it) or ``unknown``
    best : str
        Best confirmed category before it.
    reason : str
        The rule that decided, in words.
    antigen : AntigenStatus
        Of the target at failure; unknown unless it was measured.
    rows : tuple of int
        Rows of the observations that it rests on: of the response or progression, the antigen and the CAR T cells.
    bins : mapping of a published or customary binning to its bin
    persistence : Persistence
        CAR T cells in blood at failure; unknown unless they were looked for.
    findings : tuple of Finding
        The clauses of the visit that decided.
    mechanism : str
        What was measured about the cause, or, under the word presumptive, what a surrogate speaks for.
    mechanism_certainty : ``measured``, ``presumptive`` or ``unknown``
    mechanism_findings : tuple of Finding
    site : str
        Where it failed: see :func:`livingdrug.clinical.failure_site.find_failure_site`.
    site_findings : tuple of Finding
    """

    failure: FailureClass
    day: float | None
    certainty: Certainty
    best: str
    reason: str
    antigen: AntigenStatus = AntigenStatus.UNKNOWN
    rows: tuple[int, ...] = ()
    bins: Mapping[str, str] = field(default_factory=dict)
    persistence: Persistence = Persistence.UNKNOWN
    findings: tuple[Finding, ...] = ()
    mechanism: Label = "unknown"
    mechanism_certainty: Certainty = "unknown"
    mechanism_findings: tuple[Finding, ...] = ()
    site: Site = "unknown"
    site_findings: tuple[Finding, ...] = ()

    @property
    def label(self) -> Label:
        """Name of what was measured about the cause; nothing is inferred."""
        return name_mechanism(self.antigen, self.persistence)


def name_mechanism(antigen: AntigenStatus, persistence: Persistence) -> Label:
    """Name what was measured about the cause of a failure; nothing is inferred.

    Examples
    --------
    >>> name_mechanism(AntigenStatus.UNKNOWN, Persistence.LOST)
    'car_loss'
    """
    if antigen in (AntigenStatus.NEGATIVE, AntigenStatus.LOW):
        return "antigen_negative" if antigen == AntigenStatus.NEGATIVE else "antigen_low"
    if persistence == Persistence.LOST:
        return "car_loss"
    is_positive = antigen == AntigenStatus.POSITIVE and persistence == Persistence.PRESENT
    return "car_present_antigen_positive" if is_positive else "unknown"
