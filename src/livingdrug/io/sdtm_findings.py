"""Findings of SDTM - laboratory, cells, vital signs, questionnaires - as observations."""

import re
from collections.abc import Mapping

import polars as pl

from livingdrug.core.sheet import LINE
from livingdrug.core.variables import OTHER, VARIABLES, compute_variable_conversion
from livingdrug.io.sdtm_choices import Choices, Ledger
from livingdrug.io.sdtm_days import Calendar, derive_days
from livingdrug.io.sdtm_files import Domain
from livingdrug.knowledge.exchange import SdtmTest, load_loinc_codes, load_sdtm_tests, load_sdtm_units

OBSERVED = (
    *("subject_id", "day", "variable", "value", "unit", "assay", "lloq", "censored", "source", "reader"),
    *("date_imputed", "accepted", "lower_limit_of_normal", "upper_limit_of_normal"),
)
"""Columns of observations as text."""
INSIDE = ("_file", "_row", "_code", "_clock", "_day_cell", "_value_cell", "_unit_cell")
"""Where each row came from."""
_SPECIMENS = (
    ("URIN", "urine"),
    ("MARROW", "marrow"),
    ("BLOOD", "blood"),
    ("SERUM", "blood"),
    ("PLASMA", "blood"),
    ("CEREBROSPINAL", "csf"),
)
_SIGNS = {
    "positive": ("POSITIVE", "POS", "DETECTED", "PRESENT", "ABNORMAL"),
    "negative": ("NEGATIVE", "NEG", "NOT DETECTED", "ABSENT", "NORMAL"),
    "indeterminate": ("INDETERMINATE", "EQUIVOCAL", "INCONCLUSIVE"),
}
_SIGN_WORDS = {word: meant for meant, words in _SIGNS.items() for word in words}
_BELOW = ("BLQ", "BLOQ", "BQL", "LLOQ", "NOT DETECTED", "UNDETECTABLE", "UNDETECTED", "BELOW LIMIT OF QUANTIFICATION")
_NO_RESULT = (
    *("NOT DONE", "NOT EVALUABLE", "NE", "ND", "UNKNOWN", "NO RESULT", "PENDING", "QNS", "CLOTTED"),
    *("HEMOLYZED", "HAEMOLYSED", "INSUFFICIENT", "QUANTITY NOT SUFFICIENT", "INVALID"),
)
_WITH_SIGN = r"^\s*(<=?|>=?)\s*(.+?)\s*$"
_USED, _DOUBTFUL = ("V", "S"), "M"


def derive_observations(domain: Domain, calendar: Calendar, choices: Choices, ledger: Ledger) -> pl.DataFrame:
    """Turn one file of LB, CP, VS or QS into rows of observations, still as text.

    Parameters
    ----------
    domain : Domain
    calendar : Calendar
    choices : Choices
    ledger : Ledger

    Returns
    -------
    observations : table
        Columns ``OBSERVED`` and ``INSIDE``.
    """
    code = domain.code
    names = ("TEST", "SPEC", "CAT", "LOINC", "METHOD", "STAT", "STRESN", "STRESC", "STRESU", "ORRES", "ORRESU", "LLOQ")
    limits = ("STNRLO", "STNRHI", "ORNRLO", "ORNRHI")
    domain = domain.complete(*(f"{code}{name}" for name in (*names, *limits)))
    domain = name_variables(domain, choices, ledger)
    domain = choose_results(derive_days(domain, f"{code}DTC", calendar))
    rows = drop_empty(domain, ledger)
    method = pl.col(f"{code}CAT" if code == "QS" else f"{code}METHOD")
    return finish(
        rows.with_columns(
            assay=method,
            reader=pl.lit(None, dtype=pl.String),
            accepted=pl.lit(None, dtype=pl.String),
            lower_limit_of_normal=_to_number(pl.col("_low")),
            upper_limit_of_normal=_to_number(pl.col("_high")),
        ),
        domain,
    )


def finish(rows: pl.DataFrame, domain: Domain) -> pl.DataFrame:
    """Give rows the columns that every part of the observations has."""
    source = pl.concat_str([pl.lit(f"{domain.file}, row "), pl.col(LINE).cast(pl.String)])
    return rows.with_columns(
        subject_id=pl.col("USUBJID"),
        day=pl.col("_day"),
        date_imputed=pl.col("_imputed"),
        source=source,
        _file=pl.lit(domain.file),
        _row=pl.col(LINE),
        _code=pl.lit(domain.code),
    ).select(*OBSERVED, *INSIDE)


def drop_empty(domain: Domain, ledger: Ledger) -> pl.DataFrame:
    """Return the rows that hold a result of a day; the others are counted in the ledger."""
    rows = domain.rows
    done = rows.filter((pl.col(f"{domain.code}STAT").str.to_uppercase() != "NOT DONE").fill_null(value=True))
    ledger.note_rows(domain.file, len(rows) - len(done), "NOT DONE")
    is_left = pl.col("censored") == "left"
    with_result = done.filter(pl.col("value").is_not_null() | is_left)
    ledger.note_rows(domain.file, len(done) - len(with_result), "without a result are left out")
    placed = with_result.filter(pl.col("_day").is_not_null())
    ledger.note_rows(domain.file, len(with_result) - len(placed), "without a date that can be placed are left out")
    return placed


def name_variables(domain: Domain, choices: Choices, ledger: Ledger) -> Domain:
    """Derive ``variable`` for each row from its test, specimen and LOINC code."""
    code = domain.code
    keys = [f"{code}{name}" for name in ("TESTCD", "TEST", "SPEC", "CAT", "LOINC")]
    units = pl.coalesce(f"{code}STRESU", f"{code}ORRESU")
    domain.sheet.report(pl.col(keys[0]).is_null(), keys[0], "must be filled", "fill it, or remove the row")
    tests = domain.rows.filter(pl.col(keys[0]).is_not_null()).with_columns(_units=units)
    tests = tests.group_by(keys, maintain_order=True).agg(
        pl.len().alias("_count"), pl.col(LINE).min(), pl.col("_units").drop_nulls().unique().sort()
    )
    named = []
    for row in tests.iter_rows(named=True):
        variable, note = _name_variable(code, row, choices)
        if note.startswith("!"):
            rule = f"{code}LOINC must mean what {code}TESTCD says"
            hint = f"correct one of them, or tell which: variables={{{row[keys[0]]!r}: ...}}"
            domain.sheet.add(row[LINE], f"{code}LOINC", rule, note[1:], hint)
        ledger.tests.append((domain.file, row[keys[0]], row[keys[1]], row["_count"], variable, note.removeprefix("!")))
        named.append((*(row[key] for key in keys), variable))
    schema = dict.fromkeys((*keys, "variable"), pl.String)
    table = pl.DataFrame(named, schema=schema, orient="row")
    joined = domain.rows.join(table, on=keys, how="left", maintain_order="left", nulls_equal=True)
    domain = domain.derive(variable=joined["variable"])
    return domain.select(pl.col("variable").is_not_null())


def _name_variable(code: str, row: Mapping[str, object], choices: Choices) -> tuple[str, str]:
    """Return the variable of a test, and what is to be said about it; a contradiction begins with a mark."""
    test, name, loinc = (str(row[f"{code}{key}"] or "").upper() for key in ("TESTCD", "TEST", "LOINC"))
    for told, variable in choices.variables.items():
        if told.upper() in {test, f"{code}.{test}", name, loinc} - {""}:
            return variable, "as told"
    specimen = find_specimen(str(row[f"{code}SPEC"] or ""), str(row[f"{code}CAT"] or ""))
    found = find_test(code, test, name, specimen)
    known = load_loinc_codes().get(loinc)
    if known is None or not _fits(known.variable, row["_units"]):
        return (found.variable, "") if found else (_keep(test, specimen), "not known: kept and not used")
    if found is not None and found.variable != known.variable:
        return found.variable, f"!{loinc}, which is {known.variable}, beside {test}, which is {found.variable}"
    if found is not None or known.status in _USED:
        return known.variable, ""
    if known.status == _DOUBTFUL:
        return known.variable, f"LOINC {loinc} is not confirmed to mean this"
    meant = f"variables={{{loinc!r}: {known.variable!r}}}"
    return _keep(test, specimen), f"sources disagree about LOINC {loinc}; if it is right, say {meant}"


def _fits(variable: str, units: object) -> bool:
    """Whether values of a LOINC code can be of this variable: some codes are seen for percentages too."""
    if variable.startswith(OTHER) or not isinstance(units, list) or not units:
        return True
    return any(compute_variable_conversion(variable, spell_unit(unit)) is not None for unit in units)


def find_test(code: str, test: str, name: str, specimen: str) -> SdtmTest | None:
    """Return the test that is known by this code, or by this name, in this specimen."""
    fitting = [known for known in load_sdtm_tests() if known.domain == code and _is_from(known.specimen, specimen)]
    by_code = next((known for known in fitting if known.code == test), None)
    return by_code or next((known for known in fitting if name and known.name == name), None)


def _is_from(known: str, specimen: str) -> bool:
    return known in {"any", specimen} or (known == "blood" and not specimen)


def find_specimen(text: str, category: str = "") -> str:
    """Return the kind of a specimen; empty where it is not told.

    Examples
    --------
    >>> find_specimen("SERUM OR PLASMA"), find_specimen("", "URINALYSIS"), find_specimen("BONE MARROW ASPIRATE")
    ('blood', 'urine', 'marrow')
    """
    upper = text.upper()
    found = next((kind for word, kind in _SPECIMENS if word in upper), "")
    if found or upper:
        return found or re.sub(r"\W+", "_", upper.lower()).strip("_")
    return "urine" if "URIN" in category.upper() else ""


def _keep(test: str, specimen: str) -> str:
    """Return the name under which a test is kept that is not known."""
    plain = re.sub(r"\W+", "_", test.lower()).strip("_") or "test"
    return f"{OTHER}{plain}" + (f"_{specimen}" if specimen not in {"", "blood"} else "")


def spell_unit(unit: str) -> str:
    """Return a unit as UCUM spells it, where SDTM has a spelling of its own.

    Examples
    --------
    >>> spell_unit("C"), spell_unit("mg/dL")
    ('Cel', 'mg/dL')
    """
    return load_sdtm_units().get(unit, unit)


def choose_results(domain: Domain) -> Domain:
    """Derive ``value, unit, lloq, censored`` and the limits of normal from the standard or the original result.

    The standard result counts. The original one counts where it alone has a unit, or where it alone has a
    sign such as ``<``: a number that was put in its place in the standard result is none.
    """
    code = domain.code
    standard = pl.coalesce(f"{code}STRESN", f"{code}STRESC")
    has_sign = pl.col(f"{code}STRESC").str.contains(_WITH_SIGN)
    sign_in_original = ~has_sign.fill_null(value=False) & pl.col(f"{code}ORRES").str.contains(_WITH_SIGN)
    unit_in_original = pl.col(f"{code}STRESU").is_null() & pl.col(f"{code}ORRESU").is_not_null()
    original = pl.col(f"{code}ORRES").is_not_null() & (
        standard.is_null() | sign_in_original.fill_null(value=False) | unit_in_original
    )
    text = pl.when(original).then(f"{code}ORRES").when(has_sign).then(f"{code}STRESC").otherwise(standard)
    sides = {"unit": ("ORRESU", "STRESU"), "low": ("ORNRLO", "STNRLO"), "high": ("ORNRHI", "STNRHI")}
    chosen = {
        f"_{name}": pl.when(original).then(f"{code}{one}").otherwise(f"{code}{other}")
        for name, (one, other) in sides.items()
    }
    cells = {
        "_value_cell": pl.when(original)
        .then(pl.lit(f"{code}ORRES"))
        .when(pl.col(f"{code}STRESN").is_null() | has_sign)
        .then(pl.lit(f"{code}STRESC"))
        .otherwise(pl.lit(f"{code}STRESN")),
        "_unit_cell": pl.when(original).then(pl.lit(f"{code}ORRESU")).otherwise(pl.lit(f"{code}STRESU")),
    }
    domain = domain.derive(_text=text, _original=original.fill_null(value=False), **chosen, **cells)
    return _read_signs(domain)


def _read_signs(domain: Domain) -> Domain:
    upper = pl.col("_text").str.to_uppercase().str.strip_chars(" .")
    words = pl.col("variable").is_in([v.name for v in VARIABLES.values() if v.words])
    scores = pl.col("variable").is_in([v.name for v in VARIABLES.values() if v.is_whole])
    is_below = upper.str.strip_chars_start("< ").is_in(_BELOW) & ~words
    sign, number = pl.col("_text").str.extract(_WITH_SIGN, 1), pl.col("_text").str.extract(_WITH_SIGN, 2)
    is_number = number.cast(pl.Float64, strict=False).is_finite().fill_null(value=False) & ~words
    is_left, is_right = sign.str.starts_with("<") & ~is_below & is_number, sign.str.starts_with(">") & is_number
    limit = pl.when(~pl.col("_original")).then(_to_number(pl.col(f"{domain.code}LLOQ")))
    value, lloq = pl.col("_text").cast(pl.Float64, strict=False), limit.cast(pl.Float64, strict=False)
    under = (value > 0) & (value < lloq)
    sign_words = pl.col("variable").is_in(["serum_immunofixation", "urine_immunofixation"])
    meant = upper.replace_strict(_SIGN_WORDS, default=upper.str.to_lowercase())
    is_empty = upper.is_in(_NO_RESULT) & ~(words & upper.str.to_lowercase().is_in(["nd", "ne"]))
    unit = pl.col("_unit").replace(dict(load_sdtm_units()))
    return domain.derive(
        value=pl.when(is_below | is_left | is_empty)
        .then(None)
        .when(is_right)
        .then(number)
        .when(sign_words)
        .then(meant)
        .otherwise("_text"),
        lloq=pl.when(words).then(None).when(is_left).then(number).otherwise(limit),
        censored=pl.when(is_below | is_left | under)
        .then(pl.lit("left"))
        .when(is_right)
        .then(pl.lit("right"))
        .otherwise(pl.lit("none")),
        unit=pl.when(words | (scores & ~unit.is_in(["1", "%"]))).then(None).otherwise(unit),
    )


def _to_number(text: pl.Expr) -> pl.Expr:
    """Keep a text that is a finite number."""
    return pl.when(text.cast(pl.Float64, strict=False).is_finite()).then(text)
