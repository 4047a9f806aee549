"""What a myeloma is followed by: baseline values, the involved light chain, and which measures count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livingdrug.clinical.comparison import is_above, is_at_least
from livingdrug.clinical.visits import Measured, Visit, find_baseline
from livingdrug.core.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class Baseline:
    """Values before lymphodepletion and what they make measurable.

    Parameters
    ----------
    measured : mapping of variable to measurement
    involved : str or None
        ``kappa`` or ``lambda``, fixed here; None where the ratio is normal or not known.
    serum, urine, light_chain, marrow, plasmacytoma : bool
        Measurable by the criteria; not shown to be measurable is not measurable.
    may_be_igg_kappa : bool
        Whether a therapeutic IgG-kappa antibody could be mistaken for the clone.
    """

    measured: Mapping[str, Measured]
    involved: str | None
    serum: bool
    urine: bool
    light_chain: bool
    marrow: bool
    plasmacytoma: bool
    may_be_igg_kappa: bool

    @property
    def kind(self) -> str:
        """Type of disease: the first measure that counts."""
        if self.serum or self.urine:
            return "serum_urine"
        if self.light_chain:
            return "light_chain"
        if self.marrow:
            return "marrow"
        return "plasmacytoma" if self.plasmacytoma else "not_measurable"

    @property
    def followed(self) -> tuple[str, ...]:
        """Variables by which the disease is followed."""
        names = {
            "m_protein": self.serum,
            "urine_m_protein": self.urine,
            f"flc_{self.involved}": self.kind == "light_chain",
            "marrow_plasma_cells": self.kind == "marrow",
            "plasmacytoma_spd": self.plasmacytoma,
        }
        return tuple(name for name, is_followed in names.items() if is_followed)


def derive_baseline(visits: Sequence[Visit], rules: Ruleset) -> Baseline:
    """Derive what the disease is followed by from the visits on day 0 and before.

    Source
    ------
    kumar2016
    """
    measured = find_baseline(visits)
    kappa, chain_lambda = (_value(measured, f"flc_{chain}") for chain in ("kappa", "lambda"))
    involved = _find_involved(kappa, chain_lambda, rules)
    involved_value = {"kappa": kappa, "lambda": chain_lambda, None: None}[involved]
    fixation = measured.get("serum_immunofixation")
    isotype = "" if fixation is None else fixation.assay.lower()
    return Baseline(
        measured,
        involved,
        serum=_reaches(_value(measured, "m_protein"), rules.threshold("measurable_m_protein")),
        urine=_reaches(_value(measured, "urine_m_protein"), rules.threshold("measurable_urine")),
        light_chain=_reaches(involved_value, rules.threshold("measurable_flc")),
        marrow=_reaches(_value(measured, "marrow_plasma_cells"), rules.threshold("measurable_marrow")),
        plasmacytoma=(_value(measured, "plasmacytoma_spd") or 0.0) > 0,
        may_be_igg_kappa="ig" not in isotype or ("igg" in isotype and "lambda" not in isotype),
    )


def _find_involved(kappa: float | None, chain_lambda: float | None, rules: Ruleset) -> str | None:
    if kappa is None or chain_lambda is None:
        return None
    if chain_lambda == 0:
        return "kappa" if kappa > 0 else None
    ratio = kappa / chain_lambda
    if is_above(ratio, rules.threshold("ratio_high")):
        return "kappa"
    return "lambda" if is_above(rules.threshold("ratio_low"), ratio) else None


def _value(measured: Mapping[str, Measured], name: str) -> float | None:
    found = measured.get(name)
    return None if found is None else found.value


def _reaches(value: float | None, threshold: float) -> bool:
    return value is not None and is_at_least(value, threshold)


def compute_difference(measured: Mapping[str, Measured], involved: str | None) -> Measured | None:
    """Return involved minus uninvolved light chain, signed; None where one is not known.

    A change to the other chain shows as a negative number.
    """
    if involved is None:
        return None
    other = "lambda" if involved == "kappa" else "kappa"
    a, b = measured.get(f"flc_{involved}"), measured.get(f"flc_{other}")
    if a is None or b is None or a.value is None or b.value is None:
        return None
    return Measured(a.value - b.value, None, a.row, a.day)
