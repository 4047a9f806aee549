"""The command ``sensitivity``."""

import argparse
from pathlib import Path

from livingdrug.cli.arguments import DONE, Parser, folder, positive, seed

SHOWN = 5


def add_sensitivity(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    command = commands.add_parser("sensitivity", help="which properties of patients decide their outcomes")
    command.add_argument("design", type=Path, metavar="FILE.toml", help="design of the trial")
    command.add_argument("--arm", metavar="NAME", help="default: the first")
    command.add_argument("--method", choices=("morris", "sobol"), default="morris", help="default morris")
    command.add_argument("--blocks", type=positive, default=64, metavar="N", help="sets of runs (default 64)")
    command.add_argument("--out", type=folder, required=True, metavar="DIR", help="folder for sensitivity.csv")
    command.add_argument("--seed", type=seed, default=None, metavar="N", help="in place of the design's")
    command.add_argument("--jobs", type=positive, default=None, metavar="N", help="threads (default: every core)")
    command.set_defaults(run=run_sensitivity_command)


def run_sensitivity_command(arguments: argparse.Namespace) -> int:
    """Rank the properties, write the table, print the first of each outcome."""
    from livingdrug.study.global_sensitivity import compute_global_sensitivity
    from livingdrug.study.trial_design_decoding import load_design

    design = load_design(arguments.design)
    found = compute_global_sensitivity(
        design,
        arguments.arm,
        method=arguments.method,
        blocks=arguments.blocks,
        seed=arguments.seed,
        threads=arguments.jobs,
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "sensitivity.csv"
    found.table.write_csv(path)
    print(f"{design.name}: {found.runs} runs by {found.method}; {found.failed} failed, left out with their block")
    shown: dict[str, str] = {}
    for outcome in found.table["outcome"].unique(maintain_order=True):
        ranked = found.rank(outcome).drop_nulls("value").head(SHOWN)
        said = ", ".join(f"{name} {value:.3g}" for name, value in ranked.select("property", "value").iter_rows())
        print(f"  {outcome}: {said or 'does not vary'}")
        shown |= {name: found.meanings[name] for name in ranked["property"]}
    print()
    for name, meaning in shown.items():
        print(f"  {name}: {meaning}")
    print(f"\n  Correlations between properties are left out. Results: {path}")
    return DONE
