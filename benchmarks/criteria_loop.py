"""The myeloma criteria as one would write them for a table in pandas: patient by patient, visit by visit.

It knows what the records of this benchmark hold: serum, urine, light chains, immunofixation, marrow and new
lesions, at the defaults of the ruleset; no plasmacytomas, antibodies or changes of the clone. An honest yardstick:
plain dictionaries once a patient's rows are grouped, no frame inside the loop over visits.
"""

from collections.abc import Iterator, Mapping
from typing import Any

RANK = ("NE", "PD", "SD", "MR", "PR", "VGPR", "CR", "sCR")
FACTORS = {("m_protein", "g/L"): 0.1, ("flc_kappa", "mg/dL"): 10.0}
TOLERANCE = 1e-9
Visit = Mapping[str, Any]


def assess_frames(observations: Any, events: Any) -> Iterator[tuple[str, list[tuple[float, str, str]], float | None]]:
    """Yield subject, day with time point and confirmed category of each visit, and the day of progression."""
    happened = {str(name): own for name, own in events.groupby("subject_id", sort=False)}
    wanted = observations[observations["variable"] != "haemoglobin"]
    for subject, rows in wanted.groupby("subject_id", sort=False):
        yield (str(subject), *assess_patient(rows, happened.get(str(subject))))


def assess_patient(rows: Any, events: Any) -> tuple[list[tuple[float, str, str]], float | None]:
    """Assess one patient."""
    visits: dict[float, dict[str, Any]] = {}
    for row in rows.itertuples():
        if isinstance(row.text, str):
            value: Any = row.text
        else:
            value = 0.0 if row.censored == "left" else row.value * FACTORS.get((row.variable, row.unit), 1.0)
        visits.setdefault(row.day, {})[row.variable] = value
    therapy = death = None
    for event in () if events is None else events.itertuples():
        if event.type == "next_therapy":
            therapy = event.day if therapy is None else min(therapy, event.day)
        elif event.type == "death" and isinstance(event.note, str) and "myeloma" in event.note:
            death = event.day
    days = sorted(visits)
    start = next((visits[day] for day in days if day <= 0), {})
    points = list(_list_points([(day, visits[day]) for day in days if day > 0], _Start(start)))
    return _confirm(points, therapy, death)


class _Start:
    """What the disease is followed by."""

    def __init__(self, start: Visit) -> None:
        both = "flc_kappa" in start and "flc_lambda" in start
        self.start = {k: v for k, v in start.items() if both or not k.startswith("flc_")}
        ratio = start["flc_kappa"] / start["flc_lambda"] if both else None
        self.involved = None if ratio is None or 0.26 <= ratio <= 1.65 else "kappa" if ratio > 1.65 else "lambda"
        self.serum, self.urine = start.get("m_protein", 0) >= 1, start.get("urine_m_protein", 0) >= 200
        self.chain = self.involved is not None and start[f"flc_{self.involved}"] >= 100
        self.marrow = start.get("marrow_plasma_cells", 0) >= 30
        blood = "serum_urine" if self.serum or self.urine else "chain" if self.chain else ""
        self.kind = blood or ("marrow" if self.marrow else "none")
        words = (start.get("serum_immunofixation"), start.get("urine_immunofixation"))
        amounts = (start.get("m_protein", 0) > 0, start.get("urine_m_protein", 0) > 0)
        self.sick = any(amounts) or "positive" in words or self.involved is not None
        self.sick = self.sick or start.get("marrow_plasma_cells", 0) >= 5

    def difference(self, visit: Visit) -> float | None:
        if self.involved is None or "flc_kappa" not in visit or "flc_lambda" not in visit:
            return None
        amount = visit["flc_kappa"] - visit["flc_lambda"]
        return float(amount if self.involved == "kappa" else -amount)


def _list_points(visits: list[tuple[float, Visit]], start: _Start) -> Iterator[tuple[float, str, bool, bool]]:
    """Yield day, category, and whether imaging or marrow shows a progression."""
    names = ("m_protein", "urine_m_protein", "marrow_plasma_cells")
    lowest = {name: start.start.get(name) for name in names}
    lowest["difference"] = start.difference(start.start)
    marrow_day, marrow = None, None
    for day, visit in visits:
        if "marrow_plasma_cells" in visit:
            marrow_day, marrow = day, visit["marrow_plasma_cells"]
        standing = marrow if marrow_day is not None and day - marrow_day <= 180 else None
        by_image, by_marrow, by_blood = _progress(visit, start, lowest)
        fresh = "marrow_plasma_cells" in visit
        category = "PD" if by_image or by_marrow or by_blood else _respond(visit, start, standing, fresh=fresh)
        yield day, category, by_image, by_marrow
        for name in lowest:
            now = start.difference(visit) if name == "difference" else visit.get(name)
            if now is not None and (lowest[name] is None or now < lowest[name]):
                lowest[name] = now


def _more(now: float, limit: float) -> bool:
    return now >= limit - TOLERANCE * max(abs(now), abs(limit))


def _rise(now: float | None, low: float | None, least: float, *, strict: bool = False) -> bool:
    if now is None or low is None:
        return False
    enough = not _more(least, now - low) if strict else _more(now - low, least)
    return enough and (low <= 0 or _more(100 * (now - low) / low, 25))


def _progress(visit: Visit, start: _Start, lowest: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    serum, low = visit.get("m_protein"), lowest["m_protein"]
    blood = _rise(serum, low, 0.5) or _rise(visit.get("urine_m_protein"), lowest["urine_m_protein"], 200)
    blood = blood or (serum is not None and low is not None and _more(low, 5) and _more(serum - low, 1))
    if start.kind != "serum_urine":
        blood = blood or _rise(start.difference(visit), lowest["difference"], 100, strict=True)
    marrow = False
    if start.kind in ("marrow", "none"):
        marrow = _rise(visit.get("marrow_plasma_cells"), lowest["marrow_plasma_cells"], 10)
    return visit.get("new_lesion") == "yes", marrow, blood


def _fell(now: float | None, before: float | None, percent: float) -> bool | None:
    if now is None or before is None or before <= 0:
        return None
    return _more(100 * (before - now) / before, percent)


def _all(*clauses: bool | None) -> bool | None:
    return False if False in clauses else None if None in clauses else True


def _any(*clauses: bool | None) -> bool | None:
    return True if True in clauses else None if None in clauses else False


def _is_negative(visit: Visit, name: str) -> bool | None:
    return visit[name] == "negative" if name in visit else None


def _respond(visit: Visit, start: _Start, marrow: float | None, *, fresh: bool) -> str:
    if not fresh and len(visit) == ("new_lesion" in visit):
        return "NE"
    complete = _all(
        True if start.sick else None,
        _is_negative(visit, "serum_immunofixation"),
        _is_negative(visit, "urine_immunofixation"),
        None if marrow is None else not _more(marrow, 5),
        _normal(visit) if start.kind == "chain" else True,
    )
    if complete:
        return "CR"
    partial, minimal = _ask_partial(visit, start, marrow), _ask_minimal(visit, start)
    if _ask_very_good(visit, start):
        return "VGPR"
    if partial:
        return "PR" if start.kind != "marrow" or fresh else "NE"
    if minimal:
        return "MR"
    followed = (
        (start.serum and "m_protein" in visit)
        or (start.urine and "urine_m_protein" in visit)
        or (start.kind == "chain" and f"flc_{start.involved}" in visit)
        or (start.kind == "marrow" and fresh)
    )
    return "SD" if followed and partial is False and minimal is False else "NE"


def _normal(visit: Visit) -> bool | None:
    if "flc_kappa" not in visit or "flc_lambda" not in visit:
        return None
    ratio = visit["flc_kappa"] / visit["flc_lambda"]
    return _more(ratio, 0.26) and _more(1.65, ratio)


def _ask_very_good(visit: Visit, start: _Start) -> bool | None:
    first = start.start
    if start.kind == "serum_urine":
        urine = visit.get("urine_m_protein")
        low = None if urine is None else not _more(urine, 100)
        if _is_negative(visit, "urine_immunofixation"):
            low = True
        serum = _fell(visit.get("m_protein"), first.get("m_protein"), 90) if start.serum else True
        return _all(serum, low)
    if start.kind == "chain":
        return _fell(start.difference(visit), start.difference(first), 90)
    return False if start.kind == "marrow" else None


def _ask_partial(visit: Visit, start: _Start, marrow: float | None) -> bool | None:
    first = start.start
    if start.kind == "serum_urine":
        urine = visit.get("urine_m_protein")
        below = None if urine is None else not _more(urine, 200)
        return _all(
            _fell(visit.get("m_protein"), first.get("m_protein"), 50) if start.serum else True,
            _any(_fell(urine, first.get("urine_m_protein"), 90), below) if start.urine else True,
        )
    if start.kind == "chain":
        return _fell(start.difference(visit), start.difference(first), 50)
    return _fell(marrow, first.get("marrow_plasma_cells"), 50) if start.kind == "marrow" else None


def _ask_minimal(visit: Visit, start: _Start) -> bool | None:
    first = start.start
    if start.kind != "serum_urine":
        return None if start.kind == "none" else False
    return _all(
        _fell(visit.get("m_protein"), first.get("m_protein"), 25) if start.serum else True,
        _fell(visit.get("urine_m_protein"), first.get("urine_m_protein"), 50) if start.urine else True,
    )


def _confirm(
    points: list[tuple[float, str, bool, bool]], therapy: float | None, death: float | None
) -> tuple[list[tuple[float, str, str]], float | None]:
    best, progression, shown = "NE", None, []
    for place, (day, category, by_image, by_marrow) in enumerate(points):
        following = next((point for point in points[place + 1 :] if point[1] != "NE"), None)
        at_visit = "SD" if category not in ("NE", "PD") else "NE"
        if category == "PD":
            second = following is not None and following[1] == "PD"
            dead = death is not None and death >= day and (following is None or following[0] > death)
            at_visit = "PD" if by_image or by_marrow or second or dead else "NE"
        elif category not in ("NE", "SD") and following is not None and following[1] != "PD":
            is_early = therapy is None or following[0] <= therapy
            at_visit = min(category, following[1], key=RANK.index) if is_early else at_visit
        if progression is None and (therapy is None or day <= therapy):
            if at_visit == "PD":
                progression = day
            elif RANK.index(at_visit) >= RANK.index("SD"):
                best = max(best, at_visit, key=RANK.index)
        shown.append((day, category, "PD" if progression is not None else best))
    return shown, progression
