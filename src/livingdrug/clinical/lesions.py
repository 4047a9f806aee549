"""What each reader of one subject's images saw: lesions at baseline and at every scan after it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isinf, isnan

import polars as pl

from livingdrug.clinical.visits import Measured
from livingdrug.core.errors import Fault, InputError
from livingdrug.core.variables import VARIABLES, compute_variable_conversion

TARGETS = ("target_lesion", "target_node")
SUM = "target_lesion_sum"
"""Stands for all targets where a reader gives nothing but their sum: zero is complete response then."""
NEW_TARGETS = ("new_target_lesion", "new_target_node")
NEW = ("new_lesion", *NEW_TARGETS, "new_non_target_lesion")
CODES = ("overall_response", "target_response", "non_target_response")
_WORST_FIRST = (
    *("unequivocal_progression", "increased", "present", "not_evaluable", "absent"),
    *("yes", "equivocal", "no"),
    *("icpd", "pd", "iupd", "non-icr/non-iupd", "non-cr/non-pd", "isd", "sd", "ipr", "pr", "icr", "cr", "ne", "nd"),
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one reader saw on one day; names as in the record, such as ``target_lesion:T01``."""

    day: float
    measured: Mapping[str, Measured] = field(default_factory=dict)

    def select(self, *bases: str) -> dict[str, Measured]:
        """Return what was seen of some variables, by name.

        Examples
        --------
        >>> scan = Scan(42.0, {"target_lesion:T01": Measured(12.0, None, 0, 42.0)})
        >>> list(scan.select("target_lesion")), list(scan.select("target_node"))
        (['target_lesion:T01'], [])
        """
        return {name: found for name, found in self.measured.items() if get_base(name) in bases}


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's baseline and scans of one subject.

    Parameters
    ----------
    reader : str
        Empty where the record names none.
    baseline : mapping of str to Measured
        The last result of each lesion up to the day of the baseline.
    scans : tuple of Scan, by day
    warnings : tuple of str
    """

    reader: str
    baseline: Mapping[str, Measured]
    scans: tuple[Scan, ...]
    warnings: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the target lesions, in order."""
        named = tuple(sorted(name for name in self.baseline if get_base(name) in TARGETS))
        return named or tuple(name for name in self.baseline if name == SUM)

    @property
    def voice(self) -> str:
        """The reader as the end of a sentence."""
        return f" ({self.reader})" if self.reader else ""


def get_base(name: str) -> str:
    """Return the variable of a name without what it is of.

    Examples
    --------
    >>> get_base("target_lesion:T01")
    'target_lesion'
    """
    return name.partition(":")[0]


def see(found: Measured | None) -> Measured | None:
    """Return a result of a lesion; one that could not be evaluated has no word."""
    return replace(found, word=None) if found is not None and found.word == "not_evaluable" else found


def read_lesions(
    observations: pl.DataFrame,
    variables: Iterable[str],
    *,
    baseline_day: float,
    window_days: float,
    too_small: float,
) -> tuple[Reading, ...]:
    """Sort one subject's rows into baselines and scans, one set a reader, by the reader's name.

    A lesion that is seen but too small to measure (``censored`` is ``left``) counts as ``too_small``. Of several
    results for one thing on one day the one that is marked as ``accepted`` counts; else the worse of two that differ,
    with a warning. A unit that is missing or
    does not convert leaves a diameter unknown. Rows without a reader are a reader's of their own; new lesions
    without a reader, where all else has one, are everybody's.

    Parameters
    ----------
    variables : names without what they are of
    baseline_day : float
        The last day of the baseline; a coded response on that very day is already a response.
    window_days : float
        Days of which lesions are one scan, dated by the first.
    too_small : float [mm]

    Raises
    ------
    InputError
        With every diameter that is negative, infinite or a text.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [-7.0, 42.0], "variable": ["target_lesion:T01"] * 2, "value": [30.0, 20.0],
    ...                       "unit": ["mm", "mm"], "text": [None, None], "reader": ["A", "A"]})
    >>> reading, = read_lesions(table, TARGETS, baseline_day=0.0, window_days=0.0, too_small=5.0)
    >>> reading.baseline["target_lesion:T01"].value, [scan.day for scan in reading.scans]
    (30.0, [42.0])
    """
    rows: dict[str, list[tuple[str, Measured]]] = {}
    shared: list[tuple[str, Measured]] = []
    for reader, name, found in _read_rows(observations, frozenset(variables), too_small):
        rows.setdefault(reader, []).append((name, found))
    if len(rows) > 1 and "" in rows and all(get_base(name) in NEW for name, _ in rows[""]):
        shared += rows.pop("")
    return tuple(_build_reading(reader, rows[reader] + shared, baseline_day, window_days) for reader in sorted(rows))


def _read_rows(
    observations: pl.DataFrame, wanted: frozenset[str], too_small: float
) -> Iterator[tuple[str, str, Measured]]:
    columns = ("row", "day", "variable", "value", "text", "unit", "censored", "assay", "reader", "accepted")
    nothing = [None] * len(observations)
    lists = [observations[name].to_list() if name in observations.columns else nothing for name in columns]
    if "row" not in observations.columns:
        lists[0] = list(range(len(observations)))
    has_unit = "unit" in observations.columns
    faults = []
    rows = list(zip(*lists, strict=True))
    chosen = {(one[8], one[2], one[1]) for one in rows if one[9] == "yes"}
    for row, day, variable, value, text, unit, censored, assay, reader, accepted in rows:
        if variable is None or get_base(variable) not in wanted or day is None:
            continue
        if chosen and accepted != "yes" and (reader, variable, day) in chosen:
            continue
        known = VARIABLES[get_base(variable)]
        if known.words:
            found = Measured(None, None if text is None else text.lower(), row, day, (assay or "").lower())
        else:
            faults += _check_diameter(row, variable, value, text)
            factor = _find_factor(known.name, unit) if has_unit else 1.0
            is_known = value is not None and not isnan(value) and factor is not None
            number = too_small if censored == "left" else value * factor if is_known else None
            found = Measured(number, None, row, day, (assay or "").lower())
        yield reader or "", variable, found
    if faults:
        raise InputError.from_faults("observations", faults)


def _check_diameter(row: int, variable: str, value: float | None, text: str | None) -> list[Fault]:
    where = f"observations, row {row}, {variable}"
    if text is not None and value is None:
        return [Fault(where, "must be a number of mm", repr(text), "write the number alone; leave out what is missing")]
    if value is not None and (value < 0 or isinf(value)):
        return [Fault(where, "must be a diameter of at least 0 mm", f"{value:g}", "a lesion that is gone measures 0")]
    return []


def _find_factor(base: str, unit: str | None) -> float | None:
    if unit is None:
        return None
    conversion = compute_variable_conversion(base, unit)
    return None if conversion is None else conversion[0]


def _build_reading(
    reader: str, rows: Sequence[tuple[str, Measured]], baseline_day: float, window_days: float
) -> Reading:
    days, warnings = _gather_days(rows)
    baseline: dict[str, Measured] = {}
    scans: list[Scan] = []
    for day in sorted(days):
        codes = {name: found for name, found in days[day].items() if get_base(name) in CODES}
        if day <= baseline_day:
            lesions = {n: m for n, m in days[day].items() if n not in codes and get_base(n) not in NEW}
            known = {n: m for n, m in lesions.items() if n not in baseline or _is_known(m)}
            baseline |= known
            if codes and day == baseline_day:
                scans.append(Scan(day, codes))
            warnings += [f"row {m.row}: {n} before day {baseline_day:g} is no response" for n, m in codes.items()] * (
                day < baseline_day
            )
            continue
        scans.append(Scan(day, days[day]))
    reading = Reading(reader, baseline, _join_scans(scans, window_days, baseline_day))
    return Reading(reader, baseline, reading.scans, tuple(f"{text}{reading.voice}" for text in warnings))


def _is_known(found: Measured) -> bool:
    return found.value is not None or found.word not in (None, "not_evaluable")


def _gather_days(rows: Sequence[tuple[str, Measured]]) -> tuple[dict[float, dict[str, Measured]], list[str]]:
    """Keep the worst of several results for one thing on one day, and say where they differ."""
    days: dict[float, dict[str, Measured]] = {}
    warnings = []
    for name, found in sorted(rows, key=lambda item: item[1].row):
        seen = days.setdefault(found.day, {})
        before = seen.get(name)
        if before is None:
            seen[name] = found
            continue
        if (before.value, before.word) != (found.value, found.word):
            both = " and ".join(_write(m) for m in (before, found))
            warnings.append(
                f"rows {before.row} and {found.row}: {name} on day {found.day:g} is {both}; the worse counts"
            )
        seen[name] = max(before, found, key=_badness)
    return days, warnings


def _write(found: Measured) -> str:
    return found.word or ("not known" if found.value is None else f"{found.value:g} mm")


def _badness(found: Measured) -> float:
    if found.word is not None:
        return -float(_WORST_FIRST.index(found.word) if found.word in _WORST_FIRST else len(_WORST_FIRST))
    return -float("inf") if found.value is None else found.value


def _join_scans(scans: Sequence[Scan], window_days: float, baseline_day: float) -> tuple[Scan, ...]:
    """Make one scan of days close together, unless that would join two results of one thing."""
    joined: list[Scan] = []
    for scan in scans:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.day > baseline_day
            and scan.day - last.day <= window_days
            and not last.measured.keys() & scan.measured.keys()
        ):
            joined[-1] = Scan(last.day, {**last.measured, **scan.measured})
        else:
            joined.append(scan)
    return tuple(joined)


def confirm_equivocal(scans: Sequence[Scan]) -> tuple[tuple[Scan, ...], list[str]]:
    """Date a new lesion that was equivocal first and confirmed later to the day on which it was first seen.

    An equivocal lesion that the reader next calls absent stays what it was.

    Returns
    -------
    scans : with ``yes`` in place of ``equivocal`` where it was confirmed
    notes : one a lesion that was dated back

    Examples
    --------
    >>> first = Scan(42.0, {"new_lesion:N1": Measured(None, "equivocal", 0, 42.0)})
    >>> second = Scan(84.0, {"new_lesion:N1": Measured(None, "yes", 1, 84.0)})
    >>> scans, notes = confirm_equivocal([first, second])
    >>> scans[0].measured["new_lesion:N1"].word, len(notes)
    ('yes', 1)
    """
    changed = [dict(scan.measured) for scan in scans]
    notes = []
    for name in dict.fromkeys(name for scan in scans for name in scan.select("new_lesion")):
        later: Measured | None = None
        for scan, measured in zip(reversed(scans), reversed(changed), strict=True):
            found = scan.measured.get(name)
            if found is None:
                continue
            if found.word == "equivocal" and later is not None and later.word == "yes":
                measured[name] = Measured(None, "yes", found.row, found.day, found.assay)
                notes.append(
                    f"row {found.row}: {name} was equivocal on day {found.day:g} and is confirmed by row {later.row}"
                    f" on day {later.day:g}: it is dated to day {found.day:g}"
                )
            else:
                later = found
    return tuple(Scan(scan.day, measured) for scan, measured in zip(scans, changed, strict=True)), notes
