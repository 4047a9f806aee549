"""What may come next, for the person it is about: kinds of treatment to ask about, comfort care first, no ranking.

No number, no chance and no verdict stands here: which step fits is for the care team and the person to weigh.
"""

from livingdrug.study.option_list import OptionList

Meaning = tuple[str, str]
COMFORT: Meaning = (
    "Comfort care",
    "This team treats pain, worry and other problems. You can have it along with any other care. It is not giving up.",
)
TRIAL: Meaning = (
    "A trial",
    "A trial tests a new treatment. You can ask about it, say no, or leave at any time. "
    "Not every trial takes people who had CAR T cells.",
)
_SAME: Meaning = (
    "The same CAR T cells again",
    "Some people can have more of the same cells. Drugs that make room for them come first.",
)
_OTHER: Meaning = (
    "A new kind of CAR T cells",
    "They may look for a new mark, or for two marks. Most of them are still being tested in trials.",
)
_KILLER: Meaning = (
    "Natural killer cells",
    "These are immune cells of another kind. They are being tested in trials. "
    "We do not yet know how well they work after CAR T cells.",
)
_TWO_SIDED: Meaning = (
    "A two-sided antibody",
    "It holds on to a cancer cell with one side and to your own T cell with the other.",
)
_LOADED: Meaning = ("A drug tied to an antibody", "The antibody finds the cancer cell and brings a strong drug to it.")
_ANTIBODY: Meaning = ("An antibody", "It sticks to a mark on the cancer cell, and your body then helps to kill it.")
_DRUGS: Meaning = ("Other cancer drugs", "Pills or shots that slow the cancer down or kill its cells.")
_CHEMO: Meaning = ("Chemotherapy", "Strong drugs that kill cells that grow fast.")
_RADIATION: Meaning = ("Radiation", "Strong rays that are aimed at one spot, such as a spot that hurts.")
_TRANSPLANT: Meaning = (
    "A stem cell transplant",
    "Very strong drugs come first. Then you get stem cells, your own or those of a donor.",
)
_BRAKE: Meaning = (
    "A drug that takes the brake off T cells",
    "It can wake up tired T cells. It can also do harm, and it must not be mixed with some other drugs.",
)
KINDS: dict[str, Meaning] = {
    "second_infusion": _SAME,
    **dict.fromkeys(("car_same_target", "car_other_target", "car_dual_target", "car_armored"), _OTHER),
    "car_nk": _KILLER,
    "bispecific": _TWO_SIDED,
    "adc": _LOADED,
    "mab": _ANTIBODY,
    **dict.fromkeys(("imid", "proteasome_inhibitor", "targeted_small_molecule"), _DRUGS),
    "chemo": _CHEMO,
    "radiation": _RADIATION,
    **dict.fromkeys(("auto_hct", "allo_hct"), _TRANSPLANT),
    "pd1_inhibitor": _BRAKE,
}
"""What each kind of treatment is, by its name in the option files."""
CALL_NOW = (
    "a fever of 38.0 C (100.4 F) or more, or chills that make you shake",
    "you feel confused, find it hard to speak or write, have a fit, or can not be woken with ease",
    "trouble breathing, chest pain, or you faint",
    "bleeding that does not stop, or many new bruises",
    "new weak or numb legs, or you can not hold your water or stool",
    "new strong back pain, or a sudden bad headache",
    "you throw up and can not keep fluids down, or you pass very little water",
    "you are very thirsty, have no stool and feel confused",
    "you think of harming yourself (in the US call or text 988)",
)
"""When to call the care team at once, day or night: fixed words that nothing on a page hides."""


def list_kinds(found: OptionList) -> list[Meaning]:
    """List the kinds of treatment to ask about: comfort care, a trial, then the others in a fixed order.

    A kind stands here if one option of it is not excluded for this person.
    """
    open_kinds = {one["intervention"]["name"] for one in found.options if one["band"] != "excluded"}
    named = [meaning for name, meaning in KINDS.items() if name in open_kinds]
    return list(dict.fromkeys([COMFORT, TRIAL, *named]))


def write_limits(found: OptionList) -> list[str]:
    """Say what the list is not, and that tests may be missing."""
    waits = any(one["band"] == "needs_data" for one in found.options)
    return [
        "Here are kinds of care that you may want to ask about. The list does not say which is best for you.",
        *(["Some tests are not in the notes yet. Ask which ones could help you choose."] if waits else []),
    ]
