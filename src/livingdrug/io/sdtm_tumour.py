"""Lesions of SDTM - identified in TU, measured in TR - as observations, each reader by itself."""

import polars as pl

from livingdrug.core.sheet import LINE
from livingdrug.io.sdtm_choices import Choices, Ledger, VisitDay
from livingdrug.io.sdtm_days import Calendar, derive_days
from livingdrug.io.sdtm_files import Domain
from livingdrug.io.sdtm_findings import INSIDE, OBSERVED, choose_results, drop_empty, finish
from livingdrug.knowledge.rules import load_rules

_KINDS = {
    "TARGET": "target",
    "NON-TARGET": "non_target",
    "NONTARGET": "non_target",
    "NEW": "new",
    "NEW LESION": "new",
    "NEW TARGET": "new",
    "NEW-TARGET": "new",
    "NEW NON-TARGET": "new_non_target",
    "NEW NONTARGET": "new_non_target",
}
_STATES = {
    "RESOLVED": "absent",
    "DISAPPEARED": "absent",
    "STABLE": "present",
    "UNCHANGED": "present",
    "DECREASED": "present",
    "WORSENED": "increased",
    "UNEQUIVOCAL PROGRESSION": "unequivocal_progression",
    "PROGRESSION": "unequivocal_progression",
    "PD": "unequivocal_progression",
    "NE": "not_evaluable",
    "NOT EVALUABLE": "not_evaluable",
    "NOT ASSESSED": "not_evaluable",
    "NOT ASSESSABLE": "not_evaluable",
}
_NEW_STATES = {
    "EQUIVOCAL": "equivocal",
    "SUSPECTED": "equivocal",
    "ABSENT": "no",
    "RESOLVED": "no",
    "DISAPPEARED": "no",
    "NO": "no",
    "N": "no",
}
"""Any other word for a new lesion says that it is there."""
_STATE = "TUMSTATE"
_LONGEST, _SHORT = ("LDIAM", "DIAMETER"), ("LPERP", "SAXIS")
_SUMS = ("SUMDIAM", "SUMLDIAM", "SUMLPERP", "SUMPPD", "SUMAREA", "ACNSD", "PCBSD", "PCNSD", "PCHGNADR", "LDPCBSD")
_WIDEST_VISIT = 14
"""Days; further apart, one visit number stands for several visits, as unscheduled ones do."""
_PRIMARY = {
    ("target", True, "short"): "target_node",
    ("target", False, "longest"): "target_lesion",
    ("new", True, "short"): "new_target_node",
    ("new", False, "longest"): "new_target_lesion",
}
_FURTHER = {
    ("target", True, "longest"): "node_longest_diameter",
    ("target", True, "short"): "node_shortest_diameter",
    ("target", False, "longest"): "extranodal_longest_diameter",
    ("target", False, "short"): "extranodal_shortest_diameter",
}
_RULES = "recist/1.1"
_READER = ["_reader", "_link"]


def derive_lesions(
    measured: list[Domain], identified: list[Domain], calendar: Calendar, choices: Choices, ledger: Ledger
) -> list[pl.DataFrame]:
    """Turn TR, with the lesions that TU identifies, into rows of observations, still as text.

    Diameters of one lesion may be two variables: what RECIST sums (``target_lesion``, ``target_node``), and both
    diameters for criteria that multiply them (``extranodal_longest_diameter`` and so on).
    """
    lesions = _identify(identified)
    parts = [_measure(domain, lesions, calendar, choices, ledger) for domain in measured]
    return parts + [_add_new(domain, calendar, parts) for domain in identified]


def derive_reader(code: str) -> pl.Expr:
    """Return who read: the evaluator by name, else by kind."""
    return pl.coalesce(f"{code}EVALID", f"{code}EVAL")


def _identify(identified: list[Domain]) -> pl.DataFrame:
    """Return ``USUBJID, _reader, _link, _kind, _is_node``, one row for each lesion of each reader."""
    schema = {
        "USUBJID": pl.String,
        "_reader": pl.String,
        "_link": pl.String,
        "_kind": pl.String,
        "_is_node": pl.Boolean,
    }
    parts = [pl.DataFrame(schema=schema)]
    for file in identified:
        domain = _complete_identified(file)
        said = pl.coalesce("TUSTRESC", "TUORRES").str.to_uppercase()
        rows = domain.derive(_said=said, _reader=derive_reader("TU"), _link=pl.col("TULNKID"))
        rows = rows.select(pl.col("_link").is_not_null())
        rows = rows.derive(_kind=pl.col("_said").replace_strict(_KINDS, default=None))
        keys = ["USUBJID", *_READER]
        first = pl.col("_kind").drop_nulls().first().over(keys)
        changed = pl.col("_kind").is_not_null() & (pl.col("_kind") != first)
        rows.sheet.report(
            changed, "TUSTRESC", "must say the same of one lesion in every row", "correct it, or give another TULNKID"
        )
        is_node = pl.col("TULOC").str.to_uppercase().str.contains("LYMPH NODE").fill_null(value=False)
        kept = rows.rows.with_columns(_is_node=is_node).filter(pl.col("_kind").is_not_null())
        parts.append(kept.unique(keys, keep="first", maintain_order=True).select(*schema))
    return pl.concat(parts).unique(["USUBJID", *_READER], keep="first", maintain_order=True)


def _complete_identified(domain: Domain) -> Domain:
    names = ("TESTCD", "STRESC", "ORRES", "LOC", "EVAL", "EVALID", "LNKID", "STAT")
    domain = domain.complete(*(f"TU{name}" for name in names))
    return domain.select(pl.col("TUTESTCD").fill_null("TUMIDENT").str.to_uppercase() == "TUMIDENT")


def _measure(
    domain: Domain, lesions: pl.DataFrame, calendar: Calendar, choices: Choices, ledger: Ledger
) -> pl.DataFrame:
    names = ("LNKID", "EVAL", "EVALID", "ACPTFL", "STAT", "STRESN", "STRESC", "STRESU", "ORRES", "ORRESU", "LLOQ")
    more = ("ORNRLO", "ORNRHI", "STNRLO", "STNRHI", "METHOD", "GRPID")
    domain = domain.complete(*(f"TR{name}" for name in (*names, *more)), "VISITNUM")
    domain = domain.derive(
        _test=pl.col("TRTESTCD").str.to_uppercase(), _reader=derive_reader("TR"), _link=pl.col("TRLNKID")
    )
    domain = _leave_sums(domain, ledger)
    domain = _link_lesions(domain, lesions)
    domain = derive_days(domain, "TRDTC", calendar)
    domain = _join_visits(domain, choices.conventions.visit_day, ledger)
    domain = _read_too_small(choose_results(domain.derive(variable=pl.lit(""))))
    rows = drop_empty(_state_diameters(domain), ledger)
    rows = rows.with_columns(
        assay=pl.lit(None, dtype=pl.String),
        reader=pl.col("_reader"),
        accepted=pl.when(pl.col("TRACPTFL").str.to_uppercase() == "Y").then(pl.lit("yes")),
        lower_limit_of_normal=pl.lit(None, dtype=pl.String),
        upper_limit_of_normal=pl.lit(None, dtype=pl.String),
    )
    named = pl.concat([_name_measures(rows, _PRIMARY), _name_measures(rows, _FURTHER), *_name_states(rows)])
    named = pl.concat([named, _name_others(rows, named)])
    _count(domain, named, ledger)
    return finish(named.sort(LINE, maintain_order=True), domain)


def _leave_sums(domain: Domain, ledger: Ledger) -> Domain:
    """Leave out what is computed from the measurements; it is computed again."""
    is_sum = pl.col("_test").is_in(_SUMS)
    sums = domain.rows.filter(is_sum).group_by("_test", maintain_order=True).len()
    for test, count in sums.iter_rows():
        ledger.tests.append((domain.file, test, None, count, None, "derived from the measurements: left out"))
    return domain.select(~is_sum.fill_null(value=False))


def _link_lesions(domain: Domain, lesions: pl.DataFrame) -> Domain:
    """Derive ``_kind`` and ``_is_node``; a measurement of a lesion that TU does not identify is a fault."""
    keys = ["USUBJID", *_READER]
    own = domain.rows.join(lesions, on=keys, how="left", maintain_order="left", nulls_equal=True)
    common = lesions.filter(pl.col("_reader").is_null()).drop("_reader")
    shared = domain.rows.join(common, on=["USUBJID", "_link"], how="left", maintain_order="left")
    domain = domain.derive(
        _kind=own["_kind"].zip_with(own["_kind"].is_not_null(), shared["_kind"]),
        _is_node=own["_is_node"].zip_with(own["_kind"].is_not_null(), shared["_is_node"]),
    )
    done = (pl.col("TRSTAT").str.to_uppercase() != "NOT DONE").fill_null(value=True)
    hint = "add the lesion to TU, with its place (TULOC) and this reader, or correct the link"
    lost = pl.col("_kind").is_null() & done
    domain.sheet.report(lost, "TRLNKID", "must be a TULNKID that TU identifies for this subject and reader", hint)
    return domain.select(pl.col("_kind").is_not_null())


def _join_visits(domain: Domain, visit_day: VisitDay, ledger: Ledger) -> Domain:
    """Put the images of one visit on one day, unless they lie so far apart that they are no one visit."""
    if visit_day == "as_dated":
        return domain
    keys = ["USUBJID", "_reader", "VISITNUM"]
    day = pl.col("_day")
    chosen = (day.min() if visit_day == "first" else day.max()).over(keys)
    is_one = pl.col("VISITNUM").is_not_null() & ((day.max() - day.min()).over(keys) <= _WIDEST_VISIT)
    before = domain.rows["_day"]
    domain = domain.derive(_day=pl.when(is_one & day.is_not_null()).then(chosen).otherwise(day))
    moved = int((before != domain.rows["_day"]).sum())
    ledger.note_rows(domain.file, moved, f"were put on the {visit_day} day of their visit")
    return domain


def _read_too_small(domain: Domain) -> Domain:
    """Read a lesion that is seen but too small to measure as one below the limit that RECIST has for it."""
    limit = load_rules(_RULES).thresholds["too_small"]
    is_small = pl.col("_text").str.to_uppercase().str.contains("TOO SMALL").fill_null(value=False)
    said = {"value": None, "lloq": f"{limit.value:g}", "unit": limit.unit, "censored": "left"}
    return domain.derive(
        **{name: pl.when(is_small).then(pl.lit(word, dtype=pl.String)).otherwise(name) for name, word in said.items()}
    )


def _state_diameters(domain: Domain) -> Domain:
    """Read a target lesion that is said to be absent, and has no diameter that day, as 0 mm."""
    domain = domain.derive(
        value=pl.when(pl.col("_test") == _STATE).then("_text").otherwise("value"),
        censored=pl.when(pl.col("_test") == _STATE).then(pl.lit("none")).otherwise("censored"),
    )
    keys = ["USUBJID", *_READER, "_day"]
    has_diameter = pl.col("_test").is_in([*_LONGEST, *_SHORT]).any().over(keys)
    gone = (
        (pl.col("_kind") == "target")
        & (pl.col("_test") == _STATE)
        & pl.col("_text").str.to_uppercase().is_in(["ABSENT", "RESOLVED", "DISAPPEARED"])
        & ~has_diameter
    ).fill_null(value=False)
    test = pl.when(gone & pl.col("_is_node")).then(pl.lit("LPERP")).when(gone).then(pl.lit("LDIAM")).otherwise("_test")
    return domain.derive(
        _test=test,
        value=pl.when(gone).then(pl.lit("0")).otherwise("value"),
        unit=pl.when(gone).then(pl.lit("mm")).otherwise("unit"),
    )


def _name_measures(rows: pl.DataFrame, names: dict[tuple[str, bool, str], str]) -> pl.DataFrame:
    """Return the diameters that have a variable, under its name."""
    is_longest, is_short = pl.col("_test").is_in(_LONGEST), pl.col("_test").is_in(_SHORT)
    axis = pl.when(is_longest).then(pl.lit("longest")).when(is_short).then(pl.lit("short"))
    table = pl.DataFrame(
        [(*key, name) for key, name in names.items()], ["_kind", "_is_node", "_axis", "_name"], orient="row"
    )
    joined = rows.with_columns(_axis=axis).join(
        table, on=["_kind", "_is_node", "_axis"], how="inner", maintain_order="left"
    )
    variable = pl.concat_str(["_name", "_link"], separator=":")
    return joined.with_columns(variable=variable).select(rows.columns)


def _name_states(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Return states of lesions that are not measured, and of new ones whether they are there."""
    state = pl.col("_text").str.to_uppercase()
    plain = state.replace_strict(_STATES, default=state.str.to_lowercase().str.replace_all(r"\W+", "_"))
    is_state = pl.col("_test") == _STATE
    empty = {"unit": pl.lit(None, dtype=pl.String), "lloq": pl.lit(None, dtype=pl.String), "censored": pl.lit("none")}
    non_target = rows.filter(is_state & (pl.col("_kind") == "non_target"))
    is_new = pl.col("_kind").is_in(["new", "new_non_target"])
    size = pl.col("_text").cast(pl.Float64, strict=False)
    by_state = pl.when(is_state).then(state.replace_strict(_NEW_STATES, default="yes"))
    by_size = pl.when(size > 0).then(pl.lit("yes")).when(size == 0).then(pl.lit("no"))
    there = pl.coalesce(by_state, pl.when(~is_state).then(by_size))
    new = rows.filter(is_new).with_columns(value=there, variable=_name("new_lesion"), **empty)
    new = new.filter(pl.col("value").is_not_null())
    state_first = ["USUBJID", *_READER, "_day"]
    new = new.with_columns(_rank=pl.when(is_state).then(0).otherwise(1)).sort("_rank", LINE)
    new = new.unique(state_first, keep="first", maintain_order=True).drop("_rank")
    return [
        non_target.with_columns(value=plain, variable=_name("non_target_lesion"), **empty),
        new.select(rows.columns),
    ]


def _name(base: str) -> pl.Expr:
    return pl.concat_str([pl.lit(base), "_link"], separator=":")


def _name_others(rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Keep what has no variable as ``x_<test>:<lesion>``."""
    others = rows.filter(~pl.col(LINE).is_in(named[LINE].implode()))
    test = pl.col("_test").str.to_lowercase().str.replace_all(r"\W+", "_")
    return others.with_columns(variable=pl.concat_str([pl.lit("x_"), test, pl.lit(":"), "_link"]))


def _count(domain: Domain, named: pl.DataFrame, ledger: Ledger) -> None:
    base = pl.col("variable").str.split(":").list.first()
    counted = named.group_by("_test", base.alias("_base"), maintain_order=True).len()
    for test, variable, count in counted.iter_rows():
        note = "not known: kept and not used" if variable.startswith("x_") else ""
        ledger.tests.append((domain.file, test, None, count, variable, note))


def _add_new(domain: Domain, calendar: Calendar, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return ``new_lesion`` for new lesions that TU dates and TR does not speak about on that day."""
    rows = _complete_identified(domain)
    rows = rows.select(pl.coalesce("TUSTRESC", "TUORRES").str.to_uppercase().str.starts_with("NEW"))
    rows = derive_days(rows, "TUDTC", calendar)
    rows = rows.derive(_reader=derive_reader("TU"), _link=pl.col("TULNKID"), variable=pl.lit("new_lesion:"))
    table = rows.rows.filter(pl.col("_day").is_not_null() & pl.col("_link").is_not_null())
    table = table.with_columns(
        variable=pl.concat_str(["variable", "_link"]),
        value=pl.lit("yes"),
        reader=pl.col("_reader"),
        censored=pl.lit("none"),
        _value_cell=pl.lit("TUSTRESC"),
        _unit_cell=pl.lit("TUSTRESC"),
        **{name: pl.lit(None, dtype=pl.String) for name in ("unit", "assay", "lloq", "accepted")},
        **{name: pl.lit(None, dtype=pl.String) for name in ("lower_limit_of_normal", "upper_limit_of_normal")},
    )
    found = finish(table, rows).unique(["subject_id", "day", "variable", "reader"], keep="first", maintain_order=True)
    keys = ["subject_id", "day", "variable", "reader"]
    known = pl.concat([part.select(keys) for part in parts]) if parts else None
    rest = found if known is None else found.join(known.unique(), on=keys, how="anti", nulls_equal=True)
    return rest.select(*OBSERVED, *INSIDE)
