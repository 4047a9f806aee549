"""How long before the formal criterion a forecast of progression gives the alarm, at a stated rate of false alarms.

``python benchmarks/forecast.py [--patients 20] [--cohorts myeloma/ide_cel lbcl/axi_cel] [--seed 5] [--kept FILE]``.
Simulated patients in response are seen monthly. At each visit from the third month on, the record up to that day is
fitted and the probability of progression within the next 90 days forecast (`livingdrug explain` says the same of a
patient in response). An alarm is a probability above a threshold; it is false where no progression follows within 180
days. The threshold is the lowest with which at most one calm visit in twenty is a false alarm. Beside it stands the
plain rule: the marker has risen by a quarter from its lowest value.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl

from livingdrug.core.tables import Record
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.assess_response import assess_response
from livingdrug.study.benchmark_patients import BATCH, plan_visits, write_records
from livingdrug.study.explain_failure import QUICK_DRAWS, fit_subject
from livingdrug.study.fit_patient import Effort
from livingdrug.study.forecast_progression import forecast_progression
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import SETTINGS

FIRST, MONTH, SOON, AHEAD = 84.0, 28.0, 180.0, 90.0
FALSE_ALARMS = 0.05
RISE = 1.25


def cut(record: Record, subject: str, last: float) -> Record:
    """Return what was known of one subject on a day."""
    tables = (record.subjects, record.events, record.observations)
    own = [table.filter(pl.col("subject_id") == subject) for table in tables]
    return Record(own[0], own[1], own[2].filter(pl.col("day") <= last), source=record.source)


def has_risen(data, marker):
    """Tell whether the marker stands a quarter above its lowest value."""
    rows = data.named_observations.filter((pl.col("variable") == marker) & (pl.col("day") > 0)).sort("day")
    values = rows["value"].drop_nulls().to_list()
    return bool(values) and values[-1] >= RISE * min(values) and values[-1] > min(values)


def follow(record, subject, seed):
    """Return one row a visit: day, forecast, whether the marker rose, and the day of progression."""
    whole = assess_response(select_patient(cut(record, subject, np.inf)))
    rows = []
    days = record.observations.filter(pl.col("subject_id") == subject)["day"]
    for day in np.arange(FIRST, float(days.max()) + 1, MONTH):
        if whole.failure_day is not None and day >= whole.failure_day:
            break
        data = select_patient(cut(record, subject, float(day)))
        now = assess_response(data)
        if now.failed is not False or now.marker is None or now.best_response in (None, "SD", "NE"):
            continue
        fit = fit_subject(data, seed=seed, effort=Effort(QUICK_DRAWS), jobs=1)
        ahead = forecast_progression(fit, now.marker, float(day), jobs=1)
        rows.append(
            {
                "subject": subject,
                "day": float(day),
                "forecast": next((one["probability"] for one in ahead if one["day"] == AHEAD), None),
                "risen": has_risen(data, now.marker.marker),
                "failure": whole.failure_day,
                "end": float(days.max()),
            }
        )
    return rows


def follow_cohort(pair, patients, seed, keep):
    """Follow so many patients of a cohort."""
    disease, product = pair.split("/")
    settings = load_rules(SETTINGS)
    visits = plan_visits(disease, settings, with_extra=False)
    parameters = sample_parameters(
        UNIFIED, load_parameters(f"unified_{disease}_{product}"), 0, BATCH, seed=seed, exponential=EXTINCTION_DRAWS
    )
    record = write_records(disease, product, visits, parameters, 0, seed, 1)
    done = 0
    for subject in record.subjects["subject_id"].to_list():
        rows = [{**row, "cohort": pair} for row in follow(record, subject, seed)]
        if rows:
            keep(rows)
            done += 1
        if done == patients:
            return


def judge(table, alarm):
    """Return false alarms among visits that no progression follows, and how far ahead failures were announced."""
    table = table.with_columns(alarm=alarm)
    soon = (pl.col("failure") - pl.col("day") <= SOON).fill_null(value=False)
    # a visit counts as calm only where what followed was seen for long enough
    calm = table.filter(~soon & ((pl.col("end") - pl.col("day") >= SOON) | pl.col("failure").is_not_null()))
    failing = table.filter(pl.col("failure").is_not_null())
    early = failing.filter(pl.col("alarm") & soon)
    first = early.group_by("subject").agg(lead=(pl.col("failure") - pl.col("day")).max())
    people = failing["subject"].n_unique()
    lead = np.concatenate([first["lead"].to_numpy(), np.zeros(people - first.height)])
    return {
        "calm_visits": calm.height,
        "false_alarms": float(calm["alarm"].mean() or 0.0),
        "failures": people,
        "announced": first.height / max(1, people),
        "median_lead_days": float(np.median(lead)) if people else None,
        "lead_quartiles": np.quantile(lead, [0.25, 0.75]).tolist() if people else None,
    }


def main() -> None:
    """Follow and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--cohorts", nargs="*", default=["myeloma/ide_cel", "lbcl/axi_cel"])
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--kept", type=Path, default=Path("forecast.jsonl"), help="file of visits; made anew")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.kept.unlink(missing_ok=True)

    def keep(rows):
        with options.kept.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        sys.stderr.write(".")

    for pair in options.cohorts:
        follow_cohort(pair, options.patients, options.seed, keep)
    table = pl.read_ndjson(options.kept, infer_schema_length=None).filter(pl.col("forecast").is_not_null())
    limits = np.round(np.arange(0.02, 1.0, 0.02), 2)
    judged = {float(limit): judge(table, pl.col("forecast") >= float(limit)) for limit in limits}
    chosen = min(limit for limit, found in judged.items() if found["false_alarms"] <= FALSE_ALARMS)
    report = {
        "visits": table.height,
        "threshold": chosen,
        "forecast": judged[chosen],
        "marker_rise": judge(table, pl.col("risen")),
        "at_0.5": judged[0.5],
    }
    sys.stdout.write(json.dumps(report, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()
