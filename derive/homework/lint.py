"""What the numbers of an exercise hide: mistakes that give the right number, or the same as another mistake.

At the rounding that is asked for, every rule of `derive.homework.mistakes` is worked out at every step. What cannot be
seen there is listed, the reasons that lie in the data are named, and nearby numbers are sought that show more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from derive.algebra import Value
from derive.formula import Formula
from derive.homework.bench import Bench
from derive.homework.circuit import Circuit
from derive.homework.degenerate import Reason, reasons
from derive.homework.nearby import Change, Suggestion, suggestion
from derive.homework.policy import Precision

#: What would show a mistake, or tell two apart: other numbers close by, only such with other signs, or none at all.
Cause = Literal["numbers", "signs", "formula"]

__all__ = ["Alone", "Case", "Cause", "Change", "Lint", "Reason", "Suggestion", "Twins", "hides", "lint"]


@dataclass(frozen=True)
class Case:
    """A mistake, and what it gives at a step that is asked for.

    key: the step where it is looked for · at: the entry where it is made, or the id of the quantity where it is made at
    all entries · right, wrong: the numbers · cause: what would show it, or tell it from the others
    """

    key: str
    rule: str
    at: str
    formula: Formula
    right: float
    wrong: float
    cause: Cause


@dataclass(frozen=True)
class Twins:
    """Mistakes that give the same number at a step."""

    key: str
    cases: tuple[Case, ...]
    cause: Cause

    @property
    def rules(self) -> tuple[str, ...]:
        """Each once, in order."""
        return tuple(dict.fromkeys(case.rule for case in self.cases))


@dataclass(frozen=True)
class Alone:
    """What would be hidden if nothing but one quantity were asked for."""

    id: str
    cases: int
    hidden: int
    ambiguous: int


@dataclass(frozen=True)
class Lint:
    """What was found.

    steps, cases: at how many steps how many mistakes were tried · unseen: rules that are seen at no step, and might be
    hidden, twins: of every cause · alone: by quantity · suggested: None where none was looked for
    """

    precision: Precision
    steps: int
    cases: int
    hidden: tuple[Case, ...]
    twins: tuple[Twins, ...]
    unseen: tuple[str, ...] = ()
    degenerate: tuple[Reason, ...] = ()
    alone: tuple[Alone, ...] = ()
    suggested: Suggestion | None = None

    @cached_property
    def invisible(self) -> tuple[Case, ...]:
        """The hidden mistakes that other numbers close by would show."""
        return tuple(case for case in self.hidden if case.cause == "numbers")

    @cached_property
    def ambiguous(self) -> tuple[Twins, ...]:
        """The groups of mistakes that other numbers close by would tell apart."""
        return tuple(twins for twins in self.twins if twins.cause == "numbers")

    @property
    def warnings(self) -> int:
        """How much there is to be mended in the numbers."""
        return len(self.invisible) + len(self.ambiguous) + len(self.degenerate)

    @property
    def clean(self) -> bool:
        """Whether these numbers show every mistake, and tell all apart, that numbers close by would."""
        return not self.warnings


def hides(circuit: Circuit, precision: Precision, asked: Iterable[str] | None = None) -> int:
    """How many mistakes an exercise hides that other numbers close by would show: one number, and fast.

    asked: the keys of the steps that are asked for; None: all
    """
    bench = Bench(circuit, precision, asked)
    return int(bench.score({})[0][0])


def lint(
    circuit: Circuit,
    precision: Precision,
    *,
    asked: Iterable[str] | None = None,
    suggest: bool = True,
    alone: Iterable[str] = (),
) -> Lint:
    """What the numbers of an exercise hide at a rounding.

    asked: the keys of the steps that are asked for; None: all · alone: ids of quantities to be looked at by themselves
    Raises InputError where there are more mistakes than can be worked out.
    """
    bench = Bench(circuit, precision, asked)
    right, wrong = bench.run({})
    hidden = bench.hidden(right, wrong)[:, 0]

    def case(place: int, why: Cause) -> Case:
        slip, key = bench.slip(place), bench.pairs[place].key
        return Case(key, slip.rule, slip.at, slip.formula, float(right[place, 0]), float(wrong[place, 0]), why)

    found = [case(place, of_one(bench, place)) for place in np.flatnonzero(hidden).tolist()]
    groups = bench.groups(wrong[:, 0], hidden)
    causes = [of_several(bench, places) for places in groups]
    twins = [
        Twins(bench.pairs[places[0]].key, tuple(case(place, cause) for place in places), cause)
        for places, cause in zip(groups, causes, strict=True)
    ]
    return Lint(
        precision,
        len(bench.asked),
        len(bench.pairs),
        tuple(one for one in found if one.cause != "formula"),
        tuple(twins),
        tuple(unseen(bench, hidden)),
        tuple(reasons(circuit)),
        tuple(by_itself(circuit, precision, id) for id in alone),
        suggestion(bench) if suggest else None,
    )


def of_one(bench: Bench, place: int) -> Cause:
    """What would show a mistake."""
    if not bench.near.never[place]:
        return "numbers"
    return "formula" if bench.far.never[place] else "signs"


def of_several(bench: Bench, places: list[int]) -> Cause:
    """What would tell mistakes apart."""
    if len({bench.near.classes[place] for place in places}) > 1:
        return "numbers"
    return "formula" if len({bench.far.classes[place] for place in places}) == 1 else "signs"


def unseen(bench: Bench, hidden: Value) -> list[str]:
    """The rules that show themselves at no step, though some numbers would let them."""
    possible = [bench.slip(place).rule for place in np.flatnonzero(~bench.far.never).tolist()]
    seen = {bench.slip(place).rule for place in np.flatnonzero(~hidden).tolist()}
    return [rule for rule in dict.fromkeys(possible) if rule not in seen]


def by_itself(circuit: Circuit, precision: Precision, id: str) -> Alone:
    """What a quantity hides if nothing else is asked for; mistakes are counted once, wherever they might be seen."""
    bench = Bench(circuit, precision, circuit.find(id) or ())
    right, wrong = bench.run({})
    hidden = bench.hidden(right, wrong)[:, 0]
    open = hidden & ~bench.near.never
    ambiguous = bench.apart(bench.groups(wrong[:, 0], hidden))
    visible = {bench.pairs[place].slip for place in np.flatnonzero(~hidden).tolist()}
    never_seen = {bench.pairs[place].slip for place in np.flatnonzero(open).tolist()} - visible
    return Alone(id, len({pair.slip for pair in bench.pairs}), len(never_seen), len(ambiguous))
