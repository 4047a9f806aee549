import pytest

import livingdrug


def test_every_public_name_can_be_imported():
    for name in livingdrug.__all__:
        assert getattr(livingdrug, name) is not None


def test_the_public_door_is_narrow_and_in_order():
    assert len(livingdrug.__all__) <= 36, "seven verbs of the user, each with its result, beside the words they share"
    assert sorted(livingdrug.__all__) == livingdrug.__all__
    assert dir(livingdrug) == livingdrug.__all__


def test_an_unknown_name_is_refused_in_a_sentence():
    with pytest.raises(AttributeError, match="'nothing'"):
        livingdrug.nothing  # noqa: B018
