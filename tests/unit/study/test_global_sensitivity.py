import numpy as np
import pytest

from livingdrug.cli.entry import main
from livingdrug.core.errors import InputError, SolverError
from livingdrug.study.global_sensitivity import compute_global_sensitivity
from livingdrug.study.global_sensitivity_estimates import estimate_effects, sample_points
from livingdrug.study.trial_design import Arm, TrialDesign

pytest.importorskip("SALib", reason="the extra sensitivity is not installed")
DESIGN = TrialDesign("One arm", "myeloma", 90.0, 1, (Arm("ide", "ide_cel", 10),), "imwg/2016")
NAMES = ("strong", "weak", "nothing")


def compute_sum(points):
    return 10 * points[:, 0] + points[:, 1]


@pytest.mark.parametrize(("method", "shares"), [("morris", (10, 1, 0)), ("sobol", (100 / 101, 1 / 101, 0))])
def test_effects_of_a_sum_are_those_of_its_terms(method, shares):
    points = sample_points(NAMES, method=method, blocks=256, seed=1)
    table = estimate_effects(NAMES, points, {"sum": compute_sum(points)}, method=method, seed=1)
    found = table.filter(statistic="mean_effect" if method == "morris" else "total")["value"].to_list()
    assert found == pytest.approx(shares, rel=0.05, abs=0.01)


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_failed_runs_leave_out_their_block_and_nothing_else(method):
    points = sample_points(NAMES, method=method, blocks=256, seed=1)
    whole = compute_sum(points)
    values = whole.copy()
    values[np.arange(0, len(values), 97)] = np.nan
    table, full = (
        estimate_effects(NAMES, points, {"sum": v}, method=method, seed=1)["value", "blocks", "blocks_left_out"]
        for v in (values, whole)
    )
    size = len(points) // 256
    lost = len({i // size for i in range(0, len(values), 97)})
    assert table["blocks_left_out"].to_list() == [lost] * len(table)
    assert table["blocks"][0] == 256 - lost
    assert table["value"].to_list() == pytest.approx(full["value"].to_list(), rel=0.15, abs=0.05)
    values[::2] = np.nan
    with pytest.raises(SolverError, match="blocks must be without a failed run for sum"):
        estimate_effects(NAMES, points, {"sum": values}, method=method, seed=1)


def test_an_outcome_that_does_not_vary_is_moved_by_nothing():
    points = sample_points(NAMES, method="sobol", blocks=4, seed=1)
    table = estimate_effects(NAMES, points, {"same": np.ones(len(points))}, method="sobol", seed=1)
    assert table["value"].to_list() == [None] * 6


def test_growth_of_car_t_cells_decides_their_peak_and_the_seed_decides_the_bits():
    found = compute_global_sensitivity(DESIGN, blocks=8, threads=1)
    assert found.failed == 0
    assert found.rank("log10_car_t_cells_max")["property"][0] in ("xg", "alpha")
    again = compute_global_sensitivity(DESIGN, blocks=8, threads=2)
    assert again.table.equals(found.table)


def test_what_cannot_be_done_is_said():
    with pytest.raises(InputError, match="power of two"):
        compute_global_sensitivity(DESIGN, method="sobol", blocks=6)
    with pytest.raises(InputError, match="must be one of morris, sobol"):
        compute_global_sensitivity(DESIGN, method="fast")
    with pytest.raises(InputError, match="must be one of the trial"):
        compute_global_sensitivity(DESIGN, "other")


def test_the_command_ranks_and_writes(tmp_path, capsys):
    path = tmp_path / "trial.toml"
    path.write_text(
        '[trial]\nname = "S"\ndisease = "lbcl"\ndays = 60\n[[arm]]\nname = "a"\nproduct = "axi_cel"\nn = 6\n'
    )
    assert main(["sensitivity", str(path), "--out", str(tmp_path / "out"), "--blocks", "4", "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "0 failed" in printed
    assert "log10_car_t_cells_max:" in printed
    assert (tmp_path / "out/sensitivity.csv").exists()
