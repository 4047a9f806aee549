"""What a sample may stand for: immunoglobulin in place of M-protein, lesions as a sum, bands of an antibody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from livingdrug.clinical.comparison import TOLERANCE
from livingdrug.clinical.history import Happening
from livingdrug.clinical.myeloma_baseline import (
    FIXATIONS,
    Baseline,
    find_baseline,
    find_isotype,
    is_other_isotype,
    read_isotype,
)
from livingdrug.clinical.myeloma_clauses import mark
from livingdrug.clinical.panel import NOTHING, WORDS, Bools, Column, Floats, Ints, Panel
from livingdrug.clinical.visits import DECISIVE
from livingdrug.core.ruleset import Ruleset

IMMUNOGLOBULINS = (("iga", "immunoglobulin_a"), ("igd", "immunoglobulin_d"))
LONGEST, SHORT = "plasmacytoma_longest_diameter", "plasmacytoma_short_axis"
ANTIBODIES: Mapping[str, str] = {
    "daratumumab": "igg-kappa",
    "isatuximab": "igg-kappa",
    "elotuzumab": "igg-kappa",
    "teclistamab": "igg-lambda",
}
"""Isotype of the antibodies whose names a note may hold."""
UNNAMED = "igg-kappa"
"""Taken for an antibody of which nothing is told: those of the first lines of treatment are."""
_DL_PER_L = 0.1


@dataclass(frozen=True, slots=True)
class Antibody:
    """A therapeutic antibody: its first and last day and its isotype."""

    first: float
    last: float
    isotype: str


def find_therapeutic_antibodies(history: Sequence[Happening]) -> tuple[Antibody, ...]:
    """Return the antibodies given, each with what immunofixation may show of it.

    Examples
    --------
    >>> found = find_therapeutic_antibodies([Happening(10.0, "next_therapy", "teclistamab", 28.0)])
    >>> found[0].last, found[0].isotype
    (38.0, 'igg-lambda')
    """
    found = []
    for event in history:
        isotypes = [isotype for name, isotype in ANTIBODIES.items() if name in event.note]
        if not isotypes and event.type == "therapeutic_antibody":
            isotypes = [event.note if all(read_isotype(event.note)) else UNNAMED]
        found += [Antibody(event.day, event.day + event.duration, isotype) for isotype in isotypes]
    return tuple(found)


def replace_serum(panel: Panel, start: Floats, measure: str) -> tuple[Panel, Ints]:
    """Put quantitative immunoglobulin in place of the M-protein of subjects whose clone is IgA or IgD, at all visits.

    Parameters
    ----------
    measure : ``electrophoresis`` or ``immunoglobulin``

    Returns
    -------
    panel : Panel
    serum_mark : (subject,)
        The variable that now stands there, as a set of one name.
    """
    marks = np.full(len(panel.subjects), mark("m_protein"))
    if measure != "immunoglobulin":
        return panel, marks
    found = find_baseline(panel, start)
    isotype = find_isotype(found, panel.assays)
    serum = panel.get("m_protein")
    for heavy, name in IMMUNOGLOBULINS:
        is_clone = np.array([heavy in read_isotype(assay)[0] for assay in panel.assays] + [False])[isotype]
        is_used = is_clone & ~np.isnan(found[name].value) if name in found else np.zeros_like(is_clone)
        if is_used.any():
            serum = _choose(is_used, _scale(panel.get(name)), serum)
            marks = np.where(is_used, mark(name), marks)
    return panel.with_columns({"m_protein": serum}), marks


def _scale(column: Column) -> Column:
    return replace(column, value=column.value * _DL_PER_L, limit=column.limit * _DL_PER_L)


def _choose(where: Bools, first: Column, second: Column) -> Column:
    """Return one column for some subjects and another for the others."""
    return Column(
        np.where(where, first.value, second.value),
        np.where(where, first.code, second.code),
        tuple(np.where(where, a, b) for a, b in zip(first.rows, second.rows, strict=True)),
        np.where(where, first.limit, second.limit),
        np.where(where, first.assay, second.assay),
        np.where(where, first.day, second.day),
    )


def sum_lesions(panel: Panel) -> Panel:
    """Derive the sum of products of diameters where lesions were measured one by one and no sum was given.

    It is unknown where a lesion that was measured before is not, or lacks one of its diameters.
    """
    names = (*panel.list_details(LONGEST), *panel.list_details(SHORT))
    lesions = tuple(dict.fromkeys(name.partition(":")[2] for name in names))
    if not lesions:
        return panel
    given = panel.get("plasmacytoma_spd")
    total, rows = np.zeros(panel.day.shape), []
    is_any, is_whole = np.zeros(panel.day.shape, dtype=bool), np.ones(panel.day.shape, dtype=bool)
    for lesion in lesions:
        longest, short = panel.get(f"{LONGEST}:{lesion}"), panel.get(f"{SHORT}:{lesion}")
        product = np.where(longest.value == 0, 0.0, longest.value * short.value)
        is_measured = longest.is_measured | short.is_measured
        ever = np.logical_or.accumulate(is_measured, axis=0)
        is_any |= is_measured
        is_whole &= ~ever | ~np.isnan(product)
        total += np.nan_to_num(product)
        rows += [np.where(given.is_measured, NOTHING, column.rows[0]) for column in (longest, short)]
    is_derived = is_any & ~given.is_measured
    value = np.where(is_derived, np.where(is_whole, total, np.nan), given.value)
    return panel.with_columns({"plasmacytoma_spd": replace(given, value=value, rows=(*given.rows, *rows))})


def set_aside_bands(
    panel: Panel,
    baseline: Baseline,
    antibodies: Sequence[Sequence[Antibody]],
    rules: Ruleset,
    window_days: float,
    other_band: str = "unknown",
) -> tuple[Panel, Bools]:
    """Call a positive immunofixation indeterminate where it may show a therapeutic antibody, or shows another clone.

    Parameters
    ----------
    antibodies : of each subject
    window_days : float
        How long an antibody may show.
    other_band : ``unknown`` or ``negative``
        What a band of another isotype than the clone's says of the clone.

    Returns
    -------
    panel : Panel
    is_other : (visit, subject)
        Where a band is certainly not of the clone.

    Source
    ------
    kumar2016
    """
    columns, is_other = {}, np.zeros(panel.day.shape, dtype=bool)
    decisive = np.array([any(word in assay for word in DECISIVE) for assay in panel.assays] + [False])
    for name in FIXATIONS:
        column = panel.get(name)
        is_open = (column.code == WORDS.index("positive")) & ~decisive[column.assay]
        other = is_open & _is_other(column, baseline, panel.assays)
        is_other |= other
        may_be = np.zeros_like(is_open)
        if name == "serum_immunofixation":
            may_be = is_open & _may_be_antibody(panel, baseline, antibodies, rules, window_days)
        said = WORDS.index("negative" if other_band == "negative" else "indeterminate")
        code = np.where(other, said, column.code)
        code = np.where(may_be, WORDS.index("indeterminate"), code).astype(np.int8)
        columns[name] = replace(column, code=code)
    return panel.with_columns(columns), is_other


def _is_other(column: Column, baseline: Baseline, assays: Sequence[str]) -> Bools:
    """Whether a band is certainly not of the clone."""
    table = np.zeros((len(assays) + 1, len(assays) + 1), dtype=bool)
    for i, band in enumerate(assays):
        for j, clone in enumerate(assays):
            table[i, j] = is_other_isotype(band, clone)
    return table[column.assay, baseline.isotype]


def _may_be_antibody(
    panel: Panel,
    baseline: Baseline,
    antibodies: Sequence[Sequence[Antibody]],
    rules: Ruleset,
    window_days: float,
) -> Bools:
    """Whether a band may be that of a therapeutic antibody in place of the clone's."""
    limit = rules.threshold("antibody_m_protein") * (1 + TOLERANCE)
    level = panel.get("m_protein").value
    is_faint = np.isnan(level) | (level <= limit)
    assay = panel.get("serum_immunofixation").assay
    total = np.zeros(panel.day.shape, dtype=bool)
    for subject, given in enumerate(antibodies):
        clone = panel.assays[baseline.isotype[subject]] if baseline.isotype[subject] >= 0 else ""
        for antibody in given:
            day = panel.day[:, subject]
            is_recent = (antibody.first <= day) & (day < antibody.last + window_days)
            for visit in np.flatnonzero(is_recent & is_faint[:, subject]):
                band = panel.assays[assay[visit, subject]] if assay[visit, subject] >= 0 else ""
                total[visit, subject] |= _shows_only(band, antibody.isotype, clone)
    return total


def _shows_only(band: str, antibody: str, clone: str) -> bool:
    """Whether a band shows nothing that an antibody does not, while the clone has, or may have, its isotype."""
    if is_other_isotype(antibody, clone or band):
        return False
    return all(shown <= own for shown, own in zip(read_isotype(band), read_isotype(antibody), strict=True))
