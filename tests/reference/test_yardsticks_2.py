"""León-Triana 2020 and 2021, Barros 2021, Hardiansyah 2019 and Mueller-Schoell 2021 through the engine.

`<model>.csv` beside this file holds trajectories of the BioModels files' own equations, computed by an independent
reader and solver; `yardsticks_2.csv` holds what publications and recomputations print.
"""

import csv
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from livingdrug.core.model import Model
from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import Solution, solve
from livingdrug.engine.summary import AnySummary, FirstBelow, Integral, Maximum, Minimum, TimeOfMaximum
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.barros2021 import BARROS2021
from livingdrug.models.hardiansyah2019 import HARDIANSYAH2019
from livingdrug.models.leon_triana2020 import LEON_TRIANA2020
from livingdrug.models.leon_triana2021 import LEON_TRIANA2021
from livingdrug.models.mueller_schoell2021 import MUELLER_SCHOELL2021

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "yardsticks-2.md"

# Events of BIOMD0000001019 and 1020, and infusions of the two patients of Hardiansyah 2019 (10, 30 and 60 %).
GRAFT_AGAIN = [Change(45.0, "effector_cells", "set", 2e6), Change(250.0, "tumour_cells", "set", 1e6)]
CAR_DAY_7 = [Change(7.0, "effector_cells", "set", 1e7)]
DOSES = {"upn1": 1.1, "upn3": 0.014}
SHARES = ((0.0, 0.1), (1.0, 0.3), (2.0, 0.6))
CYTOKINES = ("il6", "il10", "ifn_gamma")
MULTIPLES = (0.5, 1.0, 1.5, 2.0)

CASES = {
    ("leon_triana2020", "reduced"): (LEON_TRIANA2020, "leon_triana2020_reduced", {}, []),
    ("leon_triana2020", "full_corrected"): (LEON_TRIANA2020, "leon_triana2020", {}, []),
    ("leon_triana2021", "single"): (LEON_TRIANA2021, "leon_triana2021_single", {}, []),
    ("leon_triana2021", "dual"): (LEON_TRIANA2021, "leon_triana2021", {}, []),
    ("leon_triana2021", "dual_0.183"): (LEON_TRIANA2021, "leon_triana2021", {"alpha_1": 0.183}, []),
    ("leon_triana2021", "dual_0.2"): (LEON_TRIANA2021, "leon_triana2021", {"alpha_1": 0.2}, []),
    ("barros2021", "hdlm2"): (BARROS2021, "barros2021_hdlm2", {}, GRAFT_AGAIN),
    ("barros2021", "raji"): (BARROS2021, "barros2021_raji", {}, CAR_DAY_7),
    ("barros2021", "raji_ido"): (BARROS2021, "barros2021_raji", {"alpha": 1.461699e-8}, CAR_DAY_7),
    ("barros2021", "raji_ido_1mt"): (BARROS2021, "barros2021_raji", {"alpha": 1.26166e-8}, CAR_DAY_7),
    ("hardiansyah2019", "upn1"): (
        HARDIANSYAH2019,
        "hardiansyah2019_upn1",
        {},
        [Change(day, "effector_blood", "add", share * DOSES["upn1"]) for day, share in SHARES],
    ),
}


def read_rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def values(model: Model, name: str, **changed: float) -> np.ndarray:
    table = dict(zip(model.parameter_names, bind(model, load_parameters(name)), strict=True))
    assert changed.keys() <= table.keys()
    return np.array(list((table | changed).values()))


def run(
    model: Model,
    patients: Sequence[np.ndarray],
    days: Sequence[float],
    looked_at: tuple[AnySummary, ...] = (),
    changes: Sequence[Sequence[Change]] = (),
    rtol: float = 1e-9,
) -> Solution:
    schedule = Schedule.from_changes(model, changes or [[] for _ in patients])
    solution = solve(compile_model(model, looked_at), np.array(patients), days, schedule=schedule, rtol=rtol)
    assert not solution.failures
    return solution


def compare_with_file(name: str, rows_of: str, case: str) -> np.ndarray:
    """Ours divided by the reference, minus one, on every row of a case."""
    model, values_of, changed, changes = CASES[name, case]
    rows = [row for row in read_rows(name) if row["case"] == rows_of]
    days = sorted({float(row["day"]) for row in rows})
    solution = run(model, [values(model, values_of, **changed)], days, (), [changes], rtol=1e-11)
    ours = [solution.at(row["quantity"])[0, days.index(float(row["day"]))] for row in rows]
    return np.array(ours) / np.array([float(row["value"]) for row in rows]) - 1


@pytest.mark.parametrize(("name", "case"), CASES, ids="-".join)
def test_the_trajectory_is_that_of_the_published_file(name, case):
    difference = np.abs(compare_with_file(name, case, case))
    assert difference.max() < 1e-6
    assert f"| {name} | {case} |" in PAGE.read_text(encoding="utf-8")


def test_the_slip_in_the_file_of_leon_triana_2020_changes_at_most_one_percent():
    difference = np.abs(compare_with_file("leon_triana2020", "full_as_filed", "full_corrected"))
    assert 1e-6 < difference.max() < 0.01


def read_cohort() -> tuple[list[np.ndarray], np.ndarray]:
    """Patients of Mueller-Schoell 2021 as parameters, and which of them are of the class of low expansion."""
    rows = read_rows("mueller_schoell2021_patients")
    names = {
        "V_0": "baseline_mtv_ml",
        "transplant": "prior_asct",
        "cd4_cd8_ratio": "cd4_cd8_ratio_day7",
        "low_expansion": "low_expansion_class",
    }
    covariates = [{ours: float(row[name]) for ours, name in names.items()} for row in rows]
    patients = [values(MUELLER_SCHOELL2021, "mueller_schoell2021", **patient) for patient in covariates]
    return patients, np.array([patient["low_expansion"] == 1 for patient in covariates])


@functools.cache
def mueller_schoell2021() -> dict[str, float]:
    patients, low = read_cohort()
    looked_at = (Maximum("car_t_cells"), TimeOfMaximum("car_t_cells"), Integral("car_t_cells", 0, 28))
    summaries = run(MUELLER_SCHOELL2021, patients, [0.0, 28.0], looked_at).summaries
    ours = {}
    for group, members in (("reference", ~low), ("low", low)):
        for quantity, median in zip(("cmax", "tmax", "auc_0_28"), np.median(summaries[members], axis=0), strict=True):
            ours[f"{quantity}_{group}"] = ours[f"{quantity}_{group}_typical"] = median
    for patient in (4, 9):
        ours[f"cmax_patient_{patient}"], _, ours[f"auc_0_28_patient_{patient}"] = summaries[patient - 1]
    return ours


def infuse(patient: str, multiple: float = 1.0) -> list[Change]:
    return [Change(day, "effector_blood", "add", share * multiple * DOSES[patient]) for day, share in SHARES]


@functools.cache
def hardiansyah2019() -> dict[str, float]:
    seen = ("car_t_cells", "memory_blood", *CYTOKINES)
    looked_at = (
        *(Maximum(name) for name in seen),
        *(TimeOfMaximum(name) for name in seen),
        Integral("car_t_cells", 0, 28),
    )
    ours = {}
    for patient in DOSES:
        typical = values(HARDIANSYAH2019, f"hardiansyah2019_{patient}")
        burden = typical[HARDIANSYAH2019.parameter_names.index("B_0")]
        cohort = [typical, *(values(HARDIANSYAH2019, f"hardiansyah2019_{patient}", B_0=burden * m) for m in MULTIPLES)]
        changes = [infuse(patient)] * 5 + [infuse(patient, m) for m in MULTIPLES]
        days = [0.0, 50.0, 350.0]
        solution = run(HARDIANSYAH2019, cohort + [typical] * 4, days, looked_at, changes)
        table = dict(zip(["cmax", *(f"cmax_{name}" for name in seen[1:])], solution.summaries.T, strict=False))
        table |= dict(zip(["tmax", *(f"tmax_{name}" for name in seen[1:])], solution.summaries.T[5:10], strict=True))
        for name, column in table.items():
            ours[f"{patient}_{name.replace('_blood', '')}"] = column[0]
        ours[f"{patient}_auc_0_28"] = solution.summaries[0, 10]
        for day, amount in zip(days, solution.at("leukaemic_cells")[0], strict=True):
            ours[f"{patient}_leukaemia_day_{day:.0f}"] = amount
        for name in ("cmax", "cmax_il6"):
            over = {"burden": table[name][1:5], "dose": table[name][5:9]}
            for what, column in over.items():
                ours[f"{patient}_fold_{name.removeprefix('cmax_')}_over_{what}"] = column.max() / column.min()
    return ours


OURS = {"mueller_schoell2021": mueller_schoell2021, "hardiansyah2019": hardiansyah2019}
PRINTED = read_rows("yardsticks_2")


def look_up(row: dict[str, str]) -> float:
    ours = OURS[row["model"]]()
    plain = row["quantity"].removesuffix("_typical").removesuffix("_paper")
    return float(ours[row["quantity"]] if row["quantity"] in ours else ours[plain])


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row['model']}-{row['quantity']}")
def test_the_printed_number_has_the_verdict_that_we_state(row):
    ours, printed, tolerance = look_up(row), float(row["printed"]), float(row["tolerance"])
    if row["kind"] == "factor":
        within = 1 / tolerance <= ours / printed <= tolerance
    else:
        within = abs(ours - printed) <= (tolerance * abs(printed) if row["kind"] == "rel" else tolerance)
    assert row["verdict"] == ("within" if within else "outside")


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"{row['model']}-{row['quantity']}")
def test_the_page_shows_what_the_engine_computes(row):
    start = f"| {row['model']} | {row['quantity']} |"
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(start))
    cells = [cell.strip() for cell in line.split("|")]
    assert float(cells[4]) == float(row["printed"])
    assert float(cells[5]) == pytest.approx(look_up(row), rel=1e-3)
    assert cells[7] == row["verdict"]


def test_leon_triana_2020_expands_almost_to_what_its_targets_allow_and_hardly_depends_on_the_dose():
    doses = (1e5, 1e6, 1e7, 1e8, 1e9)
    for name in ("leon_triana2020", "leon_triana2020_reduced"):
        cohort = [values(LEON_TRIANA2020, name, C_0=dose) for dose in doses]
        peaks = run(LEON_TRIANA2020, cohort, [0.0, 100.0], (Maximum("car_t_cells"),)).summaries[:, 0]
        table = dict(zip(LEON_TRIANA2020.parameter_names, cohort[2], strict=True))
        most = np.array(doses) + table["rho_C"] / table["alpha"] * (table["L_0"] + table["B_0"])
        assert np.all((peaks > 0.75 * most) & (peaks <= most))
        assert peaks.max() / peaks.min() < 1.25


def test_leon_triana_2020_relapses_as_prey_and_car_t_cells_return_after_it():
    days = np.arange(0.0, 601.0)
    solution = run(LEON_TRIANA2020, [values(LEON_TRIANA2020, "leon_triana2020")], days)
    leukaemia, car_t = solution.at("leukaemic_cells")[0], solution.at("car_t_cells")[0]
    relapse, second_wave = days[300 + leukaemia[300:].argmax()], days[300 + car_t[300:].argmax()]
    assert (relapse, second_wave) == (436.0, 443.0)
    assert leukaemia[300:].max() > leukaemia[0]


def test_leon_triana_2021_turns_from_response_to_failure_between_the_curators_and_the_papers_inactivation():
    cohort = [values(LEON_TRIANA2021, "leon_triana2021", alpha_1=rate) for rate in (0.183, 0.2)]
    curators, article = run(LEON_TRIANA2021, cohort, [0.0, 150.0], (Minimum("tumour_cells"),)).summaries[:, 0]
    assert article / curators == pytest.approx(142, rel=0.01)


def test_leon_triana_2021_overcomes_with_two_targets_what_one_target_does_not():
    def nadir(name, **changed):
        patient = values(LEON_TRIANA2021, name, alpha_1=0.183, **changed)
        return run(LEON_TRIANA2021, [patient], [0.0, 150.0], (Minimum("tumour_cells"),)).summaries[0, 0]

    start = values(LEON_TRIANA2021, "leon_triana2021")[LEON_TRIANA2021.parameter_names.index("T_0")]
    single, dual = nadir("leon_triana2021_single", T_0=start, C_0=2e8), nadir("leon_triana2021")
    assert single > 0.99 * start
    assert dual < 0.001 * start
    assert nadir("leon_triana2021_single", T_0=start, C_0=4e9) < 0.001 * start


def test_barros_hdlm2_is_cleared_and_memory_rejects_the_second_graft_whether_it_is_set_or_added():
    added = [Change(c.day, c.target, "add", c.value) for c in GRAFT_AGAIN]
    none = [Change(250.0, "tumour_cells", "add", 1e6), Change(45.0, "effector_cells", "add", 0.0)]
    patient = values(BARROS2021, "barros2021_hdlm2")
    days = [44.0, 48.0, 250.0, 255.0, 300.0]
    tumour = run(BARROS2021, [patient] * 3, days, (FirstBelow("tumour_cells", 1.0),), [GRAFT_AGAIN, added, none])
    cleared, again, untreated = tumour.at("tumour_cells")
    assert tumour.summaries[0, 0] == pytest.approx(47.8, abs=0.05)
    assert cleared[1] < 1 < 1e7 < cleared[0]
    assert cleared[2] == pytest.approx(1e6)
    assert cleared[3] < 1
    np.testing.assert_allclose(again[:4], cleared[:4], rtol=1e-6)
    assert np.all(np.diff(untreated) > 0)


def test_barros_gains_memory_from_effectors_without_taking_it_from_them_again():
    table = dict(zip(BARROS2021.parameter_names, values(BARROS2021, "barros2021_hdlm2"), strict=True))
    days = [45.0, 47.0]
    patients = [values(BARROS2021, "barros2021_hdlm2", theta=0.0, alpha=0.0, epsilon=e) for e in (0.0, 0.15)]
    solution = run(BARROS2021, patients, days, (), [CAR_DAY_7] * 2)
    effectors, memory = solution.at("effector_cells"), solution.at("memory_cells")
    assert effectors[0] == pytest.approx(effectors[1], rel=1e-9)
    assert np.log(effectors[0, 0] / effectors[0, 1]) / 2 == pytest.approx(table["pi"] - table["phi"], rel=1e-6)
    assert memory[0, 1] == 0 < memory[1, 1]


def test_barros_raji_escapes_later_with_the_inhibitor_of_ido_than_without():
    rates = (1.248506e-8, 1.26166e-8, 1.461699e-8)
    cohort = [values(BARROS2021, "barros2021_raji", alpha=rate) for rate in rates]
    plain, inhibited, ido = run(BARROS2021, cohort, [20.0], (), [CAR_DAY_7] * 3).at("tumour_cells")[:, 0]
    assert plain < inhibited < 0.5 * ido


def test_hardiansyah_without_car_t_cells_stays_at_its_baselines_and_the_leukaemia_grows_at_its_net_rate():
    table = dict(zip(HARDIANSYAH2019.parameter_names, values(HARDIANSYAH2019, "hardiansyah2019_upn1"), strict=True))
    solution = run(HARDIANSYAH2019, [np.array(list(table.values()))], [0.0, 350.0])
    for name, baseline in zip(CYTOKINES, ("IL6_0", "IL10_0", "IFN_0"), strict=True):
        np.testing.assert_allclose(solution.at(name)[0], table[baseline], rtol=1e-12)
    grown = np.log(solution.at("leukaemic_cells")[0, 1] / table["B_0"]) / 350
    assert grown == pytest.approx(table["r_B"] - table["d_B"], rel=1e-6)
    assert not solution.at("car_t_cells").any()


def test_hardiansyah_loses_no_cell_when_cells_only_move_and_change_kind():
    inert = values(HARDIANSYAH2019, "hardiansyah2019_upn1", r_E=0.0, d_E=0.0, r_M=0.0, d_M=0.0)
    solution = run(HARDIANSYAH2019, [inert], [0.5, 1.5, 2.0, 300.0], (), [infuse("upn1")])
    places = ("effector_blood", "effector_tissue", "memory_blood", "memory_tissue")
    total = sum(solution.at(name)[0] for name in places)
    np.testing.assert_allclose(total, [0.11, 0.44, 1.1, 1.1], rtol=1e-7)
    assert solution.at("memory_blood")[0, -1] > 0


def test_hardiansyah_peaks_in_the_order_cytokines_then_car_t_cells():
    ours = hardiansyah2019()
    for patient in DOSES:
        il6, il10, ifn, cart = (ours[f"{patient}_tmax{name}"] for name in ("_il6", "_il10", "_ifn_gamma", ""))
        assert il10 <= il6 <= ifn <= cart


def test_hardiansyah_depends_on_burden_and_hardly_on_dose():
    ours = hardiansyah2019()
    for patient in DOSES:
        for name in ("cmax", "il6"):
            assert ours[f"{patient}_fold_{name}_over_burden"] > 6
            assert ours[f"{patient}_fold_{name}_over_dose"] < 1.05


def test_mueller_schoell_area_is_not_explained_by_sparse_samples():
    patients, low = read_cohort()
    days = [0.0, 7.0, 14.0, 28.0]
    cells = run(MUELLER_SCHOELL2021, patients, days).at("car_t_cells")[~low]
    assert np.median(np.trapezoid(cells, days, axis=1)) > 1.25 * 179
