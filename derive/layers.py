"""Layers beside the linear one, a formula sheet: each function is an entry of net.yaml, its keyword-only arguments are
its options.

Names, options, defaults and conventions are PyTorch's. A function gets the place the layer stands in and gives its
lines: named nodes, the last of them what it passes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from derive.algebra import Algebra, Value
from derive.formula import Name, Symbol, sqrt
from derive.graph import Node, apply
from derive.ops.base import Elementwise, out, ruled, z
from derive.ops.structural import Sum, add, hadamard, scale, subtract
from derive.registry import Registry

Numbers = tuple[Fraction, ...]
Rows = tuple[Numbers, ...]

#: The letters of what these layers compute; each has a row per sample.
SAMPLED = ("n", "y", "drop", "s", "mask")
#: The letters of their parameters and statistics; one number per unit (of `layer_norm`: per sample).
STATISTICS = ("mean", "var")
PER_UNIT = ("gamma", "beta", "running_mean", "running_var")
#: The layers that normalize: over the samples (0) or the units (1).
NORMS = {"batch_norm": 0, "layer_norm": 1}
#: The letters of their options that stand in formulas, and how the file calls them.
OPTIONS = {"eps": "eps", "momentum": "momentum", "chance": "p"}


@dataclass(frozen=True)
class Stage:
    """What follows a linear layer: an activation, dropout, a normalization, the end of a residual block.

    name:    of the registry's entry · lines: its named nodes in order, the last one what it passes on
    parameters: what is learned · running: running statistic before -> after this forward pass
    """

    name: str
    lines: tuple[Node, ...]
    parameters: tuple[Node, ...] = ()
    running: Mapping[Node, Node] = field(default_factory=dict)

    @property
    def output(self) -> Node:
        return self.lines[-1]

    def changed(self, swap: Callable[[Node], Node]) -> Stage:
        """The same stage of other nodes."""
        running = {swap(before): swap(after) for before, after in self.running.items()}
        return Stage(self.name, tuple(map(swap, self.lines)), tuple(map(swap, self.parameters)), running)


@dataclass(frozen=True)
class Place:
    """Where a layer stands.

    source:   what comes in, a row per sample · training: whether in train mode
    named:    the id of a letter here: n1, or n1.2 for the second of a layer
    leaf:     makes a leaf (letter, role, rows of numbers)
    masked:   makes the mask: which entries are kept, given or drawn with the probability of being dropped
    """

    source: Node
    training: bool
    named: Callable[[str], str]
    leaf: Callable[[str, str, Rows], Node]
    masked: Callable[[Rows, Fraction], Node]

    @property
    def units(self) -> int:
        return self.source.shape[1]

    def row(self, letter: str, role: str, numbers: Numbers, default: int) -> Node:
        """A leaf of one number per unit; without numbers, of the default."""
        if numbers and len(numbers) != self.units:
            name = {"gamma": "weight", "beta": "bias"}.get(letter, letter)
            raise ValueError(f"{name} has {len(numbers)} numbers, but there are {self.units} units")
        return self.leaf(letter, role, (numbers or (Fraction(default),) * self.units,))


layers: Registry[Callable[..., Stage]] = Registry("layer")


def group_of(name: str) -> str:
    """Stages of one group share their letters and are counted together."""
    if name in NORMS:
        return "norm"
    return name if name in ("dropout", "residual") else "activation"


_mean = Name("mean", symbol=Symbol("μ"))
_var = Name("var", symbol=Symbol("σ", sup="2"))
_eps = Name("eps", symbol=Symbol("ε"))
_deviation = sqrt(_var + _eps)
_inner = Name("inner", symbol=Symbol("i"))
_kept = Name("mask", symbol=Symbol("r"))
_p = Name("p", symbol=Symbol("p"))


class Deviation(Elementwise):
    """A function of z − μ; where the two are equal but for the last of many digits, they are equal."""

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        source, mean, *others = values
        if algebra.digits:
            off = algebra.summed(source - mean, abs(source) + abs(mean))
            source = np.where(off == 0, np.broadcast_to(mean, source.shape), source)
        return super().eval(algebra, source, mean, *others)


#: (z − μ)², of every entry.
SQUARED_DEVIATION = Deviation(
    "squared_deviation", Symbol("d"), (z - _mean) ** 2, (2 * (z - _mean), -2 * (z - _mean)), (z, _mean)
)
#: (z − μ)/√(σ² + ε), of every entry.
STANDARDIZED = Deviation(
    "standardized",
    Symbol("n"),
    (z - _mean) / _deviation,
    (1 / _deviation, -(1 / _deviation), -(out / (2 * (_var + _eps))), None),
    (z, _mean, _var, _eps),
)
#: r·z/(1 − p), of every entry.
DROPPED = Elementwise("dropped", Symbol("d"), _kept * z / (1 - _p), (_kept / (1 - _p), None, None), (z, _kept, _p))


@layers("Dropout")
def dropout(place: Place, *, p: Fraction = Fraction(1, 2), mask: Rows = ()) -> Stage:
    """Every entry is 0 with probability p, else it is divided by 1 − p; in eval mode nothing happens.

    p: the probability of being dropped · mask: 1 where an entry is kept, 0 where it is dropped; drawn if not given
    Source: Srivastava et al., 2014; inverted scaling as https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """
    if not 0 <= p <= 1:
        raise ValueError("p must be from 0 to 1")
    if not place.training:
        return Stage("dropout", (place.source.named(place.named("drop"), "dropped"),))
    kept = place.masked(mask, p)
    if p == 1:
        return Stage("dropout", (hadamard(kept, place.source).named(place.named("drop"), "dropped"),))
    chance = place.leaf("chance", "hyper", ((p,),))
    return Stage("dropout", (apply(DROPPED, place.source, kept, chance).named(place.named("drop"), "dropped"),))


@layers("BatchNorm1d", "BatchNorm")
def batch_norm(
    place: Place,
    *,
    eps: Fraction = Fraction(1, 100_000),
    momentum: Fraction = Fraction(1, 10),
    affine: bool = True,
    weight: Numbers = (),
    bias: Numbers = (),
    running_mean: Numbers = (),
    running_var: Numbers = (),
) -> Stage:
    """Every unit standardized over the samples, then γ times that plus β; in eval mode by the running statistics.

    eps: added to the variance · momentum: the share of the batch in the running statistics · affine: whether there are
    γ and β · weight, bias: γ and β, 1 and 0 at the start · running_mean, running_var: 0 and 1 at the start
    Source: Ioffe & Szegedy, 2015; https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
    """
    samples = place.source.shape[0]
    if place.training and samples == 1:
        raise ValueError("in train mode it needs more than one sample: give a batch, or mode: eval")
    if any(number < 0 for number in running_var):
        raise ValueError("running_var must not be negative")
    before = place.row("running_mean", "running", running_mean, 0), place.row("running_var", "running", running_var, 1)
    if not place.training:
        return standardized("batch_norm", place, *before, eps, affine, weight, bias)
    stage = standardized("batch_norm", place, *moments(place, axis=0), eps, affine, weight, bias)
    mean, var = stage.lines[:2]
    unbiased = scale(var, Fraction(samples, samples - 1))
    share = place.leaf("momentum", "hyper", ((momentum,),))
    after = [average(old, new, share) for old, new in zip(before, (mean, unbiased), strict=True)]
    letters = ("running_mean", "running_var")
    named = [node.named(place.named(letter) + "+", "running") for node, letter in zip(after, letters, strict=True)]
    return Stage(stage.name, stage.lines, stage.parameters, dict(zip(before, named, strict=True)))


def average(old: Node, new: Node, share: Node) -> Node:
    """(1 − ρ)·old + ρ·new."""
    before, now, part = (Name(letter, symbol=Symbol(letter)) for letter in ("old", "new", "share"))
    return ruled((1 - part) * before + part * now, {before: old, now: new, part: share})


@layers("LayerNorm")
def layer_norm(
    place: Place,
    *,
    eps: Fraction = Fraction(1, 100_000),
    elementwise_affine: bool = True,
    weight: Numbers = (),
    bias: Numbers = (),
) -> Stage:
    """Every sample standardized over its units, then γ times that plus β; the same in train and eval mode.

    eps: added to the variance · elementwise_affine: whether there are γ and β · weight, bias: γ and β, 1 and 0 at the start
    Source: Ba, Kiros & Hinton, 2016; https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
    """
    return standardized("layer_norm", place, *moments(place, axis=1), eps, elementwise_affine, weight, bias)


def moments(place: Place, axis: int) -> tuple[Node, Node]:
    """Mean and (biased) variance over the samples (0) or the units (1)."""
    source = place.source
    share = Fraction(1, source.shape[axis])
    mean = scale(sum_over(source, axis), share).named(place.named("mean"), "statistic")
    squares = apply(SQUARED_DEVIATION, source, mean)
    return mean, scale(sum_over(squares, axis), share).named(place.named("var"), "statistic")


def sum_over(node: Node, axis: int) -> Node:
    return node if node.shape[axis] == 1 else apply(Sum(axis), node)


def standardized(
    name: str, place: Place, mean: Node, var: Node, eps: Fraction, affine: bool, weight: Numbers, bias: Numbers
) -> Stage:
    """The normalized input, and γ times it plus β."""
    if eps < 0:
        raise ValueError("eps must not be negative")
    if (weight or bias) and not affine:
        raise ValueError(f"{'weight' if weight else 'bias'} is given, but there are no γ and β")
    epsilon = place.leaf("eps", "hyper", ((eps,),))
    n = apply(STANDARDIZED, place.source, mean, var, epsilon).named(place.named("n"), "normalized")
    own = (mean, var) if mean.inputs else ()
    if not affine:
        return Stage(name, (*own, n))
    gamma, beta = place.row("gamma", "parameter", weight, 1), place.row("beta", "parameter", bias, 0)
    y = add(hadamard(gamma, n), beta).named(place.named("y"), "activation")
    return Stage(name, (*own, n, y), (gamma, beta))


def condensed(gradient: Mapping[Node, Node], n: Node) -> Node | None:
    """The gradient by a normalization's input in one formula: (N·g − Σg − n·Σ(g·n)) / (N·√(σ² + ε)), with g by n.

    None where the statistics are given and not the batch's, or others than these. Source: Ioffe & Szegedy, 2015, with the three ways added up.
    """
    if n.op != STANDARDIZED:
        return None
    source, mean, var, eps = n.inputs
    if not mean.inputs:
        return None
    axis = 0 if mean.shape[0] == 1 and source.shape[0] > 1 else 1
    count, g = source.shape[axis], gradient[n]
    inner = subtract(subtract(scale(g, count), sum_over(g, axis)), hadamard(n, sum_over(hadamard(g, n), axis)))
    return ruled(_inner / (count * _deviation), {_inner: inner, _var: var, _eps: eps})
