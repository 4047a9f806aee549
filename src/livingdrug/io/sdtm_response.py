"""Responses of SDTM as a reader or a site gives them: RS with its supplemental qualifiers."""

import polars as pl

from livingdrug.core.response_words import list_code_variables, spell_response
from livingdrug.core.sheet import LINE
from livingdrug.core.variables import VARIABLES
from livingdrug.io.sdtm_choices import Choices, Ledger
from livingdrug.io.sdtm_days import Calendar, derive_days
from livingdrug.io.sdtm_files import Domain
from livingdrug.io.sdtm_findings import choose_results, drop_empty, finish, name_variables
from livingdrug.io.sdtm_tumour import derive_reader

FLAGS = ("PDOFL", "PDIFL", "DTHPDFL")
"""Progression confirmed by a later sample, by imaging, by death: qualifiers of a response."""
NEXT_THERAPY = "NACTDT"
_IN_PET, _IN_CT = r"PET|METABOLIC|FDG", r"\bCT\b|ANATOMIC|RADIOLOGIC|MRI"
_BY_PET = "LUGANO|LYRIC|CHESON"
"""Criteria that judge PET and CT each by itself; where the subcategory names both, the response is of both."""
_OVERALL, _PET, _CT = "overall_response", "pet_response", "ct_response"
_PET_CODES = {"cr": "cmr", "pr": "pmr", "sd": "nmr", "pd": "pmd"}
_NEW = {
    "Y": "yes",
    "YES": "yes",
    "N": "no",
    "NO": "no",
    "NONE": "no",
    "UNEQUIVOCAL": "yes",
    "PD": "yes",
    "PRESENT": "yes",
}
_NEW |= {"ABSENT": "no", "NEW LESION": "yes", "NO NEW LESION": "no"}
_NOT_DONE = "nd"
_NOT_APPLICABLE = ("not applicable", "n/a", "na", "none")
"""Of a part of the disease that the subject does not have: no response at all."""


def derive_responses(domain: Domain, calendar: Calendar, choices: Choices, ledger: Ledger) -> pl.DataFrame:
    """Turn RS into rows of observations, still as text: codes in small letters, the criteria in ``assay``."""
    names = ("TEST", "CAT", "SCAT", "SPEC", "LOINC", "STAT", "EVAL", "EVALID", "ACPTFL", "LLOQ", "METHOD")
    results = ("STRESN", "STRESC", "STRESU", "ORRES", "ORRESU", "STNRLO", "STNRHI", "ORNRLO", "ORNRHI")
    domain = domain.complete(*(f"RS{name}" for name in (*names, *results)))
    domain = choose_results(derive_days(name_variables(domain, choices, ledger), "RSDTC", calendar))
    part = pl.col("RSSCAT").fill_null("").str.to_uppercase()
    has_pet, has_ct = part.str.contains(_IN_PET), part.str.contains(_IN_CT)
    is_part = (pl.col("variable") == _OVERALL) & pl.col("RSCAT").fill_null("").str.to_uppercase().str.contains(_BY_PET)
    variable = (
        pl.when(is_part & has_pet & ~has_ct)
        .then(pl.lit(_PET))
        .when(is_part & has_ct & ~has_pet)
        .then(pl.lit(_CT))
        .otherwise("variable")
    )
    return finish(_spell_codes(domain.derive(variable=variable), ledger), domain)


def _spell_codes(domain: Domain, ledger: Ledger) -> pl.DataFrame:
    """Return the rows with their codes as our variables spell them; not done is a code of its own."""
    words = pl.col("variable").is_in([v.name for v in VARIABLES.values() if v.words])
    upper = pl.col("_text").str.to_uppercase()
    texts = domain.rows["_text"].drop_nulls().unique().to_list()
    code = pl.col("_text").replace({text: spell_response(text) for text in texts})
    has_code = pl.col("variable").is_in(list_code_variables())
    new = upper.replace_strict(_NEW, default=upper.str.to_lowercase())
    not_done = (pl.col("RSSTAT").str.to_uppercase() == "NOT DONE").fill_null(value=False)
    value = (
        pl.when(not_done & has_code)
        .then(pl.lit(_NOT_DONE))
        .when(pl.col("variable") == "new_lesion")
        .then(new)
        .when(has_code & code.is_in(_NOT_APPLICABLE))
        .then(None)
        .when(pl.col("variable") == _PET)
        .then(code.replace(_PET_CODES))
        .when(has_code)
        .then(code)
        .when(words)
        .then(upper.str.to_lowercase().str.replace_all(r"\s+", "_"))
        .otherwise("value")
    )
    status = pl.when(~(not_done & has_code)).then("RSSTAT")
    return drop_empty(domain.derive(value=value, RSSTAT=status), ledger).with_columns(
        assay=pl.col("RSCAT"),
        reader=derive_reader("RS"),
        accepted=pl.when(pl.col("RSACPTFL").str.to_uppercase() == "Y").then(pl.lit("yes")),
        lower_limit_of_normal=pl.lit(None, dtype=pl.String),
        upper_limit_of_normal=pl.lit(None, dtype=pl.String),
    )


def derive_flags(supplement: Domain, responses: list[Domain], calendar: Calendar, ledger: Ledger) -> pl.DataFrame:
    """Turn the flags of SUPPRS into rows ``x_pdofl`` and so on, on the day and by the reader of their response."""
    domain = supplement.complete("IDVAR", "IDVARVAL")
    domain = domain.derive(_name=pl.col("QNAM").str.to_uppercase(), _place=pl.col("IDVARVAL").str.strip_suffix(".0"))
    others = domain.rows.filter(~pl.col("_name").is_in([*FLAGS, NEXT_THERAPY])).group_by("_name").len()
    for name, count in others.sort("_name").iter_rows():
        ledger.tests.append((domain.file, name or "", None, count, None, "not known: left out"))
    flags = domain.select(pl.col("_name").is_in(FLAGS) & pl.col("QVAL").is_not_null())
    known = pl.concat([_list_places(file, calendar) for file in responses]) if responses else None
    if known is None:
        flags.sheet.report(pl.lit(value=True), "QNAM", "must qualify a row of RS", "add RS to the folder")
        known = pl.DataFrame(schema={"USUBJID": pl.String, "_place": pl.String, "_day": pl.Float64})
        known = known.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in ("_imputed", "_reader", "_day_cell"))
    joined = flags.rows.join(known, on=["USUBJID", "_place"], how="left", maintain_order="left")
    flags = flags.derive(**{c: joined[c] for c in ("_day", "_imputed", "_reader", "_day_cell")})
    hint = "IDVAR must be RSSEQ, and IDVARVAL the RSSEQ of the subject's response"
    flags.sheet.report(pl.col("_day").is_null(), "IDVARVAL", "must be a row of RS with a date", hint)
    for name, count in flags.rows.group_by("_name", maintain_order=True).len().iter_rows():
        ledger.tests.append((flags.file, name, None, count, f"x_{name.lower()}", "beside its response"))
    empty = ("unit", "assay", "lloq", "accepted", "lower_limit_of_normal", "upper_limit_of_normal")
    rows = flags.rows.filter(pl.col("_day").is_not_null()).with_columns(
        variable=pl.concat_str([pl.lit("x_"), pl.col("_name").str.to_lowercase()]),
        value=pl.col("QVAL"),
        reader=pl.col("_reader"),
        censored=pl.lit("none"),
        _clock=pl.lit(None, dtype=pl.Float64),
        _value_cell=pl.lit("QVAL"),
        _unit_cell=pl.lit("QVAL"),
        **{name: pl.lit(None, dtype=pl.String) for name in empty},
    )
    return finish(rows, flags)


def _list_places(domain: Domain, calendar: Calendar) -> pl.DataFrame:
    """Return day and reader of each response by its sequence number; faults were listed before."""
    count = len(domain.sheet.faults)
    dated = derive_days(domain.complete("RSSEQ", "RSEVAL", "RSEVALID"), "RSDTC", calendar)
    del domain.sheet.faults[count:]
    place = pl.col("RSSEQ").str.strip_suffix(".0")
    rows = dated.rows.filter(pl.col("_day").is_not_null() & pl.col("RSSEQ").is_not_null())
    rows = rows.select("USUBJID", "_day", "_imputed", "_day_cell", _place=place, _reader=derive_reader("RS"))
    return rows.unique(["USUBJID", "_place"], keep="first", maintain_order=True).select(
        "USUBJID", "_place", "_day", "_imputed", "_reader", "_day_cell"
    )


def find_next_therapies(supplement: Domain) -> Domain:
    """Return the rows of SUPPRS that date a new anti-cancer therapy, once for each subject and date."""
    domain = supplement.select(pl.col("QNAM").str.to_uppercase() == NEXT_THERAPY)
    first = pl.col(LINE).min().over("USUBJID", "QVAL")
    return domain.select((pl.col(LINE) == first) & pl.col("QVAL").is_not_null())
