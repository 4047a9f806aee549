"""From a simulated population to the numbers that publications print.

Each quantity is a function of the population and of the row's own settings; it returns the number in the unit of the
published row. Where the publication gives a count of patients, the chance error of its number is known as well.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from livingdrug.study.population_outcomes import HALF_AREA, Population

MONTH = 365.25 / 12
PERCENT = 100.0
Settings = Mapping[str, float]
Quantity = Callable[[Population, Settings], float]


def _share(is_true: np.ndarray) -> float:
    return PERCENT * float(is_true.mean())


def overall_response(found: Population, _: Settings) -> float:
    """Return the share that responds [percent]."""
    return _share(found.responds)


def complete_response(found: Population, _: Settings) -> float:
    """Return the share with a complete response [percent]."""
    return _share(found.is_complete)


def responding_on(found: Population, settings: Settings) -> float:
    """Return the share in response, the mean of two days for which a publication gives one number [percent].

    A response on a day is half the area at infusion, or less, without progression until then; of lymphoma alone.
    """
    start = found.courses["tumour_cells"][:, 0]
    shares = [
        (found.at("tumour_cells", day) < HALF_AREA * start) & (found.progression_day > day)
        for day in (settings["day"], settings["later"])
    ]
    return float(np.mean([_share(one) for one in shares]))


def progression_free(found: Population, settings: Settings) -> float:
    """Return the share alive without progression on a day [percent]."""
    return _share(found.event_day > settings["day"])


def responders_progression_free(found: Population, settings: Settings) -> float:
    """Return the share of responders alive without progression some days after infusion [percent]."""
    return _share(found.event_day[found.responds] > settings["day"])


def median_progression_free(found: Population, _: Settings) -> float:
    """Return the median time to progression or death [month]; infinite where fewer than half have either."""
    return float(np.median(found.event_day)) / MONTH


def median_duration_of_response(found: Population, settings: Settings) -> float:
    """Return the median time from first response to progression or death [month]."""
    return (float(np.median(found.event_day[found.responds])) - settings["day"]) / MONTH


def relapses(found: Population, settings: Settings) -> float:
    """Return the share that responded and relapsed by a day, of all infused [percent]."""
    return _share(found.responds & (found.progression_day <= settings["day"]))


def progression_seen(found: Population, settings: Settings) -> float:
    """Return the share in whom progression was seen when people were infused evenly up to twice the median follow-up.

    Each is followed for a time between nothing and twice that median; deaths are not counted [percent].
    """
    longest = 2 * settings["day"]
    return PERCENT * float(np.clip(1 - found.progression_day / longest, 0, None).mean())


def peak(found: Population, settings: Settings) -> float:
    """Return the median peak of CAR T cells, in units of ``scale`` per cell/uL."""
    return settings.get("scale", 1.0) * float(np.median(found.courses["car_t_cells"].max(axis=1)))


def mean_peak(found: Population, settings: Settings) -> float:
    """Return the mean peak of CAR T cells, in units of ``scale`` per cell/uL."""
    return settings.get("scale", 1.0) * float(found.courses["car_t_cells"].max(axis=1).mean())


def day_of_peak(found: Population, _: Settings) -> float:
    """Return the median day of the peak [day], between the days of the grid by a parabola."""
    course = found.courses["car_t_cells"]
    top = np.clip(course.argmax(axis=1), 1, len(found.days) - 2)
    rows = np.arange(len(course))
    before, at, after = (np.log(np.maximum(course[rows, top + shift], 1e-9)) for shift in (-1, 0, 1))
    bend = np.minimum(before - 2 * at + after, -1e-9)
    step = found.days[top + 1] - found.days[top]
    return float(np.median(found.days[top] + 0.5 * step * np.clip((before - after) / bend, -1, 1)))


def spread_of_peak(found: Population, _: Settings) -> float:
    """Return the standard deviation of the logarithm of the peak [1]."""
    return float(np.log(found.courses["car_t_cells"].max(axis=1)).std())


def area(found: Population, settings: Settings) -> float:
    """Return the median area under the curve to day 28 [scale day]."""
    early = found.days <= 28
    areas = np.trapezoid(found.courses["car_t_cells"][:, early], found.days[early], axis=1)
    return settings.get("scale", 1.0) * float(np.median(areas))


def doubling_time(found: Population, settings: Settings) -> float:
    """Return the mean doubling time of the median course from the end of the lag to its peak [day].

    The published models grow exponentially from one to the other; here growth slows before the peak.
    """
    course = np.median(found.courses["car_t_cells"], axis=0)
    top = int(course.argmax())
    lag = settings["day"]
    doublings = np.log2(course[top] / np.interp(lag, found.days, course))
    return float((found.days[top] - lag) / doublings)


GROWING = (0.05, 0.5)
"""Shares of the peak between which the median course is taken to grow exponentially."""


def lag(found: Population, settings: Settings) -> float:
    """Return when exponential growth, followed back, leaves the level of the infused cells [day].

    Published models hold the signal at infusion constant until then and let it grow exponentially afterwards.
    ``level``: infused cells over the cells that one cell/uL of blood stands for [cells/uL].
    """
    course = np.median(found.courses["car_t_cells"], axis=0)
    rising = course[: int(course.argmax()) + 1]
    low, high = (np.log(share * rising[-1]) for share in GROWING)
    days = np.interp([low, high], np.log(np.maximum(rising, 1e-9)), found.days[: len(rising)])
    return float(days[0] - (low - np.log(settings["level"])) * (days[1] - days[0]) / (high - low))


def decline_half_life(found: Population, _: Settings) -> float:
    """Return the half-life of the median course in the fortnight after its peak [day]."""
    course = np.median(found.courses["car_t_cells"], axis=0)
    top = int(course.argmax())
    later = np.log2(np.interp(found.days[top] + np.array([2.0, 12.0]), found.days, course))
    return float(10.0 / (later[0] - later[1]))


def car_t_cells_on(found: Population, settings: Settings) -> float:
    """Return the median CAR T-cell count on a day [cells/uL]."""
    return float(np.median(found.at("car_t_cells", settings["day"])))


def spread_on(found: Population, settings: Settings) -> float:
    """Return the standard deviation of the logarithm of the count on a day [1]."""
    return float(np.log(np.maximum(found.at("car_t_cells", settings["day"]), 1e-6)).std())


def b_cells_absent(found: Population, settings: Settings) -> float:
    """Return the share with fewer B cells than a level on a day [percent]."""
    return _share(found.at("b_cells", settings["day"]) < settings["level"])


def _share_lost(found: Population, settings: Settings, *, with_switch: bool) -> float:
    """Return the share of relapses without the antigen that are, or are not, of another lineage [percent]."""
    responders = found.select(found.responds)
    is_lost = responders.at_progression("antigen_positive_fraction") < settings["level"]
    can_switch = responders.can_switch[np.isfinite(responders.progression_day)]
    return _share(is_lost & (can_switch == with_switch))


def negative_at_relapse(found: Population, settings: Settings) -> float:
    """Return the share whose tumour lacks the antigen at progression, among those who had responded [percent].

    Switches of lineage are a class of their own.
    """
    return _share_lost(found, settings, with_switch=False)


def lineage_switch_at_relapse(found: Population, settings: Settings) -> float:
    """Return the share whose relapse is of another lineage, among those who had responded [percent]."""
    return _share_lost(found, settings, with_switch=True)


def positive_at_relapse(found: Population, settings: Settings) -> float:
    """Return the share whose tumour still has the antigen at progression, among those who had responded [percent]."""
    return PERCENT - negative_at_relapse(found, settings) - lineage_switch_at_relapse(found, settings)


def low_at_progression(found: Population, settings: Settings) -> float:
    """Return the share whose density at progression lies under a level [percent]."""
    return _share(found.at_progression("antigen_density") < settings["level"])


def density_at_infusion(found: Population, _: Settings) -> float:
    """Return the median density at infusion [molecules/cell]."""
    return float(np.median(found.courses["antigen_density"][:, 0]))


def density_ratio(found: Population, settings: Settings) -> float:
    """Return the median density at progression relative to that at infusion, times the published baseline."""
    has = np.isfinite(found.progression_day)
    return settings["scale"] * float(
        np.median(found.at_progression("antigen_density") / found.courses["antigen_density"][has, 0])
    )


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            overall_response,
            complete_response,
            responding_on,
            progression_free,
            responders_progression_free,
            relapses,
            progression_seen,
            median_progression_free,
            median_duration_of_response,
            peak,
            mean_peak,
            day_of_peak,
            spread_of_peak,
            area,
            doubling_time,
            lag,
            decline_half_life,
            car_t_cells_on,
            spread_on,
            b_cells_absent,
            negative_at_relapse,
            lineage_switch_at_relapse,
            positive_at_relapse,
            low_at_progression,
            density_at_infusion,
            density_ratio,
        )
    }
)
