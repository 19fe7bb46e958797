"""What a schedule is, and its rates in floats, exactly or to many digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import count, pairwise

from derive.algebra import EXACT, FLOATS, UNKNOWN, Algebra, Value, evaluate
from derive.formula import Apply, Formula, Name, Number, Symbol, branches

E = Name("e", symbol=Symbol("e"))  # the epoch
BASE = Name("lr", symbol=Symbol("η", sub="0"))  # the optimizer's rate
BEFORE = Name("before", symbol=Symbol("η", sub="e−1"))  # the rate of the epoch before


@dataclass(frozen=True)
class Schedule:
    """A schedule in formulas.

    first:     the rate in epoch 0, in BASE and the options
    recursion: the rate in epoch e ≥ 1 from BEFORE, as PyTorch steps it; None where PyTorch sets it by the closed form
    closed:    the rate in epoch e ≥ 0; None where there is no such formula (see `chained`)
    constants: the options that stand in the formulas
    epochs:    how many epochs it is made for; None: any number
    """

    first: Formula
    recursion: Formula | None
    closed: Formula | None
    constants: Mapping[Name, Fraction]
    epochs: int | None = None

    @property
    def step(self) -> Formula:
        """The rate in epoch e ≥ 1, by whichever formula there is."""
        step = self.recursion or self.closed
        assert step is not None
        return step


HALF_TURNS = replace(EXACT, name="half turns", functions={**EXACT.functions, "pi": lambda: Fraction(1)})
COSINES = {Fraction(0): Fraction(1), Fraction(1, 3): Fraction(1, 2), Fraction(1, 2): Fraction(0)}
COSINES |= {1 - turn: -value for turn, value in COSINES.items()}
COSINES |= {2 - turn: value for turn, value in COSINES.items()}  # cos(πr) for r from 0 to 2, where it is a fraction


def value(f: Formula, at: Mapping[Name, Fraction], algebra: Algebra, before: Value = None) -> Value:
    """The value of a schedule's formula, given the epoch, the base rate and the options."""
    return evaluate(settled(f, at), lambda name: before if name == BEFORE else algebra.number(at[name]), algebra)


def settled(f: Formula, at: Mapping[Name, Fraction]) -> Formula:
    """The formula with its choices made, its floors taken and cosines such as cos(π/2) known, all of it exactly.

    A branch that is not taken may divide by zero, and a float may fall on the wrong side of a whole number.
    """
    if not isinstance(f, Apply):
        return f
    if f.head == "cases":
        taken = (part for part, when in branches(f) if when is None or evaluate(when, at.__getitem__, EXACT) is True)
        return settled(next(taken), at)
    f = replace(f, args=tuple(settled(arg, at) for arg in f.args))
    match f:
        case Apply("floor", (Apply("div", (Apply("log", (power,)), Apply("log", (base,)))),)):
            x, b = evaluate(power, at.__getitem__, EXACT), evaluate(base, at.__getitem__, EXACT)
            return Number(Fraction(next(n for n in count() if b ** (n + 1) > x)))
        case Apply("floor"):
            return Number(evaluate(f, at.__getitem__, EXACT))
        case Apply("cos", (angle,)):
            turn = evaluate(angle, at.__getitem__, HALF_TURNS)
            known = None if turn is UNKNOWN else COSINES.get(turn % 2)
            return f if known is None else Number(known)
    return f


def in_epoch(schedule: Schedule, base: Fraction, epoch: int) -> dict[Name, Fraction]:
    """What the names in the formulas stand for in an epoch."""
    if epoch < 0:
        raise ValueError("epochs are counted from 0")
    if schedule.epochs is not None and epoch >= schedule.epochs:
        raise ValueError(f"this schedule is made for {schedule.epochs} epochs")
    return {E: Fraction(epoch), BASE: base, **schedule.constants}


def rates(schedule: Schedule, base: Fraction, epochs: int, algebra: Algebra = FLOATS) -> list[Value]:
    """The rates of the first epochs, by the closed form (by the recursion where there is none)."""
    if schedule.closed is None:
        return by_recursion(schedule, base, epochs, algebra)
    return [value(schedule.closed, in_epoch(schedule, base, e), algebra) for e in range(epochs)]


def by_recursion(schedule: Schedule, base: Fraction, epochs: int, algebra: Algebra = FLOATS) -> list[Value]:
    """The rates of the first epochs, each from the one before."""
    if schedule.recursion is None:
        raise ValueError("this schedule has no recursion: PyTorch sets its rate by the closed form in every epoch")
    found: list[Value] = []
    for e in range(epochs):
        formula = schedule.recursion if e else schedule.first
        found.append(value(formula, in_epoch(schedule, base, e), algebra, found[-1] if e else None))
    return found


def rate_function(schedule: Schedule, base: Fraction) -> Callable[[int], float]:
    """epoch -> rate as a float, for a training loop; what was worked out once is remembered."""
    stepped: list[float] = []

    @cache
    def rate(epoch: int) -> float:
        at = in_epoch(schedule, base, epoch)
        if schedule.closed is not None:
            return float(value(schedule.closed, at, FLOATS))
        for e in range(len(stepped), epoch + 1):
            formula, before = (schedule.step, stepped[-1]) if e else (schedule.first, None)
            stepped.append(float(value(formula, {**at, E: Fraction(e)}, FLOATS, before)))
        return stepped[epoch]

    return rate


# what the sheet is written with ----------------------------------------------------------------------------------------
def before(mark: Formula) -> Formula:
    """The condition e < mark."""
    return Apply("lt", (E, mark))


def up_to(mark: Formula) -> Formula:
    """The condition e ≤ mark."""
    return Apply("le", (E, mark))


def at_least(least: int, **options: Fraction | int) -> None:
    for name, given in options.items():
        if given < least:
            raise ValueError(f"{name} must be at least {least}")


def known(*pairs: tuple[Name, Fraction | int]) -> dict[Name, Fraction]:
    return {name: Fraction(given) for name, given in pairs}


def milestone_names(milestones: Sequence[int]) -> dict[Name, Fraction]:
    """m₁, m₂, …, checked."""
    if not milestones or milestones[0] < 1 or any(b <= a for a, b in pairwise(milestones)):
        raise ValueError("milestones must be epochs from 1 on, each larger than the one before")
    return {Name("milestones", (i,), Symbol("m", sub=str(i))): Fraction(m) for i, m in enumerate(milestones, 1)}
