"""What next? The options of one subject after a failure, with evidence for and against."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.knowledge.options import OptionKnowledge, load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.option_band import judge_option
from livingdrug.options.option_ranking import Ranked, rank_options
from livingdrug.options.option_rules import RuledOption, ask_rules, prepare_options
from livingdrug.options.option_words import describe_item
from livingdrug.options.predicate import Trace
from livingdrug.study.explain_failure import Explained, explain_subject
from livingdrug.study.option_courses import Start, start_from_patient, start_from_population
from livingdrug.study.option_facts import collect_facts, select_subject
from livingdrug.study.option_list import NOT_A_DEVICE, OptionList, describe_option, list_questions
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import PLANS
from livingdrug.study.provenance import compute_input_hash
from livingdrug.study.simulate_options import Simulated, simulate_options

SETTINGS = "options/1"
ANY = "any"
Progress = Callable[[int, int], None]
SOLID = "No reliable comparison exists after failure in solid tumours: the options are listed, not ranked."


@cache
def load_ruled_options(disease: str) -> tuple[RuledOption, ...]:
    """Decode the options of a disease, with those of every disease."""
    known = load_options()
    asks = {name: word.ask for name, word in known.facts.items()}
    chosen = [one for one in known.options.values() if {disease, ANY} & set(one.diseases) and one.status != "retired"]
    return prepare_options(chosen, asks)


def judge_facts(table: FactTable, disease: str) -> tuple[Ranked, ...]:
    """Judge and order every option of a disease by the facts of one patient.

    Examples
    --------
    >>> ranked = judge_facts(FactTable(), "myeloma")
    >>> sorted({str(one.judgement.band) for one in ranked if one.judgement.option.kind == "active"})
    ['excluded', 'needs_data']
    """
    known = load_options()
    asks = {name: word.ask for name, word in known.facts.items()}
    if not table.find("disease"):
        table = replace(table, facts={**table.facts, "disease": (Fact("disease", disease),)})
    memory: dict[int, Trace] = {}
    judged = [
        judge_option(ruled.option, ask_rules(ruled, table, asks, memory), table, known.evidence, disease)
        for ruled in load_ruled_options(disease)
    ]
    return rank_options(judged, disease)


def list_options(
    record: Record,
    *,
    subject_id: str | None = None,
    answers: Sequence[Fact] = (),
    simulate: bool = True,
    explained: Explained | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> OptionList:
    """List what can be done after a failure, with the band of each option, evidence, doubts and simulation.

    Parameters
    ----------
    record : Record
    subject_id : str, optional
        May be left out where the record holds one subject.
    answers : sequence of Fact, optional
        Answers to the questions of an earlier run.
    simulate : bool
        Whether options are simulated.
    explained : Explained, optional
        The subject's explanation, where it was made before; by default it is made here.
    seed : int
    jobs : int, optional
        Workers; all processors by default.
    progress : function of the options simulated and of all, optional

    Raises
    ------
    InputError
        If the subject is not in the record.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> found = list_options(load_example("myeloma_primary_resistance"), simulate=False)
    >>> {one["id"]: one["band"] for one in found.options}["myeloma.second_infusion"]
    'excluded'
    """
    data = select_patient(record, subject_id)
    if explained is None:
        explained = _explain(record, data.subject_id, data.disease, seed=seed, jobs=jobs)
    known, settings = load_options(), load_rules(SETTINGS)
    tables = select_subject(record, data.subject_id)
    explanation = None if explained is None else explained.explanation
    table = collect_facts(record, tables, known.facts, settings, explanation=explanation, answers=answers)
    ranked = judge_facts(table, data.disease)
    simulated: dict[str, Simulated | str] = {}
    nothing: dict[str, Any] | None = None
    notes = [NOT_A_DEVICE, *([SOLID] if data.disease == "solid" else [])]
    start = None
    if simulate:
        start, why = _find_start(explained, table, data.disease, data.product, settings, seed=seed, jobs=jobs)
        notes += [why] if why else []
    if start is not None:
        shown = [one.judgement.option for one in ranked if one.judgement.band != "excluded"]
        simulated, nothing = simulate_options(
            _watch(shown, progress),
            start,
            settings,
            densities=_list_densities(table),
            evidence=known.evidence,
            jobs=jobs,
        )
    if not any(data.disease in one.option.diseases for one in load_ruled_options(data.disease)):
        notes.append(f"No options of {data.disease} are packaged; those of every disease are shown.")
    return OptionList(
        subject_id=data.subject_id,
        disease=data.disease,
        product=data.product,
        failure=_describe_failure(table),
        options=tuple(_describe(one, known, data.disease, simulated, simulate=simulate) for one in ranked),
        questions=list_questions(ranked),
        nothing=nothing,
        baseline=tuple(describe_item(known.evidence[name]) for name in known.baselines.get(data.disease, ())),
        notes=tuple(notes),
        facts=table,
        provenance=_tell_provenance(record, known, seed),
    )


def _watch(options: Sequence[Option], progress: Progress | None) -> Iterator[Option]:
    """Hand out options one by one, saying how many are done."""
    for done, option in enumerate(options):
        if progress is not None:
            progress(done, len(options))
        yield option


def _explain(record: Record, subject: str, disease: str, *, seed: int, jobs: int | None) -> Explained | None:
    if disease not in PLANS:
        return None
    return explain_subject(record, subject_id=subject, seed=seed, jobs=jobs)


def _find_start(
    explained: Explained | None,
    table: FactTable,
    disease: str,
    product: str,
    settings: Ruleset,
    *,
    seed: int,
    jobs: int | None,
) -> tuple[Start | None, str]:
    """Choose where simulations start; None with the reason where they cannot."""
    days = table.find("failure.day")
    if not days:
        return None, "Nothing is simulated: the record does not tell that and when the therapy failed."
    day = float(days[0].value)
    if explained is not None and explained.fit is not None:
        return start_from_patient(explained.fit, day, disease, product, seed=seed), ""
    start = start_from_population(disease, product, day, settings, seed=seed, jobs=jobs)
    if start is None:
        return None, "Nothing is simulated: no values are packaged for this disease and product."
    return start, "Simulated in virtual patients: records of this disease are not fitted in this version."


def _list_densities(table: FactTable) -> Mapping[str, float]:
    found = {}
    for name, facts in table.facts.items():
        if name.startswith("antigen.") and name.endswith(".density") and isinstance(facts[0].value, int | float):
            found[name.split(".")[1]] = float(facts[0].value)
    return found


def _describe(
    one: Ranked, known: OptionKnowledge, disease: str, simulated: Mapping[str, Simulated | str], *, simulate: bool
) -> dict[str, Any]:
    option = one.judgement.option
    found = simulated.get(option.id)
    if found is None:
        is_out = one.judgement.band == "excluded"
        reason = "it is excluded" if is_out else "no simulation was started" if simulate else "it was not asked for"
        found = f"not simulated: {reason}"
    return describe_option(one, known, disease, found)


def _describe_failure(table: FactTable) -> dict[str, Any]:
    names = ("failure.failed", "failure.class", "failure.day", "response.best", "mechanism")
    return {name.removeprefix("failure."): (f[0].value if (f := table.find(name)) else None) for name in names}


def _hash_knowledge(known: OptionKnowledge) -> str:
    """Return the hash of every option and evidence item that was judged by."""
    digest = sha256()
    for entity in (*known.options.values(), *known.evidence.values()):
        digest.update(entity.model_dump_json().encode())
    return digest.hexdigest()


def _tell_provenance(record: Record, known: OptionKnowledge, seed: int) -> dict[str, Any]:
    recalled = sorted(name for name, item in known.evidence.items() if item.is_recalled)
    return {
        "version": VERSION,
        "input_hash": compute_input_hash(record),
        "seed": seed,
        "settings": SETTINGS,
        "knowledge_hash": _hash_knowledge(known),
        "options": {name: option.version for name, option in known.options.items()},
        "evidence_from_memory": recalled,
        "status": "every option file is a draft: not reviewed by two persons",
    }
