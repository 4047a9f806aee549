"""Published results beside simulated ones, as text for a terminal."""

from collections.abc import Mapping

import polars as pl


def format_validation(table: pl.DataFrame) -> str:
    """Return every result marked for calibration, one line each: met, missed, or why it is not simulated.

    Parameters
    ----------
    table : table
        Of :func:`livingdrug.study.validate_targets.validate_targets`.

    Examples
    --------
    >>> row = {"id": "T1", "what": "a: orr", "unit": "percent", "value": 80.0, "lower": None, "upper": None,
    ...        "simulated": 75.0, "sim_lower": 74.0, "sim_upper": 76.0, "inside": True, "note": ""}
    >>> print(format_validation(pl.DataFrame([row])).splitlines()[-1])
    1 of 1 simulated results lie in the published interval, or within 15 % where none was printed; 0 are not simulated.
    """
    lines = [f"{'id':5} {'published':>22} {'simulated':>20}           what"]
    lines += [_format_row(row) for row in table.iter_rows(named=True)]
    told = table.filter(pl.col("simulated").is_not_null())
    met = int(told["inside"].sum())
    lines.append("")
    lines.append(
        f"{met} of {len(told)} simulated results lie in the published interval, or within 15 % where none was printed; "
        f"{len(table) - len(told)} are not simulated."
    )
    return "\n".join(lines)


def format_simulated(row: Mapping[str, object]) -> str:
    """Return a simulated result with its interval; a median that some batches do not reach has none.

    Examples
    --------
    >>> format_simulated({"simulated": 21.0, "sim_lower": None, "sim_upper": None})
    '21'
    >>> format_simulated({"simulated": float("inf"), "sim_lower": None, "sim_upper": None})
    'not reached'
    """
    if row["simulated"] == float("inf"):
        return "not reached"
    interval = "" if row["sim_lower"] is None else f" ({row['sim_lower']:.4g}-{row['sim_upper']:.4g})"
    return f"{row['simulated']:.4g}{interval}"


def _format_row(row: dict[str, object]) -> str:
    limits = "" if row["lower"] is None else f" ({row['lower']:g}-{row['upper']:g})"
    published = f"{row['value']:g}{limits}"
    note = f"; {row['note']}" if row["note"] else ""
    if row["simulated"] is None:
        return f"{row['id']!s:5} {published:>22} {'-':>20}           {row['what']}{note}"
    simulated = format_simulated(row)
    mark = "met" if row["inside"] else "missed"
    return f"{row['id']!s:5} {published:>22} {simulated:>20} {mark:9} {row['what']} [{row['unit']}]{note}"
