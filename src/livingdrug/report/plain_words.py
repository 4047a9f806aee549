"""An explanation for the person it is about: short sentences, common words, no verdict that is surer than the model.

Examples
--------
>>> say_chance(0.98), say_chance(0.4), say_chance(0.001)
('in about 98 of 100 runs', 'in about 40 of 100 runs', 'in fewer than 1 of 100 runs')
"""

from livingdrug.report.wording import format_day
from livingdrug.study.explanation import Explanation

DISEASES = {
    "myeloma": "myeloma, a blood cancer",
    "lbcl": "large B-cell lymphoma, a blood cancer",
    "b_all": "acute leukaemia, a blood cancer",
    "mcl": "mantle cell lymphoma, a blood cancer",
    "cll": "chronic leukaemia, a blood cancer",
    "follicular": "follicular lymphoma, a blood cancer",
    "solid": "a solid tumour",
}
OUTCOMES = {
    "primary_resistance": "The treatment did not shrink the cancer.",
    "incomplete_response": "The treatment shrank the cancer, but not by enough.",
    "early_relapse": "The treatment worked at first. Then the cancer came back soon.",
    "late_relapse": "The treatment worked for some time. Then the cancer came back.",
    "unknown": "The treatment stopped working. We can not tell from the notes how it began.",
}
REASONS = {
    "expansion": "The CAR T cells did not grow to a large enough number in your body.",
    "persistence": "The CAR T cells did not last long enough.",
    "potency": "The CAR T cells were there, but each one killed too few cancer cells.",
    "exhaustion": "The CAR T cells got tired. They were there, but they had lost their strength.",
    "antigen_negative": "Some cancer cells lost the mark that CAR T cells look for. So they could hide and grow.",
    "antigen_low": "Some cancer cells show only a little of the mark that CAR T cells look for. So they could hide "
    "and grow.",
    "suppression": "The tissue around the cancer held the CAR T cells back.",
    "barrier": "The CAR T cells could not get into the cancer.",
    "tumour_growth": "The cancer grew faster than the CAR T cells could kill it.",
    "tumour_burden": "There was a lot of cancer when the treatment began.",
    "steroids": "Steroids that you were given may have held the CAR T cells back.",
    "lymphodepletion": "The drugs given before the CAR T cells may not have made enough room for them.",
    "quantity": "There were too few CAR T cells, or they did not last. We can not tell which.",
    "quality": "The CAR T cells were there, but they did not work well enough.",
    "antigen": "Cancer cells with little or none of the mark that CAR T cells look for could hide and grow.",
    "environment": "The tissue around the cancer held the CAR T cells back.",
    "tumour": "There was a lot of cancer, or it grew fast. We can not tell which.",
    "treatment": "It may be due to the way the treatment was given.",
}
QUESTIONS = (
    "Do you agree with what this page says?",
    "Is there a test that could tell us more?",
    "What can we do next, and what are the risks of each step?",
    "Are there trials that I could join?",
    "Who can I call when I feel worse or have a new symptom?",
)
WORDS = (
    ("CAR T cells", "Your own immune cells. A lab has changed them so that they can find and kill cancer cells."),
    ("Mark (target)", "A protein on the cancer cell. CAR T cells look for it, as a key looks for its lock."),
    (
        "Limit of quantification",
        "The least that a test can count. A mark on this line means: less than that, or none.",
    ),
    ("Model", "A computer program that acts out how the CAR T cells and the cancer grow and shrink."),
)


def say_chance(probability: float) -> str:
    """Say a probability as a count of runs of the model."""
    count = round(100 * probability)
    if count < 1:
        return "in fewer than 1 of 100 runs"
    return "in more than 99 of 100 runs" if count > 99 else f"in about {count} of 100 runs"


def write_what_happened(explanation: Explanation) -> list[str]:
    """Say what was given and how it went."""
    disease = DISEASES.get(explanation.disease, "your illness")
    first = f"You were given CAR T cells to treat {disease}."
    if explanation.failed is None:
        return [first, "The notes we have do not tell us if the treatment still works.", "Please ask your care team."]
    if not explanation.failed:
        return [first, "In the time that the notes cover, we see no sign that the treatment has failed."]
    outcome = OUTCOMES.get(explanation.failure_class, OUTCOMES["unknown"])
    when = f"This was seen on {format_day(explanation.failure_day)} after you got the cells."
    return [first, outcome, *([when] if explanation.failure_day is not None else [])]


def write_why(explanation: Explanation) -> list[str]:
    """Say the most probable reason, and how sure the model is."""
    if not explanation.failed:
        return []
    words = REASONS.get(explanation.answered or "")
    if words is None:
        return [
            "We can not tell why from the notes we have.",
            "This is not your fault. More tests may give an answer.",
        ]
    return [
        f"What fits best: {words[:1].lower()}{words[1:]}",
        *_write_certainty(explanation),
        "This is not your fault.",
    ]


def _write_certainty(explanation: Explanation) -> list[str]:
    named = [item for item in explanation.mechanisms if explanation.answered in (item["name"], item["group"])]
    chance = sum(float(item["probability"]) for item in named)
    found = [f"We ran the model many times. This was the main reason {say_chance(chance)}."] if named else []
    if not explanation.fit.get("converged", True):
        found.append("The model did not fit your results well. So please take this as a hint only.")
    return [*found, "The model can be wrong. It leaves out a lot, and some of its numbers are best guesses."]


def list_numbers(explanation: Explanation) -> list[tuple[str, str]]:
    """List what the page rests on, in plain words."""
    provenance = explanation.provenance
    return [
        ("Test results in the notes", str(len(explanation.observations))),
        ("Numbers in the model that are best guesses", str(len(provenance.get("assumed") or []))),
        ("Version of the program", str(provenance.get("version", ""))),
        ("Version of its numbers", str(provenance.get("knowledge", ""))),
        ("Start number for chance (seed)", str(provenance.get("seed", ""))),
        ("Fingerprint of the notes", str(provenance.get("input_hash", ""))),
    ]
