"""How subjects flow from best response through the class of failure to its mechanism: an alluvial drawing.

Vega-Lite has no such mark; the bands are computed here and drawn as areas.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.wording import spell

STAGES = ("best_response", "failure", "mechanism")
TITLES = {
    "best_response": "Best response",
    "failure": "How it failed",
    "mechanism": "Antigen and CAR T cells at failure",
}
ORDERS: Mapping[str, tuple[str, ...]] = {
    "best_response": ("sCR", "CR", "CRi", "VGPR", "PR", "MR", "SD", "PD", "NE", "unknown"),
    "failure": ("none", "late_relapse", "early_relapse", "incomplete_response", "primary_resistance", "unknown"),
}
PHENOTYPES = {
    "car_present_antigen_positive": "CAR T cells and target present",
    "car_loss": "CAR T cells lost",
    "antigen_negative": "target lost",
    "lineage_switch": "another lineage",
    "antigen_low": "target low",
    "unknown": "not known",
}
"""What was measured at failure."""
NONE = "none"
GAP = 0.025
"""Between two nodes, as a share of the height."""
BEND = 16
"""Points along one edge of a band."""
NODE = 0.06
"""Width of a node; stages stand 1 apart."""
WIDTH, HEIGHT = 560, 340
FILL = 0.35


def count_flow(subjects: pl.DataFrame) -> pl.DataFrame:
    """Count subjects by best response, class of failure and mechanism; what is not known is a group of its own.

    Parameters
    ----------
    subjects : table
        ``best_response, failure, mechanism``.

    Examples
    --------
    >>> one = pl.DataFrame({"best_response": ["CR", "CR"], "failure": ["none", None], "mechanism": [None, None]})
    >>> count_flow(one).sort("failure").rows()
    [('CR', 'none', 'none', 1), ('CR', 'unknown', 'unknown', 1)]
    """
    plain = subjects.select(pl.col(STAGES).cast(pl.String)).with_columns(
        pl.col("best_response", "failure").fill_null("unknown")
    )
    missing = pl.when(pl.col("failure") == NONE).then(pl.lit(NONE)).otherwise(pl.lit("unknown"))
    plain = plain.with_columns(mechanism=pl.col("mechanism").fill_null(missing))
    return plain.group_by(STAGES, maintain_order=True).len("subjects").with_columns(pl.col("subjects").cast(pl.Int64))


def draw_failure_flow(counts: pl.DataFrame) -> Figure | None:
    """Draw the flow from response to failure to mechanism.

    Parameters
    ----------
    counts : table
        ``best_response, failure, mechanism, subjects``, as :func:`count_flow` returns it.

    Returns
    -------
    figure : Figure or None
        None where there is nobody.
    """
    total = int(counts["subjects"].sum())
    if not total:
        return None
    nodes = {stage: _place_nodes(counts, stage, total) for stage in STAGES}
    bands = [one for k, pair in enumerate(pairwise(STAGES)) for one in _bend(counts, pair, k, nodes, total)]
    spec = {"width": WIDTH, "height": HEIGHT, "layer": [_layer_bands(bands), *_layer_nodes(nodes, total)]}
    table = counts.sort("subjects", descending=True, maintain_order=True)
    return Figure("failure-flow", "From response to failure", _describe(counts, total), configure(spec), table)


def write_node(stage: str, name: str) -> str:
    """Return the words for a node.

    >>> write_node("failure", "late_relapse"), write_node("mechanism", "car_loss"), write_node("failure", "none")
    ('late relapse', 'CAR T cells lost', 'no failure')
    """
    if name == NONE:
        return "no failure"
    if stage == "mechanism":
        return PHENOTYPES.get(name) or spell(name).lower()
    return "not known" if name == "unknown" else name if stage == "best_response" else spell(name).lower()


def _order(stage: str, found: Sequence[str], counts: pl.DataFrame) -> list[str]:
    if stage in ORDERS:
        known = [name for name in ORDERS[stage] if name in found]
        return known + sorted(set(found) - set(known))
    size = dict(counts.group_by(stage).agg(pl.col("subjects").sum()).iter_rows())
    return sorted(found, key=lambda name: (name != NONE, name == "unknown", -size[name], name))


def _place_nodes(counts: pl.DataFrame, stage: str, total: int) -> dict[str, tuple[float, float]]:
    """Stack the nodes of a stage from the top; each gets its lower and upper end."""
    size = dict(counts.group_by(stage).agg(pl.col("subjects").sum()).iter_rows())
    order = _order(stage, list(size), counts)
    scale = 1.0 - GAP * (len(order) - 1)
    places, top = {}, 1.0
    for name in order:
        height = scale * size[name] / total
        places[name] = (top - height, top)
        top -= height + GAP
    return places


def _bend(
    counts: pl.DataFrame,
    pair: tuple[str, str],
    k: int,
    nodes: Mapping[str, Mapping[str, tuple[float, float]]],
    total: int,
) -> list[dict[str, Any]]:
    """Return the points of each band between two stages, widest nodes' bands stacked in the order of both."""
    left, right = pair
    size = {(a, b): n for a, b, n in counts.group_by(pair).agg(pl.col("subjects").sum()).iter_rows()}
    tops = {stage: {name: ends[1] for name, ends in nodes[stage].items()} for stage in pair}
    scales = {stage: 1.0 - GAP * (len(nodes[stage]) - 1) for stage in pair}
    points = []
    for a in nodes[left]:
        for b in nodes[right]:
            if (a, b) not in size:
                continue
            share = size[a, b] / total
            ends = []
            for stage, name in ((left, a), (right, b)):
                height = share * scales[stage]
                ends.append((tops[stage][name] - height, tops[stage][name]))
                tops[stage][name] -= height
            flow = f"{k} {a} {b}"
            colour = a if k == 0 else b
            for step in range(BEND + 1):
                along = step / BEND
                mix = (1 - math.cos(math.pi * along)) / 2
                low, high = ((1 - mix) * ends[0][j] + mix * ends[1][j] for j in (0, 1))
                x = k + NODE + along * (1 - 2 * NODE)
                points.append({"flow": flow, "of": b if k == 0 else a, "x": x, "low": low, "high": high, "to": colour})
    return points


def _scales() -> tuple[dict[str, Any], dict[str, Any]]:
    x = {"type": "quantitative", "scale": {"domain": [-0.55, 2.95], "nice": False}, "axis": None}
    y = {"type": "quantitative", "scale": {"domain": [-0.02, 1.1], "nice": False}, "axis": None}
    return x, y


def _colour(field: str) -> dict[str, Any]:
    """Give each class of failure its colour on both sides of it."""
    classes = list(ORDERS["failure"])
    colours = [palette.OLIVE, palette.BLUE, palette.VIOLET, palette.BROWN, palette.ORANGE, palette.MUTED]
    return {"field": field, "type": "nominal", "scale": {"domain": classes, "range": colours}, "legend": None}


def _layer_bands(points: list[dict[str, Any]]) -> dict[str, Any]:
    x, y = _scales()
    return {
        "data": {"values": points},
        "mark": {"type": "area", "opacity": FILL},
        "encoding": {
            "x": {"field": "x", **x},
            "y": {"field": "low", **y},
            "y2": {"field": "high"},
            "detail": {"field": "flow"},
            "color": _colour("of"),
        },
    }


def _layer_nodes(nodes: Mapping[str, Mapping[str, tuple[float, float]]], total: int) -> list[dict[str, Any]]:
    x, y = _scales()
    values, titles = [], []
    for k, stage in enumerate(STAGES):
        titles.append({"x": k, "y": 1.06, "text": TITLES[stage]})
        scale = 1.0 - GAP * (len(nodes[stage]) - 1)
        for name, (low, high) in nodes[stage].items():
            count = round((high - low) / scale * total)
            text = f"{write_node(stage, name)} {count}"
            node = {"x": k - NODE, "x2": k + NODE, "low": low, "high": high, "middle": (low + high) / 2, "text": text}
            values.append({**node, "side": k - 0.09 if k == 0 else k + 0.09, "stage": k})
    place = {"x": {"field": "side", **x}, "y": {"field": "middle", **y}, "text": {"field": "text"}}
    box = {"x": {"field": "x", **x}, "x2": {"field": "x2"}, "y": {"field": "low", **y}, "y2": {"field": "high"}}
    head = {"x": {"field": "x", **x}, "y": {"field": "y", **y}, "text": {"field": "text"}}
    halo = {"stroke": palette.PAPER, "strokeWidth": 3, "strokeJoin": "round"}
    label = {"type": "text", "fontSize": 11.5}
    layers: list[dict[str, Any]] = [
        {"data": {"values": values}, "mark": {"type": "rect", "color": palette.INK}, "encoding": box}
    ]
    for test, align in (("datum.stage == 0", "right"), ("datum.stage > 0", "left")):
        for extra in (halo, {}):
            mark = {**label, "align": align, "baseline": "middle", **extra}
            layers.append(
                {"data": {"values": values}, "transform": [{"filter": test}], "mark": mark, "encoding": place}
            )
    layers.append({"data": {"values": titles}, "mark": {**label, "fontWeight": "bold"}, "encoding": head})
    return layers


def _describe(counts: pl.DataFrame, total: int) -> str:
    failed = counts.filter(~pl.col("failure").is_in([NONE, "unknown"]))
    count = int(failed["subjects"].sum())
    said = [f"{count} of {total} subjects failed"]
    for stage in ("failure", "mechanism"):
        size = failed.group_by(stage).agg(pl.col("subjects").sum()).sort("subjects", stage, descending=[True, False])
        said.append(", ".join(f"{write_node(stage, name)} {n}" for name, n in size.iter_rows()))
    return f"{said[0]}: {said[1]}. At failure: {said[2]}." if count else f"{said[0]}."
