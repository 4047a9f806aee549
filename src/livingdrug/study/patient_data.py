"""One subject's part of a record, made ready for the model: which rows, under which names, from which day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.core.patient import Product
from livingdrug.core.tables import Record
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.plans import PLANS

BASELINE_WINDOW = 60.0
"""Days before infusion within which the last value of a variable stands for day 0."""
RATIO_RULES = "imwg/2016"
"""Ruleset with the normal kappa/lambda ratio, beyond which the tumour's chain is known."""
ROW = "_row"
NEW_THERAPY = ("second_infusion", "next_therapy", "transplant", "death")
"""Events after which a marker no longer speaks about the infusion of day 0."""


@dataclass(frozen=True, slots=True)
class PatientData:
    """One subject's rows.

    Parameters
    ----------
    subject_id, disease, product : str
    observations, events : table
        As in the record, in the record's order.
    rows : tuple of int
        Places of the observations in the record's table, from 0.
    renamed : mapping
        Names of the record to the model's names, where they differ: the tumour's light chain, and
        ``antigen_density:BCMA`` where BCMA is the product's target.
    subject : mapping
        The row of the subjects table.
    """

    subject_id: str
    disease: str
    product: str
    observations: pl.DataFrame
    events: pl.DataFrame
    rows: tuple[int, ...]
    renamed: Mapping[str, str]
    subject: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named_observations(self) -> pl.DataFrame:
        """The observations under the model's names; every row is kept."""
        return self.observations.with_columns(pl.col("variable").replace(dict(self.renamed)))


def select_patient(record: Record, subject_id: str | None = None) -> PatientData:
    """Pick one subject out of a record; without a name the record must hold exactly one.

    Raises
    ------
    InputError
        If the subject is not in the record, or none is named and there are several.
    """
    subjects = record.subjects["subject_id"].to_list()
    if subject_id is None and len(subjects) != 1:
        raise InputError(
            f"`subject_id` must be given when a record holds several subjects, but it holds {len(subjects)}. "
            f"Hint: one of {', '.join(map(str, subjects[:5]))}{' ...' if len(subjects) > 5 else ''}."
        )
    chosen = subjects[0] if subject_id is None else subject_id
    if chosen not in subjects:
        raise InputError(
            f"`subject_id` must be a subject of the record, but was {chosen!r}. "
            f"Hint: one of {', '.join(map(str, subjects[:5]))}{' ...' if len(subjects) > 5 else ''}."
        )
    row = record.subjects.filter(pl.col("subject_id") == chosen).row(0, named=True)
    is_it = pl.col("subject_id") == chosen
    numbered = record.observations.with_row_index(ROW).filter(is_it)
    observations = numbered.drop(ROW)
    return PatientData(
        subject_id=chosen,
        disease=row["disease"],
        product=row["product"],
        observations=observations,
        events=record.events.filter(is_it),
        rows=tuple(numbered[ROW].to_list()),
        renamed=find_names(observations, Product(row["product"]).target, row["disease"]),
        subject=row,
    )


def find_names(observations: pl.DataFrame, target: str, disease: str) -> dict[str, str]:
    """Return the record's names that the model calls otherwise, and the model's name for each."""
    plan = PLANS.get(disease)
    names = {old: new for old, new in plan.names.items() if old in observations["variable"]} if plan else {}
    for variable in observations["variable"].unique().sort().to_list():
        base, _, detail = variable.partition(":")
        if detail and detail.upper() == target:
            names[variable] = base
    involved = find_involved_chain(observations)
    if involved is not None:
        other = "lambda" if involved == "kappa" else "kappa"
        names |= {f"flc_{involved}": "flc_involved", f"flc_{other}": "flc_uninvolved"}
    return names


def find_involved_chain(observations: pl.DataFrame) -> str | None:
    """Return the light chain that the tumour makes, from the last pair of values up to day 0."""
    values = {}
    for chain in ("kappa", "lambda"):
        is_it = (pl.col("variable") == f"flc_{chain}") & (pl.col("day") <= 0) & (pl.col("value") > 0)
        rows = observations.filter(is_it).sort("day")
        if rows.is_empty():
            return None
        values[chain] = float(rows["value"][-1])
    ratio = values["kappa"] / values["lambda"]
    rules = load_rules(RATIO_RULES)
    if ratio > rules.threshold("ratio_high"):
        return "kappa"
    return "lambda" if ratio < rules.threshold("ratio_low") else None


def find_dose(events: pl.DataFrame) -> float | None:
    """Return the CAR T cells given on day 0, or None."""
    rows = events.filter((pl.col("type") == "car_t") & (pl.col("day") == 0) & (pl.col("amount") > 0))
    return None if rows.is_empty() else float(rows["amount"].sum())


def find_end(data: PatientData) -> float:
    """Return the last day that speaks about the infusion of day 0: the day before a new therapy, or the last row."""
    later = data.events.filter(pl.col("type").is_in(NEW_THERAPY) & (pl.col("day") > 0))
    last = data.observations["day"].max()
    ends = [float(last) if isinstance(last, int | float) else 0.0]
    if not later.is_empty():
        ends.append(float(later["day"].min()))  # type: ignore[arg-type]
    return min(ends)


def derive_model_observations(data: PatientData) -> pl.DataFrame:
    """Return the rows under the model's names: up to a new therapy, the last baseline value on day 0.

    A marker whose baseline is below its limit,
    or missing, is left out: it does not follow this tumour.
    """
    end = find_end(data)
    named = data.named_observations.filter(pl.col("value").is_not_null() | (pl.col("censored") == "left"))
    before = (
        named.filter(pl.col("day").is_between(-BASELINE_WINDOW, 0))
        .sort("day", maintain_order=True)
        .unique("variable", keep="last", maintain_order=True)
        .with_columns(pl.lit(0.0).alias("day"))
    )
    after = named.filter((pl.col("day") > 0) & (pl.col("day") <= end))
    rows = pl.concat([before, after.with_columns(pl.col("day").cast(pl.Float64))], how="vertical_relaxed")
    markers = ("m_protein", "flc_involved", "sbcma")
    is_measurable = (pl.col("censored") != "left") & (pl.col("value") > pl.col("lloq").fill_null(0.0))
    measurable = set(before.filter(is_measurable)["variable"].to_list())
    dropped = [name for name in markers if name not in measurable]
    return rows.filter(~pl.col("variable").is_in(dropped))
