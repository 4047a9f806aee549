"""From a model to machine code, kept on disk by a hash of the equations, the engine and the processor."""

import ctypes
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

from llvmlite import binding, ir

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model
from livingdrug.engine.arguments import check_names
from livingdrug.engine.coupling import choose_shared
from livingdrug.engine.driver import write_kernel
from livingdrug.engine.emit import Target, write_model
from livingdrug.engine.restrict import restrict_model
from livingdrug.engine.step import write_step
from livingdrug.engine.summary import AnySummary, check_summaries
from livingdrug.engine.trace import Trace, derive_equations, trace_model
from livingdrug.engine.watch import Watch

CACHE_VARIABLE = "LIVINGDRUG_CACHE"
_COMPILED: dict[str, "Kernel"] = {}


@dataclass(frozen=True, slots=True)
class Kernel:
    """Machine code of one model.

    ``address`` is that of ``void kernel(job)``; ``size`` counts states, constants and watched slots
    (the workspace of a copy); ``flops`` counts floating-point operations of one step and its parts.
    """

    model: Model
    summaries: tuple[AnySummary, ...]
    with_gradient: bool
    address: int
    width: int
    size: Mapping[str, int]
    flops: Mapping[str, int]
    from_cache: bool
    keep_alive: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what can be reported: the states, then the outputs."""
        return (*self.model.state_names, *self.model.output_names)

    def __call__(self, job: "ctypes.Array[Any]") -> None:
        """Run a job; the interpreter is free for other threads meanwhile."""
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)(ctypes.addressof(job))


def compile_model(
    model: Model,
    summaries: Sequence[AnySummary] = (),
    *,
    keep: Sequence[str] | None = None,
    with_gradient: bool = False,
) -> Kernel:
    """Compile a model, or find it in the cache.

    ``keep`` names the states and outputs that will be asked for besides the summaries; states that
    cannot influence any of them are then not integrated. By default nothing is left out.

    The cache lies in the folder named by ``LIVINGDRUG_CACHE`` (empty: no cache), else in the user's
    cache folder. Its key is the traced equations themselves, so it can never be stale.

    Raises
    ------
    InputError
        If the model leaves out a declared name or has an unusable floor, or a summary an unknown quantity or
        an empty window.
    """
    summaries = check_summaries(summaries, (*model.state_names, *model.output_names))
    _check_floors(model)
    if keep is not None:
        check_names("keep", keep, (*model.state_names, *model.output_names))
        model = restrict_model(model, [*dict.fromkeys([*keep, *(summary.quantity for summary in summaries)])])
    trace = trace_model(model)
    names = (*model.state_names, *model.output_names)
    watch = Watch.plan(summaries, names)
    parts = (
        trace.key,
        repr(with_gradient),
        repr(watch),
        repr([q.floor for q in model.states]),
        _engine_key(),
        _processor_key(),
    )
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    if key not in _COMPILED:
        _COMPILED[key] = _build(model, summaries, trace, key, with_gradient=with_gradient)
    return replace(_COMPILED[key], model=model, summaries=summaries)


def _check_floors(model: Model) -> None:
    for state in model.states:
        if not (state.floor >= 0 and isfinite(state.floor)):
            raise InputError(
                f"the floor of {state.name} in {model.name} must be 0 or more, but was {state.floor}. "
                "Hint: the amount below which the state no longer matters."
            )


def _build(model: Model, summaries: tuple[AnySummary, ...], trace: Trace, key: str, *, with_gradient: bool) -> Kernel:
    target = find_target()
    stored = _read_cache(key)
    if stored is None:
        module = ir.Module(name="model")
        module.triple = binding.get_process_triple()
        code = write_model(module, derive_equations(trace, choose_shared(trace)), target, with_gradient=with_gradient)
        step = write_step(module, code)
        names = (*model.state_names, *model.output_names)
        write_kernel(module, code, step, summaries, names)
        watched = len(Watch.plan(summaries, names).slots)
        size = {"states": code.states, "constants": code.constants, "watched": watched}
        flops = {**code.flops, "step": step.flops}
        compiled = _optimise(module)
        _write_cache(key, size, flops, compiled)
    else:
        size, flops, compiled = stored
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled))
    engine.finalize_object()
    address = engine.get_function_address("kernel")
    return Kernel(model, summaries, with_gradient, address, target.width, size, flops, stored is not None, engine)


def _optimise(module: ir.Module) -> bytes:
    machine = _target_machine()
    parsed = binding.parse_assembly(str(module))
    parsed.verify()
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(parsed, passes)
    return bytes(machine.emit_object(parsed))


@cache
def _initialise() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def _target_machine() -> Any:
    _initialise()
    target = binding.Target.from_default_triple()
    features = binding.get_host_cpu_features().flatten()
    if _has_wide_vectors():
        features += ",-prefer-256-bit"
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=3, jit=True)


@cache
def _has_wide_vectors() -> bool:
    features = binding.get_host_cpu_features()
    return bool(features.get("avx512f") and features.get("avx512dq") and features.get("avx512vl"))


@cache
def find_target() -> Target:
    """Return how wide this processor's vectors are; the arithmetic of a lane does not depend on it."""
    _initialise()
    if _has_wide_vectors():
        return Target(8, has_reciprocal=True)
    return Target(4, has_reciprocal=False)


@cache
def _processor_key() -> str:
    _initialise()
    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()} {binding.llvm_version_info}"


@cache
def _engine_key() -> str:
    """Hash the engine's own source: another engine is another kernel."""
    digest = hashlib.sha256()
    for entry in sorted(files("livingdrug.engine").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".py"):
            digest.update(entry.read_bytes())
    return digest.hexdigest()


def _cache_folder() -> Path | None:
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return Path(home) / "livingdrug"


_MAGIC = b"livingdrug-kernel\n"


def _read_cache(key: str) -> tuple[dict[str, int], dict[str, int], bytes] | None:
    """Return a stored kernel; one that is damaged is as good as none."""
    folder = _cache_folder()
    if folder is None:
        return None
    with suppress(OSError):
        blob = (folder / f"{key}.kernel").read_bytes()
        digest, _, rest = blob.removeprefix(_MAGIC).partition(b"\n")
        if blob.startswith(_MAGIC) and hashlib.sha256(rest).hexdigest().encode() == digest:
            head, _, compiled = rest.partition(b"\n")
            size, flops = (_read_counts(part) for part in head.decode().split(";"))
            return size, flops, compiled
    return None


def _read_counts(text: str) -> dict[str, int]:
    pairs = (item.split("=") for item in text.split(","))
    return {name: int(count) for name, count in pairs}


def _write_cache(key: str, size: Mapping[str, int], flops: Mapping[str, int], compiled: bytes) -> None:
    """Store a kernel; a folder that cannot be written is no fault."""
    folder = _cache_folder()
    if folder is None:
        return
    head = ";".join(",".join(f"{name}={count}" for name, count in part.items()) for part in (size, flops))
    rest = head.encode() + b"\n" + compiled
    blob = _MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{key}.{os.getpid()}.part"
        partial.write_bytes(blob)
        partial.replace(folder / f"{key}.kernel")
