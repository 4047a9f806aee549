"""What is seen at the bedside: vital signs, support, consciousness, complaints."""

from livingdrug.core.variable import Variable

BEDSIDE = (
    Variable("temperature", "Cel", "body temperature", lower=20.0, upper=46.0),
    Variable("systolic_bp", "mmHg", "systolic blood pressure", upper=400.0),
    Variable("spo2", "%", "oxygen saturation", upper=100.0),
    Variable("vasopressors", "count", "vasopressors in use", upper=10.0),
    Variable("oxygen", "", "oxygen given", words=("none", "low_flow", "high_flow", "positive_pressure", "ventilation")),
    Variable("ice_score", "score", "immune effector cell encephalopathy score", upper=10.0),
    Variable("ecog", "score", "ECOG performance status", upper=5.0),
    Variable("pain_nrs", "score", "pain, numeric rating", upper=10.0),
)
