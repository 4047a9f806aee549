"""Every set of criteria by the name of its family: one function each, all of one shape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from livingdrug.clinical import (
    chronic_leukaemia,
    crs,
    endothelial_index,
    haematotoxicity,
    haematotoxicity_score,
    hscore,
    hyperinflammation,
    icans,
    imwg,
    irecist,
    kidney,
    laboratory_grades,
    leukaemia,
    lugano,
    lyric,
    recist,
    staging,
)
from livingdrug.core.assessment import SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset


class Assess(Protocol):
    """One set of criteria: a subject's tables, the thresholds and the options in; verdicts and endpoints out."""

    def __call__(self, tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
        """Assess one subject."""


class AssessSubjects(Protocol):
    """The same of several subjects at once: to each what it gets alone."""

    def __call__(
        self, subjects: Sequence[SubjectTables], rules: Ruleset, **options: OptionValue
    ) -> Sequence[SubjectAssessment]:
        """Assess some subjects."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """A family of criteria.

    Parameters
    ----------
    assess : function
    variables : tuple of str
        What it looks at.
    diseases : tuple of str
        What it is made for; any where there is none.
    assess_subjects : function, optional
        Where several subjects at once take less time.
    """

    assess: Assess
    variables: tuple[str, ...]
    diseases: tuple[str, ...] = ()
    assess_subjects: AssessSubjects | None = None

    def assess_each(
        self, subjects: Sequence[SubjectTables], rules: Ruleset, options: Mapping[str, OptionValue]
    ) -> Iterable[SubjectAssessment]:
        """Assess some subjects, at once where that is faster."""
        if self.assess_subjects is not None:
            return self.assess_subjects(subjects, rules, **options)
        return (self.assess(tables, rules, **options) for tables in subjects)


ANY: tuple[str, ...] = ()
MYELOMA = ("myeloma",)
LYMPHOMA = ("lbcl", "mcl", "follicular", "cll")
CRITERIA: Mapping[str, Criteria] = MappingProxyType(
    {
        "imwg": Criteria(imwg.assess_imwg, imwg.VARIABLES, MYELOMA, imwg.assess_imwg_subjects),
        "lugano": Criteria(lugano.assess_lugano, lugano.VARIABLES, LYMPHOMA),
        "lyric": Criteria(lyric.assess_lyric, lyric.VARIABLES, LYMPHOMA),
        "all": Criteria(leukaemia.assess_all, leukaemia.VARIABLES, ("b_all",)),
        "iwcll": Criteria(chronic_leukaemia.assess_iwcll, chronic_leukaemia.VARIABLES, ("cll",)),
        "recist": Criteria(recist.assess_recist, recist.VARIABLES, ("solid",)),
        "irecist": Criteria(irecist.assess_irecist, irecist.VARIABLES, ("solid",)),
        "astct-crs": Criteria(crs.assess_crs, crs.VARIABLES, ANY),
        "astct-icans": Criteria(icans.assess_icans, icans.VARIABLES, ANY),
        "iec-hs": Criteria(hyperinflammation.assess_iec_hs, hyperinflammation.VARIABLES, ANY),
        "hscore": Criteria(hscore.assess_hscore, hscore.VARIABLES, ANY),
        "icaht": Criteria(haematotoxicity.assess_icaht, haematotoxicity.VARIABLES, ANY),
        "ctcae": Criteria(laboratory_grades.assess_ctcae, laboratory_grades.VARIABLES, ANY),
        "car-hematotox": Criteria(haematotoxicity_score.assess_car_hematotox, haematotoxicity_score.VARIABLES, ANY),
        "easix": Criteria(endothelial_index.assess_easix, endothelial_index.VARIABLES, ANY),
        "iss": Criteria(staging.assess_iss, staging.VARIABLES, MYELOMA),
        "ckd-epi": Criteria(kidney.assess_kidney, kidney.VARIABLES, ANY),
        "cockcroft-gault": Criteria(kidney.assess_kidney, kidney.VARIABLES, ANY),
    }
)
"""Family (what stands before the slash of a ruleset's name) to its criteria."""
