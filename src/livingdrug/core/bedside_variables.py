"""What is seen at the bedside: vital signs, support, consciousness, complaints."""

from livingdrug.core.variable import Variable

_YES_NO = ("yes", "no")
_YES_NO_OPEN = ("yes", "no", "indeterminate")
_OXYGEN = (
    "none",
    "low_flow",
    "nasal_cannula",
    "blow_by",
    "high_flow",
    "face_mask",
    "non_rebreather",
    "venturi_mask",
    "positive_pressure",
    "cpap",
    "bipap",
    "ventilation",
    "intubation",
)
_AROUSAL = ("awake", "spontaneous", "voice", "touch", "vigorous", "unarousable", "stupor", "coma")
_SEIZURE = ("none", "brief", "nonconvulsive_resolving", "prolonged", "repetitive")
_WEAKNESS = ("none", "mild", "hemiparesis", "paraparesis", "deep_focal")
_PRESSURE = ("none", "posturing", "sixth_nerve_palsy", "papilloedema", "cushing_triad")

BEDSIDE = (
    Variable("temperature", "Cel", "body temperature", lower=20.0, upper=46.0),
    Variable("systolic_bp", "mmHg", "systolic blood pressure", upper=400.0),
    Variable("spo2", "%", "oxygen saturation", upper=100.0),
    Variable("vasopressors", "count", "vasopressors in use, vasopressin not counted", upper=10.0),
    Variable("vasopressin", "", "vasopressin in use", words=_YES_NO),
    Variable("hypotension", "", "hypotension, treated or not", words=_YES_NO_OPEN),
    Variable("oxygen", "", "oxygen given", words=_OXYGEN),
    Variable("oxygen_flow", "L/min", "flow of oxygen", upper=100.0),
    Variable("hypoxia", "", "hypoxia that needs oxygen", words=_YES_NO_OPEN),
    Variable("intubation_reason", "", "why the patient is intubated", words=("hypoxia", "airway_protection")),
    Variable("fever_explained_otherwise", "", "fever with another cause than cytokine release", words=_YES_NO_OPEN),
    Variable("fever_treated", "", "fever of cytokine release treated, so that it may be absent", words=_YES_NO),
    Variable("crs_active", "", "cytokine release syndrome as the treating team judged it", words=_YES_NO),
    Variable("crs_course", "", "where cytokine release stands", words=("none", "rising", "resolving", "resolved")),
    Variable("ice_score", "score", "immune effector cell encephalopathy score", upper=10.0),
    Variable("ice_orientation", "score", "ICE: year, month, city, hospital", upper=4.0),
    Variable("ice_naming", "score", "ICE: three objects named", upper=3.0),
    Variable("ice_commands", "score", "ICE: a command followed", upper=1.0),
    Variable("ice_writing", "score", "ICE: a sentence written", upper=1.0),
    Variable("ice_attention", "score", "ICE: counted back from 100 by tens", upper=1.0),
    Variable("capd_score", "score", "Cornell assessment of paediatric delirium", upper=32.0),
    Variable("consciousness", "", "what the patient awakens to", words=_AROUSAL),
    Variable("seizure", "", "seizure, clinical or in the EEG", words=_SEIZURE),
    Variable("seizure_duration", "min", "longest seizure", upper=1e4),
    Variable("motor_weakness", "", "weakness", words=_WEAKNESS),
    Variable("cerebral_oedema", "", "oedema in imaging of the brain", words=("none", "focal", "diffuse")),
    Variable("raised_intracranial_pressure", "", "sign of raised intracranial pressure", words=_PRESSURE),
    Variable("neurotoxicity_explained_otherwise", "", "another cause, such as sedation", words=_YES_NO_OPEN),
    Variable("tremor", "", "tremor", words=_YES_NO),
    Variable("myoclonus", "", "myoclonus", words=_YES_NO),
    Variable("intracranial_haemorrhage", "", "intracranial haemorrhage", words=_YES_NO),
    Variable("parkinsonism", "", "parkinsonism or another movement disorder", words=_YES_NO),
    Variable("cranial_nerve_palsy", "", "cranial nerve palsy without raised pressure", words=_YES_NO),
    Variable("splenomegaly", "", "enlarged spleen", words=_YES_NO),
    Variable("hepatomegaly", "", "enlarged liver", words=_YES_NO),
    Variable("haemophagocytosis", "", "haemophagocytosis in marrow or tissue", words=_YES_NO_OPEN),
    Variable("immunosuppression", "", "known underlying immunosuppression", words=_YES_NO),
    Variable("cytopenia_due_to_disease", "", "low counts caused by the leukaemia, as judged", words=_YES_NO_OPEN),
    Variable(
        "constitutional_symptoms", "", "fever, night sweats, weight loss or fatigue of the disease", words=_YES_NO
    ),
    Variable("new_cytopenia", "", "new, worse or refractory cytopenia", words=_YES_NO),
    Variable("hyperinflammation_explained_otherwise", "", "CRS, infection or progression", words=_YES_NO_OPEN),
    Variable("ecog", "score", "ECOG performance status", upper=5.0),
    Variable("pain_nrs", "score", "pain, numeric rating", upper=10.0),
    Variable("clinical_status", "", "clinical state as the treating team judges it", words=("stable", "unstable")),
)
