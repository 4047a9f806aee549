"""What is known of the cause of a failure: measured, or presumed from B-cell aplasia, and never mixed.

A relapse while B cells stay away speaks for loss of the antigen (23 of 25 were CD19-negative in one series,
pulsipher2022); one after B cells came back for loss of the CAR T cells. Neither is a measurement: both are
reported under the word presumptive, only of a relapse, and only where nothing was measured.
"""

from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.b_cell_aplasia import TARGETS, find_b_cell_samples, judge_aplasia
from livingdrug.clinical.failure_verdict import Certainty, Label, name_mechanism
from livingdrug.clinical.persistence import Persistence, find_antigen, find_persistence
from livingdrug.core.outcome import AntigenStatus
from livingdrug.core.ruleset import Finding, Ruleset, Truth


@dataclass(frozen=True, slots=True)
class Cause:
    """What was measured about the cause of a failure, or what a surrogate speaks for.

    Parameters
    ----------
    label : str
    certainty : ``measured``, ``presumptive`` or ``unknown``
    antigen : AntigenStatus
    persistence : Persistence
    findings : tuple of Finding
        With the rows that it rests on; none without them.
    """

    label: Label
    certainty: Certainty
    antigen: AntigenStatus
    persistence: Persistence
    findings: tuple[Finding, ...] = ()


def find_cause(
    observations: pl.DataFrame,
    day: float,
    rules: Ruleset,
    *,
    target: str = "",
    with_presumptive: bool = True,
    recovery: str = "100_or_1_percent",
) -> Cause:
    """Say what is known of the cause of a failure on a day.

    Parameters
    ----------
    observations : table
        One subject's rows.
    day : float [day]
    rules : Ruleset
        ``failure/1``.
    target : str
        The antigen that the product recognises; only for one of B cells does aplasia speak.
    with_presumptive : bool
    recovery : str
        See :func:`livingdrug.clinical.b_cell_aplasia.find_b_cell_samples`.
    """
    antigen, antigen_rows = find_antigen(observations, day, rules, target)
    persistence, persistence_rows = find_persistence(observations, day, rules)
    findings = []
    if antigen != AntigenStatus.UNKNOWN:
        findings.append(Finding("target antigen at failure", Truth.TRUE, antigen_rows, note=f"antigen {antigen}"))
    if persistence != Persistence.UNKNOWN:
        note = f"CAR T cells {persistence}"
        findings.append(Finding("CAR T cells at failure", Truth.TRUE, persistence_rows, note=note))
    label = name_mechanism(antigen, persistence)
    if label != "unknown":
        return Cause(label, "measured", antigen, persistence, tuple(findings))
    if with_presumptive and target.upper() in TARGETS:
        samples = find_b_cell_samples(observations, rules, recovery=recovery)
        is_absent, asked = judge_aplasia(samples, day, rules.threshold("persistence_window"))
        presumed = _presume(is_absent, antigen, persistence)
        if presumed != "unknown":
            return Cause(presumed, "presumptive", antigen, persistence, (*findings, *asked))
    return Cause("unknown", "unknown", antigen, persistence, tuple(findings))


def _presume(is_absent: Truth, antigen: AntigenStatus, persistence: Persistence) -> Label:
    """Return what B cells speak for, unless what was measured speaks against it."""
    if is_absent == Truth.TRUE and antigen == AntigenStatus.UNKNOWN:
        return "antigen_negative"
    if is_absent == Truth.FALSE and persistence == Persistence.UNKNOWN:
        return "car_loss"
    return "unknown"
