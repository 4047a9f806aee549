"""Virtual patients drawn from the spread between patients.

Every random number belongs to a named stream and to a subject's place in it, in blocks of
:data:`BLOCK` subjects. So subject 1,000,000 is the same person alone, in any chunk, and on any number
of workers.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit, logit

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet, Spread, bind
from livingdrug.core.randomness import derive_generator

BLOCK = 256
"""Subjects that share one generator of a stream."""

SMALLEST_DRAW = 1e-12
"""An exponential draw of exactly 0 would divide by 0."""


def draw_blocks(
    seed: int, stream: str, first: int, count: int, draw: Callable[[np.random.Generator, int], np.ndarray]
) -> np.ndarray:
    """Draw the rows of subjects ``first`` to ``first + count`` of a stream.

    Parameters
    ----------
    seed : int
    stream : str
        Name of the stream.
    first, count : int
        Subjects are counted from 0.
    draw : function ``(generator, subjects) -> (subjects, ...)``

    Returns
    -------
    rows : (subject, ...)
        The same for a subject whatever ``first`` and ``count`` are.

    Examples
    --------
    >>> draw = lambda generator, subjects: generator.random(subjects)
    >>> whole = draw_blocks(1, "example", 0, 600, draw)
    >>> bool(np.array_equal(whole[250:520], draw_blocks(1, "example", 250, 270, draw)))
    True
    """
    blocks = range(first // BLOCK, -(-(first + count) // BLOCK))
    rows = np.concatenate([draw(derive_generator(seed, stream, block), BLOCK) for block in blocks])
    begin = first - blocks[0] * BLOCK
    return rows[begin : begin + count]


def compute_correlation_factor(values: ParameterSet, names: Sequence[str]) -> np.ndarray:
    """Return the lower Cholesky factor of the correlations between the named parameters, (name, name)."""
    correlation = np.eye(len(names))
    for (a, b), r in values.correlations.items():
        if a in names and b in names:
            i, j = names.index(a), names.index(b)
            correlation[i, j] = correlation[j, i] = r
    return np.linalg.cholesky(correlation)


def vary(typical: float, spread: Spread | None, z: np.ndarray) -> np.ndarray:
    """Return the values of patients who lie ``z`` spreads from the typical one.

    Examples
    --------
    >>> vary(2.0, Spread("lognormal", 0.5), np.array([0.0, 2.0])).round(3).tolist()
    [2.0, 5.437]
    """
    if spread is None:
        return np.full(len(z), typical)
    if spread.kind == "lognormal":
        return np.asarray(typical * np.exp(spread.sd * z))
    if spread.kind == "logitnormal":
        return np.asarray(expit(logit(typical) + spread.sd * z))
    return np.asarray(typical + spread.sd * z)


def sample_parameters(
    model: Model, values: ParameterSet, first: int, count: int, *, seed: int, exponential: Sequence[str] = ()
) -> np.ndarray:
    """Draw virtual patients: typical value, spread and correlations of a parameter set.

    Parameters
    ----------
    first, count : int
        Subjects, counted from 0.
    exponential : names of parameters, optional
        Drawn from the exponential distribution with mean 1 instead: a threshold that random extinction
        is compared with, for instance.

    Returns
    -------
    parameters : (patient, parameter)
        In the model's order and units.

    Raises
    ------
    InputError
        If the set does not fit the model or a name in ``exponential`` is unknown.
    """
    typical = bind(model, values)
    parameters = np.tile(typical, (count, 1))
    names = [name for name in model.parameter_names if values.values[name].spread is not None]
    factor = compute_correlation_factor(values, names)
    # multiplied within whole blocks: a product of one row need not have the bits of the same row among many
    z = draw_blocks(seed, "patients", first, count, lambda g, n: g.standard_normal((n, len(names))) @ factor.T)
    for column, name in enumerate(names):
        place = model.parameter_names.index(name)
        parameters[:, place] = vary(typical[place], values.values[name].spread, z[:, column])
    if exponential:
        draws = draw_blocks(seed, "chance", first, count, lambda g, n: g.standard_exponential((n, len(exponential))))
        for column, name in enumerate(exponential):
            if name not in model.parameter_names:
                raise InputError(
                    f"`exponential` must name parameters of {model.name}, but held {name!r}. Hint: correct the name."
                )
            parameters[:, model.parameter_names.index(name)] = np.maximum(draws[:, column], SMALLEST_DRAW)
    return parameters
