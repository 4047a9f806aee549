"""The fact table of one patient after a failure: from the record, its assessment, the explanation, and answers given.

What was derived says of which row; what nobody measured is not in the table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from livingdrug.core.assessment import SubjectTables
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.knowledge.options import FactWord
from livingdrug.options.facts import (
    Fact,
    FactTable,
    create_fact_table,
    list_event_facts,
    list_observation_facts,
    list_subject_facts,
)
from livingdrug.study.assess_record import assess, split_subjects
from livingdrug.study.explanation import Explanation

CRITERIA: Mapping[str, str] = {
    "myeloma": "imwg/2016",
    "lbcl": "lugano/2014",
    "follicular": "lugano/2014",
    "mcl": "lugano/2014",
    "b_all": "all/nccn-eln",
    "cll": "iwcll/2018",
    "solid": "recist/1.1",
}
RESPONDED = ("sCR", "CR", "VGPR", "PR", "CRi", "CRh", "MLFS")
NOT_RESPONDED = ("MR", "SD", "PD", "NR", "NON-CR/NON-PD")
MECHANISMS: Mapping[str, str] = {
    "antigen_negative": "antigen_negative",
    "antigen_low": "antigen_low",
    "expansion": "car_loss",
    "persistence": "car_loss",
    "quantity": "car_loss",
    "potency": "car_present_antigen_positive",
    "exhaustion": "car_present_antigen_positive",
    "quality": "car_present_antigen_positive",
    "suppression": "environment",
    "environment": "environment",
    "tumour_growth": "tumour",
    "tumour_burden": "tumour",
    "tumour": "tumour",
}
"""What an explanation answers, in the words of the rules; the antigen group alone does not say which."""
FRACTION, DENSITY = "antigen_positive_fraction", "antigen_density"
OBSERVATIONS = "observations.csv"


@dataclass(frozen=True, slots=True)
class Failure:
    """What the criteria say: day, class and best response, with the rows they rest on."""

    facts: tuple[Fact, ...]
    failed: bool | None
    day: float | None


def assess_failure(record: Record, tables: SubjectTables) -> Failure:
    """Assess one subject by the criteria of the disease."""
    disease = str(tables.subject["disease"])
    name = CRITERIA[disease]
    assessment = assess(record, name)
    own = assessment.endpoints.filter(pl.col("subject_id") == tables.subject_id)
    said = {row["endpoint"]: row for row in own.iter_rows(named=True)}
    trail = [entry for entry in assessment.trace() if entry["subject_id"] == tables.subject_id]
    best = list(_list_best(said, name, trail))
    found = said.get("failure")
    if found is None or found["value"] in ("unknown", ""):
        return Failure(tuple(best), None, None)
    failed = found["value"] != "none"
    day = float(found["day"]) if failed and found["day"] is not None else None
    row = _find_row(trail, "day", day)
    note = f"{name}: {found['reason']}"
    facts = [Fact("failure.failed", failed, "", day, OBSERVATIONS, row, note=note)]
    facts.append(Fact("failure.class", str(found["value"]), "", day, OBSERVATIONS, row, note=note))
    if day is not None:
        facts.append(Fact("failure.day", day, "day", day, OBSERVATIONS, row, note=note))
    mechanism = said.get("failure_mechanism")
    if mechanism is not None and mechanism["value"] not in ("", "unknown") and "presumptive" not in mechanism["value"]:
        facts.append(Fact("mechanism", mechanism["value"], "", day, OBSERVATIONS, row, note=mechanism["reason"] or ""))
    return Failure((*facts, *best), failed, day)


def _find_row(trail: Iterable[Mapping[str, Any]], field: str, value: object) -> int | None:
    """Return the last row that the first verdict with this day, or this category, rests on."""
    rows = next((entry["rows"] for entry in trail if entry[field] == value and entry["rows"]), None)
    return None if rows is None else int(rows[-1]["row"])


def _list_best(said: Mapping[str, Mapping[str, Any]], name: str, trail: Sequence[Mapping[str, Any]]) -> Iterator[Fact]:
    best = said.get("best_overall_response")
    value = "" if best is None else str(best["value"] or "")
    if value in RESPONDED or value in NOT_RESPONDED:
        row = _find_row(trail, "confirmed", value)
        row = _find_row(trail, "time_point", value) if row is None else row
        file, note = (OBSERVATIONS, f"{name}: best response {value}") if row is not None else ("assessment", name)
        yield Fact("response.best", value, file=file, row=row, note=note)
        yield Fact("response.responded", value in RESPONDED, file=file, row=row, note=note)


def list_antigen_facts(observations: pl.DataFrame, day: float, prior: str, rules: Ruleset) -> Iterator[Fact]:
    """Say of each antigen that was looked for at relapse whether it is positive, low or negative.

    Parameters
    ----------
    observations : table
        With ``row``.
    day : float [day]
        Of the failure.
    prior : str
        Antigen of the first product, which a variable without an antigen's name is of.
    """
    start = day - rules.threshold("antigen_window")
    rows = observations.filter(pl.col("value").is_not_null() | (pl.col("censored") == "left")).sort("day")
    parts = pl.col("variable").str.split(":")
    rows = rows.with_columns(
        kind=parts.list.first(), antigen=parts.list.get(1, null_on_oob=True).str.to_uppercase().fill_null(prior)
    ).filter(pl.col("kind").is_in([FRACTION, DENSITY]) & (pl.col("antigen") != ""))
    for (antigen,), own in rows.group_by("antigen", maintain_order=True):
        later = own.filter((pl.col("day") >= start) & (pl.col("day") > 0))
        share = later.filter(pl.col("kind") == FRACTION)
        density = later.filter(pl.col("kind") == DENSITY)
        before = own.filter((pl.col("kind") == DENSITY) & (pl.col("day") <= 0) & (pl.col("value") > 0))
        if not density.is_empty():
            last = density.row(-1, named=True)
            value = last["lloq"] if last["censored"] == "left" else last["value"]
            yield Fact(
                f"antigen.{antigen}.density",
                float(value),
                "molecules/cell",
                last["day"],
                OBSERVATIONS,
                last["row"],
                censored=last["censored"],
            )
        yield from _judge_antigen(str(antigen), share, density, before, rules)


def _judge_antigen(
    antigen: str, share: pl.DataFrame, density: pl.DataFrame, before: pl.DataFrame, rules: Ruleset
) -> Iterator[Fact]:
    """Judge by the share of cells first; a density alone tells low or positive only beside the one before treatment."""
    if share.is_empty():
        if density.is_empty() or before.is_empty():
            return
        last = density.row(-1, named=True)
        state = "low" if _has_fallen(density, before, rules) else "positive"
        note = "density beside that before treatment; the share of cells was not measured"
        yield Fact(f"antigen.{antigen}", state, "", last["day"], OBSERVATIONS, last["row"], note=note)
        return
    last = share.row(-1, named=True)
    value = float(last["value"] if last["value"] is not None else last["lloq"])
    if value < rules.threshold("antigen_negative"):
        state = "negative"
    else:
        is_low = value < rules.threshold("antigen_partial") or _has_fallen(density, before, rules)
        state = "low" if is_low else "positive"
    note = f"on {100 * value:.3g} % of tumour cells"
    yield Fact(f"antigen.{antigen}", state, "", last["day"], OBSERVATIONS, last["row"], note=note)


def _has_fallen(density: pl.DataFrame, before: pl.DataFrame, rules: Ruleset) -> bool:
    if density.is_empty() or before.is_empty():
        return False
    last = density.row(-1, named=True)
    value = last["lloq"] if last["censored"] == "left" else last["value"]
    return bool(float(value) / float(before["value"][-1]) < rules.threshold("antigen_fall"))


def list_explained_facts(explanation: Explanation | None, known: Sequence[Fact]) -> Iterator[Fact]:
    """Say why it failed, where the posterior supports an answer and nothing was measured that says it."""
    if explanation is None or explanation.answered is None or explanation.answered not in MECHANISMS:
        return
    if any(fact.name == "mechanism" for fact in known):
        return
    share = next((m["probability"] for m in explanation.mechanisms if m["name"] == explanation.answered), None)
    rows = sorted(row for item in explanation.evidence if item["direction"] == "for" for row in item["rows"])
    note = "explanation" if share is None else f"explanation, probability {100 * share:.0f} %"
    name = MECHANISMS[explanation.answered]
    row = rows[-1] + 2 if rows else None
    yield Fact("mechanism", name, "", explanation.failure_day, OBSERVATIONS if rows else "explanation", row, note=note)


def collect_facts(
    record: Record,
    tables: SubjectTables,
    words: Mapping[str, FactWord],
    rules: Ruleset,
    *,
    explanation: Explanation | None = None,
    answers: Sequence[Fact] = (),
) -> FactTable:
    """Put together what is known of one patient, as of the last day of the record.

    Parameters
    ----------
    words : mapping of fact to its word
        They say how old a fact may be.
    answers : sequence of Fact
        What was answered to the questions of an earlier run.
    """
    target = Product(str(tables.subject["product"])).target
    failure = assess_failure(record, tables)
    last = max([float(d) for d in tables.observations["day"].to_list() if d is not None], default=0.0)
    day = max([last, *([] if failure.day is None else [failure.day])])
    facts = [*list_subject_facts({**tables.subject, "row": None})]
    facts += list_event_facts(tables.events.iter_rows(named=True), str(tables.subject["product"]), day)
    facts += list_observation_facts(tables.observations.iter_rows(named=True))
    if target:
        facts.append(Fact("prior.car_t.target", target, file="subjects.csv", note="product"))
    facts += failure.facts
    if failure.day is not None:
        facts += list_antigen_facts(tables.observations, failure.day, target, rules)
    facts += list_explained_facts(explanation, facts)
    facts += answers
    facts += _list_consequences(facts, day)
    ages = {name: word.max_age for name, word in words.items() if word.max_age is not None}
    return create_fact_table(facts, day, ages)


def _list_consequences(facts: Sequence[Fact], day: float) -> Iterator[Fact]:
    """List what follows: without its gene an antigen is negative; with B-cell antigens no lineage was switched."""
    names = {fact.name for fact in facts}
    for fact in facts:
        if fact.name.endswith(".biallelic_loss") and fact.value is True:
            name = fact.name.removesuffix(".biallelic_loss")
            own = [other.day for other in facts if other.name == name and other.day is not None]
            yield Fact(
                name, "negative", "", max(own, default=day), fact.file, fact.row, note="both gene copies are lost"
            )
        if fact.name in ("antigen.CD19", "antigen.CD22") and fact.value != "negative" and "lineage_switch" not in names:
            names.add("lineage_switch")
            note = f"{fact.name.removeprefix('antigen.')} is on the tumour"
            yield Fact("lineage_switch", value=False, day=fact.day, file=fact.file, row=fact.row, note=note)


def select_subject(record: Record, subject: str) -> SubjectTables:
    """Return one subject's rows with the line of each in its file."""
    return next(tables for tables in split_subjects(record) if tables.subject_id == subject)
