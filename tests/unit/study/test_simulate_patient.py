import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.io.tables import read_record, write_record
from livingdrug.simulate.protocol import Event, Protocol
from livingdrug.study.simulate_patient import simulate_patient

LATE = {"fraction_low": 0.003, "density_low_ratio": 0.10, "gB": 14.0, "r": 0.035, "fraction_negative": 1e-14}
WEAK = {"gB": 0.45, "r": 0.03, "fraction_low": 0.05}


def values(record, variable):
    rows = record.observations.filter(pl.col("variable") == variable)
    return dict(zip(rows["day"], rows["value"], strict=True))


def test_a_patient_with_a_low_clone_responds_and_relapses_late_with_little_antigen(tmp_path):
    record = simulate_patient("myeloma", "ide_cel", LATE, subject_id="late", days=900.0, seed=7)
    write_record(record, tmp_path)
    assert read_record(tmp_path).observations.height == record.observations.height
    marker, density = values(record, "m_protein"), values(record, "antigen_density:BCMA")
    last = max(marker)
    assert min(marker.values()) <= 0.05
    assert last > 400
    assert marker[last] > 0.5
    assert density[max(density)] < 0.3 * density[-7.0]


def test_a_patient_whose_cells_kill_poorly_never_responds_although_they_expand():
    record = simulate_patient("myeloma", "ide_cel", WEAK, subject_id="weak", seed=7)
    marker, transgene = values(record, "m_protein"), values(record, "car_transgene")
    assert min(marker.values()) > 0.5 * marker[-7.0]
    assert max(transgene.values()) > 1e5


def test_the_same_seed_writes_the_same_record_and_events_stand_in_it():
    plan = Protocol("steroid", (Event(5.0, "corticosteroid", 20.0, "mg", 2.0),))
    one, two = (simulate_patient("lbcl", "axi_cel", {}, subject_id="x", days=60.0, protocol=plan) for _ in range(2))
    assert one.observations.equals(two.observations)
    assert one.events["type"].to_list() == ["leukapheresis", "lymphodepletion", "car_t", "corticosteroid"]


def test_an_unknown_parameter_is_refused():
    with pytest.raises(InputError, match="must name parameters of unified, but was 'luck'"):
        simulate_patient("lbcl", "axi_cel", {"luck": 1.0}, subject_id="x")
