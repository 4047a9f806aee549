"""From a TOML document to a trial's design."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingdrug.clinical.criteria import CRITERIA as CLINICAL
from livingdrug.core.errors import InputError
from livingdrug.core.patient import Disease, Product
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.units import compute_factor
from livingdrug.core.variables import EVENT_TYPES, EVENT_UNITS
from livingdrug.knowledge.parameters import list_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.assess_record import CONVENTIONS, choose_criteria, choose_options
from livingdrug.study.trial_design import (
    CRITERIA,
    DAYS_PER_MONTH,
    PROGRESSION,
    Accrual,
    Arm,
    AssayChange,
    Deaths,
    Plausible,
    TrialDesign,
    TrialEvent,
    Visits,
)
from livingdrug.study.trial_design_reading import NONE, Entry, Reader, load_document
from livingdrug.study.visit_plans import LONGEST, VISIT_PLANS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
LONGEST_NAME = 60
NOT_GIVEN = ("car_t", "death", "last_contact", "relapse", "progression", "adverse_event", "enrolment")
"""Types of event that a trial does not plan."""
MOST = 100_000_000
EVENT_WORDS = tuple(name for name in EVENT_TYPES if name not in NOT_GIVEN)
DOCUMENT = {
    "trial": Entry("table", required=True),
    "arm": Entry("tables", required=True),
    "endpoints": Entry("table", {}),
    "accrual": Entry("table", {}),
    "visits": Entry("table", {}),
    "assay": Entry("tables", []),
    "dropout": Entry("table", {}),
    "deaths": Entry("table", {}),
    "plausible": Entry("tables", []),
}
TRIAL = {
    "name": Entry("text", required=True),
    "disease": Entry("text", required=True, words=tuple(Disease)),
    "days": Entry("number", 730.0, 28.0, LONGEST),
    "seed": Entry("whole", 1),
    "criteria": Entry("text"),
}
ARM = {
    "name": Entry("text", required=True),
    "product": Entry("text", required=True, words=tuple(Product)),
    "n": Entry("whole", low=1, high=MOST, required=True),
    "dose_factor": Entry("number", None, 1e-6, 1e6),
    "cells": Entry("number", None, 1.0, 1e15),
    "lymphodepletion": Entry("scale", 1.0, 0.0, 2.0),
    "burden_factor": Entry("number", 1.0, 1e-6, 1e3),
    "event": Entry("tables", []),
}
EVENT = {
    "type": Entry("text", required=True, words=EVENT_WORDS),
    "day": Entry("number", None, -3650.0, LONGEST),
    "at": Entry("text", None, words=(PROGRESSION,)),
    "after": Entry("number", 0.0, 0.0, LONGEST),
    "amount": Entry("number", None, 0.0),
    "unit": Entry("text", ""),
    "duration_days": Entry("number", None, 0.0),
    "share": Entry("number", 1.0, 0.0, 1.0),
    "note": Entry("text", ""),
    "planned": Entry("truth", False),  # noqa: FBT003 - a default
}
ACCRUAL = {
    "per_month": Entry("number", None, 1e-6, 1e9),
    "start": Entry("date", None),
    "end": Entry("date", None),
    "cutoff": Entry("date", None),
    "cutoff_day": Entry("number", None, 1.0, 1e5),
}
VISITS = {"every": Entry("number", None, 1.0, LONGEST), "attendance": Entry("number", None, 0.0, 1.0)}
ASSAY = {
    "variable": Entry("text", required=True),
    "days": Entry("numbers", None, -3650.0, LONGEST),
    "every": Entry("number", None, 1.0, LONGEST),
    "noise": Entry("number", None, 0.0, 10.0),
    "lloq": Entry("number", None, 0.0),
    "measured": Entry("truth", True),  # noqa: FBT003 - a default
}
WEIGHABLE = (
    *("age_years", "weight_kg", "dose", "burden", "tumour_cells_min"),
    *("car_t_cells_max", "car_t_cells_max_day", "car_t_cells_auc_0_28"),
)
"""Columns of the outcomes that are known, or not, of every patient alike: none is the result of an assessment."""
PLAUSIBLE = {
    "column": Entry("text", required=True, words=WEIGHABLE),
    "lower": Entry("number", None, -1e300),
    "upper": Entry("number", None, -1e300),
    "mean": Entry("number", None, -1e300),
    "geometric_mean": Entry("number", None, 1e-300),
    "arm": Entry("text"),
}
TEXTS = ("column", "arm")
DROPOUT = {"per_year": Entry("number", 0.0, 0.0, 1e3)}
DEATHS = {name: Entry("number", None, 0.0, 1e3) for name in ("per_year", "after_progression_per_year")}


def load_design(path: Path) -> TrialDesign:
    """Read a design from a TOML file.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    return decode_design(load_document(path), path.name)


def decode_design(document: Mapping[str, Any], name: str = "design") -> TrialDesign:
    """Turn a decoded TOML document into a design.

    Parameters
    ----------
    name : str
        What faults call the document.

    Raises
    ------
    InputError
        With every fault.

    Examples
    --------
    >>> arm = {"name": "ide", "product": "ide_cel", "n": 20}
    >>> decode_design({"trial": {"name": "One arm", "disease": "myeloma"}, "arm": [arm]}).criteria
    'imwg/2016'
    """
    reader = Reader(name)
    top = reader.read(document, "", DOCUMENT)
    trial: dict[str, Any] = dict.fromkeys(TRIAL)
    if top["trial"] is not None:
        trial = reader.read(top["trial"], "trial", TRIAL)
    disease = trial["disease"] or ""
    arms = tuple(_read_arm(reader, entry, f"arm[{i}]", disease) for i, entry in enumerate(top["arm"] or []))
    _check_arms(reader, arms, top["arm"])
    criteria, options = _read_criteria(reader, trial["criteria"], disease, top["endpoints"] or {})
    accrual = _read_accrual(reader, top["accrual"] or {}, sum(arm.n for arm in arms))
    visits = _read_visits(reader, top["visits"] or {}, top["assay"] or [], disease)
    dropout = reader.read(top["dropout"] or {}, "dropout", DROPOUT)
    deaths = reader.read(top["deaths"] or {}, "deaths", DEATHS)
    plausible = _read_plausible(reader, top["plausible"] or [], arms)
    if reader.faults:
        raise InputError.from_faults(name, reader.faults)
    return TrialDesign(
        trial["name"],
        disease,
        float(trial["days"]),
        trial["seed"],
        arms,
        criteria,
        options,
        accrual,
        visits,
        float(dropout["per_year"]),
        Deaths(**{name: None if value is None else float(value) for name, value in deaths.items()}),
        plausible,
    )


def _read_arm(reader: Reader, entry: Mapping[str, Any], where: str, disease: str) -> Arm:
    arm = reader.read(entry, where, ARM)
    if arm["cells"] is not None and arm["dose_factor"] is not None:
        reader.add(f"{where}.cells", "must not stand beside dose_factor", arm["cells"], "leave one of them out")
    if arm["name"] is not None and not (NAME.fullmatch(arm["name"]) and len(arm["name"]) <= LONGEST_NAME):
        hint = f"use up to {LONGEST_NAME} letters, digits, _ and -"
        reader.add(f"{where}.name", "must do as a part of a file's name", arm["name"], hint)
    events = tuple(_read_event(reader, e, f"{where}.event[{i}]") for i, e in enumerate(arm["event"] or []))
    found = Arm(
        arm["name"] or "",
        arm["product"] or "",
        arm["n"] or 0,
        float(arm["dose_factor"] or 1.0),
        None if arm["cells"] is None else float(arm["cells"]),
        float(1.0 if arm["lymphodepletion"] is None else arm["lymphodepletion"]),
        float(arm["burden_factor"] or 1.0),
        events,
    )
    if found.product and disease:
        _check_product(reader, found, where, disease)
    return found


def _check_product(reader: Reader, arm: Arm, where: str, disease: str) -> None:
    model = f"two_targets_{disease}_" if arm.has_second_product else f"unified_{disease}_"
    known = [product for product in Product if f"{model}{product}" in list_parameters()]
    if arm.product not in known:
        rule = f"must have values for {disease}" + (" with a second product" if arm.has_second_product else "")
        hint = f"there are values for {', '.join(known)}" if known else "there are none yet"
        reader.add(f"{where}.product", rule, str(arm.product), hint)


def _check_arms(reader: Reader, arms: tuple[Arm, ...], given: object) -> None:
    if given == []:
        reader.add("arm", "must list at least one arm", given, "write [[arm]]")
    names = [arm.name.lower() for arm in arms]
    for place, name in enumerate(names):
        if name and name in names[:place]:
            reader.add(f"arm[{place}].name", "must stand once", arms[place].name, "give each arm its own name")


def _read_event(reader: Reader, entry: Mapping[str, Any], where: str) -> TrialEvent:
    event = reader.read(entry, where, EVENT)
    if (event["day"] is None) == (event["at"] is None) and {"day", "at"} & set(entry) in (set(), {"day", "at"}):
        was = NONE if event["day"] is None else f"{event['day']}, {event['at']}"
        reader.add(where, 'must have a day, or at = "progression"', was, "write one of them")
    if event["type"] in ("second_infusion", "other_car_t") and event["day"] is not None and event["day"] <= 0:
        reader.add(f"{where}.day", "must lie after day 0 for this type", event["day"], "day 0 is the infusion")
    _check_unit(reader, event, where)
    return TrialEvent(
        event["type"] or "",
        None if event["day"] is None else float(event["day"]),
        float(event["after"] or 0.0),
        None if event["amount"] is None else float(event["amount"]),
        event["unit"] or "",
        None if event["duration_days"] is None else float(event["duration_days"]),
        float(1.0 if event["share"] is None else event["share"]),
        event["note"] or "",
        event["planned"] is True,
    )


def _check_unit(reader: Reader, event: Mapping[str, Any], where: str) -> None:
    canonical = EVENT_UNITS.get(event["type"] or "")
    if event["amount"] is None or canonical is None:
        return
    if compute_factor(event["unit"] or "", canonical) != 1.0:
        was = event["unit"] or NONE
        reader.add(f"{where}.unit", f"must be {canonical} for this type", was, f'write unit = "{canonical}"')


def _read_criteria(
    reader: Reader, given: str | None, disease: str, options: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the name of the criteria, and the options that one of the rulesets has."""
    name = given or CRITERIA.get(disease, "")
    if not name:
        if disease:
            reader.add("trial.criteria", "must be given for this disease", NONE, "see `livingdrug criteria`")
        return "", {}
    try:
        rules = choose_criteria(name)
    except InputError as error:
        reader.add("trial.criteria", "must be a known set of criteria", name, str(error).partition("Hint: ")[2][:-1])
        return "", {}
    if disease and disease not in CLINICAL[rules.name.partition("/")[0]].diseases:
        hint = f"use {CRITERIA.get(disease) or 'criteria of response for it'}"
        reader.add("trial.criteria", f"must be criteria of response for {disease}", rules.name, hint)
    books: tuple[Ruleset, ...] = (rules, *(load_rules(one) for one in CONVENTIONS))
    try:
        choose_options(books, options)
    except InputError as error:
        for fault in error.faults:
            where = f"{reader.document}, {fault.where.replace('options', 'endpoints', 1)}"
            reader.faults.append(type(fault)(where, fault.rule, fault.was, fault.hint))
    return rules.name, dict(options)


def _read_accrual(reader: Reader, entry: Mapping[str, Any], n: int) -> Accrual:
    """Return accrual in days of the calendar, whether dates or a rate were given."""
    found = reader.read(entry, "accrual", ACCRUAL)
    start, end, cutoff = found["start"], found["end"], found["cutoff"]
    for name in ("end", "cutoff"):
        if found[name] is not None and start is None:
            reader.add("accrual.start", f"must be given with {name}", NONE, "write the date of the first infusion")
        elif found[name] is not None and found[name].toordinal() <= start.toordinal():
            reader.add(f"accrual.{name}", "must lie after start", str(found[name]), "correct the date")
    for a, b in (("per_month", "end"), ("cutoff", "cutoff_day")):
        if found[a] is not None and found[b] is not None:
            reader.add(f"accrual.{a}", f"must not stand beside {b}", str(found[a]), "leave one of them out")
    if reader.faults or (start is None and (end is not None or cutoff is not None)):
        return Accrual()
    days = {k: None if found[k] is None else float(found[k].toordinal() - start.toordinal()) for k in ("end", "cutoff")}
    span = days["end"] or (n / found["per_month"] * DAYS_PER_MONTH if found["per_month"] else 0.0)
    limit = days["cutoff"] if found["cutoff_day"] is None else float(found["cutoff_day"])
    if limit is not None and limit < span:
        reader.add("accrual", "must be over before the cut-off", f"{span:g} days", "cut off later or accrue faster")
    return Accrual(span, limit, "" if start is None else str(start))


def _read_visits(reader: Reader, entry: Mapping[str, Any], assays: list[Mapping[str, Any]], disease: str) -> Visits:
    visits = reader.read(entry, "visits", VISITS)
    plan = VISIT_PLANS.get(disease)
    if disease and plan is None:
        hint = f"there are plans for {', '.join(VISIT_PLANS)}"
        reader.add("trial.disease", "must have a plan of visits", disease, hint)
    known = () if plan is None else tuple(dict.fromkeys(assay.variable for assay in plan.assays))
    changes = []
    for place, one in enumerate(assays):
        where = f"assay[{place}]"
        found = reader.read(one, where, {**ASSAY, "variable": Entry("text", required=True, words=known)})
        if found["days"] is not None and found["every"] is not None:
            reader.add(f"{where}.days", "must not stand beside every", found["days"], "leave one of them out")
        days = None if found["days"] is None else tuple(sorted(float(day) for day in set(found["days"])))
        changes.append(
            AssayChange(
                found["variable"] or "", days, found["every"], found["noise"], found["lloq"], found["measured"] is True
            )
        )
    return Visits(visits["every"], visits["attendance"], tuple(changes))


def _read_plausible(reader: Reader, given: list[Mapping[str, Any]], arms: tuple[Arm, ...]) -> tuple[Plausible, ...]:
    """Return to what virtual patients are weighed."""
    known = tuple(arm.name for arm in arms)
    read = []
    for place, one in enumerate(given):
        where = f"plausible[{place}]"
        found = reader.read(one, where, {**PLAUSIBLE, "arm": Entry("text", words=known)})
        stated = {k: found[k] for k in ("lower", "upper", "mean", "geometric_mean") if k in one}
        if not stated:
            reader.add(where, "must have lower, upper, mean or geometric_mean", NONE, "write one of them")
        if "mean" in stated and "geometric_mean" in stated:
            reader.add(f"{where}.mean", "must not stand beside geometric_mean", one["mean"], "leave one of them out")
        bounds = {k: None if v is None else float(v) for k, v in found.items() if k in PLAUSIBLE and k not in TEXTS}
        lower, upper = bounds["lower"], bounds["upper"]
        if lower is not None and upper is not None and lower >= upper:
            reader.add(f"{where}.upper", "must lie above lower", upper, "correct the numbers")
        is_geometric = bounds["geometric_mean"] is not None
        mean = bounds["geometric_mean"] if is_geometric else bounds["mean"]
        own = () if found["arm"] is None else (found["arm"],)
        read.append(Plausible(found["column"] or "", lower, upper, mean, is_geometric, own))
    return tuple(read)
