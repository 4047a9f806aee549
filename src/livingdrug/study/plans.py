"""Per disease: which parameters of the unified model are free in one patient, and which marker tells the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    markers : tuple of Marker
        Best first.
    rules : str
        Ruleset with the thresholds of response and progression.
    rise, response, full_response : str
        Names of its thresholds: rise from nadir; fall from baseline that is a response, and one that is enough [%].
    """

    free: tuple[str, ...]
    scales: Mapping[str, str]
    markers: tuple[Marker, ...]
    rules: str
    rise: str
    response: str
    full_response: str


SETTINGS = "explanation/1"
"""Ruleset with the settings of an explanation."""

FLOOR_SHARE = 0.01
"""Share of a limit that is added to a prediction before its logarithm is taken."""

CAR_T = ("feng", "fM", "alpha", "dM", "xg", "gB")
TUMOUR = ("r", "B0", "S0", "G0", "fraction_low", "fraction_negative", "density_low_ratio", "antigen_density_high")
ASSAYS = ("vcn", "wbc_other")

PLANS: Mapping[str, Plan] = {
    "myeloma": Plan(
        free=(*CAR_T, *TUMOUR, *ASSAYS, "m_protein_0", "flc_involved_0", "sbcma_0"),
        scales={"m_protein": "m_protein_0", "flc_involved": "flc_involved_0", "sbcma": "sbcma_0"},
        markers=(
            Marker("m_protein", "measurable_m_protein", "progression_serum"),
            Marker("flc_involved", "measurable_flc", "progression_flc"),
        ),
        rules="imwg/2016",
        rise="progression_rise",
        response="partial_serum",
        full_response="very_good_serum",
    ),
}


def choose_free(plan: Plan, values: ParameterSet, variables: set[str]) -> tuple[str, ...]:
    """Return the free parameters: those with a spread, and of the scales only those whose marker was measured."""
    unused = {parameter for output, parameter in plan.scales.items() if output not in variables}
    if "antigen_density" not in variables and "antigen_positive_fraction" not in variables:
        unused.add("antigen_density_high")
    if "car_transgene" not in variables:
        unused |= set(ASSAYS)
    known = [name for name, value in values.values.items() if value.spread is not None]
    return tuple(name for name in plan.free if name in known and name not in unused)


def create_noise(settings: Ruleset) -> dict[str, Noise]:
    """Read how each variable is measured: ``log_noise_``, ``logit_noise_`` or ``noise_`` and ``limit_`` of its name."""
    prefixes: tuple[tuple[str, Kind], ...] = (
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
        noise[variable] = Noise(found[1], value.value, limit=level, floor=share * level or 1e-12)
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
