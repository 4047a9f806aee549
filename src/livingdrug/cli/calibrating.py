"""The command ``calibrate``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from livingdrug.cli.arguments import DONE, tell

if TYPE_CHECKING:
    import numpy as np

    from livingdrug.study.calibration_plan import CalibrationPlan


def read_pair(text: str) -> tuple[str, str]:
    """Split ``DISEASE/PRODUCT``."""
    disease, sign, product = text.partition("/")
    if not (disease and sign and product):
        raise argparse.ArgumentTypeError(f"must be DISEASE/PRODUCT, but was {text!r}")
    return disease, product


def run_calibrate(arguments: argparse.Namespace) -> int:
    """Calibrate the plan that a disease and product belong to; write value files and the table of targets."""
    from livingdrug.study.calibration import calibrate
    from livingdrug.study.calibration_plan import find_plan, leave_out
    from livingdrug.study.write_calibration import format_targets, tabulate_targets, write_values

    block = "toxicity" if arguments.toxicity else "inflammation" if arguments.inflammation else "unified"
    plan = find_plan(*arguments.pair, block=block)
    own = None
    if arguments.without is not None:
        plan, own = leave_out(plan, arguments.without)
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / f"{plan.name}.state.json"
    if not arguments.resume:
        state.unlink(missing_ok=True)
    tell(f"Calibrating {', '.join(plan.sets)} to {len(plan.targets)} published results")
    found = calibrate(
        plan,
        from_prior=own is not None,
        threads=arguments.jobs,
        state=state,
        progress=lambda step, loss: tell(f"Step {step}: sum of squares {loss:.1f}"),
    )
    table = tabulate_targets(plan, found)
    table.write_csv(folder / f"{plan.name}.targets.csv")
    written = write_values(plan, found.z, folder)
    print(format_targets(table))
    print(f"\n  {int(table['inside'].sum())} of {len(table)} published results are met.")
    if own is not None:
        _predict(own, found.z, arguments.jobs)
    for path in written:
        print(f"  Values: {path}", file=sys.stderr)
    return DONE


def _predict(own: "CalibrationPlan", z: "np.ndarray", jobs: int | None) -> None:
    """Print the results of a trial that the calibration has not seen."""
    from livingdrug.study.calibration import predict
    from livingdrug.study.write_calibration import format_targets, tabulate_targets

    table = tabulate_targets(own, predict(own, z, threads=jobs))
    print(f"\n{format_targets(table)}")
    print(f"\n  {int(table['inside'].sum())} of {len(table)} results of the trial that was left out are met.")
