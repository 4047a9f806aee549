"""Responses in the spellings of sites become the codes of the record."""

import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.response_words import list_code_variables, spell_response
from livingdrug.core.variables import VARIABLES
from livingdrug.study.assess_record import assess
from livingdrug.study.examples import load_example


@pytest.mark.parametrize("code", [code for name in list_code_variables() for code in VARIABLES[name].words])
def test_every_code_is_its_own_spelling_in_any_capitals(code):
    assert spell_response(f" {code.upper()} ") == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Stringent Complete Response", "scr"),
        ("VERY GOOD PARTIAL RESPONSE (VGPR)", "vgpr"),
        ("unconfirmed complete response", "cr"),
        ("uVGPR", "vgpr"),
        ("PROGRESSIVE DISEASE", "pd"),
        ("Non evaluable", "ne"),
        ("Not  Done", "nd"),
        ("non-CR/non-PD", "non-cr/non-pd"),
        ("NON CR / NON PD", "non-cr/non-pd"),
        ("Partial metabolic response", "pmr"),
        ("PR-L", "pr-l"),
        ("better", "better"),
        ("cPR", "cpr"),
    ],
)
def test_what_is_written_out_is_read_and_what_is_not_known_is_left(text, code):
    assert spell_response(text) == code


def read(*texts):
    days = pl.DataFrame({"day": [28.0 * (place + 1) for place in range(len(texts))], "value": texts})
    example = load_example("myeloma_late_relapse")
    rows = days.with_columns(
        subject_id=pl.lit(example.subjects["subject_id"][0]), variable=pl.lit("overall_response"), assay=pl.lit("IMWG")
    )
    tables = {"subjects": example.subjects.cast(pl.String), "events": example.events.cast(pl.String)}
    return {**tables, "observations": rows.cast(pl.String)}


def test_a_record_may_spell_responses_as_sites_do():
    found = assess(read("PR ", "sCR", "Stringent complete response", "Not evaluable"), "imwg/2016")
    assert found.verdicts["time_point"].to_list() == ["PR", "sCR", "sCR", "NE"]
    assert found.verdicts["confirmed"].to_list() == ["PR", "sCR", "sCR", "sCR"]


def test_a_response_that_is_none_is_refused_with_the_codes_that_are():
    with pytest.raises(InputError, match=r"must be a word for overall_response, but was 'nCR'"):
        assess(read("nCR"), "imwg/2016")
