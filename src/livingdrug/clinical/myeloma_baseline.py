"""What a myeloma is followed by: baseline values, the involved light chain, and which measures count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from livingdrug.clinical.comparison import is_above, is_at_least
from livingdrug.clinical.visits import Measured, Visit, find_baseline
from livingdrug.core.ruleset import Ruleset

HEAVY, LIGHT = ("igg", "iga", "igm", "igd", "ige"), ("kappa", "lambda")
MEASURED_PROTEINS = ("m_protein", "urine_m_protein", "plasmacytoma_spd")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Values before lymphodepletion and what they make measurable.

    Parameters
    ----------
    measured : mapping of variable to measurement
        Each with its day and row.
    involved : str or None
        ``kappa`` or ``lambda``, fixed here; None where the ratio is normal or not known.
    serum, urine, light_chain, marrow, plasmacytoma : bool
        Measurable by the criteria; not shown to be measurable is not measurable.
    isotype : str
        Of the clone by immunofixation, as far as the assay says it.
    has_disease : bool
        Whether anything at baseline shows disease, measurable or not.
    """

    measured: Mapping[str, Measured]
    involved: str | None
    serum: bool
    urine: bool
    light_chain: bool
    marrow: bool
    plasmacytoma: bool
    isotype: str
    has_disease: bool

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


def derive_baseline(visits: Sequence[Visit], rules: Ruleset, start: float = 0.0) -> Baseline:
    """Derive what the disease is followed by, from the last values on a day or before.

    Parameters
    ----------
    visits : sequence of Visit
    rules : Ruleset
    start : float [day]
        Day of lymphodepletion (or of leukapheresis); a thing measured only later, up to day 0, counts too.

    Source
    ------
    kumar2016
    """
    measured = find_baseline(visits, start)
    involved = _find_involved(measured, rules)
    light_chain = _value(measured, f"flc_{involved}")
    return Baseline(
        measured,
        involved,
        serum=_reaches(_value(measured, "m_protein"), rules.threshold("measurable_m_protein")),
        urine=_reaches(_value(measured, "urine_m_protein"), rules.threshold("measurable_urine")),
        light_chain=_reaches(light_chain, rules.threshold("measurable_flc")),
        marrow=_reaches(_value(measured, "marrow_plasma_cells"), rules.threshold("measurable_marrow")),
        plasmacytoma=(_value(measured, "plasmacytoma_spd") or 0.0) > 0,
        isotype=_find_isotype(measured),
        has_disease=_has_disease(measured, involved, rules),
    )


def _find_involved(measured: Mapping[str, Measured], rules: Ruleset) -> str | None:
    side = compare_ratio(measured.get("flc_kappa"), measured.get("flc_lambda"), rules)
    return {"high": "kappa", "low": "lambda"}.get(side or "")


def _find_isotype(measured: Mapping[str, Measured]) -> str:
    for name in ("serum_immunofixation", "urine_immunofixation"):
        fixation = measured.get(name)
        if fixation is not None and any(read_isotype(fixation.assay)):
            return fixation.assay
    return ""


def _has_disease(measured: Mapping[str, Measured], involved: str | None, rules: Ruleset) -> bool:
    has_protein = any((_value(measured, name) or 0.0) > 0 for name in MEASURED_PROTEINS)
    words = (measured.get(name) for name in ("serum_immunofixation", "urine_immunofixation"))
    clone = measured.get("marrow_clonal_plasma_cells")
    return (
        has_protein
        or involved is not None
        or any(m is not None and m.word == "positive" for m in words)
        or (clone is not None and clone.word == "present")
        or _reaches(_value(measured, "marrow_plasma_cells"), rules.threshold("complete_marrow"))
    )


def _value(measured: Mapping[str, Measured], name: str) -> float | None:
    found = measured.get(name)
    return None if found is None else found.value


def _reaches(value: float | None, threshold: float) -> bool:
    return value is not None and is_at_least(value, threshold)


@cache
def read_isotype(assay: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the heavy and the light chains that an assay's name says; nothing where it does not.

    Examples
    --------
    >>> [sorted(chains) for chains in read_isotype("IFE IgG-kappa")]
    [['igg'], ['kappa']]
    """
    text = assay.lower()
    return frozenset(h for h in HEAVY if h in text), frozenset(c for c in LIGHT if c in text)


def is_other_isotype(assay: str, clone: str) -> bool:
    """Whether a band is certainly not of the clone: both name a chain, and the chains differ.

    Examples
    --------
    >>> is_other_isotype("IgG-kappa", "IgA-kappa"), is_other_isotype("IgG", "kappa"), is_other_isotype("", "IgG")
    (True, False, False)
    """
    pairs = zip(read_isotype(assay), read_isotype(clone), strict=True)
    return any(band and own and not band & own for band, own in pairs)


def compare_ratio(
    kappa: Measured | None, chain_lambda: Measured | None, rules: Ruleset
) -> Literal["low", "normal", "high"] | None:
    """Return where the kappa/lambda ratio lies; both ends of the normal range are normal.

    A chain that was not detected lies somewhere below its limit: the answer is None unless it is the same
    at both ends.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> rules = SimpleNamespace(threshold={"ratio_low": 0.26, "ratio_high": 1.65}.get)
    >>> kappa, not_detected = Measured(12.0, None, 0, 28.0), Measured(0.0, None, 1, 28.0, limit=1.5)
    >>> compare_ratio(kappa, not_detected, rules), compare_ratio(not_detected, not_detected, rules)
    ('high', None)
    """
    if kappa is None or chain_lambda is None or kappa.value is None or chain_lambda.value is None:
        return None
    bounds = (rules.threshold("ratio_low"), rules.threshold("ratio_high"))
    lowest = _place(kappa.value, chain_lambda.limit or chain_lambda.value, bounds)
    highest = _place(kappa.limit or kappa.value, chain_lambda.value, bounds)
    return lowest if lowest == highest else None


def _place(kappa: float, chain_lambda: float, bounds: tuple[float, float]) -> Literal["low", "normal", "high"] | None:
    if chain_lambda == 0:
        return "high" if kappa > 0 else None
    ratio = kappa / chain_lambda
    if is_above(ratio, bounds[1]):
        return "high"
    return "low" if is_above(bounds[0], ratio) else "normal"


def compute_difference(measured: Mapping[str, Measured], involved: str | None) -> Measured | None:
    """Return involved minus uninvolved light chain, signed; None where one is not known.

    A change to the other chain shows as a negative number.

    Examples
    --------
    >>> values = {"flc_kappa": Measured(20.0, None, 0, 28.0), "flc_lambda": Measured(300.0, None, 1, 28.0)}
    >>> compute_difference(values, "kappa").value
    -280.0
    """
    if involved is None:
        return None
    other = "lambda" if involved == "kappa" else "kappa"
    a, b = measured.get(f"flc_{involved}"), measured.get(f"flc_{other}")
    if a is None or b is None or a.value is None or b.value is None:
        return None
    return Measured(a.value - b.value, None, a.row, a.day)
