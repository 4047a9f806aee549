"""Who is in a study and when each was infused: DM and EX."""

import polars as pl

from livingdrug.core.errors import Fault
from livingdrug.core.patient import Disease, Product
from livingdrug.core.sheet import LINE
from livingdrug.io.sdtm_choices import Choices, Ledger, tell
from livingdrug.io.sdtm_days import Calendar, read_dates, read_study_days
from livingdrug.io.sdtm_files import Domain
from livingdrug.knowledge.exchange import load_sdtm_products

Domains = dict[str, list[Domain]]
_SEXES = {"F": "female", "M": "male", "U": "unknown", "UNDIFFERENTIATED": "other", "FEMALE": "female", "MALE": "male"}
_A_YEAR = {"YEARS": 1.0, "MONTHS": 12.0, "WEEKS": 52.1775, "DAYS": 365.25}
"""Units of age that go into a year."""
_SHOWN = 8


def check_known(domains: Domains) -> None:
    """Find rows of subjects that DM does not list."""
    if "DM" not in domains:
        return
    known = pl.concat([domain.rows["USUBJID"] for domain in domains["DM"]]).implode()
    for code, files in domains.items():
        for domain in files:
            if code != "DM" and domains["DM"][0].sheet.is_complete:
                stranger = ~pl.col("USUBJID").is_in(known)
                domain.sheet.report(stranger, "USUBJID", "must be a subject of DM", "correct it, or add it to DM")


def find_infusions(domains: Domains, choices: Choices, ledger: Ledger) -> list[Domain]:
    """Return EX with ``_product`` and ``_is_infusion`` derived for each row."""
    files = domains.get("EX", [])
    named = sorted({name for domain in files for name in domain.rows["EXTRT"].drop_nulls().to_list()})
    products = {name: find_product(name) for name in named}
    if choices.infusion is not None:
        meant = {name for name in named if name.upper() == choices.infusion.upper()}
        wanted = f"must be a treatment of EX; they are {', '.join(named[:_SHOWN]) or 'none'}"
        if not meant:
            ledger.faults.append(Fault("infusion", wanted, repr(choices.infusion), "write it as EXTRT has it"))
    else:
        meant = {name for name in named if products[name]}
        if not meant and len(named) == 1:
            meant = set(named)
            ledger.notes.append(f"EX: its one treatment, {named[0]}, was taken for the infusion")
    rows = {"EXTRT": named, "_product": [products[n] for n in named], "_is_infusion": [n in meant for n in named]}
    table = pl.DataFrame(rows, schema={"EXTRT": pl.String, "_product": pl.String, "_is_infusion": pl.Boolean})
    marked = []
    for domain in files:
        joined = domain.rows.join(table, on="EXTRT", how="left", maintain_order="left")
        flag = joined["_is_infusion"].fill_null(value=False)
        marked.append(domain.derive(_product=joined["_product"], _is_infusion=flag))
    return marked


def find_product(name: str) -> str | None:
    """Return our name of a product by what a study calls it.

    Examples
    --------
    >>> find_product("Tisagenlecleucel 2e8"), find_product("FLUDARABINE")
    ('tisa_cel', None)
    """
    return next((product for pattern, product in load_sdtm_products() if pattern in name.upper()), None)


def build_calendar(domains: Domains, infusions: list[Domain], choices: Choices, ledger: Ledger) -> Calendar:
    """Find each subject's day 0."""
    conventions = choices.conventions
    reference = _read_reference(domains, choices)
    if conventions.day_zero == "infusion":
        zeros = _find_first_infusions(infusions, choices, ledger)
    elif conventions.day_zero == "reference_start":
        zeros = reference.select("USUBJID", _zero="_start", _zero_study=pl.lit(0, dtype=pl.Int64))
        if reference["_start"].null_count() == len(reference):
            _refuse(ledger, "must be given in DM as RFSTDTC", "missing", "use another day_zero")
    else:
        zeros = _find_first_assessments(domains, choices)
        if zeros.is_empty():
            _refuse(ledger, "must be found in TR, TU or RS", "no date there", "use another day_zero")
    joined = zeros.join(reference, on="USUBJID", how="left", maintain_order="left")
    between = (pl.col("_zero") - pl.col("_start")).dt.total_days()
    start = pl.col("_start") + pl.duration(days=pl.col("_zero_study"))
    full = joined.select(
        "USUBJID", _zero=pl.coalesce("_zero", start), _zero_study=pl.coalesce(between, "_zero_study").cast(pl.Int64)
    )
    return Calendar(full, conventions.partial_dates)


def _refuse(ledger: Ledger, rule: str, was: str, hint: str) -> None:
    ledger.faults.append(Fault("day 0", rule, was, hint))


def _read_reference(domains: Domains, choices: Choices) -> pl.DataFrame:
    """Return ``USUBJID, _start``: the complete date from which study days count."""
    parts = [pl.DataFrame(schema={"USUBJID": pl.String, "_start": pl.Date})]
    for domain in domains.get("DM", []):
        dated = read_dates(domain, "RFSTDTC", choices.conventions.partial_dates, prefix="ref_")
        complete = pl.when(pl.col("_ref_imputed").is_null()).then("_ref_date")
        parts.append(dated.rows.select("USUBJID", _start=complete).unique("USUBJID", keep="first"))
    return pl.concat(parts).unique("USUBJID", keep="first", maintain_order=True)


def _find_first_infusions(infusions: list[Domain], choices: Choices, ledger: Ledger) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"USUBJID": pl.String, "_zero": pl.Date, "_zero_study": pl.Int64})]
    for domain in infusions:
        given = domain.select(pl.col("_is_infusion"))
        dated = read_study_days(read_dates(given, "EXSTDTC", choices.conventions.partial_dates), "EXSTDY")
        hint = "complete the date, or leave it empty and give EXSTDY"
        imputed = pl.col("_imputed").is_not_null() | (
            pl.col("EXSTDTC").is_not_null() & pl.col("_date").is_null() & ~pl.col("_no_date")
        )
        dated.sheet.report(imputed, "EXSTDTC", "must be a complete date, for it is day 0", hint)
        none = pl.col("EXSTDTC").is_null() & pl.col("_study").is_null()
        dated.sheet.report(
            none, "EXSTDTC", "must be given for an infusion", "write the date, or the study day (EXSTDY)"
        )
        parts.append(dated.rows.select("USUBJID", _zero="_date", _zero_study="_study"))
    rows = pl.concat(parts)
    if rows.is_empty() and not ledger.faults:
        hint = "name it: infusion='AS IN EXTRT'; without EX use SdtmConventions(day_zero='reference_start')"
        _refuse(ledger, "must be the first infusion in EX", "no row that is known to be one", hint)
    first = rows.group_by("USUBJID", maintain_order=True).agg(pl.col("_zero", "_zero_study").min())
    return first.filter(pl.any_horizontal(pl.col("_zero", "_zero_study").is_not_null()))


def _find_first_assessments(domains: Domains, choices: Choices) -> pl.DataFrame:
    parts = [pl.DataFrame(schema={"USUBJID": pl.String, "_zero": pl.Date, "_zero_study": pl.Int64})]
    for code in ("TR", "TU", "RS"):
        for domain in domains.get(code, []):
            dated = read_dates(domain.complete(f"{code}DTC"), f"{code}DTC", choices.conventions.partial_dates)
            dated = read_study_days(dated, f"{code}DY")
            parts.append(dated.rows.select("USUBJID", _zero="_date", _zero_study="_study"))
    first = pl.concat(parts).group_by("USUBJID", maintain_order=True).agg(pl.col("_zero", "_zero_study").min())
    return first.filter(pl.any_horizontal(pl.col("_zero", "_zero_study").is_not_null()))


def build_subjects(
    domains: Domains, infusions: list[Domain], calendar: Calendar, choices: Choices, ledger: Ledger
) -> pl.DataFrame:
    """Build the subjects table as text; ``_file`` and ``_row`` tell where a row came from."""
    rows = pl.concat([_read_demographics(domain, ledger) for domain in domains["DM"]]) if domains.get("DM") else None
    if rows is None:
        names = sorted({name for files in domains.values() for d in files for name in d.rows["USUBJID"].to_list()})
        rows = pl.DataFrame({"subject_id": names}).with_columns(
            pl.lit(None, dtype=pl.String).alias(c) for c in ("age_years", "sex", "arm", "_file")
        )
        rows = rows.with_columns(_row=pl.lit(None, dtype=pl.Int64))
        ledger.notes.append("there is no DM: subjects are those of the other files, their age and sex are not known")
    placed = rows.join(calendar.zeros, left_on="subject_id", right_on="USUBJID", how="left", maintain_order="left")
    has_day = pl.col("_zero").is_not_null() | pl.col("_zero_study").is_not_null()
    left_out = placed.filter(~has_day)["subject_id"].to_list()
    if left_out and len(left_out) < len(placed):
        shown = ", ".join(left_out[:_SHOWN]) + (" ..." if len(left_out) > _SHOWN else "")
        ledger.notes.append(f"without a day 0, {len(left_out)} of {len(placed)} subjects are left out: {shown}")
    kept = placed.filter(has_day).with_columns(infusion_date=pl.col("_zero").dt.to_string("%Y-%m-%d"))
    told = _tell_products(kept["subject_id"].to_list(), infusions, choices, ledger)
    diseases = _tell_diseases(kept["subject_id"].to_list(), choices, ledger)
    return kept.with_columns(
        disease=pl.Series(diseases, dtype=pl.String), product=pl.Series(told, dtype=pl.String)
    ).drop("_zero", "_zero_study")


def _read_demographics(domain: Domain, ledger: Ledger) -> pl.DataFrame:
    domain = domain.complete("AGE", "AGEU", "SEX", "ARM", "ACTARM")
    first = pl.col(LINE).min().over("USUBJID")
    domain.sheet.report(pl.col(LINE) != first, "USUBJID", "must stand once in DM", "remove the row that repeats it")
    per_year = pl.col("AGEU").fill_null("YEARS").str.to_uppercase().replace_strict(_A_YEAR, default=None)
    domain.sheet.report(per_year.is_null(), "AGEU", "must be a known word", f"one of {', '.join(_A_YEAR)}")
    sex = pl.col("SEX").str.to_uppercase().replace_strict(_SEXES, default=None)
    domain.sheet.report(sex.is_null() & pl.col("SEX").is_not_null(), "SEX", "must be a known word", "write F, M or U")
    years = pl.col("AGE").cast(pl.Float64, strict=False) / per_year
    in_years = pl.col("AGE").is_null() | (per_year == 1) | years.is_null()
    table = domain.rows.filter(pl.col(LINE) == first).select(
        subject_id="USUBJID",
        age_years=pl.when(in_years).then("AGE").otherwise(years.cast(pl.String)),
        sex=sex,
        arm=pl.coalesce("ACTARM", "ARM"),
        _file=pl.lit(domain.file),
        _row=LINE,
    )
    ledger.note_rows(domain.file, len(domain.rows) - len(table), "repeat a subject")
    return table


def _tell_products(subjects: list[str], infusions: list[Domain], choices: Choices, ledger: Ledger) -> list[str]:
    """Return each subject's product: as told, or as EX names it."""
    given: dict[str, str] = {}
    for domain in infusions:
        rows = domain.rows.filter(pl.col("_is_infusion") & pl.col("_product").is_not_null())
        for subject, product in rows.select("USUBJID", "_product").iter_rows():
            given.setdefault(subject, product)
    products = [tell(choices.product, subject) or given.get(subject) for subject in subjects]
    _report_untold("product", subjects, products, [p.value for p in Product], "EX does not name a product", ledger)
    return [product or Product.OTHER.value for product in products]


def _tell_diseases(subjects: list[str], choices: Choices, ledger: Ledger) -> list[str]:
    diseases = [tell(choices.disease, subject) for subject in subjects]
    _report_untold("disease", subjects, diseases, [d.value for d in Disease], "SDTM has no place for it", ledger)
    return [disease or Disease.SOLID.value for disease in diseases]


def _report_untold(
    name: str, subjects: list[str], told: list[str | None], words: list[str], why: str, ledger: Ledger
) -> None:
    untold = [subject for subject, word in zip(subjects, told, strict=True) if word is None]
    if untold:
        whom = f"not known of {', '.join(untold[:_SHOWN])}{' ...' if len(untold) > _SHOWN else ''}: {why}"
        hint = f"tell it: {name}={words[0]!r}; one of {', '.join(words)}, or a mapping of subjects"
        ledger.faults.append(Fault(name, "must be told for every subject", whom, hint))
