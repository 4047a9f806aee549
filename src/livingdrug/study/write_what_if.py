"""Keep the start of what-if questions on disk, without pickles: one file of arrays, one of words."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.engine.schedule import Change
from livingdrug.explain.progression import MarkerRule
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.what_if import WhatIfStart

ARRAYS, WORDS = "what_if.npy", "what_if.json"


def write_what_if(start: WhatIfStart, folder: Path) -> None:
    """Write the draws and what belongs to them; the words last, so that they stand only beside complete draws."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / ARRAYS, start.parameters, allow_pickle=False)
    words = {
        "names": UNIFIED.parameter_names,
        "subject_id": start.subject_id,
        "changes": [asdict(change) for change in start.changes],
        "marker": asdict(start.marker),
        "horizon": start.horizon,
        "effective": start.effective,
        "is_converged": start.is_converged,
        "provenance": dict(start.provenance),
    }
    (folder / WORDS).write_text(json.dumps(words, indent=2), encoding="utf-8")


def read_what_if(folder: Path) -> WhatIfStart:
    """Read what :func:`write_what_if` wrote.

    Raises
    ------
    InputError
        If the folder holds none, or one of a model with other parameters.
    """
    if not (folder / WORDS).exists():
        raise InputError(
            f"`{folder.name}` must hold a prepared what-if, but holds none. Hint: explain the record first."
        )
    words = json.loads((folder / WORDS).read_text(encoding="utf-8"))
    if tuple(words["names"]) != UNIFIED.parameter_names:
        raise InputError(
            "A what-if must be of this version's model, but was of another. Hint: explain the record again."
        )
    return WhatIfStart(
        subject_id=words["subject_id"],
        parameters=np.load(folder / ARRAYS, allow_pickle=False),
        changes=tuple(Change(**change) for change in words["changes"]),
        marker=MarkerRule(**words["marker"]),
        horizon=words["horizon"],
        effective=words["effective"],
        is_converged=words["is_converged"],
        provenance=words["provenance"],
    )
