"""Draw the picture of the README from a packaged example: ``python docs/figures/draw_readme_picture.py NAME``."""

import sys
from pathlib import Path

import vl_convert

from livingdrug import explain_failure, load_example
from livingdrug.report.figures import draw_attribution, draw_course

TOP_LEVEL = {"$schema", "background", "config"}


def main(name: str) -> None:
    """Put the first panel of each course and the attribution into one picture."""
    explanation = explain_failure(load_example(name), seed=1)
    marks = {} if explanation.failure_day is None else {"failure": float(explanation.failure_day)}
    tables = explanation.observations, explanation.bands
    lines = explanation.thresholds
    cells, tumour = (draw_course(*tables, p, title="", marks=marks, thresholds=lines) for p in ("car_t", "tumour"))
    why = draw_attribution(explanation.mechanisms)
    panels = [figure.spec["vconcat"][0] for figure in (cells, tumour) if figure is not None]
    if why is not None:
        panels.append({key: value for key, value in why.spec.items() if key not in TOP_LEVEL})
    shared = {key: value for key, value in next(f for f in (cells, tumour, why) if f).spec.items() if key in TOP_LEVEL}
    resolve = {"scale": {"color": "independent"}}
    svg = vl_convert.vegalite_to_svg({**shared, "vconcat": panels, "spacing": 24, "padding": 16, "resolve": resolve})
    (Path(__file__).parent / "readme.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
