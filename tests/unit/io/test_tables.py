"""What is sound passes: converted, complete, and the same after writing and reading again."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingdrug.core.tables import Record
from livingdrug.core.variables import EVENT_TYPES, VARIABLES
from livingdrug.io.tables import read_record, write_record

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).map(
    str.strip
)
NOTE = TEXT.filter(bool)
NUMBERS = [v for v in VARIABLES.values() if not v.words]
WORDS = [v for v in VARIABLES.values() if v.words]


@st.composite
def observations(draw, subjects):
    rows = []
    for number in range(draw(st.integers(0, 5))):
        word = draw(st.booleans())
        variable = draw(st.sampled_from(WORDS if word else NUMBERS))
        value = draw(st.floats(variable.lower, min(variable.upper, 1e12))) if not word else None
        rows.append(
            {
                "subject_id": draw(st.sampled_from(subjects)),
                "day": number + draw(st.sampled_from([0.0, 0.1, 1 / 3])),
                "variable": variable.name,
                "value": round(value) if variable.is_whole else value,
                "unit": variable.unit or None,
                "assay": draw(st.none() | NOTE),
                "censored": draw(st.sampled_from(["none"] if word else ["none", "right"])),
                "text": draw(st.sampled_from(variable.words)) if word else None,
                "site": draw(NOTE),
            }
        )
    schema = dict.fromkeys(("subject_id", "variable", "unit", "assay", "censored", "text", "site"), pl.String)
    return pl.DataFrame(rows, schema=schema | {"day": pl.Float64, "value": pl.Float64})


@st.composite
def records(draw):
    names = draw(st.lists(NOTE, min_size=1, max_size=3, unique=True))
    subjects = {"subject_id": names, "disease": ["lbcl"] * len(names), "product": ["axi_cel"] * len(names)}
    kinds = sorted(EVENT_TYPES.keys() - {"car_t", "death", "corticosteroid"})
    events = {
        "subject_id": [names[0]],
        "day": [draw(st.floats(0, 36500))],
        "type": [draw(st.sampled_from(kinds))],
        "duration_days": [draw(st.floats(0, 1e300))],
        "note": [draw(st.none() | NOTE)],
    }
    return Record(
        pl.DataFrame(subjects),
        pl.DataFrame(events, schema_overrides={"note": pl.String}),
        draw(observations(names)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records())
def test_what_is_written_is_read_again_to_the_last_bit_and_character(record, tmp_path):
    write_record(record, tmp_path)
    again = read_record(tmp_path)
    for name in ("subjects", "events", "observations"):
        before, after = getattr(record, name), getattr(again, name)
        assert after.select(before.columns).equals(before.cast(after.select(before.columns).schema)), name


def write(folder, observations, events="", subjects="P1,myeloma,ide_cel\n"):
    (folder / "subjects.csv").write_text(f"subject_id,disease,product\n{subjects}", encoding="utf-8")
    (folder / "events.csv").write_text(f"subject_id,day,type,amount,unit\n{events}", encoding="utf-8")
    (folder / "observations.csv").write_text(
        f"subject_id,day,variable,value,unit,assay,lloq,censored\n{observations}", encoding="utf-8"
    )
    return read_record(folder)


def test_values_and_limits_are_converted_together(tmp_path):
    rows = write(tmp_path, "P1,-3,m_protein,31,g/L,,1,\nP1,28,m_protein,,g/L,,1,left\n").observations
    assert rows["value"].round(9).to_list() == [3.1, None]
    assert rows["lloq"].round(9).to_list() == [0.1, 0.1]
    assert rows["unit"].to_list() == ["g/dL"] * 2
    assert rows["censored"].to_list() == ["none", "left"]


def test_light_chains_in_two_units_are_each_converted_by_their_own(tmp_path):
    rows = write(tmp_path, "P1,0,flc_kappa,40,mg/dL,,,\nP1,28,flc_kappa,120,mg/L,,,\n").observations
    assert rows["value"].to_list() == [400.0, 120.0]


def test_amounts_of_cells_and_steroid_are_converted(tmp_path):
    events = write(
        tmp_path, "", "P1,0,car_t,450,10^6 cells\nP1,3,corticosteroid,0.01,g\nP1,4,tocilizumab,8,mg/kg\n"
    ).events
    assert events["amount"].to_list() == [4.5e8, 10.0, 8.0]
    assert events["unit"].to_list() == ["cells", "mg", "mg/kg"]


def test_cells_before_infusion_below_the_limit_are_no_fault(tmp_path):
    rows = "P1,-7,car_transgene,50,copies/ug,,50,left\nP1,-6,car_t_cells,0,cells/uL,,,\n"
    assert len(write(tmp_path, rows).observations) == 2


def test_a_variable_that_is_not_known_may_be_kept(tmp_path):
    rows = write(tmp_path, "P1,1,x_sodium,140,mmol/L,,,\nP1,1,x_mood,good,,,,\n").observations
    assert rows["value"].to_list() == [140.0, None]
    assert rows["text"].to_list() == [None, "good"]
    assert rows["unit"].to_list() == ["mmol/L", None]


def test_a_detail_names_the_antigen(tmp_path):
    rows = write(tmp_path, "P1,1,antigen_density:BCMA,900,molecules/cell,,,\n").observations
    assert rows["variable"].to_list() == ["antigen_density:BCMA"]


@pytest.mark.parametrize("value", ["1e3", "+1000", "1000.", " 1000 ", "1000.0"])
def test_a_number_may_be_written_in_several_ways(value, tmp_path):
    assert write(tmp_path, f"P1,1,crp,{value},mg/L,,,\n").observations["value"].to_list() == [1000.0]


def test_a_covariate_with_leading_zeros_stays_a_name(tmp_path):
    write(tmp_path, "")
    (tmp_path / "subjects.csv").write_text(
        "subject_id,disease,product,site,tumour_load\nP1,lbcl,axi_cel,007,3.5\nP2,lbcl,axi_cel,12,\n"
    )
    subjects = read_record(tmp_path).subjects
    assert subjects["site"].to_list() == ["007", "12"]
    assert subjects["tumour_load"].to_list() == [3.5, None]
