"""A derivative taken step by step, one rule at a time, as on paper: what is not differentiated yet stays d/dz (…).

`calculus` gives the result at once; here every rule has its line and its name. Nothing here is evaluated: the lines are
checked by whoever prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive import calculus
from derive.expression import SIGMOID
from derive.formula import (
    ONE,
    ZERO,
    Apply,
    Formula,
    Function,
    Name,
    Number,
    Written,
    add,
    bind,
    branches,
    cases,
    is_number,
    multiply,
    names,
    negate,
    power,
    substitute,
    tanh,
    walk,
)

Pending = Callable[[Formula], Name]


@dataclass(frozen=True)
class Move:
    """One step: the rule's name, the whole expression after it, and what the rule's sentence speaks of."""

    rule: str
    formula: Formula
    parts: Mapping[str, Formula] = field(default_factory=dict)


def moves(f: Formula, by: Name, pending: Pending) -> Iterator[Move]:
    """The derivative of f by a name, rule by rule, the first derivative that is not yet taken each time.

    pending: makes the name of a derivative that is not yet taken; its symbol is a `Written`
    """
    whole: Formula = pending(f)
    while (name := next((n for n in names(whole) if isinstance(n.symbol, Written) and n.symbol.by), None)) is not None:
        assert isinstance(name.symbol, Written)
        rule, slope, parts = one(name.symbol.of, by, pending)
        whole = substitute(whole, lambda n, name=name, slope=slope: slope if n == name else n)  # type: ignore[misc]
        yield Move(rule, whole, parts)


Found = tuple[str, Formula, dict[str, Formula]]


def one(f: Formula, by: Name, pending: Pending) -> Found:
    """(rule, derivative in which inner derivatives may be pending, what the sentence names)."""

    def slope(part: Formula) -> Formula:
        return simple(part, by) or pending(part)

    at_once = simple(f, by)
    if at_once is not None:
        return "linear", at_once, {"f": f}
    assert isinstance(f, Apply)
    match f.head:
        case Function() as function:
            return called(f, function, by, slope)
        case "cases":
            rows = [(slope(value), True if when is None else when) for value, when in branches(f)]
            return "cases", cases(*rows), {}
        case "add":
            return "sum", add(*map(slope, f.args)), {}
        case "neg":
            return "factor", negate(slope(f.args[0])), {"c": Number(Fraction(-1))}
        case "mul":
            return product(f, by, slope)
        case "div":
            return quotient(f, by, slope)
        case "pow":
            return raised(f, by, slope)
        case "max" | "min":
            return "extreme", calculus.derivative(f, by), {"f": f}
        case head if head in calculus.OUTER:
            inner = f.args[0]
            outer = calculus.OUTER[str(head)](inner)
            if inner == by:
                return str(head), outer, {"f": f}
            return "chain", multiply(outer, slope(inner)), {"f": f, "u": inner}
    return "other", calculus.derivative(f, by), {"f": f}


def simple(f: Formula, by: Name) -> Formula | None:
    """The derivative of a constant, of the variable, and of a constant times the variable; None for all else."""
    if not depends(f, by):
        return ZERO
    if f == by:
        return ONE
    match f:
        case Apply(head="neg", args=(inner,)):
            found = simple(inner, by)
            return None if found is None else negate(found)
        case Apply(head="mul", args=args) if by in args and sum(depends(arg, by) for arg in args) == 1:
            return multiply(*(arg for arg in args if arg != by))
        case Apply(head="div", args=(top, bottom)) if top == by and not depends(bottom, by):
            return ONE / bottom
    return None


def depends(f: Formula, by: Name) -> bool:
    return any(name.key == by.key for name in names(f))


def product(f: Apply, by: Name, slope: Callable[[Formula], Formula]) -> Found:
    still, moving = ([arg for arg in f.args if depends(arg, by) == wanted] for wanted in (False, True))
    if still:
        return "factor", multiply(*still, slope(multiply(*moving))), {"c": multiply(*still)}
    first, rest = moving[0], multiply(*moving[1:])
    return "product", add(multiply(slope(first), rest), multiply(first, slope(rest))), {"u": first, "v": rest}


def quotient(f: Apply, by: Name, slope: Callable[[Formula], Formula]) -> Found:
    u, v = f.args
    if not depends(v, by):
        return "factor", slope(u) / v, {"c": ONE / v}
    if not depends(u, by):
        return "reciprocal", negate(multiply(u, slope(v)) / v**2), {"u": u, "v": v}
    return "quotient", (multiply(slope(u), v) - multiply(u, slope(v))) / v**2, {"u": u, "v": v}


def raised(f: Apply, by: Name, slope: Callable[[Formula], Formula]) -> Found:
    base, exponent = f.args
    if depends(exponent, by):
        if not depends(base, by):
            from derive.formula import log

            return "exponential", multiply(f, log(base), slope(exponent)), {"f": f, "u": exponent}
        return "other", calculus.derivative(f, by), {"f": f}
    lower = Number(exponent.value - 1) if isinstance(exponent, Number) and not exponent.text else exponent - 1
    outer = multiply(exponent, ONE if is_number(lower, 0) else power(base, lower))
    if base == by:
        return "power", outer, {"n": exponent}
    return "power_chain", multiply(outer, slope(base)), {"n": exponent, "u": base}


def called(f: Apply, function: Function, by: Name, slope: Callable[[Formula], Formula]) -> Found:
    assert function.body is not None
    if function.body == SIGMOID.body or (
        len(f.args) == 1 and function.body == 1 / (1 + Apply("exp", (-function.parameters[0],)))
    ):
        outer = multiply(f, 1 - f)
        rule = "sigmoid" if f.args[0] == by else "chain"
        return rule, multiply(outer, slope(f.args[0])), {"f": f, "u": f.args[0]}
    return "definition", slope(bind(function.body, dict(zip(function.parameters, f.args, strict=True)))), {"f": f}


# the form in which it is taught -----------------------------------------------------------------------------------------
PLACES = (Fraction(-7, 5), Fraction(3, 10), Fraction(11, 10), Fraction(-1, 4), Fraction(9, 4))
CLOSE = Fraction(1, 10**40)


def taught(f: Formula, last: Formula, by: Name, value: Callable[[Formula, Any], Any]) -> Formula | None:
    """The derivative in σ or tanh where it is c·g(u) + d for one of these, else tidied; None if that changes nothing.

    value: the value of a formula where the variable has a value, with many digits
    """
    from derive.algebra import digits

    number = digits().number
    places = [number(place) for place in PLACES]
    try:
        wanted = [value(last, place) for place in places]
        for g in candidates(f, by):
            found = [value(g, place) for place in places]
            if abs(found[1] - found[0]) < number(CLOSE):
                continue
            c = (wanted[1] - wanted[0]) / (found[1] - found[0])
            d = wanted[0] - c * found[0]
            c, d = rational(c), rational(d)
            if c is None or d is None:
                continue
            if all(abs(number(c) * x + number(d) - w) < number(CLOSE) for x, w in zip(found, wanted, strict=True)):
                return add(multiply(Number(c), g), Number(d))
    except (ArithmeticError, ValueError, TypeError):
        return None
    tidy = calculus.derivative(f, by)
    return tidy if size(tidy) < size(last) else None


def rational(x: Any) -> Fraction | None:
    """A simple fraction that the number is, if it is one."""
    from derive.algebra import digits

    found = Fraction(round(float(x) * 720), 720)
    return found if abs(x - digits().number(found)) < digits().number(CLOSE) else None


def candidates(f: Formula, by: Name) -> Iterator[Formula]:
    """What derivatives are taught in: σ(u), σ(u)(1 − σ(u)), 1 − tanh²u, for the u that stand in exp and tanh."""
    for u in arguments(f, by):
        s = Apply(SIGMOID, (u,))
        inner = calculus.derivative(u, by)
        for g in (s, s * (1 - s), 1 - tanh(u) ** 2):
            yield g
            if not isinstance(inner, Number):
                yield multiply(inner, g)


def arguments(f: Formula, by: Name) -> list[Formula]:
    found: dict[Formula, None] = {}
    for part in walk(f):
        if isinstance(part, Apply) and part.head in ("exp", "tanh") and depends(part, by):
            inner = part.args[0]
            found[inner.args[0] if isinstance(inner, Apply) and inner.head == "neg" else inner] = None
    return list(found)


def size(f: Formula) -> int:
    return sum(1 for _ in walk(f))
