r"""The unified model: CAR T cells, tumour clones, environment, markers and drugs, put together.

Each block is a file that can be read and changed by itself:
:mod:`~livingdrug.models.unified.cart`, :mod:`~livingdrug.models.unified.antigen`,
:mod:`~livingdrug.models.unified.environment`, :mod:`~livingdrug.models.unified.markers`,
:mod:`~livingdrug.models.unified.drugs`, :mod:`~livingdrug.models.unified.extinction`,
:mod:`~livingdrug.models.unified.observe`. What passes between them is written here.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model
from livingdrug.models.unified import antigen, cart, drugs, environment, extinction, markers
from livingdrug.models.unified.observe import OUTPUTS, observe
from livingdrug.models.unified.observe import PARAMETERS as OBSERVATION_PARAMETERS


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return rates of change. Floats or symbols in, the same kind out."""
    families = extinction.compute_families(y, p)
    alive = extinction.compute_alive(families, p)
    shown = extinction.compute_shown(y, p, families, alive)
    burden = shown[0] + shown[1] + shown[2]
    growth = antigen.compute_growth(burden, p)
    hazard = antigen.compute_hazard(
        p, killers=cart.compute_killers(y, p), permission=environment.compute_kill_permission(y), burden=burden
    )
    kills = tuple(hazard * efficiency for efficiency in antigen.compute_killing(p))
    deaths = tuple(kill + p.h_next + p.kx * p.r * (1 - is_alive) for kill, is_alive in zip(kills, alive, strict=True))
    flux = kills[0] * shown[0] + kills[1] * shown[1] + kills[2] * shown[2]
    return {
        **cart.compute_rates(
            y,
            p,
            drive=antigen.compute_drive(shown, y, p),
            permission=environment.compute_growth_permission(y, p),
            suppression=y.suppression,
            steroid=drugs.compute_steroid(y, p),
        ),
        **antigen.compute_rates(y, p, growth=growth, deaths=deaths, hazard=hazard),
        **extinction.compute_rates(y, p, growth=growth, deaths=deaths, births={"negative": p.mu * y.tumour_high}),
        **environment.compute_rates(y, p, burden=burden, flux=flux),
        **markers.compute_rates(y, p, shown=shown),
        **drugs.compute_rates(y, p),
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return the states at infusion (day 0)."""
    return {
        **cart.compute_initial(p),
        **antigen.compute_initial(p),
        **extinction.compute_initial(),
        **environment.compute_initial(p),
        **markers.compute_initial(p),
    }


UNIFIED = Model(
    name="unified",
    states=(
        *cart.STATES,
        *antigen.STATES,
        *extinction.STATES,
        *environment.STATES,
        *markers.STATES,
        *drugs.STATES,
    ),
    parameters=(
        *cart.PARAMETERS,
        *antigen.PARAMETERS,
        *extinction.PARAMETERS,
        *environment.PARAMETERS,
        *markers.PARAMETERS,
        *drugs.PARAMETERS,
        *OBSERVATION_PARAMETERS,
    ),
    outputs=OUTPUTS,
    rhs=rhs,
    initial=initial,
    observe=observe,
    source="livingdrug_prototype",
)
