"""A study's SDTM folder becomes a record: each domain, day 0, units, signs, names that are kept."""

import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.tables import check_record
from livingdrug.io.sdtm import SdtmConventions, import_sdtm, read_sdtm
from livingdrug.io.tables import read_record, write_record


@pytest.fixture
def record(write):
    return read_sdtm(write(), disease="myeloma")


def pick(record, variable, subject="S-1"):
    return record.observations.filter((pl.col("variable") == variable) & (pl.col("subject_id") == subject))


def days(record, kind, subject="S-1"):
    rows = record.events.filter((pl.col("type") == kind) & (pl.col("subject_id") == subject))
    return rows["day"].to_list()


def test_the_first_infusion_is_day_0_and_who_had_none_is_left_out_and_named(record):
    assert record.subjects["subject_id"].to_list() == ["S-1", "S-2"]
    assert record.subjects["infusion_date"].to_list() == ["2024-03-01", "2024-03-02"]
    assert any("S-3" in note for note in record.notes)


def test_demographics_are_read_with_their_units(record):
    assert record.subjects["age_years"].to_list() == [61.0, 60.0]
    assert record.subjects["sex"].to_list() == ["female", "male"]
    assert record.subjects["weight_kg"].to_list() == [70.0, None]
    assert record.subjects["product"].to_list() == ["ide_cel", "ide_cel"]


def test_two_bags_of_one_day_are_one_infusion(record):
    rows = record.events.filter(pl.col("type") == "car_t")
    assert rows.select("subject_id", "day", "amount", "unit").rows() == [
        ("S-1", 0.0, 4.5e8, "cells"),
        ("S-2", 0.0, 4.5e8, "cells"),
    ]


def test_standard_results_are_converted_and_say_where_they_came_from(record):
    first = pick(record, "m_protein").row(0, named=True)
    assert (first["day"], round(first["value"], 9), first["unit"], first["source"]) == (
        -3.0,
        3.1,
        "g/dL",
        "lb.csv, row 2",
    )


def test_a_result_below_the_limit_is_left_censored_with_its_limit(record):
    row = pick(record, "m_protein").row(1, named=True)
    assert (row["value"], round(row["lloq"], 9), row["censored"]) == (None, 0.1, "left")
    row = pick(record, "sbcma").row(0, named=True)
    assert (row["value"], row["lloq"], row["censored"], row["assay"]) == (None, 2.5, "left", "ELISA")


def test_the_original_result_counts_where_it_alone_has_a_unit(record):
    assert pick(record, "flc_kappa")["value"].to_list() == [400.0]


def test_an_original_sign_is_not_lost_to_a_number_put_in_its_place(write):
    row = (
        "USUBJID,LBTESTCD,LBORRES,LBORRESU,LBSTRESN,LBSTRESC,LBSTRESU,LBDTC\n"
        "S-1,CRP,<5,mg/L,2.5,2.5,mg/L,2024-03-05\nS-1,FERRITIN,>1650,ng/mL,1650,1650,ng/mL,2024-03-05\n"
    )
    record = read_sdtm(write(lb=row), disease="myeloma")
    found = record.observations.filter(pl.col("source").str.starts_with("lb"))
    assert found.select("value", "lloq", "censored").rows() == [(None, 5.0, "left"), (1650.0, None, "right")]


def test_specimens_are_told_apart(record):
    assert pick(record, "urine_m_protein")["value"].to_list() == [300.0]
    assert pick(record, "x_gluc_urine")["value"].to_list() == [5.0]
    assert pick(record, "glucose").is_empty()


def test_words_are_spelled_as_ours(record):
    assert pick(record, "serum_immunofixation")["text"].to_list() == ["positive"]


def test_limits_of_normal_come_with_the_value(record):
    row = pick(record, "platelets").row(0, named=True)
    assert (row["lower_limit_of_normal"], row["upper_limit_of_normal"]) == (150.0, 400.0)


def test_not_done_has_no_row_and_is_counted(record):
    assert pick(record, "neutrophils").is_empty()
    assert "lb.csv: 1 row NOT DONE" in record.notes


def test_an_unknown_test_is_kept_and_listed(write):
    found = import_sdtm(write(), disease="myeloma")
    assert pick(found.record, "x_troponi")["value"].to_list() == [0.01]
    line = found.tests.filter(pl.col("test") == "TROPONI").row(0, named=True)
    assert (line["variable"], line["note"]) == ("x_troponi", "not known: kept and not used")


def test_a_test_may_be_told_by_code_or_by_loinc(write):
    told = read_sdtm(write(), disease="myeloma", variables={"LB.TROPONI": "x_troponin", "PLAT": "platelets"})
    assert len(pick(told, "x_troponin")) == 1


def test_study_days_have_no_day_0(record):
    assert pick(record, "platelets", "S-2")["day"].to_list() == [0.0, -1.0]


def test_study_days_alone_suffice(write):
    text = "USUBJID,EXTRT,EXSTDY\nS-1,IDE-CEL,1\n"
    lab = "USUBJID,LBTESTCD,LBSTRESN,LBSTRESU,LBDY\n" + "".join(f"S-1,CRP,{9 + d},mg/L,{d}\n" for d in (-2, -1, 1, 2))
    only = dict.fromkeys(("cm", "vs", "pr", "rs", "supprs", "ae", "dd"))
    record = read_sdtm(write(dm="USUBJID\nS-1\n", ex=text, lb=lab, **only), disease="myeloma")
    assert record.observations["day"].to_list() == [-2.0, -1.0, 0.0, 1.0]
    assert record.subjects["infusion_date"].to_list() == [None]


def test_temperatures_of_one_day_keep_their_times_and_a_single_one_its_day(record):
    assert pick(record, "temperature")["day"].round(3).to_list() == [2.333, 2.833, 4.0]
    assert pick(record, "temperature")["value"].round(6).to_list() == [38.5, 39.1, 37.0]


def test_treatments_have_their_types_and_doses(record):
    steroid = record.events.filter(pl.col("type") == "corticosteroid")
    assert steroid.select("day", "amount", "unit", "duration_days").rows() == [(3.0, 10.0, "mg", 2.0)]
    assert days(record, "tocilizumab") == [3.0]
    assert days(record, "leukapheresis") == [-41.0]
    assert days(record, "lymphodepletion") == [-5.0]


def test_an_antibody_before_or_after_is_both_a_therapy_and_an_antibody(record):
    assert days(record, "prior_therapy") == [-92.0]
    assert days(record, "therapeutic_antibody") == [-92.0, 274.0]
    assert days(record, "next_therapy") == [274.0, 259.0]


def test_a_treatment_that_has_no_type_is_listed(write):
    tests = import_sdtm(write(), disease="myeloma").tests
    lines = tests.filter(pl.col("note").str.contains("left out"))["test"].to_list()
    assert {"Aspirin", "Hydrocortisone cream", "Plasmapheresis"} <= set(lines)


def test_partial_dates_are_filled_at_the_end_of_the_month_and_flagged(record):
    row = record.events.filter(pl.col("type") == "prior_therapy").row(0, named=True)
    assert (row["day"], row["date_imputed"]) == (-92.0, "day")


@pytest.mark.parametrize(("convention", "expected"), [("first_day", [-121.0]), ("refuse", [])])
def test_partial_dates_follow_the_convention(convention, expected, write):
    conventions = SdtmConventions(partial_dates=convention)
    assert days(read_sdtm(write(), disease="myeloma", conventions=conventions), "prior_therapy") == expected


def test_adverse_events_carry_grade_name_and_severity(record):
    rows = record.events.filter(pl.col("type") == "adverse_event")
    assert rows.select("day", "amount", "note").rows() == [
        (2.0, 2.0, "Cytokine release syndrome"),
        (8.0, None, "Headache; severity mild"),
        (171.0, 5.0, "Sepsis; fatal"),
    ]


def test_death_has_its_cause_and_the_living_a_last_contact(record):
    death = record.events.filter(pl.col("type") == "death")
    assert death.select("subject_id", "day", "note").rows() == [("S-2", 183.0, "SEPSIS")]
    assert days(record, "last_contact") == [305.0]
    assert days(record, "last_contact", "S-2") == []


def test_responses_are_codes_with_their_criteria_and_reader(record):
    rows = pick(record, "overall_response")
    assert rows.select("day", "text", "assay", "reader").rows() == [
        (28.0, "vgpr", "IMWG", "INVESTIGATOR"),
        (218.0, "pd", "IMWG", "INVESTIGATOR"),
    ]
    assert pick(record, "overall_response", "S-2")["text"].to_list() == ["nd"]


def test_flags_of_a_response_stand_on_its_day_and_a_new_therapy_is_an_event(record):
    assert pick(record, "x_pdofl").select("day", "text", "reader").rows() == [(218.0, "Y", "INVESTIGATOR")]
    assert 259.0 in days(record, "next_therapy")


@pytest.mark.parametrize(
    ("category", "part", "code", "variable", "word"),
    [
        ("LUGANO 2014", "PET", "CMR", "pet_response", "cmr"),
        ("LUGANO 2014", "PET", "PR", "pet_response", "pmr"),
        ("LUGANO 2014", "CT", "SD", "ct_response", "sd"),
        ("LUGANO 2014", "PET/CT", "CR", "overall_response", "cr"),
        ("RECIST 1.1", "CT", "NON-CR/NON-PD", "overall_response", "non-cr/non-pd"),
        ("iRECIST", "", "iUPD", "overall_response", "iupd"),
        ("IMWG", "", "sCR", "overall_response", "scr"),
        ("RECIST 1.1", "", "NOT EVALUABLE", "overall_response", "ne"),
        ("RECIST 1.1", "", "Progressive Disease", "overall_response", "pd"),
    ],
)
def test_codes_of_criteria_become_our_words(category, part, code, variable, word, write):
    text = f"USUBJID,RSTESTCD,RSCAT,RSSCAT,RSSTRESC,RSDTC\nS-1,OVRLRESP,{category},{part},{code},2024-04-01\n"
    record = read_sdtm(write(rs=text, supprs=None), disease="lbcl")
    assert pick(record, variable)["text"].to_list() == [word]


def test_a_part_of_the_disease_that_the_subject_does_not_have_has_no_response(write):
    text = "USUBJID,RSTESTCD,RSSTRESC,RSDTC\nS-1,NTRGRESP,NOT APPLICABLE,2024-04-01\nS-1,TRGRESP,PR,2024-04-01\n"
    record = read_sdtm(write(rs=text, supprs=None), disease="solid")
    assert pick(record, "target_response")["text"].to_list() == ["pr"]
    assert pick(record, "non_target_response").is_empty()


@pytest.mark.parametrize(
    ("said", "word"), [("Y", "yes"), ("N", "no"), ("UNEQUIVOCAL", "yes"), ("EQUIVOCAL", "equivocal")]
)
def test_a_new_lesion_of_a_response_is_a_word(said, word, write):
    text = f"USUBJID,RSTESTCD,RSSTRESC,RSDTC\nS-1,NEWLPROG,{said},2024-04-01\n"
    assert pick(read_sdtm(write(rs=text, supprs=None), disease="solid"), "new_lesion")["text"].to_list() == [word]


def test_loinc_names_a_test_whose_code_is_not_known(write):
    head = "USUBJID,LBTESTCD,LBLOINC,LBSTRESN,LBSTRESU,LBDTC\n"
    rows = "S-1,LOCAL1,777-3,150,10^9/L,2024-03-05\nS-1,LOCAL2,42482-0,150,mg/24h,2024-03-05\n"
    more = "S-1,LOCAL3,33647-9,40,%,2024-03-05\nS-1,LOCAL4,2571-8,150,mg/dL,2024-03-05\n"
    found = import_sdtm(write(lb=head + rows + more), disease="myeloma")
    named = dict(found.tests.filter(pl.col("file") == "lb.csv").select("test", "variable").rows())
    assert named == {"LOCAL1": "platelets", "LOCAL2": "x_local2", "LOCAL3": "x_local3", "LOCAL4": "triglycerides"}
    notes = dict(found.tests.select("test", "note").rows())
    assert "42482-0" in notes["LOCAL2"]
    assert "not confirmed" in notes["LOCAL4"]


def test_two_values_of_one_day_are_both_kept_and_named(write, study):
    more = "S-1,11,PLAT,Platelets,BLOOD,,80,10^9/L,80,80,10^9/L,,,,,,2024-03-29,\n"
    record = read_sdtm(write(lb=study["lb"] + more), disease="myeloma")
    assert pick(record, "platelets")["value"].to_list() == [150.0, 80.0]
    assert len(record.conflicts) == 1
    assert "lb.csv, row 7" in record.conflicts[0]
    assert "lb.csv, row 14" in record.conflicts[0]


def test_a_repeated_row_changes_nothing_and_is_counted(write, study):
    plain = read_sdtm(write(), disease="myeloma")
    again = read_sdtm(write(lb=study["lb"] + study["lb"].splitlines()[1] + "\n"), disease="myeloma")
    assert again.observations.equals(plain.observations)
    assert any("repeat what another row says" in note for note in again.notes)


def test_the_order_of_rows_changes_nothing_but_their_order(write, study):
    plain = read_sdtm(write(), disease="myeloma").observations.drop("source")
    head, *rows = study["lb"].splitlines()
    turned = read_sdtm(write(lb="\n".join([head, *reversed(rows)]) + "\n"), disease="myeloma").observations
    order = ["subject_id", "variable", "day"]
    assert turned.drop("source").sort(order).equals(plain.sort(order))


def test_a_record_from_sdtm_is_sound_and_can_be_written_and_read(record, tmp_path):
    check_record(record)
    write_record(record, tmp_path / "again")
    again = read_record(tmp_path / "again")
    assert again.observations.select(record.observations.columns).equals(record.observations)


def test_the_reference_date_may_be_day_0(write):
    conventions = SdtmConventions(day_zero="reference_start")
    record = read_sdtm(write(ex=None), disease="myeloma", product="ide_cel", conventions=conventions)
    assert pick(record, "m_protein")["day"].to_list() == [2.0, 33.0]


def test_infusion_and_product_may_be_told(write, study):
    other = study["ex"].replace("IDECABTAGENE VICLEUCEL", "STUDY DRUG X").replace("ABECMA", "STUDY DRUG X")
    record = read_sdtm(
        write(ex=other), disease="myeloma", product={"S-1": "other", "S-2": "ide_cel"}, infusion="study drug x"
    )
    assert record.subjects["product"].to_list() == ["other", "ide_cel"]
    assert days(record, "car_t") == [0.0]


def test_a_second_infusion_is_named_so(write, study):
    more = study["ex"] + "S-1,ABECMA,1e8,CELLS,2024-06-01,,\n"
    assert days(read_sdtm(write(ex=more), disease="myeloma"), "second_infusion") == [92.0]


def test_missing_words_are_empty_cells(write, study):
    text = study["dm"].replace("screen failure,,,", "NA,NA,NA,NA").replace("61", ".")
    record = read_sdtm(write(dm=text), disease="myeloma")
    assert record.subjects["age_years"].to_list() == [None, 60.0]


def test_small_letters_of_names_and_columns_are_no_fault(write, study):
    folder = write(lb=None)
    (folder / "LB.CSV").write_text(study["lb"].replace("USUBJID", "usubjid").replace("LBTESTCD", "lbtestcd"))
    assert len(pick(read_sdtm(folder, disease="myeloma"), "m_protein")) == 2


def test_nothing_is_guessed_of_the_disease(write):
    with pytest.raises(InputError, match="disease='myeloma'"):
        read_sdtm(write())
