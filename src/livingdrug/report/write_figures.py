"""Figures as files for a paper: SVG and PDF, drawn without a browser, and the table behind each."""

from collections.abc import Iterable
from pathlib import Path

from livingdrug.report.figures import Figure
from livingdrug.report.rendering import has_renderer, render_file

FORMATS = ("svg", "pdf")


def write_figures(figures: Iterable[Figure], folder: Path) -> tuple[Path, ...]:
    """Write ``NAME.svg``, ``NAME.pdf`` and ``NAME.csv`` of each figure; without the extra ``report``, the tables alone.

    Returns
    -------
    paths : tuple of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures:
        for kind in FORMATS if has_renderer() else ():
            path = folder / f"{figure.name}.{kind}"
            path.write_bytes(render_file(figure.spec, kind))
            written.append(path)
        table = folder / f"{figure.name}.csv"
        figure.table.write_csv(table)
        written.append(table)
    return tuple(written)
