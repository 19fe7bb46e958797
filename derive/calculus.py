"""Symbolic derivatives of formulas of numbers, one small rule for each way of building them.

At a kink the value is PyTorch's: |x| and relu have slope 0 at 0, and two equal arguments of max or min half each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from derive.formula import (
    ONE,
    PI,
    ZERO,
    Apply,
    Formula,
    Function,
    Name,
    Number,
    add,
    bind,
    branches,
    cases,
    cos,
    divide,
    exp,
    is_number,
    log,
    multiply,
    names,
    negate,
    power,
    sin,
    sqrt,
    tanh,
    walk,
    xlogy,
)

SHORT = 30  # pieces of a formula that may be written twice

Slope = Callable[[Formula], Formula]  # the derivative of a part by the name in question

#: f′(u) for every function f of one argument.
OUTER: dict[str, Callable[[Formula], Formula]] = {
    "exp": exp,
    "log": lambda u: over(u),
    "sqrt": lambda u: over(2 * sqrt(u)),
    "sin": cos,
    "cos": lambda u: -sin(u),
    "tanh": lambda u: 1 - tanh(u) ** 2,
    "abs": lambda u: cases((1, u > 0), (-1, u < 0), (0, True)),
    "floor": lambda u: ZERO,
    "ceil": lambda u: ZERO,
    "erf": lambda u: 2 / sqrt(PI) * exp(-(u**2)),
    "expm1": exp,
    "log1p": lambda u: over(1 + u),
}


def derivative(f: Formula, by: Name) -> Formula:
    """∂f/∂by; every other name is a constant."""
    if isinstance(f, Name) and f.key == by.key:
        return ONE
    if not isinstance(f, Apply) or all(name.key != by.key for name in names(f)):
        return ZERO

    def slope(part: Formula) -> Formula:
        return derivative(part, by)

    match f.head:
        case Function():
            return _function(f, slope)
        case "cases":
            return _cases(f, slope)
        case head if head in OUTER:
            return chain(OUTER[head](f.args[0]), slope(f.args[0]))
        case head if head in RULES:
            return RULES[head](f, slope)
    raise TypeError(f"no rule for the derivative of {f.head!r}")


# rules ----------------------------------------------------------------------------------------------------------------
def _sum(f: Apply, slope: Slope) -> Formula:
    """(u + v)′ = u′ + v′."""
    return plus(*map(slope, f.args))


def _negative(f: Apply, slope: Slope) -> Formula:
    """(−u)′ = −u′."""
    return negate(slope(f.args[0]))


def _product(f: Apply, slope: Slope) -> Formula:
    """(u·v)′ = u′·v + u·v′; equal factors are one power."""
    counts = dict.fromkeys(f.args, 0)
    for factor in f.args:
        counts[factor] += 1
    factors = [power(factor, Number(Fraction(count))) for factor, count in counts.items()]
    slopes = [slope(factor) for factor in factors]
    return plus(*(times(*factors[:i], slopes[i], *factors[i + 1 :]) for i in range(len(factors))))


def _quotient(f: Apply, slope: Slope) -> Formula:
    """(u/v)′ = (u′·v − u·v′)/v², which is u′/v or −u·v′/v² where one of them is constant."""
    u, v = f.args
    du, dv = slope(u), slope(v)
    if is_number(dv, 0):
        return times(du, over(v))
    if is_number(du, 0):
        return negate(times(u, dv, over(v), over(v)))
    return times(plus(times(du, v), negate(times(u, dv))), over(v), over(v))


def _power(f: Apply, slope: Slope) -> Formula:
    """(uⁿ)′ = n·uⁿ⁻¹·u′ and (aᵛ)′ = aᵛ·ln a·v′; both together where u and v vary."""
    u, n = f.args
    du, dn = slope(u), slope(n)
    lower = Number(n.value - 1) if isinstance(n, Number) and not n.text else n - 1
    by_base = ZERO if is_number(du, 0) else times(n, du, ONE if is_number(lower, 0) else power(u, lower))
    if is_number(dn, 0) or is_number(u, 0):
        return by_base
    # ln u is not asked for where the exponent stands still: u may be negative there
    by_exponent = times(f, log(u), dn) if isinstance(dn, Number) else times(f, xlogy(dn, u))
    return plus(by_base, by_exponent)


def _xlogy(f: Apply, slope: Slope) -> Formula:
    """(u·ln v)′ = u′·ln v + u·v′/v."""
    u, v = f.args
    du = slope(u)
    return plus(times(du, log(v)) if isinstance(du, Number) else xlogy(du, v), times(u, slope(v), over(v)))


def _extreme(f: Apply, slope: Slope) -> Formula:
    """max(u, v)′ is u′ where u > v, v′ where u < v, and the mean of both where they are equal; min the other way."""
    u, v = f.args
    wins, loses = (u > v, u < v) if f.head == "max" else (u < v, u > v)
    du, dv = slope(u), slope(v)
    if du == dv:
        return du
    if all(sum(1 for _ in walk(part)) <= SHORT for part in (du, dv)):
        return cases((du, wins), (dv, loses), (times(Number(Fraction(1, 2)), plus(du, dv)), True))
    may_win, may_lose = (u >= v, u <= v) if f.head == "max" else (u <= v, u >= v)
    return add(_share(du, wins, may_win), _share(dv, loses, may_lose))


def _share(slope: Formula, wins: Formula, may_win: Formula) -> Formula:
    """What one argument gives to the derivative of max; its slope is written once, so that max in max stays short."""
    if is_number(slope, 0):
        return ZERO
    return cases((multiply(cases((1, wins), (Fraction(1, 2), True)), slope), may_win), (0, True))


def _cases(f: Apply, slope: Slope) -> Formula:
    """Branch by branch."""
    rows = [(slope(value), True if when is None else when) for value, when in branches(f)]
    return rows[0][0] if all(value == rows[0][0] for value, _ in rows) else cases(*rows)


def _function(f: Apply, slope: Slope) -> Formula:
    """f(u, v)′ = ∂f/∂u·u′ + ∂f/∂v·v′, by the definition of f; σ′ = σ·(1 − σ)."""
    assert isinstance(f.head, Function)
    body, parameters = f.head.body, f.head.parameters
    if body is None:
        raise TypeError(f"no rule for the derivative of {f.head.name}")
    if body == 1 / (1 + exp(-parameters[0])):
        return times(slope(f.args[0]), f, 1 - f)
    given: dict[Name, Formula] = dict(zip(parameters, f.args, strict=True))
    outer = [bind(derivative(body, parameter), given) for parameter in parameters]
    return plus(*(chain(slope_of, slope(arg)) for slope_of, arg in zip(outer, f.args, strict=True)))


RULES: dict[str, Callable[[Apply, Slope], Formula]] = {
    "add": _sum,
    "neg": _negative,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "xlogy": _xlogy,
    "max": _extreme,
    "min": _extreme,
}


# writing the results --------------------------------------------------------------------------------------------------
def chain(outer: Formula, inner: Formula) -> Formula:
    """f(u)′ = f′(u)·u′; into f′ by cases u′ moves if it need not be written twice."""
    if isinstance(outer, Apply) and outer.head == "cases" and not is_number(inner, 0):
        rows = [(value, True if when is None else when) for value, when in branches(outer)]
        if isinstance(inner, Number) or sum(not is_number(value, 0) for value, _ in rows) == 1:
            return cases(*((times(inner, value), when) for value, when in rows))
    return times(inner, outer)


def plus(*terms: Formula) -> Formula:
    """A sum in which like terms are one: x + 1 − x is 1, x + x is 2·x."""
    totals = dict[Formula, Fraction]()
    for coefficient, rest in (found for term in terms for found in weighed(term, 1)):
        totals[rest] = totals.get(rest, Fraction(0)) + coefficient
    return add(*(multiply(Number(coefficient), rest) for rest, coefficient in totals.items()))


def weighed(f: Formula, sign: int) -> Iterator[tuple[Fraction, Formula]]:
    """The terms of a sum as coefficients and what they multiply."""
    match f:
        case Apply(head="neg", args=(inner,)):
            yield from weighed(inner, -sign)
        case Apply(head="add", args=args):
            for arg in args:
                yield from weighed(arg, sign)
        case Number(value=value, text=""):
            if value:
                yield sign * value, ONE
        case Apply(head="mul", args=(Number(value=value, text=""), *rest)):
            yield sign * value, multiply(*rest)
        case _:
            yield Fraction(sign), f


def over(f: Formula) -> Formula:
    return Apply("div", (ONE, f))


def times(*factors: Formula) -> Formula:
    """A product with at most one fraction bar; equal factors become powers, above and below the bar they cancel."""
    coefficient, exponents, barred = Fraction(1), dict[Formula, int](), False
    for piece, exponent in (found for factor in factors for found in pieces(factor, 1)):
        barred |= exponent < 0
        if isinstance(piece, Number) and not piece.text and (piece.value or exponent > 0):
            coefficient *= piece.value**exponent
        else:
            exponents[piece] = exponents.get(piece, 0) + exponent
    if not coefficient:
        return ZERO
    top = [power(piece, Number(Fraction(n))) for piece, n in exponents.items() if n > 0]
    bottom = [power(piece, Number(Fraction(-n))) for piece, n in exponents.items() if n < 0]
    if not barred:
        return multiply(Number(coefficient), *top)
    above, below = Fraction(abs(coefficient.numerator)), Fraction(coefficient.denominator)
    fraction = divide(multiply(Number(above), *top), multiply(Number(below), *bottom))
    return negate(fraction) if coefficient < 0 else fraction


def pieces(f: Formula, exponent: int) -> Iterator[tuple[Formula, int]]:
    """The factors of a product, with their exponents; numbers have exponent 1 or −1."""
    match f:
        case Apply(head="neg", args=(inner,)):
            yield Number(Fraction(-1)), 1
            yield from pieces(inner, exponent)
        case Apply(head="mul", args=args):
            for arg in args:
                yield from pieces(arg, exponent)
        case Apply(head="div", args=(top, bottom)):
            yield from pieces(top, exponent)
            yield from pieces(bottom, -exponent)
        case Apply(head="pow", args=(base, Number(value=value, text=""))) if value > 0 and value.denominator == 1:
            yield from raised(base, exponent * value.numerator)
        case _:
            yield f, exponent


def raised(base: Formula, exponent: int) -> Iterator[tuple[Formula, int]]:
    """A power of a power is one power; products in brackets stay as they are."""
    match base:
        case Apply(head="pow", args=(inner, Number(value=value, text=""))) if value > 0 and value.denominator == 1:
            yield from raised(inner, exponent * value.numerator)
        case Apply(head="neg" | "mul" | "div") | Number():
            yield power(base, Number(Fraction(abs(exponent)))), 1 if exponent > 0 else -1
        case _:
            yield base, exponent
