"""The product in the body, and what blood, urine, marrow and biopsy say of the disease."""

from livingdrug.core.variable import Variable

_SIGN = ("positive", "negative", "indeterminate")
_THERE = ("present", "absent", "indeterminate")

DISEASE = (
    Variable("car_transgene", "copies/ug", "CAR transgene per genomic DNA, qPCR", upper=1e8),
    Variable("car_t_cells", "cells/uL", "CAR T cells in blood, flow cytometry", upper=1e6),
    Variable("m_protein", "g/dL", "serum M-protein, electrophoresis", upper=20.0),
    Variable("urine_m_protein", "mg/24h", "urine M-protein", upper=1e5),
    Variable("flc_kappa", "mg/L", "serum free light chain kappa", upper=3e5),
    Variable("flc_lambda", "mg/L", "serum free light chain lambda", upper=3e5),
    Variable("serum_immunofixation", "", "serum immunofixation", words=_SIGN),
    Variable("urine_immunofixation", "", "urine immunofixation", words=_SIGN),
    Variable("marrow_plasma_cells", "%", "plasma cells in marrow", upper=100.0),
    Variable("marrow_clonal_plasma_cells", "", "clonal plasma cells in marrow", words=("present", "absent")),
    Variable("circulating_plasma_cells", "cells/uL", "plasma cells in blood", upper=1e6),
    Variable("marrow_blasts", "%", "blasts in marrow", upper=100.0),
    Variable("blood_blasts", "%", "blasts in blood", upper=100.0),
    Variable("extramedullary_disease", "", "leukaemia outside marrow and blood", words=_THERE),
    Variable("marrow_lymphocytes", "%", "lymphocytes in marrow", upper=100.0),
    Variable("marrow_lymphoid_nodules", "", "nodules of the leukaemia in a marrow biopsy", words=_THERE),
    Variable("mrd", "1", "measurable residual disease, fraction of cells; sensitivity in lloq", upper=1.0),
    Variable("mrd_cells", "count", "cells analysed for measurable residual disease", upper=1e10),
    Variable("sbcma", "ng/mL", "soluble BCMA", upper=1e5),
    Variable("antigen_positive_fraction", "1", "tumour cells with the target antigen", upper=1.0, has_detail=True),
    Variable("antigen_density", "molecules/cell", "target antigen per tumour cell", upper=1e7, has_detail=True),
    Variable("pd1_tim3_fraction", "1", "CAR T cells with PD-1 and TIM-3", upper=1.0),
)
