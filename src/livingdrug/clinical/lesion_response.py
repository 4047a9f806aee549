"""Response of target lesions, of other lesions, and new lesions at one scan: the parts of RECIST 1.1.

Two target lesions that merge, or one that splits, are measured as the reader writes them: this code does not
find that out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from livingdrug.clinical.comparison import COMPARISONS, compare, find_word, is_above, join_all, join_any
from livingdrug.clinical.lesions import SUM, TARGETS, Reading, get_base, see
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Ruleset, Truth

CR, PR, SD, PD, NE = "CR", "PR", "SD", "PD", "NE"
OTHER = "NON-CR/NON-PD"
"""Disease that is not measured, neither gone nor progressed."""
BASELINE = "baseline"
PART_CODES: Mapping[str, str] = MappingProxyType(
    {code.lower(): code for code in (CR, PR, SD, PD, OTHER)}
    | {f"i{code.lower()}": code for code in (CR, PR, SD)}
    | {"non-icr/non-iupd": OTHER, "iupd": PD, "icpd": PD}
)
"""Codes that a reader gives to one kind of lesions."""


@dataclass(frozen=True, slots=True)
class LesionSum:
    """Sum of the diameters that were measured, and the lesions that were not."""

    value: float
    rows: tuple[int, ...]
    missing: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every lesion was measured."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Judged:
    """Category of one kind of lesions at one scan, and what it rests on."""

    category: str
    progression: Finding
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetHistory:
    """What the target lesions of a scan are compared with.

    Parameters
    ----------
    baseline, nadir : LesionSum or None
        The nadir is the smallest sum of a complete scan, the baseline included.
    response_day : float or None
        First day of an unbroken partial or complete response.
    is_confirmed : bool
        Whether a second scan showed that response again.
    """

    baseline: LesionSum | None = None
    nadir: LesionSum | None = None
    response_day: float | None = None
    is_confirmed: bool = False

    def include(self, day: float, now: LesionSum | None, category: str, ref_confirm: float) -> "TargetHistory":
        """Return the history with one more scan; one that cannot be evaluated changes nothing."""
        history = self
        is_lower = now is not None and now.is_complete and (self.nadir is None or now.value < self.nadir.value)
        if is_lower:
            history = replace(history, nadir=now)
        if category in (SD, PD):
            return replace(history, response_day=None, is_confirmed=False)
        if category in (CR, PR):
            first = day if self.response_day is None else self.response_day
            return replace(history, response_day=first, is_confirmed=self.is_confirmed or day - first >= ref_confirm)
        return history

    def holds(self, policy: str) -> bool:
        """Whether a partial response stands until progression: once assigned, once confirmed, or never."""
        return {"assigned": self.response_day is not None, "confirmed": self.is_confirmed}.get(policy, False)


def add_up(measured: Mapping[str, Measured], names: Sequence[str]) -> LesionSum:
    """Add the diameters of some lesions.

    Examples
    --------
    >>> add_up({"target_lesion:A": Measured(12.0, None, 3, 42.0)}, ["target_lesion:A", "target_lesion:B"])
    LesionSum(value=12.0, rows=(3,), missing=('target_lesion:B',))
    """
    found = [(name, measured.get(name)) for name in names]
    known = [(m.value, m.row) for _, m in found if m is not None and m.value is not None]
    missing = tuple(name for name, m in found if m is None or m.value is None)
    return LesionSum(sum(value for value, _ in known), tuple(row for _, row in known), missing)


def start_history(baseline: Mapping[str, Measured], names: Sequence[str]) -> TargetHistory:
    """Return the history of target lesions before the first scan."""
    total = add_up(baseline, names) if names else None
    return TargetHistory(total, total if total is not None and total.is_complete else None)


def compare_sums(
    clause: str, before: LesionSum | None, now: LesionSum, comparison: str, threshold: tuple[Ruleset, str]
) -> Finding:
    """Compare two sums; a rise that the measured part alone shows is a rise, all else needs complete scans.

    Examples
    --------
    >>> from livingdrug.core.parameters import Value
    >>> rules = Ruleset("x/1", "X", "x", {"rise": Value(5.0, "mm", "x", "x", "reported")})
    >>> part = LesionSum(36.0, (2,), ("target_lesion:B",))
    >>> compare_sums("up 5 mm", LesionSum(30.0, (0, 1)), part, "rise >=", (rules, "rise")).truth
    <Truth.TRUE: 'true'>
    """
    limit = threshold[0].thresholds[threshold[1]]
    if before is None or not before.is_complete:
        missing = before.missing if before is not None else (BASELINE,)
        return Finding(clause, Truth.UNKNOWN, now.rows, (), limit.value, missing, "", comparison, limit.unit)
    rows, values = before.rows + now.rows, (before.value, now.value)
    truth = Truth.of(COMPARISONS[comparison](values, limit.value))
    if now.missing and (truth != Truth.TRUE or "fall" in comparison):
        note = "not every lesion was measured"
        return Finding(clause, Truth.UNKNOWN, rows, values, limit.value, now.missing, note, comparison, limit.unit)
    missing = (BASELINE,) if truth == Truth.UNKNOWN else ()
    note = "of the lesions that were measured" if now.missing else ""
    return Finding(clause, truth, rows, values, limit.value, missing, note, comparison, limit.unit)


def find_rise(before: LesionSum | None, now: LesionSum, rules: Ruleset, what: str = "target lesions") -> Finding:
    """Ask whether a sum rose by 20 % and by 5 mm from its nadir."""
    rise, absolute = rules.thresholds["progression_rise"], rules.thresholds["progression_absolute"]
    clauses = (
        compare_sums(
            f"sum of {what} up at least {rise.value:g} % from nadir",
            before,
            now,
            "percent rise >=",
            (rules, "progression_rise"),
        ),
        compare_sums(
            f"sum of {what} up at least {absolute.value:g} mm from nadir",
            before,
            now,
            "rise >=",
            (rules, "progression_absolute"),
        ),
    )
    return join_all(f"progression of {what}", clauses)


def judge_targets(
    measured: Mapping[str, Measured], names: Sequence[str], history: TargetHistory, rules: Ruleset, hold: str
) -> Judged:
    """Return the response of target lesions: complete, progression, partial, stable, in this order.

    Parameters
    ----------
    measured : what the scan shows
    names : target lesions of the baseline
    history : TargetHistory
    hold : ``assigned``, ``confirmed`` or ``never``
        From when on a partial response stands until progression.

    Source
    ------
    eisenhauer2009
    """
    now = add_up(measured, names)
    complete = join_all("target lesions gone", [_find_gone(name, measured.get(name), rules) for name in names])
    progression = find_rise(history.nadir, now, rules)
    fall = rules.thresholds["partial_fall"].value
    partial = compare_sums(
        f"sum of target lesions down at least {fall:g} % from baseline",
        history.baseline,
        now,
        "percent fall >=",
        (rules, "partial_fall"),
    )
    if complete.truth == Truth.TRUE:
        none = Finding(progression.clause, Truth.FALSE, complete.rows, note="a complete response goes before")
        return Judged(CR, none, (complete,))
    if progression.truth == Truth.TRUE:
        return Judged(PD, progression, (progression,))
    if partial.truth == Truth.TRUE:
        category = NE if progression.truth == Truth.UNKNOWN else PR
        return Judged(category, progression, (partial, progression))
    if progression.truth == partial.truth == Truth.FALSE:
        if history.holds(hold):
            note = f"partial response since day {history.response_day:g} stands until progression"
            held = Finding("partial response stands", Truth.TRUE, partial.rows, note=note)
            return Judged(PR, progression, (held, partial, progression))
        return Judged(SD, progression, (partial, progression))
    return Judged(NE, progression, (progression, partial, complete))


def _find_gone(name: str, found: Measured | None, rules: Ruleset) -> Finding:
    if get_base(name).endswith("node"):
        limit = rules.thresholds["node_normal"]
        return compare(f"{name} below {limit.value:g} {limit.unit}", [(name, found)], "<", limit)
    return compare(f"{name} gone", [(name, found)], "<=", 0.0)


def judge_others(measured: Mapping[str, Measured], names: Iterable[str]) -> Judged:
    """Return the response of lesions that are not measured.

    Examples
    --------
    >>> words = {"non_target_lesion:A": Measured(None, "absent", 0, 42.0)}
    >>> judge_others(words, ["non_target_lesion:A"]).category
    'CR'
    >>> judge_others(words, ["non_target_lesion:A", "non_target_lesion:B"]).category
    'NE'
    """
    found = [(name, see(measured.get(name))) for name in names]
    ask = [find_word(f"{name} progressed unequivocally", name, m, "unequivocal_progression") for name, m in found]
    progression = join_any("progression of other lesions", ask)
    gone = join_all("other lesions gone", [find_word(f"{name} gone", name, m, "absent") for name, m in found])
    if progression.truth == Truth.TRUE:
        return Judged(PD, progression, (progression,))
    if gone.truth == Truth.TRUE:
        return Judged(CR, progression, (gone,))
    if progression.truth == Truth.UNKNOWN:
        return Judged(NE, progression, (progression, gone))
    return Judged(OTHER, progression, (progression, gone))


def judge_code(name: str, found: Measured) -> Judged:
    """Take the category that a reader gave, as it is.

    Examples
    --------
    >>> judge_code("target_response", Measured(None, "ipr", 0, 42.0)).category
    'PR'
    """
    category = PART_CODES.get(found.word or "", NE)
    note = f"{name} was {found.word}"
    said = Finding(f"{name} as the reader gave it", Truth.TRUE, (found.row,), note=note)
    truth = Truth.UNKNOWN if category == NE else Truth.of(category == PD)
    missing = (name,) if category == NE else ()
    progression = Finding(f"{name} is progression", truth, (found.row,), missing=missing, note=note)
    return Judged(category, progression, (said,))


def list_baseline_warnings(reading: Reading, rules: Ruleset) -> list[str]:
    """Say which target lesions are smaller or more than the criteria allow, and which have no baseline."""
    warnings = _list_strays(reading)
    for name in reading.targets:
        found = reading.baseline[name]
        if name == SUM:
            continue
        limit = rules.thresholds["node_least" if get_base(name).endswith("node") else "target_least"]
        if found.value is None:
            warnings.append(f"row {found.row}: {name} is not known at baseline{reading.voice}")
        elif is_above(limit.value, found.value):
            size = f"{found.value:g} mm at baseline, below the {limit.value:g} mm of a target"
            warnings.append(f"row {found.row}: {name} is {size}{reading.voice}")
    most = rules.threshold("targets_most")
    if len(reading.targets) > most:
        warnings.append(f"{len(reading.targets)} target lesions where at most {most:g} are allowed{reading.voice}")
    return warnings


def _list_strays(reading: Reading) -> list[str]:
    """Say which lesions are first named after the baseline: a target cannot be counted, another lesion is."""
    first: dict[str, Measured] = {}
    for scan in reading.scans:
        for name, found in scan.select(*TARGETS, "non_target_lesion").items():
            if name not in reading.baseline:
                first.setdefault(name, found)
    if first and not reading.baseline:
        text = "no lesion was measured up to the day of the baseline: set baseline_day if the baseline lies later"
        return [f"{text}{reading.voice}"]
    counts = {True: "it is not counted; a new lesion is written as new_lesion", False: "it is counted from then on"}
    return [
        f"row {found.row}: {name} is first named on day {found.day:g}, after the baseline:"
        f" {counts[get_base(name) in TARGETS]}{reading.voice}"
        for name, found in first.items()
    ]
