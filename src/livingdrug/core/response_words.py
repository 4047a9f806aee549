"""Responses in the spellings of sites: one code for each, in small letters."""

import re
from functools import cache

from livingdrug.core.variables import VARIABLES

SPELLED = {
    "stringent complete response": "scr",
    "stringent complete remission": "scr",
    "complete response": "cr",
    "complete remission": "cr",
    "very good partial response": "vgpr",
    "very good partial remission": "vgpr",
    "partial response": "pr",
    "partial remission": "pr",
    "minimal response": "mr",
    "minor response": "mr",
    "stable disease": "sd",
    "progressive disease": "pd",
    "disease progression": "pd",
    "progression": "pd",
    "not evaluable": "ne",
    "non evaluable": "ne",
    "inevaluable": "ne",
    "unable to evaluate": "ne",
    "not done": "nd",
    "not assessed": "nd",
    "complete metabolic response": "cmr",
    "partial metabolic response": "pmr",
    "no metabolic response": "nmr",
    "progressive metabolic disease": "pmd",
    "indeterminate response": "ir",
    "complete remission with incomplete hematologic recovery": "cri",
    "complete remission with partial hematologic recovery": "crh",
    "morphologic leukemia free state": "mlfs",
    "no response": "nr",
    "nodular partial response": "npr",
    "partial response with lymphocytosis": "pr-l",
    "pr with lymphocytosis": "pr-l",
}
"""What is written out, in words between single spaces."""
UNCONFIRMED = ("scr", "cr", "vgpr", "pr", "mr", "pd")
"""Codes that sites write with a ``u`` before them until a second assessment confirms them."""


def list_code_variables() -> tuple[str, ...]:
    """Name the variables whose values are responses."""
    return tuple(variable.name for variable in VARIABLES.values() if "nd" in variable.words)


@cache
def spell_response(text: str) -> str:
    """Return the code of a response; a text that is none comes back in small letters.

    A response that a site calls unconfirmed is that of its visit: whether it is confirmed the criteria say.

    Examples
    --------
    >>> [spell_response(text) for text in ("sCR", "VGPR ", "Not evaluable", "Partial Response (PR)", "uPR")]
    ['scr', 'vgpr', 'ne', 'pr', 'pr']
    >>> spell_response("Non-CR / Non-PD"), spell_response("Much better")
    ('non-cr/non-pd', 'much better')
    """
    plain = text.strip().lower()
    words = _split(re.sub(r"\(.*?\)", " ", plain))
    codes = {_split(code): code for name in list_code_variables() for code in VARIABLES[name].words}
    unconfirmed = {f"u{code}": code for code in UNCONFIRMED}
    unconfirmed |= {f"unconfirmed {words}": code for words, code in {**SPELLED, **codes}.items() if code in UNCONFIRMED}
    return {**unconfirmed, **SPELLED, **codes}.get(words, plain)


def _split(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text).strip()
