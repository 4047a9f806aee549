"""What each kind of option does to the model: steps on its states and parameters, and when it starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from livingdrug.core.model import Model
from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.models.unified.antigen import compute_efficiency
from livingdrug.models.unified.interventions import CAR_T, SECOND
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.two_targets import TWO_TARGETS
from livingdrug.study.option_courses import (
    QUANTILES,
    Start,
    Steps,
    compute_strengths,
    extend_to_two_targets,
    give_natural_killers,
)

WEEK = 7.0
_EFFICIENCY = np.vectorize(compute_efficiency, otypes=[float])


@dataclass(frozen=True, slots=True)
class Plan:
    """An option made ready to run: its steps after the start, the delay before it, and the model it needs."""

    steps: Steps
    delay: float
    strengths: int = 1
    model: Model = UNIFIED
    parameters: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan is made from."""

    option: Option
    start: Start
    settings: Ruleset
    densities: Mapping[str, float]

    def column(self, name: str) -> np.ndarray:
        """Return one parameter of every draw, (draw, 1)."""
        return self.start.parameters[:, [UNIFIED.parameter_names.index(name)]]

    def value(self, name: str) -> float:
        """Return one packaged value of the option."""
        return float(self.option.simulation.values[name]["value"])


def _deplete(one: Setting, states: tuple[str, ...], day: float) -> Steps:
    survival = one.column("ld_survival")
    return [(-day, name, "multiply", survival) for name in ("host_lymphocytes", *states)]


def plan_nothing(one: Setting) -> Plan:
    """No further therapy, looked at from the same day on."""
    return Plan((), one.settings.threshold("delay_drug"))


def _set_potency(one: Setting, name: str, potency: np.ndarray) -> tuple[Steps, int]:
    """How well new cells kill what the first ones left, relative to their own potency; as it is where not fitted."""
    if "potency" not in one.option.simulation.values:
        return (), 1
    strengths = compute_strengths(one.value("potency"), one.value("potency_spread"))
    return [(0.0, name, "set", potency * strengths[None, :])], len(QUANTILES)


def plan_second_infusion(one: Setting, *, with_lymphodepletion: bool = True) -> Plan:
    """Infuse the first product again, at its first dose."""
    before = one.settings.threshold("lymphodepletion_before")
    steps = list(_deplete(one, CAR_T, before)) if with_lymphodepletion else []
    cells = one.column("dose") / one.column("blood_scale")
    potency, strengths = _set_potency(one, "gB", one.column("gB"))
    whole = [*steps, *potency, (0.0, "cart_infused", "add", cells)]
    return Plan(whole, one.settings.threshold("delay_stored"), strengths=strengths)


def _plan_second_product(one: Setting, sees: Mapping[str, float]) -> Plan | str:
    target = one.option.intervention.targets[-1]
    density = {"antigen_density_2": one.densities[target]} if target in one.densities else {}
    parameters = extend_to_two_targets(one.start, sees, density)
    if parameters is None:
        return "no values of a second product are packaged for this disease"
    before = one.settings.threshold("lymphodepletion_before")
    cells = one.column("dose") / one.column("blood_scale")
    second = parameters[:, [TWO_TARGETS.parameter_names.index("gB_second")]]
    potency, strengths = _set_potency(one, "gB_second", second)
    steps = [*_deplete(one, (*CAR_T, *SECOND), before), *potency, (0.0, "second_infused", "add", cells)]
    return Plan(steps, one.settings.threshold("delay_cells"), strengths, TWO_TARGETS, parameters)


def plan_other_car(one: Setting) -> Plan | str:
    """Infuse a new product that sees another antigen."""
    return _plan_second_product(one, {"sees_1_second": 0.0, "sees_2_second": 1.0})


def plan_same_target_car(one: Setting) -> Plan | str:
    """Infuse a new product that sees the antigen of the first."""
    return _plan_second_product(one, {"sees_1_second": 1.0, "sees_2_second": 0.0})


def plan_dual_car(one: Setting) -> Plan | str:
    """Infuse a new product that sees both antigens."""
    return _plan_second_product(one, {"sees_1_second": 1.0, "sees_2_second": 1.0})


def plan_natural_killers(one: Setting) -> Plan | str:
    """Infuse CAR-NK cells of another person that see the antigen of the first product: from store, not made anew."""
    whole = extend_to_two_targets(one.start, {"sees_1_second": 1.0, "sees_2_second": 0.0}, {})
    given = None if whole is None else give_natural_killers(one.start, whole)
    if given is None:
        return "no values of CAR-NK cells are packaged for this disease"
    before = one.settings.threshold("lymphodepletion_before")
    steps = [*_deplete(one, (*CAR_T, *SECOND), before), (0.0, "second_infused", "add", given[1])]
    return Plan(steps, one.settings.threshold("delay_stored"), 1, TWO_TARGETS, given[0])


def plan_checkpoint(one: Setting) -> Plan:
    """Reinvigorate exhausted CAR T cells for some months; host T cells kill at a rate where one was fitted."""
    days = one.settings.threshold("checkpoint_days")
    steps: Steps = [(0.0, "vP", "set", one.column("reinvigoration")), (days, "vP", "set", 0.0)]
    if "kill" not in one.option.simulation.values:
        return Plan(steps, one.settings.threshold("delay_drug"))
    host = plan_kill(one)
    return Plan([*host.steps, *steps], host.delay, host.strengths)


def _strengths(one: Setting) -> np.ndarray:
    return compute_strengths(one.value("kill"), one.value("kill_spread"))[None, :]


def plan_kill(one: Setting) -> Plan:
    """Kill every tumour cell at a rate, whatever antigen of the first product it carries, until resistance."""
    strengths = np.repeat(_strengths(one), len(one.start.parameters), axis=0)
    steps: Steps = [(0.0, "h_next", "set", strengths), (one.value("duration"), "h_next", "set", 0.0)]
    return Plan(steps, one.settings.threshold("delay_drug"), strengths=len(QUANTILES))


def plan_antigen_kill(one: Setting) -> Plan:
    """Kill tumour cells as far as they carry the antigen of the first product, in weekly steps, until resistance."""
    half, steepness = one.column("A50_kill"), one.column("hill_antigen")
    high = one.column("antigen_density_high")
    effects = {
        "tumour_high": _EFFICIENCY(high, half, steepness),
        "tumour_low": _EFFICIENCY(high * one.column("density_low_ratio"), half, steepness),
    }
    weeks = np.arange(0.0, one.value("duration"), WEEK)
    left = {state: np.exp(-WEEK * _strengths(one) * effect) for state, effect in effects.items()}
    steps: Steps = [(float(day), state, "multiply", share) for day in weeks for state, share in left.items()]
    return Plan(steps, one.settings.threshold("delay_drug"), strengths=len(QUANTILES))


PLANS: Mapping[str, Callable[[Setting], Plan | str]] = {
    "second_infusion": plan_second_infusion,
    "same_target_car": plan_same_target_car,
    "other_car": plan_other_car,
    "dual_car": plan_dual_car,
    "natural_killers": plan_natural_killers,
    "checkpoint": plan_checkpoint,
    "kill": plan_kill,
    "antigen_kill": plan_antigen_kill,
}
"""Lever of an option file to what it does."""
