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
    burden = antigen.compute_burden(y)
    growth = antigen.compute_growth(y, p)
    hazard = antigen.compute_hazard(
        y, p, killers=cart.compute_killers(y, p), permission=environment.compute_kill_permission(y)
    )
    efficiency = antigen.compute_killing(p)
    families = extinction.compute_families(y, p)
    removal = extinction.compute_removal(families, p)
    kills = tuple(hazard * e for e in efficiency)
    deaths = (
        kills[0] + p.h_next + removal[0],
        kills[1] + p.h_next + removal[1],
        kills[2] + p.h_next + removal[2],
    )
    flux = kills[0] * y.tumour_high + kills[1] * y.tumour_low + kills[2] * y.tumour_negative
    return {
        **cart.compute_rates(
            y,
            p,
            drive=antigen.compute_drive(y, p),
            permission=environment.compute_growth_permission(y, p),
            suppression=y.suppression,
            steroid=drugs.compute_steroid(y, p),
        ),
        **antigen.compute_rates(y, p, growth=growth, deaths=deaths, hazard=hazard),
        **extinction.compute_rates(y, p, growth=growth, deaths=deaths),
        **environment.compute_rates(y, p, burden=burden, flux=flux),
        **markers.compute_rates(y, p, shown=extinction.compute_shown(y, p, families)),
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
