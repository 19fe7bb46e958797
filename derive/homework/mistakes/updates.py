"""What the rules of optimizers and averages have in common: the parts of an update, and of a running average."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number
from derive.homework.mistakes.base import Step, numbered, rewritten
from derive.ids import state, timed

#: The kinds of a parameter after a step: of a network's, and of a study's.
UPDATED = ("W+", "b+", "gamma+", "beta+", "theta")
#: The kinds of running averages.
AVERAGES = ("m", "v", "s", "gbar", "u", "running_mean+", "running_var+")
#: The running averages of squared gradients, and their sums.
SPREADS = ("v", "s", "u")
RATES = ("lr", "eta")
HATS = ("mhat", "vhat")
#: What is computed between a gradient and the update, in the same step.
BETWEEN = (*HATS, "vmax", "m", "v", "s", "u", "gbar", "buf", "d", "delta", "rate")


# an update ------------------------------------------------------------------------------------------------------------
def parameter(step: Step) -> Name:
    """The parameter before its update."""
    return step.used(step.kind.removesuffix("+"))[0]


def kept(step: Step) -> Formula:
    """What an update keeps of the parameter: θ, or (1 − ηλ)θ."""
    return fm.add(*(term for term in step.terms if parameter(step) in fm.names(term)))


def moved(step: Step) -> Formula:
    """What an update adds to that, with its sign."""
    return fm.add(*(term for term in step.terms if parameter(step) not in fm.names(term)))


def starting_point(step: Step) -> Name | None:
    """The parameter that a line of an optimizer belongs to, before the step."""
    letter, of = state(step.node.id)
    return step.named(of if letter else f"theta@{step.entry.step - 1}", step.row, step.column)


def rate(step: Step) -> Name | None:
    """The learning rate in force in a step."""
    return step.named(timed("lr", step.entry.step)) or step.named("lr")


def inlined(step: Step, f: Formula, *kinds: str) -> Formula:
    """A formula with what was computed in the same step written out."""

    def written(name: Name) -> Formula:
        at = step.entry_of(name)
        if at.given or at.kind not in kinds or at.step != step.entry.step:
            return name
        return fm.substitute(step.behind(name), written)

    return fm.substitute(f, written)


# a running average ----------------------------------------------------------------------------------------------------
def old(step: Step) -> Name | None:
    """The value of the step before, in the line of what is remembered."""
    if step.node.role not in ("state", "running"):
        return None
    return next(iter(step.used(step.kind.removesuffix("+"))), None)


def carried(step: Step) -> Formula:
    """What a line of what is remembered keeps of its old value."""
    return fm.add(*(term for term in step.terms if old(step) in {*fm.names(term)}))


def added(step: Step) -> Formula:
    """What it adds to that."""
    return fm.add(*(term for term in step.terms if old(step) not in {*fm.names(term)}))


def rest(f: Formula) -> Formula | None:
    """β of 1 − β."""
    match f:
        case Apply("add", (Number() as one, Apply("neg", (taken,)))) if fm.is_number(one, 1):
            return taken
    return None


def share(step: Step) -> Name | None:
    """β of a running average, β·old + (1 − β)·new or the other way round; None of what is none."""
    if old(step) is None:
        return None
    rests = {rest(part) for part in fm.walk(step.formula)}
    of_new = set(fm.names(added(step)))
    return next((name for name in fm.names(carried(step)) if name in rests and name in of_new), None)


def whole(f: Formula, name: Name) -> Formula:
    """A term without the share β or 1 − β that stands in front."""
    return fm.bind(rewritten(f, lambda part: fm.ONE if rest(part) == name else None), {name: fm.ONE})


def exchanged(f: Formula, name: Name) -> Formula:
    """A term with 1 − β in the place of β, or the other way round."""
    turned = rewritten(f, lambda part: name if rest(part) == name else None)
    return turned if turned != f else fm.bind(f, {name: 1 - name})


def is_square(f: Formula) -> bool:
    return isinstance(f, Apply) and f.head == "pow" and fm.is_number(f.args[1], 2)


def spreads(step: Step) -> bool:
    """Whether squares are averaged or added up."""
    return step.node.role == "state" and any(is_square(part) for part in fm.parts(whole_of(step), "mul"))


def whole_of(step: Step) -> Formula:
    """What a line takes up, without the share in front of it."""
    beta = share(step)
    return added(step) if beta is None else whole(added(step), beta)


@dataclass(frozen=True)
class Velocity:
    """The line of a velocity: what is kept of the old one, and the gradient it takes up, bare."""

    carried: Formula
    gradient: Formula
    momentum: Name


def velocity(step: Step) -> Velocity | None:
    """The parts of momentum, in any of its forms; None of another line."""
    mu = step.named("momentum")
    if mu is None or step.node.role != "state" or spreads(step):
        return None
    bare = rewritten(added(step), lambda part: fm.ONE if share_of(part, step) else None)
    if rates := step.used(*RATES):
        bare = -fm.bind(bare, dict.fromkeys(rates, fm.ONE))
    return Velocity(carried(step), bare, mu)


def share_of(part: Formula, step: Step) -> bool:
    """Whether this is 1 − μ, or 1 − τ of a dampening."""
    taken = rest(part)
    return isinstance(taken, Name) and step.entry_of(taken).kind in ("momentum", "dampening")


# the correction for the start at 0 ------------------------------------------------------------------------------------
def correction(f: Formula) -> tuple[Name, int] | None:
    """(β, t) of 1 − βᵗ, of an option β."""
    match rest(f):
        case Name() as beta:
            found = beta, 1
        case Apply("pow", (Name() as beta, Number(value=t))):
            found = beta, int(t)
        case _:
            return None
    return None if {".", "@"} & set(found[0].id) else found


def recorrected(f: Formula, power: Callable[[int], int], *, divided: bool = True, rooted: bool = True) -> Formula:
    """A formula with other exponents t in its corrections 1 − βᵗ; without these where the exponent is 0.

    divided, rooted: whether those are meant that are divided by, and those under a root
    """

    def other(f: Formula) -> Formula | None:
        if (found := correction(f)) is None:
            return fm.ONE if rest(f) is not None and not power(1) else None
        beta, t = found
        return 1 - fm.power(beta, numbered(power(t))) if power(t) else fm.ONE

    def change(part: Apply) -> Formula | None:
        match part:
            case Apply("div", (top, bottom)) if divided and (new := other(bottom)) is not None:
                return fm.divide(top, new)
            case Apply("sqrt", (inside,)) if rooted and (new := other(inside)) is not None:
                return fm.ONE if new == fm.ONE else fm.sqrt(new)
        return None

    return rewritten(f, change)


def corrected(
    step: Step, power: Callable[[int], int], *hats: str, divided: bool = True, rooted: bool = True
) -> Formula:
    """A line with other corrections for the start at 0, its own and those of m̂ and v̂ in it."""

    def change(f: Formula) -> Formula:
        return recorrected(f, power, divided=divided, rooted=rooted)

    return fm.bind(change(step.formula), {hat: change(step.behind(hat)) for hat in step.used(*hats)})


def exponents(step: Step) -> set[int]:
    """The t of all corrections in a line and in the m̂ and v̂ it uses."""
    found = map(correction, fm.walk(inlined(step, step.formula, *HATS, "rate")))
    return {pair[1] for pair in found if pair is not None}
