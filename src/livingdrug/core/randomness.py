"""One seed gives named, independent streams of random numbers.

A stream is named by what it is for (run, arm, subject, draw), never by the order in which it is asked
for, so results do not depend on workers, chunks or interruptions.
"""

import hashlib

import numpy as np

from livingdrug.core.errors import InputError

_SEPARATOR, _ESCAPE = "\x1f", "\x1b"


def derive_generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the generator of a named stream.

    Parameters
    ----------
    seed : int
        0 or larger.
    keys : str or int
        Name of the stream; ``("visit", 1)`` and ``("visit", "1")`` are two streams.

    Raises
    ------
    InputError
        If the seed is below 0.

    Examples
    --------
    >>> a, b, c = (derive_generator(7, "cohort", n) for n in (1, 1, 2))
    >>> bool(a.random() == b.random()), bool(b.random() == c.random())
    (True, False)
    """
    if seed < 0:
        raise InputError(f"`seed` must be 0 or more, but was {seed}. Hint: any whole number from 0 will do.")
    name = _SEPARATOR.join(_spell(key) for key in keys)
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *words])))


def _spell(key: str | int) -> str:
    """Spell a key so that no two lists of keys are spelled alike."""
    if isinstance(key, str):
        return f"str:{key.replace(_ESCAPE, f'{_ESCAPE}0').replace(_SEPARATOR, f'{_ESCAPE}1')}"
    return f"int:{int(key)}"
