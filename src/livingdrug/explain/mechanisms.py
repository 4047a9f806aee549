"""The catalogue of mechanisms: what each one is, which parameters carry it, and what "switched off" means.

A mechanism is switched off by moving its parameters to a *reference*, everything else unchanged:

``favourable``
    A favourable quantile of patients given this product for this disease: first the median (the typical
    patient), then better ones where the typical patient would have failed as well. A parameter that is
    already better stays where it is.
``absent``
    As if the thing were not there: no antigen-low clone, no antigen-negative clone.
``endless``
    As if the drug had no effect: its half-effect concentration is out of reach.

Expansion and persistence share the loss of effectors: up to the day on which the typical patient of the product peaks
it belongs to expansion, afterwards, as `AFTER_PEAK`, to persistence. Who expanded as well as the reference, however
that came about, did not fail by lack of expansion: its parameters move together (``merit``). The peak may
fall a little all the same (in 4 to 12 of 100 patients, by a quarter at most), for merit knows no crowding.

``needs`` names measurements without which a mechanism cannot be told from others of its group; without
them only the group is named. Why these: in the identifiability study of this model, potency, exhaustion
and suppression were told apart only with phenotypes of CAR T cells and environment; and nobody should call a
target lost, or low, who has not looked at it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit, ndtri

from livingdrug.core.outcome import Mechanism
from livingdrug.fit.problem import Free

Better = Literal["higher", "lower", "absent", "endless"]

AFTER_PEAK = "alpha_after_peak"
"""The loss of effectors from the day of the typical peak on: before it, the same loss keeps them from multiplying."""

ANTIGEN = ("antigen_positive_fraction", "antigen_density")
"""What tells lost from low: seen on tumour cells after infusion, for therapy changes it."""

WINDOW = 10.0
"""Days over which effectors multiply: products peak on day 6 to 11."""

ENDLESS = 1e9
"""Factor by which a half-effect concentration is raised to take an effect away."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One mechanism that may explain a failure.

    Parameters
    ----------
    mechanism : Mechanism
    words : str
        What it is, for a reader; completes "The most probable reason is ...".
    parameters : tuple of (name, better)
        Parameters that carry it; ``better`` says in which direction lies the favourable quantile,
        or that the reference is the parameter's absence.
    needs : tuple of str
        Variables of which at least one must be observed before the mechanism is named by itself.
    follow : tuple of str
        Parameters that change by the same factor as the first of ``parameters``: a smaller tumour makes less marker.
    event : str
        Type of event without which the mechanism is not examined: no steroid was given, no steroid is to blame.
    merit : function, optional
        What the parameters achieve together, from a function that reads them by name. Where the reference achieves more
        they all move to it; where it does not, none moves. Without it, each moves where its own reference is better.
    """

    mechanism: Mechanism
    words: str
    parameters: tuple[tuple[str, Better], ...]
    needs: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()
    event: str = ""
    merit: Callable[[Callable[[str], np.ndarray]], np.ndarray] | None = None


def measure_expansion(read: Callable[[str], np.ndarray]) -> np.ndarray:
    """Return the logarithm of the effectors that come of an infused cell while there is room.

    >>> float(measure_expansion({"feng": np.array(1.0), "rE": np.array(0.5), "alpha": np.array(0.25)}.__getitem__))
    2.5
    """
    return np.asarray(np.log(read("feng")) + WINDOW * (read("rE") - read("alpha")))


CATALOGUE: tuple[Candidate, ...] = (
    Candidate(
        Mechanism.EXPANSION,
        "too little expansion: few infused cells engrafted and multiplied",
        (("feng", "higher"), ("rE", "higher"), ("alpha", "lower")),
        merit=measure_expansion,
    ),
    Candidate(
        Mechanism.PERSISTENCE,
        "lost persistence: the CAR T cells were gone too early",
        ((AFTER_PEAK, "lower"), ("dM", "lower"), ("fM", "higher")),
    ),
    Candidate(
        Mechanism.POTENCY,
        "low potency: the CAR T cells were there and killed poorly",
        (("gB", "higher"),),
        needs=("pd1_tim3_fraction",),
    ),
    Candidate(
        Mechanism.EXHAUSTION,
        "exhaustion: effector cells lost their function",
        (("xg", "lower"),),
        needs=("pd1_tim3_fraction",),
    ),
    Candidate(
        Mechanism.ANTIGEN_NEGATIVE,
        "loss of the target: tumour cells without the target grew out",
        (("fraction_negative", "absent"), ("mu", "absent")),
        needs=ANTIGEN,
    ),
    Candidate(
        Mechanism.ANTIGEN_LOW,
        "antigen-low escape: tumour cells with little target grew out",
        (("fraction_low", "absent"), ("antigen_density_high", "higher")),
        needs=ANTIGEN,
    ),
    Candidate(
        Mechanism.SUPPRESSION,
        "suppression: the tumour's environment held the CAR T cells back",
        (("S0", "lower"), ("G0", "lower")),
        needs=("pd1_tim3_fraction", "mdsc_fraction", "tgf_beta"),
    ),
    Candidate(
        Mechanism.TUMOUR_GROWTH,
        "fast tumour growth: the tumour outgrew what killing could reach",
        (("r", "lower"),),
    ),
    Candidate(
        Mechanism.TUMOUR_BURDEN,
        "a high tumour burden at infusion",
        (("B0", "lower"),),
        follow=("m_protein_0", "flc_involved_0", "sbcma_0"),
    ),
    Candidate(
        Mechanism.LYMPHODEPLETION,
        "too little lymphodepletion: host lymphocytes left no room",
        (("N0", "lower"), ("Kn", "higher")),
    ),
    Candidate(
        Mechanism.STEROIDS,
        "steroids: they cost CAR T cells",
        (("KD", "endless"),),
        event="corticosteroid",
    ),
)


def compute_reference(free: Free, better: Better, quantile: float) -> float:
    """Return the value at which a parameter stands when its mechanism is switched off.

    Parameters
    ----------
    quantile : float
        Upper quantile of the spread between patients, 0.75 for instance, taken in the favourable direction.

    Examples
    --------
    >>> round(compute_reference(Free("gB", 0, "lognormal", 2.0, 1.0), "higher", 0.75), 3)
    3.926
    """
    if better == "absent":
        return 0.0
    z = float(ndtri(quantile)) * (1.0 if better == "higher" else -1.0)
    if free.scale == "lognormal":
        return float(free.typical * np.exp(free.sd * z))
    if free.scale == "logitnormal":
        return float(expit(logit(free.typical) + free.sd * z))
    return free.typical + free.sd * z
