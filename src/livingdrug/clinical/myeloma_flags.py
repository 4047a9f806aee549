"""How a site says that a progression was confirmed: flags beside its result, or the note of the event."""

from collections.abc import Mapping, Sequence

import numpy as np

from livingdrug.clinical.confirmation import DEATH, IMAGING, LATER_SAMPLE, ROUTES
from livingdrug.clinical.history import Happening
from livingdrug.clinical.panel import WORDS, Codes, Panel

FLAGS: Mapping[str, str] = {"x_pdifl": IMAGING, "x_pdofl": LATER_SAMPLE, "x_dthpdfl": DEATH}
"""Variables that hold the usual flags of a response, and the route that each stands for."""
_NOTES = (
    (IMAGING, ("imaging", "extramedullary", "pdifl")),
    (LATER_SAMPLE, ("second sample", "next sample", "confirmed by a further", "pdofl")),
    (DEATH, ("dthpdfl",)),
)


def find_routes(panel: Panel, histories: Sequence[Sequence[Happening]]) -> Codes:
    """Return how a site says that the progression of each visit was confirmed, as its place in ``ROUTES``.

    An event ``progression`` counts on the day of a visit, by the words of its note.

    Examples
    --------
    >>> panel = Panel(("a",), np.array([[28.0], [56.0]]), {})
    >>> find_routes(panel, [[Happening(56.0, "progression", "extramedullary disease on imaging", 0.0)]]).tolist()
    [[0], [1]]
    """
    found = np.zeros(panel.day.shape, dtype=np.int8)
    for subject, history in enumerate(histories):
        for event in history:
            if event.type == "progression":
                found[panel.day[:, subject] == event.day, subject] = ROUTES.index(_read_note(event.note))
    for name, route in FLAGS.items():
        if name in panel.columns:
            flag = panel.columns[name]
            is_set = (flag.code == WORDS.index("yes")) | (flag.value == 1)
            found = np.where(is_set, np.int8(ROUTES.index(route)), found)
    return found


def _read_note(note: str) -> str:
    return next((route for route, words in _NOTES if any(word in note for word in words)), "")
