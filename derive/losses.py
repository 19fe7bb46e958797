"""Losses, a formula sheet: each function is an entry of net.yaml, its keyword-only arguments are its options.

Names, options, reductions and conventions are those of https://docs.pytorch.org/docs/stable/nn.html#loss-functions;
`half_squared_error` is the textbook's. A function gets the end of the network and the targets and gives the loss of
each output (or sample) and the number the sum of them is divided by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from derive.formula import cases, exp, larger, xlogy
from derive.graph import Node, Op, apply, constant
from derive.ops.activations import sigmoid
from derive.ops.base import Elementwise, pointwise, t, z
from derive.ops.structural import Scale, Sum, add, hadamard, scale, total
from derive.ops.vector import SigmoidCrossEntropy, Softmax, SoftmaxCrossEntropy
from derive.registry import Registry

Reduction = Literal["mean", "sum"]
Weights = tuple[Fraction, ...]


@dataclass(frozen=True)
class End:
    """What a loss sees of the network: its output, its targets, and where constants given as options become leaves.

    encoding: how the targets were given: values, classes (indices, now one-hot), probabilities, or unnormalized
    given:    makes a leaf (1, n) of numbers given as an option, under a name
    ignored:  how many samples have no target (ignore_index)
    """

    output: Node
    targets: Node
    encoding: str
    given: Callable[[str, Weights], Node]
    picked: Callable[[Weights], Fraction]
    ignored: int = 0

    @property
    def samples(self) -> int:
        return self.output.shape[0]

    def probabilities(self, op: Op) -> tuple[Node, Node]:
        """(scores, probabilities), the probabilities made from the output."""
        return self.output, apply(op, self.output).named("p", "activation")


@dataclass(frozen=True)
class Loss:
    """The loss of each output or sample, and the loss: their sum, divided.

    penalty: what regularization adds to it; `total` is then the sum of the two
    """

    each: Node
    total: Node
    penalty: Node | None = None

    @property
    def data(self) -> Node:
        """The loss of the data alone."""
        return self.total if self.penalty is None else self.total.inputs[0]

    @property
    def factor(self) -> Fraction:
        """What the sum over outputs and samples is multiplied by: 1/n of a mean."""
        return self.data.op.factor if isinstance(self.data.op, Scale) else Fraction(1)

    def changed(self, swap: Callable[[Node], Node]) -> Loss:
        """The same loss of other nodes."""
        return Loss(swap(self.each), swap(self.total), self.penalty and swap(self.penalty))


losses: Registry[Callable[..., Loss]] = Registry("loss")
#: Losses whose targets are classes: an index per sample, or a row of probabilities.
CLASSIFICATION = ("cross_entropy", "nll")


def reduced(each: Node, divisor: Fraction | int) -> Loss:
    if each.shape == (1, 1) and divisor == 1:
        whole = each.named("L", "loss")
        return Loss(whole, whole)
    each = each.named("l", "error")
    return Loss(each, scale(total(each), 1 / Fraction(divisor)).named("L", "loss"))


def per_output(op: Elementwise, end: End, reduction: Reduction, weight: Weights = ()) -> Loss:
    each = apply(op, end.output, end.targets)
    if weight:
        each = hadamard(end.given("weight", weight), each)
    rows, columns = each.shape
    return reduced(each, rows * columns if reduction == "mean" else 1)


@losses("MSELoss", "mse_loss")
def mse(end: End, *, reduction: Reduction = "mean") -> Loss:
    """(a − t)², divided by the number of all outputs; no ½. PyTorch: MSELoss."""
    return per_output(pointwise("mse", (z - t) ** 2, 2 * (z - t)), end, reduction)


@losses()
def half_squared_error(end: End, *, reduction: Reduction = "sum") -> Loss:
    """½(t − a)², summed over outputs and samples; `mean` divides by the number of samples."""
    each = apply(pointwise("half_squared_error", (t - z) ** 2 * Fraction(1, 2), -(t - z)), end.output, end.targets)
    return reduced(each, end.samples if reduction == "mean" else 1)


@losses("L1Loss", "mae", "l1_loss")
def l1(end: End, *, reduction: Reduction = "mean") -> Loss:
    """|a − t| (MAE); slope 0 where they are equal. PyTorch: L1Loss."""
    slope = cases((1, z > t), (-1, z < t), (0, True))
    return per_output(pointwise("l1", abs(z - t), slope, kinks=[0]), end, reduction)


@losses("HuberLoss", "huber_loss")
def huber(end: End, *, delta: Fraction = Fraction(1), reduction: Reduction = "mean") -> Loss:
    """½(a − t)² up to |a − t| = δ, then δ(|a − t| − δ/2) (Huber, 1964). PyTorch: HuberLoss."""
    if not delta > 0:
        raise ValueError("delta must be positive")
    near = abs(z - t) <= delta
    body = cases(((z - t) ** 2 * Fraction(1, 2), near), (delta * (abs(z - t) - delta / 2), True))
    slope = cases((z - t, near), (delta, z > t), (-delta, True))
    return per_output(pointwise("huber", body, slope), end, reduction)


@losses("SmoothL1Loss", "smooth_l1_loss")
def smooth_l1(end: End, *, beta: Fraction = Fraction(1), reduction: Reduction = "mean") -> Loss:
    """(a − t)²/(2β) below |a − t| = β, then |a − t| − β/2 (Girshick, 2015). PyTorch: SmoothL1Loss."""
    if not beta > 0:
        raise ValueError("beta must be positive; for 0 use l1")
    near = abs(z - t) < beta
    body = cases(((z - t) ** 2 / (2 * beta), near), (abs(z - t) - beta / 2, True))
    slope = cases(((z - t) / beta, near), (1, z > t), (-1, True))
    return per_output(pointwise("smooth_l1", body, slope), end, reduction)


@losses("BCELoss", "binary_cross_entropy")
def bce(end: End, *, weight: Weights = (), reduction: Reduction = "mean") -> Loss:
    """−(t ln a + (1 − t) ln(1 − a)) of probabilities a. PyTorch: BCELoss. Fused with a sigmoid output layer."""
    op = end.output.op
    if isinstance(op, Elementwise) and op.name == "sigmoid":
        return of_scores(end, end.output.inputs[0], end.output, weight, (), reduction)
    body = -(xlogy(t, z) + xlogy(1 - t, 1 - z))
    return per_output(pointwise("bce", body, (z - t) / (z * (1 - z))), end, reduction, weight)


@losses("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
def bce_with_logits(end: End, *, weight: Weights = (), pos_weight: Weights = (), reduction: Reduction = "mean") -> Loss:
    """BCE of p = σ(score), computed from the score; `pos_weight` multiplies t ln p. PyTorch: BCEWithLogitsLoss."""
    return of_scores(end, *end.probabilities(sigmoid()), weight, pos_weight, reduction)


def of_scores(end: End, scores: Node, p: Node, weight: Weights, pos_weight: Weights, reduction: Reduction) -> Loss:
    """Binary cross-entropy of scores and their sigmoid p."""
    extra = [end.given("pos_weight", pos_weight)] if pos_weight else []
    each = apply(SigmoidCrossEntropy(bool(extra)), scores, p, end.targets, *extra)
    if weight:
        each = hadamard(end.given("weight", weight), each)
    return reduced(each, each.shape[0] * each.shape[1] if reduction == "mean" else 1)


@losses("CrossEntropyLoss")
def cross_entropy(
    end: End,
    *,
    weight: Weights = (),
    label_smoothing: Fraction = Fraction(0),
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Loss:
    """−Σ tᵢ ln pᵢ with p = softmax(scores), per sample; targets are class indices or probabilities.

    `mean` divides by the number of samples, or by the sum of the targets' class weights where indices are weighted.
    PyTorch: CrossEntropyLoss. Fused with a softmax output layer.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError("label_smoothing must be from 0 to 1")
    if label_smoothing and end.ignored:
        raise ValueError("ignore_index and label_smoothing cannot be worked together")
    fused = isinstance(end.output.op, Softmax)
    scores, p = (end.output.inputs[0], end.output) if fused else end.probabilities(Softmax())
    u = end.targets
    if label_smoothing:
        rest = label_smoothing / scores.shape[1]
        u = add(scale(u, 1 - label_smoothing), constant(rest))
    if weight:
        u = hadamard(u, end.given("weight", weight))
    if u is not end.targets:
        u = u.named("u", "target")
    each = apply(
        SoftmaxCrossEntropy(unit_rows=not weight and not end.ignored and end.encoding != "unnormalized"), scores, p, u
    )
    return reduced(each, class_divisor(end, weight) if reduction == "mean" else 1)


@losses("NLLLoss", "nll_loss")
def nll(end: End, *, weight: Weights = (), ignore_index: int = -100, reduction: Reduction = "mean") -> Loss:
    """−(log-probability of the target class), per sample. PyTorch: NLLLoss."""
    op = pointwise("nll", -(t * z), -t)
    u = end.targets
    if weight:
        u = hadamard(u, end.given("weight", weight)).named("u", "target")
    each = apply(Sum(axis=1), apply(op, end.output, u))
    return reduced(each, class_divisor(end, weight) if reduction == "mean" else 1)


def class_divisor(end: End, weight: Weights) -> Fraction | int:
    """What `mean` divides by: the weights of the target classes for indices, the samples for probabilities."""
    if weight and end.encoding == "classes":
        return end.picked(weight)
    return end.samples - end.ignored


@losses("KLDivLoss")
def kl_div(end: End, *, log_target: bool = False, reduction: Literal["mean", "sum", "batchmean"] = "mean") -> Loss:
    """t(ln t − a) with a = ln q: the divergence of q from t; `mean` divides by all entries, `batchmean` by samples.

    PyTorch: KLDivLoss.
    """
    op = pointwise("kl_div", exp(t) * (t - z), -exp(t)) if log_target else pointwise("kl_div", xlogy(t, t) - t * z, -t)
    if reduction == "batchmean":
        return reduced(apply(op, end.output, end.targets), end.samples)
    return per_output(op, end, reduction)


@losses("HingeEmbeddingLoss")
def hinge_embedding(end: End, *, margin: Fraction = Fraction(1), reduction: Reduction = "mean") -> Loss:
    """a where t = 1, max(0, margin − a) where t = −1. PyTorch: HingeEmbeddingLoss."""
    body = cases((z, t > 0), (larger(0, margin - z), True))
    slope = cases((1, t > 0), (-1, z <= margin), (0, True))
    return per_output(pointwise("hinge_embedding", body, slope), end, reduction)
