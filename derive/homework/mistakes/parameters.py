"""Mistakes in the gradients of weights and biases."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive import formula as fm
from derive.formula import Formula, Name
from derive.homework.mistakes.backward import LEARNED, factor
from derive.homework.mistakes.base import MOST, Step, mistakes
from derive.ids import derivative, split

#: What a linear layer may take in.
INPUTS = ("x", "a", "z", "s", "drop", "y", "n")
STRENGTHS = ("lambda_l", "lambda_norm")


# the input ------------------------------------------------------------------------------------------------------------
@mistakes("B16", "dL/dW", prior=2, lesson="backprop_equations")
def the_pre_activation(step: Step) -> Iterator[Formula]:
    """∂L/∂w = δ·z."""
    inputs = step.used("a")
    before = {a: found for a in inputs if (found := acted_on(step, a))}
    if inputs and len(before) == len(inputs):
        yield step.put(before)


def acted_on(step: Step, a: Name) -> Name | None:
    """What an activation acts on, in the same place."""
    at = step.entry_of(a)
    return step.named(at.node.inputs[0].id, at.row, at.column) if at.node.inputs else None


@mistakes("B17", "dL/dW", prior=1, lesson="backprop_equations")
def another_input(step: Step) -> Iterator[Formula]:
    """∂L/∂w₁ = δ·a₂."""
    inputs = step.used(*INPUTS)
    others = [step.beside(name)[:MOST] for name in inputs]
    for swap in zip(*others, strict=True):
        yield step.put(dict(zip(inputs, swap, strict=True)))


@mistakes("B18", "dL/dW", prior=2, lesson="backprop_equations")
def the_weight(step: Step) -> Iterator[Formula]:
    """∂L/∂w = δ·w."""
    weight = step.named(split(step.node.id)[1], step.row, step.column)
    if weight and (inputs := step.used(*INPUTS)):
        yield step.put(dict.fromkeys(inputs, weight))


@mistakes("B19", "dL/dW", prior=1, lesson="chain_rule")
def forgot_the_input(step: Step) -> Iterator[Formula]:
    """∂L/∂w = δ."""
    if inputs := step.used(*INPUTS):
        yield step.without(*inputs)


# the bias -------------------------------------------------------------------------------------------------------------
@mistakes("B20", "dL/db", prior=2, lesson="bias")
def bias_times_input(step: Step) -> Iterator[Formula]:
    """∂L/∂b = δ·a."""
    layer, deltas = step.linear, step.used("dL/dz")
    for column in range(min(MOST, layer.source.shape[1]) if layer else 0):
        inputs = [step.named(layer.source.id, step.entry_of(delta).row, column) for delta in deltas] if layer else []
        found = {delta: delta * name for delta, name in zip(deltas, inputs, strict=True) if name}
        if found:
            yield step.put(found)


@mistakes("B21", "dL/db", prior=2, lesson="bias")
def shared_bias_not_summed(step: Step) -> Iterator[Formula]:
    """δ₁ for δ₁ + δ₂, of a bias that all units of a layer share."""
    deltas = step.used("dL/dz")
    columns = {delta: step.entry_of(delta).column for delta in deltas}
    units = sorted(set(columns.values()))
    for unit in units[:MOST] if len(units) > 1 else []:
        yield step.put({delta: 0 for delta in deltas if columns[delta] != unit})


# the batch ------------------------------------------------------------------------------------------------------------
@mistakes("B26", *LEARNED, prior=2, lesson="batches")
def one_sample(step: Step) -> Iterator[Formula]:
    """The gradient of one sample for that of all, with the 1/n of the mean or without it."""
    deltas = step.used("dL/dz", "dL/dy")
    rows = {delta: step.entry_of(delta).row for delta in deltas}
    samples = sorted(set(rows.values()))
    chosen = dict.fromkeys([samples[-1], *samples[: MOST - 1]]) if len(samples) > 1 else {}
    mean = (1 / factor(step)) % step.samples == 0
    for sample in chosen:
        others: dict[Name, Formula | int] = {delta: 0 for delta in deltas if rows[delta] != sample}
        yield step.put(others)
        if mean:
            yield step.put({**others, **{delta: step.samples * delta for delta in deltas if rows[delta] == sample}})


# the penalty ----------------------------------------------------------------------------------------------------------
@mistakes("B27", "dL/dW", "dL/db", prior=2, lesson="l2")
def the_term_of_the_penalty(step: Step) -> Iterator[Formula]:
    """g without λw, with 2λw for λw or the other way round; the bias decayed although it is not in the penalty."""
    strengths = step.used(*STRENGTHS)
    for chosen in [*([s] for s in strengths), strengths] if strengths else []:
        yield step.put(dict.fromkeys(chosen, 0))
    times = {Fraction(2), Fraction(1, 2), Fraction(step.samples), Fraction(1, step.samples)} - {1}
    for strength in strengths:
        for number in sorted(times):
            yield step.put({strength: number * strength})
    if not strengths and step.kind == "dL/db":
        yield from decayed(step)


def decayed(step: Step) -> Iterator[Formula]:
    """The gradient of a bias with the term that its layer's weights have: as it is, twice, and half of it."""
    layer = step.linear
    if layer is None or layer.W is None or layer.b is None:
        return
    weight, bias = step.named(layer.W.id, step.row), step.named(layer.b.id, step.row, step.column)
    gradient = step.named(derivative("L", layer.W.id), step.row)
    if weight is None or bias is None or gradient is None:
        return
    for term in fm.parts(step.behind(gradient), "add"):
        kinds = {step.entry_of(name).kind for name in fm.names(term)}
        if kinds == {"lambda_l", "W"} and weight in fm.names(term):
            for number in (1, 2, Fraction(1, 2)):
                yield step.formula + number * fm.bind(term, {weight: bias})
