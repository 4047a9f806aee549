"""One registered trial, as far as it is read."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A record of a registry.

    Parameters
    ----------
    nct_id : str
    title, summary : str
    status, updated : str
        Registry status, and the day on which the record was last posted.
    conditions, interventions, phases, countries : tuple of str
    eligibility : str
        The text of the criteria; empty where the record has none.
    minimum_age, maximum_age : str
        As the registry writes them: ``18 Years``.
    sex : str
        ``ALL``, ``FEMALE`` or ``MALE``.
    """

    nct_id: str
    title: str = ""
    summary: str = ""
    status: str = ""
    updated: str = ""
    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    eligibility: str = ""
    minimum_age: str = ""
    maximum_age: str = ""
    sex: str = ""


_UNITS: Mapping[str, float] = {"year": 1.0, "month": 12.0, "week": 52.0, "day": 365.0}


def read_age(text: str) -> float | None:
    """Return an age of the registry in years; None where there is none.

    Examples
    --------
    >>> read_age("18 Years"), read_age("6 Months"), read_age("N/A")
    (18.0, 0.5, None)
    """
    number, _, unit = text.strip().partition(" ")
    share = next((value for name, value in _UNITS.items() if unit.lower().startswith(name)), None)
    try:
        return None if share is None else round(float(number) / share, 3)
    except ValueError:
        return None
