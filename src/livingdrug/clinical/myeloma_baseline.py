"""What a myeloma is followed by: baseline values, the involved light chain, and which measures count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from livingdrug.clinical.comparison import TOLERANCE
from livingdrug.clinical.myeloma_clauses import FREE_LIGHT_CHAINS, Measure, mark, take_numbers
from livingdrug.clinical.panel import WORDS, Bools, Codes, Column, Floats, Ints, Panel
from livingdrug.core.ruleset import Ruleset

HEAVY, LIGHT = ("igg", "iga", "igm", "igd", "ige"), ("kappa", "lambda")
MEASURED_PROTEINS = ("m_protein", "urine_m_protein", "plasmacytoma_spd")
FIXATIONS = ("serum_immunofixation", "urine_immunofixation")
KINDS = ("serum_urine", "light_chain", "marrow", "plasmacytoma", "not_measurable")
SERUM_URINE, LIGHT_CHAIN, MARROW, PLASMACYTOMA, NOT_MEASURABLE = range(len(KINDS))
SIDES = ("not known", "low", "normal", "high")
OPEN, LOW, NORMAL, HIGH = range(len(SIDES))
NEITHER, KAPPA, LAMBDA = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Baseline:
    """Values before lymphodepletion and what they make measurable; all arrays are (``subject``,).

    Parameters
    ----------
    found : mapping of variable to Column
        The result at baseline, with its day and row.
    involved : 0 where the ratio is normal or not known, 1 kappa, 2 lambda; fixed here
    serum, urine, light_chain, marrow, plasmacytoma : bool
        Measurable by the criteria; not shown to be measurable is not measurable.
    isotype : place of the assay that names the clone's, by immunofixation; -1 where none does
    has_disease : whether anything at baseline shows disease, measurable or not
    serum_mark : the variable that serum disease is followed by, as a set of one name
    """

    found: Mapping[str, Column]
    involved: Ints
    serum: Bools
    urine: Bools
    light_chain: Bools
    marrow: Bools
    plasmacytoma: Bools
    isotype: Ints
    has_disease: Bools
    serum_mark: Ints

    @property
    def kind(self) -> Ints:
        """Type of disease, as its place in ``KINDS``: the first measure that counts."""
        types = [self.serum | self.urine, self.light_chain, self.marrow, self.plasmacytoma]
        return np.select(types, list(range(NOT_MEASURABLE)), NOT_MEASURABLE)

    @property
    def followed(self) -> Ints:
        """Variables by which the disease is followed, as sets of names."""
        chain = np.select([self.involved == KAPPA, self.involved == LAMBDA], [mark("flc_kappa"), mark("flc_lambda")], 0)
        kind = self.kind
        return np.asarray(
            np.where(self.serum, self.serum_mark, 0)
            | np.where(self.urine, mark("urine_m_protein"), 0)
            | np.where(kind == LIGHT_CHAIN, chain, 0)
            | np.where(kind == MARROW, mark("marrow_plasma_cells"), 0)
            | np.where(self.plasmacytoma, mark("plasmacytoma_spd"), 0)
        )


def derive_baseline(
    panel: Panel, rules: Ruleset, start: Floats | float = 0.0, serum_mark: Ints | None = None
) -> Baseline:
    """Derive what the disease is followed by, from the last values on a day or before.

    Parameters
    ----------
    panel : Panel
    rules : Ruleset
    start : (subject,) [day]
        Day of lymphodepletion (or of leukapheresis); a thing measured only later, up to day 0, counts too.
    serum_mark : (subject,)
        What stands in the column of serum M-protein, where it is not that.

    Source
    ------
    kumar2016
    """
    found = find_baseline(panel, np.broadcast_to(np.asarray(start, dtype=float), (len(panel.subjects),)))
    side = find_side(found["flc_kappa"], found["flc_lambda"], rules)
    involved = np.select([side == HIGH, side == LOW], [KAPPA, LAMBDA], NEITHER)
    chain = np.select([involved == KAPPA, involved == LAMBDA], [found[f"flc_{c}"].value for c in LIGHT], np.nan)
    lesions = [found[name].value > 0 for name in found if name.startswith("plasmacytoma_longest_diameter")]
    spd = found["plasmacytoma_spd"].value > 0
    return Baseline(
        found,
        involved,
        serum=_reaches(found["m_protein"].value, rules.threshold("measurable_m_protein")),
        urine=_reaches(found["urine_m_protein"].value, rules.threshold("measurable_urine")),
        light_chain=_reaches(chain, rules.threshold("measurable_flc")),
        marrow=_reaches(found["marrow_plasma_cells"].value, rules.threshold("measurable_marrow")),
        plasmacytoma=np.logical_or.reduce([spd, *lesions]),
        isotype=find_isotype(found, panel.assays),
        has_disease=_has_disease(found, involved, rules) | np.logical_or.reduce([spd, *lesions]),
        serum_mark=np.full(len(panel.subjects), mark("m_protein")) if serum_mark is None else serum_mark,
    )


REQUIRED = (
    *MEASURED_PROTEINS,
    *FIXATIONS,
    "flc_kappa",
    "flc_lambda",
    "marrow_plasma_cells",
    "marrow_clonal_plasma_cells",
    "circulating_plasma_cells",
)


def find_baseline(panel: Panel, start: Floats) -> dict[str, Column]:
    """Return the last result of each thing on a day or before; where there is none, the first up to day 0.

    The two light chains count only where both were measured at one visit.

    Examples
    --------
    >>> from livingdrug.clinical.panel_reading import read_panel
    >>> import polars as pl
    >>> table = pl.DataFrame({"day": [-7.0, -1.0, 28.0], "variable": ["m_protein"] * 3, "value": [3.0, 2.0, 1.0]})
    >>> panel = read_panel(table, ["m_protein"])
    >>> [find_baseline(panel, np.array([day]))["m_protein"].value.tolist() for day in (0.0, -5.0)]
    [[2.0], [3.0]]
    """
    is_before = panel.day <= 0
    count = int(is_before.sum(axis=0).max(initial=0))
    is_single = panel.get("flc_kappa").is_measured != panel.get("flc_lambda").is_measured
    found = {}
    for name in dict.fromkeys((*REQUIRED, *panel.columns)):
        column = panel.get(name)
        known = (column.is_known & is_before)[: max(count, 1)]
        if name.startswith("flc_"):
            known = known & ~is_single[: max(count, 1)]
        early = known & (panel.day[: len(known)] <= start)
        late = known & ~early
        last = len(known) - 1 - np.argmax(early[::-1], axis=0)
        has_early = early.any(axis=0)
        place = np.where(has_early, last, np.argmax(late, axis=0))
        found[name] = column.pick(place, np.asarray(has_early | late.any(axis=0)))
    return found


def find_isotype(found: Mapping[str, Column], assays: Sequence[str]) -> Ints:
    """Return the place of the assay at baseline that names the clone's chains; -1 where none does."""
    names_any = np.array([any(read_isotype(assay)) for assay in assays] + [False])
    serum, urine = (found[name].assay for name in FIXATIONS)
    return np.where(names_any[serum], serum, np.where(names_any[urine], urine, -1))


def _has_disease(found: Mapping[str, Column], involved: Ints, rules: Ruleset) -> Bools:
    total: Bools = involved != NEITHER
    for name in MEASURED_PROTEINS:
        total = total | (found[name].value > 0)
    for name in FIXATIONS:
        total = total | (found[name].code == WORDS.index("positive"))
    total = total | (found["marrow_clonal_plasma_cells"].code == WORDS.index("present"))
    return total | _reaches(found["marrow_plasma_cells"].value, rules.threshold("complete_marrow"))


def _reaches(value: Floats, threshold: float) -> Bools:
    return np.asarray(value >= threshold * (1 - TOLERANCE))


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


def find_side(kappa: Column, chain_lambda: Column, rules: Ruleset) -> Codes:
    """Return where the kappa/lambda ratio lies, as its place in ``SIDES``; both ends of the normal range are normal.

    A chain that was not detected lies somewhere below its limit: the answer is open unless it is the same at
    both ends.
    """
    bounds = (rules.threshold("ratio_low"), rules.threshold("ratio_high"))
    most_kappa = np.where(kappa.limit > 0, kappa.limit, kappa.value)
    most_lambda = np.where(chain_lambda.limit > 0, chain_lambda.limit, chain_lambda.value)
    lowest = _place(kappa.value, most_lambda, bounds)
    highest = _place(most_kappa, chain_lambda.value, bounds)
    is_known = ~np.isnan(kappa.value) & ~np.isnan(chain_lambda.value)
    return np.where(is_known & (lowest == highest), lowest, OPEN).astype(np.int8)


def _place(kappa: Floats, chain_lambda: Floats, bounds: tuple[float, float]) -> Ints:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = kappa / chain_lambda
    low, high = bounds
    is_high = ratio > high + TOLERANCE * np.maximum(high, np.abs(ratio))
    is_low = ratio < low - TOLERANCE * np.maximum(low, np.abs(ratio))
    usual = np.select([is_high, is_low], [HIGH, LOW], NORMAL)
    return np.where(chain_lambda > 0, usual, np.where(kappa > 0, HIGH, OPEN))


def subtract_chains(kappa: Column, chain_lambda: Column, involved: Ints) -> Measure:
    """Return involved minus uninvolved light chain, signed; unknown where one is not known.

    A change to the other chain shows as a negative number.
    """
    difference = np.where(involved == LAMBDA, chain_lambda.value - kappa.value, kappa.value - chain_lambda.value)
    lacks = np.where(np.isnan(kappa.value), mark("flc_kappa"), 0)
    lacks = lacks | np.where(np.isnan(chain_lambda.value), mark("flc_lambda"), 0)
    missing = np.where(involved == NEITHER, mark(FREE_LIGHT_CHAINS), lacks)
    value = np.where(involved == NEITHER, np.nan, difference)
    rows = tuple(np.where(involved == NEITHER, -1, rows) for column in (kappa, chain_lambda) for rows in column.rows)
    return Measure(value, rows, missing, ~np.isnan(value))


def turn_around(measure: Measure) -> Measure:
    """Return a difference seen from the other chain."""
    return Measure(-measure.value, measure.rows, measure.missing, measure.fresh)


def take_baseline(baseline: Baseline, name: str, missing: Ints | int | None = None) -> Measure:
    """Return a value at baseline as something to ask about."""
    return take_numbers(baseline.found[name], mark(name) if missing is None else missing)
