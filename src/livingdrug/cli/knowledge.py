"""The command ``knowledge``: the options, the evidence that they rest on, and the linter of both."""

import argparse
import sys

from livingdrug.cli.arguments import BAD_INPUT, DONE, Parser

KINDS = ("options", "evidence", "facts")


def add_knowledge(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    knowledge = commands.add_parser("knowledge", help="options, evidence and facts that the package holds")
    verbs = knowledge.add_subparsers(title="verbs", metavar="VERB", parser_class=Parser, required=True)
    listed = verbs.add_parser("list", help="one line each")
    listed.add_argument("kind", nargs="?", choices=KINDS, help="one kind only")
    listed.set_defaults(run=run_list)
    show = verbs.add_parser("show", help="one option, evidence item or fact in full")
    show.add_argument("id", metavar="ID", help="such as myeloma.second_infusion or NE-031")
    show.set_defaults(run=run_show)
    check = verbs.add_parser("check", help="check options, evidence and everything else that is packaged")
    check.set_defaults(run=run_knowledge_check)


def run_list(arguments: argparse.Namespace) -> int:
    """Print what there is, one a line."""
    from livingdrug.knowledge.options import load_options

    known = load_options()
    kinds = KINDS if arguments.kind is None else (arguments.kind,)
    if "options" in kinds:
        for name, option in known.options.items():
            print(f"{name:36} {option.kind:15} {option.title}")
    if "evidence" in kinds:
        for name, item in known.evidence.items():
            print(f"{name:36} {item.certainty:15} {item.option} ({item.population})")
    if "facts" in kinds:
        for name, word in known.facts.items():
            print(f"{name:36} {word.kind:15} {word.ask}")
    return DONE


def run_show(arguments: argparse.Namespace) -> int:
    """Print one entity as JSON."""
    import json
    from dataclasses import asdict

    from livingdrug.core.errors import InputError
    from livingdrug.knowledge.options import load_options

    known = load_options()
    name = arguments.id
    if name in known.options:
        shown = known.options[name].model_dump(mode="json")
    elif name in known.evidence:
        item = known.evidence[name]
        shown = {**item.model_dump(mode="json"), "citation": known.sources[item.source].citation}
    elif name in known.facts:
        shown = asdict(known.facts[name])
    else:
        from difflib import get_close_matches

        near = get_close_matches(name, [*known.options, *known.evidence, *known.facts], 1)
        hint = f"did you mean {near[0]}?" if near else "livingdrug knowledge list names them"
        raise InputError(f"`ID` must be an option, an evidence item or a fact, but was {name!r}. Hint: {hint}.")
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return DONE


def run_knowledge_check(_: argparse.Namespace) -> int:
    """Print every fault of options, evidence and the other packaged numbers."""
    from datetime import UTC, datetime

    from livingdrug.knowledge.check import check_all
    from livingdrug.knowledge.option_check import check_options
    from livingdrug.knowledge.options import load_options
    from livingdrug.models import ALL, CLOSED

    today = datetime.now(UTC).date().isoformat()
    faults = list({str(fault): fault for fault in (*check_all((*ALL, *CLOSED)), *check_options(today))}.values())
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{len(faults)} faults.")
        return BAD_INPUT
    known = load_options()
    recalled = sum(item.is_recalled for item in known.evidence.values())
    drafts = sum(option.status == "draft" for option in known.options.values())
    print(
        f"{len(known.options)} options ({drafts} drafts), {len(known.evidence)} evidence items "
        f"({recalled} from memory, which support nothing): no fault."
    )
    return DONE
