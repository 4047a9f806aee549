"""Labels of relapse in myeloma that are not progression: each stands alone, none counts for progression-free survival.

Clinical relapse asks for symptoms and organs, significant biochemical relapse is a reason to treat, relapse
from complete response or from residual disease that was negative counts for disease-free survival only.
Source: kumar2016 and the consensus of 2011.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livingdrug.clinical.history import Happening, read_history
from livingdrug.clinical.myeloma import IMMUNOGLOBULINS, VARIABLES, prepare_panel
from livingdrug.clinical.myeloma_baseline import FIXATIONS, KAPPA, LAMBDA, NORMAL, OPEN, Baseline, find_side
from livingdrug.clinical.myeloma_clauses import (
    ATTRIBUTION,
    FALSE,
    FREE_LIGHT_CHAINS,
    TRUE,
    UNKNOWN,
    Clause,
    Measure,
    ask_all,
    ask_any,
    ask_number,
    ask_word,
    describe,
    describe_briefly,
    doubt,
    mark,
    take_numbers,
    take_words,
)
from livingdrug.clinical.myeloma_nadir import Nadir
from livingdrug.clinical.myeloma_progression import IMAGES
from livingdrug.clinical.myeloma_samples import LONGEST
from livingdrug.clinical.panel import Bools, Column, Ints, Panel
from livingdrug.clinical.panel_reading import read_panel
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset

ORGANS = ("calcium", "corrected_calcium", "albumin", "haemoglobin", "creatinine")
INVOLVED = "flc_involved"
Findings = tuple[tuple[float, Finding], ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """What the labels are asked of: results, baseline, and lowest values."""

    panel: Panel
    baseline: Baseline
    nadir: Nadir
    rules: Ruleset
    chosen: Mapping[str, OptionValue]


def read_relapse_samples(
    observations: pl.DataFrame,
    histories: Sequence[Sequence[Happening]],
    rules: Ruleset,
    chosen: Mapping[str, OptionValue],
    subjects: Sequence[str] | None = None,
) -> Samples:
    """Read what the labels look at; visits are days, also those on which only blood was counted."""
    with_immunoglobulin = chosen["serum_measure"] == "immunoglobulin"
    names = (*VARIABLES, *ORGANS, *(IMMUNOGLOBULINS if with_immunoglobulin else ()))
    panel, baseline, _ = prepare_panel(read_panel(observations, names, subjects=subjects), histories, rules, chosen)
    involved = _choose_chain(baseline.involved, *panel.chains)
    found = _choose_chain(baseline.involved, baseline.found["flc_kappa"], baseline.found["flc_lambda"])
    panel = panel.with_columns({INVOLVED: involved})
    baseline = replace(baseline, found={**baseline.found, INVOLVED: found})
    return Samples(panel, baseline, Nadir(panel, baseline), rules, chosen)


def _choose_chain(involved: Ints, kappa: Column, chain_lambda: Column) -> Column:
    value = np.select([involved == KAPPA, involved == LAMBDA], [kappa.value, chain_lambda.value], np.nan)
    rows = np.select([involved == KAPPA, involved == LAMBDA], [kappa.rows[0], chain_lambda.rows[0]], -1)
    return replace(kappa, value=value, rows=(rows,))


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label, asked of many subjects at once; ``is_pair`` where there are two samples to ask the second of."""

    samples: Samples
    clinical: Clause
    biochemical: Clause
    is_pair: Bools
    complete_response: Clause
    residual_disease: Clause


def ask_labels(samples: Samples) -> Labels:
    """Ask for every label at every visit."""
    biochemical, is_pair = ask_biochemical(samples)
    again = ask_return(samples)
    residual = replace(again, text="relapse from negative residual disease")
    return Labels(samples, ask_clinical(samples), biochemical, is_pair, again, residual)


def find_clinical_relapse(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: OptionValue
) -> Findings:
    """Ask at each visit after infusion for clinical relapse: lesions, calcium, haemoglobin, creatinine.

    Whether a fall of haemoglobin or a rise of creatinine is due to myeloma no number tells: such a label is
    open unless ``organ_attribution`` says to count it.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset
    options
        In place of the ruleset's.

    Returns
    -------
    findings : tuple of day and Finding

    Source
    ------
    kumar2016
    """
    samples = _read(observations, events, rules, options)
    return list_findings(samples, ask_clinical(samples), samples.panel.day[:, 0] > 0)


def _read(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, options: Mapping[str, OptionValue]
) -> Samples:
    own = observations.drop("subject_id", strict=False)
    return read_relapse_samples(own, (read_history(events),), rules, rules.choose(options))


def list_findings(
    samples: Samples, clause: Clause, where: Bools, subject: int = 0, *, is_brief: bool = False
) -> Findings:
    """Return what a clause says of one subject at each of its visits where ``where`` (visit,) is true.

    With ``is_brief``, of visits at which it does not hold no more than that something was asked.
    """
    days, tell = samples.panel.day, describe_briefly if is_brief else describe
    return tuple((float(days[visit, subject]), tell(clause, int(visit), subject)) for visit in np.flatnonzero(where))


def ask_clinical(samples: Samples) -> Clause:
    """Ask for clinical relapse; what was not measured at a visit leaves nothing open."""
    panel = samples.panel
    parts = [
        ask_word(text, take_words(name, panel.get(name)), "yes").only(panel.get(name).is_measured)
        for text, name in IMAGES
    ]
    parts.append(_ask_growth(samples).only(panel.get("plasmacytoma_spd").is_measured))
    has_calcium = panel.get("calcium").is_measured | panel.get("corrected_calcium").is_measured
    parts += [_ask_calcium(samples).only(has_calcium), *_ask_organs(samples)]
    return ask_any("clinical relapse", parts)


def _ask_calcium(samples: Samples) -> Clause:
    is_printed = samples.chosen["relapse_calcium_limit"] == "publication"
    limit = samples.rules.thresholds["relapse_calcium" if is_printed else "relapse_calcium_treatment"]
    return ask_number("calcium corrected for albumin", [_correct_calcium(samples)], ">", limit)


def _ask_organs(samples: Samples) -> Iterator[Clause]:
    """Yield the clauses whose cause no number tells."""
    thresholds = samples.rules.thresholds
    counts = samples.chosen["organ_attribution"] == "count"
    first, now = _pair(samples, "haemoglobin")
    fallen = ask_number("haemoglobin fallen from baseline", [now, first], "rise >=", thresholds["relapse_haemoglobin"])
    low = ask_number("haemoglobin low", [now], "<", thresholds["relapse_haemoglobin_level"])
    blood = ask_any("haemoglobin fallen or low, if not due to therapy", [fallen, low])
    text = "creatinine risen from baseline, if due to myeloma"
    kidney = ask_number(text, _pair(samples, "creatinine"), "rise >=", thresholds["relapse_creatinine"])
    for name, clause in (("haemoglobin", blood), ("creatinine", kidney)):
        yield (clause if counts else doubt(clause, ATTRIBUTION)).only(samples.panel.get(name).is_measured)


def _pair(samples: Samples, name: str) -> list[Measure]:
    """Return a result at baseline and now."""
    first = samples.baseline.found.get(name) or samples.panel.get(name)
    return [_take(first, name), _take(samples.panel.get(name), name)]


def _take(column: Column, name: str) -> Measure:
    return take_numbers(column, mark(name))


def _ask_growth(samples: Samples) -> Clause:
    """Ask for plasmacytomas grown by half, and by 1 cm: in a diameter where there is one, else by 1 cm2 in the sum."""
    panel, rules, name = samples.panel, samples.rules, "plasmacytoma_spd"
    pair = [samples.nadir.lowest(name), _take(panel.get(name), name)]
    growth = ask_number("plasmacytoma grown", pair, "percent rise >=", rules.thresholds["relapse_lesion"])
    lesions = panel.list_details(LONGEST)
    is_measured = np.logical_or.reduce([panel.get(lesion).is_measured for lesion in lesions]) if lesions else None
    area = ask_number("sum of products of diameters grown", pair, "rise >=", rules.thresholds["relapse_lesion_area"])
    longer = [
        ask_number(
            "longest diameter grown",
            [samples.nadir.lowest(lesion), _take(panel.get(lesion), LONGEST)],
            "rise >=",
            rules.thresholds["relapse_lesion_diameter"],
        ).only(panel.get(lesion).is_measured)
        for lesion in lesions
    ]
    amounts = [area, ask_any("longest diameter grown", longer)]
    if is_measured is not None:
        amounts = [area.only(~is_measured), amounts[1].only(is_measured)]
    present = ask_number("plasmacytoma present", pair[1:], ">", 0.0)
    return ask_all("plasmacytoma grown", [present, growth, *(amounts if lesions else amounts[:1])])


def _correct_calcium(samples: Samples) -> Measure:
    """Return calcium corrected for albumin, as the laboratory gave it or by the formula."""
    panel, rules = samples.panel, samples.rules
    calcium, albumin, given = (panel.get(name) for name in ("calcium", "albumin", "corrected_calcium"))
    lack = rules.threshold("albumin_normal") - albumin.value
    corrected = calcium.value + rules.threshold("albumin_correction") * lack
    value = np.where(np.isnan(given.value), corrected, given.value)
    lacks: Ints = np.where(np.isnan(calcium.value), mark("calcium"), 0)
    lacks = lacks | np.where(np.isnan(albumin.value), mark("albumin"), 0)
    return Measure(value, (*given.rows, *calcium.rows, *albumin.rows), lacks)


def find_biochemical_relapse(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: OptionValue
) -> Findings:
    """Ask for significant biochemical relapse: the M-protein doubles, or rises far, in two consecutive samples.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset
    options
        In place of the ruleset's.

    Returns
    -------
    findings : tuple of day and Finding
        For each pair of consecutive visits with a sample: the day of the first one, on which it is dated.

    Source
    ------
    kumar2016
    """
    samples = _read(observations, events, rules, options)
    clause, is_asked = ask_biochemical(samples)
    return list_findings(samples, clause, is_asked[:, 0])


def ask_biochemical(samples: Samples) -> tuple[Clause, Bools]:
    """Ask for significant biochemical relapse, and say where there are two samples to ask it of."""
    parts, total = [], np.zeros(samples.panel.day.shape, dtype=bool)
    for name in ("m_protein", "urine_m_protein", INVOLVED):
        column = samples.panel.get(name)
        is_sample = ~np.isnan(column.value) & (samples.panel.day > 0)
        place, has_next = _find_next(is_sample)
        is_pair = is_sample & has_next
        after = column.pick(place, has_next)
        parts.append(_ask_twice(samples, name, column, after, place).only(is_pair))
        total |= is_pair
    return ask_any("significant biochemical relapse", parts), total


def _find_next(is_sample: Bools) -> tuple[Ints, Bools]:
    """Return the visit of the next sample after each visit, and whether there is one."""
    end = len(is_sample)
    index = np.where(is_sample, np.arange(end)[:, None], end)
    following = np.minimum.accumulate(index[::-1], axis=0)[::-1]
    following = np.vstack([following[1:], np.full((1, is_sample.shape[1]), end)])
    return np.minimum(following, end - 1), following < end


def _ask_twice(samples: Samples, name: str, column: Column, after: Column, place: Ints) -> Clause:
    """Ask of two consecutive samples, each compared with the lowest value before them."""
    missing = mark(FREE_LIGHT_CHAINS) if name == INVOLVED else mark(name)
    lowest = samples.nadir.lowest(name, missing)
    pairs = [[lowest, take_numbers(sample, missing)] for sample in (column, after)]
    is_abnormal = _ask_abnormal_ratio(samples)
    ratios = [is_abnormal, _move(is_abnormal, place)]
    rises = [_ask_rise(samples, name, pair, ratio) for pair, ratio in zip(pairs, ratios, strict=True)]
    far = ask_all(f"{name} far above its lowest value, twice", rises)
    if name != "m_protein":
        return far
    span = after.day - samples.nadir.lowest_day(name)
    with np.errstate(invalid="ignore"):
        is_soon = span <= samples.rules.threshold("relapse_doubling_days")
    doubled = ask_all("M-protein doubled, twice", [_ask_doubling(pair, samples.rules) for pair in pairs])
    return ask_any(f"{name} far above its lowest value, or doubled, twice", [far, doubled.only(is_soon)])


def _ask_doubling(pair: Sequence[Measure], rules: Ruleset) -> Clause:
    least = rules.thresholds["relapse_doubling_reference"]
    parts = [ask_number("M-protein", pair[1:], ">=", least), ask_number("doubled", pair, "multiple >=", 2.0)]
    return ask_all("M-protein doubled", parts)


def _ask_rise(samples: Samples, name: str, pair: Sequence[Measure], ratio: Clause) -> Clause:
    thresholds = samples.rules.thresholds
    if name == "m_protein":
        return ask_number("serum M-protein risen", pair, "rise >=", thresholds["relapse_serum"])
    if name == "urine_m_protein":
        return ask_number("urine M-protein risen", pair, "rise >=", thresholds["relapse_urine"])
    parts = [
        ask_number("involved light chain risen", pair, "rise >=", thresholds["relapse_flc"]),
        ask_number("involved light chain risen", pair, "percent rise >=", thresholds["relapse_flc_percent"]),
        ratio,
    ]
    return ask_all("involved light chain risen", parts)


def _ask_abnormal_ratio(samples: Samples) -> Clause:
    chains = samples.panel.chains
    side = find_side(*chains, samples.rules)
    truth = np.select([side == OPEN, side == NORMAL], [UNKNOWN, FALSE], TRUE)
    marks = (mark("flc_kappa"), mark("flc_lambda"))
    measures = tuple(take_numbers(chain, own) for chain, own in zip(chains, marks, strict=True))
    return Clause("kappa/lambda ratio abnormal", truth, measures, missing=marks[0] | marks[1])


def _move(clause: Clause, place: Ints) -> Clause:
    """Return a clause without parts as it is at other visits."""

    def take(array: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(np.broadcast_to(array, place.shape), place, axis=0)

    measures = tuple(
        replace(m, value=take(m.value), rows=tuple(take(rows) for rows in m.rows)) for m in clause.measures
    )
    return replace(clause, truth=take(clause.truth), measures=measures)


def find_relapse_from_complete_response(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, *, since: float, **options: OptionValue
) -> Findings:
    """Ask, after a complete response, for M-protein, 5 % of plasma cells, or a lesion.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset
    since : float [day]
        Day of the complete response.
    options
        In place of the ruleset's; ``relapse_immunofixation`` says whether a positive immunofixation alone is enough.

    Returns
    -------
    findings : tuple of day and Finding

    Source
    ------
    kumar2016
    """
    samples = _read(observations, events, rules, options)
    return list_findings(samples, ask_return(samples), samples.panel.day[:, 0] > since)


def ask_return(samples: Samples) -> Clause:
    """Ask whether the disease is back at all."""
    return ask_any("relapse from complete response", list(_list_signs(samples)))


def _list_signs(samples: Samples) -> Iterator[Clause]:
    panel, least = samples.panel, samples.rules.thresholds["complete_marrow"]
    serum = ("m_protein",) if samples.chosen["serum_measure"] == "electrophoresis" else ()
    for name in (*serum, "urine_m_protein", "plasmacytoma_spd"):
        column = panel.get(name)
        text = "plasmacytoma present" if name == "plasmacytoma_spd" else f"{name} measured again"
        yield ask_number(text, [_take(column, name)], ">", 0.0).only(column.is_measured)
    name = "marrow_plasma_cells"
    column = panel.get(name)
    yield ask_number("plasma cells in marrow", [_take(column, name)], ">=", least).only(column.is_measured)
    words = [(text, name, "yes") for text, name in IMAGES]
    if samples.chosen["relapse_immunofixation"] == "counts":
        words += [(f"{name} positive again", name, "positive") for name in FIXATIONS]
    for text, name, word in words:
        column = panel.get(name)
        yield ask_word(text, take_words(name, column), word).only(column.is_measured)
