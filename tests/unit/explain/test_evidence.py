import polars as pl

from livingdrug.explain.evidence import Limits, find_evidence

LIMITS = Limits(antigen_fraction=0.3, antigen_fall=0.5, b_cells=10.0, exhausted=0.5, doubling=45.0)
SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
}


def find(*rows, day=200.0):
    full = [(d, v, x, "1", None, "left" if x is None else "none") for d, v, x in rows]
    return find_evidence(pl.DataFrame(full, schema=SCHEMA, orient="row"), day, LIMITS)


def test_nothing_measured_is_silent():
    assert find() == ()


def test_a_target_negative_biopsy_speaks_for_antigen_loss_and_names_its_row():
    (item,) = find((0.0, "m_protein", 3.0), (205.0, "antigen_positive_fraction", 0.1))
    assert (item.mechanism.value, item.direction, item.rows) == ("antigen_negative", "for", (1,))
    assert "10 %" in item.statement


def test_a_target_positive_biopsy_speaks_against_antigen_loss():
    (item,) = find((205.0, "antigen_positive_fraction", 0.95))
    assert item.direction == "against"


def test_a_fallen_density_speaks_for_antigen_low_escape():
    (item,) = find((-20.0, "antigen_density", 670.0), (203.0, "antigen_density", 200.0))
    assert (item.mechanism.value, item.direction, item.rows) == ("antigen_low", "for", (0, 1))


def test_a_density_below_its_limit_is_told_as_below():
    rows = [(-20.0, "antigen_density", 600.0, "1", 20.0, "none"), (203.0, "antigen_density", 20.0, "1", 20.0, "left")]
    (item,) = find_evidence(pl.DataFrame(rows, schema=SCHEMA, orient="row"), 200.0, LIMITS)
    assert "below 20 on day 203 (ratio below 0.03" in item.statement


def test_a_kept_density_speaks_against_it():
    (item,) = find((-20.0, "antigen_density", 670.0), (203.0, "antigen_density", 800.0))
    assert item.direction == "against"
    assert "ratio 1.19" in item.statement


def test_b_cells_that_return_before_the_failure_speak_for_lost_persistence():
    (item,) = find((28.0, "b_cells", 1.0), (150.0, "b_cells", 60.0))
    assert (item.mechanism.value, item.direction, item.rows) == ("persistence", "for", (1,))


def test_a_transgene_below_its_limit_speaks_for_lost_persistence():
    (item,) = find((28.0, "car_transgene", 3000.0), (180.0, "car_transgene", None), (260.0, "car_transgene", 99.0))
    assert (item.direction, item.rows) == ("for", (1,))


def test_a_measurable_transgene_speaks_against_it():
    (item,) = find((28.0, "car_transgene", 3000.0))
    assert item.direction == "against"


def test_pd1_tim3_cells_speak_for_exhaustion():
    (item,) = find((14.0, "pd1_tim3_fraction", 0.3), (28.0, "pd1_tim3_fraction", 0.7))
    assert (item.mechanism.value, item.direction, item.rows) == ("exhaustion", "for", (1,))


def test_a_fast_rise_before_infusion_speaks_for_tumour_growth():
    (item,) = find((-40.0, "m_protein", 1.5), (-5.0, "m_protein", 3.2))
    assert (item.mechanism.value, item.direction) == ("tumour_growth", "for")
    assert "about 32 days" in item.statement


def test_a_fall_before_infusion_is_silent_about_growth():
    assert find((-40.0, "m_protein", 3.5), (-5.0, "m_protein", 3.0)) == ()
