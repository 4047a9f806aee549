"""Per disease: which parameters of the unified model are free in one patient, and which marker tells the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from livingdrug.core.parameters import ParameterSet
from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.evidence import Limits
from livingdrug.fit.likelihood import Kind, Noise


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker that may tell the outcome: the model's output, and the names of its thresholds in the ruleset."""

    output: str
    measurable: str
    absolute: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a disease is fitted and judged.

    Parameters
    ----------
    free : tuple of str
        Parameters that differ between patients and shape a course; those without a spread in the set stay typical.
    scales : mapping of output to parameter
        Markers whose level at baseline is a parameter of its own.
    nuisance : mapping of variable to parameters
        Free as well where the variable was measured: what lies between the patient and the assay.
    markers : tuple of Marker
        Best first.
    rules : str
        Ruleset with the thresholds of response and progression.
    rise, response, full_response : str
        Names of its thresholds: rise from nadir; fall from baseline that is a response, and one that is enough [%].
    level : str
        Name of a threshold below which the marker itself must fall, and above which it has come back; empty where
        response is a fall from baseline.
    names : mapping of variable to output
        Variables that the model calls otherwise.
    """

    free: tuple[str, ...]
    scales: Mapping[str, str]
    markers: tuple[Marker, ...]
    rules: str
    rise: str = ""
    response: str = ""
    full_response: str = ""
    level: str = ""
    nuisance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


SETTINGS = "explanation/1"
"""Ruleset with the settings of an explanation."""

ROBUST_FREEDOM = 4.0
"""Of the Student t where noise is to be robust; assumed. A value six standard deviations off then pulls less than one
that is two off."""
FLOOR_SHARE = 0.01
"""Share of a limit that is added to a prediction before its logarithm is taken."""

COUNTED: Mapping[str, tuple[str, float]] = {"mrd": ("marrow_plasma_cells", 100.0)}
"""Variables that count cells, the output that predicts them, and its units in one of theirs."""

CAR_T = ("feng", "fM", "rE", "Kn", "N0", "alpha", "dM", "xg", "gB")
TUMOUR = ("r", "B0", "S0", "G0", "fraction_low", "fraction_negative", "density_low_ratio", "antigen_density_high")
ASSAYS = ("vcn", "wbc_other")
B_CELLS = ("H0", "b_cells_0")
MARROW = ("marrow_other",)

PLANS: Mapping[str, Plan] = {
    "myeloma": Plan(
        free=(*CAR_T, *TUMOUR, "m_protein_0", "flc_involved_0", "sbcma_0"),
        scales={"m_protein": "m_protein_0", "flc_involved": "flc_involved_0", "sbcma": "sbcma_0"},
        nuisance={"car_transgene": ASSAYS, "marrow_plasma_cells": MARROW},
        markers=(
            Marker("m_protein", "measurable_m_protein", "progression_serum"),
            Marker("flc_involved", "measurable_flc", "progression_flc"),
        ),
        rules="imwg/2016",
        rise="progression_rise",
        response="partial_serum",
        full_response="very_good_serum",
    ),
    "lbcl": Plan(
        free=(*CAR_T, *TUMOUR),
        scales={},
        nuisance={"car_transgene": ASSAYS, "b_cells": B_CELLS},
        markers=(Marker("tumour_spd", "", "sum_least"),),
        rules="lugano/2014",
        rise="lesion_rise",
        response="partial_fall",
        full_response="partial_fall",
        names={"metabolic_tumour_volume": "tumour_volume"},
    ),
    "b_all": Plan(
        free=(*CAR_T, *TUMOUR),
        scales={},
        nuisance={"car_transgene": ASSAYS, "b_cells": B_CELLS, "marrow_plasma_cells": MARROW},
        markers=(Marker("marrow_plasma_cells", "", ""),),
        rules="all/nccn-eln",
        level="marrow_remission",
        names={"marrow_blasts": "marrow_plasma_cells"},
    ),
}


def choose_free(plan: Plan, values: ParameterSet, variables: set[str]) -> tuple[str, ...]:
    """Return the free parameters: those with a spread, and of scales and nuisances only those that were measured."""
    unused = {parameter for output, parameter in plan.scales.items() if output not in variables}
    known = [name for name, value in values.values.items() if value.spread is not None]
    extra = [name for variable, names in plan.nuisance.items() if variable in variables for name in names]
    return tuple(name for name in (*plan.free, *extra) if name in known and name not in unused)


def create_noise(settings: Ruleset, *, robust: bool = False) -> dict[str, Noise]:
    """Read how each variable is measured: ``log_noise_``, ``logit_noise_`` or ``noise_`` and ``limit_`` of its name.

    ``count_noise_`` is the overdispersion of counted cells; a count stands for the output of `COUNTED`. Where it is to
    be ``robust``, measured values follow a Student t of `ROBUST_FREEDOM`.
    """
    prefixes: tuple[tuple[str, Kind], ...] = (
        ("count_noise_", "count"),
        ("log_noise_", "lognormal"),
        ("logit_noise_", "logitnormal"),
        ("noise_", "additive"),
    )
    noise: dict[str, Noise] = {}
    for key, value in settings.thresholds.items():
        found = next(((prefix, kind) for prefix, kind in prefixes if key.startswith(prefix)), None)
        if found is None:
            continue
        variable = key.removeprefix(found[0])
        limit = settings.thresholds.get(f"limit_{variable}")
        level = 0.0 if limit is None else limit.value
        share = 1.0 if found[1] == "logitnormal" else FLOOR_SHARE
        output, factor = COUNTED.get(variable, ("", 1.0))
        floor = 1e-12 if found[1] == "count" else share * level or 1e-12
        freedom = ROBUST_FREEDOM if robust else inf
        noise[variable] = Noise(
            found[1], value.value, limit=level, floor=floor, output=output, factor=factor, freedom=freedom
        )
    return noise


def create_limits(settings: Ruleset) -> Limits:
    """Read where a measurement starts to speak by itself."""
    return Limits(
        antigen_fraction=settings.threshold("antigen_fraction_lost"),
        antigen_fall=settings.threshold("antigen_density_fall"),
        b_cells=settings.threshold("b_cells_returned"),
        exhausted=settings.threshold("pd1_tim3_high"),
        doubling=settings.threshold("fast_doubling"),
    )


def list_landmarks(settings: Ruleset) -> tuple[float, ...]:
    """Return the landmarks of counterfactual follow-up [day], increasing."""
    return tuple(sorted(v.value for name, v in settings.thresholds.items() if name.startswith("landmark_")))


def list_levels(settings: Ruleset) -> tuple[float, ...]:
    """Return the reference quantiles of a switched-off mechanism, increasing."""
    return tuple(sorted(v.value for name, v in settings.thresholds.items() if name.startswith("reference_")))
