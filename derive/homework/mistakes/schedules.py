"""Mistakes in learning-rate schedules: the rate of a step by the wrong epoch, along the wrong curve."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive import formula as fm
from derive.formula import PI, Apply, Formula, Name, Number
from derive.homework.mistakes.base import Step, mistakes, numbered, rewritten

HALF_TURN = numbered(180)


def epoch(step: Step) -> Name | None:
    return next(iter(step.used("epoch")), None)


@mistakes("C1", "lr", prior=1, lesson="learning_rate_schedules")
def another_epoch(step: Step) -> Iterator[Formula]:
    """The rate of the epoch before, or after."""
    if e := epoch(step):
        yield step.put({e: e + 1})
        if step.circuit.floats[e.key] >= 1:
            yield step.put({e: e - 1})


@mistakes("C2", "lr", prior=1, lesson="cosine_annealing")
def incomplete_cosine(step: Step) -> Iterator[Formula]:
    """η_min + (η₀ − η_min)·cos(πt/T), or with one of ½ and 1 + … alone."""
    for halved in (True, False):
        for raised in (True, False):
            yield step.rewritten(lambda part, h=halved, r=raised: cosine(part, halved=h, raised=r))  # type: ignore[misc]


def cosine(part: Apply, *, halved: bool, raised: bool) -> Formula | None:
    """The height (1 + cos)/2 with or without its half and its one."""
    match part:
        case Apply("div", (top, Number() as two)) if fm.is_number(two, 2) and any(map(is_raised, fm.walk(top))):
            lowered = top if raised else rewritten(top, lambda p: p.args[1] if is_raised(p) else None)
            return lowered / two if halved else lowered
    return None


def is_raised(part: Formula) -> bool:
    """Whether this is 1 + cos(…)."""
    match part:
        case Apply("add", (Number() as one, Apply("cos"))):
            return fm.is_number(one, 1)
    return False


@mistakes("C3", "lr", lesson="cosine_annealing")
def degrees(step: Step) -> Iterator[Formula]:
    """cos(180 t/T) of radians, or cos(πt/T) of degrees."""
    turns: tuple[Callable[[Formula], Formula], ...] = (
        lambda angle: rewritten(angle, lambda part: HALF_TURN if part == PI else None),
        lambda angle: PI * angle / HALF_TURN,
    )
    for turn in turns:
        yield step.rewritten(lambda part, t=turn: fm.cos(t(part.args[0])) if part.head == "cos" else None)  # type: ignore[misc]


@mistakes("C4", "lr", prior=1, lesson="warm_up")
def warm_up_counted(step: Step) -> Iterator[Formula]:
    """t/T where the warm-up of w epochs goes before it: (t − w)/(T − w)."""
    e = epoch(step)
    for mark in step.used("milestones"):

        def since(part: Formula, mark: Name = mark) -> bool:
            return e is not None and part == e - mark

        yield step.rewritten(lambda part, s=since: e if s(part) else None)  # type: ignore[misc]
        for top in (e, None):
            yield step.rewritten(lambda part, s=since, m=mark, t=top: longer(part, m, s, t))  # type: ignore[misc]


def longer(part: Apply, mark: Name, since: Callable[[Formula], bool], top: Name | None) -> Formula | None:
    """A share (t − w)/T of a period with the warm-up in the period, and in t."""
    if part.head != "div" or not any(map(since, fm.walk(part.args[0]))):
        return None
    above = part.args[0] if top is None else rewritten(part.args[0], lambda p: top if since(p) else None)
    return above / (part.args[1] + mark)


@mistakes("C5", "lr", prior=1, lesson="step_lr")
def steps_miscounted(step: Step) -> Iterator[Formula]:
    """γ to the power ⌈e/k⌉, to that of e/k rounded or not, or to that of e, for γ^⌊e/k⌋."""
    counts: tuple[Callable[[Formula], Formula | None], ...] = (
        fm.ceil,
        lambda share: fm.floor(share + numbered(fm.Fraction(1, 2))),
        lambda share: share,
        lambda share: epoch(step),
    )
    for count in counts:
        yield step.rewritten(lambda part, c=count: stepped(step, part, c))  # type: ignore[misc]


def stepped(step: Step, part: Apply, count: Callable[[Formula], Formula | None]) -> Formula | None:
    match part:
        case Apply("pow", (Name() as gamma, Apply("floor", (share,)))) if step.entry_of(gamma).kind == "gamma":
            exponent = count(share)
            return None if exponent is None else fm.power(gamma, exponent)
    return None


@mistakes("C6", "lr", prior=1, lesson="warm_up")
def warm_up_from_zero(step: Step) -> Iterator[Formula]:
    """t/w for (t + 1)/w: the first rate is 0."""
    e = epoch(step)
    if e is not None and step.used("steps", "warmup_steps"):
        yield step.rewritten(lambda part: e if part == e + 1 else None)
    if starts := step.used("start_factor"):
        yield step.put(dict.fromkeys(starts, 0))
