"""Diseases by the names of OncoTree that CTML uses. A group that OncoTree draws differently stands here under no name.

The tree of OncoTree counts myeloma among the lymphomas, so ``lymphoma``, ``nhl``, ``b_nhl`` and ``lbcl`` have no equal.
Its B- and T-lymphoblastic neoplasms hold leukaemia and lymphoma together: the leukaemia is taken.
"""

from collections.abc import Mapping
from types import MappingProxyType

ONCOTREE: Mapping[str, str] = MappingProxyType(
    {
        "haematological": "_LIQUID_",
        "solid": "_SOLID_",
        "b_all": "B-Lymphoblastic Leukemia/Lymphoma",
        "t_all": "T-Lymphoblastic Leukemia/Lymphoma",
        "aml": "Acute Myeloid Leukemia",
        "mds": "Myelodysplastic Syndromes",
        "cmml": "Chronic Myelomonocytic Leukemia",
        "bpdcn": "Blastic Plasmacytoid Dendritic Cell Neoplasm",
        "cll": "Chronic Lymphocytic Leukemia/Small Lymphocytic Lymphoma",
        "hairy_cell": "Hairy Cell Leukemia",
        "t_pll": "T-Cell Prolymphocytic Leukemia",
        "dlbcl": "Diffuse Large B-Cell Lymphoma, NOS",
        "pmbcl": "Primary Mediastinal (Thymic) Large B-Cell Lymphoma",
        "follicular": "Follicular Lymphoma",
        "mcl": "Mantle Cell Lymphoma",
        "mzl": "Marginal Zone Lymphoma",
        "waldenstrom": "Waldenstrom Macroglobulinemia",
        "burkitt": "Burkitt Lymphoma",
        "plasmablastic": "Plasmablastic Lymphoma",
        "hodgkin": "Hodgkin Lymphoma",
        "aitl": "Angioimmunoblastic T-Cell Lymphoma",
        "alcl": "Anaplastic Large Cell Lymphoma",
        "atll": "Adult T-Cell Leukemia/Lymphoma",
        "hepatosplenic": "Hepatosplenic T-Cell Lymphoma",
        "myeloma": "Plasma Cell Myeloma",
        "dipg": "Diffuse Intrinsic Pontine Glioma",
        "medulloblastoma": "Medulloblastoma",
        "neuroblastoma": "Neuroblastoma",
        "retinoblastoma": "Retinoblastoma",
        "osteosarcoma": "Osteosarcoma",
        "ewing": "Ewing Sarcoma",
        "rhabdomyosarcoma": "Rhabdomyosarcoma",
        "synovial": "Synovial Sarcoma",
        "desmoplastic": "Desmoplastic Small-Round-Cell Tumor",
        "breast": "Breast",
        "lung": "Lung",
        "nsclc": "Non-Small Cell Lung Cancer",
        "sclc": "Small Cell Lung Cancer",
        "prostate": "Prostate",
        "pancreatic": "Pancreas",
        "hcc": "Hepatocellular Carcinoma",
        "hepatoblastoma": "Hepatoblastoma",
        "melanoma": "Melanoma",
        "wilms": "Wilms' Tumor",
        "nasopharyngeal": "Nasopharyngeal Carcinoma",
        "adrenocortical": "Adrenocortical Carcinoma",
    }
)
"""Our name and OncoTree's."""
ALSO: Mapping[str, str] = MappingProxyType({"multiple myeloma": "myeloma", "diffuse large b-cell lymphoma": "dlbcl"})
"""Further names, in small letters, that are read and not written."""


def find_disease(oncotree: str) -> str:
    """Return our name of a disease of OncoTree; empty where we have none.

    Examples
    --------
    >>> find_disease("Mantle Cell Lymphoma"), find_disease("Multiple Myeloma"), find_disease("Uveal Melanoma")
    ('mcl', 'myeloma', '')
    """
    small = oncotree.strip().lower()
    names = {theirs.lower(): ours for ours, theirs in ONCOTREE.items()}
    return names.get(small) or ALSO.get(small, "")
