"""Mistakes with softmax, and with the shortcut of a loss behind it.

That a temperature is multiplied instead of divided (S9) cannot happen: these networks have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce

from derive.formula import ZERO, Apply, Formula, Name, Number, add, bind, exp, larger
from derive.graph import Node
from derive.homework.mistakes.base import WIDE, Step, mistakes
from derive.homework.mistakes.loss import each, loss, probabilities
from derive.ids import derivative, split
from derive.model import Pass
from derive.ops.base import Elementwise
from derive.ops.vector import LogSoftmax, Softmax, SoftmaxCrossEntropy, VectorOp

#: What softmax may be taken of.
SCORES = ("dL/dz", "dL/da", "dL/dy", "dL/dn", "dL/ds", "dL/ddrop")


@mistakes("S1", "a", "p", prior=2, lesson="softmax")
def no_exponentials(step: Step) -> Iterator[Formula]:
    """zᵢ/Σz."""
    if isinstance(step.op, VectorOp):
        yield step.rewritten(lambda f: f.args[0] if f.head == "exp" else None)


@mistakes("S2", "a", "p", prior=3, lesson="softmax")
def own_term_left_out_of_the_sum(step: Step) -> Iterator[Formula]:
    """e^{zᵢ}/Σ_{j≠i} e^{zⱼ}."""
    if isinstance(step.op, VectorOp) and step.source and step.node.shape[1] > 1:
        own = exp(step.source)
        yield step.rewritten(partial(without_term, own))


@mistakes("S3", "a", "p", "l", "L", "data_loss", prior=2, lesson="softmax_cross_entropy")
def softmax_applied_twice(step: Step) -> Iterator[Formula]:
    """p = softmax(softmax(z)), in the layer or in the loss."""
    if isinstance(step.op, Softmax) and step.node.shape[1] <= WIDE:
        back = by_score(step, step.across(step.node.id, axis=1))
        yield step.put({score: step.behind(p) for score, p in back.items()})
    elif loss(step) == "cross_entropy" and step.model and step.model.forward.output.shape[1] <= WIDE:

        def again(f: Formula) -> Formula:
            back = by_score(step, probabilities(step, f))
            return bind(f, {p: bind(step.behind(p), back) for p in back.values()})

        yield from each(step, again)


@mistakes("S4", *SCORES, prior=1, lesson="softmax_cross_entropy")
def diagonal_of_the_jacobian_alone(step: Step) -> Iterator[Formula]:
    """∂E/∂zᵢ = −tᵢ(1 − pᵢ): ∂pⱼ/∂zᵢ = 0 for j ≠ i."""
    if behind := Behind.of(step):
        yield from behind.through(lambda across: ZERO)


@mistakes("S5", *SCORES, prior=1, lesson="softmax_cross_entropy")
def slope_of_the_sigmoid_besides(step: Step) -> Iterator[Formula]:
    """(p − t) p (1 − p)."""
    if (behind := Behind.of(step)) and behind.fused and (p := behind.own):
        yield step.formula * (p * (1 - p))


@mistakes("S6", *SCORES, prior=1, lesson="softmax_cross_entropy")
def target_minus_probability(step: Step) -> Iterator[Formula]:
    """t − p."""
    if (behind := Behind.of(step)) and (behind.fused or isinstance(behind.activation.op, LogSoftmax)):
        yield -step.formula


@mistakes("S7", *SCORES, prior=2, lesson="softmax_cross_entropy")
def sign_beside_the_diagonal(step: Step) -> Iterator[Formula]:
    """∂pⱼ/∂zᵢ = +pᵢ pⱼ for j ≠ i."""
    if behind := Behind.of(step):
        yield from behind.through(lambda across: -across)


@mistakes("S8", "a", "p", prior=3, lesson="softmax")
def shift_above_alone(step: Step) -> Iterator[Formula]:
    """e^{zᵢ − m}/Σ e^{zⱼ} with m the largest z."""
    if isinstance(step.op, Softmax) and isinstance(step.formula, Apply) and step.source and step.node.shape[1] > 1:
        row: list[Formula] = [*by_score(step, step.across(step.node.id, axis=1))]
        largest = reduce(larger, row)
        yield exp(step.source - largest) / step.formula.args[1]


@dataclass(frozen=True)
class Behind:
    """The activation that the derivative of a score comes back through.

    activation: softmax, its logarithm, or a sigmoid · run: its forward pass · fused: whether loss and activation are differentiated together
    """

    step: Step
    activation: Node
    run: Pass
    fused: bool

    @classmethod
    def of(cls, step: Step) -> Behind | None:
        """None where something else is made of the scores besides, or the loss has no such activation."""
        source = step.circuit.nodes.get(split(step.node.id)[1])
        if step.model is None or source is None:
            return None
        run = step.model.iterations[step.entry.step - 1].forward
        users = run.users.get(source, [])
        losses = [user for user in users if user.role in ("error", "loss")]
        match [user for user in users if user not in losses]:
            case [Node(op=VectorOp() | Elementwise(name="sigmoid")) as activation]:
                return cls(step, activation, run, bool(losses))
        return None

    @property
    def own(self) -> Name | None:
        """The activation of the score itself."""
        return self.step.named(self.activation.id, self.step.row, self.step.column)

    def through(self, change: Callable[[Formula], Formula]) -> Iterator[Formula]:
        """The sum over all ways through softmax or its logarithm, with the slopes beside the diagonal changed."""
        op, own, row = self.activation.op, self.own, self.step.across(self.activation.id, axis=1)
        if not isinstance(op, VectorOp) or own is None or len(row) == 1:
            return
        slopes = [op.jacobian([p])[0][0] if p == own else change(op.jacobian([p, own])[0][1]) for p in row]
        if arriving := self.arriving(row):
            yield add(*(g * slope for g, slope in zip(arriving, slopes, strict=True)))

    def arriving(self, row: list[Name]) -> list[Formula]:
        """The derivatives of the loss by the probabilities of a sample."""
        loss = self.run.loss
        if not self.fused:
            id = derivative("L", self.activation.id)
            return list(self.step.across(id, axis=1)) if id in self.step.circuit.nodes else []
        if loss is None or not isinstance(loss.each.op, SoftmaxCrossEntropy):
            return []
        targets = self.step.across(loss.each.inputs[2].id, axis=1)
        return [Number(loss.factor) * loss.each.op.long_way(p, t) for p, t in zip(row, targets, strict=True)]


def by_score(step: Step, probabilities: Iterable[Name]) -> dict[Name, Name]:
    """Score -> the probability made of it."""
    pairs = ((step.source_of(p), p) for p in probabilities)
    return {score: p for score, p in pairs if score}


def without_term(term: Formula, f: Apply) -> Formula | None:
    """A sum without one of its terms."""
    return add(*(arg for arg in f.args if arg != term)) if f.head == "add" and term in f.args else None
