"""Equations without numbers; ``ALL`` is every model there is."""

from livingdrug.core.model import Model
from livingdrug.models.kimmel2021 import KIMMEL2021
from livingdrug.models.singh2021 import SINGH2021
from livingdrug.models.stein2019 import STEIN2019

ALL: tuple[Model, ...] = (
    KIMMEL2021,
    SINGH2021,
    STEIN2019,
)
