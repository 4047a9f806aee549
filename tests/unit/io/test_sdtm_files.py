"""CSV, SAS transport and Dataset-JSON hold the same study; other names and broken files are told."""

import csv
import json
import sys

import pytest

from livingdrug.core.errors import InputError
from livingdrug.io.sdtm import read_sdtm


def to_rows(text):
    rows = list(csv.reader(text.splitlines()))
    return rows[0], rows[1:]


def to_dataset_json(text, version="1.1"):
    names, rows = to_rows(text)
    items = [{"itemOID": f"IT.LB.{name}", "name": name, "label": name, "dataType": "string"} for name in names]
    cells = [
        [float(c) if name.endswith("STRESN") and c else c for name, c in zip(names, row, strict=True)] for row in rows
    ]
    if version == "1.1":
        return json.dumps({"datasetJSONVersion": "1.1.0", "name": "LB", "columns": items, "rows": cells})
    group = {"records": len(cells), "name": "LB", "items": items, "itemData": cells}
    return json.dumps({"datasetJSONVersion": "1.0.0", "clinicalData": {"itemGroupData": {"IG.LB": group}}})


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_dataset_json_says_what_csv_says(version, write, study):
    plain = read_sdtm(write(), disease="myeloma").observations.drop("source")
    folder = write()
    (folder / "lb.csv").unlink()
    (folder / "lb.json").write_text(to_dataset_json(study["lb"], version))
    assert read_sdtm(folder, disease="myeloma").observations.drop("source").equals(plain)


BROKEN_JSON = {
    "no JSON": ("{", "must be JSON"),
    "another document": ("[1, 2]", "columns and rows"),
    "nothing in it": ("{}", "columns and rows"),
    "a deep pile": ("[" * 100_000, "must be JSON"),
    "a short row": (
        json.dumps({"columns": [{"name": "USUBJID"}, {"name": "LBTESTCD"}], "rows": [["S-1"]]}),
        "lb.json, row 1",
    ),
    "a row that is none": (
        json.dumps({"columns": [{"name": "USUBJID"}, {"name": "LBTESTCD"}], "rows": [5]}),
        "no list",
    ),
    "a column twice": (json.dumps({"columns": [{"name": "A"}, {"name": "A"}], "rows": []}), "once"),
    "a column without a name": (json.dumps({"columns": [{"label": "A"}], "rows": []}), "columns and rows"),
}


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_broken_dataset_json_is_refused_with_its_fault(name, write):
    text, words = BROKEN_JSON[name]
    folder = write()
    (folder / "lb.csv").unlink()
    (folder / "lb.json").write_text(text)
    with pytest.raises(InputError, match=r"lb\.json") as caught:
        read_sdtm(folder, disease="myeloma")
    assert words in str(caught.value)


def test_transport_files_say_what_csv_says(write, study):
    pyreadstat = pytest.importorskip("pyreadstat", reason="the extra `sdtm` is not installed")
    import polars as pl

    plain = read_sdtm(write(), disease="myeloma").observations.drop("source")
    folder = write()
    (folder / "lb.csv").unlink()
    names, rows = to_rows(study["lb"])
    numbers = {"LBSEQ", "LBSTRESN", "LBSTNRLO", "LBSTNRHI", "LBLLOQ", "LBDY"}
    columns = {
        name: [float(row[at]) if row[at] else None for row in rows] if name in numbers else [row[at] for row in rows]
        for at, name in enumerate(names)
    }
    pyreadstat.write_xport(pl.DataFrame(columns), str(folder / "lb.xpt"), table_name="LB", file_format_version=5)
    assert read_sdtm(folder, disease="myeloma").observations.drop("source").equals(plain)


def test_a_transport_file_that_is_none_is_refused(write):
    pytest.importorskip("pyreadstat", reason="the extra `sdtm` is not installed")
    folder = write()
    (folder / "lb.csv").unlink()
    (folder / "lb.xpt").write_bytes(b"not one")
    with pytest.raises(InputError, match=r"lb\.xpt.*SAS transport"):
        read_sdtm(folder, disease="myeloma")


def test_without_its_reader_a_transport_file_says_what_to_install(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    folder = write()
    (folder / "lb.xpt").write_bytes((folder / "lb.csv").read_bytes())
    (folder / "lb.csv").unlink()
    with pytest.raises(InputError, match="extra `sdtm`"):
        read_sdtm(folder, disease="myeloma")


def test_files_of_other_names_are_read_when_they_are_named(write):
    folder = write()
    (folder / "lb.csv").rename(folder / "lb_central.csv")
    without = read_sdtm(folder, disease="myeloma")
    assert any("lb_central.csv was not read" in note and "files=" in note for note in without.notes)
    named = read_sdtm(folder, disease="myeloma", files={"LB": "lb_central.csv"})
    assert len(named.observations) > len(without.observations)


def test_a_domain_may_be_split_over_files(write, study):
    head, *rows = study["lb"].splitlines()
    folder = write(lb="\n".join([head, *rows[:5]]) + "\n")
    (folder / "lbhe.csv").write_text("\n".join([head, *rows[5:]]) + "\n")
    whole = read_sdtm(write(), disease="myeloma").observations.drop("source")
    (folder / "lb.csv").write_text("\n".join([head, *rows[:5]]) + "\n")
    order = ["subject_id", "variable", "day"]
    split = read_sdtm(folder, disease="myeloma").observations.drop("source")
    assert split.sort(order).equals(whole.sort(order))
