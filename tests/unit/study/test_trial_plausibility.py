import numpy as np
import polars as pl
import pytest

from livingdrug.cli.entry import main
from livingdrug.core.errors import InputError
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_design import Plausible
from livingdrug.study.trial_plausibility import compute_weighted_survival, compute_weights
from livingdrug.study.trial_result_rates import compute_curve, read_curve, take_times

DESIGN = {
    "trial": {"name": "Weighed", "disease": "lbcl", "days": 200},
    "arm": [{"name": "axi", "product": "axi_cel", "n": 150}],
    "plausible": [{"column": "age_years", "mean": 62}, {"column": "burden", "lower": 10}],
}


@pytest.fixture(scope="module")
def result():
    return run_trial(DESIGN, jobs=1)


def test_weighted_means_are_those_that_were_stated_and_nobody_outside_a_range_counts(result):
    own, found = result.of("axi"), result.weigh("axi")
    assert np.average(own["age_years"], weights=found.weight) == pytest.approx(62, abs=1e-3)
    assert not found.weight[(own["burden"] < 10).to_numpy()].any()
    assert found.plausible == int((own["burden"] >= 10).sum())
    assert found.weight.mean() == pytest.approx(1)
    assert found.effective_n == pytest.approx(found.weight.sum() ** 2 / (found.weight**2).sum())
    assert 1 <= found.effective_n <= found.plausible


def test_stating_what_is_so_changes_nothing(result):
    own = result.of("axi")
    found = compute_weights(own, [Plausible("age_years", mean=float(own["age_years"].mean()))])
    assert found.effective_n == pytest.approx(150, rel=1e-6)


def test_a_geometric_mean_is_met(result):
    own = result.of("axi")
    stated = 1.2 * float(np.exp(np.log(own["burden"]).mean()))
    found = compute_weights(own, [Plausible("burden", mean=stated, with_logarithm=True)])
    assert np.exp(np.average(np.log(own["burden"]), weights=found.weight)) == pytest.approx(stated, rel=1e-4)


def test_what_nobody_can_have_is_refused(result):
    own = result.of("axi")
    with pytest.raises(InputError, match="none do with age_years 500"):
        compute_weights(own, [Plausible("age_years", mean=500.0)], "axi")
    with pytest.raises(InputError, match="nobody is within every range"):
        compute_weights(own, [Plausible("age_years", lower=300.0)], "axi")


def test_even_weights_give_the_curve_without_weights(result):
    own = result.of("axi")
    time, is_event = take_times(own, "pfs")
    curve = compute_curve(own, "pfs")
    for day in (60.0, 120.0):
        assert compute_weighted_survival(time, is_event, np.ones(len(time)), day) == pytest.approx(
            read_curve(curve, day)[0]
        )


def test_the_effective_sample_size_is_shown(result, tmp_path, capsys):
    assert "effective sample size" in result.summary()
    rows = result.endpoints.filter(pl.col("endpoint") == "effective_sample_size")
    assert rows["value"].item() == pytest.approx(result.weigh("axi").effective_n)
    path = tmp_path / "trial.toml"
    path.write_text(
        '[trial]\nname = "W"\ndisease = "lbcl"\ndays = 60\n[[arm]]\nname = "a"\nproduct = "axi_cel"\nn = 6\n'
        '[[plausible]]\ncolumn = "age_years"\nlower = 1\n'
    )
    assert main(["trial", str(path), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert "6 of 6 virtual patients are plausible" in capsys.readouterr().out
    assert pl.read_csv(tmp_path / "out/weights.csv")["weight"].to_list() == [1.0] * 6
    assert "Weighted by plausibility" in (tmp_path / "out/report.html").read_text()


def test_faults_of_what_is_plausible_come_all_at_once():
    wrong = [
        {"column": "failure", "lower": 1},
        {"column": "age_years"},
        {"column": "age_years", "lower": 9, "upper": 2, "arm": "x"},
        {"column": "burden", "mean": 1, "geometric_mean": 1},
    ]
    with pytest.raises(InputError) as caught:
        run_trial({**DESIGN, "plausible": wrong})
    said = str(caught.value)
    for words in ("plausible[0].column", "plausible[1]", "plausible[2].upper", "plausible[2].arm", "plausible[3].mean"):
        assert words in said
