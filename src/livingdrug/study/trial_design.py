"""A virtual trial as a value: arms, treatments, accrual, visits, drop-out, deaths, criteria.

It is written by hand as TOML and read by :mod:`livingdrug.study.trial_design_reading`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from livingdrug.core.randomness import derive_generator
from livingdrug.core.ruleset import OptionValue

DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_YEAR = 365.25
CRITERIA: Mapping[str, str] = {"myeloma": "imwg/2016", "lbcl": "lugano/2014", "mcl": "lugano/2014", "b_all": "all"}
"""By disease; a family without a version stands for its only one."""
PROGRESSION = "progression"


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """Something that is done to patients of an arm.

    Parameters
    ----------
    type : str
        As the record spells it: ``second_infusion``, ``tocilizumab``.
    day : float or None
        From infusion; None where the event waits for progression.
    after : float
        Days from the visit that showed progression.
    share : float
        Of the patients who get it.
    is_planned : bool
        True where it belongs to the treatment that is studied: then it is no new therapy, whatever it is.
    """

    type: str
    day: float | None = None
    after: float = 0.0
    amount: float | None = None
    unit: str = ""
    duration_days: float | None = None
    share: float = 1.0
    note: str = ""
    is_planned: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm.

    Parameters
    ----------
    name, product : str
    n : int
        Patients infused.
    cells : float or None
        The dose; None: the usual one, times ``dose_factor``.
    lymphodepletion : float
        1 as usual, 0 none; between them, and beyond, on the scale of the logarithm of the lymphocytes that it leaves.
    burden_factor : float
        Burden at infusion relative to usual: what bridging, or waiting without it, did.
    events : tuple of TrialEvent
    """

    name: str
    product: str
    n: int
    dose_factor: float = 1.0
    cells: float | None = None
    lymphodepletion: float = 1.0
    burden_factor: float = 1.0
    events: tuple[TrialEvent, ...] = ()

    @property
    def has_second_product(self) -> bool:
        """Whether a product against another antigen is given as well."""
        return any(event.type == "other_car_t" for event in self.events)


@dataclass(frozen=True, slots=True)
class Accrual:
    """When patients are infused, in days of the trial's calendar, and when the data are cut off.

    Parameters
    ----------
    span : float [day]
        Infusions are spread evenly over it, at random.
    cutoff : float or None [day]
        Of the calendar; None: everybody is followed for the days of the trial.
    start : str
        Calendar date of day 0, where dates were given.
    """

    span: float = 0.0
    cutoff: float | None = None
    start: str = ""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Hazards of death, which are not in the model.

    Parameters
    ----------
    per_year : float or None [1/year]
        Of death from other causes, constant; None: as published for the disease and product.
    after_progression_per_year : float or None [1/year]
        Of death after progression; None: as published for the disease.
    """

    per_year: float | None = None
    after_progression_per_year: float | None = None


@dataclass(frozen=True, slots=True)
class AssayChange:
    """What differs from the disease's usual plan in how one variable is measured; None: as usual."""

    variable: str
    days: tuple[float, ...] | None = None
    every: float | None = None
    noise: float | None = None
    lloq: float | None = None
    is_measured: bool = True


@dataclass(frozen=True, slots=True)
class Visits:
    """What differs from the disease's usual plan of visits; None: as usual.

    Parameters
    ----------
    every : float or None [day]
        Between assessments of the disease.
    attendance : float or None
        Chance that a visit takes place.
    assays : tuple of AssayChange
    """

    every: float | None = None
    attendance: float | None = None
    assays: tuple[AssayChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plausible:
    """What is known of real patients, to which virtual ones are weighed.

    Parameters
    ----------
    column : str
        A number of the outcomes: ``burden``, ``car_t_cells_max``, ``age_years``.
    lower, upper : float or None
        A patient outside has weight 0.
    mean : float or None
        What the weighted mean of the column must be; of its logarithm where ``with_logarithm``, so that it is the
        geometric mean that is stated.
    with_logarithm : bool
    arms : tuple of str
        All where empty.
    """

    column: str
    lower: float | None = None
    upper: float | None = None
    mean: float | None = None
    with_logarithm: bool = False
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """A virtual trial.

    Parameters
    ----------
    name, disease : str
    days : float
        Follow-up after infusion, at most.
    seed : int
    arms : tuple of Arm
    criteria : str
        ``name/version``.
    options : mapping
        Of the criteria, of the endpoints, and of the classes of failure.
    accrual : Accrual
    visits : Visits
    dropout_per_year : float
        Hazard of leaving the trial [1/year].
    deaths : Deaths
    plausible : tuple of Plausible

    Examples
    --------
    >>> design = TrialDesign("One arm", "myeloma", 365.0, 1, (Arm("ide", "ide_cel", 10),), "imwg/2016")
    >>> design.arm("ide").n, design.n
    (10, 10)
    """

    name: str
    disease: str
    days: float
    seed: int
    arms: tuple[Arm, ...]
    criteria: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    accrual: Accrual = Accrual()
    visits: Visits = Visits()
    dropout_per_year: float = 0.0
    deaths: Deaths = Deaths()
    plausible: tuple[Plausible, ...] = ()

    @property
    def n(self) -> int:
        """Patients of all arms."""
        return sum(arm.n for arm in self.arms)

    def arm(self, name: str) -> Arm:
        """Return an arm by name."""
        return next(arm for arm in self.arms if arm.name == name)

    def to_dict(self) -> dict[str, Any]:
        """Return the design as plain values."""
        return asdict(self)

    def digest(self) -> str:
        """Return a hash of everything in the design."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True, default=list).encode()).hexdigest()


def derive_arm_seed(seed: int, arm: str) -> int:
    """Return the seed of an arm's people: arms are other people, whichever arms there are beside.

    Examples
    --------
    >>> derive_arm_seed(1, "a") == derive_arm_seed(1, "b")
    False
    """
    return int(derive_generator(seed, "arm", arm).integers(2**62))
