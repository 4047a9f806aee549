from itertools import pairwise

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.study.examples import load_example
from livingdrug.study.prepare_subject import prepare_subject
from livingdrug.study.what_if import compute_what_if
from livingdrug.study.what_if_grid import compute_what_if_grid
from livingdrug.study.what_if_knobs import KNOBS
from livingdrug.study.write_what_if import read_what_if, write_what_if


@pytest.fixture(scope="module")
def explained():
    return prepare_subject(load_example("myeloma_late_relapse"), seed=1)


def test_the_patient_as_fitted_fails_as_often_as_the_explanation_says(explained):
    said = explained.explanation.fit["failure_probability"]
    assert compute_what_if(explained.start, {}).failure == pytest.approx(said, abs=0.03)


def test_the_same_question_has_the_same_answer_on_any_number_of_threads(explained):
    knobs = {"potency": 3.0, "next_therapy_day": 120.0}
    one, two = (compute_what_if(explained.start, knobs, threads=threads) for threads in (1, 2))
    assert one.failure == two.failure
    assert all(np.array_equal(a.median, b.median) for a, b in zip(one.curves, two.curves, strict=True))


def test_better_killing_and_more_target_never_make_failure_more_probable(explained):
    answers = {knob.name: row for knob, row in compute_what_if_grid(explained.start).answers}
    for name in ("potency", "antigen"):
        chances = [answer.failure for answer in answers[name]]
        assert all(b <= a + 1e-9 for a, b in pairwise(chances)), name


def test_a_knob_at_its_neutral_position_changes_nothing(explained):
    as_it_was = compute_what_if(explained.start, {})
    neutral = compute_what_if(explained.start, {knob.name: knob.neutral for knob in KNOBS})
    assert neutral.failure == as_it_was.failure


def test_what_is_kept_on_disk_gives_the_same_answer(explained, tmp_path):
    write_what_if(explained.start, tmp_path)
    kept = read_what_if(tmp_path)
    knobs = {"environment": 0.25}
    assert compute_what_if(kept, knobs).failure == compute_what_if(explained.start, knobs).failure


def test_every_wrong_knob_is_named_at_once(explained):
    with pytest.raises(InputError, match="2 faults"):
        compute_what_if(explained.start, {"luck": 1.0, "potency": float("nan")})
