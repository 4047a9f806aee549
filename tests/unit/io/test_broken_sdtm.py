"""A broken SDTM folder is refused with sentences that name file, row, column and fix, all at once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingdrug.core.errors import InputError
from livingdrug.io.sdtm import SdtmConventions, read_sdtm

LAB = "USUBJID,LBTESTCD,LBSPEC,LBSTRESN,LBSTRESC,LBSTRESU,LBORRES,LBORRESU,LBDTC,LBDY,LBLOINC,LBLLOQ\n"
TR = "USUBJID,TRLNKID,TRTESTCD,TRSTRESN,TRSTRESC,TRSTRESU,TREVAL,TRDTC\n"
TU = "USUBJID,TULNKID,TUSTRESC,TULOC,TUEVAL\n"


def lab(row):
    return {"lb": LAB + row + "\n"}


# name: (what is changed, where the fault is, words of the rule or the fix)
BROKEN = {
    "missing unit": (lab("S-1,CRP,,5,5,,,,2024-03-05,,,"), "lb.csv, row 2, column LBSTRESU", "write the unit"),
    "unknown unit": (lab("S-1,CRP,,5,5,blobs,,,2024-03-05,,,"), "lb.csv, row 2, column LBSTRESU", "mg/L"),
    "unit in the original alone that does not fit": (
        lab("S-1,CRP,,,,,5,U/L,2024-03-05,,,"),
        "lb.csv, row 2, column LBORRESU",
        "never guessed",
    ),
    "ten-fold unit": (
        lab("S-1,KLCFR,,40,40,mg/dL,,,2024-03-05,,,\nS-1,KLCFR,,38,38,mg/L,,,2024-04-05,,,"),
        "lb.csv, row 3, column LBSTRESU",
        "lb.csv, row 2",
    ),
    "text for a number": (lab("S-1,CRP,,,high,mg/L,,,2024-03-05,,,"), "lb.csv, row 2, column LBSTRESC", "number"),
    "decimal comma": (lab('S-1,CRP,,,"1,5",mg/L,,,2024-03-05,,,'), "lb.csv, row 2, column LBSTRESC", "decimal point"),
    "value out of range": (lab("S-1,HGB,,135,135,g/dL,,,2024-03-05,,,"), "lb.csv, row 2, column LBSTRESN", "unit"),
    "below a limit that is not told": (
        lab("S-1,CRP,,,BLQ,mg/L,,,2024-03-05,,,"),
        "lb.csv, row 2, column LBLLOQ",
        "limit of quantification",
    ),
    "word that is none": (lab("S-1,IMMFIX,SERUM,,band?,,,,2024-03-05,,,"), "lb.csv, row 2", "positive"),
    "LOINC against the code": (
        lab("S-1,PLAT,,5,5,10^9/L,,,2024-03-05,,751-8,"),
        "lb.csv, row 2, column LBLOINC",
        "variables=",
    ),
    "date in another order": (lab("S-1,CRP,,5,5,mg/L,,,05/03/2024,,,"), "lb.csv, row 2, column LBDTC", "ISO 8601"),
    "date that does not exist": (lab("S-1,CRP,,5,5,mg/L,,,2024-02-31,,,"), "lb.csv, row 2, column LBDTC", "exists"),
    "month that does not exist": (lab("S-1,CRP,,5,5,mg/L,,,2024-13,,,"), "lb.csv, row 2, column LBDTC", "exists"),
    "study day 0": (lab("S-1,CRP,,5,5,mg/L,,,,0,,"), "lb.csv, row 2, column LBDY", "day before it as -1"),
    "study day as a word": (lab("S-1,CRP,,5,5,mg/L,,,,soon,,"), "lb.csv, row 2, column LBDY", "whole number"),
    "serial number for a year": (lab("S-1,CRP,,5,5,mg/L,,,45350,,,"), "lb.csv, row 2, column LBDTC", "ISO 8601"),
    "unknown subject": (lab("S-9,CRP,,5,5,mg/L,,,2024-03-05,,,"), "lb.csv, row 2, column USUBJID", "subject of DM"),
    "no subject": (lab(",CRP,,5,5,mg/L,,,2024-03-05,,,"), "lb.csv, row 2, column USUBJID", "must be filled"),
    "no test": (lab("S-1,,,5,5,mg/L,,,2024-03-05,,,"), "lb.csv, row 2, column LBTESTCD", "must be filled"),
    "CAR T cells before infusion": (
        lab("S-1,CART,BLOOD,5,5,cells/uL,,,2024-02-20,,,"),
        "lb.csv, row 2, column LBDTC",
        "day 0",
    ),
    "after death": (lab("S-2,CRP,,5,5,mg/L,,,2024-12-01,,,"), "lb.csv, row 2, column LBDTC", "after death"),
    "ragged row": (lab("S-1,CRP"), "lb.csv, row 2", "fields"),
    "missing column": ({"lb": "USUBJID,CRP\nS-1,5\n"}, "lb.csv, row 1, column LBTESTCD", "must be there in LB"),
    "column twice": ({"lb": "USUBJID,LBTESTCD,lbtestcd\n"}, "lb.csv, row 1, column LBTESTCD", "rename or remove"),
    "names of rows from R": ({"lb": ",USUBJID,LBTESTCD\n1,S-1,CRP\n"}, "lb.csv, row 1", "row.names = FALSE"),
    "semicolons": ({"lb": LAB.replace(",", ";")}, "lb.csv, row 1", "separated by commas"),
    "empty file": ({"lb": ""}, "lb.csv, row 1", "header"),
    "binary file": ({"lb": b"PK\x03\x04\x00"}, "lb.csv, row 1", "spreadsheet"),
    "Latin-1": ({"lb": (LAB + "S-1,CRP,h\xf4,5,5,mg/L,,,2024-03-05,,,\n").encode("latin-1")}, "lb.csv, row 2", "UTF-8"),
    "subject twice in DM": ({"dm": "USUBJID\nS-1\nS-2\nS-3\nS-1\n"}, "dm.csv, row 5, column USUBJID", "stand once"),
    "unknown sex": ({"dm": "USUBJID,SEX\nS-1,W\nS-2,M\nS-3,F\n"}, "dm.csv, row 2, column SEX", "F, M or U"),
    "age as a word": ({"dm": "USUBJID,AGE\nS-1,old\nS-2,\nS-3,\n"}, "dm.csv, row 2, column AGE", "number"),
    "age of 610": ({"dm": "USUBJID,AGE\nS-1,610\nS-2,\nS-3,\n"}, "dm.csv, row 2, column AGE", "120"),
    "unit of age": ({"dm": "USUBJID,AGE,AGEU\nS-1,61,MOONS\nS-2,,\nS-3,,\n"}, "dm.csv, row 2, column AGEU", "YEARS"),
    "infusion without its day": (
        {"ex": "USUBJID,EXTRT,EXSTDTC\nS-1,IDE-CEL,2024-03\n"},
        "ex.csv, row 2, column EXSTDTC",
        "complete date",
    ),
    "infusion without a date": (
        {"ex": "USUBJID,EXTRT,EXSTDTC\nS-1,IDE-CEL,\n"},
        "ex.csv, row 2, column EXSTDTC",
        "EXSTDY",
    ),
    "no infusion": (
        {"ex": "USUBJID,EXTRT,EXSTDTC\nS-1,FLUDARABINE,2024-03-01\nS-1,MESNA,2024-03-01\n"},
        "day 0",
        "infusion='AS IN EXTRT'",
    ),
    "no EX": ({"ex": None}, "day 0", "reference_start"),
    "dose per kilogram": (
        {"ex": "USUBJID,EXTRT,EXSTDTC,EXDOSE,EXDOSU\nS-1,IDE-CEL,2024-03-01,2,10^6 CELLS/kg\n"},
        "ex.csv, row 2, column EXDOSU",
        "multiply",
    ),
    "end before start": (
        {"cm": "USUBJID,CMTRT,CMSTDTC,CMENDTC\nS-1,TOCILIZUMAB,2024-03-05,2024-03-02\n"},
        "cm.csv, row 2, column CMENDTC",
        "must not be before",
    ),
    "next therapy before infusion": (
        {"cm": "USUBJID,CMTRT,CMCAT,CMSTDTC\nS-1,X,SUBSEQUENT CANCER THERAPY,2024-01-01\n"},
        "cm.csv, row 2, column CMSTDTC",
        "prior_therapy",
    ),
    "grade that is none": (
        {"ae": "USUBJID,AETERM,AETOXGR,AESTDTC\nS-1,CRS,severe,2024-03-05\n"},
        "ae.csv, row 2, column AETOXGR",
        "1 to 5",
    ),
    "unknown response": (
        {"rs": "USUBJID,RSTESTCD,RSSTRESC,RSDTC\nS-1,OVRLRESP,GREAT,2024-04-01\n", "supprs": None},
        "rs.csv, row 2, column RSSTRESC",
        "one of nd",
    ),
    "flag of no response": (
        {"supprs": "USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nS-1,RSSEQ,77,PDIFL,Y\n"},
        "supprs.csv, row 2, column IDVARVAL",
        "RSSEQ",
    ),
    "flag without RS": (
        {"rs": None, "supprs": "USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nS-1,RSSEQ,1,PDIFL,Y\n"},
        "supprs.csv, row 2",
        "add RS",
    ),
    "date of a therapy that is none": (
        {"supprs": "USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nS-1,RSSEQ,1,NACTDT,soon\n"},
        "supprs.csv, row 2, column QVAL",
        "ISO 8601",
    ),
    "lesion that nobody identified": (
        {
            "tr": TR + "S-1,T01,LDIAM,20,20,mm,INVESTIGATOR,2024-04-01\n",
            "tu": TU + "S-1,T02,TARGET,LUNG,INVESTIGATOR\n",
        },
        "tr.csv, row 2, column TRLNKID",
        "add the lesion to TU",
    ),
    "lesion of another reader": (
        {"tr": TR + "S-1,T01,LDIAM,20,20,mm,READER,2024-04-01\n", "tu": TU + "S-1,T01,TARGET,LUNG,INVESTIGATOR\n"},
        "tr.csv, row 2, column TRLNKID",
        "this reader",
    ),
    "no TU": ({"tr": TR + "S-1,T01,LDIAM,20,20,mm,READER,2024-04-01\n"}, "tr.csv, row 2, column TRLNKID", "TU"),
    "lesion of two kinds": (
        {"tu": TU + "S-1,T01,TARGET,LUNG,A\nS-1,T01,NON-TARGET,LUNG,A\n"},
        "tu.csv, row 3, column TUSTRESC",
        "another TULNKID",
    ),
    "diameter without a unit": (
        {"tr": TR + "S-1,T01,LDIAM,20,20,,A,2024-04-01\n", "tu": TU + "S-1,T01,TARGET,LUNG,A\n"},
        "tr.csv, row 2, column TRSTRESU",
        "write the unit",
    ),
    "negative diameter": (
        {"tr": TR + "S-1,T01,LDIAM,-2,-2,mm,A,2024-04-01\n", "tu": TU + "S-1,T01,TARGET,LUNG,A\n"},
        "tr.csv, row 2, column TRSTRESN",
        "at least 0",
    ),
    "state that is none": (
        {"tr": TR + "S-1,N01,TUMSTATE,,HUGE,,A,2024-04-01\n", "tu": TU + "S-1,N01,NON-TARGET,LUNG,A\n"},
        "tr.csv, row 2, column TRSTRESC",
        "unequivocal_progression",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_study_names_file_row_and_fix(name, write):
    changes, where, words = BROKEN[name]
    with pytest.raises(InputError) as caught:
        read_sdtm(write(**changes), disease="myeloma")
    message = str(caught.value)
    assert where in message
    assert words in message
    assert all(fault.hint for fault in caught.value.faults)


def test_all_faults_of_all_files_come_at_once(write):
    changes = {
        "dm": "USUBJID,SEX,AGE\nS-1,X,61\nS-2,M,old\nS-3,F,\n",
        **lab("S-1,CRP,,5,5,,,,2024-03-05,,,\nS-1,CRP,,5,5,mg/L,,,yesterday,,,\nS-7,CRP,,5,5,mg/L,,,2024-03-05,,,"),
        "ae": "USUBJID,AETERM,AETOXGR,AESTDTC\nS-1,CRS,bad,2024-03-05\n",
        "cm": "USUBJID,CMTRT,CMSTDTC\nS-1,TOCILIZUMAB,2024-99-01\n",
    }
    with pytest.raises(InputError) as caught:
        read_sdtm(write(**changes))
    files = {fault.where.split(",")[0] for fault in caught.value.faults}
    assert {"dm.csv", "lb.csv", "ae.csv", "cm.csv", "disease"} <= files
    assert len({str(fault) for fault in caught.value.faults}) == len(caught.value.faults)


CHOICES = {
    "unknown disease": ({"disease": "mieloma"}, "disease", "did you mean 'myeloma'"),
    "unknown product": ({"product": "abecma"}, "product", "ide_cel"),
    "unknown variable": ({"variables": {"X": "m_protien"}}, "variables['X']", "m_protein"),
    "unknown domain": ({"files": {"ZZ": "zz.csv"}}, "files", "one of DM"),
    "file that is not there": ({"files": {"LB": "laboratory.csv"}}, "files['LB']", "did you mean 'lb.csv'"),
    "unknown infusion": ({"infusion": "MESNA"}, "infusion", "write it as EXTRT has it"),
    "unknown day 0": ({"conventions": SdtmConventions(day_zero="start")}, "conventions.day_zero", "infusion"),
    "unknown partial date": ({"conventions": SdtmConventions(partial_dates="mid")}, "partial_dates", "last_day"),
    "unknown visit day": ({"conventions": SdtmConventions(visit_day="mean")}, "visit_day", "as_dated"),
    "assessments that are not there": (
        {"conventions": SdtmConventions(day_zero="first_assessment"), "files": {"RS": []}},
        "day 0",
        "another day_zero",
    ),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_that_cannot_be_is_refused(name, write):
    choices, where, words = CHOICES[name]
    with pytest.raises(InputError) as caught:
        read_sdtm(write(rs=None, supprs=None), **({"disease": "myeloma"} | choices))
    assert where in str(caught.value)
    assert words in str(caught.value)


def test_a_product_that_nothing_names_is_asked_for(write):
    with pytest.raises(InputError, match="tell it: product="):
        read_sdtm(write(ex="USUBJID,EXTRT,EXSTDTC\nS-1,CELLS,2024-03-01\n"), disease="myeloma")


@pytest.mark.parametrize("target", ["missing", "study/dm.csv"])
def test_what_is_no_folder_is_refused(target, write, tmp_path):
    write()
    with pytest.raises(InputError, match="must be a folder"):
        read_sdtm(tmp_path / target, disease="myeloma")


def test_a_folder_without_domains_says_how_to_name_them(tmp_path):
    (tmp_path / "labs.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="files="):
        read_sdtm(tmp_path, disease="myeloma")


def test_the_same_domain_twice_is_refused(write, study):
    folder = write()
    (folder / "LB.CSV").write_text(study["lb"])
    with pytest.raises(InputError, match="must stand once as LB"):
        read_sdtm(folder, disease="myeloma")


def test_many_faults_of_one_kind_are_told_in_a_few_lines(write):
    rows = "\n".join(f"S-1,CRP,,{n},{n},,,,2024-03-05,,," for n in range(1, 500))
    with pytest.raises(InputError, match="more") as caught:
        read_sdtm(write(**lab(rows)), disease="myeloma")
    assert len(caught.value.faults) < 60


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["dm", "ex", "lb", "rs", "supprs", "ae", "cm"]), content=st.binary(max_size=200))
def test_random_bytes_never_crash(name, content, write):
    try:
        read_sdtm(write(**{name: content}), disease="myeloma")
    except InputError as error:
        assert error.faults  # noqa: PT017 - either a record or a refusal is right


CELLS = [
    "",
    "S-1",
    "CRP",
    "5",
    "<1",
    "mg/L",
    "2024-03",
    "2024-03-05T10:00",
    "-1",
    "NA",
    "BLQ",
    "IMMFIX",
    "é",
    "1e400",
    "URINE",
]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(st.sampled_from(CELLS), min_size=12, max_size=12), test=st.sampled_from(["CRP", "IMMFIX", "X", ""])
)
def test_random_rows_never_crash(cells, test, write):
    row = ["S-1", test, *cells[2:]]
    try:
        read_sdtm(write(**lab(",".join(row))), disease="myeloma")
    except InputError as error:
        assert error.faults  # noqa: PT017 - either a record or a refusal is right
