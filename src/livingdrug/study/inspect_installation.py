"""What this installation is made of and how fast it runs here."""

import importlib.metadata
import importlib.util
import os
import platform
import time
from dataclasses import asdict, dataclass

from livingdrug.core.version import VERSION

PACKAGES = ("numpy", "scipy", "polars", "llvmlite", "jinja2", "vl-convert-python")

PARAMETERS = "unified_myeloma_ide_cel"


@dataclass(frozen=True, slots=True)
class KernelTiming:
    """How long the engine took for one batch of virtual patients.

    Parameters
    ----------
    model : str
    patients : int
    days : float
    compile_seconds, solve_seconds : float
        ``compile_seconds`` includes looking into the cache on disk.
    patients_per_second : float
    """

    model: str
    patients: int
    days: float
    compile_seconds: float
    solve_seconds: float
    patients_per_second: float


@dataclass(frozen=True, slots=True)
class Installation:
    """Versions, processor and timing; what is missing says so."""

    livingdrug: str
    python: str
    platform: str
    packages: dict[str, str]
    cpu: str
    cpu_features: list[str]
    cores: int
    kernel: KernelTiming | None

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


def _find_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def time_kernel(*, patients: int = 512, days: float = 365.0) -> KernelTiming:
    """Compile the unified model and integrate a batch of identical patients once."""
    import numpy as np

    from livingdrug.core.parameters import bind
    from livingdrug.engine.compile import compile_model
    from livingdrug.engine.solve import solve
    from livingdrug.knowledge.parameters import load_parameters
    from livingdrug.models.unified.model import UNIFIED

    typical = np.tile(bind(UNIFIED, load_parameters(PARAMETERS)), (patients, 1))
    times = np.linspace(0.0, days, 50)
    start = time.perf_counter()
    kernel = compile_model(UNIFIED)
    compiled = time.perf_counter()
    solve(kernel, typical, times)
    solved = time.perf_counter()
    duration = solved - compiled
    return KernelTiming(UNIFIED.name, patients, days, compiled - start, duration, patients / duration)


def inspect_installation(*, with_timing: bool = True) -> Installation:
    """Collect versions, processor features and the time of a small batch.

    Parameters
    ----------
    with_timing : bool
        Whether to compile and run the unified model.
    """
    import llvmlite.binding as llvm

    features = sorted(name for name, present in llvm.get_host_cpu_features().items() if present)
    return Installation(
        livingdrug=VERSION,
        python=platform.python_version(),
        platform=platform.platform(),
        packages={package: _find_version(package) for package in PACKAGES},
        cpu=llvm.get_host_cpu_name(),
        cpu_features=features,
        cores=_count_cores(),
        kernel=time_kernel() if with_timing else None,
    )
