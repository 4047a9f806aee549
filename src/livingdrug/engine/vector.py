"""Write vector arithmetic as LLVM instructions.

One :class:`Emitter` writes for one width: vectors of doubles, one lane a patient, or plain doubles.
Products and sums may be fused (``contract``); nothing else is reordered, so a lane's bits do not
depend on its neighbours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

DOUBLE = ir.DoubleType()
INT64 = ir.IntType(64)
INT32 = ir.IntType(32)
POINTER = ir.PointerType()
FUSED = ("contract",)

_LOG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_EXP = (
    1.66666666666666019037e-01,
    -2.77777777770155933842e-03,
    6.61375632143793436117e-05,
    -1.65339022054652515390e-06,
    4.13813679705723846039e-08,
)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG2_E = 1.44269504088896338700
_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and taking it away rounds to an integer
_EXPONENT_BITS = 0x4330000000000000  # 2**52 as bits: an integer or-ed into it is a double


@dataclass(frozen=True, slots=True)
class Emitter:
    """Write arithmetic for ``width`` lanes (1: plain doubles) at the end of a builder's block."""

    builder: ir.IRBuilder
    width: int
    has_reciprocal: bool = False

    @property
    def type(self) -> ir.Type:
        """Type of a value."""
        return DOUBLE if self.width == 1 else ir.VectorType(DOUBLE, self.width)

    @property
    def bits_type(self) -> ir.Type:
        """Type of a value's bits."""
        return INT64 if self.width == 1 else ir.VectorType(INT64, self.width)

    def number(self, value: float) -> ir.Value:
        """Return a constant in every lane."""
        return ir.Constant(self.type, value if self.width == 1 else [value] * self.width)

    def bits(self, value: int) -> ir.Value:
        """Return a constant 64-bit integer in every lane."""
        return ir.Constant(self.bits_type, value if self.width == 1 else [value] * self.width)

    def address(self, base: ir.Value, index: int) -> ir.Value:
        """Return where the value with an index lies in an array."""
        if index == 0:
            return base
        return self.builder.gep(base, [ir.Constant(INT64, index * self.width)], source_etype=DOUBLE, inbounds=True)

    def load(self, base: ir.Value, index: int = 0) -> ir.Value:
        """Read a value of an array."""
        return self.builder.load(self.address(base, index), typ=self.type, align=8 * self.width)

    def store(self, value: ir.Value, base: ir.Value, index: int = 0) -> None:
        """Write a value of an array."""
        self.builder.store(value, self.address(base, index), align=8 * self.width)

    def gather(self, base: ir.Value, index: int, lanes: ir.Value) -> ir.Value:
        """Read a value of an array, each lane from the lane named for it."""
        if self._estimates and self.width == 8:
            permute = self.intrinsic("llvm.x86.avx512.permvar.df.512", self.type, [self.type, self.bits_type])
            return self.builder.call(permute, [self.load(base, index), lanes])
        found = ir.Constant(self.type, ir.Undefined)
        for k in range(self.width):
            place = ir.Constant(INT32, k)
            source = self.builder.gep(
                self.address(base, index), [self.builder.extract_element(lanes, place)], source_etype=DOUBLE
            )
            found = self.builder.insert_element(found, self.builder.load(source, typ=DOUBLE), place)
        return found

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a + b."""
        return self.builder.fadd(a, b, flags=FUSED)

    def sub(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a - b."""
        return self.builder.fsub(a, b, flags=FUSED)

    def mul(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a b."""
        return self.builder.fmul(a, b, flags=FUSED)

    def neg(self, a: ir.Value) -> ir.Value:
        """Return -a."""
        return self.builder.fneg(a)

    def recip(self, a: ir.Value) -> ir.Value:
        """Return 1 / a: the processor's estimate with two Newton steps where it has one, else a division."""
        if not self._estimates:
            return self.builder.fdiv(self.number(1.0), a)
        estimate = self.rough_recip(a)
        for _ in range(2):
            short_by = self.fma(self.neg(a), estimate, self.number(1.0))
            estimate = self.fma(estimate, short_by, estimate)
        return estimate

    @property
    def _estimates(self) -> bool:
        return self.has_reciprocal and self.width > 1

    def rough_recip(self, a: ir.Value) -> ir.Value:
        """Return 1 / a to at least four digits."""
        if not self._estimates:
            return self.builder.fdiv(self.number(1.0), a)
        mask = ir.IntType(8)
        name = f"llvm.x86.avx512.rcp14.pd.{64 * self.width}"
        estimate = self.intrinsic(name, self.type, [self.type, self.type, mask])
        return self.builder.call(estimate, [a, self.number(0.0), ir.Constant(mask, -1)])

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """Return a b + c, rounded once."""
        fused = self.intrinsic(f"llvm.fma.{self.suffix}", self.type, [self.type] * 3)
        return self.builder.call(fused, [a, b, c])

    def sqrt(self, a: ir.Value) -> ir.Value:
        """Return the square root."""
        return self.builder.call(self.intrinsic(f"llvm.sqrt.{self.suffix}", self.type, [self.type]), [a])

    def abs(self, a: ir.Value) -> ir.Value:
        """Return the magnitude."""
        return self.builder.call(self.intrinsic(f"llvm.fabs.{self.suffix}", self.type, [self.type]), [a])

    def max(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return the larger; a value that is not a number in ``a`` stays."""
        return self.select(self.less(a, b), b, a)

    def min(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return the smaller; a value that is not a number in ``a`` stays."""
        return self.select(self.less(b, a), b, a)

    def less(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return where a < b."""
        return self.builder.fcmp_ordered("<", a, b)

    def at_most(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return where a <= b."""
        return self.builder.fcmp_ordered("<=", a, b)

    def select(self, where: ir.Value, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a where the mask holds, else b."""
        return self.builder.select(where, a, b)

    def any(self, mask: ir.Value) -> ir.Value:
        """Return whether the mask holds in any lane."""
        if self.width == 1:
            return mask
        packed = self.builder.bitcast(mask, ir.IntType(self.width))
        return self.builder.icmp_unsigned("!=", packed, ir.Constant(ir.IntType(self.width), 0))

    def polynomial(self, x: ir.Value, coefficients: Sequence[float]) -> ir.Value:
        """Return c0 + c1 x + c2 x^2 + ... by Horner's rule."""
        total = self.number(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = self.fma(total, x, self.number(coefficient))
        return total

    def log(self, x: ir.Value) -> ir.Value:
        """Return the natural logarithm (fdlibm's polynomial); not a number at or below 0.

        It saturates beyond the normal doubles: near -709 below 2e-308, at 709.8 for infinity.
        """
        build = self.builder
        # shift so that the fraction lies between sqrt(1/2) and sqrt(2)
        offset = self.bits(0x3FE6A09E667F3BCD)
        shifted = build.sub(build.bitcast(x, self.bits_type), offset)
        exponent = build.ashr(shifted, self.bits(52))
        fraction_bits = build.sub(build.bitcast(x, self.bits_type), build.shl(exponent, self.bits(52)))
        magic = build.bitcast(build.add(exponent, self.bits(_EXPONENT_BITS + 1100)), self.type)
        k = build.fsub(magic, self.number(2.0**52 + 1100))
        f = build.fsub(build.bitcast(fraction_bits, self.type), self.number(1.0))
        s = build.fdiv(f, build.fadd(f, self.number(2.0)))
        z = build.fmul(s, s)
        r = build.fmul(z, self.polynomial(z, _LOG))
        half = build.fmul(self.number(0.5), build.fmul(f, f))
        tail = self.fma(s, build.fadd(half, r), build.fmul(k, self.number(_LN2_LOW)))
        result = build.fsub(build.fmul(k, self.number(_LN2_HIGH)), build.fsub(build.fsub(half, tail), f))
        return self.select(self.less(self.number(0.0), x), result, self.number(float("nan")))

    def exp(self, x: ir.Value) -> ir.Value:
        """Return e to the power x (fdlibm's polynomial).

        It saturates at x = 709 and -708, so that a steep sigmoid stays finite and has a derivative.
        """
        build = self.builder
        x = self.max(self.min(x, self.number(709.0)), self.number(-708.0))
        magic = build.fadd(build.fmul(x, self.number(_LOG2_E)), self.number(_ROUND))
        k = build.fsub(magic, self.number(_ROUND))
        high = self.fma(k, self.number(-_LN2_HIGH), x)
        low = build.fmul(k, self.number(_LN2_LOW))
        r = build.fsub(high, low)
        t = build.fmul(r, r)
        c = build.fsub(r, build.fmul(t, self.polynomial(t, _EXP)))
        quotient = build.fdiv(build.fmul(r, c), build.fsub(self.number(2.0), c))
        fraction = build.fsub(self.number(1.0), build.fsub(build.fsub(low, quotient), high))
        scale = build.shl(build.bitcast(magic, self.bits_type), self.bits(52))
        return build.bitcast(build.add(build.bitcast(fraction, self.bits_type), scale), self.type)

    @property
    def suffix(self) -> str:
        """Type suffix of LLVM's intrinsic names."""
        return "f64" if self.width == 1 else f"v{self.width}f64"

    def intrinsic(self, name: str, result: ir.Type, arguments: Sequence[ir.Type]) -> ir.Function:
        """Return the declaration of an intrinsic of LLVM."""
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        return ir.Function(module, ir.FunctionType(result, list(arguments)), name=name)

    def operation(self, name: str) -> Callable[..., Any]:
        """Return the method that writes a graph's operation."""
        return getattr(self, name)  # type: ignore[no-any-return]
