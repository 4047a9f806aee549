import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.sheet import COLUMNS, REQUIRED
from livingdrug.core.tables import Record, check_record
from livingdrug.core.variables import AFTER_INFUSION, EVENT_TYPES, EVENT_UNITS, VARIABLES

SUBJECTS = pl.DataFrame({"subject_id": ["P1"], "disease": ["myeloma"], "product": ["ide_cel"]})
EVENTS = pl.DataFrame({"subject_id": ["P1"], "day": [0.0], "type": ["car_t"], "amount": [4.5e8], "unit": ["cells"]})
OBSERVATIONS = pl.DataFrame(
    {
        "subject_id": ["P1", "P1"],
        "day": [-3.0, 28.0],
        "variable": ["crp"] * 2,
        "value": [3.0, 1.0],
        "unit": ["mg/L"] * 2,
    }
)


def test_a_sound_record_in_memory_passes_without_the_optional_columns():
    check_record(Record(SUBJECTS, EVENTS, OBSERVATIONS))


def test_a_record_in_memory_is_checked_as_strictly_as_a_file():
    wrong = OBSERVATIONS.with_columns(unit=pl.lit("g"))
    with pytest.raises(InputError, match=r"observations.csv, row 2, column unit") as caught:
        check_record(Record(SUBJECTS.with_columns(disease=pl.lit("flu")), EVENTS, wrong, "simulation"))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_number_that_is_none_does_not_pass_in_memory_either(value):
    with pytest.raises(InputError, match="column value"):
        check_record(Record(SUBJECTS, EVENTS, OBSERVATIONS.with_columns(value=pl.lit(value))))


def test_required_columns_are_columns():
    assert all(set(REQUIRED[name]) <= set(COLUMNS[name]) for name in COLUMNS)


def test_the_vocabulary_of_events_is_one():
    assert {*AFTER_INFUSION, *EVENT_UNITS} <= EVENT_TYPES.keys()


def test_a_variable_is_a_number_with_a_range_or_one_of_its_words():
    for variable in VARIABLES.values():
        assert bool(variable.unit) != bool(variable.words), variable.name
        assert variable.words or variable.lower < variable.upper < float("inf"), variable.name
