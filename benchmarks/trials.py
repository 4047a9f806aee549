"""How long does it take to index 2,274 trials and to hold a patient against all of them?

Run from the repository's root, with the team's library beside the checkout::

    python benchmarks/trials.py [FILE.ndjson]

The records of the file are repeated under new numbers, each text with its number added, until there are 2,274.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from livingdrug.study.examples import load_example
from livingdrug.study.match_trials import encode_matches, index_trials, match_trials

ROOT = Path(__file__).parents[1]
RECORDS = ROOT.parent / "shared" / "data" / "trials" / "eligibility_60.ndjson"
COUNT = 2274


def write_copies(source: Path, target: Path) -> None:
    """Write the records again and again, each different from the others."""
    lines = source.read_text(encoding="utf-8").splitlines()
    with target.open("w", encoding="utf-8") as file:
        for number in range(COUNT):
            study = json.loads(lines[number % len(lines)])
            section = study["protocolSection"]
            section["identificationModule"]["nctId"] = f"NCT9{number:07d}"
            eligibility = section.setdefault("eligibilityModule", {})
            eligibility["eligibilityCriteria"] = f"{eligibility.get('eligibilityCriteria', '')}\n* Part {number}"
            file.write(json.dumps(study, ensure_ascii=False) + "\n")


def measure(what: str, run: Callable[[], object]) -> None:
    """Run once and print what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(f"{what:45} {time.perf_counter() - wall:6.2f} s wall  {time.process_time() - cpu:6.2f} s CPU")


def main() -> None:
    """Index and match."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    record = load_example("myeloma_late_relapse")
    with tempfile.TemporaryDirectory() as folder:
        copies, index = Path(folder, "copies.ndjson"), Path(folder, "trials.sqlite")
        write_copies(source, copies)
        measure(f"index {COUNT} trials, one process", lambda: index_trials(copies, Path(folder, "one.sqlite")))
        measure(
            f"index {COUNT} trials, {os.cpu_count()} processes",
            lambda: index_trials(copies, index, jobs=os.cpu_count() or 1),
        )
        measure(f"match a patient against {COUNT}", lambda: match_trials(record, index))
        measure("the same, with every criterion as plain data", lambda: encode_matches(match_trials(record, index)))
        measure("search for two words, then match", lambda: match_trials(record, index, search="BCMA myeloma"))


if __name__ == "__main__":
    main()
