from livingdrug.core.model import Model, Quantity
from livingdrug.core.parameters import ParameterSet, Value
from livingdrug.knowledge.check import check_against_models, check_all, check_unused, check_values
from livingdrug.knowledge.sources import Source
from livingdrug.models import ALL, CLOSED

SOURCES = {"doe2020": Source("doe2020", "article"), "memory": Source("memory", "misc")}
DECAY = Model(
    name="decay",
    states=(Quantity("x", "1", "amount"),),
    parameters=(Quantity("k", "1/day", "loss rate"),),
    rhs=lambda day, y, p: {"x": -p.k * y.x},
    initial=lambda p: {},
    source="doe2020",
)


def value(**changed):
    fields = {"value": 0.5, "unit": "1/day", "source": "doe2020", "where": "Table 1", "how": "reported"} | changed
    return Value(**fields)


def wheres(values):
    return [fault.where for fault in check_values(values, SOURCES, "x")]


def test_everything_packaged_is_sound_and_fits_the_models():
    assert [str(fault) for fault in check_all((*ALL, *CLOSED))] == []


def test_a_source_that_is_not_in_the_bibliography_is_a_fault():
    assert wheres({"k": value(source="roe2021")}) == ["x.k.source"]


def test_what_nobody_measured_is_assumed():
    assert wheres({"k": value(source="memory", where="none")}) == ["x.k.how"]
    assert wheres({"k": value(note="From memory: confirm")}) == ["x.k.how"]
    assert wheres({"k": value(source="memory", where="none", how="assumed")}) == []


def test_a_publication_is_named_with_the_place_in_it():
    assert wheres({"k": value(where="None")}) == ["x.k.where"]


def test_a_set_must_name_a_known_model_and_fit_its_names_and_units():
    def faults(model, **values):
        found = check_against_models(ParameterSet("x", model, "c", values), [DECAY])
        return [fault.where for fault in found]

    assert faults("growth", k=value()) == ["x.set.model"]
    assert faults("decay") == ["x.k"]
    assert faults("decay", k=value(), l=value()) == ["x.l"]
    assert faults("decay", k=value(unit="L")) == ["x.k.unit"]
    assert faults("decay", k=value()) == []


def test_a_publication_that_nothing_rests_on_is_reported():
    assert [fault.where for fault in check_unused(SOURCES, [])] == ["sources.bib, doe2020"]
    assert check_unused(SOURCES, ["doe2020"]) == []
