"""Mistakes in the loss: of one output or sample, and of all of them; where they fit, in the penalty on the weights.

A mistake made in every output's loss shows in the loss alone where these are not written down: then it is followed
through all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from derive.formula import (
    Apply,
    Formula,
    Name,
    Number,
    add,
    bind,
    exp,
    formula,
    is_number,
    log,
    multiply,
    names,
    negate,
    walk,
)
from derive.homework.mistakes.base import MANY, Step, mistakes, rewritten
from derive.homework.mistakes.forward import BASES
from derive.ops.base import Elementwise
from derive.ops.structural import Scale
from derive.ops.vector import VectorOp
from derive.options import Choice

HALVED = ("half_squared_error", "huber", "smooth_l1")
SQUARED = ("mse", *HALVED)
BINARY = ("bce", "bce_with_logits")
LOGARITHMIC = ("cross_entropy", *BINARY)  # the logarithm is taken in the loss
LIKELIHOOD = (*LOGARITHMIC, "nll")


@mistakes("L1", "l", "L", "data_loss", "penalty", prior=1, lesson="mse")
def forgot_the_half(step: Step) -> Iterator[Formula]:
    """E = Σ(t − o)²; a penalty of λ Σw²."""
    if step.kind == "penalty" and any(penalty.options.get("half") for penalty in penalties(step)):
        yield step.rewritten(unhalved)
    elif loss(step) in HALVED:
        yield from each(step, partial(rewritten, change=unhalved))


@mistakes("L2", "L", "data_loss", "penalty", prior=1, lesson="mse")
def forgot_to_divide_by_the_number(step: Step) -> Iterator[Formula]:
    """N·E: the sum, not the mean."""
    if step.kind == "penalty" and step.model:
        if any(penalty.options.get("per_sample") for penalty in penalties(step)):
            yield step.model.forward.output.shape[0] * step.formula
    elif divisor(step) != 1:
        yield divisor(step) * step.formula


@mistakes("L3", "L", "data_loss", prior=2, lesson="mse")
def divided_by_another_number(step: Step) -> Iterator[Formula]:
    """E/K or E/(N·K) or E/N, whichever it is not, of N samples with K outputs."""
    if loss(step) and step.model:
        samples, outputs = step.model.forward.output.shape
        for count in (samples, outputs, samples * outputs):
            if count > 1:
                yield multiply(Number(divisor(step) / count), step.formula)


@mistakes("L4", "L", "data_loss", prior=2, lesson="mse")
def only_one_output(step: Step) -> Iterator[Formula]:
    """E = E₁: one output, of all samples or of one; divided as before, or not at all."""
    errors = step.used("l")
    columns = {step.entry_of(error).column for error in errors}
    groups = [tuple(e for e in errors if step.entry_of(e).column == column) for column in sorted(columns)]
    groups += [(error,) for error in errors]
    for group in [g for g in dict.fromkeys(groups) if len(g) < len(errors)][: MANY // 2]:
        yield step.put({error: 0 for error in errors if error not in group})
        yield add(*group)


@mistakes("L5", "l", "L", "data_loss", "penalty", prior=2, lesson="mse")
def forgot_the_square(step: Step) -> Iterator[Formula]:
    """E = Σ(t − o), or Σ|t − o|; a penalty of λ Σw."""
    changes: list[Callable[[Formula], Formula]] = [lambda base: base, abs]
    if step.kind == "penalty":
        yield from (step.rewritten(squares_as(change)) for change in changes)
    elif loss(step) in SQUARED:
        for change in (*changes, negate):
            yield from each(step, partial(rewritten, change=squares_as(change)))


@mistakes("L6", "l", "L", "data_loss", prior=2, lesson="cross_entropy")
def forgot_the_minus(step: Step) -> Iterator[Formula]:
    """+Σ t ln p."""
    if loss(step) in LIKELIHOOD:
        yield -step.formula


@mistakes("L7", "l", "L", "data_loss", prior=2, lesson="cross_entropy")
def logarithm_of_another_base(step: Step) -> Iterator[Formula]:
    """E/ln 10, E/ln 2."""
    if loss(step) in LOGARITHMIC:
        yield from (step.formula / log(formula(base)) for base in BASES)


@mistakes("L8", "l", "L", "data_loss", prior=1, lesson="bce")
def only_the_first_term(step: Step) -> Iterator[Formula]:
    """−t ln p."""

    def first(f: Apply) -> Formula | None:
        return f.args[0] if f.head == "add" and all(has_head(arg, "xlogy") for arg in f.args) else None

    if loss(step) in BINARY:
        yield from each(step, partial(rewritten, change=first))


@mistakes("L9", "l", "L", "data_loss", prior=3, lesson="cross_entropy")
def entropy_of_the_predictions(step: Step) -> Iterator[Formula]:
    """−Σ p ln p."""

    def weighed(f: Formula) -> Formula:
        found = {place(step, name): value for name, value in probabilities(step, f).items()}
        return bind(f, {name: found[place(step, name)] for name in targets(step, f) if place(step, name) in found})

    if loss(step) in LIKELIHOOD:
        yield from each(step, weighed)


@mistakes("L10", "l", "L", "data_loss", prior=3, lesson="softmax_cross_entropy")
def logarithm_of_the_scores(step: Step) -> Iterator[Formula]:
    """−Σ t ln z."""

    def of_scores(f: Formula) -> Formula:
        scores = {name: step.source_of(name) for name in probabilities(step, f)}
        logs = loss(step) == "nll"  # its inputs are logarithms already
        return bind(f, {name: log(score) if logs else score for name, score in scores.items() if score})

    if loss(step) in LIKELIHOOD:
        yield from each(step, of_scores)


# what the loss is -----------------------------------------------------------------------------------------------------
def loss(step: Step) -> str:
    """The name of the loss; "" where this is not the loss of the data: the sum with a penalty, or the penalty."""
    found = step.model and step.model.spec.loss
    return found.name if found and not step.used("data_loss", "W", "W+") else ""


def penalties(step: Step) -> tuple[Choice, ...]:
    """The penalties of the file."""
    return tuple(step.model.spec.penalties) if step.model else ()


def divisor(step: Step) -> Fraction:
    """What the sum of all outputs' losses is divided by."""
    return 1 / step.op.factor if isinstance(step.op, Scale) else Fraction(1)


def each(step: Step, change: Callable[[Formula], Formula]) -> Iterator[Formula]:
    """The formula with the loss of every output or sample changed; in that of all of them each is written out."""
    if errors := step.used("l"):
        yield step.put({error: change(step.behind(error)) for error in errors})
    else:
        yield change(step.formula)


def targets(step: Step, f: Formula) -> list[Name]:
    """The targets in a formula, weighted or smoothed ones among them."""
    return [name for name in names(f) if step.entry_of(name).kind in ("t", "u")]


def probabilities(step: Step, f: Formula) -> dict[Name, Formula]:
    """The predicted probabilities in a formula, in terms of the outputs: e to the power of one that is a logarithm."""
    found: dict[Name, Formula] = {}
    for name in names(f):
        op = step.entry_of(name).node.op
        if isinstance(op, Elementwise | VectorOp) and op.name in ("sigmoid", "softmax", "log_softmax"):
            found[name] = exp(name) if op.name == "log_softmax" else name
    return found


def place(step: Step, name: Name) -> tuple[int, int]:
    """Sample and output of a name."""
    return step.entry_of(name).row, step.entry_of(name).column


# taking formulas apart ------------------------------------------------------------------------------------------------
def has_head(f: Formula, head: str) -> bool:
    """Whether a formula is made with this operation at its top."""
    return isinstance(f, Apply) and f.head == head


def is_square(f: Formula) -> bool:
    """Whether a formula is the square of another."""
    return isinstance(f, Apply) and f.head == "pow" and is_number(f.args[1], 2)


def unhalved(f: Apply) -> Formula | None:
    """A square times a number, or over one, without the ½ in that number."""
    if f.head == "mul" and isinstance(f.args[0], Number) and any(map(is_square, walk(f))):
        return 2 * f
    if f.head == "div" and is_square(f.args[0]) and isinstance(f.args[1], Number):
        return f.args[0] / Number(f.args[1].value / 2)
    return None


def squares_as(change: Callable[[Formula], Formula]) -> Callable[[Apply], Formula | None]:
    """Puts something else made of x in the place of every x²."""
    return lambda f: change(f.args[0]) if is_square(f) else None
