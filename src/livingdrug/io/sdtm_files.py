"""The files of an SDTM folder as tables of text: CSV, SAS transport, Dataset-JSON; which file is which domain."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.sheet import LINE, Sheet, show_text, suggest
from livingdrug.io.delimited import Header, read_rows

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "DM": ("USUBJID",),
    "EX": ("USUBJID", "EXTRT"),
    "PR": ("USUBJID", "PRTRT"),
    "CM": ("USUBJID", "CMTRT"),
    "LB": ("USUBJID", "LBTESTCD"),
    "CP": ("USUBJID", "CPTESTCD"),
    "VS": ("USUBJID", "VSTESTCD"),
    "QS": ("USUBJID", "QSTESTCD"),
    "RS": ("USUBJID", "RSTESTCD"),
    "SUPPRS": ("USUBJID", "QNAM", "QVAL"),
    "TU": ("USUBJID", "TULNKID"),
    "TR": ("USUBJID", "TRTESTCD"),
    "AE": ("USUBJID", "AETERM"),
    "DS": ("USUBJID", "DSDECOD"),
    "DD": ("USUBJID", "DDTESTCD"),
    "SS": ("USUBJID", "SSTESTCD"),
}
"""Domains that are read, and the columns without which they cannot be."""
MISSING = ("", "NA", ".")
"""What stands for a cell that is empty: R and SAS write these."""
SUFFIXES = (".csv", ".xpt", ".json")
_SPLIT_LENGTH = 4
"""A domain may be split over files with names of four letters, of which the first two name it."""
Files = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Domain:
    """One file of one domain.

    Parameters
    ----------
    code : str
        Such as ``LB``.
    file : str
    sheet : Sheet
        Columns of text under their SDTM names, and the row of the file.
    """

    code: str
    file: str
    sheet: Sheet

    @property
    def rows(self) -> pl.DataFrame:
        """The rows of the file."""
        return self.sheet.rows

    def has(self, *columns: str) -> bool:
        """Whether the file has every one of these columns."""
        return set(columns) <= set(self.rows.columns)

    def complete(self, *columns: str) -> "Domain":
        """Return the domain with these columns, empty where the file has none."""
        lacking = {column: pl.lit(None, dtype=pl.String) for column in columns if column not in self.rows.columns}
        return replace(self, sheet=self.sheet.derive(**lacking)) if lacking else self

    def derive(self, **columns: pl.Expr | pl.Series) -> "Domain":
        """Return the domain with more columns; faults go on in the same list."""
        return replace(self, sheet=self.sheet.derive(**columns))

    def select(self, where: pl.Expr) -> "Domain":
        """Return the domain with the rows of which ``where`` is true."""
        return replace(self, sheet=replace(self.sheet, rows=self.rows.filter(where)))


def find_files(folder: Path, files: Files) -> tuple[dict[str, list[Path]], list[str], list[Fault]]:
    """Find the files of each domain in a folder.

    Parameters
    ----------
    folder : Path
    files : mapping of domain to file name, or to several
        For files that are not named after their domain.

    Returns
    -------
    found : dict of domain to paths
    others : list of str
        Files that are not read, each as a sentence.
    faults : list of Fault
    """
    faults: list[Fault] = []
    found = _take_named(folder, files, faults)
    taken = {path.name for paths in found.values() for path in paths}
    others = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
        code = _find_code(path.stem)
        if path.name in taken:
            continue
        if code is None or code in {key.upper() for key in files}:
            others.append(_describe_other(path.name))
            continue
        same = next((p for p in found.get(code, []) if p.stem.upper() == path.stem.upper()), None)
        if same is None:
            found.setdefault(code, []).append(path)
        else:
            faults.append(Fault(path.name, f"must stand once as {code}", f"also {same.name}", "move one away"))
    if not found and not faults:
        rule = "must hold files of SDTM domains, such as dm.csv and lb.csv"
        faults.append(Fault(str(folder), rule, "a folder without any", "name them: files={'LB': 'my_lab.csv'}"))
    return found, others, faults


def _take_named(folder: Path, files: Files, faults: list[Fault]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for code, names in files.items():
        domain = code.upper()
        if domain not in REQUIRED:
            hint = suggest(code, [known.lower() for known in REQUIRED], f"one of {', '.join(REQUIRED)}")
            faults.append(Fault("files", "must name a domain that is read", repr(code), hint))
            continue
        for name in [names] if isinstance(names, str) else names:
            path = folder / name
            if path.is_file():
                found.setdefault(domain, []).append(path)
            else:
                hint = suggest(name, [entry.name for entry in folder.iterdir()], "correct the name")
                faults.append(Fault(f"files[{code!r}]", "must be a file of the folder", repr(name), hint))
    return found


def _find_code(stem: str) -> str | None:
    name = stem.upper()
    if name in REQUIRED:
        return name
    is_split = len(name) == _SPLIT_LENGTH and name.isalnum() and name[:2] in REQUIRED
    return name[:2] if is_split else None


def _describe_other(name: str) -> str:
    code = next((code for code in REQUIRED if name.upper().startswith(f"{code}_")), None)
    if code is None:
        return f"{name} is not a domain that is read"
    return f"{name} was not read; if it is {code}, say so: files={{{code!r}: {name!r}}}"


def read_domain(path: Path, code: str, missing: Iterable[str] = MISSING) -> Domain:
    """Read one file of one domain; what is wrong with it is left with its sheet."""

    def origin(line: int | None, column: str | None) -> str:
        row = "" if line is None else f", row {line}"
        return f"{path.name}{row}" + (f", column {column}" if column else "")

    columns = {LINE: pl.Int64, **dict.fromkeys(REQUIRED[code], pl.String)}
    sheet = Sheet(code.lower(), pl.DataFrame(schema=columns), is_complete=False, origin=origin)
    if path.suffix.lower() == ".csv":
        sheet = read_rows(path, sheet, lambda header: _read_header(header, code, sheet))
    else:
        table = _read_transport(path, sheet) if path.suffix.lower() == ".xpt" else _read_json(path, sheet)
        names = None if table is None else _check_names(list(table), code, sheet)
        if table is not None and names is not None:
            texts = {name: _to_text(cells) for name, cells in zip(names, table.values(), strict=True)}
            sheet = replace(sheet, rows=pl.DataFrame(texts).with_row_index(LINE, 1).cast({LINE: pl.Int64}))
    empty = [*missing, ""]
    text = [pl.col(c).str.strip_chars() for c in sheet.rows.columns if c != LINE]
    rows = sheet.rows.with_columns(text)
    rows = rows.with_columns(pl.when(~pl.col(pl.String).is_in(empty)).then(pl.col(pl.String)).name.keep())
    sheet = replace(sheet, rows=rows)
    sheet.report(pl.col("USUBJID").is_null(), "USUBJID", "must be filled", "fill it, or remove the row")
    return Domain(code, path.name, replace(sheet, rows=rows.drop_nulls("USUBJID")))


def _read_header(header: Header | None, code: str, sheet: Sheet) -> list[str] | None:
    if header is None:
        if not sheet.faults:
            sheet.add(1, None, "must have a header", "an empty file", f"write {','.join(REQUIRED[code])} and so on")
        return None
    return _check_names([field.strip() for field in header[1]], code, sheet)


def _check_names(given: Sequence[str], code: str, sheet: Sheet) -> list[str] | None:
    """Return the names of the columns in capitals, or None if the file cannot be understood with them."""
    names = [name.upper() for name in given]
    before = len(sheet.faults)
    if len(names) == 1 and any(separator in names[0] for separator in ";\t|"):
        sheet.add(1, None, "must be separated by commas", show_text(given[0]), "save the file as comma-separated CSV")
        return None
    if "" in names:
        sheet.add(1, None, "must name every column", "empty", "delete the column; in R write with row.names = FALSE")
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        sheet.add(1, name, "must stand once", "repeated", "rename or remove one")
    for name in names:
        if name.startswith("_"):
            sheet.add(1, name, "must not be a name that is used inside", show_text(name), "rename the column")
    for name in REQUIRED[code]:
        if name not in names:
            near = suggest(name, [other.lower() for other in names], f"add it, or is this not {code}?")
            sheet.add(1, name, f"must be there in {code}", "missing", near)
    return names if len(sheet.faults) == before else None


def _read_transport(path: Path, sheet: Sheet) -> dict[str, list[Any]] | None:
    """Read a SAS transport file of version 5 or 8, with pyreadstat."""
    try:
        from pyreadstat import ReadstatError, read_xport
    except ImportError:
        hint = "install it with the extra `sdtm`, or save the file as CSV"
        sheet.add(None, None, "must be read with pyreadstat", "a transport file, and pyreadstat is missing", hint)
        return None
    try:
        table, _ = read_xport(str(path), output_format="dict")
    except (ReadstatError, UnicodeDecodeError, OSError) as error:
        sheet.add(
            None, None, "must be a SAS transport file", show_text(str(error)), "export it again, or save it as CSV"
        )
        return None
    return {name: list(cells) for name, cells in table.items()}


def _read_json(path: Path, sheet: Sheet) -> dict[str, list[Any]] | None:
    """Read Dataset-JSON 1.1: ``columns`` with names, ``rows`` with a list each; 1.0 has ``items``, ``itemData``."""
    hint = "export it as Dataset-JSON 1.1, or save it as CSV"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, OSError) as error:
        sheet.add(None, None, "must be JSON", show_text(str(error)), hint)
        return None
    names, rows = _find_items(document)
    if not (isinstance(names, list) and isinstance(rows, list) and names and all(isinstance(n, str) for n in names)):
        sheet.add(None, None, "must be Dataset-JSON with columns and rows", "something else", hint)
        return None
    good = [row for row in rows if isinstance(row, list) and len(row) == len(names)]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            was = f"{len(row)} items" if isinstance(row, list) else "no list"
            sheet.add(number, None, f"must have {len(names)} items as there are columns", was, hint)
    doubles = len(set(names)) < len(names)
    if doubles:
        sheet.add(None, None, "must name every column once", "a name that stands twice", hint)
        return None
    return {name: [row[place] for row in good] for place, name in enumerate(names)}


def _find_items(document: Any) -> tuple[Any, Any]:
    """Return the names of the columns and the rows, from either version."""
    if not isinstance(document, Mapping):
        return None, None
    for part in ("clinicalData", "referenceData"):
        groups = document.get(part, {})
        groups = groups.get("itemGroupData", {}) if isinstance(groups, Mapping) else {}
        for group in groups.values() if isinstance(groups, Mapping) else ():
            if isinstance(group, Mapping):
                return _list_names(group.get("items")), group.get("itemData")
    return _list_names(document.get("columns")), document.get("rows")


def _list_names(items: Any) -> Any:
    is_good = isinstance(items, list) and all(isinstance(item, Mapping) for item in items)
    return [item.get("name") for item in items] if is_good else None


def _to_text(cells: Iterable[Any]) -> pl.Series:
    return pl.Series([_write_cell(cell) for cell in cells], dtype=pl.String)


def _write_cell(cell: Any) -> str | None:
    """Write a cell as CSV would have it; what is not a number is empty."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def read_domains(
    folder: Path | str, files: Files, missing: Iterable[str] = MISSING
) -> tuple[dict[str, list[Domain]], list[str]]:
    """Read every domain of a folder.

    Returns
    -------
    domains : dict of domain to its files
    others : list of str
        What was not read.

    Raises
    ------
    InputError
        If there is no such folder, or if files cannot be told apart.
    """
    place = Path(folder)
    if not place.is_dir():
        was = "a file" if place.exists() else "missing"
        raise InputError(
            f"`{place}` must be a folder with files of SDTM domains, but was {was}. Hint: give the folder."
        )
    found, others, faults = find_files(place, files)
    if faults:
        raise InputError.from_faults(f"SDTM folder {place}", faults)
    domains = {code: [read_domain(path, code, missing) for path in paths] for code, paths in found.items()}
    return domains, others
