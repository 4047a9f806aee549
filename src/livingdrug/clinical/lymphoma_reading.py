"""What each reader of one lymphoma patient's PET and CT saw, at baseline and at every scan after it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite

import polars as pl

from livingdrug.clinical.lesions import Reading, Scan, get_base
from livingdrug.clinical.visits import Measured
from livingdrug.core.errors import Fault, InputError
from livingdrug.core.variables import VARIABLES, compute_variable_conversion

LONGEST = ("node_longest_diameter", "extranodal_longest_diameter")
SHORTEST = ("node_shortest_diameter", "extranodal_shortest_diameter")
PET = ("pet_response", "deauville", "fdg_uptake_change", "fdg_new_foci", "fdg_marrow")
CT = (*LONGEST, *SHORTEST, "tumour_spd", "spleen_length", "non_target_lesion", "ct_response")
NEW = ("new_lesion", "new_target_lesion", "new_target_node", "new_non_target_lesion")
MARROW, BIOPSY, STATUS, CODE = "marrow_involvement", "lesion_biopsy", "clinical_status", "overall_response"
CODES = ("pet_response", "ct_response", CODE)
SHARED = (MARROW, BIOPSY, STATUS, *NEW)
"""What may be nobody's reading: where it names no reader it is everybody's."""
IMAGES = (*PET, *CT, *NEW, CODE)
_WORST_FIRST = (
    *("unequivocal_progression", "increased", "present", "not_evaluable", "absent"),
    *("yes", "unstable", "higher", "equivocal", "indeterminate", "unchanged", "lower", "stable", "no"),
    *("pmd", "pad", "pd", "ir1", "ir2", "ir2a", "ir2b", "ir3", "ir", "nmr", "smd", "sad", "sd"),
    *("pmr", "par", "pr", "cmr", "car", "cr", "ne", "nd"),
)
_COLUMNS = ("row", "day", "variable", "value", "text", "unit", "censored", "assay", "reader")


def read_lymphoma(
    observations: pl.DataFrame,
    variables: Iterable[str],
    *,
    baseline_day: float,
    window_days: float,
    too_small: float,
) -> tuple[Reading, ...]:
    """Sort one subject's rows into baselines and scans, one set a reader, by the reader's name.

    A lesion that is seen but too small to measure (``censored`` is ``left``) counts as ``too_small``; a sum below
    the limit of quantification counts as 0. Of two different results for one thing on one day the worse counts,
    with a warning. A unit that is missing or does not convert leaves a number unknown. The two diameters of a
    lesion at baseline are those of one day.

    Parameters
    ----------
    variables : names without what they are of
    baseline_day : float
        The last day of the baseline.
    window_days : float
        Days of which images are one scan, dated by the first.
    too_small : float [mm]

    Raises
    ------
    InputError
        With every number that lies outside of what its variable can be.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [-7.0, 30.0], "variable": ["deauville"] * 2, "value": [5.0, 2.0],
    ...                       "unit": ["score", "score"], "text": [None, None]})
    >>> reading, = read_lymphoma(table, PET, baseline_day=0.0, window_days=0.0, too_small=5.0)
    >>> reading.baseline["deauville"].value, [scan.measured["deauville"].value for scan in reading.scans]
    (5.0, [2.0])
    """
    rows: dict[str, list[tuple[str, Measured]]] = {}
    for reader, name, found in _read_rows(observations, frozenset(variables), too_small):
        rows.setdefault(reader, []).append((name, found))
    shared: list[tuple[str, Measured]] = []
    if len(rows) > 1 and "" in rows:
        shared = [(name, found) for name, found in rows[""] if get_base(name) in SHARED]
        if len(shared) == len(rows[""]):
            del rows[""]
    return tuple(
        _build_reading(reader, rows[reader] + (shared if reader else []), baseline_day, window_days)
        for reader in sorted(rows)
    )


def _read_rows(
    observations: pl.DataFrame, wanted: frozenset[str], too_small: float
) -> Iterator[tuple[str, str, Measured]]:
    nothing = [None] * len(observations)
    lists = [observations[name].to_list() if name in observations.columns else nothing for name in _COLUMNS]
    if "row" not in observations.columns:
        lists[0] = list(range(len(observations)))
    has_unit = "unit" in observations.columns
    faults: list[Fault] = []
    for row, day, variable, value, text, unit, censored, assay, reader in zip(*lists, strict=True):
        base = get_base(variable or "")
        if base not in wanted or day is None:
            continue
        known = VARIABLES[base]
        method = (assay or "").lower()
        if known.words:
            yield reader or "", variable, Measured(None, None if text is None else text.lower(), row, day, method)
            continue
        conversion = compute_variable_conversion(base, unit or "") if has_unit else (1.0, 0.0)
        number = None if value is None or conversion is None or value != value else value * conversion[0]
        if censored == "left":
            number = too_small if base in (*LONGEST, *SHORTEST) else 0.0 if base == "tumour_spd" else None
        faults += _check_number(row, variable, number)
        limit = number if censored == "left" else None
        yield reader or "", variable, Measured(number, None, row, day, method, limit)
    if faults:
        raise InputError.from_faults("observations", faults)


def _check_number(row: int, variable: str, number: float | None) -> list[Fault]:
    known = VARIABLES[get_base(variable)]
    if number is None or (isfinite(number) and known.lower <= number <= known.upper):
        return []
    rule = f"must be between {known.lower:g} and {known.upper:g} {known.unit}"
    hint = "correct the number or its unit; a lesion that is gone measures 0"
    return [Fault(f"observations, row {row}, {variable}", rule, f"{number:g}", hint)]


def _build_reading(
    reader: str, rows: Sequence[tuple[str, Measured]], baseline_day: float, window_days: float
) -> Reading:
    days, warnings = _gather_days(rows)
    baseline: dict[str, Measured] = {}
    scans: list[Scan] = []
    for day in sorted(days):
        if day > baseline_day:
            scans.append(Scan(day, days[day]))
            continue
        for name, found in days[day].items():
            if get_base(name) in CODES:
                warnings.append(f"row {found.row}: {name} on day {day:g}, up to the baseline, is no response")
            elif get_base(name) not in (*NEW, STATUS, BIOPSY) and is_known(found):
                if get_base(name) in LONGEST:
                    baseline.pop(find_partner(name), None)
                if get_base(name) not in SHORTEST or find_partner(name) in days[day]:
                    baseline[name] = found
    voice = f" ({reader})" if reader else ""
    joined = _join_scans(scans, window_days)
    return Reading(reader, baseline, joined, tuple(f"{text}{voice}" for text in warnings))


def find_partner(name: str) -> str:
    """Return the name of the other diameter of the same lesion.

    Examples
    --------
    >>> find_partner("node_longest_diameter:N1"), find_partner("extranodal_shortest_diameter:E1")
    ('node_shortest_diameter:N1', 'extranodal_longest_diameter:E1')
    """
    base, mark, lesion = name.partition(":")
    other = base.replace("_longest_", "_shortest_") if "_longest_" in base else base.replace("_shortest_", "_longest_")
    return f"{other}{mark}{lesion}"


def is_known(found: Measured | None) -> bool:
    """Whether a row says anything that can be judged."""
    return found is not None and (found.value is not None or found.word not in (None, "not_evaluable"))


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
            both = " and ".join(_write(name, m) for m in (before, found))
            places = f"rows {before.row} and {found.row}"
            warnings.append(f"{places}: {name} on day {found.day:g} is {both}; the worse counts")
        seen[name] = max(before, found, key=_badness)
    return {day: dict(sorted(seen.items())) for day, seen in days.items()}, warnings


def _write(name: str, found: Measured) -> str:
    unit = VARIABLES[get_base(name)].unit
    return found.word or ("not known" if found.value is None else f"{found.value:g} {unit}".rstrip())


def _badness(found: Measured) -> float:
    if found.word is not None:
        return -float(_WORST_FIRST.index(found.word) if found.word in _WORST_FIRST else len(_WORST_FIRST))
    return -float("inf") if found.value is None else found.value


def _join_scans(scans: Sequence[Scan], window_days: float) -> tuple[Scan, ...]:
    """Make one scan of days close together, unless that would join two results of one thing."""
    joined: list[Scan] = []
    for scan in scans:
        last = joined[-1] if joined else None
        is_near = last is not None and scan.day - last.day <= window_days
        if last is not None and is_near and not last.measured.keys() & scan.measured.keys():
            joined[-1] = Scan(last.day, {**last.measured, **scan.measured})
        else:
            joined.append(scan)
    return tuple(joined)


def has_images(scan: Scan) -> bool:
    """Whether a day holds anything that was imaged, and not a biopsy or a word on the patient alone."""
    return any(get_base(name) in IMAGES for name in scan.measured)


def list_lesions(measured: Mapping[str, Measured]) -> tuple[str, ...]:
    """Return the lesions that are measured, each by the name of its longest diameter.

    Examples
    --------
    >>> list_lesions({"node_longest_diameter:N1": Measured(20.0, None, 0, -7.0)})
    ('node_longest_diameter:N1',)
    """
    return tuple(name for name in measured if get_base(name) in LONGEST)
