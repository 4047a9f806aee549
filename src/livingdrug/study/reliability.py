"""How often a thing happened among those to whom about the same chance was stated."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from livingdrug.study.trial_result_rates import compute_share

BINS = 10
SCHEMA = {**dict.fromkeys(("stated", "observed", "lower", "upper"), pl.Float64), "count": pl.Int64}


def tabulate_reliability(stated: Sequence[float], happened: Sequence[bool], *, bins: int = BINS) -> pl.DataFrame:
    """Return stated chances in bins beside how often they came true.

    Parameters
    ----------
    stated : sequence of float
        Chances, from 0 to 1.
    happened : sequence of bool

    Returns
    -------
    table
        ``stated, observed, lower, upper, count``, one row a bin that holds somebody; exact 95 % intervals.

    Examples
    --------
    >>> tabulate_reliability([0.05, 0.05, 0.95, 0.95], [False, False, True, True])["observed"].to_list()
    [0.0, 1.0]
    """
    chance, hit = np.asarray(stated, dtype=float), np.asarray(happened, dtype=bool)
    place = np.clip((chance * bins).astype(int), 0, bins - 1)
    rows = []
    for k in np.unique(place):
        own = hit[place == k]
        rows.append((float(chance[place == k].mean()), *compute_share(int(own.sum()), len(own)), len(own)))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
