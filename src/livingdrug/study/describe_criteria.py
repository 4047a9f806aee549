"""The criteria of this version: what each rests on, and what each leaves open."""

from typing import Any

from livingdrug.clinical.criteria import CRITERIA
from livingdrug.core.ruleset import Ruleset
from livingdrug.knowledge.rules import load_rules
from livingdrug.knowledge.sources import load_sources
from livingdrug.study.assess_record import CONVENTIONS, list_criteria


def describe_criteria() -> list[dict[str, Any]]:
    """Describe every set of criteria, and the conventions of endpoints and failure that go with all of them.

    Examples
    --------
    >>> [found["name"] for found in describe_criteria() if found["name"].startswith("imwg")]
    ['imwg/2016']
    """
    return [_describe(load_rules(name)) for name in (*list_criteria(), *CONVENTIONS)]


def _describe(rules: Ruleset) -> dict[str, Any]:
    sources = load_sources()
    keys = dict.fromkeys([rules.source, *(value.source for value in rules.thresholds.values())])
    return {
        "name": rules.name,
        "title": rules.title,
        "source": sources[rules.source].citation if rules.source in sources else rules.source,
        "variables": list(CRITERIA[family].variables) if (family := rules.name.partition("/")[0]) in CRITERIA else [],
        "sources": [key for key in keys if key in sources],
        "options": [
            {"name": name, "default": option.default, "choices": list(option.choices), "meaning": option.meaning}
            for name, option in rules.options.items()
        ],
        "thresholds": len(rules.thresholds),
        "assumed": sum(value.how == "assumed" for value in rules.thresholds.values()),
    }
