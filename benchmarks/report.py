"""The benchmark's table and its one JSON object."""

from collections.abc import Mapping
from math import log10

from contest import Setting

from reference import Workload

AIMS = {
    1e-4: {"libroadrunner": 40, "amici": 40, "numbalsoda": 8, "diffrax": 15, "scipy_lsoda": 300},
    1e-5: {"libroadrunner": 30, "amici": 30, "numbalsoda": 6, "diffrax": 12, "scipy_lsoda": 150},
}
GRADIENT_AIM = 20
PEAK_AIM = 0.25


def show_head(work: Workload, referenced: int) -> None:
    """Print what is measured."""
    model = work.equations.model
    print(
        f"{model.name}: {len(model.states)} states, {len(work.parameters)} patients, {work.times[-1]:g} days, "
        f"{len(work.times)} report times; {referenced} patients against CVODE; "
        f"one cell = {work.cell[0]:.2g} and {work.cell[1]:.2g}; two cores"
    )


def show_peer(name: str, tier: float, row: Mapping[str, object]) -> None:
    """Print one peer at one tier as soon as it is known."""
    print(
        f"  {tier:g} {name:25s} {row['rate']:9.0f} patients/s, ours beside it {row['ours']:8.0f}: "
        f"{row['ratio']:6.1f} x  "
        f"(rtol {row['rtol']:g}, atol {row['rtol'] * row['share']:.2g} x floor, error {row['error']:.1e}, "
        f"n {row['patients']}{', ' if row['options'] else ''}{' '.join(map(str, row['options'].values()))})",
        flush=True,
    )


def name_tier(tier: float) -> str:
    """Return ``1e-4`` for 0.0001."""
    return f"1e-{round(-log10(tier))}"


def collect(
    own: Mapping[float, Setting],
    found: Mapping[str, Mapping[float, Mapping[str, object]]],
    effort: Mapping[float, Mapping[str, float]],
    slopes: Mapping[str, object],
    missing: Mapping[str, str],
    machine: Mapping[str, object],
) -> dict[str, object]:
    """Return the one object that is reported."""
    tiers = {
        name_tier(t): {"livingdrug": s.rate, **{n: rows[t]["rate"] for n, rows in found.items() if t in rows}}
        for t, s in own.items()
    }
    ratios = {name_tier(t): {n: rows[t]["ratio"] for n, rows in found.items() if t in rows} for t in own}
    settings = {
        name_tier(t): {
            "livingdrug": {"rtol": s.rtol, "share": s.share, "error": s.error},
            **{n: dict(rows[t]) for n, rows in found.items() if t in rows},
        }
        for t, s in own.items()
    }
    loosest = max(effort)
    return {
        "tiers": tiers, "gradient": dict(slopes), "peak_fraction": effort[loosest]["fraction"], "ratios": ratios,
        "settings": settings, "work": {name_tier(t): dict(w) for t, w in effort.items()},
        "not_installed": dict(missing), "machine": dict(machine),
    }  # fmt: skip


def show(result: Mapping[str, object]) -> None:
    """Print the tables."""
    for tier, aims in AIMS.items():
        name = name_tier(tier)
        if name not in result["tiers"]:
            print(f"tier {name}: not met by this engine")
            continue
        own = result["settings"][name]["livingdrug"]
        print(f"\ntier {name}: livingdrug {result['tiers'][name]['livingdrug']:.0f} patients/s "
              f"(rtol {own['rtol']:g}, error {own['error']:.1e})")  # fmt: skip
        for peer, ratio in result["ratios"][name].items():
            aim = aims.get(peer)
            verdict = "" if aim is None else f"  aim {aim:3d}: {'met' if ratio >= aim else 'MISSED'}"
            print(f"  {peer:14s} {result['tiers'][name][peer]:9.0f} patients/s {ratio:8.1f} x{verdict}")
        work = result["work"][name]
        print(
            f"  {work['steps_per_patient']:.0f} steps and {work['mflop_per_patient']:.2f} Mflop a patient, "
            f"{work['gflops']:.1f} Gflop/s "
            f"of {work['peak_gflops']:.1f}: {work['fraction']:.2f} of peak (aim {PEAK_AIM})"
        )
    print("\ngradients of 12 parameters")
    for name, row in result["gradient"].items():
        if isinstance(row, dict):
            ratio = f"{row['ratio']:8.1f} x" if "ratio" in row else ""
            print(
                f"  {name:25s} {row['rate']:9.1f} gradients/s {ratio} (rtol {row['rtol']:g}, "
                f"median error {row['error']:.1e}, {100 * row['far']:.0f} % of patients off by more than 1 %)"
            )
    for name, why in result["not_installed"].items():
        print(f"  {name}: not installed ({why})")
