"""Treatments, procedures, adverse events and deaths of SDTM as events."""

from collections.abc import Iterable

import polars as pl

from livingdrug.core.sheet import LINE
from livingdrug.core.units import compute_factor
from livingdrug.io.sdtm_choices import Ledger
from livingdrug.io.sdtm_days import Calendar, derive_days, read_dates
from livingdrug.io.sdtm_files import Domain
from livingdrug.io.sdtm_findings import spell_unit
from livingdrug.knowledge.exchange import load_sdtm_treatments

EVENT_COLUMNS = (
    *("subject_id", "day", "type", "amount", "unit", "duration_days", "note", "source", "date_imputed"),
    *("_file", "_row", "_code", "_day_cell"),
)
_CONDITIONING = ("FLUDARABINE", "CYCLOPHOSPHAMIDE", "BENDAMUSTINE")
"""Of the treatments of EX before the infusion, those that make room for the product."""
_CATEGORIES = (
    (r"BRIDGING", "bridging"),
    (r"LYMPHODEPLET", "lymphodepletion"),
    (
        r"\b(SUBSEQUENT|FOLLOW[- ]?UP|NEW|POST[- ]?TREATMENT)\b.*(CANCER|TUMOU?R|NEOPLAS|THERAP|MYELOMA|LYMPHOMA)",
        "next_therapy",
    ),
    (r"\bPRIOR\b.*(CANCER|TUMOU?R|NEOPLAS|THERAP|SYSTEMIC|MYELOMA|LYMPHOMA|RADIO|TRANSPLANT)", "prior_therapy"),
)
"""What the category of a treatment says of its place in the course."""
_SYSTEMIC = ("ORAL", "INTRAVENOUS", "INTRAVENOUS DRIP", "INTRAVENOUS BOLUS", "INTRAMUSCULAR", "IV", "PO", "IM")
_NOT_A_COLLECTION = "PLASMAPHERESIS"
_STEROID = "corticosteroid"
_SEVERITY = r"\b([1-5])\b"
_ALIVE = (
    "COMPLETED",
    "LOST TO FOLLOW-UP",
    "WITHDRAWAL BY SUBJECT",
    "STUDY TERMINATED BY SPONSOR",
    "PHYSICIAN DECISION",
)
_DEATH = r"\bDEATH\b|\bDIED\b|\bDEAD\b"


def derive_infusions(infusions: list[Domain], calendar: Calendar, ledger: Ledger) -> list[pl.DataFrame]:
    """Turn EX into events: the product, the conditioning before it, and what else has a type.

    Several bags of one day are one infusion, their cells added.
    """
    parts = []
    for file in infusions:
        domain = _place(file.complete("EXDOSE", "EXDOSU"), calendar, ledger)
        name = pl.col("EXTRT").str.to_uppercase()
        is_conditioning = name.str.contains("|".join(_CONDITIONING)) & (pl.col("_day") < 0)
        kind = (
            pl.when(pl.col("_is_infusion") & (pl.col("_day") == 0))
            .then(pl.lit("car_t"))
            .when("_is_infusion")
            .then(pl.lit("second_infusion"))
            .when(is_conditioning)
            .then(pl.lit("lymphodepletion"))
            .otherwise(_find_treatment(name))
        )
        domain = _convert_doses(domain.derive(type=kind), "EXDOSE", "EXDOSU", ledger)
        _count_types(domain, "EXTRT", ledger)
        rows = domain.rows.filter(pl.col("type").is_not_null()).with_columns(note=pl.col("EXTRT"))
        parts.append(_finish(_add_bags(rows), domain))
    return parts


def _add_bags(rows: pl.DataFrame) -> pl.DataFrame:
    """Make the bags of one infusion one row; it lasts no days."""
    is_product = pl.col("type").is_in(["car_t", "second_infusion"])
    keys = ["USUBJID", "_day", "type", "unit"]
    number = pl.col("amount").cast(pl.Float64, strict=False)
    bags = rows.filter(is_product).with_columns(
        amount=pl.when((pl.len().over(keys) > 1) & number.is_not_null().all().over(keys))
        .then(number.sum().over(keys).cast(pl.String))
        .otherwise("amount"),
        duration_days=pl.lit(None, dtype=pl.Float64),
    )
    once = bags.unique(["USUBJID", "_day", "type", "unit", "amount"], keep="first", maintain_order=True)
    return pl.concat([once, rows.filter(~is_product)]).sort(LINE)


def derive_treatments(domain: Domain, calendar: Calendar, ledger: Ledger) -> pl.DataFrame:
    """Turn CM or PR into events: by the category of the treatment, and by what it is."""
    code = domain.code
    names = ("DECOD", "CAT", "SCAT", "INDC", "DOSE", "DOSU", "ROUTE", "OCCUR", "STAT")
    domain = domain.complete(*(f"{code}{name}" for name in names))
    given = (pl.col(f"{code}OCCUR").str.to_uppercase() != "N").fill_null(value=True)
    done = (pl.col(f"{code}STAT").str.to_uppercase() != "NOT DONE").fill_null(value=True)
    domain = _place(domain.select(given & done), calendar, ledger)
    name = _join([f"{code}TRT", f"{code}DECOD"])
    category = _join([f"{code}CAT", f"{code}SCAT", f"{code}INDC"])
    place = pl.coalesce(*(pl.when(category.str.contains(p)).then(pl.lit(kind)) for p, kind in _CATEGORIES))
    route = pl.col(f"{code}ROUTE").str.to_uppercase()
    kind = _find_treatment(name)
    is_local = (kind == _STEROID) & route.is_not_null() & ~route.is_in(_SYSTEMIC)
    kind = pl.when(~is_local.fill_null(value=False)).then(kind)
    domain = domain.derive(_kind=kind, _category=place)
    domain = domain.derive(
        _kind=pl.when((pl.col("_kind") != pl.col("_category")).fill_null(value=True)).then("_kind"),
        type=pl.coalesce("_category", "_kind"),
        note=pl.col(f"{code}TRT"),
    )
    _count_types(domain, f"{code}TRT", ledger)
    nothing = pl.lit(None, dtype=pl.String)
    placed = domain.select(pl.col("_category").is_not_null())
    placed = placed.derive(type=pl.col("_category"), amount=nothing, unit=nothing)
    kinds = domain.select(pl.col("_kind").is_not_null()).derive(type=pl.col("_kind"))
    kinds = _convert_doses(kinds, f"{code}DOSE", f"{code}DOSU", ledger)
    rows = [_finish(placed.rows, domain), _finish(kinds.rows, domain)]
    return pl.concat(rows).sort("_row", maintain_order=True)


def derive_adverse_events(domain: Domain, calendar: Calendar, ledger: Ledger) -> pl.DataFrame:
    """Turn AE into events: the grade as amount where the file has one; name, scale and seriousness in the note."""
    domain = domain.complete("AEDECOD", "AETOXGR", "AESEV", "AESCAT", "AECAT", "AEOUT", "AESER")
    domain = _place(domain, calendar, ledger)
    grade = pl.col("AETOXGR").str.to_uppercase().str.extract(_SEVERITY, 1)
    wrong = pl.col("AETOXGR").is_not_null() & grade.is_null()
    domain.sheet.report(wrong, "AETOXGR", "must be a grade from 1 to 5", "write the number")
    severity = pl.when(pl.col("AESEV").is_not_null() & grade.is_null()).then(
        pl.concat_str([pl.lit("severity "), pl.col("AESEV").str.to_lowercase()])
    )
    fatal = pl.when((pl.col("AEOUT").str.to_uppercase() == "FATAL") | (grade == "5")).then(pl.lit("fatal"))
    note = pl.concat_str(
        [pl.coalesce("AEDECOD", "AETERM"), "AESCAT", severity, fatal], separator="; ", ignore_nulls=True
    )
    domain = domain.derive(
        type=pl.lit("adverse_event"),
        amount=grade,
        unit=pl.when(grade.is_not_null()).then(pl.lit("score")),
        note=note,
    )
    ledger.tests.append((domain.file, "AE", None, len(domain.rows), "adverse_event", ""))
    return _finish(domain.rows, domain)


def derive_deaths(
    files: dict[str, list[Domain]], calendar: Calendar, ledger: Ledger
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return deaths and last contacts, one row a subject: from DM, else DS, else a fatal adverse event.

    The last contact is the latest day on which DM (RFPENDTC), DS or SS says that the subject was alive.
    """
    causes = _list_causes(files.get("DD", []))
    deaths, contacts = [], []
    for domain in files.get("DM", []):
        deaths.append(_read_day(domain, "DTHDTC", calendar, "death"))
        contacts.append(_read_day(domain, "RFPENDTC", calendar, "last_contact"))
    for domain in files.get("DS", []):
        said = pl.col("DSDECOD").str.to_uppercase()
        deaths.append(_read_day(domain.select(said.str.contains(_DEATH)), "DSSTDTC", calendar, "death"))
        contacts.append(_read_day(domain.select(said.is_in(_ALIVE)), "DSSTDTC", calendar, "last_contact"))
    for domain in files.get("SS", []):
        said = pl.coalesce(
            *(pl.col(c) for c in ("SSSTRESC", "SSORRES") if domain.has(c)), pl.lit(None)
        ).str.to_uppercase()
        contacts.append(_read_day(domain.select(said == "ALIVE"), "SSDTC", calendar, "last_contact"))
    for domain in files.get("AE", []):
        fatal = pl.col("AEOUT").str.to_uppercase() == "FATAL" if domain.has("AEOUT") else pl.lit(value=False)
        deaths.append(_read_day(domain.select(fatal), "AEENDTC", calendar, "death"))
    dead = _take_first(deaths)
    dead = dead.join(causes, left_on="subject_id", right_on="USUBJID", how="left", maintain_order="left")
    dead = dead.with_columns(note=pl.coalesce("_cause", "note")).select(*EVENT_COLUMNS)
    alive = pl.concat(contacts) if contacts else dead.clear()
    alive = alive.filter(~pl.col("subject_id").is_in(dead["subject_id"].implode()) & (pl.col("day") >= 0))
    alive = alive.sort("day", descending=True).unique("subject_id", keep="first", maintain_order=True)
    if len(dead):
        ledger.tests.append(("death", "DTHDTC", None, len(dead), "death", "from DM, DS or AE"))
    return dead, alive.sort("subject_id")


def _take_first(deaths: list[pl.DataFrame]) -> pl.DataFrame:
    """Return one death a subject: of the first file that tells it."""
    empty = pl.DataFrame(schema={c: _SCHEMA.get(c, pl.String) for c in EVENT_COLUMNS})
    return pl.concat([empty, *deaths]).unique("subject_id", keep="first", maintain_order=True)


_SCHEMA = {"day": pl.Float64, "duration_days": pl.Float64, "_row": pl.Int64}


def _list_causes(files: list[Domain]) -> pl.DataFrame:
    """Return ``USUBJID, _cause``: the cause of death as DD has it."""
    parts = [pl.DataFrame(schema={"USUBJID": pl.String, "_cause": pl.String})]
    for file in files:
        domain = file.complete("DDSTRESC", "DDORRES")
        rows = domain.rows.filter(pl.col("DDTESTCD").str.to_uppercase() == "PRCDTH")
        parts.append(rows.select("USUBJID", _cause=pl.coalesce("DDSTRESC", "DDORRES")))
    return pl.concat(parts).unique("USUBJID", keep="first", maintain_order=True)


def _read_day(domain: Domain, column: str, calendar: Calendar, kind: str) -> pl.DataFrame:
    """Return events of a type on the day of one column, for the rows that have it."""
    domain = derive_days(_known(domain.complete(column), calendar), column, calendar)
    name = f"{domain.code}TERM"
    note = pl.col(name) if domain.has(name) else pl.lit(None, dtype=pl.String)
    rows = domain.rows.filter(pl.col("_day").is_not_null()).with_columns(
        type=pl.lit(kind),
        amount=pl.lit(None, dtype=pl.String),
        unit=pl.lit(None, dtype=pl.String),
        duration_days=pl.lit(None, dtype=pl.Float64),
        note=note,
    )
    return _finish(rows, domain)


def derive_dated(domain: Domain, column: str, calendar: Calendar, kind: str, ledger: Ledger) -> pl.DataFrame:
    """Return events of a type whose date is the value of a qualifier."""
    renamed = domain.derive(QVALDTC=pl.col(column))
    rows = _read_day(renamed, "QVALDTC", calendar, kind).with_columns(_day_cell=pl.lit(column))
    ledger.tests.append((domain.file, "NACTDT", None, len(rows), kind, ""))
    return rows


def _known(domain: Domain, calendar: Calendar) -> Domain:
    """Keep the subjects that have a day 0."""
    return domain.select(pl.col("USUBJID").is_in(calendar.zeros["USUBJID"].implode()))


def _place(domain: Domain, calendar: Calendar, ledger: Ledger) -> Domain:
    """Derive ``_day`` and ``duration_days`` of what starts and ends; leave out what cannot be placed."""
    code = domain.code
    domain = derive_days(domain.complete(f"{code}ENDTC"), f"{code}STDTC", calendar)
    domain = read_dates(domain, f"{code}ENDTC", calendar.partial_dates, prefix="end_")
    length = (pl.col("_end_date") - pl.col("_date")).dt.total_days() + 1
    exact = pl.col("_imputed").is_null() & pl.col("_end_imputed").is_null()
    backwards = exact & (length < 1)
    domain.sheet.report(backwards, f"{code}ENDTC", f"must not be before {code}STDTC", "correct one of the two dates")
    domain = domain.derive(duration_days=pl.when(exact & (length >= 1)).then(length.cast(pl.Float64)))
    count = int(domain.rows["_day"].null_count())
    ledger.note_rows(domain.file, count, "without a start that can be placed are left out")
    return domain.select(pl.col("_day").is_not_null())


def _find_treatment(name: pl.Expr) -> pl.Expr:
    """Return the type of event of a treatment by what it is called."""
    plain = name.str.replace_all(_NOT_A_COLLECTION, "", literal=True)
    return pl.coalesce(
        *(
            pl.when(plain.str.contains(pattern, literal=True)).then(pl.lit(kind))
            for pattern, kind in load_sdtm_treatments()
        )
    )


def _join(columns: Iterable[str]) -> pl.Expr:
    return pl.concat_str([pl.col(c).fill_null("") for c in columns], separator=" ").str.to_uppercase()


def _convert_doses(domain: Domain, dose: str, unit: str, ledger: Ledger) -> Domain:
    """Derive ``amount`` and ``unit``: cells of a product, mg of a steroid; a dose of another kind stays unknown."""
    is_product = pl.col("type").is_in(["car_t", "second_infusion"])
    spelled = pl.col(unit).replace({text: spell_unit(text) for text in domain.rows[unit].drop_nulls().unique()})
    text = pl.col(dose).is_not_null()
    as_cells = _list_units(domain, unit, "cells") + _list_units(domain, unit, "cells/kg")
    is_known = (is_product & (spelled.is_in(as_cells) | pl.col(unit).is_null())) | (
        (pl.col("type") == _STEROID) & spelled.is_in(_list_units(domain, unit, "mg"))
    )
    domain = domain.derive(
        amount=pl.when(is_known & text).then(dose), unit=pl.when(is_known & text).then(spelled), _lost=text & ~is_known
    )
    lost = domain.rows.filter(pl.col("_lost") & pl.col("type").is_in(["car_t", "second_infusion", _STEROID]))
    ledger.note_rows(domain.file, len(lost), "have a dose in a unit that is not cells or mg: their amount is not known")
    return domain


def _list_units(domain: Domain, column: str, to: str) -> list[str]:
    units = {spell_unit(unit) for unit in domain.rows[column].drop_nulls().unique()}
    return sorted(unit for unit in units if compute_factor(unit, to) is not None)


def _count_types(domain: Domain, name: str, ledger: Ledger) -> None:
    counted = domain.rows.group_by(name, "type", maintain_order=True).len()
    for treatment, kind, count in counted.iter_rows():
        note = "" if kind else "not a type of event: left out"
        ledger.tests.append((domain.file, str(treatment), None, count, kind, note))


def _finish(rows: pl.DataFrame, domain: Domain) -> pl.DataFrame:
    return rows.with_columns(
        subject_id=pl.col("USUBJID"),
        day=pl.col("_day"),
        date_imputed=pl.col("_imputed"),
        source=pl.concat_str([pl.lit(f"{domain.file}, row "), pl.col(LINE).cast(pl.String)]),
        _file=pl.lit(domain.file),
        _row=pl.col(LINE),
        _code=pl.lit(domain.code),
    ).select(*EVENT_COLUMNS)
