"""`derive explain "d/dz log(1+exp(-z))"`: the derivative of an expression as typed, rule by rule.

Read are d/dz EXPR, ∂/∂x EXPR, d^2/dz^2 EXPR and diff(EXPR, z). Every line is checked by difference quotients, at three
draws of the variables; SymPy differentiates once more beside them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any

import numpy as np

from derive import calculus
from derive.algebra import DIGITS, EXACT, FLOATS, UNKNOWN, digits, evaluate, sympy_algebra
from derive.board import Board, both, grid, settled
from derive.checks.errors import Errors
from derive.differentiation import depends, moves, size
from derive.document import Amount, Block, Document, Form, Line, Say, Section, Table, Witness, say
from derive.errors import InputError, nearest
from derive.expression import parse, variable, variables_of, word_at
from derive.formula import Apply, Formula, Function, Name, Number, Partial, Symbol, Written, bind, substitute, walk
from derive.language import Both, Words
from derive.numerals import Policy
from derive.values import as_fraction

PLACE = "derive explain"  # where a refused text stands
MAX_ORDER = 4
MAX_TITLE = 100  # letters
MAX_SUMMARY = 60  # pieces of a result that stands above the page
MAX_MOVES = 40  # rules of one derivative: more nobody reads
MAX_SIZE = 1_500  # pieces of the expression while it is differentiated
MAX_POWER = 1_000  # of the variable
LARGEST = 1e6  # of every value on the way, where the lines are checked
TRIES = 60  # draws of the variables from one interval
INTERVALS = ((-2, 2), (0, 2), (-1, 0), (1, 8), (-8, -1), (Fraction(-1, 10), Fraction(1, 10)), (-40, 40))
NEAR = 1e-3  # to a kink or the end of a domain no line is checked
RAISED = {"²": 2, "³": 3, "⁴": 4}
DEPENDENT = "fghuFGH"  # what the function is called, the first that is no variable


@dataclass(frozen=True)
class Asked:
    """What was typed, read: the function, by which of its variables it is differentiated, and how often."""

    text: str
    function: Formula
    by: Name
    order: int = 1

    @property
    def variables(self) -> list[Name]:
        return list(dict.fromkeys(part for part in walk(self.function) if isinstance(part, Name)))

    @property
    def d(self) -> str:
        return "d" if len(self.variables) == 1 else "∂"


# reading ----------------------------------------------------------------------------------------------------------------
BEGINNING = re.compile(r"\s*(?:[d∂](?:\s*(?:\^|\*\*)\s*\d+|[²³⁴])?\s*/|diff\s*\()")
NUMERATOR = re.compile(r"\s*[d∂](?:\s*(?:\^|\*\*)\s*(\d+)|([²³⁴]))?\s*/\s*")
EXPONENT = re.compile(r"\s*(?:\^|\*\*)\s*(\d+)|([²³⁴])")


def is_meant(text: str) -> bool:
    """Whether a text begins like a derivative, or is a formula rather than the name of a lesson."""
    return bool(BEGINNING.match(text)) or not re.fullmatch(r"[\w. -]*", text, re.ASCII)


def read(text: str) -> Asked:
    """What was typed; an InputError says where it is wrong."""
    if not BEGINNING.match(text):
        raise refused(f"'{text}' is neither a lesson nor a derivative{suggestion(text)}")
    if re.match(r"\s*diff", text):
        return called(text)
    top = NUMERATOR.match(text)
    assert top is not None  # it begins so
    order, at = power_of(top), top.end()
    if text[at : at + 1] == "∂":
        word, end = word_at(text, at + 1), at + 1 + len(word_at(text, at + 1))
    else:
        written = word_at(text, at)
        word, end = written[1:] if written.startswith("d") else "", at + len(written)
    if not word:
        raise refused("after the '/' stands d and the variable, as in d/dz", at)
    below = EXPONENT.match(text, end)
    if (power_of(below) if below else 1) != order:
        raise refused(f"a derivative of order {order} is written d^{order}/d{word}^{order}" if order > 1
                      else f"the order is written twice, as in d^2/d{word}^2", end)  # fmt: skip
    start = below.end() if below else end
    return placed(text, " " * start + text[start:], word, at + 1, order)


def power_of(found: re.Match[str]) -> int:
    order = RAISED[found[2]] if found[2] else int(found[1][:6]) if found[1] else 1
    if not 1 <= order <= MAX_ORDER:
        raise refused(f"the order of a derivative is 1 to {MAX_ORDER}", found.start())
    return order


def called(text: str) -> Asked:
    """diff(EXPR, z) and diff(EXPR, z, 2)."""
    start = text.index("(") + 1
    found = re.search(r",\s*([^\W\d_]\w*)\s*(?:,\s*(\d+)\s*)?\)\s*$", text)
    if found is None:
        raise refused("this is written diff(EXPRESSION, z), or diff(EXPRESSION, z, 2) for the second derivative", 0)
    order = int((found[2] or "1")[:6])
    if not 1 <= order <= MAX_ORDER:
        raise refused(f"the order of a derivative is 1 to {MAX_ORDER}", found.start(2))
    return placed(text, " " * start + text[start : found.start()], found[1], found.start(1), order)


def placed(text: str, rest: str, word: str, at: int, order: int) -> Asked:
    """The expression, read where it stands, and the variable in it."""
    if not rest.strip():
        raise refused("there is nothing to differentiate: an expression follows, as in d/dz log(1+exp(-z))", len(rest))
    f = parse(rest, file=PLACE)
    known = variables_of(f)
    if not known:
        raise refused("there is no variable in the expression: its derivative is 0", at)
    by = variable(word)
    names = {part.symbol: part for part in walk(f) if isinstance(part, Name)}
    if by.symbol not in names:
        hint = nearest(word, known) or f" Its variable{'s are' if len(known) > 1 else ' is'} {', '.join(known)}."
        raise refused(f"'{word}' is not in the expression.{hint}", at)
    if (power := degree(f)) > MAX_POWER:
        raise refused(
            f"a power of degree {power:.3g}; up to {MAX_POWER} are worked out", len(rest) - len(rest.lstrip())
        )
    return Asked(text.strip(), f, names[by.symbol], order)


def refused(problem: str, at: int | None = None) -> InputError:
    return InputError(problem, file=PLACE, path="" if at is None else f"column {at + 1}")


def suggestion(text: str) -> str:
    """What was probably meant, if it is a formula."""
    try:
        known = variables_of(parse(text))
    except InputError:
        known = []
    return f": write d/d{known[0]} {text}" if known else ", which is written as in d/dz log(1+exp(-z))"


def degree(f: Formula) -> float:
    """How large a power of a number stands in the formula at most: powers of powers multiply."""
    if not isinstance(f, Apply):
        return 1
    inner = [degree(arg) for arg in f.args]
    match f.head:
        case "pow":
            exponent = f.args[1].value if isinstance(f.args[1], Number) else Fraction(1)
            return inner[0] * max(1.0, abs(float(exponent)))
        case "mul" | "div":
            return sum(inner)
    return max(inner, default=1)


def called_in_output(text: str) -> str:
    """The text as the name of a folder."""
    spoken = {"+": " plus ", "-": " minus ", "−": " minus ", "*": " times ", "^": " to ", "/": " over "}
    words = "".join(spoken.get(c, c) for c in re.sub(r"([d∂])\s*/\s*([d∂])", r"\1 \2", text))
    return re.sub(r"\W+", "-", words.replace("∂", "d")).strip("-")[:80].strip("-")


# where it can be checked --------------------------------------------------------------------------------------------------
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
    random, found = Random(wanted), list[Drawn]()
    for low, high in INTERVALS:
        for _ in range(TRIES):
            drawn = {v: low + (high - low) * Fraction(random.randint(50, 950), 1000) for v in asked.variables}
            if drawn not in found and all(is_moderate(f, drawn) for f in formulas):
                found.append(drawn)
            if len(found) == wanted:
                return found
    raise refused("no value was found at which this has a derivative that can be checked")


def is_long(f: Formula, by: Name) -> bool:
    """Whether the derivative of this takes more rules, or becomes longer, than anybody reads."""
    waiting = (Name(f"waiting{i}") for i in count())
    steps = moves(f, by, lambda part: replace(next(waiting), symbol=Written(part, symbol_of(by))))
    return any(made > MAX_MOVES or size(move.formula) > MAX_SIZE for made, move in enumerate(steps, 1))


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
            case "pow" if not isinstance(args[1], Number) or args[1].value.denominator > 1:
                found["positive", args[0]] = None
            case "pow" if isinstance(args[1], Number) and args[1].value < 0:
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


def kink(asked: Asked, place: Fraction, called: Callable[[int], Formula]) -> Iterator[Say]:
    """What happens where two pieces meet: of the function, or of the first derivative with a kink."""
    f = asked.function
    for order in range(asked.order):
        sides = one_sided(f, asked.by, place)
        f = calculus.derivative(f, asked.by)
        if sides is None:
            return
        if abs(sides[0] - sides[1]) > 1e-9:
            left, right, taken = (Number(Fraction(round(x * 10**4), 10**4)) for x in sides)
            yield say("derivative.kink", f=called(order), x=asked.by, at=Number(place), left=left, right=right)
            if order == 0:
                yield say("derivative.taken", taken=taken)
            return


def one_sided(f: Formula, by: Name, place: Fraction) -> tuple[float, float, float] | None:
    """The slopes left and right of a place, and the one that programs take there; None outside the domain."""

    def value(g: Formula, x: Any) -> Any:
        return evaluate(g, lambda name: x, digits())

    at, step = digits().number(place), digits().number(Fraction(1, 10**30))
    try:
        here = value(f, at)
        left, right = (here - value(f, at - step)) / step, (value(f, at + step) - here) / step
        return float(left), float(right), float(value(calculus.derivative(f, by), at))
    except (ArithmeticError, ValueError, TypeError):
        return None


def root(f: Formula, by: Name) -> Fraction | None:
    """Where a formula that is linear in its only variable is 0."""
    found = [evaluate(f, lambda name, x=x: Fraction(x), EXACT) for x in (0, 1, 3)]  # type: ignore[misc]
    if UNKNOWN in found:
        return None
    b, a = found[0], found[1] - found[0]
    return None if a == 0 or found[2] != 3 * a + b else -b / a


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


# writing ------------------------------------------------------------------------------------------------------------------
def write(asked: Asked, at: Drawn, policy: Policy, words: Words) -> tuple[Document, Board]:
    """The page, written once at these values of the variables."""
    page = Page(asked, at, Board(words, policy, 0, topic="derivative"))
    sections = [Section(f"derivative/{id}", title, tuple(blocks)) for id, title, blocks in page.sections() if blocks]
    short = size(page.found[-1]) <= MAX_SUMMARY
    summary = [say("derivative.result", left=page.targets[-1], f=page.found[-1])] if short else []
    title = asked.text if len(asked.text) <= MAX_TITLE else asked.text[: MAX_TITLE - 1] + "…"
    document = page.board.desk.document(title, sections, {}, summary=summary)
    return document, page.board


class Page:
    """One writing: the function under a name of its own, and its derivatives one after the other."""

    def __init__(self, asked: Asked, at: Drawn, board: Board) -> None:
        self.asked, self.at, self.board = asked, at, board
        held = {name: board.hold(symbol_of(name), at[name]) for name in asked.variables}
        self.names = held
        self.by = held[asked.by]
        self.function = substitute(asked.function, held.__getitem__)
        letters = {part.symbol.base for part in asked.variables if isinstance(part.symbol, Symbol)}
        self.letter = next((c for c in DEPENDENT if c not in letters), "Φ")
        self.targets = [self.target(k) for k in range(asked.order + 1)]
        self.found = [self.function]

    def called(self, order: int, args: Sequence[Formula]) -> Formula:
        """f(z), f′(z), f″(z); of several variables f(w, x) alone."""
        glyph = Symbol(self.letter, mark="′" * order)
        return Apply(Function(self.letter + "p" * order, glyph, tuple(self.names.values()), self.function), tuple(args))

    def shown(self, order: int, args: Sequence[Formula]) -> Partial | Written:
        """What a derivative is called: f′(z), or ∂f/∂w where there are several variables."""
        if order and self.asked.d == "∂":
            return Partial(Symbol(self.letter), symbol_of(self.by), order=order)
        return Written(self.called(order, args))

    def target(self, order: int) -> Name:
        """The function or one of its derivatives, with the value of a difference quotient."""
        return self.board.hold(self.shown(order, list(self.names.values())), self.quotient(order))

    def quotient(self, order: int) -> Any:
        """The value, or the central difference quotient of so high an order: it knows no rule."""
        number, b = digits().number, self.board
        step = number(Fraction(1, 10 ** {1: 40, 2: 40, 3: 28, 4: 22}.get(order, 1)))
        here = b.value(self.by)
        total = number(0)
        for i in range(order + 1):
            moved = here + (number(Fraction(order, 2)) - i) * step
            total += (-1) ** i * math.comb(order, i) * b.value(self.function, {self.by.key: moved})
        return settled(total / step**order, b.value(self.function), 40) if order else total

    def sections(self) -> Iterator[tuple[str, Say, list[Block]]]:
        for order in range(1, self.asked.order + 1):
            title = say(f"section.derivative.{order if self.asked.order > 1 else 'steps'}")
            yield f"steps{order}", title, list(self.steps(order))
        where: list[Block] = [*limits(self.asked, lambda order: self.called(order, self.asked.variables))]
        yield "where", say("section.derivative.where"), where
        yield "picture", say("section.lesson.picture"), list(self.picture())
        yield "numbers", say("section.lesson.numbers"), list(self.numbers())

    def steps(self, order: int) -> Iterator[Block]:
        b = self.board
        if order == 1:
            line = Line(self.targets[0], (Form(self.function, numbers=False),), has_value=False)
            others = say("derivative.function", x=self.by) if len(self.names) > 1 else ()
            yield b.step(say("derivative.title.function"), others, line)
        last = self.found[-1]
        if is_long(last, self.by):
            raise too_long()
        for step in b.differentiated(last, self.by, self.targets[order], d=self.asked.d):
            final = step.lines[-1].forms[-1].formula
            yield step
        self.found.append(final)

    def picture(self) -> Iterator[Block]:
        """The function and its derivatives, where the eye can follow them."""
        if len(self.names) > 1:
            return
        symbol = self.by.symbol
        assert isinstance(symbol, Symbol)
        curves: dict[str | Both, list[tuple[float, float]]] = {}
        for order, f in enumerate(self.found):
            points = self.board.vary(f, self.by, grid(-5, 5))
            curves[self.letter + "′" * order + f"({symbol.text})"] = cut(points)
        if any(sum(math.isfinite(y) for _, y in points) > 20 for points in curves.values()):
            title = both("The function and its derivative", "函数及其导数")
            yield self.board.chart(title, symbol.text, "", curves)

    def numbers(self) -> Iterator[Block]:
        """At a place, the formula's value; beside it what difference quotients come to."""
        place = self.nice()
        if place is None or size(self.found[-1]) > MAX_SIZE // 10:
            return
        b = self.board
        given = {self.names[name]: b.number(symbol_of(name), value) for name, value in place.items()}
        by = given[self.by]
        result = substitute(self.found[-1], lambda name: given.get(name, name))
        left = self.shown(self.asked.order, list(given.values()))
        exact = b.defined(left, result)
        yield b.step(
            say("derivative.title.numbers"), say("derivative.numbers"), Line(exact, (Form(result, numbers=True),))
        )
        if self.asked.order == 1:
            yield self.table(given, by, exact, place)

    def nice(self) -> Drawn | None:
        """Short values of the variables at which everything is moderate."""
        shorts = [Fraction(n, 2) for n in (1, 2, -1, 3, -2, 4, 6, -3, 8, -6)]
        for start in range(len(shorts)):
            place = {v: shorts[(start + i) % len(shorts)] for i, v in enumerate(self.asked.variables)}
            formulas = (self.asked.function, calculus.derivative(self.asked.function, self.asked.by))
            if all(is_moderate(f, place) for f in formulas):
                return place
        return None

    def table(self, given: dict[Name, Name], by: Name, exact: Name, place: Drawn) -> Table:
        b, asked = self.board, self.asked
        f = substitute(self.function, lambda name: given.get(name, name))
        h = Name("h", symbol=Symbol("h" if self.letter != "h" and "h" not in {n.id for n in asked.variables} else "ε"))
        above, below = ([moved if x == by else x for x in given.values()] for moved in (by + h, by - h))
        quotient = (self.called(0, above) - self.called(0, below)) / (2 * h)
        rows: list[tuple[Any, ...]] = []
        for text in ("0.1", "0.01", "0.001"):
            step = Fraction(text)
            if all(is_moderate(asked.function, {**place, asked.by: place[asked.by] + s}) for s in (step, -step)):
                values = [b.value(f, {by.key: digits().number(place[asked.by] + s)}) for s in (step, -step)]
                rows.append(
                    (
                        Amount(b.number("h", step)),
                        Amount(b.hold("q", (values[0] - values[1]) / digits().number(2 * step))),
                    )
                )
        rows.append((say("derivative.derivative"), Amount(exact)))
        return b.table(say("derivative.quotients"), (h, quotient), rows)


def symbol_of(name: Name) -> Symbol:
    assert isinstance(name.symbol, Symbol)
    return name.symbol


def cut(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A curve without what shoots out of the picture."""
    sizes = sorted(abs(y) for _, y in points if math.isfinite(y))
    if not sizes:
        return points
    middle, most = sizes[len(sizes) // 2], sizes[len(sizes) * 9 // 10]
    largest = 1 + min(3 * most, 100 * middle + 10)
    return [(x, y if abs(y) <= largest else math.nan) for x, y in points]


# a second witness ---------------------------------------------------------------------------------------------------------
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
            found = digits().number(as_fraction(theirs.xreplace(exactly).evalf(DIGITS - 10, maxn=DIGITS_OF_SYMPY)))
            value = evaluate(ours, lambda name, at=at: digits().number(at[name]), digits())  # type: ignore[misc]
            errors.compare(value, found, max(1e-3, abs(float(value))))
    except (TypeError, ValueError, ArithmeticError, AttributeError, NotImplementedError):
        return
    yield errors.witness("sympy_derivative", "page", 1e-12)
