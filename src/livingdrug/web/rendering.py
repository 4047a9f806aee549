"""Pages from templates; those of the report can be used as well. What is filled in is escaped."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from livingdrug.core.version import VERSION
from livingdrug.report.page import read_template

if TYPE_CHECKING:
    from jinja2 import Environment


def read_file(name: str) -> str:
    """Return a packaged template, script or style sheet of the web room, or else of the report."""
    own = files("livingdrug.web").joinpath("templates", name)
    return own.read_text(encoding="utf-8") if own.is_file() else read_template(name)


@cache
def _load_environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(loader=FunctionLoader(read_file), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def render(template: str, **fields: Any) -> str:
    """Fill a template."""
    return _load_environment().get_template(template).render(version=VERSION, **fields)


@cache
def read_static(name: str) -> tuple[str, str] | None:
    """Return a file that pages load, with its type; None where there is none of that name."""
    if name == "style.css":
        return read_file("style.css") + read_file("web.css"), "text/css"
    if name in {"jobs.js", "sliders.js"}:
        return read_file(name), "text/javascript"
    return None
