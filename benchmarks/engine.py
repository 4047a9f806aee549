"""The engine against general tools, on one model, at equal accuracy, in one run on two cores.

    python benchmarks/engine.py [--quick] [--json] [--set NAME] [--only ENGINE ...]

Ten thousand virtual patients of the unified model, 730 days, 100 report times. The reference is SUNDIALS CVODE at
a relative tolerance of 1e-10 for some of the patients. An engine's error is the 95th percentile over patients of
the worst relative error of CAR-T cells and tumour cells over the report times; the denominator is at least one
cell. Every engine runs at its loosest tolerance (half decades, three shares of absolute tolerance) that meets a
tier. Peers run fewer patients, enough for a stable rate; ours runs all of them right before and after each peer,
so that a busy machine weighs on both; the best of the repeats counts, for every engine alike. Last line with
``--json``: the results.
"""

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import contest
import gradient
import numpy as np
import report
from peak import measure_peak
from peers import livingdrug
from workload import build_workload

from reference import Workload, solve_reference

TIERS = (1e-4, 1e-5)
OURS = "livingdrug"
PEERS: dict[str, tuple[str, list[dict[str, object]]]] = {
    "livingdrug_whole": ("livingdrug", [{"whole": True}]),
    "libroadrunner": ("libroadrunner", [{}]),
    "amici": ("amici", [{}]),
    "numbalsoda": ("numbalsoda", [{}]),
    "diffrax": (
        "diffrax",
        [{"solver": "tsit5", "width": 32}, {"solver": "kvaerno3", "width": 16}, {"solver": "kvaerno5", "width": 16}],
    ),
    "scipy_lsoda": ("scipy_lsoda", [{"door": "solve_ivp", "processes": 1}]),
    "scipy_lsoda_two_processes": ("scipy_lsoda", [{"door": "solve_ivp"}]),
    "scipy_odeint": ("scipy_lsoda", [{"door": "odeint"}]),
}
GRADIENT_PEERS = ("scipy_lsoda", "amici", "diffrax")


@dataclass(frozen=True)
class Plan:
    """How much is measured; ``variants`` of a peer are tried, its usual best one first."""

    patients: int
    referenced: int
    scanned: int
    repeats: int
    seconds: float
    variants: int


FULL = Plan(patients=10_000, referenced=512, scanned=96, repeats=5, seconds=2.0, variants=3)
QUICK = Plan(patients=10_000, referenced=128, scanned=48, repeats=3, seconds=0.7, variants=1)


@dataclass(frozen=True)
class Bench:
    """The work, its reference and the plan."""

    work: Workload
    sample: Workload
    seen: np.ndarray
    plan: Plan

    @classmethod
    def prepare(cls, work: Workload, plan: Plan) -> "Bench":
        """Solve a random part of the patients with CVODE."""
        chosen = np.random.default_rng(0).choice(len(work.parameters), plan.referenced, replace=False)
        sample = work.take(chosen)
        seen = sample.look(solve_reference(sample))
        is_solved = np.isfinite(seen).all(axis=(1, 2))
        return cls(work, sample.take(is_solved), seen[is_solved], plan)

    def find_settings(
        self, name: str, engine: contest.Engine, best: dict[float, float]
    ) -> dict[float, contest.Setting]:
        """Return the setting of an engine for each tier that it meets."""
        count = self.plan.scanned
        part = self.sample.take(slice(0, count))
        found = contest.scan(name, engine, part, self.seen[:count], TIERS, best, self.work)
        return {t: contest.tighten(engine, self.sample, self.seen, s, t) for t, s in found.items()}

    def measure_beside(
        self, ours: contest.Engine, our: contest.Setting, engine: contest.Engine, setting: contest.Setting
    ) -> tuple[list[float], list[float], int]:
        """Return our rates and the peer's, measured in turn, and the peer's number of patients."""
        count = int(np.clip(setting.rate * self.plan.seconds, 64, self.plan.patients))
        part = self.work.take(slice(0, count))
        contest.measure(engine, part, setting.rtol, setting.share)
        mine, theirs = [], []
        for _ in range(self.plan.repeats):
            mine.append(contest.measure_for(ours, self.work, our, self.plan.seconds))
            theirs.append(contest.measure_for(engine, part, setting, self.plan.seconds))
        return mine, theirs, count


def run_peer(bench: Bench, name: str, ours: contest.Engine, our: dict[float, contest.Setting]) -> dict[float, dict]:
    """Return the best variant of a peer at each tier."""
    module_name, variants = PEERS[name]
    module = importlib.import_module(f"peers.{module_name}")
    best: dict[float, dict] = {}
    for options in variants[: bench.plan.variants]:
        engine = module.prepare(bench.sample, **options)
        try:
            rates = {t: r["rate"] for t, r in best.items()}
            for tier, setting in bench.find_settings(name, engine, rates).items():
                if setting.error > tier or setting.rate < 0.5 * rates.get(tier, 0.0):
                    continue
                mine, theirs, count = bench.measure_beside(ours, our[tier], engine, setting)
                if max(theirs) > rates.get(tier, 0.0):
                    best[tier] = {
                        "rate": max(theirs), "ours": max(mine), "ratio": max(mine) / max(theirs),
                        "rates": theirs, "rtol": setting.rtol, "share": setting.share, "error": setting.error,
                        "patients": count, "options": options,
                    }  # fmt: skip
                    report.show_peer(name, tier, best[tier])
        finally:
            engine.close()
    return best


def run_gradient(bench: Bench, peers: Sequence[str], missing: dict[str, str]) -> dict[str, object]:
    """Return gradients per second of ours and of the peers, measured in turn."""
    states = livingdrug.prepare(bench.work)
    count = 512
    task = gradient.build_task(bench.work, lambda work: states.solve(work, 1e-8, 1e-8)[0], count)
    ours = livingdrug.prepare_gradient(task.work, task.names)
    few = task.take(32)
    exact, _ = ours.compute(few.work, few.measured, 1e-10)
    own = gradient.find_tolerance(ours, task, exact)
    result: dict[str, object] = {"parameters": list(task.names), "target_error": gradient.TARGET}
    rate = max(gradient.measure(ours, task, own["rtol"], count) for _ in range(bench.plan.repeats))
    result[OURS] = {"rate": rate, "patients": count, **own}
    for name in peers:
        try:
            engine = importlib.import_module(f"peers.{name}").prepare_gradient(task.work, task.names)
        except ImportError as error:
            missing[name] = str(error)
            continue
        found = gradient.find_tolerance(engine, task, exact)
        part = 64
        gradient.measure(engine, task, found["rtol"], part)
        pairs = [
            (gradient.measure(ours, task, own["rtol"], count), gradient.measure(engine, task, found["rtol"], part))
            for _ in range(bench.plan.repeats)
        ]
        engine.close()
        mine, theirs = (max(column) for column in zip(*pairs, strict=True))
        result[name] = {"rate": theirs, "ours": mine, "ratio": mine / theirs, "patients": part, **found}
    return result


def count_work(ours: livingdrug.Livingdrug, work: Workload, setting: contest.Setting, peak: float) -> dict[str, float]:
    """Return floating-point operations per patient, their rate and their share of the machine's peak."""
    contest.measure(ours, work, setting.rtol, setting.share)
    steps = float(ours.steps.sum(axis=1).mean())
    flops = steps * ours.get_kernel(setting.share).flops["step"]
    gflops = flops * setting.rate / 1e9
    return {
        "steps_per_patient": steps, "mflop_per_patient": flops / 1e6, "gflops": gflops, "peak_gflops": peak,
        "fraction": gflops / peak,
    }  # fmt: skip


def run(work: Workload, plan: Plan, peers: Sequence[str]) -> dict[str, object]:
    """Return everything that is reported."""
    bench = Bench.prepare(work, plan)
    report.show_head(bench.work, len(bench.sample.parameters))
    ours = livingdrug.prepare(work)
    settings = bench.find_settings(OURS, ours, {})
    found: dict[str, dict[float, dict]] = {}
    missing: dict[str, str] = {}
    for name in peers:
        try:
            found[name] = run_peer(bench, name, ours, settings)
        except ImportError as error:
            missing[name] = str(error)
    own = {
        tier: replace(s, rate=max(contest.measure_for(ours, work, s, plan.seconds) for _ in range(plan.repeats)))
        for tier, s in settings.items()
    }
    peak, width = max(measure_peak(2) for _ in range(plan.repeats))
    effort = {t: count_work(ours, work, s, peak) for t, s in own.items()}
    slopes = run_gradient(bench, [n for n in GRADIENT_PEERS if n in peers], missing)
    machine = {"processor": describe_processor(), "cores": os.cpu_count(), "vector_doubles": width}
    return report.collect(own, found, effort, slopes, missing, machine)


def describe_processor() -> str:
    """Return the processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="fewer patients with a reference, fewer repeats, one variant of each peer"
    )
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--set", default="unified_lbcl_axi_cel", help="packaged parameter set of the unified model")
    parser.add_argument("--only", nargs="*", choices=sorted(PEERS), help="measure these peers only")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    peers = list(PEERS) if options.only is None else options.only
    result = run(build_workload(options.set, plan.patients), plan, peers)
    report.show(result)
    if options.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
