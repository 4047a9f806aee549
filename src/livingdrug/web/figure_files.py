"""Figures of a result as files: the specification and its table are kept, SVG and PDF are drawn when asked for."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from livingdrug.report.figures import Figure
from livingdrug.report.rendering import has_renderer, render_file
from livingdrug.web.table_files import write_table

FIGURES = "figures"
FORMATS = {
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_FILE = re.compile(r"([a-z0-9-]{1,60})\.(svg|pdf|csv|json)")
_KEY = re.compile(r"[0-9a-f]{64}")


def keep_figures(figures: Iterable[Figure], folder: Path) -> None:
    """Keep the specification of each figure and the table behind it."""
    place = folder / FIGURES
    place.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        words = {"name": figure.name, "title": figure.title, "caption": figure.caption, "spec": dict(figure.spec)}
        (place / f"{figure.name}.json").write_text(json.dumps(words, default=str), encoding="utf-8")
        write_table(figure.table, place / f"{figure.name}.csv")


def list_figures(folder: Path) -> list[dict[str, Any]]:
    """List the figures of a result with the links to their files."""
    found = []
    for path in sorted((folder / FIGURES).glob("*.json")):
        words = json.loads(path.read_text(encoding="utf-8"))
        links = {kind: f"/api/figures/{folder.name}/{path.stem}.{kind}" for kind in FORMATS}
        found.append({"name": path.stem, "title": words["title"], "caption": words["caption"], "links": links})
    return found


def read_figure(results: Path, key: str, file: str) -> tuple[bytes, str] | None:
    """Return a figure in the form that its name asks for, with its type; None where there is no such figure."""
    named = _FILE.fullmatch(file)
    if named is None or not _KEY.fullmatch(key):
        return None
    name, kind = named.groups()
    source = results / key / FIGURES / f"{name}.json"
    if not source.exists() or (kind in {"svg", "pdf"} and not has_renderer()):
        return None
    if kind in {"csv", "json"}:
        return source.with_suffix(f".{kind}").read_bytes(), FORMATS[kind]
    return render_file(json.loads(source.read_text(encoding="utf-8"))["spec"], kind), FORMATS[kind]
