"""Write criteria.md, the page of all criteria, from the package itself.

Run it as ``python docs/reference/write_criteria_page.py``.
"""

from pathlib import Path

from livingdrug.core.variables import VARIABLES
from livingdrug.study.describe_criteria import describe_criteria

PAGE = Path(__file__).with_name("criteria.md")
HEAD = """# Criteria: what each looks at and what each leaves open

Written by `docs/reference/write_criteria_page.py`; `livingdrug criteria` prints the same. How the rules are asked, and
what an assessment holds, stands in the [guide](../guides/assess-a-record.md). A number that is *assumed* was not
confirmed in a publication.
"""


def describe_variable(name: str) -> str:
    """Return a variable's name with its unit or its words."""
    variable = VARIABLES[name]
    of = ":NAME" if variable.has_detail else ""
    return f"`{name}{of}` ({variable.unit or ' / '.join(variable.words)})"


def say(default: object) -> str:
    """Return a default as it is written on the command line."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default)


def build_page() -> str:
    """Return the page."""
    parts = [HEAD]
    for one in describe_criteria():
        parts.append(f"## {one['name']}\n\n{one['title']}. {one['thresholds']} thresholds, {one['assumed']} assumed.\n")
        parts.append(f"Source: {one['source']}\n")
        if one["variables"]:
            parts.append("Looks at: " + ", ".join(describe_variable(name) for name in one["variables"]) + ".\n")
        if one["options"]:
            rows = [
                f"| `{o['name']}` | {say(o['default'])} | {', '.join(o['choices']) or 'a number or yes/no'} "
                f"| {o['meaning']} |"
                for o in one["options"]
            ]
            head = ["| option | default | choices | what it decides |", "|---|---|---|---|"]
            parts.append("\n".join([*head, *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
