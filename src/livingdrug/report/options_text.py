"""Options as a few lines of text for a terminal."""

import textwrap
from collections.abc import Mapping
from typing import Any

from livingdrug.report.wording import DISEASES, PRODUCTS
from livingdrug.study.option_list import OptionList

WIDTH = 88
BANDS: Mapping[str, str] = {
    "supported": "Supported: eligible, and two independent studies read",
    "plausible": "Plausible: eligible as far as the record tells; evidence thin or indirect",
    "needs_data": "Needs data: not judged until a question is answered",
    "excluded": "Excluded",
}
MOST_QUESTIONS = 8


def format_options(found: OptionList) -> str:
    """Write the options by band, what to ask next, and what is always offered."""
    disease, product = DISEASES.get(found.disease, found.disease), PRODUCTS.get(found.product, found.product)
    lines = [f"{found.subject_id}: options after {product} for {disease}", ""]
    lines += _wrap(describe_failure(found))
    always = [one for one in found.options if one["panel"] == "always"]
    lines += ["", "  Always, beside every choice"]
    lines += _wrap("; ".join(str(one["title"]) for one in always) + ".", indent=4)
    for band, title in BANDS.items():
        own = [one for one in found.options if one["band"] == band and one["panel"] != "always"]
        if own:
            lines += ["", f"  {title}", *(line for one in own for line in _list_option(one))]
    if found.questions:
        lines += ["", "  What to ask next"]
        for question in found.questions[:MOST_QUESTIONS]:
            count = len(question["options"])
            lines += _wrap(f"{question['ask']} ({count} option{'s' if count > 1 else ''})", indent=4)
    lines += ["", *(line for note in reversed(found.notes) for line in _wrap(note))]
    return "\n".join(lines)


def describe_failure(found: OptionList) -> str:
    """Say in one sentence what failed, when and why."""
    said = found.failure
    if said.get("failed") is None:
        return "The record does not tell whether the therapy failed."
    if not said["failed"]:
        return "By the criteria of the disease the therapy has not failed."
    day = "" if said.get("day") is None else f" on day {said['day']:g}"
    kind = str(said.get("class") or "failure").replace("_", " ")
    why = said.get("mechanism")
    reason = f"; reason: {str(why).replace('_', ' ')}" if why else "; the reason is not known"
    return f"{kind[0].upper()}{kind[1:]}{day}{reason}."


def _list_option(one: Mapping[str, Any]) -> list[str]:
    rank = "" if one["rank"] is None else f"{one['rank']}{'=' if one['tied'] else ''}"
    lines = _wrap(f"{rank:<4}{one['title']}", indent=4, rest=8)
    if one["band"] in ("excluded", "needs_data"):
        return [*lines, *_wrap(str(one["why"]), indent=8)]
    fit = {"favours": "favoured by the reason of the failure", "against": "the reason of the failure speaks against it"}
    parts = [fit[one["mechanism_fit"]]] if one["mechanism_fit"] in fit else []
    ids = [item["id"] for item in one["evidence"]]
    if one["kind"] != "trial":
        parts.append(f"evidence {', '.join(ids)}" if ids else "no evidence after a CAR T-cell product")
    lines += _wrap("; ".join(parts), indent=8) if parts else []
    simulated = one["simulated"]
    if simulated is not None:
        lines += _wrap(describe_simulation(simulated), indent=8)
    return lines


def describe_simulation(simulated: Mapping[str, Any]) -> str:
    """Say what is expected, with its interval, its name and whether it was fitted."""
    low, high = simulated["intervals"]["response"]
    first, last = simulated["difference"]["response_interval"]
    text = (
        f"simulated response {100 * simulated['response']:.0f} % ({100 * low:.0f} to {100 * high:.0f} %), "
        f"{describe_time(simulated)} without progression; against no further therapy "
        f"{100 * simulated['difference']['response']:+.0f} points ({100 * first:+.0f} to {100 * last:+.0f})"
    )
    if simulated["crs_grade3"] is not None:
        text += f"; cytokine release of grade 3 or more {100 * simulated['crs_grade3']:.0f} %"
    compared = ", ".join(simulated["compared_with"])
    strength = {"fitted": f"fitted to {compared}", "bounded": f"held against {compared}"}
    return f"{text} [{simulated['id']}, {strength.get(simulated['strength'], 'assumed: no row to hold it against')}]"


def describe_time(simulated: Mapping[str, Any]) -> str:
    """Say the median time without progression; what lies beyond the horizon is not known."""
    months = simulated["pfs_months"]
    return f"{months:.0f} months or more" if months >= simulated["horizon_months"] else f"{months:.1f} months"


def _wrap(text: str, *, indent: int = 2, rest: int | None = None) -> list[str]:
    later = " " * (indent if rest is None else rest)
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=later)
