import json

import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.io.tables import read_record
from livingdrug.simulate.protocol import Event, Protocol
from livingdrug.study import simulate_cohort as module
from livingdrug.study.assess_record import assess
from livingdrug.study.simulate_cohort import simulate_cohort, simulate_summaries, write_simulation

ARMS = [
    ("myeloma", "ide_cel"),
    ("myeloma", "cilta_cel"),
    ("lbcl", "axi_cel"),
    ("lbcl", "tisa_cel"),
    ("b_all", "tisa_cel"),
]


@pytest.mark.parametrize(("disease", "product"), ARMS)
def test_a_simulated_cohort_is_a_record_that_reads_back_without_a_fault(tmp_path, disease, product):
    cohort = simulate_cohort(disease, product, n=25, days=400.0, seed=3)
    write_simulation(cohort, tmp_path)
    back = read_record(tmp_path)
    assert back.subjects.height == 25
    assert back.observations.height == cohort.record.observations.height
    assert cohort.manifest["failures"] == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["content_hash"] == cohort.manifest["content_hash"]
    assert pl.read_parquet(tmp_path / "summaries.parquet").equals(cohort.summaries)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_workers_and_in_any_chunking(monkeypatch):
    cohorts = [simulate_cohort("myeloma", "ide_cel", n=70, days=200.0, seed=4, jobs=jobs) for jobs in (1, 2)]
    monkeypatch.setattr(module, "CHUNK", 17)
    cohorts.append(simulate_cohort("myeloma", "ide_cel", n=70, days=200.0, seed=4))
    assert len({cohort.manifest["content_hash"] for cohort in cohorts}) == 1
    other = simulate_cohort("myeloma", "ide_cel", n=70, days=200.0, seed=5)
    assert other.manifest["content_hash"] != cohorts[0].manifest["content_hash"]


def test_subjects_without_a_record_have_the_summaries_they_would_have_with_one():
    whole = simulate_cohort("lbcl", "axi_cel", n=40, days=200.0, seed=4)
    part = simulate_cohort("lbcl", "axi_cel", n=40, days=200.0, seed=4, records=10)
    none = simulate_cohort("lbcl", "axi_cel", n=40, days=200.0, seed=4, records=0)
    assert part.summaries.equals(whole.summaries)
    assert none.summaries.equals(whole.summaries)
    assert part.record.subjects.equals(whole.record.subjects.head(10))
    kept = pl.col("subject_id").is_in(part.record.subjects["subject_id"].to_list())
    assert part.record.observations.equals(whole.record.observations.filter(kept))
    assert none.record.observations.is_empty()
    assert pl.concat(simulate_summaries("lbcl", "axi_cel", n=40, days=200.0, seed=4)).equals(whole.summaries)


def test_a_protocol_reaches_the_model_and_the_events():
    plan = Protocol("early steroid", (Event(4.0, "corticosteroid", 20.0, "mg", 4.0),))
    with_it = simulate_cohort("lbcl", "axi_cel", n=20, days=60.0, seed=4, protocol=plan)
    without = simulate_cohort("lbcl", "axi_cel", n=20, days=60.0, seed=4)
    area = "car_t_cells_auc_0_28"
    assert (with_it.summaries[area] < without.summaries[area]).all()
    assert with_it.record.events.filter(pl.col("type") == "corticosteroid").height == 20


def test_the_dose_of_day_0_stands_in_the_events():
    events = simulate_cohort("myeloma", "cilta_cel", n=3, days=30.0).record.events.filter(pl.col("type") == "car_t")
    assert events["amount"].to_list() == [6e7] * 3
    assert set(events["unit"]) == {"cells"}


@pytest.mark.parametrize(
    ("disease", "product", "more", "message"),
    [
        ("myeloma", "axi_cel", {}, "must have values and a plan of visits"),
        ("flu", "ide_cel", {}, "must have values and a plan of visits"),
        ("lbcl", "car_nk", {}, "must have values and a plan of visits"),
        ("myeloma", "ide_cel", {"n": 0}, "`n` must be 1 or more"),
        ("myeloma", "ide_cel", {"days": float("nan")}, "`days` must be 1 to 36525"),
        ("myeloma", "ide_cel", {"days": 99_999_999}, "`days` must be 1 to 36525, but was 99999999"),
    ],
)
def test_a_cohort_that_cannot_be_is_refused(disease, product, more, message):
    with pytest.raises(InputError, match=message):
        simulate_cohort(disease, product, **more)


def test_a_simulated_leukaemia_can_be_assessed_as_it_is():
    record = simulate_cohort("b_all", "tisa_cel", n=20, days=120.0, seed=1, jobs=1).record
    endpoints = assess(record, "all/nccn-eln").endpoints
    best = endpoints.filter(pl.col("endpoint") == "best_overall_response")["value"].to_list()
    assert 0.5 < sum(value == "CRi" for value in best) / len(best) < 1.0
