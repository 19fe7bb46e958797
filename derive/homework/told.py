"""What is told of a formula: how it was read, how right it is, what explains a wrong one, and where the two differ.

The right formula is shown only where everything is; what a student named is shown at every level.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce

from derive import formula as fm
from derive.document import Amount, Block, Cell, Form, Line, Say, Step, say
from derive.formula import Formula, Name
from derive.formula import Written as Spelled
from derive.homework.circuit import Circuit
from derive.homework.equality import RIGHT
from derive.homework.hints import Hint
from derive.homework.marked import Mark
from derive.homework.own import Own

MOST_HINTS = 3
MOST_AT = 12  # numbers that a counter-example names
#: Hints that say no more than a rule that was found.
COARSE = ("sign", "constant")


class FormulaTold:
    """The formulas of one submission, told. everything: whether the right ones may be shown"""

    def __init__(self, circuit: Circuit, own: Own, *, everything: bool) -> None:
        self.circuit, self.own, self.everything = circuit, own, everything

    def remark(self, mark: Mark) -> Say:
        """A formula as it was read, with its verdict, in one sentence."""
        level = "undecided" if mark.equality is None else mark.equality.level
        right = mark.formula_verdict == "correct" and level in RIGHT
        key = f"check.of_formula.{level if right or level == 'circular' else mark.formula_verdict}"
        return say(key, formula=mark.formula)

    def wrong(self, mark: Mark, rules: tuple[Step, ...]) -> Iterator[Block]:
        """A wrong formula in full. rules: the mistakes that give it, but for those that are told of the number"""
        key, formula, equality = mark.key, mark.formula, mark.equality
        assert formula is not None and equality is not None
        if equality.level == "circular":
            used = [self.circuit.entries[k].name for k in equality.names]
            yield say("check.circular", step=self.circuit.entries[key].name, names=listed(used))
        elif line := self.given(mark, formula):
            yield Step("first/formula", say("check.formula_gives"), lines=(line,))
        hints = [hint for hint in mark.hints if not (mark.formula_found and hint.kind in COARSE)][:MOST_HINTS]
        if rules:
            several = "check.formula_mistakes" if len(rules) > 1 else "check.formula_mistake"
            yield Step("first/formula/mistakes", say(several), substeps=rules)
        for number, hint in enumerate(hints):
            yield self.hint(number, hint)
        if not mark.formula_found and not hints and equality.level != "circular":
            yield say("check.formula_unexplained")
        yield from self.counterexample(mark)
        due = self.circuit.entries[key]
        if self.everything and due.formula is not None:
            id, values = f"shown:{key}", self.own.values
            self.own.hold(id, values.value(due.name), values.known_exactly(due.name))
            shown = Line(Name(id, (), due.name.symbol), (Form(due.formula, numbers=False),), has_value=False)
            yield Step("first/formula/due", say("check.formula_due"), lines=(shown,))

    def given(self, mark: Mark, formula: Formula) -> Line | None:
        """A formula with the student's own numbers; None where it needs one that nobody has written."""
        named = [name.key for name in fm.names(formula)]
        if not named or not all(map(self.own.known, named)):
            return None
        value, exact = self.own.worth(formula, {})
        id = f"formula:{mark.key}"
        self.own.hold(id, value, exact)
        filled, condition = self.own.reader.resolved(self.own.filled(formula))
        return Line(Name(id, (), Spelled(filled)), (Form(filled, symbols=False),), condition=condition)

    def hint(self, number: int, hint: Hint) -> Say:
        """A single sign, factor or term, as a sentence."""
        args: dict[str, Cell] = dict(hint.args)
        if isinstance(factor := args.get("factor"), Fraction):
            args["factor"] = self.own.exactly(f"hint:{number}", factor)
        return Say(f"check.hint.{hint.kind}", args)

    def counterexample(self, mark: Mark) -> Iterator[Say]:
        """Numbers at which the formula gives something else than it should."""
        found = mark.equality.counterexample if mark.equality else None
        if found is None:
            return
        gives = self.own.amount(f"gives:{mark.key}", found.student)
        due = self.own.amount(f"should:{mark.key}", found.right)
        pairs = [self.pair(mark, key, found.at[key]) for key in self.shown_at(mark)]
        if 0 < len(pairs) <= MOST_AT:
            yield say("check.counterexample", at=listed(pairs), gives=gives, due=due)
        else:
            yield say("check.counterexample_plain", gives=gives, due=due)

    def shown_at(self, mark: Mark) -> list[str]:
        """The keys whose numbers at a counter-example are told: those the student named, or all."""
        point = mark.equality.counterexample if mark.equality else None
        named = set() if mark.formula is None else {name.key for name in fm.names(mark.formula)}
        return [key for key in (point.at if point else ()) if self.everything or key in named]

    def pair(self, mark: Mark, key: str, value: float) -> Say:
        """A quantity and its number at a counter-example."""
        number: Amount = self.own.amount(f"at:{mark.key}:{key}", value)
        short = self.own.values.numeral(number.name).fraction == Fraction(value).limit_denominator(10**6)
        return say("check.equal" if short else "check.about", symbol=self.circuit.entries[key].name, value=number)


def listed(cells: list[Cell]) -> Cell:
    """Several things as one, with commas between."""
    return reduce(lambda first, second: say("check.list", first=first, second=second), cells)
