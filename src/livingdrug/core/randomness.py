"""One seed gives named, independent streams of random numbers.

A stream is named by what it is for (run, arm, subject, draw), never by the order in which it is asked
for, so results do not depend on workers, chunks or interruptions.
"""

import hashlib

import numpy as np


def derive_generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the generator of a named stream.

    Parameters
    ----------
    seed : int
        0 or larger.
    keys : str or int
        Name of the stream; ``("visit", 1)`` and ``("visit", "1")`` are two streams.

    Examples
    --------
    >>> a, b, c = (derive_generator(7, "cohort", n) for n in (1, 1, 2))
    >>> bool(a.random() == b.random()), bool(b.random() == c.random())
    (True, False)
    """
    name = "\x1f".join(f"{type(key).__name__}:{key}" for key in keys)
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *words])))
