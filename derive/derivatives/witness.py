"""SymPy's own derivative of a typed expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive import calculus
from derive.algebra import DIGITS, digits, evaluate, sympy_algebra
from derive.checks.errors import Errors
from derive.derivatives.places import Drawn
from derive.derivatives.reading import Asked, degree
from derive.differentiation import size
from derive.document import Witness
from derive.formula import Apply, walk

MAX_FOR_SYMPY = 120  # pieces; of more, or of a maximum in a maximum, SymPy may think for minutes
DIGITS_OF_SYMPY = 400


def by_sympy(asked: Asked, drawn: Sequence[Drawn]) -> Iterator[Witness]:
    """SymPy's own derivative, at the same values; nothing where it offers none."""
    heads = [part.head for part in walk(asked.function) if isinstance(part, Apply)]
    if (
        size(asked.function) > MAX_FOR_SYMPY
        or sum(head in ("max", "min") for head in heads) > 2
        or degree(asked.function) > 100
    ):
        return
    import sympy as sp

    errors = Errors()
    ours = asked.function
    for _ in range(asked.order):
        ours = calculus.derivative(ours, asked.by)
    try:
        symbols = {name: sp.Symbol(name.id, real=True) for name in asked.variables}
        theirs = sp.diff(evaluate(asked.function, symbols.__getitem__, sympy_algebra()), symbols[asked.by], asked.order)
        for at in drawn:
            exactly = {symbols[name]: sp.Rational(x.numerator, x.denominator) for name, x in at.items()}
            there = theirs.xreplace(exactly).evalf(DIGITS - 10, maxn=DIGITS_OF_SYMPY)
            found = digits().number(there._to_mpmath(DIGITS_OF_SYMPY))
            value = evaluate(ours, lambda name, at=at: digits().number(at[name]), digits())  # type: ignore[misc]
            errors.compare(value, found, max(1e-3, abs(float(value))))
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError):
        return
    yield errors.witness("sympy_derivative", "page", 1e-12)
