"""A Vega-Lite specification to one piece of SVG that can stand inside a page.

vl-convert is an optional package; it is imported when the first figure is rendered.
"""

import importlib.util
import re
from collections.abc import Mapping
from html import escape
from threading import Thread
from typing import Any

_OPENING = re.compile(r"<svg\b[^>]*>")
_OUTER = re.compile(r'\b(viewBox|width|height)="([^"]*)"')
_IDENTIFIER = re.compile(r'(\bid="|url\(#|href="#)([\w.-]+)')
_INNER_ROLE = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')


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


def warm_renderer() -> Thread:
    """Start the renderer beside other work: its first picture takes half a second, whatever it shows."""
    thread = Thread(target=_render_nothing, daemon=True)
    thread.start()
    return thread


def _render_nothing() -> None:
    if has_renderer():
        import vl_convert

        vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"})


def render_svg(spec: Mapping[str, Any], *, name: str, description: str) -> str:
    """Draw a specification as inline SVG.

    Parameters
    ----------
    spec : mapping
        Vega-Lite.
    name : str
        Prefix of the identifiers inside, unique in the page.
    description : str
        What the picture shows, for those who do not see it.
    """
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(dict(spec))
    return adapt_svg(svg, name, description)


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
