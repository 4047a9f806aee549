"""Per disease: who is treated, what is measured when, how well, and when follow-up ends.

The numbers are choices of this project for synthetic records: usual visit intervals, usual limits of
assays, and noise of the size that repeated measurements have. No patient and no trial stands behind them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from livingdrug.simulate.people import Population
from livingdrug.simulate.protocol import Event
from livingdrug.simulate.visits import Assay, Stop

BASELINE = -7.0
LONGEST = 3650.0


def _every(interval: float, start: float) -> tuple[float, ...]:
    return tuple(start + interval * i for i in range(int((LONGEST - start) / interval) + 1))


MONTHLY = (BASELINE, *_every(28.0, 28.0))
QUARTERLY = (28.0, *_every(91.0, 91.0))
KINETICS = (3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 56.0, *_every(91.0, 91.0))
STAGING = (BASELINE, 28.0, *_every(91.0, 91.0))

TRANSGENE = Assay("car_transgene", "copies/ug", "car_transgene", KINETICS, 0.30, lloq=50.0, name="qPCR")
FLOW = Assay("car_t_cells", "cells/uL", "car_t_cells", KINETICS, 0.25, lloq=0.1, name="flow cytometry")
B_CELLS = Assay("b_cells", "cells/uL", "b_cells", STAGING, 0.20, lloq=3.0, name="flow cytometry")
PHENOTYPE = Assay(
    "pd1_tim3_fraction",
    "1",
    "pd1_tim3_fraction",
    (14.0, 28.0),
    0.40,
    kind="logit",
    name="flow cytometry",
    needs=("car_t_cells", 0.1),
)
LIMIT_OF_IFE = 0.02
SPILL = 5.0
"""Percent of blasts in marrow above which some are seen in blood."""
SPILT = 0.5
"""Percent of blasts in blood for one in marrow above that."""


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """What becomes of a simulation of one disease as a record.

    Parameters
    ----------
    population : Population
    assays : tuple of Assay
    stop : Stop
    attendance : float
        Chance that a visit takes place.
    alternative_share : float
        Share of patients whose involved light chain is lambda.
    before : tuple of Event
        What happened up to the infusion.
    """

    population: Population
    assays: tuple[Assay, ...]
    stop: Stop
    attendance: float = 0.96
    alternative_share: float = 0.0
    before: tuple[Event, ...] = (
        Event(-35.0, "leukapheresis"),
        Event(-5.0, "lymphodepletion", duration_days=3.0),
    )


MYELOMA = VisitPlan(
    population=Population((61.0, 9.0, 33.0, 80.0), 0.42, (78.0, 14.0)),
    assays=(
        TRANSGENE,
        PHENOTYPE,
        Assay("m_protein", "g/dL", "m_protein", MONTHLY, 0.06, lloq=0.05, name="serum electrophoresis"),
        Assay(
            "serum_immunofixation",
            "",
            "m_protein",
            MONTHLY,
            0.10,
            kind="label",
            name="immunofixation",
            labels=("negative", "positive", LIMIT_OF_IFE),
        ),
        Assay("urine_m_protein", "mg/24h", "flc_involved", MONTHLY, 0.20, lloq=50.0, name="24 h urine", factor=0.5),
        Assay(
            "urine_immunofixation",
            "",
            "flc_involved",
            MONTHLY,
            0.10,
            kind="label",
            name="immunofixation",
            labels=("negative", "positive", 40.0),
        ),
        Assay("flc_kappa", "mg/L", "flc_involved", MONTHLY, 0.10, lloq=0.6, name="FLC", alternative="flc_lambda"),
        Assay("flc_lambda", "mg/L", "flc_uninvolved", MONTHLY, 0.10, lloq=0.6, name="FLC", alternative="flc_kappa"),
        Assay("sbcma", "ng/mL", "sbcma", STAGING, 0.15, lloq=2.0, name="ELISA"),
        Assay(
            "marrow_plasma_cells", "%", "marrow_plasma_cells", STAGING, 0.30, "logit", 0.5, "biopsy, CD138", whole=100.0
        ),
        Assay("mrd", "1", "marrow_plasma_cells", QUARTERLY, 0.40, "logit", 1e-5, "NGF", factor=0.01),
        Assay(
            "antigen_density:BCMA",
            "molecules/cell",
            "antigen_density",
            STAGING,
            0.20,
            lloq=20.0,
            name="quantitative flow cytometry",
            needs=("marrow_plasma_cells", 2.0),
        ),
        Assay(
            "antigen_positive_fraction:BCMA",
            "1",
            "antigen_positive_fraction",
            STAGING,
            0.30,
            kind="logit",
            name="flow cytometry",
            needs=("marrow_plasma_cells", 2.0),
        ),
    ),
    stop=Stop("tumour_cells", 0.5, 2.0, 56.0),
    alternative_share=0.35,
)

LBCL = VisitPlan(
    population=Population((60.0, 11.0, 22.0, 82.0), 0.40, (78.0, 15.0)),
    assays=(
        TRANSGENE,
        FLOW,
        PHENOTYPE,
        B_CELLS,
        Assay("tumour_spd", "mm2", "tumour_spd", STAGING, 0.10, lloq=100.0, name="CT"),
        Assay("metabolic_tumour_volume", "mL", "tumour_volume", STAGING, 0.15, lloq=1.0, name="PET"),
        Assay(
            "antigen_positive_fraction:CD19",
            "1",
            "antigen_positive_fraction",
            STAGING,
            0.30,
            kind="logit",
            name="biopsy",
            needs=("tumour_volume", 5.0),
        ),
    ),
    stop=Stop("tumour_cells", 0.5, 2.0, 28.0),
)

B_ALL = VisitPlan(
    population=Population((12.0, 5.5, 3.0, 25.0), 0.43, (68.0, 12.0)),
    assays=(
        TRANSGENE,
        FLOW,
        PHENOTYPE,
        B_CELLS,
        Assay("marrow_blasts", "%", "marrow_plasma_cells", MONTHLY, 0.25, "logit", 0.1, "aspirate", whole=100.0),
        Assay("blood_blasts", "%", "marrow_plasma_cells", MONTHLY, 0.15, name="smear", factor=SPILT, above=SPILL),
        Assay("mrd", "1", "marrow_plasma_cells", MONTHLY, 0.40, "logit", 1e-4, "flow cytometry", factor=0.01),
        Assay(
            "antigen_positive_fraction:CD19",
            "1",
            "antigen_positive_fraction",
            MONTHLY,
            0.30,
            kind="logit",
            name="flow cytometry",
            needs=("marrow_plasma_cells", 0.5),
        ),
    ),
    stop=Stop("tumour_cells", 0.5, 2.0, 28.0),
)

VISIT_PLANS: Mapping[str, VisitPlan] = {"myeloma": MYELOMA, "lbcl": LBCL, "b_all": B_ALL}
"""By disease."""
