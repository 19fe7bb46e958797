"""A typed derivative written up: its steps, where it holds, its graph, its value at one place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from derive import calculus
from derive.algebra import digits
from derive.board import Board, both, grid
from derive.derivatives.places import MAX_SIZE, Drawn, is_long, is_moderate, limits, too_long
from derive.derivatives.reading import Asked, symbol_of
from derive.differentiation import size
from derive.document import Amount, Block, Document, Form, Line, Say, Section, Table, say
from derive.formula import Apply, Formula, Function, Name, Partial, Symbol, Written, substitute
from derive.language import Both, Words
from derive.measuring import settled
from derive.numerals import Policy

MAX_TITLE = 100  # letters
MAX_SUMMARY = 60  # pieces of a result that stands above the page
DEPENDENT = "fghuFGH"  # what the function is called, the first that is no variable


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


def cut(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A curve without what shoots out of the picture."""
    sizes = sorted(abs(y) for _, y in points if math.isfinite(y))
    if not sizes:
        return points
    middle, most = sizes[len(sizes) // 2], sizes[len(sizes) * 9 // 10]
    largest = 1 + min(3 * most, 100 * middle + 10)
    return [(x, y if abs(y) <= largest else math.nan) for x, y in points]
