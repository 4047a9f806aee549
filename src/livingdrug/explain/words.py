"""What mechanisms and variables are called in a sentence."""

from collections.abc import Sequence

MECHANISMS = {
    "expansion": "too little expansion",
    "persistence": "lost persistence",
    "potency": "low potency",
    "exhaustion": "exhaustion",
    "antigen_negative": "loss of the target",
    "antigen_low": "antigen-low escape",
    "suppression": "suppression by the environment",
    "barrier": "a physical barrier",
    "tumour_growth": "fast tumour growth",
    "tumour_burden": "a high tumour burden",
    "steroids": "steroids",
    "lymphodepletion": "missing lymphodepletion",
}
VARIABLES = {
    "antigen_positive_fraction": "the share of tumour cells with the target",
    "antigen_density": "the density of the target on tumour cells",
    "pd1_tim3_fraction": "PD-1 and TIM-3 on CAR T cells",
    "car_transgene": "the CAR transgene in blood",
    "car_t_cells": "CAR T cells in blood",
    "b_cells": "B cells in blood",
    "mdsc_fraction": "myeloid-derived suppressor cells",
    "tgf_beta": "TGF-beta",
}


def name_mechanism(name: str) -> str:
    """Return what a mechanism is called; of an unknown one, its name.

    >>> name_mechanism("antigen_low")
    'antigen-low escape'
    """
    return MECHANISMS.get(name, name)


def name_variable(name: str) -> str:
    """Return what a variable is called; of an unknown one, its name with spaces.

    >>> name_variable("b_cells"), name_variable("m_protein")
    ('B cells in blood', 'm protein')
    """
    return VARIABLES.get(name, name.replace("_", " "))


def join_words(words: Sequence[str], last: str) -> str:
    """Return words as in a sentence.

    >>> join_words(["a", "b", "c"], "and"), join_words(["a"], "or")
    ('a, b and c', 'a')
    """
    return f" {last} ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])
