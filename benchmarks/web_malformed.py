"""Wrong uploads through the real doors of a real server: how many are refused in a sentence, how many break it.

``python benchmarks/web_malformed.py`` prints one JSON object.
"""

import json
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import httpx

from livingdrug.study.run_trial import run_trial
from livingdrug.study.write_trial import write_trial
from web import start_server

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "src" / "livingdrug" / "study" / "data" / "examples" / "myeloma_late_relapse"
NAMES = ("subjects.csv", "events.csv", "observations.csv")


def collect(folder):
    """Return (door, files) of every wrong upload."""
    sys.path.insert(0, str(ROOT))
    from tests.web.malformed import list_malformed, list_malformed_trials

    good = {name: (EXAMPLE / name).read_bytes() for name in NAMES}
    arm = {"name": "a", "product": "ide_cel", "n": 8}
    design = {"trial": {"name": "One", "disease": "myeloma", "days": 180}, "arm": [arm]}
    write_trial(run_trial(design, jobs=1), folder)
    sent = [(folder / name).read_bytes() for name in ("manifest.json", "outcomes.parquet")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        uploads = [("/api/records", files) for files in list_malformed(good)]
        uploads += [("/records", files) for files in list_malformed(good)[::5]]
        uploads += [("/api/trials/results", files) for files in list_malformed_trials(*sent)]
    return uploads


def run():
    """Send every upload and look at what came back and at what is on the disk."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        uploads = collect(folder / "trial")
        (folder / "watched").mkdir()
        process, url = start_server(folder / "watched" / "data")
        statuses, unclear, traces = Counter(), [], 0
        try:
            with httpx.Client(base_url=url, timeout=120) as client:
                for door, files in uploads:
                    answer = client.post(door, files=[("files", part) for part in files])
                    statuses[f"{door} {answer.status_code}"] += 1
                    traces += "Traceback" in answer.text
                    is_clear = door == "/records" or "hint" in answer.text.lower()
                    if answer.status_code >= 500 or not is_clear:
                        unclear.append((files[0][0], answer.text[:100]))
                client.get("/health").raise_for_status()
        finally:
            process.terminate()
            process.wait(20)
        left = sorted(path.name for path in (folder / "watched" / "data").iterdir())
        outside = sorted(path.name for path in (folder / "watched").iterdir())
    return {
        "uploads": len(uploads),
        "statuses": dict(statuses),
        "tracebacks": traces,
        "unclear": unclear[:5],
        "in_the_data_folder": left,
        "beside_it": outside,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
