"""Make the packaged example records: synthetic patients of the simulator with one known reason to fail.

Run from the repository root: ``python examples/make_examples.py``. The same seeds give the same files.

Each is the typical myeloma patient given ide-cel but for a few parameters, written here in spreads
between patients from typical; then visits, noise and limits of quantification are simulated.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, logit

from livingdrug.core.parameters import Value
from livingdrug.core.tables import Record
from livingdrug.io.tables import write_record
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.explain_failure import explain_failure
from livingdrug.study.simulate_patient import simulate_patient

DISEASE, PRODUCT = "myeloma", "ide_cel"
FOLDER = Path("src/livingdrug/study/data/examples")


@dataclass(frozen=True)
class Example:
    """A synthetic patient: where its parameters stand, in spreads from typical, and the seed of its noise."""

    name: str
    departures: dict[str, float]
    seed: int


EXAMPLES = (
    Example("myeloma_late_relapse", {"fraction_low": -0.7, "density_low_ratio": -2.0, "gB": 1.0}, seed=11),
    Example("myeloma_early_relapse", {"alpha": 2.5, "gB": 1.0, "r": 1.3}, seed=16),
    Example("myeloma_primary_resistance", {"xg": 2.0}, seed=16),
)


def place(value: Value, spreads: float) -> float:
    """Return the value that stands so many spreads from typical."""
    assert value.spread is not None
    if value.spread.kind == "logitnormal":
        return float(expit(logit(value.value) + value.spread.sd * spreads))
    return float(value.value * np.exp(value.spread.sd * spreads))


def make(example: Example) -> Record:
    """Simulate one example and label every row as synthetic."""
    values = load_parameters(f"unified_{DISEASE}_{PRODUCT}").values
    changes = {name: place(values[name], spreads) for name, spreads in example.departures.items()}
    record = simulate_patient(DISEASE, PRODUCT, changes, subject_id=example.name, seed=example.seed)
    label = pl.lit("synthetic: livingdrug simulator")
    return Record(
        record.subjects.with_columns(source=label),
        record.events,
        record.observations.with_columns(pl.col("value", "lloq").round_sig_figs(4), source=label),
        source="synthetic",
    )


def main() -> None:
    """Simulate, write, and say what each record is explained by."""
    for example in EXAMPLES:
        record = make(example)
        write_record(record, FOLDER / example.name)
        found = explain_failure(record, seed=1)
        sys.stdout.write(f"{example.name}: {found.failure_class} on day {found.failure_day}: {found.answered}\n")


if __name__ == "__main__":
    main()
