"""Matched trials for the terminal: what excludes, what is open and whom to ask, and what no machine read."""

from collections.abc import Sequence

from livingdrug.io.trial_index import IndexedTrial
from livingdrug.options.trial_match import EXCLUDED, TrialMatch


def format_matches(found: Sequence[tuple[IndexedTrial, TrialMatch]], shown: int) -> str:
    """Return the trials that are not excluded, as many as asked for, and how many are."""
    kept = [(trial, match) for trial, match in found if match.result != EXCLUDED]
    lines = [f"{len(found)} trials: {len(kept)} without a criterion that excludes, {len(found) - len(kept)} excluded."]
    for trial, match in kept[:shown]:
        lines += ["", *_format_trial(trial, match)]
    if len(kept) > shown:
        lines += ["", f"... and {len(kept) - shown} more; `--json` prints every trial with every criterion."]
    lines += ["", "Registry records as indexed; status may have changed. Nothing here says that a patient is eligible."]
    return "\n".join(lines)


def _format_trial(trial: IndexedTrial, match: TrialMatch) -> list[str]:
    dated = f", record of {trial.updated}" if trial.updated else ""
    lines = [f"{trial.nct_id}  {trial.title}", f"  {trial.status or 'status not stated'}{dated}"]
    lines.append(f"  {match.sentence}; {match.counts['met']} met")
    return lines + [f"  ask: {question}" for question in match.asks]
