"""Tables as files that a spreadsheet may open: a cell that it would take for a formula is kept as text."""

from pathlib import Path

import polars as pl

_FORMULA = r"^[=+\-@\t\r]"


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a CSV file; text that begins like a formula gets an apostrophe before it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "x.csv"
    ...     write_table(pl.DataFrame({"name": ["=1+1", "plain"], "change": [-3.0, 2.0]}), path)
    ...     print(path.read_text().splitlines())
    ['name,change', "'=1+1,-3.0", 'plain,2.0']
    """
    text = pl.col(pl.String)
    safe = pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text).name.keep()
    table.with_columns(safe).write_csv(path)
