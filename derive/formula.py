"""Formulas as an ordered tree: what is written is kept in the order in which it is taught.

Three kinds of formula: a `Name` (a quantity or one entry of it), a `Number` (an exact constant) and `Apply` (a head with
its arguments). The operators of Python build them, through a few constructors that keep values and drop what no
teacher would write: x + 0, 1·x, −(−x), (Aᵀ)ᵀ. Everything that turns a formula into something else is elsewhere:
`spelling` prints it, `algebra` evaluates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction as Fraction
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter as mathematics writes it.

    >>> Symbol("w", sub="12", sup="(1)", mark="+").text
    'w12(1)+'
    """

    base: str
    sub: str = ""
    sup: str = ""
    mark: str = ""
    bold: bool = False

    @property
    def text(self) -> str:
        return self.base + self.sub + self.sup + self.mark

    @property
    def raised(self) -> Symbol:
        """The same with a prime behind the letter, as in F′, among what stands above."""
        if self.base[1:] and self.base.endswith("′"):
            return replace(self, base=self.base[:-1], sup="′" + self.sup)
        return self


@dataclass(frozen=True, slots=True)
class Partial:
    """A derivative as a fraction of two symbols: ∂L/∂w; of a higher order ∂²L/∂w²."""

    of: Symbol
    by: Symbol
    d: str = "∂"
    order: int = 1

    @property
    def text(self) -> str:
        times = "" if self.order == 1 else str(self.order)
        return f"{self.d}{times}{self.of.text}/{self.d}{self.below.text}"

    @property
    def below(self) -> Symbol:
        """The symbol under the bar, with the order above it."""
        return self.by if self.order == 1 else replace(self.by, sup=self.by.sup + str(self.order))


@dataclass(frozen=True, slots=True)
class Written:
    """A formula that stands for a quantity: what is left of an equal sign, or d/dz (…), a derivative not yet taken."""

    of: Formula
    by: Symbol | None = None
    d: str = "d"

    @property
    def text(self) -> str:
        return "" if self.by is None else f"{self.d}/{self.d}{self.by.text}"


@dataclass(frozen=True, slots=True)
class Function:
    """A named function: its glyph for the page and its definition, `body` in the names `parameters`."""

    name: str
    glyph: Symbol
    parameters: tuple[Name, ...] = ()
    body: Formula | None = None


class Formula:
    """Anything that stands in a formula. Python's operators build larger ones."""

    __slots__ = ()

    def __add__(self, other: Any) -> Formula:
        return binary(add, self, other)

    def __radd__(self, other: Any) -> Formula:
        return binary(add, other, self)

    def __sub__(self, other: Any) -> Formula:
        return binary(subtract, self, other)

    def __rsub__(self, other: Any) -> Formula:
        return binary(subtract, other, self)

    def __mul__(self, other: Any) -> Formula:
        return binary(multiply, self, other)

    def __rmul__(self, other: Any) -> Formula:
        return binary(multiply, other, self)

    def __truediv__(self, other: Any) -> Formula:
        return binary(divide, self, other)

    def __rtruediv__(self, other: Any) -> Formula:
        return binary(divide, other, self)

    def __pow__(self, other: Any) -> Formula:
        return binary(power, self, other)

    def __neg__(self) -> Formula:
        return negate(self)

    def __abs__(self) -> Formula:
        return Apply("abs", (self,))

    def __matmul__(self, other: Formula) -> Formula:
        return matmul(self, other)

    def __gt__(self, other: Any) -> Formula:
        return Apply("gt", (self, formula(other)))

    def __ge__(self, other: Any) -> Formula:
        return Apply("ge", (self, formula(other)))

    def __lt__(self, other: Any) -> Formula:
        return Apply("lt", (self, formula(other)))

    def __le__(self, other: Any) -> Formula:
        return Apply("le", (self, formula(other)))

    @property
    def T(self) -> Formula:
        return transpose(self)


@dataclass(frozen=True, slots=True)
class Name(Formula):
    """A quantity (`W1`), or an entry of it (`W1[1,2]`, counted from 1), with the symbol it goes by here."""

    id: str
    index: tuple[int, ...] = ()
    symbol: Symbol | Partial | Written = Symbol("?")
    shape: tuple[int, ...] = ()
    scalar: bool = True

    @property
    def key(self) -> str:
        return entry(self.id, self.index)


@dataclass(frozen=True, slots=True)
class Number(Formula):
    """An exact constant; `text` is how it is written where that matters: -1, or a letter such as λ."""

    value: Fraction
    text: str = ""


@dataclass(frozen=True, slots=True)
class Apply(Formula):
    """A head (`add`, `mul`, `exp` … or a named `Function`) with its arguments.

    `axis` says along which axis of a matrix a head such as `sum` works.
    """

    head: str | Function
    args: tuple[Formula, ...]
    axis: int | None = None


@lru_cache(maxsize=65_536)
def entry(id: str, index: tuple[int, ...]) -> str:
    """The canonical id of an entry: `entry("W1", (1, 2))` is `W1[1,2]`."""
    return f"{id}[{','.join(map(str, index))}]" if index else id


def formula(value: Any) -> Formula:
    """A formula from a formula, an integer, a fraction or a decimal text; anything else is refused."""
    if isinstance(value, Formula):
        return value
    if isinstance(value, (int, Fraction, str)):
        return Number(Fraction(value))
    raise TypeError(f"not a formula: {value!r}")


def binary(build: Callable[[Formula, Formula], Formula], left: Any, right: Any) -> Formula:
    """What Python's operators do: numpy arrays of formulas get their turn, everything else becomes a formula."""
    if hasattr(left, "__array__") or hasattr(right, "__array__"):
        return NotImplemented  # type: ignore[no-any-return]  # Python's protocol, not a formula
    return build(formula(left), formula(right))


ZERO, ONE = Number(Fraction(0)), Number(Fraction(1))
PI = Apply("pi", ())


def is_number(f: Formula, value: int) -> bool:
    return isinstance(f, Number) and f.value == value and not f.text


def parts(f: Formula, head: str) -> tuple[Formula, ...]:
    """The arguments of `f` if it has this head, else `f` alone."""
    return f.args if isinstance(f, Apply) and f.head == head else (f,)


def add(*terms: Formula) -> Formula:
    """A sum, flat, without zeros, in the order given."""
    flat = [part for term in terms for part in parts(term, "add") if not is_number(part, 0)]
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Apply("add", tuple(flat))


def subtract(left: Formula, right: Formula) -> Formula:
    return add(left, negate(right))


def power(base: Formula, exponent: Formula) -> Formula:
    return base if is_number(exponent, 1) else Apply("pow", (base, exponent))


def negate(f: Formula) -> Formula:
    if isinstance(f, Number) and not f.text:
        return Number(-f.value)
    if isinstance(f, Apply) and f.head == "neg":
        return f.args[0]
    if isinstance(f, Apply) and f.head == "add" and isinstance(f.args[0], Apply) and f.args[0].head == "neg":
        return add(*(negate(term) for term in f.args))
    return Apply("neg", (f,))


def multiply(*factors: Formula) -> Formula:
    """A product, flat, signs in front, constants folded into one leading coefficient."""
    coefficient, flat = Fraction(1), list[Formula]()
    for factor in factors:
        for part in parts(factor, "mul"):
            if isinstance(part, Apply) and part.head == "neg":
                coefficient, part = -coefficient, part.args[0]
            for piece in parts(part, "mul"):
                if isinstance(piece, Number) and not piece.text:
                    coefficient *= piece.value
                else:
                    flat.append(piece)
    if coefficient == 0:
        return ZERO
    if not flat:
        return Number(coefficient)
    if abs(coefficient) != 1:
        flat.insert(0, Number(abs(coefficient)))
    product = flat[0] if len(flat) == 1 else Apply("mul", tuple(flat))
    return negate(product) if coefficient < 0 else product


def divide(top: Formula, bottom: Formula) -> Formula:
    if is_number(bottom, 1):
        return top
    if isinstance(top, Number) and isinstance(bottom, Number) and not top.text and not bottom.text:
        return Number(top.value / bottom.value)
    if is_number(top, 0):
        return ZERO
    if isinstance(top, Apply) and top.head == "neg":
        return negate(divide(top.args[0], bottom))
    return Apply("div", (top, bottom))


def matmul(*factors: Formula) -> Formula:
    """A matrix product; a scalar coefficient or sign moves to the front."""
    coefficient, flat = ONE, list[Formula]()
    outside: Formula = coefficient
    for factor in factors:
        scalars, matrix = split_scalar(factor)
        outside = multiply(outside, scalars)
        flat.extend(parts(matrix, "dot"))
    product = flat[0] if len(flat) == 1 else Apply("dot", tuple(flat))
    return multiply(outside, product)


def split_scalar(f: Formula) -> tuple[Formula, Formula]:
    """A formula as (scalar coefficient, matrix): −2·(A ⊙ B) is (−2, A ⊙ B)."""
    if isinstance(f, Apply) and f.head == "neg":
        scalar, rest = split_scalar(f.args[0])
        return negate(scalar), rest
    if isinstance(f, Apply) and f.head == "mul":
        scalars = [x for x in f.args if is_scalar(x)]
        others = [x for x in f.args if not is_scalar(x)]
        if scalars and len(others) == 1:
            return multiply(*scalars), others[0]
    return ONE, f


def hadamard(*factors: Formula) -> Formula:
    """A product entry by entry; scalar coefficients move to the front."""
    outside: Formula = ONE
    flat = list[Formula]()
    for factor in factors:
        scalars, matrix = split_scalar(factor)
        outside = multiply(outside, scalars)
        for part in parts(matrix, "had"):
            if is_scalar(part):
                outside = multiply(outside, part)
            else:
                flat.append(part)
    if not flat:
        return outside
    product = flat[0] if len(flat) == 1 else Apply("had", tuple(flat))
    return multiply(outside, product)


def transpose(f: Formula) -> Formula:
    """A transpose, pushed inwards: (AB)ᵀ = BᵀAᵀ, (A + B)ᵀ = Aᵀ + Bᵀ, (Aᵀ)ᵀ = A, sᵀ = s."""
    if is_scalar(f):
        return f
    if isinstance(f, Apply):
        if f.head == "T":
            return f.args[0]
        args = tuple(transpose(arg) for arg in f.args)
        if f.head == "dot":
            return replace(f, args=args[::-1])
        return f if f.head == "total" else replace(f, args=args, axis=None if f.axis is None else 1 - f.axis)
    return Apply("T", (f,))


def total(f: Formula, axis: int) -> Formula:
    """A sum along one axis of a matrix; of a single row or column it is the matrix itself (the caller knows shapes)."""
    scalar, matrix = split_scalar(f)
    return multiply(scalar, Apply("sum", (matrix,), axis))


def grand_total(f: Formula) -> Formula:
    """The sum of all entries, which does not care how the matrix lies."""
    return Apply("total", (f.args[0] if isinstance(f, Apply) and f.head == "T" else f,))


def is_scalar(f: Formula) -> bool:
    """Whether the formula stands for one number rather than a matrix."""
    if isinstance(f, Name):
        return f.scalar
    if isinstance(f, Apply):
        return f.head == "total" or all(is_scalar(arg) for arg in f.args)
    return True


def rebuild(head: str | Function, args: tuple[Formula, ...], axis: int | None = None) -> Formula:
    """An application built through the constructors, so that what has become trivial is dropped."""
    match head:
        case "add":
            return add(*args)
        case "neg":
            return negate(args[0])
        case "mul":
            return multiply(*args)
        case "div":
            return divide(*args)
        case "dot":
            return matmul(*args)
        case "had":
            return hadamard(*args)
        case "T":
            return transpose(args[0])
    return Apply(head, args, axis)


def substitute(f: Formula, swap: Callable[[Name], Formula]) -> Formula:
    """The formula with every name replaced by what `swap` gives for it."""
    if isinstance(f, Name):
        return swap(f)
    if isinstance(f, Apply):
        return rebuild(f.head, tuple(substitute(arg, swap) for arg in f.args), f.axis)
    return f


def bind(f: Formula, values: Mapping[Name, Formula]) -> Formula:
    """The formula with some names replaced: the body of a function at its arguments."""
    return substitute(f, lambda name: values.get(name, name))


def walk(f: Formula) -> Iterator[Formula]:
    """A formula and all formulas in it, in order."""
    waiting = [f]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, Apply):
            waiting.extend(reversed(part.args))


def names(f: Formula) -> Iterator[Name]:
    """All names in the formula, in order, repeated as they stand."""
    return (part for part in walk(f) if isinstance(part, Name))


# The functions formulas are written with.
def exp(f: Formula) -> Formula:
    return ONE if is_number(f, 0) else Apply("exp", (f,))


def log(f: Formula) -> Formula:
    return ZERO if is_number(f, 1) else Apply("log", (f,))


def sqrt(f: Any) -> Formula:
    return Apply("sqrt", (formula(f),))


def tanh(f: Formula) -> Formula:
    return Apply("tanh", (f,))


def sin(f: Any) -> Formula:
    return Apply("sin", (formula(f),))


def cos(f: Any) -> Formula:
    return Apply("cos", (formula(f),))


def floor(f: Any) -> Formula:
    """The largest whole number that is not larger."""
    return Apply("floor", (formula(f),))


def ceil(f: Any) -> Formula:
    """The smallest whole number that is not smaller."""
    return Apply("ceil", (formula(f),))


def erf(f: Formula) -> Formula:
    return Apply("erf", (f,))


def expm1(f: Formula) -> Formula:
    return Apply("expm1", (f,))


def log1p(f: Formula) -> Formula:
    return Apply("log1p", (f,))


def larger(f: Any, g: Any) -> Formula:
    return Apply("max", (formula(f), formula(g)))


def smaller(f: Any, g: Any) -> Formula:
    return Apply("min", (formula(f), formula(g)))


def xlogy(f: Any, g: Any) -> Formula:
    """f · ln g, which is 0 where f is 0, whatever g is."""
    f, g = formula(f), formula(g)
    if is_number(f, 0):
        return ZERO
    return Apply("xlogy", (f, g))


def cases(*branches: tuple[Any, Formula | bool]) -> Formula:
    """A formula by cases: `cases((z, z > 0), (0, True))`; the last branch takes what is left."""
    flat = [
        part for value, when in branches for part in ((formula(value),) if when is True else (formula(value), when))
    ]
    return Apply("cases", tuple(formula(part) for part in flat))


def branches(f: Apply) -> tuple[tuple[Formula, Formula | None], ...]:
    """The (value, condition) pairs of `cases`; the last condition is None."""
    pairs = [(f.args[i], f.args[i + 1]) for i in range(0, len(f.args) - 1, 2)]
    return (*pairs, (f.args[-1], None))
