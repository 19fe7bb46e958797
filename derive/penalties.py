"""Penalties on the weights, a formula sheet: each function is an entry of `regularization:`, its keyword-only arguments
are its options.

The loss of the data and the penalty add up to the loss. Sources: Hoerl & Kennard, 1970 (L2, ridge); Tibshirani, 1996
(L1, lasso); Zou & Hastie, 2005 (elastic net).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from derive.formula import Apply, Function, Symbol, cases, formula, sqrt
from derive.graph import Node, apply
from derive.losses import Loss
from derive.ops.base import Elementwise, out, z
from derive.ops.structural import Rate, add, scale, total
from derive.registry import Registry

SIGN = Function("sign", Symbol("sign"), (z,), cases((1, z > 0), (-1, z < 0), (0, True)))
SQUARE = Elementwise("square", Symbol("q"), z**2, (2 * z,), by_formula=True)
SIZE = Elementwise("size", Symbol("s"), abs(z), (Apply(SIGN, (z,)),), kinks=(formula(0),), by_formula=True)
ROOT = Elementwise("root", Symbol("r"), sqrt(z), (cases((1 / (2 * out), z > 0), (0, True)),), by_formula=True)


@dataclass(frozen=True)
class Weighed:
    """What a penalty sees of the network.

    weights: of all linear layers · biases: of all linear layers · samples: in the batch
    strength: makes the leaf of its λ, under a name
    """

    weights: tuple[Node, ...]
    biases: tuple[Node, ...]
    samples: int
    strength: Callable[[str, Fraction], Node]

    def chosen(self, bias: bool) -> tuple[Node, ...]:
        return (*self.weights, *(self.biases if bias else ()))


penalties: Registry[Callable[..., Node]] = Registry("penalty")


def summed(op: Elementwise, nodes: tuple[Node, ...]) -> Node:
    """The sum over all entries of all nodes."""
    return add(*(total(apply(op, node)) for node in nodes))


def times(weighed: Weighed, name: str, strength: Fraction, norm: Node) -> Node:
    """λ times a norm; its name begins with `lambda_`, and the rest is the index of λ where there are several."""
    if strength < 0:
        raise ValueError("lambda must not be negative")
    return apply(Rate(), weighed.strength(name, strength), norm)


@penalties("lasso")
def l1(weighed: Weighed, *, lambda_: Fraction, bias: bool = False) -> Node:
    """λ Σ|w|; slope 0 at 0, as PyTorch takes it.

    lambda: the strength · bias: whether biases count as well
    """
    return times(weighed, "lambda_l1", lambda_, summed(SIZE, weighed.chosen(bias)))


@penalties("ridge")
def l2(
    weighed: Weighed, *, lambda_: Fraction, half: bool = False, per_sample: bool = False, bias: bool = False
) -> Node:
    """λ Σw²; with `half` λ/2, with `per_sample` divided by the number of samples.

    lambda: the strength · half: ½ in front · per_sample: 1/m in front · bias: whether biases count as well
    """
    factor = Fraction(1, 2 if half else 1) / (weighed.samples if per_sample else 1)
    return times(weighed, "lambda_l2", lambda_, scale(summed(SQUARE, weighed.chosen(bias)), factor))


@penalties()
def l2_norm(weighed: Weighed, *, lambda_: Fraction, bias: bool = False) -> Node:
    """λ √Σw², the norm itself and not its square; slope 0 where all weights are 0.

    lambda: the strength · bias: whether biases count as well
    """
    return times(weighed, "lambda_norm", lambda_, apply(ROOT, summed(SQUARE, weighed.chosen(bias))))


@penalties()
def elastic_net(weighed: Weighed, *, l1: Fraction, l2: Fraction, half: bool = False, bias: bool = False) -> Node:
    """λ₁ Σ|w| + λ₂ Σw².

    l1, l2: the strengths · half: ½ in front of the squares · bias: whether biases count as well
    """
    nodes = weighed.chosen(bias)
    squares = scale(summed(SQUARE, nodes), Fraction(1, 2 if half else 1))
    return add(times(weighed, "lambda_l1", l1, summed(SIZE, nodes)), times(weighed, "lambda_l2", l2, squares))


def regularized(loss: Loss, penalty: Node) -> Loss:
    """The loss with a penalty added: `L` is now their sum, the loss of the data is `data_loss`."""
    data = replace(loss.total, id="data_loss")
    penalty = penalty.named("penalty", "penalty")
    each = data if loss.each is loss.total else loss.each
    return Loss(each, add(data, penalty).named("L", "loss"), penalty)
