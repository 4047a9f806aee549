"""Counts and chemistry of blood."""

from livingdrug.core.variable import Variable

LABORATORY = (
    Variable("b_cells", "cells/uL", "B cells in blood", upper=1e6),
    Variable("immunoglobulin_g", "g/L", "immunoglobulin G", upper=200.0),
    Variable("immunoglobulin_a", "g/L", "immunoglobulin A", upper=200.0),
    Variable("immunoglobulin_m", "g/L", "immunoglobulin M", upper=200.0),
    Variable("beta2_microglobulin", "mg/L", "beta-2 microglobulin", upper=300.0),
    Variable("il6", "pg/mL", "interleukin 6", upper=1e7),
    Variable("il10", "pg/mL", "interleukin 10", upper=1e7),
    Variable("interferon_gamma", "pg/mL", "interferon gamma", upper=1e7),
    Variable("crp", "mg/L", "C-reactive protein", upper=1500.0),
    Variable("ferritin", "ng/mL", "ferritin", upper=1e7),
    Variable("fibrinogen", "mg/dL", "fibrinogen", upper=3000.0),
    Variable("triglycerides", "mg/dL", "triglycerides", upper=2e4, molar_mass=885.7),
    Variable("ldh", "U/L", "lactate dehydrogenase", upper=1e5),
    Variable("haemoglobin", "g/dL", "haemoglobin", lower=2.0, upper=30.0),
    Variable("calcium", "mg/dL", "calcium", lower=3.0, upper=30.0, molar_mass=40.08),
    Variable("albumin", "g/dL", "albumin", lower=0.3, upper=10.0),
    Variable("creatinine", "mg/dL", "creatinine", upper=40.0, molar_mass=113.122),
    Variable("platelets", "10*9/L", "platelets", upper=1e4),
    Variable("neutrophils", "10*9/L", "neutrophils", upper=500.0),
    Variable("lymphocytes", "10*9/L", "lymphocytes", upper=2000.0),
    Variable("host_t_cells", "cells/uL", "T cells without the CAR", upper=1e6),
)
