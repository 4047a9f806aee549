"""How well texts are read: statements held against labels, as precision and recall for each target."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from livingdrug.options.eligibility_statement import ELIGIBILITY, REQUIRED, Statement

TARGETS = ("disease", "disease excluded", "prior CAR T", "antigen", "age", "ECOG")


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one target: read and labelled, read only, labelled only."""

    right: int = 0
    spurious: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of what was read that is right; 1 where nothing was read."""
        read = self.right + self.spurious
        return self.right / read if read else 1.0

    @property
    def recall(self) -> float:
        """Share of what is labelled that was read; 1 where nothing is labelled."""
        labelled = self.right + self.missed
        return self.right / labelled if labelled else 1.0


def collect_statements(statements: Iterable[Statement]) -> dict[str, set[Any]]:
    """Return what a text states in the words of the labels; the registry's other fields do not count."""
    found: dict[str, set[Any]] = {target: set() for target in TARGETS}
    for one in statements:
        if one.source != ELIGIBILITY:
            continue
        if one.target == "disease":
            found["disease" if one.polarity == REQUIRED else "disease excluded"].add(one.value)
        elif one.target == "antigen" and one.polarity == REQUIRED:
            found["antigen"].add(one.value)
        elif one.target == "age":
            found["age"].add((one.value.get("min"), one.value.get("max")))
        elif one.target == "ecog":
            found["ECOG"].add(one.value["max"])
        elif one.target == "prior_car_t":
            found["prior CAR T"].add(_name_rule(one))
    return found


def _name_rule(statement: Statement) -> str:
    value = statement.value
    days = [f"{value['within_days']:g}"] if value["within_days"] else []
    targets = [",".join(value["targets"])] if value["targets"] else []
    return " ".join([statement.polarity, value["scope"], *targets, *days])


def collect_label(label: Mapping[str, Any]) -> dict[str, set[Any]]:
    """Return a label, as it is written in YAML, in the same form."""
    return {
        "disease": set(label.get("disease", ())),
        "disease excluded": set(label.get("not", ())),
        "prior CAR T": set(label.get("prior", ())),
        "antigen": set(label.get("antigen", ())),
        "age": {tuple(limits) for limits in label.get("age", ())},
        "ECOG": set(label.get("ecog", ())),
    }


def compute_scores(pairs: Iterable[tuple[Iterable[Statement], Mapping[str, Any]]]) -> dict[str, Score]:
    """Score texts against their labels.

    Examples
    --------
    >>> from livingdrug.options.eligibility import extract_statements
    >>> from livingdrug.options.trial_record import TrialRecord
    >>> record = TrialRecord("NCT00000000", eligibility="Inclusion Criteria: ECOG 0-1")
    >>> compute_scores([(extract_statements(record), {"ecog": [1]})])["ECOG"].precision
    1.0
    """
    scores = dict.fromkeys(TARGETS, Score())
    for statements, label in pairs:
        found, wanted = collect_statements(statements), collect_label(label)
        for target, old in scores.items():
            read, labelled = found[target], wanted[target]
            scores[target] = Score(
                old.right + len(read & labelled), old.spurious + len(read - labelled), old.missed + len(labelled - read)
            )
    return scores
