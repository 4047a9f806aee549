"""A trial's results as files: tables for people and for statistics, and the manifest."""

import json
from pathlib import Path

from livingdrug.study.trial_result import TrialResult
from livingdrug.study.trial_result_targets import tabulate_targets


def write_trial(result: TrialResult, folder: Path) -> tuple[Path, ...]:
    """Write outcomes.parquet, endpoints.csv, km.csv, failures.csv, targets.csv and manifest.json.

    Plausibility weights, where there are any, go into weights.csv.

    Returns
    -------
    paths : tuple of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = folder / "outcomes.parquet"
    unfinished = outcomes.with_suffix(".unfinished")
    result.frame.sink_parquet(unfinished, compression="zstd", maintain_order=True)
    unfinished.replace(outcomes)
    written = [outcomes]
    tables = {
        "endpoints": result.endpoints,
        "km": result.curves,
        "failures": result.failures,
        "targets": tabulate_targets(result),
    }
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        table.write_csv(path)
        written.append(path)
    weights = folder / "weights.csv"
    weights.unlink(missing_ok=True)
    if result.design.plausible:
        result.weights.write_csv(weights)
        written.append(weights)
    manifest = folder / "manifest.json"
    text = json.dumps(dict(result.manifest), indent=2, ensure_ascii=False, default=str)
    manifest.write_text(f"{text}\n", encoding="utf-8")
    return (*written, manifest)
