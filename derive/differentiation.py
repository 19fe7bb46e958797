"""A derivative taken step by step, one rule at a time, as on paper: what is not differentiated yet stays d/dz (…).

`calculus` gives the result at once; here every rule has its line and its name. Nothing here is evaluated: the lines are
checked by whoever prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeGuard

from derive import calculus
from derive.algebra import digits
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
    cos,
    divide,
    exp,
    is_number,
    log,
    multiply,
    names,
    negate,
    power,
    tanh,
    walk,
)

Pending = Callable[[Formula], Name]
Parts = Mapping[str, Formula]
Reason = tuple[str, Parts]  # a rule, and what its sentence speaks of


@dataclass(frozen=True)
class Move:
    """One step: what it is called, why it holds, and the whole expression after it.

    raw: as the rule leaves it: e⁻ᶻ·(−1) · formula: the same, tidied: −e⁻ᶻ
    """

    rule: str
    reasons: tuple[Reason, ...]
    raw: Formula
    formula: Formula


@dataclass(frozen=True)
class Taken:
    """A derivative by one rule; derivatives inside may still be pending."""

    rule: str
    slope: Formula
    reasons: tuple[Reason, ...]


def moves(f: Formula, by: Name, pending: Pending) -> Iterator[Move]:
    """The derivative of f by a name, rule by rule, the first derivative that is not yet taken each time.

    pending: makes the name of a derivative that is not yet taken; its symbol is a `Written`
    """
    waiting: dict[Formula, Name] = {}

    def later(part: Formula) -> Name:
        return waiting.setdefault(part, pending(part)) if part not in waiting else waiting[part]

    whole: Formula = later(f)
    while (name := first_pending(whole)) is not None:
        assert isinstance(name.symbol, Written)
        taken = one(name.symbol.of, by, later)
        raw = put(whole, name, taken.slope)
        whole = tidied(raw)
        yield Move(taken.rule, taken.reasons, raw, whole)


def first_pending(f: Formula) -> Name | None:
    return next((n for n in names(f) if isinstance(n.symbol, Written) and n.symbol.by is not None), None)


# the rules --------------------------------------------------------------------------------------------------------------
def one(f: Formula, by: Name, pending: Pending) -> Taken:
    """The derivative of f by the rule for what it is at the outside."""

    def slope(part: Formula) -> Formula:
        found = simple(part, by)
        return pending(part) if found is None else found

    at_once = simple(f, by)
    if at_once is not None:
        return taken("linear" if depends(f, by) else "constant", at_once, f=f)
    assert isinstance(f, Apply)
    match f.head:
        case Function() as function:
            return called(f, function, by, slope)
        case "cases":
            return taken(
                "cases", cases(*((slope(value), True if when is None else when) for value, when in branches(f)))
            )
        case "add":
            return taken("sum", add(*map(slope, f.args)))
        case "neg":
            return taken("factor", negate(slope(f.args[0])), c=Number(Fraction(-1)))
        case "mul":
            return product(f, by, slope)
        case "xlogy":
            return product(Apply("mul", (f.args[0], log(f.args[1]))), by, slope)
        case "div":
            return quotient(f, by, slope)
        case "pow":
            return raised(f, by, slope)
        case "log1p":
            return taken("definition", slope(log(1 + f.args[0])), f=f)
        case "expm1":
            return taken("definition", slope(exp(f.args[0]) - 1), f=f)
        case "max" | "min":
            return extreme(f, by, slope)
        case head if head in SMOOTH:
            return outside(str(head), calculus.OUTER[str(head)](f.args[0]), f.args[0], by, slope)
    raise TypeError(f"no rule for the derivative of {f.head!r}")


def taken(rule: str, slope: Formula, **parts: Formula) -> Taken:
    return Taken(rule, slope, ((rule, parts),))


Slope = Callable[[Formula], Formula]
SMOOTH = calculus.OUTER.keys() - {"floor", "ceil", "log1p", "expm1"}  # functions with a rule and a name of their own


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


def outside(head: str, outer: Formula, inner: Formula, by: Name, slope: Slope) -> Taken:
    """A function whose derivative is known, of the variable itself or of something else."""
    if inner == by:
        return taken(head, outer)
    return Taken("chain", as_written(outer, slope(inner)), (("chain", {"u": inner}), (head, {})))


def product(f: Apply, by: Name, slope: Slope) -> Taken:
    still, moving = ([arg for arg in f.args if depends(arg, by) == wanted] for wanted in (False, True))
    if still:
        c = multiply(*still)
        return taken("factor", as_written(c, slope(multiply(*moving))), c=c)
    u, v = moving[0], multiply(*moving[1:])
    return taken("product", Apply("add", (as_written(slope(u), v), as_written(u, slope(v)))), u=u, v=v)


def quotient(f: Apply, by: Name, slope: Slope) -> Taken:
    u, v = f.args
    if not depends(v, by):
        return taken("factor", divide(slope(u), v), c=ONE / v)
    if not depends(u, by):
        top = slope(v) if is_number(u, 1) else as_written(u, slope(v))
        return taken("reciprocal", negate(divide(top, v**2)), c=u, v=v)
    top = Apply("add", (as_written(slope(u), v), Apply("neg", (as_written(u, slope(v)),))))
    return taken("quotient", divide(top, v**2), u=u, v=v)


def raised(f: Apply, by: Name, slope: Slope) -> Taken:
    base, exponent = f.args
    if depends(exponent, by):
        if depends(base, by):
            return taken("tower", as_written(f, slope(multiply(exponent, log(base)))), u=base, v=exponent)
        return taken("exponential", as_written(f, log(base), slope(exponent)), a=base, u=exponent)
    lower = Number(exponent.value - 1) if isinstance(exponent, Number) and not exponent.text else exponent - 1
    outer = multiply(exponent, ONE if is_number(lower, 0) else power(base, lower))
    if base == by:
        return taken("power", outer, n=exponent)
    return Taken("power_chain", as_written(outer, slope(base)), (("power", {"n": exponent}), ("chain", {"u": base})))


def extreme(f: Apply, by: Name, slope: Slope) -> Taken:
    """Of two arguments the one that decides; a constant is written to the right of the comparison."""
    u, v = f.args if depends(f.args[0], by) else f.args[::-1]
    du, dv = slope(u), slope(v)
    wins, loses = (u > v, u < v) if f.head == "max" else (u < v, u > v)
    mean = calculus.times(Number(Fraction(1, 2)), calculus.plus(du, dv))
    return taken(f"{f.head}", cases((du, wins), (dv, loses), (mean, True)), u=u, v=v)


def called(f: Apply, function: Function, by: Name, slope: Slope) -> Taken:
    if function.body is None:
        raise TypeError(f"no rule for the derivative of {function.name}")
    if function.body == bind(SIGMOID.body, {SIGMOID.parameters[0]: function.parameters[0]}):  # type: ignore[arg-type]
        return outside("sigmoid", multiply(f, 1 - f), f.args[0], by, slope)
    return taken("definition", slope(bind(function.body, dict(zip(function.parameters, f.args, strict=True)))), f=f)


# writing ----------------------------------------------------------------------------------------------------------------
def as_written(*factors: Formula) -> Formula:
    """A product of which nothing is worked out, but for a factor 0; signs and ones are seen."""
    if any(is_number(factor, 0) for factor in factors):
        return ZERO
    flat = [part for factor in factors for part in (factor.args if headed(factor, "mul") else (factor,))]
    return flat[0] if len(flat) == 1 else Apply("mul", tuple(flat))


def headed(f: Formula, *heads: str) -> TypeGuard[Apply]:
    return isinstance(f, Apply) and f.head in heads


def put(f: Formula, name: Name, found: Formula) -> Formula:
    """The formula with a name replaced and nothing else changed; sums and products stay flat."""
    if f == name:
        return found
    if not isinstance(f, Apply) or all(n != name for n in names(f)):
        return f
    args = tuple(put(arg, name, found) for arg in f.args)
    if f.head == "add":
        return add(*args)
    return as_written(*args) if f.head == "mul" else Apply(f.head, args, f.axis)


def tidied(f: Formula) -> Formula:
    """Constants folded, zeros and ones dropped, one fraction bar for a product."""
    if not isinstance(f, Apply):
        return f
    args = tuple(tidied(arg) for arg in f.args)
    match f.head:
        case "add":
            return add(*args)
        case "neg":
            return negate(args[0])
        case "mul":
            return joined(args)
        case "div":
            return over(*args)
        case "pow":
            return power(*args)
        case "cases" if len(set(args[::2])) == 1:
            return args[0]
    return Apply(f.head, args, f.axis)


def joined(factors: tuple[Formula, ...]) -> Formula:
    """A product; the fractions in it become one, but for a number in front."""
    product = multiply(*factors)
    if headed(product, "neg"):
        return negate(joined(product.args))
    pieces = product.args if headed(product, "mul") else (product,)
    if len(pieces) == 1 or not any(headed(piece, "div") for piece in pieces):
        return product
    tops = [piece.args[0] if headed(piece, "div") else piece for piece in pieces]
    bottoms = [piece.args[1] for piece in pieces if headed(piece, "div")]
    return over(multiply(*tops), multiply(*bottoms))


def over(top: Formula, bottom: Formula) -> Formula:
    """A quotient with one fraction bar, its sign in front."""
    if headed(bottom, "neg"):
        return negate(over(top, bottom.args[0]))
    if headed(top, "neg"):
        return negate(over(top.args[0], bottom))
    if headed(top, "div"):
        return over(top.args[0], multiply(top.args[1], bottom))
    if isinstance(bottom, Number) and isinstance(top, Apply) and top.head == "mul" and isinstance(top.args[0], Number):
        share = top.args[0].value / bottom.value if not (bottom.text or top.args[0].text) else None
        if share is not None and share.denominator == 1:
            return multiply(Number(share), *top.args[1:])
    return divide(top, bottom)


def collected(f: Formula) -> Formula:
    """Like terms taken together, equal factors as powers, what stands above and below a bar cancelled."""
    if not isinstance(f, Apply):
        return f
    args = tuple(collected(arg) for arg in f.args)
    match f.head:
        case "add":
            return calculus.plus(*args)
        case "neg":
            return negate(args[0])
        case "mul" | "div":
            return calculus.times(args[0], *(args[1:] if f.head == "mul" else (calculus.over(args[1]),)))
        case "pow":
            return calculus.times(power(*args))
    return Apply(f.head, args, f.axis)


def together(f: Formula) -> Formula:
    """The same over one fraction bar: sums of fractions brought to a common denominator, roots of squares undone."""
    if not isinstance(f, Apply):
        return f
    args = tuple(together(arg) for arg in f.args)
    if f.head == "add":
        found = [fraction(arg) for arg in args]
        bottoms = list(dict.fromkeys(bottom for _, bottom in found if bottom != ONE))
        tops = (calculus.times(top, *(other for other in bottoms if other != bottom)) for top, bottom in found)
        top = calculus.plus(*map(rooted, tops))
        return calculus.times(top, *map(calculus.over, bottoms)) if bottoms else top
    if f.head in ("mul", "div", "neg", "pow"):
        return rooted(collected(Apply(f.head, args)))
    return Apply(f.head, args, f.axis)


def fraction(f: Formula) -> tuple[Formula, Formula]:
    """What stands above and below the bar."""
    if headed(f, "neg"):
        top, bottom = fraction(f.args[0])
        return negate(top), bottom
    return (f.args[0], f.args[1]) if headed(f, "div") else (f, ONE)


def rooted(f: Formula) -> Formula:
    """The square of a root is what stands under it."""
    match f:
        case Apply(head="pow", args=(Apply(head="sqrt", args=(inner,)), Number(value=value, text=""))) if (
            value % 2 == 0
        ):
            return power(inner, Number(value / 2))
        case Apply(head="mul" | "neg" | "div", args=args):
            return tidied(Apply(f.head, tuple(map(rooted, args))))
    return f


# the form in which it is taught -----------------------------------------------------------------------------------------
#: Where forms are compared: none is a place where something special happens.
PLACES = tuple(Fraction(n, 1009) for n in (-1411, 313, 1117, -251, 2269, 773, 3529))
OTHERS = tuple(Fraction(n, 1013) for n in (743, 1249, 521, 1607, 1877, 331))  # for names that are constants here
CLOSE = Fraction(1, 10**100)  # beside the numbers compared
Value = Callable[[Formula, Mapping[str, Any]], Any]


def taught(f: Formula, last: Formula, by: Name, value: Value) -> Formula | None:
    """The derivative in σ or tanh where it is c·g(u) + d for one of these, else tidied; None if that changes nothing.

    value: the value of a formula where names have values, with many digits
    """
    found = familiar(f, last, by, value)
    forms = (last, collected(last), calculus.derivative(f, by), together(last))
    shortest = min(forms, key=size)
    best = found if found is not None else shortest
    return None if best == last else best


def familiar(f: Formula, last: Formula, by: Name, value: Value) -> Formula | None:
    """The derivative as c·g + d with simple fractions c and d, for one of the functions it is taught in."""
    if any(headed(part, "cases", "max", "min", "abs", "floor", "ceil") for part in walk(last)):
        return None  # another formula at other places
    number = digits().number
    close = number(CLOSE)
    others = {name.key: place for name, place in zip(constants(f, by), map(number, OTHERS * 9), strict=False)}

    def along(g: Formula) -> list[Any]:
        return [value(g, {**others, by.key: place}) for place in places]

    places = [number(place) for place in PLACES]
    try:
        places = [place for place in places if is_real(value(last, {**others, by.key: place}))]
        wanted = along(last)
        for g in candidates(f, by) if len(places) > 2 else ():
            found = along(g)
            if abs(found[1] - found[0]) < close:
                continue
            slope = (wanted[1] - wanted[0]) / (found[1] - found[0])
            c, d = rational(slope), rational(wanted[0] - slope * found[0])
            if not c or d is None:
                continue
            if all(same(number(c) * x, w - number(d), w) for x, w in zip(found, wanted, strict=True)):
                scaled = multiply(Number(c), g)
                return add(Number(d), scaled) if c < 0 < d else add(scaled, Number(d))
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None


def same(x: Any, y: Any, size: Any) -> bool:
    """Whether two numbers are one, beside the largest of them and another number: where all are tiny, that is tiny."""
    return bool(abs(x - y) <= digits().number(CLOSE) * max(abs(x), abs(y), abs(size)))


def constants(f: Formula, by: Name) -> list[Name]:
    return list(dict.fromkeys(name for name in names(f) if name.key != by.key))


def is_real(x: Any) -> bool:
    return not hasattr(x, "_mpc_") and abs(x) < 10**9


def rational(x: Any) -> Fraction | None:
    """A simple fraction that the number is, if it is one."""
    found = Fraction(round(float(x) * 720), 720)
    return found if abs(x - digits().number(found)) < digits().number(CLOSE) else None


def candidates(f: Formula, by: Name) -> Iterator[Formula]:
    """What derivatives are taught in, for the u that stand in exponential functions, σ, tanh and cos."""
    for u, head in arguments(f, by):
        s, t = Apply(SIGMOID, (u,)), tanh(u)
        inner = calculus.derivative(u, by)
        found = {
            "exp": (s, s * (1 - s), s * (1 - s) * (1 - 2 * s)),
            "tanh": (1 - t**2, t * (1 - t**2)),
            "cos": (1 / cos(u) ** 2,),
        }[head]
        for g in found:
            yield g
            if not isinstance(inner, Number):
                yield multiply(inner, g)
        if head == "exp":
            yield s * (1 + u * (1 - s))
            if not isinstance(inner, Number):
                yield multiply(inner, s - 1)


def arguments(f: Formula, by: Name) -> list[tuple[Formula, str]]:
    """The arguments of exp, tanh and cos (without a sign in front), and of σ."""
    found: dict[tuple[Formula, str], None] = {}
    for part in walk(f):
        if not isinstance(part, Apply) or not depends(part, by):
            continue
        if part.head in ("exp", "tanh", "cos"):
            inner = part.args[0]
            found[(inner.args[0] if headed(inner, "neg") else inner, str(part.head))] = None
        elif isinstance(part.head, Function) and part.head.name == SIGMOID.name:
            found[(part.args[0], "exp")] = None
    return list(found)


def size(f: Formula) -> int:
    return sum(1 for _ in walk(f))
