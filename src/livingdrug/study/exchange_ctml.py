"""Trials from and to CTML, the language in which MatchMiner writes what a trial asks."""

from pathlib import Path

from livingdrug.core.errors import Fault
from livingdrug.io.clinical_trials import read_trials
from livingdrug.io.ctml import read_ctml, write_ctml
from livingdrug.io.trial_index import write_trial_index
from livingdrug.options.trial_criteria import list_criteria
from livingdrug.study.match_trials import INDEX


def export_ctml(source: Path | str, folder: Path | str) -> tuple[int, list[Fault]]:
    """Read records of ClinicalTrials.gov and write each as a document of CTML.

    Parameters
    ----------
    source : Path or str
        A file or folder in the form of the API, version 2.
    folder : Path or str
        Where one JSON file a trial is written.

    Returns
    -------
    count : int
    faults : list of Fault
    """
    records, faults = read_trials(source)
    return write_ctml(folder, [(record, list_criteria(record)) for record in records]), faults


def import_ctml(source: Path | str, index: Path | str = INDEX) -> tuple[int, list[Fault]]:
    """Read documents of CTML and write their trials into a local index, beside what it holds of others."""
    trials, faults = read_ctml(source)
    return write_trial_index(index, trials), faults
