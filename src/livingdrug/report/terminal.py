"""An explanation as a few lines of text for a terminal.

Examples
--------
>>> print(draw_bar(0.5, width=8) + "|")
####    |
"""

import textwrap

from livingdrug.report.document import write_title
from livingdrug.report.wording import NOTHING, format_percent, spell
from livingdrug.study.explanation import Explanation

WIDTH = 88
MAX_MECHANISMS = 5
MAX_EVIDENCE = 4


def draw_bar(probability: float, *, width: int = 20) -> str:
    """Draw a probability as a bar of fixed width; characters that every terminal has."""
    filled = min(width, max(0, round(probability * width)))
    return "#" * filled + " " * (width - filled)


def _wrap(text: str, *, first: str = "  ", rest: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest)


def _list_mechanisms(explanation: Explanation) -> list[str]:
    ranked = sorted(explanation.mechanisms, key=lambda item: -item["probability"])[:MAX_MECHANISMS]
    if not ranked:
        return []
    labels = [spell(item["name"]) for item in ranked]
    space = max(len(label) for label in labels)
    lines = ["", "  Why, most probable first"]
    for label, item in zip(labels, ranked, strict=True):
        interval = f"{format_percent(item['lower'])} to {format_percent(item['upper'])}"
        chance = format_percent(item["probability"])
        lines.append(f"    {label:<{space}}  {draw_bar(item['probability'])}  {chance:>5}  ({interval})")
    return lines


def _list_evidence(explanation: Explanation) -> list[str]:
    if not explanation.evidence:
        return []
    lines = ["", "  What was seen"]
    for item in explanation.evidence[:MAX_EVIDENCE]:
        direction = str(item.get("direction") or "").replace("_", " ")
        tag = f" [{direction}]" if direction else ""
        lines += _wrap(f"{item['statement']}{tag}", first="    - ", rest="      ")
    return lines


def format_explanation(explanation: Explanation) -> str:
    """Write the verdict, the reasons with their intervals and what was seen, in plain text.

    Returns
    -------
    text : str
        Lines of at most 88 characters, without a newline at the end.
    """
    lines = [write_title(explanation), ""]
    for sentence in explanation.sentences:
        lines += _wrap(sentence)
    if not explanation.fit.get("converged", True):
        lines += _wrap("The fit did not converge: read this as a hint, not as a result.")
    lines += _list_mechanisms(explanation)
    lines += _list_evidence(explanation)
    count = len(explanation.provenance.get("assumed") or [])
    lines += ["", *_wrap(f"{count} values of the model are assumed, not measured; the report lists them.")]
    lines += _wrap("Research software; not a medical device.")
    return "\n".join(lines).replace(NOTHING, "-")
