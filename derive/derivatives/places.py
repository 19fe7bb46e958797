"""Where a typed derivative can be checked, and where it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any

import numpy as np

from derive import calculus
from derive.algebra import EXACT, FLOATS, UNKNOWN, digits, evaluate
from derive.derivatives.reading import Asked, refused, symbol_of
from derive.differentiation import depends, moves, size
from derive.document import Say, say
from derive.errors import InputError
from derive.formula import Apply, Formula, Function, Name, Number, Written, bind, substitute, walk

MAX_MOVES = 40  # rules of one derivative: more nobody reads
MAX_SIZE = 1_500  # pieces of the expression while it is differentiated
LARGEST = 1e9  # of every value on the way, where the lines are checked
TRIES = 60  # draws of the variables from one interval
INTERVALS = ((-2, 2), (0, 2), (-1, 0), (1, 8), (-8, -1), (Fraction(-1, 10), Fraction(1, 10)), (-40, 40))
NEAR = 1e-3  # to a kink or the end of a domain no line is checked
Drawn = dict[Name, Fraction]


class Immoderate(ArithmeticError):
    """A value that is no number, or too large, or too near to a kink."""


def draws(asked: Asked, wanted: int) -> list[Drawn]:
    """Values of the variables at which the function and its derivatives are numbers of a moderate size."""
    formulas = [asked.function]
    if is_long(asked.function, asked.by):
        raise too_long()
    for _ in range(asked.order):
        formulas.append(calculus.derivative(formulas[-1], asked.by))
        if size(formulas[-1]) > MAX_SIZE:
            raise too_long()
    lines = [*formulas, *(line for f in formulas[:-1] for line in written(f, asked.by))]
    random, found = Random(wanted), list[Drawn]()
    for low, high in INTERVALS:
        for _ in range(TRIES):
            drawn = {v: low + (high - low) * Fraction(random.randint(50, 950), 1000) for v in asked.variables}
            if drawn in found or not all(is_moderate(f, drawn) for f in formulas):
                continue
            if all(is_real(line, drawn) for line in lines):
                found.append(drawn)
            if len(found) == wanted:
                return found
    raise refused("no value was found at which this has a derivative of a moderate size to check")


def is_long(f: Formula, by: Name) -> bool:
    """Whether the derivative of this takes more rules, or becomes longer, than anybody reads."""
    waiting = (Name(f"waiting{i}") for i in count())
    steps = moves(f, by, lambda part: replace(next(waiting), symbol=Written(part, symbol_of(by))))
    return any(made > MAX_MOVES or size(move.formula) > MAX_SIZE for made, move in enumerate(steps, 1))


def written(f: Formula, by: Name) -> Iterator[Formula]:
    """Everything that is written while this is differentiated, with the derivatives not yet taken worked out."""
    waiting = (Name(f"waiting{i}") for i in count())

    def pending(name: Name) -> Formula:
        symbol = name.symbol
        return calculus.derivative(symbol.of, by) if isinstance(symbol, Written) and symbol.by is not None else name

    for move in moves(f, by, lambda part: replace(next(waiting), symbol=Written(part, symbol_of(by)))):
        yield substitute(move.raw, pending)


def is_real(f: Formula, at: Drawn) -> bool:
    """Whether a formula has a real value there, whatever its size."""
    try:
        value = evaluate(f, lambda name: digits().number(at[name]), digits())
        return hasattr(value, "_mpf_") and abs(value) < float("inf")
    except (ArithmeticError, ValueError, TypeError):
        return False


def too_long() -> InputError:
    return refused("the expression is too long to be differentiated step by step")


def is_moderate(f: Formula, at: Drawn) -> bool:
    try:
        with np.errstate(all="ignore"):
            moderate(f, at)
    except Immoderate:
        return False
    return True


def moderate(f: Formula, at: Drawn) -> Any:
    """The value in floats, if everything in the formula has a moderate one there."""
    match f:
        case Name():
            return float(at[f])
        case Number(value=value):
            return float(value)
        case Apply(head=Function() as function):
            assert function.body is not None
            return moderate(bind(function.body, dict(zip(function.parameters, f.args, strict=True))), at)
    assert isinstance(f, Apply)
    args = [moderate(arg, at) for arg in f.args]
    if f.head == "cases":
        return next((args[i] for i in range(0, len(args) - 1, 2) if args[i + 1]), args[-1])
    near = {"log": args[:1], "sqrt": args[:1], "abs": args[:1]}.get(str(f.head), [])
    if f.head in ("max", "min", "gt", "ge", "lt", "le"):
        near = [args[0] - args[1]]
    places = tuple(Name(str(i)) for i in range(len(args)))
    value = evaluate(Apply(f.head, places), dict(zip(places, map(np.float64, args), strict=True)).__getitem__, FLOATS)
    if any(abs(x) < NEAR for x in near) or not abs(float(value)) < LARGEST:
        raise Immoderate
    return float(value)


# where it holds -----------------------------------------------------------------------------------------------------------
def limits(asked: Asked, called: Callable[[int], Formula]) -> list[Say]:
    """Where the function has no derivative, or is not defined, as far as that can be told.

    called: what the function is called, and its derivatives, by their order
    """
    found: dict[tuple[str, Formula], None] = {}
    for part in walk(asked.function):
        if not isinstance(part, Apply) or not any(depends(arg, asked.by) for arg in part.args):
            continue
        args = part.args
        match part.head:
            case "log" | "sqrt":
                found["positive", args[0]] = None
            case "div" if depends(args[1], asked.by):
                found["nonzero", args[1]] = None
            case "pow":
                power = constant(args[1])
                if power is None or power.denominator > 1:
                    found["positive", args[0]] = None
                elif power < 0:
                    found["nonzero", args[0]] = None
            case "abs" | Function(name="relu"):
                found["kink", args[0]] = None
            case "max" | "min":
                found["kink", args[0] - args[1]] = None
    sentences = [say(f"derivative.{kind}", f=f) for kind, f in found if kind != "kink" and not always(f, strictly=True)]
    places: dict[Fraction, None] = {}
    for kind, f in found:
        zero = root(f, asked.by) if kind == "kink" and len(asked.variables) == 1 else None
        if zero is not None:
            places[zero] = None
        elif kind == "kink":
            sentences.append(say("derivative.maybe_kink", f=f))
    for place in places:
        sentences += kink(asked, place, called)
    return sentences or [say("derivative.everywhere", x=asked.by)]


def constant(f: Formula) -> Fraction | None:
    """The number that a formula is whatever its variables are, if it is a known fraction."""
    found = evaluate(f, lambda name: UNKNOWN, EXACT)
    return found if isinstance(found, Fraction) else None


def kink(asked: Asked, place: Fraction, called: Callable[[int], Formula]) -> Iterator[Say]:
    """What happens where two pieces meet: of the function, or of the first derivative with a kink."""
    f = asked.function
    for order in range(asked.order):
        sides = one_sided(f, asked.by, place)
        f = calculus.derivative(f, asked.by)
        if sides is None:
            return
        if abs(sides[0] - sides[1]) > max(1e-9 * max(map(abs, sides)), 1e-20):
            left, right, taken = map(short, sides)
            yield say("derivative.kink", f=called(order), x=asked.by, at=Number(place), left=left, right=right)
            if order == 0:
                yield say("derivative.taken", taken=taken)
            return


def one_sided(f: Formula, by: Name, place: Fraction) -> tuple[float, float, float] | None:
    """The slopes left and right of a place, and the one that programs take there; None where there are none."""

    def value(g: Formula, x: Any) -> Any:
        return evaluate(g, lambda name: x, digits())

    at, step = digits().number(place), digits().number(Fraction(1, 10**30))
    try:
        here = value(f, at)
        left, right = (here - value(f, at - step)) / step, (value(f, at + step) - here) / step
        sides = float(left), float(right), float(value(calculus.derivative(f, by), at))
    except (ArithmeticError, ValueError, TypeError):
        return None
    return sides if all(abs(x) < LARGEST for x in sides) else None


def short(slope: float) -> Number:
    """A slope as the simple fraction it is, or with four digits."""
    simple = Fraction(slope).limit_denominator(1000)
    near = simple and abs(float(simple) - slope) <= 1e-12 * abs(slope)
    return Number(simple if near or not slope else Fraction(f"{slope:.4g}"))


def root(f: Formula, by: Name) -> Fraction | None:
    """Where a formula that is linear in its only variable is 0."""
    if depends(calculus.derivative(f, by), by):
        return None
    found = [evaluate(f, lambda name, x=x: Fraction(x), EXACT) for x in (0, 1)]  # type: ignore[misc]
    if UNKNOWN in found:
        return None
    b, a = found[0], found[1] - found[0]
    return None if a == 0 else -b / a


def always(f: Formula, *, strictly: bool = False) -> bool:
    """Whether a formula is seen to be positive (or at least not negative) whatever its variables are."""
    match f:
        case Number(value=value):
            return value > 0 or (value == 0 and not strictly)
        case Apply(head="exp" | "pi"):
            return True
        case Apply(head=Function(name="sigmoid")):
            return True
        case Apply(head="abs" | "sqrt" | Function(name="relu")):
            return not strictly
        case Apply(head="pow", args=(base, exponent)):
            even = isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value % 2 == 0
            return always(base, strictly=strictly) or (even and not strictly)
        case Apply(head="add", args=args):
            return all(always(arg) for arg in args) and (
                not strictly or any(always(arg, strictly=True) for arg in args)
            )
        case Apply(head="mul" | "div", args=args):
            return all(always(arg, strictly=strictly) for arg in args)
    return False
