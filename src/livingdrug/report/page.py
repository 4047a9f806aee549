"""A page from a template: one style sheet, figures as SVG with their tables, no network."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from livingdrug.report.figures import Figure
from livingdrug.report.rendering import has_renderer, render_svg, start_svg
from livingdrug.report.tables import Table, tabulate_frame

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure ready for the template; ``svg`` is empty where nothing can draw it."""

    name: str
    title: str
    caption: str
    svg: str
    table: Table


def read_template(name: str) -> str:
    """Return a packaged template, style sheet or script as text."""
    return (files("livingdrug.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _load_environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        loader=FunctionLoader(read_template), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def render_page(template: str, **fields: Any) -> str:
    """Fill a packaged template; what is filled in is escaped."""
    from markupsafe import Markup

    style = Markup(read_template("style.css"))
    return _load_environment().get_template(template).render(style=style, **fields)


def prepare_figure(figure: Figure) -> Drawing:
    """Draw a figure, if the ``report`` extra is there, and put its values into a table."""
    return prepare_figures([figure])[0]


def prepare_figures(figures: Sequence[Figure]) -> list[Drawing]:
    """Draw figures, all begun before the first is waited for, and put their values into tables."""
    from markupsafe import Markup

    begun = [(figure, start_svg(figure.spec)) for figure in figures]
    tables = [tabulate_frame(figure.table, caption="Values behind this figure") for figure in figures]
    # The renderer escapes what the figure's labels say.
    return [
        Drawing(figure.name, figure.title, figure.caption, Markup(_finish(figure, started)), table)
        for (figure, started), table in zip(begun, tables, strict=True)
    ]


def _finish(figure: Figure, started: "Future[str | None]") -> str:
    if not has_renderer():
        return ""
    return render_svg(figure.spec, name=figure.name, description=figure.caption, started=started)
