"""Read a trial that somebody sent in a process of its own, with limits of time and memory.

``python -m livingdrug.web.trial_parsing FOLDER BYTES SECONDS`` prints one JSON object: an overview, or the faults.
"""

import json
import sys
from pathlib import Path
from typing import Any

from livingdrug.web.parsing import read_with_limits


def describe_trial(folder: Path) -> dict[str, Any]:
    """Read a trial, compute all that its page shows, and return what it is.

    Raises
    ------
    InputError
        With every fault.
    """
    from livingdrug.report.trial_document import collect_trial, draw_trial
    from livingdrug.study.read_trial import read_trial

    result = read_trial(folder)
    fields = collect_trial(result, ())
    figures = draw_trial(result)
    return {"title": fields["title"], "headline": fields["headline"], "figures": len(figures)}


if __name__ == "__main__":
    place, memory, seconds = sys.argv[1:]
    print(json.dumps(read_with_limits(describe_trial, Path(place), int(memory), int(seconds))))
