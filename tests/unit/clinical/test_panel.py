"""Many subjects' rows to arrays: the same reading as for one subject's visits."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.panel import UNREAD, WORDS
from livingdrug.clinical.panel_reading import read_panel
from livingdrug.clinical.visits import build_visits

NAMES = ("m_protein", "flc_kappa", "serum_immunofixation", "marrow_plasma_cells")
UNITS = ("g/dL", "g/L", "mg/L", "%", None)
SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "unit": pl.String,
    "assay": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
}
number = st.tuples(
    st.sampled_from((-7.0, 0.0, 1.0, 3.0, 28.0)),
    st.sampled_from(("m_protein", "flc_kappa", "marrow_plasma_cells")),
    st.none() | st.integers(0, 9).map(float),
    st.none(),
    st.sampled_from(UNITS),
    st.sampled_from((None, "flow", "mass spec")),
    st.sampled_from((None, 0.5)),
    st.sampled_from(("none", "left", "interval")),
)
word = st.tuples(
    st.sampled_from((-7.0, 0.0, 1.0, 3.0, 28.0)),
    st.just("serum_immunofixation"),
    st.none(),
    st.sampled_from(("positive", "negative", "indeterminate", "perhaps")),
    st.none(),
    st.sampled_from((None, "shift assay", "IgG")),
    st.none(),
    st.just("none"),
)


def say(measured):
    return (measured.value, measured.word, measured.day, measured.limit)


def list_panel(panel):
    found = []
    for visit, day in enumerate(panel.day[:, 0]):
        if np.isnan(day):
            continue
        measured = {}
        for name in NAMES:
            column = panel.get(name)
            if column.is_measured[visit, 0]:
                value, code, limit = (array[visit, 0] for array in (column.value, column.code, column.limit))
                measured[name] = (
                    None if np.isnan(value) else value,
                    None if code < 0 else WORDS[code] if code != UNREAD else "perhaps",
                    column.day[visit, 0],
                    None if np.isnan(limit) else limit,
                )
        found.append((day, measured))
    return found


@settings(max_examples=100, deadline=None)
@given(st.lists(number | word, max_size=14), st.sampled_from((0.0, 2.0)))
def test_a_panel_of_one_subject_holds_what_its_visits_hold(rows, window):
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    visits = build_visits(table, NAMES, window_days=window)
    expected = [(v.day, {name: say(m) for name, m in v.measured.items()}) for v in visits]
    assert list_panel(read_panel(table, NAMES, window_days=window)) == expected


def test_rows_of_subjects_may_stand_anywhere():
    rows = [("b", 28.0, 1.0), ("a", 28.0, 2.0), ("b", -7.0, 3.0), ("a", -7.0, 4.0)]
    table = pl.DataFrame(rows, schema=["subject_id", "day", "value"], orient="row")
    panel = read_panel(table.with_columns(variable=pl.lit("m_protein")), ["m_protein"])
    assert panel.subjects == ("b", "a")
    assert panel.get("m_protein").value.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert panel.get("m_protein").rows[0].tolist() == [[2, 3], [0, 1]]


def test_results_that_contradict_each_other_are_listed_with_their_rows():
    rows = [(28.0, "m_protein", 1.0, None), (28.0, "m_protein", 2.0, None), (28.0, "m_protein", 2.0, None)]
    panel = read_panel(pl.DataFrame(rows, schema=["day", "variable", "value", "text"], orient="row"), ["m_protein"])
    assert [(c.rows, c.said) for c in panel.conflicts] == [((0, 1, 2), ("1", "2"))]
    assert panel.get("m_protein").value.tolist() == [[2.0]]


def test_the_row_that_the_site_accepted_goes_before_a_worse_one():
    rows = [(28.0, "m_protein", 1.0, "yes"), (28.0, "m_protein", 2.0, None)]
    table = pl.DataFrame(rows, schema=["day", "variable", "value", "accepted"], orient="row")
    panel = read_panel(table, ["m_protein"])
    assert panel.get("m_protein").value.tolist() == [[1.0]]
    assert panel.conflicts == ()


def test_flags_make_no_visit():
    rows = [(28.0, "m_protein", 1.0, None), (28.0, "x_pdifl", None, "Y"), (35.0, "x_pdifl", None, "Y")]
    table = pl.DataFrame(rows, schema=["day", "variable", "value", "text"], orient="row")
    panel = read_panel(table, ["m_protein"], beside=["x_pdifl"])
    assert panel.day[:, 0].tolist() == [28.0]
    assert WORDS[panel.get("x_pdifl").code[0, 0]] == "yes"
