"""Options as a section of HTML that a report may hold, and as a page of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

from livingdrug.report.options_text import BANDS, describe_failure, describe_simulation
from livingdrug.report.page import render_page
from livingdrug.study.option_list import OptionList

if TYPE_CHECKING:
    from markupsafe import Markup

SECTION = "options_section.html.jinja"


def render_options_section(found: OptionList, *, level: int = 2) -> str:
    """Render the options of one subject as a section of HTML, without a page around it.

    Parameters
    ----------
    level : int
        Of the section's heading.
    """
    return render_page(SECTION, **_collect(found), level=level)


def mark_options_section(found: OptionList) -> "Markup":
    """Render the section for a template that holds it, where it is not escaped again."""
    from markupsafe import Markup

    return Markup(render_options_section(found))


def write_options_page(found: OptionList, path: Path) -> Path:
    """Write the options of one subject as one self-contained HTML file."""
    page = render_page(
        "options.html.jinja",
        title=f"Options: {found.subject_id}",
        headline="What next: options after failure",
        version=str(found.provenance.get("version", "")),
        section=mark_options_section(found),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _collect(found: OptionList) -> dict[str, object]:
    always = [one for one in found.options if one["panel"] == "always"]
    rest = [one for one in found.options if one["panel"] != "always"]
    groups = [(title, [one for one in rest if one["band"] == band]) for band, title in BANDS.items()]
    return {
        "found": found,
        "failure": describe_failure(found),
        "always": always,
        "groups": [(title, own) for title, own in groups if own],
        "describe_simulation": describe_simulation,
    }
