"""The vocabulary of outcomes: responses, failures, mechanisms, toxicities."""

from enum import StrEnum


class Response(StrEnum):
    """Category of a response; the members after NE are ordered from worst to best.

    Examples
    --------
    >>> Response.PR.is_at_least(Response.MR), Response.PD.is_at_least(Response.SD)
    (True, False)
    """

    ND = "ND"
    NE = "NE"
    PD = "PD"
    SD = "SD"
    MR = "MR"
    PR = "PR"
    VGPR = "VGPR"
    CR = "CR"
    SCR = "sCR"

    @property
    def rank(self) -> int:
        """Place in the order from not done to stringent complete response."""
        return _RANKS[self]

    def is_at_least(self, other: "Response") -> bool:
        """Whether this category is as good as another, or better."""
        return self.rank >= other.rank

    @property
    def is_response(self) -> bool:
        """Whether the disease has shrunk enough to be called a response (minimal response included)."""
        return self.is_at_least(Response.MR)


_RANKS = {response: place for place, response in enumerate(Response)}


class FailureClass(StrEnum):
    """How a therapy failed, by response and by time."""

    NONE = "none"
    PRIMARY_RESISTANCE = "primary_resistance"
    INCOMPLETE_RESPONSE = "incomplete_response"
    EARLY_RELAPSE = "early_relapse"
    LATE_RELAPSE = "late_relapse"
    UNKNOWN = "unknown"


class AntigenStatus(StrEnum):
    """Target antigen on the tumour at failure."""

    POSITIVE = "positive"
    LOW = "low"
    NEGATIVE = "negative"
    UNKNOWN = "unknown"


class MechanismGroup(StrEnum):
    """The coarse level at which a failure can be explained."""

    QUANTITY = "quantity"
    QUALITY = "quality"
    ANTIGEN = "antigen"
    ENVIRONMENT = "environment"
    TUMOUR = "tumour"
    TREATMENT = "treatment"


class Mechanism(StrEnum):
    """Why a CAR T-cell therapy may fail."""

    EXPANSION = "expansion"
    PERSISTENCE = "persistence"
    POTENCY = "potency"
    EXHAUSTION = "exhaustion"
    ANTIGEN_NEGATIVE = "antigen_negative"
    ANTIGEN_LOW = "antigen_low"
    SUPPRESSION = "suppression"
    BARRIER = "barrier"
    TUMOUR_GROWTH = "tumour_growth"
    TUMOUR_BURDEN = "tumour_burden"
    STEROIDS = "steroids"
    LYMPHODEPLETION = "lymphodepletion"

    @property
    def group(self) -> MechanismGroup:
        """The coarse class this mechanism belongs to."""
        return _GROUPS[self]


_GROUPS = {
    Mechanism.EXPANSION: MechanismGroup.QUANTITY,
    Mechanism.PERSISTENCE: MechanismGroup.QUANTITY,
    Mechanism.POTENCY: MechanismGroup.QUALITY,
    Mechanism.EXHAUSTION: MechanismGroup.QUALITY,
    Mechanism.ANTIGEN_NEGATIVE: MechanismGroup.ANTIGEN,
    Mechanism.ANTIGEN_LOW: MechanismGroup.ANTIGEN,
    Mechanism.SUPPRESSION: MechanismGroup.ENVIRONMENT,
    Mechanism.BARRIER: MechanismGroup.ENVIRONMENT,
    Mechanism.TUMOUR_GROWTH: MechanismGroup.TUMOUR,
    Mechanism.TUMOUR_BURDEN: MechanismGroup.TUMOUR,
    Mechanism.STEROIDS: MechanismGroup.TREATMENT,
    Mechanism.LYMPHODEPLETION: MechanismGroup.TREATMENT,
}


class Toxicity(StrEnum):
    """Toxicities of CAR T-cell therapy that are graded."""

    CRS = "crs"
    ICANS = "icans"
    IEC_HS = "iec_hs"
    ICAHT = "icaht"
    INFECTION = "infection"
    HYPOGAMMAGLOBULINAEMIA = "hypogammaglobulinaemia"
