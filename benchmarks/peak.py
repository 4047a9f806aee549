"""How fast can this machine multiply and add? Fused multiply-adds on the widest vectors, every core at once."""

import ctypes
import os
import time
from concurrent.futures import ThreadPoolExecutor

from llvmlite import binding, ir

CHAINS = 12  # independent sums: enough to hide the latency of two units
ROUNDS = 20_000_000


def write_loop(width: int) -> str:
    """Return LLVM code of ``double loop(i64 rounds)`` with ``CHAINS`` multiply-adds a round."""
    double, long = ir.DoubleType(), ir.IntType(64)
    vector = ir.VectorType(double, width)
    module = ir.Module(name="peak")
    function = ir.Function(module, ir.FunctionType(double, [long]), name="loop")
    entry, body, leave = (function.append_basic_block(n) for n in ("entry", "body", "leave"))
    ir.IRBuilder(entry).branch(body)
    builder = ir.IRBuilder(body)
    fma = ir.Function(module, ir.FunctionType(vector, [vector] * 3), name=f"llvm.fma.v{width}f64")
    factor = ir.Constant(vector, [0.999_999] * width)
    count = builder.phi(long)
    count.add_incoming(ir.Constant(long, 0), entry)
    sums = [builder.phi(vector) for _ in range(CHAINS)]
    following = [builder.call(fma, [s, factor, factor]) for s in sums]
    for i, (s, after) in enumerate(zip(sums, following, strict=True)):
        s.add_incoming(ir.Constant(vector, [float(i)] * width), entry)
        s.add_incoming(after, body)
    after_count = builder.add(count, ir.Constant(long, 1))
    count.add_incoming(after_count, body)
    builder.cbranch(builder.icmp_signed("<", after_count, function.args[0]), body, leave)
    builder = ir.IRBuilder(leave)
    total = following[0]
    for s in following[1:]:
        total = builder.fadd(total, s)
    result = builder.extract_element(total, ir.Constant(ir.IntType(32), 0))
    for lane in range(1, width):
        result = builder.fadd(result, builder.extract_element(total, ir.Constant(ir.IntType(32), lane)))
    builder.ret(result)
    return str(module)


def measure_width(width: int, threads: int, rounds: int) -> float:
    """Return 1e9 floating-point operations per second of all threads together."""
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten() + (",-prefer-256-bit" if width == 8 else ""),
        opt=3,
        jit=True,
    )
    module = binding.parse_assembly(write_loop(width))
    module.triple = binding.get_process_triple()
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    loop = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64)(engine.get_function_address("loop"))
    loop(1000)
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(3):
            begin = time.perf_counter()
            list(pool.map(loop, [rounds] * threads))
            seconds = time.perf_counter() - begin
            best = max(best, 2 * CHAINS * width * rounds * threads / seconds / 1e9)
    return best


def measure_peak(threads: int | None = None, rounds: int = ROUNDS) -> tuple[float, int]:
    """Return the machine's measured Gflop/s on ``threads`` cores and the vector width that gave it."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    threads = threads or os.cpu_count() or 1
    widths = [8, 4] if binding.get_host_cpu_features().get("avx512f") else [4, 2]
    return max((measure_width(width, threads, rounds), width) for width in widths)


if __name__ == "__main__":
    speed, lanes = measure_peak()
    print(f"{speed:.1f} Gflop/s on {os.cpu_count()} cores with vectors of {lanes} doubles")
