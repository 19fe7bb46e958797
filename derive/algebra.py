"""The number systems a formula or a graph can be evaluated in.

An `Algebra` says what exp, log, a comparison … mean for one kind of entry: float64 arrays, 50-digit numbers, exact
fractions, SymPy expressions, or formulas (which is substitution). The four operations are Python's own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number

Value = Any  # an array of an algebra's entries, or one entry


@dataclass(frozen=True)
class Algebra:
    """The functions of one kind of entry, and how a constant and a choice by cases become one."""

    name: str
    number: Callable[[Any], Value]  # from a Fraction; 50 digits also from a float or an int
    functions: dict[str, Callable[..., Value]]
    choose: Callable[[Sequence[Value], Sequence[Value]], Value]
    as_written: bool = False  # formulas as they stand on the page, not rearranged against overflow
    digits: int = 0  # that every number has, where there are many

    def __call__(self, head: str, *args: Value) -> Value:
        return self.functions[head](*args)

    def summed(self, total: Value, sizes: Value) -> Value:
        """A sum, 0 where its terms (their sizes added up) have cancelled down to the last digits."""
        noise = self.number(10) ** (NOISE - self.digits)
        return each(lambda x, size: 0 * x if abs(x) <= noise * size else x)(total, sizes)


def each(function: Callable[..., Any]) -> Callable[..., Value]:
    """A function of entries as a function of arrays of objects (and of single entries)."""

    def spread(*args: Value) -> Value:
        for arg in args:
            if isinstance(arg, np.ndarray):
                return np.frompyfunc(function, len(args), 1)(*args)
        return function(*args)

    return spread


def choose_first(conditions: Sequence[Value], values: Sequence[Value]) -> Value:
    """The value whose condition is the first true one; the last value has no condition."""

    def pick(*row: Any) -> Any:
        for condition, value in zip(row[: len(conditions)], row[len(conditions) :], strict=False):
            if condition:
                return value
        return row[-1]

    return each(pick)(*conditions, *values)


def evaluate(f: Formula, lookup: Callable[[Name], Value], algebra: Algebra) -> Value:
    """The value of a formula, with `lookup` giving the value of each name in it."""
    match f:
        case Name():
            return lookup(f)
        case Number():
            return f if algebra is FORMULAS else algebra.number(f.value)
        case Apply(head="cases"):
            return choice(f, lookup, algebra)
        case Apply(head=head, args=args):
            values = [evaluate(arg, lookup, algebra) for arg in args]
            if not isinstance(head, str):
                return call(head, values, f.axis, algebra)
            structural = STRUCTURE.get(head)
            return algebra(head, *values) if structural is None else structural(values, f.axis)
    raise TypeError(f"cannot evaluate {f!r}")


def choice(f: Apply, lookup: Callable[[Name], Value], algebra: Algebra) -> Value:
    """The value of a formula by cases."""
    pairs = fm.branches(f)
    conditions = [evaluate(when, lookup, algebra) for _, when in pairs if when is not None]
    cases = zip([value for value, _ in pairs], [*conditions, True], strict=True)
    return algebra.choose(conditions, [case(value, when, lookup, algebra) for value, when in cases])


def case(f: Formula, when: Value, lookup: Callable[[Name], Value], algebra: Algebra) -> Value:
    """The value of a formula in its case; one that divides by zero does not matter where it is taken nowhere."""
    try:
        return evaluate(f, lookup, algebra)
    except ZeroDivisionError:
        if np.any(when):
            raise
        return algebra.number(0)


def call(function: fm.Function, values: Sequence[Value], axis: int | None, algebra: Algebra) -> Value:
    """A named function at values; along the columns (axis 0) it is what it is along the rows of the transpose."""
    assert function.body is not None, f"{function.name} has no definition"
    if axis == 0:
        return call(function, [value.T for value in values], 1, algebra).T
    return evaluate(function.body, dict(zip(function.parameters, values, strict=True)).__getitem__, algebra)


def _sum(values: list[Value], axis: int | None) -> Value:
    return np.sum(values[0], axis=axis, keepdims=axis is not None)


def _fold(operation: Callable[[Value, Value], Value]) -> Callable[[list[Value], int | None], Value]:
    def fold(values: list[Value], _axis: int | None) -> Value:
        result = values[0]
        for value in values[1:]:
            result = operation(result, value)
        return result

    return fold


def _compare(relation: Callable[[Any, Any], Any]) -> Callable[[list[Value], int | None], Value]:
    # numpy makes the result of comparing objects a bool; a comparison of formulas is a formula, of unknowns unknown
    spread = each(relation)
    return lambda v, _: (spread if any(getattr(x, "dtype", None) == np.dtype(object) for x in v) else relation)(*v)


def _spread(operation: Callable[[Any, Any], Any], ufunc: np.ufunc) -> Callable[[Value, Value], Value]:
    """Entry by entry. A single number on the left is not asked first: mpmath would try to read the array as a number."""
    return lambda a, b: ufunc(a, b) if isinstance(b, np.ndarray) and not isinstance(a, np.ndarray) else operation(a, b)


def _power(values: list[Value], _axis: int | None) -> Value:
    base, exponent = values
    if any(hasattr(x, "_mpf_") or hasattr(x, "_mpc_") for x in values):
        return digits()("pow", base, exponent)
    if isinstance(exponent, Fraction) or getattr(exponent, "dtype", None) == np.dtype(object):
        return each(_exact_power)(base, exponent)
    try:
        return base**exponent
    except OverflowError:  # Python's own floats raise where NumPy's become infinite
        return math.inf


_add, _multiply, _divide = (
    _spread(operator.add, np.add),
    _spread(operator.mul, np.multiply),
    _spread(operator.truediv, np.true_divide),
)


def _quotient(values: list[Value], _axis: int | None) -> Value:
    try:
        return _divide(*values)
    except ZeroDivisionError:
        if not any(isinstance(x, Fraction) for value in values for x in np.ravel(value)):
            raise
        return each(lambda a, b: UNKNOWN if b is UNKNOWN or b == 0 else a / b)(*values)


STRUCTURE: dict[str, Callable[[list[Value], int | None], Value]] = {
    "add": _fold(_add),
    "mul": _fold(_multiply),
    "had": _fold(_multiply),
    "chain": _fold(_multiply),
    "dot": _fold(lambda a, b: a @ b),
    "neg": lambda v, _: -v[0],
    "div": _quotient,
    "pow": _power,
    "T": lambda v, _: v[0].T,
    "sum": _sum,
    "total": _sum,
    "gt": _compare(operator.gt),
    "ge": _compare(operator.ge),
    "lt": _compare(operator.lt),
    "and": _fold(operator.and_),
    "le": _compare(operator.le),
}


# float64, for whole arrays at once -----------------------------------------------------------------------------------
def _float_choose(conditions: Sequence[Value], values: Sequence[Value]) -> Value:
    return np.select(
        [np.asarray(c) for c in np.broadcast_arrays(*conditions)], [np.asarray(v) for v in values[:-1]], values[-1]
    )


def _float_xlogy(x: Value, y: Value) -> Value:
    return np.where(np.equal(x, 0), 0.0, x * np.log(np.where(np.equal(x, 0), 1.0, y)))


_float_erf = np.frompyfunc(math.erf, 1, 1)

FLOATS = Algebra(
    "float64",
    float,
    {
        "pi": lambda: math.pi,
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "abs": np.abs,
        "tanh": np.tanh,
        "sin": np.sin,
        "cos": np.cos,
        "floor": np.floor,
        "ceil": np.ceil,
        "erf": lambda x: np.asarray(_float_erf(x), dtype=float),
        "expm1": np.expm1,
        "log1p": np.log1p,
        "max": np.maximum,
        "min": np.minimum,
        "xlogy": _float_xlogy,
    },
    _float_choose,
)

# formulas: evaluating is substituting --------------------------------------------------------------------------------
FORMULAS = Algebra(
    "formulas",
    Number,
    {
        "pi": lambda: fm.PI,
        "exp": each(fm.exp),
        "log": each(fm.log),
        "sqrt": each(fm.sqrt),
        "abs": each(abs),
        "tanh": each(fm.tanh),
        "sin": each(fm.sin),
        "cos": each(fm.cos),
        "floor": each(fm.floor),
        "ceil": each(fm.ceil),
        "erf": each(fm.erf),
        "expm1": each(fm.expm1),
        "log1p": each(fm.log1p),
        "max": each(fm.larger),
        "min": each(fm.smaller),
        "xlogy": each(fm.xlogy),
    },
    lambda conditions, values: each(
        lambda *row: fm.cases(*zip(row[len(conditions) :], (*row[: len(conditions)], True), strict=True))
    )(*conditions, *values),
    as_written=True,
)


# exact fractions; UNKNOWN where the result is not one -------------------------------------------------------------------
class _Unknown:
    """Not a known fraction, nor is anything computed from it."""

    def _same(self, *others: object) -> Any:
        return NotImplemented if others and isinstance(others[0], np.ndarray) else self

    def _times(self, other: object) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return Fraction(0) if other == 0 else self

    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = _same
    __mul__ = __rmul__ = __rtruediv__ = _times  # 0 · x and 0 / x are 0 for every finite x but 0
    __pow__ = __rpow__ = __neg__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = _same

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


def _exact(at: dict[Fraction, int]) -> Callable[[Any], Any]:
    return lambda x: Fraction(at[x]) if x in at else UNKNOWN


def _exact_sqrt(x: Any) -> Any:
    if x is UNKNOWN or x < 0:
        return UNKNOWN
    root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
    return root if root * root == x else UNKNOWN


LARGEST_EXPONENT = 2_000  # of a power that is still worked out as a fraction
LARGEST_POWER = 1_000_000  # bits of it


def _exact_power(x: Any, exponent: Any) -> Any:
    """A power; of a fraction with a broken exponent (of which Python would make a float) where it is one again."""
    if not isinstance(exponent, Fraction):
        return x**exponent
    if x is UNKNOWN or (x in (0, 1) and exponent > 0):
        return x
    bits = max(x.numerator.bit_length(), x.denominator.bit_length())
    if abs(exponent.numerator) > LARGEST_EXPONENT or bits * abs(exponent.numerator) > LARGEST_POWER:
        return UNKNOWN
    if exponent.denominator == 1:
        return x**exponent
    return _exact_sqrt(x) ** exponent.numerator if exponent.denominator == 2 else UNKNOWN


def _exact_choose(conditions: Sequence[Value], values: Sequence[Value]) -> Value:
    def pick(*row: Any) -> Any:
        for condition, value in zip(row[: len(conditions)], row[len(conditions) :], strict=False):
            if condition is UNKNOWN:
                return UNKNOWN
            if condition:
                return value
        return row[-1]

    return each(pick)(*conditions, *values)


def _ordered(function: Callable[[Any, Any], Any]) -> Callable[..., Value]:
    return each(lambda x, y: UNKNOWN if x is UNKNOWN or y is UNKNOWN else function(x, y))


EXACT = Algebra(
    "exact",
    Fraction,
    {
        "pi": lambda: UNKNOWN,
        "exp": each(_exact({Fraction(0): 1})),
        "log": each(_exact({Fraction(1): 0})),
        "sqrt": each(_exact_sqrt),
        "abs": each(abs),
        "tanh": each(_exact({Fraction(0): 0})),
        "sin": each(_exact({Fraction(0): 0})),
        "cos": each(_exact({Fraction(0): 1})),
        "floor": each(lambda x: x if x is UNKNOWN else Fraction(math.floor(x))),
        "ceil": each(lambda x: x if x is UNKNOWN else Fraction(math.ceil(x))),
        "erf": each(_exact({Fraction(0): 0})),
        "expm1": each(_exact({Fraction(0): 0})),
        "log1p": each(_exact({Fraction(0): 0})),
        "max": _ordered(max),
        "min": _ordered(min),
        "xlogy": each(lambda x, y: Fraction(0) if x == 0 or y == 1 else UNKNOWN),
    },
    _exact_choose,
    as_written=True,
)


# 50 digits and SymPy, imported when first wanted -------------------------------------------------------------------------
DIGITS = 50
NOISE = 10  # of the last digits, what is left of a sum that is 0 may show
LARGEST_ARGUMENT = 4_000  # bits before the point: e to a larger number is asked for by towers of exponentials alone
HUGE = 60  # bits before the point of an exponent
WORKING_DIGITS = 150  # so that 50 are left after 1 − p of a saturated unit, and after a difference


@cache
def digits() -> Algebra:
    """Numbers of 50 significant digits (mpmath)."""
    from mpmath import MPContext

    mp = MPContext()
    mp.dps = WORKING_DIGITS
    functions: dict[str, Callable[..., Any]] = {
        "pi": lambda: +mp.pi,
        "exp": mp.exp,
        "log": mp.log,
        "sqrt": mp.sqrt,
        "abs": abs,
        "tanh": mp.tanh,
        "sin": mp.sin,
        "cos": mp.cos,
        "floor": mp.floor,
        "ceil": mp.ceil,
        "erf": mp.erf,
        "expm1": mp.expm1,
        "log1p": mp.log1p,
        "max": max,
        "min": min,
        "xlogy": lambda x, y: mp.zero if x == 0 else x * mp.log(y),
    }

    @lru_cache(maxsize=10_000)
    def quotient(top: int, bottom: int) -> Any:
        return mp.mpf(top) / bottom

    def number(value: Any) -> Any:
        return quotient(value.numerator, value.denominator) if isinstance(value, Fraction) else mp.mpf(value)

    def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, unless its argument is so large that its value, or the work for it, would fill the memory."""

        def checked(x: Any) -> Any:
            if mp.isfinite(x) and mp.mag(x) > LARGEST_ARGUMENT:
                raise OverflowError("a number too large to go on with")
            return function(x)

        return checked

    def power(base: Any, exponent: Any) -> Any:
        """A power; a huge one by its logarithm, not factor by factor."""
        base, exponent = mp.convert(base), mp.convert(exponent)
        if not (base and exponent and mp.isfinite(base) and mp.isfinite(exponent)) or mp.mag(exponent) <= HUGE:
            return base**exponent
        real = hasattr(base, "_mpf_") and hasattr(exponent, "_mpf_")
        if not real or base < 0 or mp.mag(exponent) > LARGEST_ARGUMENT:
            raise OverflowError("a number too large to go on with")
        with mp.extraprec(mp.mag(exponent) + abs(mp.mag(base)).bit_length()):
            found = mp.exp(exponent * mp.log(base))
        return +found

    functions |= {head: bounded(functions[head]) for head in ("exp", "sin", "cos", "tanh", "erf", "expm1")}
    functions["pow"] = power
    table = {head: each(function) for head, function in functions.items()}
    return Algebra("50 digits", number, table, choose_first, digits=WORKING_DIGITS)


@cache
def sympy_algebra() -> Algebra:
    """SymPy expressions; a choice by cases is a Piecewise."""
    import sympy as sp

    functions: dict[str, Callable[..., Any]] = {
        "pi": lambda: sp.pi,
        "exp": sp.exp,
        "log": sp.log,
        "sqrt": sp.sqrt,
        "abs": sp.Abs,
        "tanh": sp.tanh,
        "sin": sp.sin,
        "cos": sp.cos,
        "floor": sp.floor,
        "ceil": sp.ceiling,
        "erf": sp.erf,
        "expm1": lambda x: sp.exp(x) - 1,
        "log1p": lambda x: sp.log(1 + x),
        "max": sp.Max,
        "min": sp.Min,
        "xlogy": lambda x, y: x * sp.log(y),
    }

    def choose(conditions: Sequence[Any], values: Sequence[Any]) -> Any:
        return sp.Piecewise(*zip(values, (*conditions, True), strict=True))

    def number(value: Fraction) -> Any:
        return sp.Rational(value.numerator, value.denominator)

    return Algebra("SymPy", number, {head: each(function) for head, function in functions.items()}, choose)
