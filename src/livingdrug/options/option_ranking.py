"""The order of options: by band, then mechanism fit, then certainty; equal ones share a rank.

Response rates of different studies order nothing: their patients differ. Care that is always shown stands first, in a
panel of its own; options of solid tumours are listed and not ranked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from livingdrug.options.option_band import FITS, UNRANKED, Judgement


@dataclass(frozen=True, slots=True)
class Ranked:
    """A judgement with its rank; None where it is not ranked. ``tied`` says whether others share it."""

    judgement: Judgement
    rank: int | None
    tied: bool = False


def rank_options(judged: Sequence[Judgement], disease: str) -> tuple[Ranked, ...]:
    """Order the options of one patient; equal ones stand in the order of their ids."""
    always = sorted((j for j in judged if j.is_always_shown), key=lambda j: (j.option.kind, j.option.id))
    rest = sorted((j for j in judged if not j.is_always_shown), key=lambda j: (*_order(j), j.option.id))
    if disease in UNRANKED:
        rest = sorted(rest, key=lambda j: (-j.band.rank, j.option.id))
        return tuple(Ranked(j, None) for j in (*always, *rest))
    keys = [_order(j) for j in rest if j.band.is_offered and j.option.is_ranked]
    ranked = []
    for judgement in rest:
        if not (judgement.band.is_offered and judgement.option.is_ranked):
            ranked.append(Ranked(judgement, None))
            continue
        own = _order(judgement)
        ranked.append(Ranked(judgement, 1 + sum(key < own for key in keys), keys.count(own) > 1))
    return (*(Ranked(j, None) for j in always), *ranked)


def _order(judgement: Judgement) -> tuple[int, int, int]:
    return -judgement.band.rank, -FITS.index(judgement.fit), -judgement.sureness
