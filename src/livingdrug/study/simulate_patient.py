"""Simulate one patient whose biology is given, as the record that a hospital would have: an example, a test case."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.parameters import bind
from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.interventions import DOSE, LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.people import sample_people
from livingdrug.simulate.protocol import Protocol, create_schedule
from livingdrug.simulate.visits import list_days, list_outputs
from livingdrug.study.synthetic_record import list_events, observe_subjects
from livingdrug.study.visit_plans import VISIT_PLANS

RTOL = 1e-6


def simulate_patient(
    disease: str,
    product: str,
    changes: Mapping[str, float],
    *,
    subject_id: str,
    days: float = 730.0,
    seed: int = 1,
    protocol: Protocol | None = None,
) -> Record:
    """Simulate the typical patient of a disease and product with some parameters changed.

    Parameters
    ----------
    changes : mapping of parameter to value
        In the model's units.
    subject_id : str
    days : float
        Length of follow-up; it ends earlier when the tumour is back.
    seed : int
        Of the noise, missed visits, age, sex and weight.
    protocol : Protocol, optional
        Events after the infusion.

    Raises
    ------
    InputError
        If a change is not of a parameter of the model.

    Examples
    --------
    >>> record = simulate_patient("myeloma", "ide_cel", {"gB": 0.3}, subject_id="P1", days=90.0)
    >>> record.subjects["subject_id"].to_list(), record.source
    (['P1'], 'simulated, seed 1')
    """
    values = load_parameters(f"unified_{disease}_{product}")
    row = bind(UNIFIED, values)
    faults = [
        Fault("changes", f"must name parameters of {UNIFIED.name}", repr(name), "correct the name")
        for name in changes
        if name not in UNIFIED.parameter_names
    ]
    if faults:
        raise InputError.from_faults("changes", faults)
    for name, value in changes.items():
        row[UNIFIED.parameter_names.index(name)] = value
    visits = VISIT_PLANS[disease]
    events = () if protocol is None else protocol.events
    parameters = row[None, :]
    solution = solve(
        compile_model(UNIFIED),
        parameters,
        list_days(visits.assays, days),
        schedule=create_schedule(UNIFIED, events, LEVERS, parameters),
        keep=list_outputs(visits.assays, visits.stop),
        rtol=RTOL,
    )
    identity = pl.DataFrame({"subject_id": [subject_id]})
    dose = np.array([row[UNIFIED.parameter_names.index(DOSE)]])
    people = sample_people(visits.population, 0, 1, seed=seed).get_columns()
    observations = observe_subjects(visits, solution, 0, seed)
    return Record(
        identity.with_columns(disease=pl.lit(disease), product=pl.lit(product))
        .with_columns(people)
        .with_columns(source=pl.lit("simulated")),
        list_events(identity, (*visits.before, *events), dose, days),
        observations.with_columns(subject_id=pl.lit(subject_id)),
        source=f"simulated, seed {seed}",
    )
