"""Read back what a trial wrote: its outcomes and the manifest that says what ran."""

import json
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter, ValidationError

from livingdrug.core.errors import Fault, InputError
from livingdrug.study.trial_design import TrialDesign
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.trial_result_rates import COLUMNS

MANIFEST, OUTCOMES = "manifest.json", "outcomes.parquet"
NEEDED = ("arm", "subject_id", "failure_day", "last_assessment_day", *COLUMNS)


def read_trial(folder: Path) -> TrialResult:
    """Read the folder that ``livingdrug trial --out`` wrote.

    Raises
    ------
    InputError
        With every fault of the manifest, or with the columns that the outcomes lack.

    Examples
    --------
    >>> import tempfile
    >>> from livingdrug.study.run_trial import run_trial
    >>> from livingdrug.study.write_trial import write_trial
    >>> arm = {"name": "ide", "product": "ide_cel", "n": 8}
    >>> result = run_trial({"trial": {"name": "One", "disease": "myeloma", "days": 180}, "arm": [arm]}, jobs=1)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     paths = write_trial(result, Path(place))
    ...     again = read_trial(Path(place))
    ...     again.design == result.design, again.outcomes.equals(result.outcomes)
    (True, True)
    """
    missing = [name for name in (MANIFEST, OUTCOMES) if not (folder / name).is_file()]
    if missing:
        faults = [Fault(name, "must be there", "missing", "give the folder of `livingdrug trial`") for name in missing]
        raise InputError.from_faults("the trial", faults)
    manifest = _read_manifest(folder / MANIFEST)
    design = _read_design(manifest.get("design"))
    try:
        outcomes = pl.read_parquet(folder / OUTCOMES, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            f"`{OUTCOMES}` must be a Parquet file, but could not be read. Hint: send the file that the trial wrote."
        ) from error
    _check_outcomes(outcomes, design)
    return TrialResult(design, outcomes.lazy(), manifest)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"`{MANIFEST}` must be JSON, but is not. Hint: send the file that the trial wrote.") from error
    if not isinstance(found, dict):
        raise InputError(f"`{MANIFEST}` must be an object, but was {type(found).__name__}. Hint: send the trial's own.")
    expected = {"failures": dict, "packages": dict, "options": dict, "assumed": list, "sources": list}
    wrong = [name for name, kind in expected.items() if not isinstance(found.get(name, kind()), kind)]
    if wrong:
        raise InputError(
            f"`{MANIFEST}` must be as a trial wrote it, but {', '.join(wrong)} is not. Hint: send it again."
        )
    return found


def _read_design(plain: Any) -> TrialDesign:
    try:
        return TypeAdapter(TrialDesign).validate_python(plain)
    except ValidationError as error:
        hint = "send the manifest that the trial wrote"
        faults = [
            Fault(f"design.{'.'.join(map(str, item['loc']))}", item["msg"], repr(item.get("input"))[:60], hint)
            for item in error.errors()
        ]
        raise InputError.from_faults(MANIFEST, faults) from error


def _check_outcomes(outcomes: pl.DataFrame, design: TrialDesign) -> None:
    faults = [
        Fault(f"{OUTCOMES}.{name}", "must be a column", "missing", "send the file that the trial wrote")
        for name in dict.fromkeys(NEEDED)
        if name not in outcomes.columns
    ]
    if not faults:
        known = {arm.name for arm in design.arms}
        strange = sorted(set(map(str, outcomes["arm"].unique())) - known)
        if strange:
            hint = f"the design has {', '.join(sorted(known))}"
            faults.append(Fault(f"{OUTCOMES}.arm", "must be an arm of the design", ", ".join(strange[:3]), hint))
    if faults:
        raise InputError.from_faults("the trial", faults)
