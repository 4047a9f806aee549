"""Kimmel 2021, Stein 2019 and Singh 2021 through the engine against the numbers printed for them.

`yardsticks.csv` beside this file holds what is printed, where, and the tolerance.
"""

import csv
import functools
from pathlib import Path

import numpy as np
import pytest

from livingdrug.core.model import Model
from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import Solution, solve
from livingdrug.engine.summary import AnySummary, Integral, Maximum, Minimum, TimeOfMaximum, TimeOfMinimum
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.kimmel2021 import KIMMEL2021
from livingdrug.models.singh2021 import SINGH2021
from livingdrug.models.stein2019 import STEIN2019

HERE = Path(__file__).parent
CELLS_PER_ML = 1e9
GROWTH_RATES = (0.01, 0.105, 0.19, 0.265)
DOSES = (50e6, 150e6, 450e6, 800e6)
BURDENS = (0.2, 0.5, 1.0, 2.0, 5.0)


def read_rows():
    with (HERE / "yardsticks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def typical(model: Model, **changed: float) -> np.ndarray:
    values = dict(zip(model.parameter_names, bind(model, load_parameters(model.name)), strict=True))
    return np.array(list((values | changed).values()))


def run(model: Model, patients, days, summaries: tuple[AnySummary, ...], schedule=None) -> Solution:
    solution = solve(compile_model(model, summaries), np.array(patients), days, schedule=schedule, rtol=1e-9)
    assert not solution.failures
    return solution


@functools.cache
def kimmel2021() -> dict[str, float]:
    looked_at = (
        Maximum("car_t_cells"),
        TimeOfMaximum("car_t_cells"),
        Minimum("tumour_volume"),
        TimeOfMinimum("tumour_volume"),
    )
    patients = [typical(KIMMEL2021, r_B=rate) for rate in GROWTH_RATES]
    summaries = run(KIMMEL2021, patients, [0.0, 300.0], looked_at).summaries
    ours = {"cmax": summaries[0, 0], "tmax": summaries[0, 1]}
    for rate, (_, _, nadir, day) in zip(GROWTH_RATES, summaries, strict=True):
        ours[f"log10_nadir_{rate}"] = np.log10(nadir * CELLS_PER_ML)
        ours[f"day_of_nadir_{rate}"] = day
    return ours


def contraction_of(patient: np.ndarray) -> Schedule:
    peak = patient[STEIN2019.parameter_names.index("T_max")]
    return Schedule.from_changes(STEIN2019, [[Change(peak, "contracting", "set", 1.0)]])


@functools.cache
def stein2019() -> dict[str, float]:
    patient = typical(STEIN2019)
    days = [0.0, 1.0, 2.0, 12.0, 13.0, 1000.0, 1001.0]
    looked_at = (Maximum("car_transgene"), Integral("car_transgene", 0, 28))
    solution = run(STEIN2019, [patient], days, looked_at, contraction_of(patient))
    signal, effector = solution.at("car_transgene")[0], solution.at("effector")[0]
    return {
        "doubling_time": np.log(2) / np.log(signal[2] / signal[1]),
        "initial_half_life": np.log(2) / np.log(effector[3] / effector[4]),
        "terminal_half_life": np.log(2) / np.log(signal[5] / signal[6]),
        "expansion_rate": np.log(signal[2] / signal[1]),
        "start": signal[0],
        "cmax": solution.summaries[0, 0],
        "auc_0_28": solution.summaries[0, 1],
    }


@functools.cache
def singh2021() -> dict[str, float]:
    base = dict(zip(SINGH2021.parameter_names, typical(SINGH2021), strict=True))
    grid = [typical(SINGH2021, dose=dose, T_0=burden * base["T_0"]) for burden in BURDENS for dose in DOSES]
    # The bolus has left blood within a day, and the printed peaks are the highest of half-daily samples after it.
    days = np.arange(0.0, 365.5, 0.5)
    solution = run(SINGH2021, grid, days, (Minimum("m_protein_change"),))
    cmax = solution.at("car_transgene")[:, days > 1].max(axis=1).reshape(len(BURDENS), len(DOSES))
    nadir = solution.summaries[:, 0].reshape(len(BURDENS), len(DOSES))
    ours = {
        "cmax_fold_over_burden": np.median(cmax.max(axis=0) / cmax.min(axis=0)),
        "cmax_fold_over_dose": np.median(cmax.max(axis=1) / cmax.min(axis=1)),
    }
    usual = BURDENS.index(1.0)
    for i, dose in enumerate(DOSES):
        ours[f"cmax_{dose / 1e6:.0f}"] = cmax[usual, i]
        ours[f"m_protein_nadir_{dose / 1e6:.0f}"] = 100 * nadir[usual, i]
    return ours


OURS = {"kimmel2021": kimmel2021, "stein2019": stein2019, "singh2021": singh2021}


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: f"{row['model']}-{row['quantity']}")
def test_the_printed_number_is_reproduced_within_its_tolerance(row):
    printed, tolerance = float(row["printed"]), float(row["tolerance"])
    allowed = tolerance * abs(printed) if row["kind"] == "rel" else tolerance
    assert abs(OURS[row["model"]]()[row["quantity"]] - printed) <= allowed


@pytest.mark.parametrize("row", read_rows(), ids=lambda row: f"{row['model']}-{row['quantity']}")
def test_the_page_of_yardsticks_shows_what_the_engine_computes(row):
    page = (HERE.parents[1] / "docs" / "reference" / "yardsticks.md").read_text(encoding="utf-8")
    start = f"| {row['model']} | {row['quantity']} |"
    line = next(line for line in page.splitlines() if line.startswith(start))
    printed, shown = (cell.strip() for cell in line.split("|")[4:6])
    assert float(printed) == float(row["printed"])
    assert float(f"{OURS[row['model']]()[row['quantity']]:.5g}") == pytest.approx(float(shown), rel=1e-3)


def test_stein_switches_at_the_peak_exactly_as_its_closed_form():
    patient = typical(STEIN2019)
    p = dict(zip(STEIN2019.parameter_names, patient, strict=True))
    days = np.array([0.5, 5.0, 9.2, 9.3, 9.4, 20.0, 28.0, 180.0, 365.0])
    signal = run(STEIN2019, [patient], days, (), contraction_of(patient)).at("car_transgene")[0]
    growing = p["C_max"] / p["foldx"] * np.exp(np.log(p["foldx"]) / p["T_max"] * days)
    after = days - p["T_max"]
    falling = p["C_max"] * ((1 - p["F_B"]) * np.exp(-p["alpha"] * after) + p["F_B"] * np.exp(-p["beta"] * after))
    np.testing.assert_allclose(signal, np.where(after < 0, growing, falling), rtol=1e-7)


def test_kimmel_with_a_start_less_than_one_percent_lower_gives_the_reference_numbers_to_every_printed_digit():
    looked_at = (Maximum("car_t_cells"), Minimum("tumour_volume"))
    patients = [typical(KIMMEL2021, r_B=rate, C_0=0.357) for rate in GROWTH_RATES]
    summaries = run(KIMMEL2021, patients, [0.0, 300.0], looked_at).summaries
    assert summaries[0, 0].round(1) == 30.0
    assert np.log10(summaries[1:, 1] * CELLS_PER_ML).round(2).tolist() == [0.40, 3.08, 4.91]
