"""An explanation as a few lines of text for a terminal.

Examples
--------
>>> print(draw_bar(0.5, width=8) + "|")
####    |
"""

import textwrap

from livingdrug.report.document import write_title
from livingdrug.report.wording import NOTHING, describe_reason, format_interval
from livingdrug.study.explanation import Explanation

WIDTH = 88
MAX_MECHANISMS = 5
LEAST = 0.01
"""A mechanism less probable than this is not listed, unless it is the first."""


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
    ranked = ranked[:1] + [item for item in ranked[1:] if item["probability"] >= LEAST]
    labels = [describe_reason(item["name"]) for item in ranked]
    space = max(len(label) for label in labels)
    lines = ["", "  Why, most probable first"]
    for label, item in zip(labels, ranked, strict=True):
        chance, _, interval = format_interval(item["probability"], item["lower"], item["upper"]).partition(" (")
        row = f"    {label:<{space}}  {draw_bar(item['probability'])}  {chance:>5}"
        lines.append(f"{row}  ({interval}" if interval else row)
    return lines


def format_explanation(explanation: Explanation) -> str:
    """Write the explanation's sentences and the reasons with their intervals, in plain text.

    Returns
    -------
    text : str
        Lines of at most 88 characters, without a newline at the end.
    """
    lines = [write_title(explanation), ""]
    for sentence in explanation.sentences:
        lines += _wrap(sentence)
    is_said = any("did not converge" in sentence for sentence in explanation.sentences)
    if not explanation.fit.get("converged", True) and not is_said:
        lines += _wrap("The fit did not converge: read this as a hint, not as a result.")
    lines += _list_mechanisms(explanation)
    lines += ["", "  Research software; not a medical device."]
    return "\n".join(lines).replace(NOTHING, "-")
