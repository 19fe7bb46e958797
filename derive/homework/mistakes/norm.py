"""Mistakes with normalization: over the samples (batch norm) or over the units of a sample (layer norm)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.formula import Apply, Formula, Name, Number, add, bind, names
from derive.graph import Node, sources
from derive.homework.mistakes.base import WIDE, Step, mistakes
from derive.layers import SQUARED_DEVIATION, STANDARDIZED

#: What may be normalized.
SOURCES = ("dL/dz", "dL/da", "dL/ds", "dL/ddrop", "dL/dy", "dL/dn", "dL/dx")
Z, MEAN, VAR, EPS = STANDARDIZED.parameters


@mistakes("N1", "var", "running_var+", prior=1, lesson="batch_norm")
def variance_of_a_sample(step: Step) -> Iterator[Formula]:
    """Σ(z − μ)²/(N − 1); the other way round in the running variance."""
    for variance in step.used("var"):  # in the running one
        share = Fraction(terms(step.behind(variance)) - 1, terms(step.behind(variance)))
        yield step.put({variance: Number(share) * variance})
    if step.kind == "var" and (count := terms(step.formula)) > 1:
        yield Number(Fraction(count, count - 1)) * step.formula


@mistakes("N2", "n", prior=1, lesson="batch_norm")
def divided_by_the_variance(step: Step) -> Iterator[Formula]:
    """(z − μ)/(σ² + ε)."""
    yield step.rewritten(lambda f: f.args[0] if f.head == "sqrt" else None)


@mistakes("N3", "n", prior=1, lesson="batch_norm")
def epsilon_outside_the_root(step: Step) -> Iterator[Formula]:
    """(z − μ)/(σ + ε), or without ε."""
    for epsilon in step.used("eps"):
        without = step.put({epsilon: 0})
        yield without
        if isinstance(without, Apply) and without.head == "div":
            yield without.args[0] / (without.args[1] + epsilon)


@mistakes("N4", "y", "dL/dn", prior=1, lesson="batch_norm")
def scale_and_shift_exchanged(step: Step) -> Iterator[Formula]:
    """β·n + γ; or without γ, without β, without both. On the way back without γ."""
    if step.kind == "dL/dn":
        yield step.without(*step.used("gamma"))
        return
    for gamma, beta in zip(step.used("gamma", "gamma+"), step.used("beta", "beta+"), strict=True):
        yield step.put({gamma: beta, beta: gamma})
        yield step.put({gamma: 1})
        yield step.put({beta: 0})
        yield step.put({gamma: 1, beta: 0})


@mistakes("N5", "running_mean+", "running_var+", prior=1, lesson="batch_norm")
def momentum_of_the_other_convention(step: Step) -> Iterator[Formula]:
    """ρ·old + (1 − ρ)·new."""
    for momentum in step.used("momentum"):
        yield step.put({momentum: 1 - momentum})


@mistakes("N6", *SOURCES, prior=1, lesson="batch_norm")
def statistics_taken_for_constants(step: Step) -> Iterator[Formula]:
    """∂L/∂z = ∂L/∂n/√(σ² + ε): not through mean and variance, or not through one of them."""
    means, variances = step.used("dL/dmean"), step.used("dL/dvar")
    for left_out in ((*means, *variances), means, variances):
        if left_out:
            yield step.put(dict.fromkeys(left_out, 0))


@mistakes("N7", "n", prior=2, lesson="batch_norm")
def statistics_of_the_batch_in_eval_mode(step: Step) -> Iterator[Formula]:
    """(z − μ)/√(σ² + ε) with the mean and variance of these samples."""
    if step.used("running_mean", "running_mean+"):
        yield from standardized(step, step.across(step.node.inputs[0].id, axis=0))


@mistakes("N8", "mean", "var", "n", prior=1, lesson="layer_norm")
def along_the_other_axis(step: Step) -> Iterator[Formula]:
    """Mean and variance over the samples where they are over the units, or the other way round."""
    if step.kind == "n":
        yield from standardized_along_the_other(step)
    elif len(line := other_line(step)) > 1:
        if step.kind == "mean":
            yield mean_of(line)
        else:
            yield from (variance_of(line, mean) for mean in (mean_of(line), *step.used("mean")))


def standardized_along_the_other(step: Step) -> Iterator[Formula]:
    """A standardized value by statistics along the other axis, worked out anew or as they were taken to be."""
    source, mean, *_ = step.node.inputs
    if not mean.inputs:  # given, in eval mode
        return
    axis = axis_of(mean, source)
    yield from standardized(step, step.across(source.id, 1 - axis))
    place = (0, step.row) if axis == 0 else (step.column, 0)
    others = {name: step.named(name.id, *place) for name in step.used("mean", "var")}
    yield step.put({name: other for name, other in others.items() if other})


def standardized(step: Step, line: list[Name]) -> Iterator[Formula]:
    """A value standardized by the mean and variance of some values; nothing where that is one, or very many."""
    if step.source and 1 < len(line) <= WIDE:
        mean = mean_of(line)
        (epsilon,) = step.used("eps")
        yield bind(STANDARDIZED.body, {Z: step.source, MEAN: mean, VAR: variance_of(line, mean), EPS: epsilon})


def other_line(step: Step) -> list[Name]:
    """The values along the other axis: of a statistic of unit k those of sample k, and the other way round."""
    source = next(sources(step.node))
    table = step.circuit.array(source)
    lines, k = (table, step.column) if axis_of(step.node, source) == 0 else (table.T, step.row)
    return list(lines[k]) if k < len(lines) and len(lines[k]) <= WIDE else []


def axis_of(statistic: Node, source: Node) -> int:
    """0 where a statistic is over the samples, 1 where it is over the units."""
    return 0 if statistic.shape[0] == 1 and source.shape[0] > 1 else 1


def mean_of(line: list[Name]) -> Formula:
    """Σz/N."""
    return Number(Fraction(1, len(line))) * add(*line)


def variance_of(line: list[Name], mean: Formula) -> Formula:
    """Σ(z − μ)²/N."""
    return Number(Fraction(1, len(line))) * add(*(bind(SQUARED_DEVIATION.body, {Z: z, MEAN: mean}) for z in line))


def terms(variance: Formula) -> int:
    """How many values a variance is of: all its names but the mean's."""
    return len(set(names(variance))) - 1
