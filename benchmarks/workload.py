"""Ten thousand virtual patients of the unified model, 730 days, 100 report times."""

import numpy as np
from equations import trace

from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED
from reference import Workload

DAYS = 730.0
REPORT_TIMES = 100
LOOKED_AT = ("car_t_cells", "tumour_cells")


def sample_parameters(values: ParameterSet, count: int, seed: int) -> np.ndarray:
    """Draw virtual patients, (patient, parameter); correlations between parameters do not matter here."""
    typical = bind(UNIFIED, values)
    drawn = np.tile(typical, (count, 1))
    rng = np.random.default_rng(seed)
    for column, quantity in enumerate(UNIFIED.parameters):
        spread = values.values[quantity.name].spread
        if spread is None:
            continue
        noise = spread.sd * rng.standard_normal(count)
        middle = typical[column]
        if spread.kind == "lognormal":
            drawn[:, column] = middle * np.exp(noise)
        elif spread.kind == "logitnormal":
            drawn[:, column] = 1 / (1 + (1 / middle - 1) * np.exp(-noise))
        else:
            drawn[:, column] = middle + noise
    return drawn


def build_workload(set_name: str, patients: int, seed: int = 1) -> Workload:
    """Return the benchmark's work for a packaged parameter set."""
    parameters = sample_parameters(load_parameters(set_name), patients, seed)
    column = UNIFIED.parameter_names.index
    one_cell = np.array([1 / parameters[0, column("blood_scale")], 1.0])
    times = np.linspace(0.0, DAYS, REPORT_TIMES + 1)[1:]
    return Workload(trace(UNIFIED, LOOKED_AT), parameters, times, LOOKED_AT, one_cell)
