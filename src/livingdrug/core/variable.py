"""One thing that is measured: its name, unit, range and words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that is measured.

    Parameters
    ----------
    name : str
    unit : str
        Canonical; empty where values are words.
    meaning : str
    lower, upper : float
        What no measurement goes beyond. Chosen generously by this project: a value outside stands in
        another unit than its row says.
    words : tuple of str
        Values of a variable that is not a number.
    molar_mass : float, optional [g/mol]
        Converts amounts of substance.
    charge : int
        Of an ion: how many equivalents a mole is; 0 for everything else.
    has_detail : bool
        May name what it is of: ``antigen_density:BCMA``, ``target_lesion:T01``.
    """

    name: str
    unit: str
    meaning: str
    lower: float = 0.0
    upper: float = float("inf")
    words: tuple[str, ...] = ()
    molar_mass: float | None = None
    has_detail: bool = False
    charge: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers, which need no unit: scores and counts."""
        return self.unit in {"score", "count"}
