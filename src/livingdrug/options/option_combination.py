"""Combinations that harm: refused wherever interventions are put together, by hand or by the simulator."""

from collections.abc import Iterable, Mapping

from livingdrug.core.errors import InputError

HARMFUL: Mapping[str, tuple[tuple[frozenset[str], str], ...]] = {
    "myeloma": ((frozenset({"pd1_inhibitor", "imid"}), "NE-051"),),
}
"""Disease to interventions that must not be given together, with the evidence item."""


def find_harm(disease: str, interventions: Iterable[str]) -> str:
    """Return the evidence item of a harmful combination; empty if there is none.

    Examples
    --------
    >>> find_harm("myeloma", ["imid", "pd1_inhibitor", "steroid"]), find_harm("lbcl", ["imid", "pd1_inhibitor"])
    ('NE-051', '')
    """
    given = set(interventions)
    return next((item for harmful, item in HARMFUL.get(disease, ()) if harmful <= given), "")


def check_combination(disease: str, interventions: Iterable[str]) -> None:
    """Refuse a harmful combination.

    Raises
    ------
    InputError
        With the evidence item.
    """
    given = tuple(interventions)
    item = find_harm(disease, given)
    if item:
        raise InputError(
            f"a combination in {disease} must be one that is not known to harm, but was {' with '.join(sorted(given))} "
            f"({item}: more deaths). Hint: simulate one of them alone, or another option."
        )
