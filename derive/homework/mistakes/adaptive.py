"""Mistakes in the optimizers that scale each step: Adam and its kin, RMSprop, AdaGrad; and in weight decay."""

from __future__ import annotations

from collections.abc import Iterator

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number
from derive.homework.mistakes.base import Step, mistakes
from derive.homework.mistakes.updates import (
    BETWEEN,
    HATS,
    RATES,
    SPREADS,
    UPDATED,
    carried,
    corrected,
    correction,
    exponents,
    inlined,
    is_square,
    kept,
    moved,
    parameter,
    share,
    spreads,
    starting_point,
    whole_of,
)
from derive.optimizers import optimizers
from derive.options import parameters

EPSILONS = ("eps", "epshat")


# Adam's correction ----------------------------------------------------------------------------------------------------
@mistakes("O8", *UPDATED, *HATS, "rate", prior=1, lesson="adam")
def no_correction(step: Step) -> Iterator[Formula]:
    """m/(√v + ε)."""
    yield corrected(step, lambda t: 0, *HATS)


@mistakes("O9", *UPDATED, "mhat", "rate", lesson="adam")
def first_moment_uncorrected(step: Step) -> Iterator[Formula]:
    """m/(√v̂ + ε)."""
    if step.kind == "rate" or both_corrected(step):
        yield corrected(step, lambda t: 0, "mhat", rooted=False)


@mistakes("O10", *UPDATED, "vhat", "rate", lesson="adam")
def second_moment_uncorrected(step: Step) -> Iterator[Formula]:
    """m̂/(√v + ε)."""
    if step.kind == "rate" or both_corrected(step):
        yield corrected(step, lambda t: 0, "vhat", divided=step.kind != "rate")


def both_corrected(step: Step) -> bool:
    """Whether the step has an m̂ and a v̂."""
    if step.kind in UPDATED:
        return len(step.used(*HATS)) == 2
    return all(step.node.id.replace(step.kind, hat) in step.circuit.nodes for hat in HATS)


@mistakes("O11", *UPDATED, *HATS, "rate", "shat", prior=1, lesson="adam")
def correction_of_the_first_step(step: Step) -> Iterator[Formula]:
    """m̂ = m/(1 − β) in every step."""
    yield corrected(step, lambda t: 1, *HATS)


@mistakes("O12", *UPDATED, *HATS, "rate", "shat", prior=1, lesson="adam")
def correction_of_another_step(step: Step) -> Iterator[Formula]:
    """1 − β^(t−1) or 1 − β^(t+1); the first divides by zero where t is 1."""
    if found := exponents(step):
        yield corrected(step, lambda t: t + 1, *HATS)
        if min(found) > 1:
            yield corrected(step, lambda t: t - 1, *HATS)


# the root -------------------------------------------------------------------------------------------------------------
@mistakes("O13", *UPDATED, "buf", "delta", lesson="adam")
def forgot_the_root(step: Step) -> Iterator[Formula]:
    """m̂/(v̂ + ε)."""

    def change(part: Apply) -> Formula | None:
        return part.args[0] if part.head == "sqrt" and of_squares(step, part) else None

    yield step.rewritten(change)


@mistakes("O14", *UPDATED, "buf", "delta", lesson="adam")
def epsilon_on_the_other_side_of_the_root(step: Step) -> Iterator[Formula]:
    """m̂/√(v̂ + ε), or √v̂ + ε where ε belongs inside."""
    epsilons = step.used(*EPSILONS)

    def change(part: Apply) -> Formula | None:
        match part:
            case Apply("sqrt", (Apply("add", (inside, epsilon)),)) if epsilon in epsilons:
                return fm.sqrt(inside) + epsilon
            case Apply("add", (Apply("sqrt", (inside,)), epsilon)) if epsilon in epsilons:
                return fm.sqrt(inside + epsilon)
        return None

    yield step.rewritten(change)


def of_squares(step: Step, part: Formula) -> bool:
    """Whether a root is that of squared gradients."""
    return any(step.entry_of(name).kind in (*SPREADS, "vhat", "vmax") for name in fm.names(part))


@mistakes("O15", *UPDATED, prior=3, lesson="adam")
def epsilon_hat(step: Step) -> Iterator[Formula]:
    """ε beside the root of the uncorrected v where it belongs beside that of v̂, or the other way round."""
    written = inlined(step, fm.add(*step.used("vhat", "rate")), "vhat", "rate")
    factor = next((part for part in fm.walk(written) if of_second_moment(part)), None)
    if factor is None:
        return
    root = fm.sqrt(factor)
    for epsilon in step.used("eps"):
        inside = any(part == fm.sqrt(vhat + epsilon) for part in fm.walk(step.formula) for vhat in step.used("vhat"))
        yield step.put({epsilon: epsilon / (factor if inside else root)})
    for epsilon in step.used("epshat"):
        yield step.put({epsilon: epsilon * root})


def of_second_moment(part: Formula) -> bool:
    """Whether this is 1 − β₂ᵗ."""
    found = correction(part)
    return found is not None and found[0].id == "betas2"


# averages of squares --------------------------------------------------------------------------------------------------
@mistakes("O16", *SPREADS, lesson="adam")
def forgot_the_square(step: Step) -> Iterator[Formula]:
    """v = βv + (1 − β)g."""
    if spreads(step):
        yield step.rewritten(lambda part: part.args[0] if is_square(part) else None)


@mistakes("O17", "m", "v", "u", *HATS, "rate", lesson="adam")
def betas_swapped(step: Step) -> Iterator[Formula]:
    """β₂ in the place of β₁, and β₁ in that of β₂."""
    one, two = step.named("betas1"), step.named("betas2")
    if one is not None and two is not None:
        yield step.put({one: two, two: one})


@mistakes("O18", *SPREADS, prior=1, lesson="rmsprop")
def sum_or_average(step: Step) -> Iterator[Formula]:
    """s = s + g² for ρs + (1 − ρ)g², or the other way round, with one of the usual ρ."""
    if not spreads(step):
        return
    beta, new = share(step), whole_of(step)
    if beta is not None:
        yield fm.bind(carried(step), {beta: fm.ONE}) + new
        return
    for name, option in (("rmsprop", "alpha"), ("adadelta", "rho")):
        keep = Number(parameters(optimizers[name])[option][1])
        yield keep * carried(step) + (1 - keep) * new


# weight decay ---------------------------------------------------------------------------------------------------------
@mistakes("O19", *UPDATED, "gtilde", "m", "v", "u", "mhat", prior=1, lesson="weight_decay")
def decay_in_the_wrong_place(step: Step) -> Iterator[Formula]:
    """g + λw through m and v where the weight itself should shrink, or the other way round."""
    decay = step.named("weight_decay")
    if decay is None:
        return
    if step.kind == "gtilde":
        yield step.put({decay: 0})
    elif step.kind in UPDATED:
        yield from decayed_elsewhere(step, decay)
    elif point := starting_point(step):
        yield step.put({g: g + decay * point for g in step.used("g", "dL/dW", "dL/db")})


def decayed_elsewhere(step: Step, decay: Name) -> Iterator[Formula]:
    """The whole step with the decay in the other place."""
    theta, change = parameter(step), inlined(step, moved(step), *BETWEEN)
    if decay in fm.names(kept(step)):
        gradients = [name for name in fm.names(change) if step.entry_of(name).kind == "g"]
        yield theta + fm.bind(change, {g: g + decay * theta for g in gradients})
    elif bends(change):  # else it is the same
        for eta in step.used(*RATES):
            yield (1 - eta * decay) * theta + fm.bind(inlined(step, change, "gtilde"), {decay: fm.ZERO})


def bends(f: Formula) -> bool:
    """Whether a step is no multiple of the gradient."""
    return any(isinstance(part, Apply) and part.head in ("sqrt", "abs", "max") for part in fm.walk(f))


@mistakes("O20", *UPDATED, lesson="adamw")
def decay_without_the_rate(step: Step) -> Iterator[Formula]:
    """w − step − λw."""
    if step.used("weight_decay", "lambd"):
        yield fm.bind(kept(step), dict.fromkeys(step.used(*RATES), fm.ONE)) + moved(step)


@mistakes("O21", *UPDATED, lesson="adamw")
def decay_after_the_step(step: Step) -> Iterator[Formula]:
    """(w − step)(1 − ηλ)."""
    if step.used("weight_decay", "lambd"):
        theta = parameter(step)
        yield fm.bind(kept(step), {theta: fm.ONE}) * (theta + moved(step))
