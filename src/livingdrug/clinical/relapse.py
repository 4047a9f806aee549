"""Labels of relapse in myeloma that are not progression: each stands alone, none counts for progression-free survival.

Clinical relapse asks for symptoms and organs, significant biochemical relapse is a reason to treat, relapse
from complete response counts for disease-free survival only. Source: kumar2016 and the consensus of 2011.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import polars as pl

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.history import find_start, read_history
from livingdrug.clinical.myeloma_baseline import Baseline, compare_ratio, derive_baseline
from livingdrug.clinical.visits import Measured, Visit, build_visits
from livingdrug.core.ruleset import Finding, Ruleset, Truth

VARIABLES = (
    "m_protein",
    "urine_m_protein",
    "flc_kappa",
    "flc_lambda",
    "serum_immunofixation",
    "urine_immunofixation",
    "marrow_plasma_cells",
    "new_lesion",
    "bone_lesion_progression",
    "plasmacytoma_spd",
    "calcium",
    "albumin",
    "haemoglobin",
    "creatinine",
)
Pair = list[tuple[str, Measured | None]]


def find_clinical_relapse(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset
) -> tuple[tuple[float, Finding], ...]:
    """Ask at each visit after infusion for clinical relapse: lesions, calcium, haemoglobin, creatinine.

    Whether a fall of haemoglobin or a rise of creatinine is due to myeloma is for a physician to say: such
    a label is a question, and its finding says what raised it.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset

    Returns
    -------
    findings : tuple of day and Finding

    Source
    ------
    kumar2016
    """
    visits, baseline = _read(observations, events, rules)
    lowest: dict[str, Measured] = dict(baseline.measured)
    found = []
    for visit in (v for v in visits if v.day > 0):
        clauses = [c for c in _ask_clinical(visit, baseline, lowest, rules) if c.truth != Truth.UNKNOWN or c.rows]
        found.append((visit.day, join_any("clinical relapse", clauses)))
        spd = visit.measured.get("plasmacytoma_spd")
        known = lowest.get("plasmacytoma_spd")
        if spd is not None and spd.value is not None:
            is_lower = known is None or known.value is None or spd.value < known.value
            lowest["plasmacytoma_spd"] = spd if is_lower or known is None else known
    return tuple(found)


def _read(observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset) -> tuple[list[Visit], Baseline]:
    visits = build_visits(observations, VARIABLES)
    return visits, derive_baseline(
        visits, rules, find_start(read_history(events), str(rules.options["baseline"].default))
    )


def _ask_clinical(
    visit: Visit, baseline: Baseline, lowest: Mapping[str, Measured], rules: Ruleset
) -> Iterator[Finding]:
    measured = visit.measured
    for clause, name in (("new lesion", "new_lesion"), ("new or progressive bone lesion", "bone_lesion_progression")):
        yield find_word(clause, name, measured.get(name), "yes")
    name = "plasmacytoma_spd"
    pair: Pair = [(name, lowest.get(name)), (name, measured.get(name))]
    growth = compare("plasmacytoma grown", pair, "percent rise >=", rules.thresholds["relapse_lesion"])
    yield join_all("plasmacytoma grown", [compare("plasmacytoma present", pair[1:], ">", 0.0), growth])
    calcium = [("calcium corrected for albumin", _correct_calcium(measured, rules))]
    yield compare("calcium corrected for albumin", calcium, ">", rules.thresholds["relapse_calcium"])
    name = "haemoglobin"
    fall: Pair = [(name, measured.get(name)), (name, baseline.measured.get(name))]
    clauses = [
        compare("haemoglobin fallen from baseline", fall, "rise >=", rules.thresholds["relapse_haemoglobin"]),
        compare("haemoglobin low", fall[:1], "<", rules.thresholds["relapse_haemoglobin_level"]),
    ]
    yield join_any("haemoglobin fallen or low, if not due to therapy", clauses)
    name = "creatinine"
    rise: Pair = [(name, baseline.measured.get(name)), (name, measured.get(name))]
    clause = "creatinine risen from baseline, if due to myeloma"
    yield compare(clause, rise, "rise >=", rules.thresholds["relapse_creatinine"])


def _correct_calcium(measured: Mapping[str, Measured], rules: Ruleset) -> Measured | None:
    """Return calcium corrected for albumin; None where one of the two is not known."""
    calcium, albumin = measured.get("calcium"), measured.get("albumin")
    if calcium is None or albumin is None or calcium.value is None or albumin.value is None:
        return None
    lack = rules.threshold("albumin_normal") - albumin.value
    value = calcium.value + rules.threshold("albumin_correction") * lack
    return Measured(value, None, calcium.row, calcium.day)


def find_biochemical_relapse(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset
) -> tuple[tuple[float, Finding], ...]:
    """Ask for significant biochemical relapse: the M-protein doubles, or rises far, in two consecutive samples.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset

    Returns
    -------
    findings : tuple of day and Finding
        For each pair of consecutive visits with a sample: the day of the first one, on which it is dated.

    Source
    ------
    kumar2016
    """
    visits, baseline = _read(observations, events, rules)
    after = [visit for visit in visits if visit.day > 0]
    found: dict[float, list[Finding]] = {}
    names = ["m_protein", "urine_m_protein"]
    if baseline.involved is not None:
        names.append(f"flc_{baseline.involved}")
    for name in names:
        samples = [visit for visit in after if name in visit.measured and visit.measured[name].value is not None]
        for finding, day in _ask_biochemical(name, samples, baseline.measured.get(name), rules):
            found.setdefault(day, []).append(finding)
    return tuple((day, join_any("significant biochemical relapse", found[day])) for day in sorted(found))


def _ask_biochemical(
    name: str, samples: Sequence[Visit], start: Measured | None, rules: Ruleset
) -> Iterator[tuple[Finding, float]]:
    """Yield one finding for each two consecutive samples, compared with the lowest value before them."""
    lowest = start
    for before, after in pairwise(samples):
        pairs: list[Pair] = [[(name, lowest), (name, visit.measured[name])] for visit in (before, after)]
        clauses = [_ask_rise(name, visit, pair, rules) for visit, pair in zip((before, after), pairs, strict=True)]
        finding = join_all(f"{name} far above its lowest value, twice", clauses)
        if name == "m_protein":
            is_soon = lowest is not None and after.day - lowest.day <= rules.threshold("relapse_doubling_days")
            doubled = [_ask_doubling(pair, rules) for pair in pairs] if is_soon else []
            finding = join_any(name, [finding, *([join_all("M-protein doubled, twice", doubled)] if doubled else [])])
        yield finding, before.day
        value = before.measured[name]
        if lowest is None or (value.value or 0.0) < (lowest.value or 0.0):
            lowest = value


def _ask_doubling(pair: Pair, rules: Ruleset) -> Finding:
    least = rules.thresholds["relapse_doubling_reference"]
    clauses = [compare("M-protein", pair[1:], ">=", least), compare("doubled", pair, "multiple >=", 2.0)]
    return join_all("M-protein doubled", clauses)


def _ask_rise(name: str, visit: Visit, pair: Pair, rules: Ruleset) -> Finding:
    if name == "m_protein":
        return compare("serum M-protein risen", pair, "rise >=", rules.thresholds["relapse_serum"])
    if name == "urine_m_protein":
        return compare("urine M-protein risen", pair, "rise >=", rules.thresholds["relapse_urine"])
    clauses = [
        compare("involved light chain risen", pair, "rise >=", rules.thresholds["relapse_flc"]),
        compare("involved light chain risen", pair, "percent rise >=", rules.thresholds["relapse_flc_percent"]),
        _find_abnormal_ratio(visit, rules),
    ]
    return join_all("involved light chain risen", clauses)


def _find_abnormal_ratio(visit: Visit, rules: Ruleset) -> Finding:
    pair = [(chain, visit.measured.get(chain)) for chain in ("flc_kappa", "flc_lambda")]
    side = compare_ratio(pair[0][1], pair[1][1], rules)
    rows = tuple(m.row for _, m in pair if m is not None)
    missing = tuple(chain for chain, _ in pair) if side is None else ()
    truth = Truth.of(None if side is None else side != "normal")
    return Finding("kappa/lambda ratio abnormal", truth, rows, missing=missing)


def find_relapse_from_complete_response(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, *, since: float, with_immunofixation: bool = True
) -> tuple[tuple[float, Finding], ...]:
    """Ask, after a complete response, for M-protein, 5 % of plasma cells, or a lesion.

    Parameters
    ----------
    observations, events : table
        One subject's rows.
    rules : Ruleset
    since : float [day]
        Day of the complete response.
    with_immunofixation : bool
        Whether a positive immunofixation alone is enough; a registry no longer says so.

    Returns
    -------
    findings : tuple of day and Finding

    Source
    ------
    kumar2016
    """
    visits, _ = _read(observations, events, rules)
    found = []
    for visit in (v for v in visits if v.day > since):
        asked = _ask_return(visit, rules, with_immunofixation=with_immunofixation)
        clauses = [clause for clause in asked if clause.truth != Truth.UNKNOWN or clause.rows]
        found.append((visit.day, join_any("relapse from complete response", clauses)))
    return tuple(found)


def _ask_return(visit: Visit, rules: Ruleset, *, with_immunofixation: bool) -> Iterator[Finding]:
    measured = visit.measured
    for name in ("m_protein", "urine_m_protein"):
        yield compare(f"{name} measured again", [(name, measured.get(name))], ">", 0.0)
    if with_immunofixation:
        for name in ("serum_immunofixation", "urine_immunofixation"):
            yield find_word(f"{name} positive again", name, measured.get(name), "positive")
    name = "marrow_plasma_cells"
    yield compare("plasma cells in marrow", [(name, measured.get(name))], ">=", rules.thresholds["complete_marrow"])
    for name in ("new_lesion", "bone_lesion_progression"):
        yield find_word(name, name, measured.get(name), "yes")
