"""One published result of a treatment after failure: what was found in whom, how sure, and who has checked it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Certainty = Literal["very_low", "low", "moderate", "high"]
CERTAINTIES: tuple[Certainty, ...] = ("very_low", "low", "moderate", "high")
"""From least to most sure, in the words of GRADE."""
Number = int | float
Outcome = Number | str | list[Number]
Modifier = Number | str | list[str] | dict[str, Number]


class Verification(BaseModel):
    """Who has seen the number, and when.

    ``recalled_unverified`` is from memory: it supports no band and is shown as not confirmed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    status: Literal["verified_abstract", "verified_secondary", "recalled_unverified"]
    checked_on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class EvidenceSource(BaseModel):
    """Where a result was published; ``confirm`` says what must still be checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str = Field(min_length=3)
    cite: str = ""
    doi: str = Field("", pattern=r"^$|^10\.")
    pmid: str = Field("", pattern=r"^\d{0,8}$")
    pmcid: str = Field("", pattern=r"^$|^PMC\d+$")
    nct: str = Field("", pattern=r"^$|^NCT\d{8}(\|NCT\d{8})*$")
    registry: str = ""
    confirm: str = ""

    @property
    def citation(self) -> str:
        """The source as one line of text."""
        numbers = (("doi:", self.doi), ("PMID ", self.pmid), ("", self.pmcid), ("", self.nct), ("", self.registry))
        found = [f"{name}{number}" for name, number in numbers if number]
        return ". ".join(part for part in (self.title, self.cite, *found[:2]) if part)


class EvidenceItem(BaseModel):
    """One row of evidence; percentages are of patients, ``mo`` are medians in months.

    ``study`` names what patients it comes from: two items of one study are not independent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^NE-\d{3}$")
    disease: str
    prior_car_target: str
    population: str
    option: str = Field(pattern=r"^[a-z0-9_]+$")
    design: Literal[
        "cohort_plus_case",
        "meta_analysis",
        "phase1",
        "phase1_2",
        "phase1_2_cohort",
        "phase2",
        "phase2_cohort",
        "rct",
        "rct_halted",
        "rct_post_hoc",
        "retrospective",
        "single_arm_trial_subgroup",
    ]
    n: int | None = Field(None, ge=1)
    n_reason: str = ""
    outcomes: dict[str, Outcome]
    outcomes_reason: str = ""
    computed: dict[str, Outcome] = Field(default_factory=dict)
    modifiers: dict[str, Modifier] = Field(default_factory=dict)
    direction: Literal["supports", "does_not_support", "harm", "reports"] = "reports"
    level: Literal["A", "B", "C", "D", "E"]
    certainty: Certainty
    how: Literal["reported", "assumed"]
    source: str
    study: str
    also_see: tuple[str, ...] = ()
    disconfirmed_by: tuple[str, ...] = ()
    verification: Verification
    notes: str = ""

    @property
    def is_recalled(self) -> bool:
        """Whether the number is from memory."""
        return self.verification.status == "recalled_unverified"

    @property
    def sureness(self) -> int:
        """Place of its certainty, 0 for very low."""
        return CERTAINTIES.index(self.certainty)
