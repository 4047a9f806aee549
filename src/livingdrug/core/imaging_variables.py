"""What images show: lesions one by one, sums, and the categories that a reader gives."""

from livingdrug.core.variable import Variable

_CODES = (
    *("nd", "ne", "pd", "sd", "mr", "pr", "vgpr", "cr", "scr", "non-cr/non-pd"),
    *("iupd", "icpd", "isd", "ipr", "icr", "non-icr/non-iupd"),
    *("cmr", "pmr", "nmr", "pmd", "ir", "ir1", "ir2", "ir2a", "ir2b", "ir3"),
    *("crh", "cri", "mlfs", "nr", "rel", "npr", "pr-l"),
)
"""Categories as a reader or a site gives them, in small letters."""
_NON_TARGET = ("absent", "present", "increased", "unequivocal_progression", "not_evaluable")

IMAGING = (
    Variable("tumour_spd", "mm2", "sum of products of diameters", upper=1e6),
    Variable("tumour_volume", "mL", "tumour volume", upper=1e5),
    Variable("metabolic_tumour_volume", "mL", "metabolic tumour volume, PET", upper=1e5),
    Variable("deauville", "score", "Deauville score", lower=1.0, upper=5.0),
    Variable("new_lesion", "", "new lesion", words=("yes", "no", "equivocal"), has_detail=True),
    Variable("bone_lesion_progression", "", "new or progressive bone lesion", words=("yes", "no")),
    Variable("target_lesion_sum", "mm", "sum of diameters of target lesions", upper=1e4),
    Variable("plasmacytoma_spd", "mm2", "plasmacytoma, sum of products of diameters", upper=1e6),
    Variable("target_lesion", "mm", "target lesion outside nodes, longest diameter", upper=1e3, has_detail=True),
    Variable("target_node", "mm", "target lymph node, short axis", upper=1e3, has_detail=True),
    Variable("non_target_lesion", "", "lesion that is not measured", words=_NON_TARGET, has_detail=True),
    Variable("new_target_lesion", "mm", "new lesion that is measured, longest diameter", upper=1e3, has_detail=True),
    Variable("new_target_node", "mm", "new lymph node that is measured, short axis", upper=1e3, has_detail=True),
    Variable("new_non_target_lesion", "", "new lesion that is not measured", words=_NON_TARGET, has_detail=True),
    Variable("overall_response", "", "overall response as a reader gives it; criteria in assay", words=_CODES),
    Variable("target_response", "", "response of target lesions as a reader gives it", words=_CODES),
    Variable("non_target_response", "", "response of other lesions as a reader gives it", words=_CODES),
    Variable("node_longest_diameter", "mm", "lymph node, longest diameter", upper=1e3, has_detail=True),
    Variable("node_shortest_diameter", "mm", "lymph node, diameter across the longest", upper=1e3, has_detail=True),
    Variable("extranodal_longest_diameter", "mm", "extranodal lesion, longest diameter", upper=1e3, has_detail=True),
    Variable(
        "extranodal_shortest_diameter",
        "mm",
        "extranodal lesion, diameter across the longest",
        upper=1e3,
        has_detail=True,
    ),
    Variable("spleen_length", "cm", "spleen, vertical length", upper=60.0),
    Variable("liver_length", "cm", "liver, vertical length", upper=60.0),
    Variable(
        "pet_response",
        "",
        "metabolic response as a reader gives it",
        words=("cmr", "pmr", "nmr", "smd", "pmd", "cr", "pr", "sd", "pd", "ne", "nd"),
    ),
    Variable(
        "ct_response",
        "",
        "anatomic response as a reader gives it",
        words=("car", "par", "sad", "pad", "cr", "pr", "sd", "pd", "ne", "nd"),
    ),
    Variable("fdg_uptake_change", "", "FDG uptake against baseline", words=("lower", "unchanged", "higher")),
    Variable("fdg_new_foci", "", "new FDG-avid foci of lymphoma", words=("yes", "no", "equivocal")),
    Variable("fdg_marrow", "", "FDG-avid marrow of lymphoma", words=("yes", "no", "equivocal")),
    Variable("marrow_involvement", "", "lymphoma in marrow", words=("yes", "no", "indeterminate")),
    Variable("lesion_biopsy", "", "lymphoma in a lesion that grew or is new", words=("yes", "no", "indeterminate")),
    Variable("plasmacytoma_longest_diameter", "mm", "plasmacytoma, longest diameter", upper=1e3, has_detail=True),
    Variable("plasmacytoma_short_axis", "mm", "plasmacytoma, short axis", upper=1e3, has_detail=True),
)
