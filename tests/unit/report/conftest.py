"""A hand-made explanation: the report's tests need its shape, not its science."""

import numpy as np
import polars as pl
import pytest

from livingdrug.study.explanation import Explanation

ASSUMED = [{"name": "k_exhaust", "value": 0.0123, "unit": "1/day"}, {"name": "f_low", "value": 0.3, "unit": "1"}]


def _make_bands() -> pl.DataFrame:
    day = np.arange(0.0, 241.0)
    cells = 4e4 * np.exp(-((np.log((day + 1) / 12)) ** 2) / 0.6) + 20 * np.exp(-day / 60)
    protein = 0.15 + 2.8 * np.exp(-day / 14) + 0.02 * np.exp(np.clip(day - 90, 0, None) / 28)
    frames = [
        pl.DataFrame({"day": day, "lower": 0.6 * m, "median": m, "upper": 1.5 * m}).with_columns(
            pl.lit(name).alias("variable"), pl.lit(unit).alias("unit")
        )
        for name, unit, m in (("car_transgene", "copies/ug", cells), ("m_protein", "g/dL", protein))
    ]
    return pl.concat(frames).select("variable", "unit", "day", "lower", "median", "upper")


def _make_observations() -> pl.DataFrame:
    rows = [("m_protein", d, v, "g/dL", "none", 0.1) for d, v in ((-3, 3.1), (28, 0.6), (56, 0.2), (90, 0.2))]
    rows += [("m_protein", d, v, "g/dL", "none", 0.1) for d, v in ((120, 0.4), (150, 0.9), (180, 1.6))]
    rows += [("car_transgene", d, v, "copies/ug", "none", 50.0) for d, v in ((4, 900.0), (11, 4.1e4), (28, 9e3))]
    rows += [("car_transgene", 120, None, "copies/ug", "left", 50.0)]
    columns = ["variable", "day", "value", "unit", "censored", "lloq"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.col("day").cast(pl.Float64), pl.lit("p1").alias("subject_id")
    )


def make_explanation(**changes: object) -> Explanation:
    """Build the explanation of an invented patient who relapsed."""
    response = [(28.0, "PR", None, "serum M-protein down 81 %"), (56.0, "VGPR", "VGPR", "serum M-protein down 94 %")]
    response += [(150.0, "PD", None, "serum M-protein up 0.7 g/dL from nadir"), (180.0, "PD", "PD", "confirmed")]
    fields = {
        "subject_id": "p1",
        "disease": "myeloma",
        "product": "ide_cel",
        "failed": True,
        "failure_class": "late_relapse",
        "failure_day": 150.0,
        "response_rows": pl.DataFrame(response, schema=["day", "time_point", "confirmed", "clause"], orient="row"),
        "best_response": "VGPR",
        "answered": "persistence",
        "mechanisms": [
            {"name": "persistence", "group": "quantity", "probability": 0.58, "lower": 0.41, "upper": 0.73},
            {"name": "antigen_low", "group": "antigen", "probability": 0.27, "lower": 0.12, "upper": 0.44},
            {"name": "suppression", "group": "environment", "probability": 0.004, "lower": 0.0, "upper": 0.02},
        ],
        "evidence": [
            {"statement": "CAR transgene fell below its limit by day 120.", "rows": [10], "direction": "for"},
            {
                "statement": "Soluble BCMA rose with the M-protein.",
                "rows": [],
                "direction": "against",
                "mechanism": "antigen_negative",
            },
        ],
        "sentences": [
            "The therapy failed: late relapse, first seen on day 150.",
            "The most probable reason is loss of the CAR T cells (58 %, 41 to 73 %).",
        ],
        "fit": {
            "converged": True,
            "objective": 12.34,
            "parameters": [
                {"name": "k_d", "unit": "1/day", "prior_median": 0.1, "posterior_median": 0.2, "contraction": 0.5}
            ],
        },
        "bands": _make_bands(),
        "observations": _make_observations(),
        "events": pl.DataFrame(
            {
                "subject_id": ["p1", "p1"],
                "day": [-5.0, 0.0],
                "type": ["lymphodepletion", "car_t"],
                "amount": [None, 4.5e8],
                "unit": [None, "cells"],
                "note": [None, "<b>infused</b>"],
            }
        ),
        "counterfactuals": pl.DataFrame(
            {
                "mechanism": ["antigen_low"],
                "group": ["antigen"],
                "horizon_day": [365.0],
                "failure_as_is": [1.0],
                "failure_without": [0.42],
                "reduction": [0.58],
                "reduction_lower": [0.41],
                "reduction_upper": [0.73],
            }
        ),
        "provenance": {
            "version": "0.1.0",
            "seed": 7,
            "input_hash": "ab" * 32,
            "assumed": ASSUMED,
            "sources": ["raje2019", "munshi2021"],
            "options": {"draws": 200},
        },
    }
    return Explanation(**{**fields, **changes})


@pytest.fixture
def explanation() -> Explanation:
    return make_explanation()


@pytest.fixture(name="make_explanation")
def fixture_make_explanation():
    return make_explanation
