"""Neurotoxicity (ICANS) by the ASTCT consensus of 2019: a grade a day, the worst of five domains.

Tremor, myoclonus and intracranial haemorrhage are no ICANS; parkinsonism and palsies that come late are
recorded as an endpoint of their own. Below 12 years the Cornell assessment of paediatric delirium takes the
place of ICE. Source: lee2019.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from livingdrug.clinical.comparison import join_all, join_any
from livingdrug.clinical.daily import (
    Result,
    Worst,
    ask_value,
    ask_word,
    ask_yes,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.clinical.encephalopathy import ITEMS, Instrument, find_encephalopathy
from livingdrug.clinical.grading import (
    Episode,
    Graded,
    ask_death,
    build_details,
    describe_grade,
    find_grade,
    list_endpoints,
)
from livingdrug.core.assessment import Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

NOT_ICANS = ("tremor", "myoclonus", "intracranial_haemorrhage")
LATE = ("parkinsonism", "cranial_nerve_palsy")
DOMAINS = ("seizure", "motor_weakness", "cerebral_oedema", "raised_intracranial_pressure")
_SCORES = ("ice_score", *ITEMS, "capd_score")
_GRADED = (*_SCORES, "consciousness", *DOMAINS, "seizure_duration", "neurotoxicity_explained_otherwise")
VARIABLES = (*_GRADED, *NOT_ICANS, *LATE)
GRADES = (4, 3, 2, 1)
DEATH = 5
_DEATH_WORDS = r"\bicans\b|neurotox|cerebral (o?edema)"
_YES_FIRST = ("yes", "indeterminate", "no")
_WORST: Worst = {
    "ice_score": "lowest",
    **dict.fromkeys(ITEMS, "lowest"),
    "capd_score": "highest",
    "consciousness": ("coma", "stupor", "unarousable", "vigorous", "touch", "voice", "spontaneous", "awake"),
    "seizure": ("repetitive", "prolonged", "nonconvulsive_resolving", "brief", "none"),
    "seizure_duration": "highest",
    "motor_weakness": ("deep_focal", "paraparesis", "hemiparesis", "mild", "none"),
    "cerebral_oedema": ("diffuse", "focal", "none"),
    "raised_intracranial_pressure": ("cushing_triad", "papilloedema", "sixth_nerve_palsy", "posturing", "none"),
    "neurotoxicity_explained_otherwise": ("no", "indeterminate", "yes"),
    **dict.fromkeys((*NOT_ICANS, *LATE), _YES_FIRST),
}


def assess_icans(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Grade neurotoxicity on every day on which one of its signs was looked at.

    Parameters
    ----------
    tables : SubjectTables
        ``subject["age_years"]`` decides between ICE and the Cornell assessment.
    rules : Ruleset
        ``astct-icans/2019``.
    options
        In place of the ruleset's: ``unrecorded``, ``drowsy_but_spontaneous``, ``capd_low``, ``age_group``,
        ``resolved_days``, ``first_day``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts 0 to 5, the lower bound where something is not known, NE where that bound is none;
        endpoints ``icans_maximum_grade``, ``icans_onset_day``, ``icans_end_day``, ``icans_duration``,
        ``delayed_neurotoxicity``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    lee2019

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [5.0, 5.0], "variable": ["ice_score", "seizure"], "value": [9.0, None],
    ...                      "text": [None, "brief"], "unit": [None, None]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_icans(SubjectTables({}, events, seen), load_rules("astct-icans/2019")).verdicts[0]
    >>> found.time_point, found.unknowns
    ('3', ('consciousness', 'motor_weakness', 'cerebral_oedema', 'raised_intracranial_pressure'))
    """
    chosen = rules.choose(options)
    first = float(chosen["first_day"])
    rows = [r for r in read_results(tables.observations, VARIABLES) if r.day >= first]
    days = group_days(r for r in rows if r.name in _GRADED)
    instrument = Instrument(tables.subject.get("age_years"), rules, chosen)
    worst = {day: find_worst(found, _WORST) for day, found in group_days(rows).items()}
    graded = [_Day(day, worst[day], rules, chosen, instrument).grade() for day in days]
    episodes = _find_episodes(graded, float(chosen["resolved_days"]))
    events = list_event_rows(tables.events)
    death = ask_death(events, "neurotoxicity", _DEATH_WORDS)
    if death is not None and death[0] >= first:
        graded, episodes = _add_death(graded, episodes, *death)
    notes = {g.day: "; ".join(_list_notes(worst.get(g.day, {}))) for g in graded}
    return SubjectAssessment(
        verdicts=tuple(describe_grade(g, "ICANS", notes[g.day]) for g in graded),
        endpoints=(
            *list_endpoints("icans", graded, episodes, None if death is None else death[0]),
            _find_delayed(worst),
        ),
        warnings=(*list_conflicts(group_days(rows), ("neurotoxicity_explained_otherwise",)), *instrument.warn(days)),
        details=build_details(graded, episodes),
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """What one day showed."""

    day: float
    worst: Mapping[str, Result]
    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    instrument: Instrument

    def grade(self) -> Graded:
        """Grade the day from the worst of its domains."""
        attributed = list(self._list_attribution())
        clauses = []
        for grade in GRADES:
            domains = join_any(f"a domain of grade {grade} or more", self._list_domains(grade))
            clauses.append((grade, join_all(f"ICANS grade at least {grade}", [*attributed, domains])))
        return find_grade(self.day, clauses)

    def _list_attribution(self) -> Iterator[Finding]:
        other = self.worst.get("neurotoxicity_explained_otherwise")
        if other is not None:
            yield ask_yes("nothing else explains it", other, other.name, "no")

    def _list_domains(self, grade: int) -> Iterator[Finding]:
        yield find_encephalopathy(self.worst, grade, self.instrument)
        yield self._ask_consciousness(grade)
        yield self._ask_seizure(grade)
        for name in DOMAINS[1:]:
            yield self._ask_domain(name, grade)

    def _ask_consciousness(self, grade: int) -> Finding:
        arousal = self.worst.get("consciousness")
        if (
            grade == 1
            and arousal is not None
            and arousal.word == "spontaneous"
            and self.chosen["drowsy_but_spontaneous"] == "0"
        ):
            note = "awakening spontaneously counts as none by option"
            return Finding("consciousness of grade 1", Truth.FALSE, (arousal.row,), note=note)
        return self._ask_domain("consciousness", grade)

    def _ask_domain(self, name: str, grade: int) -> Finding:
        clause = f"{name.replace('_', ' ')} of grade {grade} or more"
        found = self.worst.get(name)
        if found is None and self._is_presumed():
            return Finding(clause, Truth.FALSE, note=f"no row for {name}: taken as none")
        return ask_word(clause, found, name, self.rules.thresholds, grade)

    def _ask_seizure(self, grade: int) -> Finding:
        length, word = self.worst.get("seizure_duration"), self.worst.get("seizure")
        if length is None:
            return self._ask_domain("seizure", grade)
        limit = self.rules.thresholds["long_seizure"]
        if grade == 4:
            long = ask_value(f"seizure longer than {limit.value:g} min", "seizure_duration", length, ">", limit)
        else:
            long = ask_value("a seizure", "seizure_duration", length, ">", 0.0)
        return (
            long if word is None else join_any(f"seizure of grade {grade}", [long, self._ask_domain("seizure", grade)])
        )

    def _is_presumed(self) -> bool:
        is_scored = any(name in self.worst and self.worst[name].is_known for name in _SCORES)
        return is_scored and self.chosen["unrecorded"] == "absent"


def _list_notes(worst: Mapping[str, Result]) -> Iterator[str]:
    for name in NOT_ICANS:
        if name in worst and worst[name].word == "yes":
            yield f"{name.replace('_', ' ')} is recorded and does not count"


def _find_episodes(graded: Sequence[Graded], resolved_days: float) -> tuple[Episode, ...]:
    """Join the days with signs; a day known to be without any ends an episode."""
    episodes: list[Episode] = []
    for day in graded:
        last = episodes[-1] if episodes else None
        if day.lower > 0:
            is_same = last is not None and (last.end is None or day.day - last.end <= resolved_days)
            if last is not None and is_same:
                episodes[-1] = Episode(last.onset, None, max(last.maximum, day.lower))
            else:
                episodes.append(Episode(day.day, None, day.lower))
        elif day.upper == 0 and last is not None and last.end is None:
            episodes[-1] = Episode(last.onset, day.day, last.maximum)
    return tuple(episodes)


def _add_death(
    graded: list[Graded], episodes: tuple[Episode, ...], day: float, death: Finding
) -> tuple[list[Graded], tuple[Episode, ...]]:
    """Add a death from neurotoxicity; one without a cause leaves the grade open while the syndrome lasts."""
    day = float(floor(day))
    last = graded[-1] if graded else None
    is_open = bool(episodes) and episodes[-1].end is None and last is not None and last.upper > 0
    if death.truth == Truth.FALSE or (death.truth == Truth.UNKNOWN and not is_open):
        return graded, episodes
    before = next((g for g in graded if g.day == day), Graded(day, 0, 0))
    lower = before.lower if death.truth == Truth.UNKNOWN else DEATH
    after = Graded(day, lower, DEATH, (death, *before.findings))
    if death.truth == Truth.TRUE:
        onset = episodes[-1].onset if is_open else day
        episodes = (*(episodes[:-1] if is_open else episodes), Episode(onset, None, DEATH))
    return sorted([*(g for g in graded if g.day != day), after], key=lambda g: g.day), episodes


def _find_delayed(worst: Mapping[float, Mapping[str, Result]]) -> Endpoint:
    """Return the first day of parkinsonism or a cranial nerve palsy, which ICANS does not grade."""
    name = "delayed_neurotoxicity"
    for day, found in worst.items():
        present = [n for n in LATE if n in found and found[n].word == "yes"]
        if present:
            return Endpoint(name, "event", day, " and ".join(present), "recorded apart from ICANS", 0.0)
    looked = [day for day, found in worst.items() if any(n in found for n in LATE)]
    reason = "looked for, not found" if looked else "not looked for"
    return Endpoint(name, "censored", max(looked, default=None), "", reason, 0.0)
