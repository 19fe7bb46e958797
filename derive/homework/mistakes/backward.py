"""Mistakes on the way back: what arrives at an activation, at a pre-activation, from the loss or through the weights.

Two rows of the list have no rule, as derive has no layer for them: B28, a weight shared over the positions of a
convolution or a recurrent network, and B29, the scale of attention. A bias shared by the units of a layer is B21.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive import formula as fm
from derive.formula import Formula, Name, Number
from derive.graph import topological
from derive.homework.mistakes.base import MOST, Step, mistakes
from derive.homework.mistakes.slopes import PIECEWISE, SLOPES, around
from derive.ids import derivative, kind, split, timed
from derive.ops.base import Elementwise, z
from derive.ops.vector import Fused, VectorOp

#: Gradients that a sample has of its own, and those of what is learned.
ARRIVING = ("dL/da", "dL/dz", "dL/ds", "dL/ddrop", "dL/dy", "dL/dn", "dL/dx")
LEARNED = ("dL/dW", "dL/db", "dL/dgamma", "dL/dbeta")
EVERY = (*ARRIVING, *LEARNED, "dL/dvar", "dL/dmean")
TARGETS = ("t", "u")
WEIGHTS = ("W", "W+")


# through an activation ------------------------------------------------------------------------------------------------
@mistakes("B1", *ARRIVING, prior=1, lesson="chain_rule")
def forgot_the_derivative_of_the_output(step: Step) -> Iterator[Formula]:
    """δ = ∂L/∂a, where a is an output."""
    if at_output(step):
        yield from without_the_slope(step)
        yield from without_the_jacobian(step)


@mistakes("B2", *ARRIVING, prior=1, lesson="backprop_equations")
def forgot_the_derivative_of_a_hidden_unit(step: Step) -> Iterator[Formula]:
    """δ = Σ w·δ of the next layer."""
    if not at_output(step):
        yield from without_the_slope(step)
        yield from without_the_jacobian(step)


def at_output(step: Step) -> bool:
    """Whether it belongs to the last layer."""
    if step.model is None:
        return False
    layer = kind(step.model.forward.output.id)[1]
    return step.entry.layer.partition(".")[0] == layer.partition(".")[0]


def without_the_slope(step: Step) -> Iterator[Formula]:
    """What arrives at the activation, taken to be what arrives before it; an activation with slope 1 changes nothing."""
    slopes = [name for name in step.used(*SLOPES) if not isinstance(step.behind(name), Number)]
    if slopes:
        yield step.without(*slopes)


def without_the_jacobian(step: Step) -> Iterator[Formula]:
    """The same of an activation that mixes the units; with cross-entropy, what arrives is the derivative by p."""
    if step.model is None:
        return
    scores = step.circuit.nodes[split(step.node.id)[1]]
    for user in step.model.iterations[step.entry.step - 1].forward.users.get(scores, []):
        if isinstance(user.op, VectorOp):
            yield from at_activation(step, step.named(user.id))
    if (targets := own_targets(step)) and (op := fused(step)) and not step.used("weight", "pos_weight"):
        p = next(name for name in step.used("a", "p") if step.entry_of(name).column == step.column)
        yield factor(step) * op.long_way(p, targets[0])


# the sign -------------------------------------------------------------------------------------------------------------
@mistakes("B3", *EVERY, "z", prior=1, lesson="backprop_equations")
def the_other_sign(step: Step) -> Iterator[Formula]:
    """t − a for a − t, and whatever else has the other sign: the whole, or one term of a sum."""
    yield -step.formula
    terms = step.terms if len(step.terms) > 1 else ()
    for i, term in enumerate(terms[:MOST]):
        yield fm.add(*terms[:i], -term, *terms[i + 1 :])


# the loss -------------------------------------------------------------------------------------------------------------
def own_targets(step: Step) -> list[Name]:
    """The target of the unit a step belongs to, where the loss is differentiated there; else none."""
    return [name for name in step.used(*TARGETS) if step.entry_of(name).column == step.column]


def fused(step: Step) -> Fused | None:
    """The loss that is computed with its activation together, if the network has one."""
    if step.model is None or step.model.forward.loss is None:
        return None
    ops = (node.op for node in topological(step.model.forward.loss.data))
    return next((op for op in ops if isinstance(op, Fused)), None)


def factor(step: Step) -> Fraction:
    """What the loss multiplies its sum by: 1/n of a mean."""
    loss = None if step.model is None else step.model.forward.loss
    return Fraction(1) if loss is None else loss.factor


@mistakes("B8", *ARRIVING, prior=1, lesson="mse")
def the_factor_of_the_square(step: Step) -> Iterator[Formula]:
    """2 g or g/2, of a loss with a square in it."""
    loss = None if step.model is None else step.model.forward.loss
    op = None if loss is None else loss.each.op
    squares = isinstance(op, Elementwise) and any(isinstance(f, fm.Apply) and f.head == "pow" for f in fm.walk(op.body))
    if squares and own_targets(step):
        yield 2 * step.formula
        yield Fraction(1, 2) * step.formula


@mistakes("B9", *ARRIVING, "dL/dW", "dL/db", prior=1, lesson="batches")
def the_mean(step: Step) -> Iterator[Formula]:
    """n g or g/n: the mean forgotten, or taken twice; of a mean over samples and outputs, only one of the two."""
    if step.model is None:
        return
    samples, outputs = step.model.forward.output.shape
    whole = 1 / factor(step)
    if own_targets(step):
        times = [whole, 1 / whole]
        times += [Fraction(samples), Fraction(outputs)] if whole == samples * outputs else []
        times += [Fraction(1, samples)] if whole == 1 else []
        for number in dict.fromkeys(times):
            if number != 1:
                yield number * step.formula
    elif step.kind in LEARNED and samples > 1 and (deltas := step.used("dL/dz")):
        yield step.put({delta: Fraction(1, samples) * delta for delta in deltas})


@mistakes("B22", *ARRIVING, prior=2, lesson="chain_rule")
def target_of_another_output(step: Step) -> Iterator[Formula]:
    """a₁ − t₂."""
    for target in own_targets(step):
        for other in step.beside(target)[:MOST]:
            yield step.put({target: other, other: target})


@mistakes("B23", *ARRIVING, prior=2, lesson="chain_rule")
def the_loss_for_its_derivative(step: Step) -> Iterator[Formula]:
    """E where ∂E/∂a belongs."""
    if own_targets(step):
        number = step.entry.step
        each = timed("l", number)
        errors = [step.named(each, step.row, step.column), step.named(each, step.row, 0)]
        for error in dict.fromkeys(error for error in errors if error):
            yield error
            yield factor(step) * error
        for whole in ("data_loss", "L"):
            if found := step.named(timed(whole, number)):
                yield found
                return


# back through the weights ---------------------------------------------------------------------------------------------
def paths(step: Step) -> list[Formula]:
    """The terms of a sum over the ways to the loss, some of which lead through weights."""
    terms = list(step.terms)
    return terms if len(terms) > 1 and through(step) else []


def through(step: Step) -> list[Name]:
    """The weights through which a gradient arrives."""
    return [] if step.kind in LEARNED else step.used(*WEIGHTS)


@mistakes("B10", *ARRIVING, prior=1, lesson="backprop_equations")
def not_all_paths(step: Step) -> Iterator[Formula]:
    """Only one of the paths to the loss, or all but one."""
    terms = paths(step)
    yield from terms[:MOST]
    for term in terms[:MOST]:
        yield fm.add(*(other for other in terms if other is not term))


@mistakes("B11", *ARRIVING, prior=3, lesson="backprop_equations")
def multiplied_the_paths(step: Step) -> Iterator[Formula]:
    """The product of the paths."""
    if terms := paths(step):
        yield fm.multiply(*terms)


@mistakes("B12", *ARRIVING, prior=2, lesson="backprop_equations")
def forgot_the_weight_on_the_path(step: Step) -> Iterator[Formula]:
    """Σ δ."""
    if weights := through(step):
        yield step.without(*weights)


@mistakes("B13", *ARRIVING, prior=1, lesson="gradient_descent")
def the_updated_weight(step: Step) -> Iterator[Formula]:
    """Σ w⁺·δ."""
    updated = {weight: new for weight in through(step) if (new := step.updated(weight))}
    if updated:
        yield step.put(updated)


@mistakes("B14", *ARRIVING, prior=1, lesson="transpose")
def the_matrix_not_transposed(step: Step) -> Iterator[Formula]:
    """Σ w_ij·δ_j for w_ji."""
    weights = through(step)
    places = {weight: step.entry_of(weight) for weight in weights}
    turned = {weight: step.named(weight.id, at.column, at.row) for weight, at in places.items()}
    found = {weight: other for weight, other in turned.items() if other}
    if found and len(found) == len(weights):
        yield step.put(found)


@mistakes("B15", *ARRIVING, prior=2, lesson="backprop_equations")
def weights_of_another_layer(step: Step) -> Iterator[Formula]:
    """The weights of the layer before, or of any other, in the same places."""
    weights = through(step)
    for id in step.elsewhere(weights[0].id.replace("+", ""))[:MOST] if weights else []:
        places = {weight: step.entry_of(weight) for weight in weights}
        others = {weight: step.named(id, at.row, at.column) for weight, at in places.items()}
        found = {weight: other for weight, other in others.items() if other}
        if len(found) == len(weights):
            yield step.put(found)


@mistakes("B24", *EVERY, prior=2, lesson="backprop_equations")
def lost_a_negative_sign(step: Step) -> Iterator[Formula]:
    """|δ|, of the whole or of one that goes into it."""
    yield abs(step.formula)
    arriving = step.used(*ARRIVING)
    for name in arriving[:MOST] if len(arriving) > 1 else []:
        yield step.put({name: abs(name)})


@mistakes("B25", *ARRIVING, *SLOPES, prior=1, lesson="relu")
def the_gate_of_relu(step: Step) -> Iterator[Formula]:
    """Slope 1 whatever z is; or the sign of ∂L/∂a is looked at in the place of that of z."""
    if step.kind in SLOPES:
        op, _, a = around(step, step.entry)
        if op.name in PIECEWISE and op.slopes[0]:
            yield fm.ONE
            yield from (fm.bind(op.slopes[0], {z: arriving}) for arriving in at_activation(step, a))
    for slope in step.used(*SLOPES):
        op, _, a = around(step, step.entry_of(slope))
        if op.name in PIECEWISE:
            yield step.without(slope)
            yield from (step.put({slope: 1, g: fm.bind(op.body, {z: g})}) for g in at_activation(step, a))


def at_activation(step: Step, a: Name | None) -> list[Name]:
    """What arrives at an activation, in the place of the step."""
    arriving = a and step.named(derivative("L", a.id), step.row, step.column)
    return [arriving] if arriving else []
