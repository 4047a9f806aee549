"""An assessment as ADaM: names, dates, censoring, order of columns, and what the sidecar says."""

import json

import polars as pl
import pytest

from livingdrug.core.tables import Record
from livingdrug.io.adam import write_adam
from livingdrug.io.adam_columns import ORDER
from livingdrug.io.adam_response import name_parameters

VERDICTS = {
    "subject_id": ["P1"] * 4 + ["P2"],
    "day": [0.0, 42.0, 84.0, 126.0, 30.0],
    "ruleset": ["recist/1.1"] * 5,
    "time_point": ["SD", "PR", "PD", "PR", "NON-CR/NON-PD"],
    "confirmed": ["SD", "SD", "PD", "PD", "NE"],
    "first_day": [None, 42.0, 84.0, 84.0, None],
    "unknowns": [[], [], [], [], ["target_lesion:T01"]],
    "reader": ["R1"] * 4 + [""],
    "note": [""] * 5,
}
ENDPOINTS = [
    ("P1", "best_overall_response", 42.0, "event", "PR", "best", 0.0, "R1"),
    ("P1", "confirmed_best_overall_response", 42.0, "event", "SD", "best", 0.0, "R1"),
    ("P1", "unconfirmed_best_overall_response", 42.0, "event", "PR", "best", 0.0, "R1"),
    ("P1", "confirmed_response", None, "censored", "NE", "no adequate assessment", 0.0, "R1"),
    ("P1", "clinical_benefit", None, "censored", "N", "not seen", 0.0, "R1"),
    ("P1", "progression", 84.0, "event", "Y", "PD on day 84", 0.0, "R1"),
    ("P1", "progression_free_survival", 84.0, "event", "84", "progression", 0.0, "R1"),
    ("P1", "overall_survival", 200.0, "censored", "200", "alive at last contact", 0.0, "R1"),
    ("P1", "duration_of_response", None, "censored", "", "no response", None, "R1"),
    ("P1", "time_to_next_treatment", 100.0, "event", "100", "new treatment", 0.0, "R1"),
    ("P2", "overall_survival", 50.0, "event", "50", "death", 0.0, ""),
    ("P1", "failure_class", 84.0, "event", "early_relapse", "by day 84", 0.0, "R1"),
]
COLUMNS = ("subject_id", "endpoint", "day", "status", "value", "reason", "start_day", "reader")
SUMS = {
    "subject_id": ["P1", "P1"],
    "reader": ["R1", "R1"],
    "day": [0.0, 42.0],
    "sum": [50.0, 30.0],
    "nadir": [None, 50.0],
    "change_from_baseline_percent": [0.0, -40.0],
    "change_from_nadir_percent": [None, -40.0],
}


def build_record(*, with_dates=True):
    subjects = pl.DataFrame(
        {"subject_id": ["P1", "P2"], "disease": ["solid"] * 2, "product": ["other"] * 2, "age_years": [60.0, None]}
        | {"sex": ["female", None], "weight_kg": [None, None], "source": [None, None]}
    )
    if with_dates:
        subjects = subjects.with_columns(infusion_date=pl.Series(["2024-02-28", None], dtype=pl.String))
    events = pl.DataFrame({"subject_id": ["P1", "P2"], "day": [100.0, 50.0], "type": ["next_therapy", "death"]})
    observations = pl.DataFrame(
        {
            "subject_id": ["P1"] * 4,
            "day": [-2.0, -2.0, 42.0, 42.0],
            "variable": ["target_lesion:T01", "target_node:T02", "target_lesion:T01", "crp"],
            "value": [30.0, 20.0, 15.0, 5.0],
            "reader": ["R1"] * 4,
        }
    )
    return Record(subjects, events, observations)


@pytest.fixture
def export(tmp_path):
    def run(*, with_dates=True, details=None, **options):
        endpoints = pl.DataFrame(ENDPOINTS, schema=COLUMNS, orient="row")
        paths = write_adam(
            pl.DataFrame(VERDICTS),
            endpoints,
            {"sums": pl.DataFrame(SUMS)} if details is None else details,
            build_record(with_dates=with_dates),
            tmp_path / "adam",
            **options,
        )
        return {p.stem: json.loads(p.read_text()) if p.suffix == ".json" else pl.read_csv(p) for p in paths}

    return run


def test_columns_stand_in_the_order_of_the_standard(export):
    files = export(study="S1")
    assert set(files) == {"adsl", "adrs", "adtte", "adtr", "adam"}
    for name, columns in ORDER.items():
        assert files[name.lower()].columns == [column for column, _ in columns]
    assert set(files["adsl"]["STUDYID"]) == {"S1"}


def test_a_visit_has_its_time_point_and_what_is_confirmed(export):
    rows = export()["adrs"].filter((pl.col("USUBJID") == "P1") & pl.col("PARAMCD").is_in(["OVR", "COVR"]))
    assert rows.filter(pl.col("PARAMCD") == "OVR").select("ADT", "ADY", "AVALC", "AVAL", "ANL01FL").rows() == [
        ("2024-02-28", 1, "SD", 3.0, "Y"),
        ("2024-04-10", 43, "PR", 2.0, "Y"),
        ("2024-05-22", 85, "PD", 5.0, "Y"),
        ("2024-07-03", 127, "PR", 2.0, None),
    ]
    assert rows.filter(pl.col("PARAMCD") == "COVR")["AVALC"].to_list() == ["SD", "SD", "PD", "PD"]


def test_best_responses_and_yes_or_no_have_their_codes(export):
    rows = export()["adrs"].filter((pl.col("USUBJID") == "P1") & ~pl.col("PARAMCD").is_in(["OVR", "COVR"]))
    found = {code: (word, value) for code, word, value in rows.select("PARAMCD", "AVALC", "AVAL").rows()}
    assert found["BOR"] == ("PR", 2.0)
    assert found["CBOR"] == ("SD", 3.0)
    assert found["PD"] == ("Y", 1.0)
    assert found["CB"] == ("N", 0.0)
    assert found["CRSP"] == ("N", 0.0)
    assert found["FAICLA"] == ("early_relapse", None)


def test_a_response_of_myeloma_is_a_confirmed_one_and_one_of_solid_tumours_that_of_a_time_point():
    table = pl.DataFrame({"endpoint": ["best_overall_response", "confirmed_response", "unconfirmed_response"]})
    codes = {
        is_confirmed: [code for code, _ in name_parameters(table, [], is_confirmed=is_confirmed).values()]
        for is_confirmed in (True, False)
    }
    assert codes == {True: ["RSP", "URSP"], False: ["CRSP", "RSP"]}


def test_times_count_both_ends_and_say_what_ended_them(export):
    rows = export()["adtte"].filter(pl.col("USUBJID") == "P1")
    found = {r["PARAMCD"]: r for r in rows.iter_rows(named=True)}
    assert sorted(found) == ["OS", "PFS", "TTNT"]
    assert (found["PFS"]["AVAL"], found["PFS"]["CNSR"], found["PFS"]["SRCDOM"]) == (85.0, 0, "ADRS")
    assert (found["PFS"]["STARTDT"], found["PFS"]["ADT"]) == ("2024-02-28", "2024-05-22")
    assert (found["OS"]["CNSR"], found["OS"]["CNSDTDSC"]) == (1, "alive at last contact")
    assert found["TTNT"]["SRCDOM"] == "EVENTS"


def test_the_day_of_the_event_may_be_left_uncounted(export):
    rows = export(add_one=False)["adtte"].filter((pl.col("USUBJID") == "P1") & (pl.col("PARAMCD") == "PFS"))
    assert rows["AVAL"].to_list() == [84.0]


def test_without_a_date_only_days_are_written_and_that_is_said(export):
    files = export(with_dates=False)
    assert files["adtte"]["ADT"].null_count() == len(files["adtte"])
    assert files["adtte"]["ADY"].null_count() == 0
    assert any("infusion_date" in note for note in files["adam"]["notes"])
    assert any("1 subjects" in note for note in export()["adam"]["notes"])


def test_sums_and_diameters_have_baseline_and_changes(export):
    rows = export()["adtr"]
    total = rows.filter((pl.col("PARAMCD") == "SDIAM") & (pl.col("ADY") == 43)).row(0, named=True)
    assert (total["AVAL"], total["BASE"], total["CHG"], total["PCHG"], total["NADIR"]) == (30, 50, -20, -40, 50)
    one = rows.filter((pl.col("PARAMCD") == "LDIAM1") & (pl.col("ADY") == 43)).row(0, named=True)
    assert (one["AVAL"], one["BASE"], one["PCHG"], one["TRLNKID"]) == (15, 30, -50, "T01")
    assert rows.filter(pl.col("PARAMCD") == "LPERP1")["ABLFL"].to_list() == ["Y"]


def test_without_lesions_there_is_no_data_set_of_lesions(export, tmp_path):
    record = build_record()
    record = Record(record.subjects, record.events, record.observations.clear())
    endpoints = pl.DataFrame(ENDPOINTS, schema=COLUMNS, orient="row")
    paths = write_adam(pl.DataFrame(VERDICTS), endpoints, {}, record, tmp_path / "none")
    assert [path.name for path in paths] == ["adsl.csv", "adrs.csv", "adtte.csv", "adam.json"]


def test_nothing_assessed_gives_data_sets_without_rows(tmp_path):
    record = build_record()
    verdicts = pl.DataFrame(VERDICTS).clear()
    endpoints = pl.DataFrame(ENDPOINTS, schema=COLUMNS, orient="row").clear()
    paths = write_adam(verdicts, endpoints, {}, record, tmp_path / "empty")
    assert len(pl.read_csv(paths[1])) == 0


def test_subjects_have_death_and_exposure(export):
    rows = export()["adsl"]
    assert rows.select("USUBJID", "SEX", "TRTSDT", "DTHFL").rows() == [
        ("P1", "F", "2024-02-28", None),
        ("P2", None, None, "Y"),
    ]


def test_every_column_is_explained_beside_the_files(export):
    said = export()["adam"]
    assert set(said["datasets"]) == {"ADSL", "ADRS", "ADTTE", "ADTR"}
    assert all(column["label"] for data in said["datasets"].values() for column in data["columns"])
    assert said["codelists"]["AVAL of ADRS"]["other criteria"]["PR"] == 2
