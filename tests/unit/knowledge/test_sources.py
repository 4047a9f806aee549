import pytest

from livingdrug.core.errors import KnowledgeError
from livingdrug.knowledge.sources import Source, cite, load_sources, parse_sources, read_bibliography

GOOD = "% a comment\n\n@article{doe2020,\n  author = {Doe, Jane and others},\n  year = {2020},\n}\n"


def test_the_packaged_bibliography_has_no_fault():
    assert read_bibliography()[1] == []


def test_every_publication_can_be_found_again():
    for source in load_sources().values():
        if source.kind == "article":
            assert source.doi or (source.journal and source.volume and source.pages), source.key


def test_an_entry_is_read_field_by_field():
    sources, faults = parse_sources(GOOD, "x.bib")
    assert faults == []
    assert sources == {"doe2020": Source("doe2020", "article", author="Doe, Jane and others", year="2020")}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD + GOOD, 9),
        (GOOD.replace("  year", "year"), 5),
        (GOOD.replace("year", "colour"), 5),
        (GOOD.replace("  year = {2020},", "  author = {Doe, John},"), 5),
        (GOOD.replace("@article{", "@video{"), 3),
        ("year = 2020\n", 1),
        ("}\n", 1),
    ],
)
def test_a_line_that_breaks_the_form_is_named(text, line):
    assert [fault.where for fault in parse_sources(text, "x.bib")[1]][:1] == [f"x.bib, line {line}"]


def test_an_entry_that_is_not_closed_is_a_fault():
    assert "doe2020" in parse_sources(GOOD[:-2], "x.bib")[1][0].rule


def test_citing_keeps_the_order_and_names_each_source_once():
    first, second = cite(["singh2021", "kimmel2021", "singh2021"])
    assert first.startswith("Singh, Aman P.")
    assert second.endswith("doi:10.1098/rspb.2021.0229")


def test_citing_an_unknown_key_says_which_key_is_close():
    with pytest.raises(KnowledgeError, match=r"'stein2020'.*did you mean 'stein2019'"):
        cite(["stein2020"])


def test_the_bibliography_cannot_be_changed_by_its_readers():
    with pytest.raises(TypeError):
        load_sources()["x"] = Source("x", "misc")  # type: ignore[index]
