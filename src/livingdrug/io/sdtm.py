"""A study's SDTM folder as a record: subjects, events and observations from CDISC domains.

Nothing is guessed. A result without its unit is a fault with its file and row; a test that is not known is kept
as ``x_<test>``; what could not be used is counted and said in ``notes`` of the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.sheet import LINE, Sheet
from livingdrug.core.tables import Record, decode_record
from livingdrug.core.units import compute_factor
from livingdrug.io.sdtm_choices import Choices, Ledger, SdtmConventions, Told, check_choices
from livingdrug.io.sdtm_days import Calendar, derive_days
from livingdrug.io.sdtm_events import (
    EVENT_COLUMNS,
    derive_adverse_events,
    derive_dated,
    derive_deaths,
    derive_infusions,
    derive_treatments,
)
from livingdrug.io.sdtm_files import Domain, Files, read_domains
from livingdrug.io.sdtm_findings import INSIDE, OBSERVED, derive_observations, spell_unit
from livingdrug.io.sdtm_response import derive_flags, derive_responses, find_next_therapies
from livingdrug.io.sdtm_subjects import build_calendar, build_subjects, check_known, find_infusions
from livingdrug.io.sdtm_tumour import derive_lesions

_FINDINGS = ("LB", "CP", "VS", "QS")
_AT_THE_BEDSIDE = ("VS", "QS")
"""What is taken several times a day: its rows keep the time of day where one day has several."""
_SUBJECT_CELLS = {"subject_id": "USUBJID", "age_years": "AGE", "sex": "SEX", "weight_kg": "VSSTRESN"}
_WEIGHT = "WEIGHT"


@dataclass(frozen=True, slots=True)
class SdtmImport:
    """A record, and what became of every test and treatment of the files.

    Parameters
    ----------
    record : Record
    tests : table
        ``file, test, name, rows, variable, note``; ``variable`` is empty where nothing was kept.
    """

    record: Record
    tests: pl.DataFrame


def read_sdtm(
    folder: Path | str,
    *,
    disease: Told = None,
    product: Told = None,
    infusion: str | None = None,
    files: Files | None = None,
    variables: Mapping[str, str] | None = None,
    conventions: SdtmConventions | None = None,
) -> Record:
    r"""Read a folder of SDTM domains as a record; day 0 is the first infusion.

    Parameters
    ----------
    folder : Path or str
        With ``dm``, ``ex``, ``lb`` and so on as ``.csv``, ``.xpt`` (needs the extra ``sdtm``) or ``.json``.
    disease : str or mapping of subject to str
        Of every subject; SDTM has no place for it.
    product : str or mapping, optional
        Where EX does not name a known product.
    infusion : str, optional
        The treatment of EX whose first dose is day 0, as EXTRT has it; by default the known product.
    files : mapping of domain to file name or names, optional
        For files that are not named after their domain: ``{"RS": "rs_onco_recist.csv"}``.
    variables : mapping, optional
        Our variable for a test, by its code, ``LB.CODE``, name or LOINC: ``{"MYTEST": "m_protein"}``.
    conventions : SdtmConventions, optional

    Returns
    -------
    record : Record
        ``source`` of a row names its file and row. ``conflicts`` names rows that contradict each other, ``notes``
        what was left out or assumed.

    Raises
    ------
    InputError
        With every fault of every file: file, row, column, rule, what was found, what to do.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write = lambda name, text: Path(folder, name).write_text(text)
    ...     _ = write("dm.csv", "USUBJID,AGE,AGEU,SEX\nS-1,61,YEARS,F\n")
    ...     _ = write("ex.csv", "USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC\nS-1,IDE-CEL,450,10^6 CELLS,2024-03-01\n")
    ...     _ = write("lb.csv", "USUBJID,LBTESTCD,LBSTRESN,LBSTRESU,LBDTC\nS-1,PLAT,150,10^9/L,2024-03-29\n")
    ...     record = read_sdtm(folder, disease="myeloma")
    >>> record.observations.select("day", "variable", "value", "source").rows()
    [(28.0, 'platelets', 150.0, 'lb.csv, row 2')]
    """
    return import_sdtm(
        folder,
        disease=disease,
        product=product,
        infusion=infusion,
        files=files,
        variables=variables,
        conventions=conventions,
    ).record


def import_sdtm(
    folder: Path | str,
    *,
    disease: Told = None,
    product: Told = None,
    infusion: str | None = None,
    files: Files | None = None,
    variables: Mapping[str, str] | None = None,
    conventions: SdtmConventions | None = None,
) -> SdtmImport:
    """Read as :func:`read_sdtm` does, and tell what became of every test.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    choices = Choices(disease, product, infusion, variables or {}, conventions or SdtmConventions())
    faults = check_choices(choices)
    if faults:
        raise InputError.from_faults("choices", faults)
    domains, others = read_domains(folder, files or {}, choices.conventions.missing)
    ledger = Ledger(notes=others)
    check_known(domains)
    record, faults = _build(domains, choices, ledger, str(folder))
    own = [fault for parts in domains.values() for domain in parts for fault in domain.sheet.list_faults()]
    together = list(dict.fromkeys([*own, *ledger.faults, *faults]))
    if together:
        raise InputError.from_faults(f"SDTM folder {folder}", together)
    return SdtmImport(replace(record, notes=tuple(ledger.notes)), ledger.list_tests())


def _build(
    domains: dict[str, list[Domain]], choices: Choices, ledger: Ledger, source: str
) -> tuple[Record, list[Fault]]:
    infusions = find_infusions(domains, choices, ledger)
    calendar = build_calendar(domains, infusions, choices, ledger)
    subjects = build_subjects(domains, infusions, calendar, choices, ledger)
    is_placed = pl.col("USUBJID").is_in(calendar.zeros["USUBJID"].implode())
    placed = {code: [domain.select(is_placed) for domain in parts] for code, parts in domains.items()}
    events = _gather_events(placed, [domain.select(is_placed) for domain in infusions], calendar, ledger)
    observations = _gather_observations(placed, calendar, choices, ledger)
    weights = _find_weights(placed.get("VS", []), calendar, ledger)
    subjects = subjects.join(weights, on="subject_id", how="left", maintain_order="left")
    sheets = {
        "subjects": _to_sheet("subjects", subjects.with_columns(source=pl.col("_file"), _code=pl.lit("DM"))),
        "events": _to_sheet("events", events),
        "observations": _to_sheet("observations", observations),
    }
    if subjects.is_empty():
        return Record(subjects, events, observations), []
    return decode_record(sheets, source, keep_conflicts=True)


def _gather_observations(
    domains: dict[str, list[Domain]], calendar: Calendar, choices: Choices, ledger: Ledger
) -> pl.DataFrame:
    """Return the observations of every domain as text; what repeats another row is counted and left out."""
    parts = [
        derive_observations(domain, calendar, choices, ledger) for code in _FINDINGS for domain in domains.get(code, [])
    ]
    parts += [derive_responses(domain, calendar, choices, ledger) for domain in domains.get("RS", [])]
    parts += [derive_flags(domain, domains.get("RS", []), calendar, ledger) for domain in domains.get("SUPPRS", [])]
    if domains.get("TR") or domains.get("TU"):
        parts += derive_lesions(domains.get("TR", []), domains.get("TU", []), calendar, choices, ledger)
    rows = pl.concat([_list_nothing(), *parts])
    rows = _tell_times_apart(rows)
    said = [column for column in OBSERVED if column not in {"source", "accepted", "date_imputed"}]
    once = rows.unique(said, keep="first", maintain_order=True)
    for file, count in _count_repeated(rows, once):
        ledger.note_rows(file, count, "repeat what another row says of the same day, and are kept once")
    return once.with_columns(day=pl.col("day").cast(pl.String))


def _list_nothing() -> pl.DataFrame:
    """Return observations without rows."""
    numbers = {"day": pl.Float64, "_row": pl.Int64, "_clock": pl.Float64}
    return pl.DataFrame(schema={c: numbers.get(c, pl.String) for c in (*OBSERVED, *INSIDE)})


def _tell_times_apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the time of day where one thing was taken several times a day at the bedside, at times that are known."""
    keys = ["subject_id", "day", "variable", "assay", "reader"]
    is_timed = pl.col("_code").is_in(_AT_THE_BEDSIDE) & pl.col("_clock").is_not_null()
    is_several = (pl.col("_clock").n_unique() > 1).over(keys) & is_timed.all().over(keys)
    return rows.with_columns(day=pl.when(is_several).then(pl.col("day") + pl.col("_clock")).otherwise("day"))


def _count_repeated(rows: pl.DataFrame, once: pl.DataFrame) -> list[tuple[str, int]]:
    keys = ["_file", "_row", "variable"]
    lost = rows.join(once.select(keys), on=keys, how="anti", nulls_equal=True)
    return lost.group_by("_file", maintain_order=True).len().rows()


def _gather_events(
    domains: dict[str, list[Domain]], infusions: list[Domain], calendar: Calendar, ledger: Ledger
) -> pl.DataFrame:
    """Return the events of every domain as text, each once."""
    parts = derive_infusions(infusions, calendar, ledger)
    parts += [derive_treatments(domain, calendar, ledger) for code in ("PR", "CM") for domain in domains.get(code, [])]
    parts += [derive_adverse_events(domain, calendar, ledger) for domain in domains.get("AE", [])]
    for domain in domains.get("SUPPRS", []):
        parts.append(derive_dated(find_next_therapies(domain), "QVAL", calendar, "next_therapy", ledger))
    parts += derive_deaths(domains, calendar, ledger)
    numbers = {"day": pl.Float64, "duration_days": pl.Float64, "_row": pl.Int64}
    empty = pl.DataFrame(schema={c: numbers.get(c, pl.String) for c in EVENT_COLUMNS})
    rows = pl.concat([empty, *parts])
    once = rows.unique(["subject_id", "day", "type", "amount", "note"], keep="first", maintain_order=True)
    ledger.note_rows("events", len(rows) - len(once), "repeat another event and are kept once")
    return once.with_columns(day=pl.col("day").cast(pl.String), duration_days=pl.col("duration_days").cast(pl.String))


def _find_weights(files: list[Domain], calendar: Calendar, ledger: Ledger) -> pl.DataFrame:
    """Return ``subject_id, weight_kg``: the last weight up to the infusion; without a unit it is not known."""
    parts = [pl.DataFrame(schema={"subject_id": pl.String, "weight_kg": pl.String, "_day": pl.Float64})]
    for file in files:
        is_weight = pl.col("VSTESTCD").str.to_uppercase() == _WEIGHT
        domain = file.complete("VSSTRESN", "VSSTRESU").select(is_weight)
        count = len(domain.sheet.faults)
        domain = derive_days(domain, "VSDTC", calendar)
        del domain.sheet.faults[count:]
        units = {unit: compute_factor(spell_unit(unit), "kg") for unit in domain.rows["VSSTRESU"].drop_nulls().unique()}
        factor = pl.col("VSSTRESU").replace_strict(units, default=None, return_dtype=pl.Float64)
        weight = pl.col("VSSTRESN").cast(pl.Float64, strict=False) * factor
        rows = domain.rows.filter(pl.col("_day") <= 0)
        rows = rows.select(subject_id="USUBJID", weight_kg=weight.cast(pl.String), _day="_day")
        ledger.note_rows(domain.file, int(rows["weight_kg"].null_count()), "are weights without a known unit")
        parts.append(rows.drop_nulls("weight_kg"))
    last = pl.concat(parts).sort("_day", maintain_order=True).unique("subject_id", keep="last", maintain_order=True)
    return last.select("subject_id", "weight_kg")


def _to_sheet(name: str, rows: pl.DataFrame) -> Sheet:
    """Return a table as a sheet whose faults name the file and row that each cell came from."""
    numbered = rows.with_row_index(LINE).with_columns(pl.col(LINE).cast(pl.Int64))
    inside = [c for c in numbered.columns if c.startswith("_") and c != LINE]
    places = numbered.select(inside)

    def origin(line: int | None, column: str | None) -> str:
        if line is None:
            return name
        place = places.row(line, named=True)
        row = f", row {place['_row']}" if place["_row"] is not None else ""
        return f"{place['_file'] or name}{row}" + (f", column {_find_cell(column, place)}" if column else "")

    return Sheet(name, numbered.drop(inside), origin=origin)


def _find_cell(column: str, place: Mapping[str, str | None]) -> str:
    """Return the SDTM column that a column of ours was made from."""
    code = place.get("_code") or ""
    if code == "DM":
        return _SUBJECT_CELLS.get(column, column)
    cells = {
        "subject_id": "USUBJID",
        "day": place.get("_day_cell") or f"{code}DTC",
        "value": place.get("_value_cell") or f"{code}STRESC",
        "unit": place.get("_unit_cell") or f"{code}DOSU",
        "variable": f"{code}TESTCD",
        "lloq": f"{code}LLOQ",
        "amount": f"{code}DOSE",
        "type": f"{code}TRT",
    }
    return cells.get(column, column)
