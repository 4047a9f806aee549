"""Extinction and time of relapse in the compiled model, against exact birth-death simulations.

Run: ``PYTHONPATH=src python benchmarks/extinction.py``. Each setting is 20,000 clones simulated cell by cell and 20,000
patients of the model, in whom therapy is a hazard that changes in time. Relapse is the first day with 2,000 cells.
"""

import sys

import numpy as np
from scipy.stats import ks_2samp

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.birth_death import CloneFates, simulate_clones

RUNS = 20_000
PASSAGE = 2000
DAYS = np.arange(0.0, 1500.0, 4.0)
NEVER = 1e-9
"""A draw with which a clone is never gone, so that its probability can be followed to the end."""
SMALLEST_P = 1e-3
"""Of eight settings with two tests each; a bias worth knowing gives far less."""
KEPT = ("tumour_cells", "survival_high")
SETTINGS = (
    ("100 cells, ten days of killing", 100, 0.08, ((0.0, 0.5), (10.0, 0.05))),
    ("300 cells, slow", 300, 0.06, ((0.0, 0.14), (50.0, 0.04))),
    ("50 cells, 20 days of killing", 50, 0.06, ((0.0, 0.25), (20.0, 0.03))),
    ("200 cells, 30 days of killing", 200, 0.08, ((0.0, 0.25), (30.0, 0.05))),
    ("100 cells, killing that wanes", 100, 0.07, ((0.0, 0.40), (7.0, 0.20), (21.0, 0.10), (40.0, 0.03))),
    ("1000 cells, hard and short", 1000, 0.10, ((0.0, 1.0), (7.0, 0.05))),
    ("200 cells, two courses", 200, 0.08, ((0.0, 0.20), (21.0, 0.03), (40.0, 0.25), (61.0, 0.03))),
    ("500 cells, one family in ten", 500, 0.09, ((0.0, 0.50), (14.0, 0.04))),
)


def simulate_model(
    cells: int, birth: float, deaths: tuple[tuple[float, float], ...], draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return whether each patient's clone is gone, its day of relapse, and the probability that the model states."""
    turnover = min(birth / 2, min(rate for _, rate in deaths))
    row = bind(UNIFIED, load_parameters("unified_lbcl_axi_cel"))
    change = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0, "dose": 0.0, "Kmax": 1e12, "fc": 1.0}
    change |= {"B0": cells * 1e-9, "r": birth - turnover, "mu0": turnover, "h_next": deaths[0][1] - turnover}
    for name, value in change.items():
        row[UNIFIED.parameter_names.index(name)] = value
    steps = [Change(day, "h_next", "set", rate - turnover) for day, rate in deaths[1:]]
    rows = np.tile(row, (len(draws) + 1, 1))
    rows[:, UNIFIED.parameter_names.index("extinct_high")] = [*draws, NEVER]
    schedule = Schedule.from_changes(UNIFIED, [tuple(steps)] * len(rows))
    solution = solve(compile_model(UNIFIED, keep=KEPT), rows, DAYS, schedule=schedule, keep=KEPT, rtol=1e-6)
    late = deaths[-1][0] < DAYS
    burden = np.maximum(solution.at("tumour_cells")[:-1], 1e-9)
    has = (burden[:, late] >= PASSAGE).any(axis=1)
    at = np.argmax((burden >= PASSAGE) & late, axis=1)[has]
    before, after = burden[has, at - 1], burden[has, at]
    part = np.log(PASSAGE / before) / np.log(after / before)
    relapse = np.full(len(draws), np.inf)
    relapse[has] = DAYS[at - 1] + (DAYS[1] - DAYS[0]) * np.clip(part, 0, 1)
    return ~has, relapse, 1 - float(solution.at("survival_high")[-1, -1])


def main() -> int:
    """Print one line a setting; fail where a probability or a distribution of relapse is outside of chance."""
    head = f"{'setting':<34} {'exact':>8} {'stated':>8} {'patients':>8} {'z':>6}"
    print(f"{head} {'median relapse':>18} {'KS':>7} {'p':>6}")
    is_right = True
    for number, (name, cells, birth, deaths) in enumerate(SETTINGS):
        generator = np.random.default_rng(100 + number)
        exact: CloneFates = simulate_clones(cells, birth, deaths, passage=PASSAGE, count=RUNS, generator=generator)
        is_gone, relapse, stated = simulate_model(cells, birth, deaths, generator.exponential(size=RUNS))
        share = exact.is_extinct.mean()
        z = (share - stated) / np.sqrt(stated * (1 - stated) / RUNS)
        seen, shown = exact.passage_day[~exact.is_extinct], relapse[~is_gone]
        compared = ks_2samp(seen, shown)
        medians = f"{np.median(seen):.1f}, {np.median(shown):.1f}"
        line = f"{name:<34} {share:8.4f} {stated:8.4f} {is_gone.mean():8.4f} {z:6.2f} {medians:>18}"
        print(f"{line} {compared.statistic:7.3f} {compared.pvalue:6.3f}", flush=True)
        is_right = is_right and abs(z) < 3.5 and compared.pvalue > SMALLEST_P
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
