"""A Vega-Lite specification to one piece of SVG that can stand inside a page.

vl-convert is an optional package; it is imported when the first figure is rendered.
"""

import importlib.util
import re
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from html import escape
from typing import Any

from livingdrug.report.drawing_process import DrawingProcess

_OPENING = re.compile(r"<svg\b[^>]*>")
_OUTER = re.compile(r'\b(viewBox|width|height)="([^"]*)"')
_IDENTIFIER = re.compile(r'(\bid="|url\(#|href="#)([\w.-]+)')
_INNER_ROLE = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')
PATIENCE = 30.0
"""Seconds after which a process that has not drawn is given up."""
_process: DrawingProcess | None = None


def has_renderer() -> bool:
    """Tell whether figures can be drawn (the ``report`` extra is installed)."""
    return importlib.util.find_spec("vl_convert") is not None


def adapt_svg(svg: str, name: str, description: str) -> str:
    """Make a stand-alone SVG fit for a page: one labelled image, its identifiers unique.

    Examples
    --------
    >>> adapt_svg('<svg width="2" height="1" viewBox="0 0 2 1"><g id="clip0" role="x"></g></svg>', "a", "A & B")
    '<svg role="img" aria-label="A &amp; B" width="2" height="1" viewBox="0 0 2 1"><g id="a-0"></g></svg>'
    """
    opening = _OPENING.search(svg)
    if opening is None:
        return svg
    outer = " ".join(f'{key}="{value}"' for key, value in _OUTER.findall(opening.group()))
    body = _INNER_ROLE.sub("", svg[opening.end() :])
    numbers: dict[str, int] = {}

    def rename(match: re.Match[str]) -> str:
        # The renderer numbers identifiers through its whole life; counting anew keeps the bytes the same.
        number = numbers.setdefault(match.group(2), len(numbers))
        return f"{match.group(1)}{name}-{number}"

    body = _IDENTIFIER.sub(rename, body)
    return f'<svg role="img" aria-label="{escape(description)}" {outer}>{body}'


def warm_renderer() -> None:
    """Start the renderer beside other work: its first picture takes half a second, whatever it shows."""
    global _process
    if has_renderer() and (_process is None or not _process.is_alive()):
        _process = DrawingProcess()


def start_svg(spec: Mapping[str, Any]) -> "Future[str | None]":
    """Begin to draw; where no process draws (`warm_renderer`), nothing will have been drawn."""
    if _process is not None and _process.is_alive():
        return _process.draw(spec)
    nothing: Future[str | None] = Future()
    nothing.set_result(None)
    return nothing


def render_svg(
    spec: Mapping[str, Any], *, name: str, description: str, started: "Future[str | None] | None" = None
) -> str:
    """Draw a specification as inline SVG.

    Parameters
    ----------
    spec : mapping
        Vega-Lite.
    name : str
        Prefix of the identifiers inside, unique in the page.
    description : str
        What the picture shows, for those who do not see it.
    started : Future, optional
        The same specification on its way (`start_svg`); drawn here if nothing comes of it.

    Returns
    -------
    svg : str
        Empty where the renderer is there but cannot be imported.
    """
    svg = _wait_for(started or start_svg(spec))
    if svg is None:
        try:
            import vl_convert
        except ImportError:
            return ""
        svg = str(vl_convert.vegalite_to_svg(dict(spec)))
    return adapt_svg(svg, name, description)


def _wait_for(started: "Future[str | None]") -> str | None:
    """Return a picture on its way, or None; a process that is silent for too long is ended."""
    try:
        return started.result(timeout=PATIENCE)
    except (TimeoutError, CancelledError):
        if _process is not None:
            _process.close()
        return None


def render_file(spec: Mapping[str, Any], kind: str) -> bytes:
    """Draw a specification as a file of its own, without a browser.

    Parameters
    ----------
    spec : mapping
        Vega-Lite.
    kind : "svg" or "pdf"
    """
    import vl_convert

    if kind == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(dict(spec)))
    return str(vl_convert.vegalite_to_svg(dict(spec))).encode()
