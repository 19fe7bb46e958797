"""Expressions of a program under construction: every one is made once, and trivial ones not at all.

An `Entry` stands for one float, a `Whole` for a whole array. Both calculate as numbers do, so that the ops of a graph
can be evaluated over them: what comes out says what is to be computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from derive.algebra import FLOATS, Algebra, Value, each

Shape = tuple[int, ...]
COMPARISONS = (">", ">=", "<", "<=")
UFUNCS = {"add": "+", "subtract": "-", "multiply": "*", "true_divide": "/", "divide": "/", "power": "**"}
FOLDED: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
}


class Term:
    """An expression: a head with its arguments, a `number`, or a `leaf` with its name."""

    __slots__ = ("args", "head", "made", "plain", "shape", "sheet")

    def __init__(self, sheet: Sheet, head: str, args: tuple[Any, ...], shape: Shape, plain: bool) -> None:
        self.sheet, self.head, self.args, self.shape, self.plain = sheet, head, args, shape, plain
        self.made = len(sheet.terms)

    @property
    def inputs(self) -> list[Term]:
        return [arg for arg in self.args if isinstance(arg, Term)]

    def __add__(self, other: Any) -> Any:
        return self._with("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._with("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._with("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._with("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return self._with("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._with("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._with("**", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._with(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return self._with(">=", self, other)

    def __lt__(self, other: Any) -> Any:
        return self._with("<", self, other)

    def __le__(self, other: Any) -> Any:
        return self._with("<=", self, other)

    def __neg__(self) -> Term:
        return self.sheet.call("neg", self)

    def __abs__(self) -> Term:
        return self.sheet.call("abs", self)

    def _with(self, head: str, *args: Any) -> Any:
        if any(isinstance(arg, np.ndarray) for arg in args):
            return NotImplemented
        return self.sheet.call(head, *args)


class Entry(Term):
    """One float. It knows nothing of arrays, so that arrays of objects take it as it is."""

    __slots__ = ()


class Whole(Term):
    """An array with its shape; `plain` ones are single floats all the same."""

    __slots__ = ()
    dtype = np.dtype(float)

    @property
    def T(self) -> Term:
        if self.shape == (1, 1):
            return self
        return self.args[0] if self.head == "T" else self.sheet.make("T", (self,), self.shape[::-1])

    def __matmul__(self, other: Whole) -> Term:
        if (1, 1) in (self.shape, other.shape):
            return self.sheet.call("*", self, other)
        return self.sheet.make("@", (self, other), (self.shape[0], other.shape[1]))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Term:
        if method != "__call__" or options:
            raise TypeError(f"no program for {ufunc.__name__}")
        return self.sheet.call(UFUNCS[ufunc.__name__], *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Term:
        if function is np.broadcast_to:
            return self.sheet.spread(*args, **options)
        if function in (np.sum, np.max):
            return self.sheet.along("sum" if function is np.sum else "largest", args[0], options["axis"])
        raise TypeError(f"no program for {function.__name__}")


class Sheet:
    """Makes terms of one kind, each once."""

    def __init__(self, kind: type[Term]) -> None:
        self.kind = kind
        self.terms: list[Term] = []
        self._known: dict[Any, Term] = {}
        self.algebra = algebra(self)

    def make(self, head: str, args: tuple[Any, ...], shape: Shape, plain: bool = False) -> Term:
        """The one term with this head and these arguments."""
        key = (head, shape, *(id(arg) if isinstance(arg, Term) else repr(arg) for arg in args))
        if key not in self._known:
            self._known[key] = found = self.kind(self, head, args, shape, plain)
            self.terms.append(found)
        return self._known[key]

    def number(self, value: Any) -> Term:
        return value if isinstance(value, Term) else self.make("number", (float(value),), (1, 1), plain=True)

    def leaf(self, name: str, shape: Shape = (1, 1), *, plain: bool = False) -> Term:
        return self.make("leaf", (name,), shape, plain)

    def call(self, head: str, *args: Any) -> Term:
        """An operation or a function, entry by entry."""
        terms = [self.number(arg) for arg in args]
        if self.kind is Whole:
            terms = unspread(terms)
        if (found := self._simple(head, terms)) is not None:
            return found
        shape = np.broadcast_shapes(*(term.shape for term in terms))
        return self.make(head, tuple(terms), shape, all(term.plain for term in terms))

    def spread(self, term: Any, shape: Shape) -> Term:
        term = self.number(term)
        return term if term.shape == tuple(shape) else self.make("spread", (term, tuple(shape)), tuple(shape))

    def along(self, head: str, term: Term, axis: int | None) -> Term:
        """The sum or the largest of all entries, or along an axis."""
        rows, columns = term.shape
        shape = (1 if axis != 1 else rows), (1 if axis != 0 else columns)
        return term if shape == term.shape else self.make(head, (term, axis), shape, plain=axis is None)

    def choose(self, conditions: Sequence[Term], values: Sequence[Any]) -> Term:
        """The value whose condition is the first true one."""
        found = self.number(values[-1])
        for condition, value in zip(reversed(conditions), reversed(values[:-1]), strict=True):
            found = self._either(condition, self.number(value), found)
        return found

    # what is trivial --------------------------------------------------------------------------------------------------
    def _simple(self, head: str, terms: list[Term]) -> Term | None:
        numbers = [term.args[0] if term.head == "number" else None for term in terms]
        if head in FOLDED and None not in numbers:
            try:
                return self.number(FOLDED[head](*numbers))
            except (ArithmeticError, ValueError):
                return None
        if head == "neg":
            return self._negative(terms[0])
        if head == "xlogy" and numbers[0] is not None:
            return self.number(0) if numbers[0] == 0 else self.call("*", terms[0], self.call("log", terms[1]))
        if head in ("+", "-", "*", "/", "**"):
            return self._arithmetic(head, terms, numbers)
        return None

    def _negative(self, term: Term) -> Term | None:
        if term.head == "neg":
            return term.args[0]  # type: ignore[no-any-return]
        return self.call("-", term.args[1], term.args[0]) if term.head == "-" else None

    def _arithmetic(self, head: str, terms: list[Term], numbers: list[float | None]) -> Term | None:
        a, b = terms
        m, n = numbers
        match head:
            case "+" | "-" if n == 0:
                return a
            case "+" if m == 0:
                return b
            case "+" if b.head == "neg":
                return self.call("-", a, b.args[0])
            case "-" if m == 0:
                return self.call("neg", b)
            case "-" if b.head == "neg":
                return self.call("+", a, b.args[0])
            case "*":
                return self._product(a, b, m, n)
            case "/" | "**" if n == 1:
                return a
            case "**" if n == 2:
                inside = a.args[0] if a.head == "neg" else a
                return self.call("*", inside, inside)
        return None

    def _product(self, a: Term, b: Term, m: float | None, n: float | None) -> Term | None:
        for one, other, factor in ((a, b, m), (b, a, n)):
            if factor == 1:
                return other
            if factor == -1:
                return self.call("neg", other)
            if factor == 0 and self.kind is Entry:
                return self.number(0)
            if one.head == "if" and is_number(one.args[1], 1) and other is not one:
                condition, yes, no = one.args
                if self.kind is Entry and no.head == "number":
                    return self._either(condition, other, self.call("*", other, no))
                if is_number(no, 0) and not other.plain and yes.plain:
                    return self.make("*", (other, condition), np.broadcast_shapes(other.shape, condition.shape))
        return None

    def _either(self, condition: Term, yes: Term, no: Term) -> Term:
        positive = condition.head == ">" and condition.args[0] is yes and is_number(condition.args[1], 0)
        if self.kind is Whole and positive and is_number(no, 0):
            return self.call("max", yes, no)
        shape = np.broadcast_shapes(condition.shape, yes.shape, no.shape)
        return self.make("if", (condition, yes, no), shape, condition.plain and yes.plain and no.plain)


def is_number(term: Term, value: float) -> bool:
    return term.head == "number" and bool(term.args[0] == value)


def unspread(terms: list[Term]) -> list[Term]:
    """Operands of an operation entry by entry, which repeats rows and columns by itself."""
    shape = np.broadcast_shapes(*(term.shape for term in terms))
    for i, term in enumerate(terms):
        if term.head == "spread":
            shorter = [*terms[:i], term.args[0], *terms[i + 1 :]]
            if np.broadcast_shapes(*(each.shape for each in shorter)) == shape:
                terms = shorter
    return terms


def algebra(sheet: Sheet) -> Algebra:
    """The ops of a graph over terms."""

    def function(head: str) -> Callable[..., Value]:
        return each(lambda *args: sheet.call(head, *args))

    functions = {head: function(head) for head in FLOATS.functions if head != "pi"}
    return Algebra(
        "program",
        sheet.number,
        {**functions, "pi": lambda: sheet.number(math.pi)},
        lambda conditions, values: each(lambda *row: sheet.choose(row[: len(conditions)], row[len(conditions) :]))(
            *conditions, *values
        ),
    )
