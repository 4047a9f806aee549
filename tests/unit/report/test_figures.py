from dataclasses import replace

import polars as pl
import pytest

from livingdrug.report.figures import draw_attribution, draw_course
from livingdrug.report.rendering import render_svg


def draw(explanation, panel, **changes):
    fields = {"title": "Course", "marks": {"failure": 150.0}, **changes}
    return draw_course(explanation.observations, explanation.bands, panel, **fields)


def walk(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def values_of(figure):
    return [row for node in walk(figure.spec) if isinstance(node, dict) for row in node.get("values", [])]


def test_a_value_below_its_limit_stands_at_the_limit_with_its_own_shape(explanation):
    points = [v for v in values_of(draw(explanation, "car_t")) if isinstance(v, dict) and v.get("day") == 120.0]
    assert {"day": 120.0, "value": 50.0, "what": "below the limit of quantification"} in points


def test_the_limit_of_quantification_is_drawn_and_named(explanation):
    levels = [v for v in values_of(draw(explanation, "car_t")) if isinstance(v, dict) and "level" in v]
    assert levels == 2 * [{"level": 50.0, "label": "limit of quantification 50"}]  # a line and its name


def test_response_thresholds_are_drawn_on_their_own_variable_only(explanation):
    thresholds = pl.DataFrame({"variable": ["m_protein"], "value": [1.5], "label": ["partial response"]})
    tumour = values_of(draw(explanation, "tumour", thresholds=thresholds))
    cells = values_of(draw(explanation, "car_t", thresholds=thresholds))
    assert {"level": 1.5, "label": "partial response"} in tumour
    assert all(not isinstance(v, dict) or v.get("label") != "partial response" for v in cells)


def test_the_table_behind_a_figure_holds_every_measurement_and_the_band(explanation):
    table = draw(explanation, "tumour").table
    assert table["measured"].drop_nulls().to_list() == [3.1, 0.6, 0.2, 0.2, 0.4, 0.9, 1.6]
    assert table["median"].drop_nulls().len() == 241


def test_the_caption_says_in_words_what_the_course_shows(explanation):
    assert draw(explanation, "tumour").caption == (
        "Serum M-protein, electrophoresis (g/dL): "
        "first 3.1 on day -3, lowest 0.2 on day 56, highest 3.1 on day -3, last 1.6 on day 180."
    )


def test_a_panel_without_any_data_is_no_figure(explanation):
    assert draw(explanation, "other") is None


def test_a_variable_with_a_fit_but_no_measurement_is_drawn_and_said(explanation):
    explanation = replace(explanation, observations=explanation.observations.filter(pl.col("variable") != "m_protein"))
    assert "Serum M-protein, electrophoresis was not measured" in draw(explanation, "tumour").caption


def test_a_record_without_any_fit_still_shows_its_measurements(explanation):
    explanation = replace(explanation, bands=explanation.bands.clear())
    assert draw(explanation, "tumour").table["measured"].len() == 7


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_logarithmic_axis_survives_values_that_have_no_logarithm(explanation, value):
    explanation = replace(explanation, observations=explanation.observations.with_columns(pl.lit(value).alias("value")))
    figure = draw(explanation, "car_t")
    assert render_svg(figure.spec, name="a", description="b").startswith("<svg")


def test_mechanisms_are_drawn_most_probable_first_with_their_interval(explanation):
    rows = [v for v in values_of(draw_attribution(explanation.mechanisms[::-1])) if isinstance(v, dict)]
    assert [row["label"] for row in rows] == ["Lost persistence", "Antigen-low escape", "Suppression"]
    assert rows[0]["written"] == "58 % (41 % to 73 %)"


def test_no_mechanism_is_no_figure():
    assert draw_attribution([]) is None


def test_labels_of_a_record_are_escaped_in_the_drawing(explanation):
    explanation.mechanisms[0]["name"] = "<script>alert(1)</script>"
    figure = draw_attribution(explanation.mechanisms)
    svg = render_svg(figure.spec, name="a", description=figure.caption)
    assert "<script" not in svg
    assert "&lt;script" in svg
