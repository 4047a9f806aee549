"""Figures of a cohort, one row or bar a subject: swimmer and waterfall."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.survival_figure import choose_ticks
from livingdrug.report.wording import describe_variable, spell

WIDTH = 560
MOST_LANES = 60
"""Subjects that a swimmer draws; more are too thin to read, and stand in the table."""
MOST_BARS = 160
PHASES = {"to_response": "before response", "response": "in response", "after": "after failure"}
PHASE_COLOURS = {"to_response": palette.OLIVE, "response": palette.BLUE, "after": palette.ORANGE}
MARKS: Mapping[str, tuple[str, str]] = {
    "response_day": ("first confirmed response", "triangle-up"),
    "failure_day": ("failure", "cross"),
    "second_infusion_day": ("second infusion", "diamond"),
    "next_therapy_day": ("next therapy", "square"),
    "death_day": ("death", "circle"),
    "ongoing_day": ("followed, alive", "triangle-right"),
}
LETTERS = {
    "primary_resistance": "P",
    "incomplete_response": "I",
    "early_relapse": "E",
    "late_relapse": "L",
    "none": "",
    "unknown": "?",
}
RESPONSE_COLOURS = {
    **dict.fromkeys(("sCR", "CR", "CRi"), palette.BLUE),
    **{"VGPR": palette.NAVY, "PR": palette.OLIVE, "MR": palette.VIOLET, "SD": palette.BROWN, "PD": palette.ORANGE},
}
"""Best first; what is not known is drawn in ink."""
LINES = (-50.0, 25.0)
"""Percent: a fall by half, and a rise that most criteria call progression."""


def _list_phases(row: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Split the follow-up of a subject at response and failure."""
    end = row["death_day"] if row["death_day"] is not None else row["last_day"]
    failed = min(row["failure_day"], end) if row["failure_day"] is not None else end
    responded = row["response_day"]
    cuts = []
    if responded is not None and responded < failed:
        cuts += [("to_response", 0.0, responded), ("response", responded, failed)]
    else:
        cuts.append(("to_response", 0.0, failed))
    cuts.append(("after", failed, end))
    return [(phase, first, last) for phase, first, last in cuts if last > first]


def _list_marks(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    end = row["last_day"] if row["death_day"] is None else None
    days = {**row, "ongoing_day": end}
    return [(words, float(days[name])) for name, (words, _) in MARKS.items() if days.get(name) is not None]


def draw_swimmer(subjects: pl.DataFrame) -> Figure | None:
    """Draw a lane for each subject: follow-up by phase, with what happened on it.

    Parameters
    ----------
    subjects : table
        ``subject_id, failure, response_day, failure_day, second_infusion_day, next_therapy_day, death_day, last_day``.

    Returns
    -------
    figure : Figure or None
        None where nobody was followed after the infusion.
    """
    followed = subjects.filter(pl.col("last_day") > 0).sort("last_day", descending=True, maintain_order=True)
    if followed.is_empty():
        return None
    lanes, marks = [], []
    for row in followed.head(MOST_LANES).iter_rows(named=True):
        lanes += [(row["subject_id"], phase, first, last) for phase, first, last in _list_phases(row)]
        marks += [(row["subject_id"], words, day) for words, day in _list_marks(row)]
    order = followed["subject_id"].to_list()[:MOST_LANES]
    last_day = max(lane[3] for lane in lanes)
    names = ["subject_id", *[name for name in MARKS if name in followed.columns], "last_day", "failure"]
    caption = f"{min(len(followed), MOST_LANES)} of {len(subjects)} subjects, longest follow-up first. "
    caption += _count_words(followed)
    spec = {
        "width": WIDTH,
        "height": {"step": 14 if len(order) <= 30 else 11},
        "layer": [_layer_lanes(lanes, order, last_day), _layer_events(marks, order, last_day)],
        "resolve": {"legend": {"color": "independent", "shape": "independent"}, "scale": {"color": "independent"}},
    }
    return Figure("swimmer", "Course of each subject", caption, configure(spec), followed.select(names))


def _count_words(followed: pl.DataFrame) -> str:
    failed = followed["failure_day"].is_not_null().sum()
    dead = followed["death_day"].is_not_null().sum()
    return f"{failed} failed, {dead} died, {len(followed) - dead} were alive when last seen."


def _axes(order: list[str], last_day: float) -> tuple[dict[str, Any], dict[str, Any]]:
    label = {"labelLimit": 140, "labelFontSize": 11 if len(order) <= 30 else 9, "ticks": False, "domain": False}
    y = {"field": "subject", "type": "nominal", "sort": order, "title": None, "axis": label}
    scale = {"domain": [0, last_day * 1.03], "nice": False}
    x = {"type": "quantitative", "title": "Days after infusion", "scale": scale}
    return {**x, "axis": {"values": choose_ticks(last_day)}}, y


def _layer_lanes(lanes: list[tuple[str, str, float, float]], order: list[str], last_day: float) -> dict[str, Any]:
    x, y = _axes(order, last_day)
    values = [{"subject": who, "phase": PHASES[what], "first": first, "last": last} for who, what, first, last in lanes]
    shown = [phase for phase in PHASES if any(lane[1] == phase for lane in lanes)]
    scale = {"domain": [PHASES[p] for p in shown], "range": [PHASE_COLOURS[p] for p in shown]}
    colour = {"field": "phase", "type": "nominal", "scale": scale, "legend": {"symbolType": "square", "columns": 3}}
    return {
        "data": {"values": values},
        "mark": {"type": "bar", "fillOpacity": 0.5, "height": {"band": 0.72}},
        "encoding": {"x": {"field": "first", **x}, "x2": {"field": "last"}, "y": y, "color": colour},
    }


def _layer_events(marks: list[tuple[str, str, float]], order: list[str], last_day: float) -> dict[str, Any]:
    x, y = _axes(order, last_day)
    shown = [(words, shape) for words, shape in MARKS.values() if any(mark[1] == words for mark in marks)]
    scale = {"domain": [words for words, _ in shown], "range": [shape for _, shape in shown]}
    shape = {"field": "what", "type": "nominal", "scale": scale, "legend": {"columns": 3, "orient": "bottom"}}
    return {
        "data": {"values": [{"subject": who, "what": what, "day": day} for who, what, day in marks]},
        "mark": {
            "type": "point",
            "size": 42,
            "stroke": palette.INK,
            "fill": palette.PAPER,
            "strokeWidth": 1.3,
            "opacity": 1,
        },
        "encoding": {"x": {"field": "day", **x}, "y": y, "shape": shape},
    }


def draw_waterfall(subjects: pl.DataFrame) -> Figure | None:
    """Draw the best change of each subject's tumour marker, with its response and a letter for the failure.

    Parameters
    ----------
    subjects : table
        ``subject_id, best_response, failure, marker, best_change, is_below_limit``.

    Returns
    -------
    figure : Figure or None
        None where no subject was measured before and after.
    """
    known = subjects.drop_nulls("best_change").sort("best_change", "subject_id", descending=[True, False])
    if known.is_empty():
        return None
    drawn = known if len(known) <= MOST_BARS else known.gather_every(-(-len(known) // MOST_BARS))
    values = [
        {
            "subject": row["subject_id"],
            "change": min(row["best_change"], 100.0),
            "response": row["best_response"],
            "letter": LETTERS.get(row["failure"], "?"),
        }
        for row in drawn.iter_rows(named=True)
    ]
    table = known.select("subject_id", "marker", "best_change", "is_below_limit", "best_response", "failure")
    title = "Best change of the tumour"
    return Figure("waterfall", title, _describe_waterfall(subjects, known, drawn), configure(_waterfall(values)), table)


def _describe_waterfall(subjects: pl.DataFrame, known: pl.DataFrame, drawn: pl.DataFrame) -> str:
    markers = ", ".join(describe_variable(name).label for name in known["marker"].unique(maintain_order=True))
    half = (known["best_change"] <= LINES[0]).sum()
    missing = len(subjects) - len(known)
    letters = [
        f"{LETTERS[name]} {spell(name).lower()}"
        for name in LETTERS
        if (known["failure"] == name).any() and name != "none"
    ]
    parts = [
        f"{markers} against the last value before infusion, until progression or new therapy.",
        f"In {half} of {len(known)} subjects it fell by half or more.",
        f"Letters: {', '.join(letters)}." if letters else "",
        f"{(known['is_below_limit']).sum()} fell below the limit of quantification: at least that much.",
        f"{missing} without a value before and after are not drawn." if missing else "",
        f"Every {-(-len(known) // MOST_BARS)}th subject is drawn." if len(drawn) < len(known) else "",
        "Rises beyond 100 % are cut." if (known["best_change"] > 100).any() else "",
    ]
    return " ".join(part for part in parts if part)


def _waterfall(values: list[dict[str, Any]]) -> dict[str, Any]:
    order = [row["subject"] for row in values]
    found = {row["response"] for row in values}
    responses = [name for name in RESPONSE_COLOURS if name in found] + sorted(found - set(RESPONSE_COLOURS))
    colours = [RESPONSE_COLOURS.get(name, palette.INK) for name in responses]
    x = {
        "field": "subject",
        "type": "nominal",
        "sort": order,
        "title": "Subjects",
        "axis": {"labels": False, "ticks": False},
    }
    axis = {
        "labelExpr": "(datum.value == 0 ? '0' : format(datum.value, '+d')) + ' %'",
        "values": [-100, -75, -50, -25, 0, 25, 50, 75, 100],
    }
    y = {"type": "quantitative", "scale": {"domain": [-108, 108], "nice": False}, "title": "Best change", "axis": axis}
    legend = {"symbolType": "square", "columns": 8}
    colour = {
        "field": "response",
        "type": "nominal",
        "scale": {"domain": responses, "range": colours},
        "legend": legend,
    }
    letter = {"type": "text", "fontSize": 10, "fontWeight": "bold"}
    beyond = {"field": "change", **y}
    rule = {"type": "rule", "strokeDash": list(palette.DASH_THRESHOLD), "color": palette.MUTED}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "bar", "fillOpacity": 0.7},
            "encoding": {"x": x, "y": beyond, "color": colour, "stroke": {**colour, "legend": None}},
        },
        {
            "data": {"values": [{"level": level} for level in LINES]},
            "mark": rule,
            "encoding": {"y": {"field": "level", **y}},
        },
    ]
    if len(values) <= 60:
        for test, shift in (("datum.change >= 0", -7), ("datum.change < 0", 8)):
            mark = {**letter, "dy": shift}
            encoding = {"x": x, "y": beyond, "text": {"field": "letter"}}
            layers.append({"transform": [{"filter": test}], "mark": mark, "encoding": encoding})
    return {"width": WIDTH, "height": 280, "data": {"values": values}, "layer": layers}
