"""A cohort says of each subject what one subject alone says."""

import random

import polars as pl
import pytest

from livingdrug.clinical import myeloma_cohort
from livingdrug.clinical.imwg import assess_imwg
from livingdrug.clinical.myeloma_cohort import assess_myeloma_cohort
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
ROWS = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "row": pl.Int64,
}
EVENTS = {"subject_id": pl.String, "day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}


def create_cohort(count):
    """Return the rows of some subjects, mixed, and their events."""
    chance = random.Random(7)
    rows, events = [], []
    for number in range(count):
        name = f"s{number}"
        days = [-7.0, *sorted(chance.sample(range(20, 300, 7), chance.randint(1, 7)))]
        for day in days:
            options = {
                "m_protein": chance.choice([0.0, 0.2, 0.5, 1.0, 2.0, 3.0]),
                "urine_m_protein": chance.choice([0.0, 50.0, 300.0]),
                "flc_kappa": chance.choice([10.0, 150.0, 400.0]),
                "flc_lambda": chance.choice([10.0, 12.0]),
                "marrow_plasma_cells": chance.choice([2.0, 10.0, 40.0]),
                "plasmacytoma_longest_diameter:left": chance.choice([0.0, 20.0, 40.0]),
                "plasmacytoma_short_axis:left": 15.0,
            }
            for variable, value in options.items():
                if chance.random() < (0.1 if ":" in variable else 0.8):
                    rows.append((name, float(day), variable, value, None))
            word = chance.choice(["positive", "negative"])
            rows.append((name, float(day), "serum_immunofixation", None, word))
        if chance.random() < 0.3:
            events.append((name, 120.0, "next_therapy", "daratumumab", None))
        if chance.random() < 0.3:
            events.append((name, 310.0, "death", "progressive myeloma", None))
    chance.shuffle(rows)
    numbered = [(*row, place) for place, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema=ROWS, orient="row"), pl.DataFrame(events, schema=EVENTS, orient="row")


@pytest.mark.parametrize("chunk", [4000, 7])
def test_a_cohort_says_of_each_subject_what_one_subject_alone_says(monkeypatch, chunk):
    monkeypatch.setattr(myeloma_cohort, "SUBJECTS_PER_CHUNK", chunk)
    observations, events = create_cohort(40)
    cohort = assess_myeloma_cohort(observations, events, RULES)
    for course in cohort.courses.iter_rows(named=True):
        name = course.pop("subject_id")
        tables = SubjectTables(
            {"subject_id": name},
            events.filter(pl.col("subject_id") == name),
            observations.filter(pl.col("subject_id") == name),
        )
        alone = assess_imwg(tables, RULES)
        own = cohort.verdicts.filter(pl.col("subject_id") == name)
        assert own["time_point"].to_list() == [verdict.time_point for verdict in alone.verdicts]
        assert own["confirmed"].to_list() == [verdict.confirmed for verdict in alone.verdicts]
        assert own["first_day"].to_list() == [verdict.first_day for verdict in alone.verdicts]
        assert [set(names) for names in own["unknowns"]] == [set(verdict.unknowns) for verdict in alone.verdicts]
        found = alone.courses[0]
        for field, value in course.items():
            expected = getattr(found, field)
            assert (tuple(value) if isinstance(value, list) else value) == expected, field


def test_the_trail_of_one_subject_is_cut_out_of_the_same_clauses():
    observations, events = create_cohort(12)
    cohort = assess_myeloma_cohort(observations, events, RULES)
    for name in ("s0", "s11"):
        own = cohort.verdicts.filter(pl.col("subject_id") == name)
        points = cohort.trace(name)
        assert [point.category.value for point in points] == own["time_point"].to_list()
        rows = set(observations.filter(pl.col("subject_id") == name)["row"])
        used = {row for point in points for finding in point.verdict.findings for row in finding.rows}
        assert used
        assert used <= rows


def test_a_cohort_without_rows_has_empty_tables():
    cohort = assess_myeloma_cohort(pl.DataFrame(schema=ROWS), pl.DataFrame(schema=EVENTS), RULES)
    assert cohort.verdicts.is_empty()
    assert cohort.courses.is_empty()
