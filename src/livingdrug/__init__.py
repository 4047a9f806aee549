"""What happens if CAR T-cell therapy fails: when, why, and what next.

Research software; not a medical device.

The names of ``__all__`` are the public door. They are imported when first used, so that
``import livingdrug`` costs milliseconds and a command loads only what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from livingdrug.core.version import VERSION as __version__

if TYPE_CHECKING:
    from livingdrug.core.errors import InputError, KnowledgeError, LivingDrugError, SolverError
    from livingdrug.core.model import Model, Quantity
    from livingdrug.core.parameters import ParameterSet, Spread, Value, bind
    from livingdrug.core.tables import Record
    from livingdrug.engine.compile import compile_model
    from livingdrug.engine.schedule import Change, Schedule
    from livingdrug.engine.solve import solve
    from livingdrug.io.sdtm import read_sdtm
    from livingdrug.io.tables import read_record, write_record
    from livingdrug.knowledge.parameters import list_parameters, load_parameters
    from livingdrug.report.document import write_report
    from livingdrug.study.assess_record import assess
    from livingdrug.study.assessment import Assessment
    from livingdrug.study.examples import list_examples, load_example
    from livingdrug.study.explain_failure import explain_failure
    from livingdrug.study.explanation import Explanation
    from livingdrug.study.list_options import list_options
    from livingdrug.study.run_trial import run_trial
    from livingdrug.study.simulate_cohort import simulate_cohort
    from livingdrug.study.trial_result import TrialResult

_HOMES = {
    "Assessment": "study.assessment",
    "Change": "engine.schedule",
    "Explanation": "study.explanation",
    "InputError": "core.errors",
    "KnowledgeError": "core.errors",
    "LivingDrugError": "core.errors",
    "Model": "core.model",
    "ParameterSet": "core.parameters",
    "Quantity": "core.model",
    "Record": "core.tables",
    "Schedule": "engine.schedule",
    "SolverError": "core.errors",
    "Spread": "core.parameters",
    "TrialResult": "study.trial_result",
    "Value": "core.parameters",
    "assess": "study.assess_record",
    "bind": "core.parameters",
    "compile_model": "engine.compile",
    "explain_failure": "study.explain_failure",
    "list_examples": "study.examples",
    "list_options": "study.list_options",
    "list_parameters": "knowledge.parameters",
    "load_example": "study.examples",
    "load_parameters": "knowledge.parameters",
    "read_record": "io.tables",
    "read_sdtm": "io.sdtm",
    "run_trial": "study.run_trial",
    "simulate_cohort": "study.simulate_cohort",
    "solve": "engine.solve",
    "write_record": "io.tables",
    "write_report": "report.document",
}

__all__ = [
    "Assessment",
    "Change",
    "Explanation",
    "InputError",
    "KnowledgeError",
    "LivingDrugError",
    "Model",
    "ParameterSet",
    "Quantity",
    "Record",
    "Schedule",
    "SolverError",
    "Spread",
    "TrialResult",
    "Value",
    "__version__",
    "assess",
    "bind",
    "compile_model",
    "explain_failure",
    "list_examples",
    "list_options",
    "list_parameters",
    "load_example",
    "load_parameters",
    "read_record",
    "read_sdtm",
    "run_trial",
    "simulate_cohort",
    "solve",
    "write_record",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"`livingdrug` must be asked for a name of `livingdrug.__all__`, but was {name!r}.")
    return getattr(import_module(f"livingdrug.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
