"""What is read of eligibility texts against labels made by hand."""

from pathlib import Path

import pytest
import yaml

from livingdrug.io.clinical_trials import read_trials
from livingdrug.options.eligibility import extract_statements
from livingdrug.options.eligibility_score import compute_scores
from livingdrug.options.trial_record import TrialRecord

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data" / "trials" / "eligibility_60.ndjson"
JUDGED = ("disease", "prior CAR T", "antigen", "age", "ECOG")


def check(scores):
    for target in JUDGED:
        assert scores[target].precision >= 0.95, (target, scores[target])
        assert scores[target].recall >= 0.85, (target, scores[target])


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED.exists(), reason="the team's library is not beside the checkout")
def test_sixty_registered_texts_are_read_precisely_and_mostly():
    records = {record.nct_id: record for record in read_trials(SHARED)[0]}
    labels = yaml.safe_load((HERE / "eligibility_labels.yaml").read_text(encoding="utf-8"))
    assert len(labels) == 60
    check(compute_scores((extract_statements(records[label["id"]]), label) for label in labels))


@pytest.mark.parametrize("name", ["written", "unseen"])
def test_written_texts_of_many_manners_are_read_precisely_and_mostly(name):
    cases = yaml.safe_load((HERE / f"eligibility_{name}.yaml").read_text(encoding="utf-8"))
    records = [TrialRecord(c["id"], conditions=tuple(c["conditions"]), eligibility=c["text"]) for c in cases]
    check(compute_scores((extract_statements(r), c["label"]) for r, c in zip(records, cases, strict=True)))


def test_sentences_on_earlier_car_t_cells_are_read_precisely_and_mostly():
    sets = yaml.safe_load((HERE / "eligibility_sentences.yaml").read_text(encoding="utf-8"))
    pairs = []
    for section, sentence, rules in (row for rows in sets.values() for row in rows):
        heading = "Inclusion Criteria:" if section == "I" else "Inclusion Criteria:\n* Consent\nExclusion Criteria:"
        record = TrialRecord("NCT00000000", conditions=("Lymphoma",), eligibility=f"{heading}\n* {sentence}")
        pairs.append((extract_statements(record), {"prior": rules}))
    score = compute_scores(pairs)["prior CAR T"]
    assert len(pairs) >= 250
    assert score.precision >= 0.95, score
    assert score.recall >= 0.85, score
