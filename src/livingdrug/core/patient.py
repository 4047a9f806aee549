"""Who is treated, with what, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Disease(StrEnum):
    """Diseases that records may name."""

    MYELOMA = "myeloma"
    LBCL = "lbcl"
    B_ALL = "b_all"
    MCL = "mcl"
    CLL = "cll"
    FOLLICULAR = "follicular"
    SOLID = "solid"


class Product(StrEnum):
    """CAR T-cell products that records may name."""

    IDE_CEL = "ide_cel"
    CILTA_CEL = "cilta_cel"
    AXI_CEL = "axi_cel"
    TISA_CEL = "tisa_cel"
    LISO_CEL = "liso_cel"
    BREXU_CEL = "brexu_cel"
    OBE_CEL = "obe_cel"
    OTHER = "other"

    @property
    def target(self) -> str:
        """Antigen that the CAR binds; empty if not known."""
        if self is Product.OTHER:
            return ""
        return "BCMA" if self in {Product.IDE_CEL, Product.CILTA_CEL} else "CD19"


@dataclass(frozen=True, slots=True)
class Patient:
    """One person: what is known at the start."""

    subject_id: str
    disease: Disease
    age_years: float | None = None
    sex: str | None = None
    weight_kg: float | None = None
    covariates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One thing done on one day: an event of a record."""

    day: float
    type: str
    amount: float | None = None
    unit: str | None = None
    duration_days: float | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is done, in order; day 0 is the infusion."""

    product: Product
    treatments: tuple[Treatment, ...]
