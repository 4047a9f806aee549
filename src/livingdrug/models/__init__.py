"""Equations without numbers; ``ALL`` is every model to solve, ``CLOSED`` what is computed beside them."""

from livingdrug.core.model import Model
from livingdrug.models.barros2021 import BARROS2021
from livingdrug.models.fate import FATE
from livingdrug.models.hardiansyah2019 import HARDIANSYAH2019
from livingdrug.models.inflammation import INFLAMMATION
from livingdrug.models.kimmel2021 import KIMMEL2021
from livingdrug.models.leon_triana2020 import LEON_TRIANA2020
from livingdrug.models.leon_triana2021 import LEON_TRIANA2021
from livingdrug.models.mueller_schoell2021 import MUELLER_SCHOELL2021
from livingdrug.models.singh2021 import SINGH2021
from livingdrug.models.stein2019 import STEIN2019
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.models.unified.two_targets import TWO_TARGETS

ALL: tuple[Model, ...] = (
    BARROS2021,
    HARDIANSYAH2019,
    KIMMEL2021,
    LEON_TRIANA2020,
    LEON_TRIANA2021,
    MUELLER_SCHOELL2021,
    SINGH2021,
    STEIN2019,
    TWO_TARGETS,
    UNIFIED,
    UNIFIED_TOXICITY,
)
CLOSED: tuple[Model, ...] = (FATE, INFLAMMATION)
