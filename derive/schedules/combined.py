"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import Annotated

from derive.formula import Apply, Formula, Name, Symbol, bind, cases, names, walk
from derive.schedules.base import BASE, BEFORE, E, Schedule, before, milestone_names, up_to
from derive.schedules.plateau import Plateau
from derive.schedules.sheet import schedules

LARGEST_FORMULA = 20_000  # names, numbers and heads in the formula of a combination
Parts = tuple[Annotated[Schedule | Plateau, schedules], ...]


@schedules("SequentialLR", "sequential_lr")
def sequential(*, schedules: Parts, milestones: tuple[int, ...] = ()) -> Schedule:
    """One schedule after the other, each from its own epoch 0 at its milestone. PyTorch: SequentialLR."""
    if len(milestones) != len(schedules) - 1:
        raise ValueError("milestones must be one fewer than the schedules: where the second begins, the third, …")
    marks = milestone_names(milestones) if milestones else {}
    parts = apart(schedules, marks)
    begins, ends = (0, *milestones), (*milestones, inf)
    for part, begin, end in zip(parts, begins, ends, strict=True):
        if part.epochs is not None and end < inf and end - begin > part.epochs:
            raise ValueError(f"a schedule made for {part.epochs} epochs cannot last for {end - begin}")
    if not marks:
        return parts[0]
    starts: list[Name | None] = [None, *marks]
    closed, step = list[tuple[Formula, Formula | bool]](), list[tuple[Formula, Formula | bool]]()
    for part, start, until in zip(parts, starts, [*marks, None], strict=True):
        here = {} if start is None else {E: E - start}
        as_long_as = True if until is None else before(until)
        if start is not None:
            step.append((part.first, up_to(start)))
        step.append((bind(part.step, here), as_long_as))
        if part.closed is not None:
            closed.append((bind(part.closed, here), as_long_as))
    constants = dict(marks)
    for part in parts:
        constants.update(part.constants)
    length = None if parts[-1].epochs is None else begins[-1] + parts[-1].epochs
    whole = cases(*closed) if len(closed) == len(parts) else None
    return Schedule(parts[0].first, cases(*step), whole, constants, length)


@schedules("ChainedScheduler", "chained_scheduler")
def chained(*, schedules: Parts) -> Schedule:
    """All schedules in every epoch, each on what the one before left: their factors multiply.

    A recursion that does more than multiply (cosine_annealing) leaves no closed form, and a schedule whose rate is set
    outright (cyclic) forgets what came before it. PyTorch: ChainedScheduler.
    """
    whole, *others = apart(schedules, {})
    for part in others:
        closed = None
        if part.closed is not None and whole.closed is not None and multiplies(whole) and multiplies(part):
            closed = inside(part.closed, BASE, whole.closed)
        lengths = [n for n in (whole.epochs, part.epochs) if n is not None]
        step = inside(part.step, BEFORE, whole.step)
        first = part.first if part.recursion is None else inside(part.first, BASE, whole.first)
        constants = {**whole.constants, **part.constants}
        whole = Schedule(first, step, closed, constants, min(lengths, default=None))
    return whole


def apart(parts: Parts, own: Mapping[Name, Fraction]) -> list[Schedule]:
    """The schedules of a combination; where two have an option of the same name, all get their number as an index."""
    if not parts:
        raise ValueError("schedules must not be empty")
    found = [part for part in parts if isinstance(part, Schedule)]
    if len(found) < len(parts):
        raise ValueError("reduce_on_plateau listens to a metric and cannot be combined")
    taken = [*own, *(name for part in found for name in part.constants)]
    if len({name.key for name in taken}) == len(taken) == len({name.symbol for name in taken}):
        return found
    return [numbered(part, i) for i, part in enumerate(found, 1)]


def numbered(part: Schedule, i: int) -> Schedule:
    """The schedule with γ written γ₁, and so on."""

    def swapped(name: Name) -> Name:
        assert isinstance(name.symbol, Symbol)
        sub = f"{name.symbol.sub},{i}" if name.symbol.sub else str(i)
        return replace(name, index=(i, *name.index), symbol=replace(name.symbol, sub=sub))

    new = {name: swapped(name) for name in part.constants}
    first, step, closed = (f and bind(f, dict(new)) for f in (part.first, part.recursion, part.closed))
    assert first is not None
    constants = {new[name]: given for name, given in part.constants.items()}
    return Schedule(first, step, closed, constants, part.epochs)


def multiplies(part: Schedule) -> bool:
    """Whether the recursion is the rate before times something that knows neither it nor the base rate."""
    match part.recursion:
        case Apply("mul", (first, *rest)):
            return first == BEFORE and not {BEFORE, BASE} & {name for factor in rest for name in names(factor)}
    return part.recursion == BEFORE


def inside(f: Formula, name: Name, other: Formula) -> Formula:
    """`f` with `other` for a name, unless the formula would grow beyond all use."""
    size, times, each = (sum(1 for _ in part) for part in (walk(f), (n for n in names(f) if n == name), walk(other)))
    if size + times * each > LARGEST_FORMULA:
        raise ValueError("too much is combined: the formula would be too long")
    return bind(f, {name: other})
