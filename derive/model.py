"""A network as graphs: its layers, forward passes and training steps, with the numbers at the leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from derive.algebra import FLOATS, Value
from derive.blocks import Linear
from derive.contract import Contract
from derive.errors import Diverged, InputError
from derive.formula import Symbol
from derive.generators import Generator
from derive.graph import Node, evaluate, sources, topological
from derive.ids import is_after, step
from derive.labels import Labels
from derive.layers import Stage
from derive.losses import Loss
from derive.spec import Spec
from derive.tensor import Tensor

DEFAULT_SEED = 0


@dataclass(frozen=True)
class Layer:
    """A linear layer and the stages that follow it; `k` counts from 1 (0: stages that act on the inputs)."""

    k: int
    source: Node
    z: Node | None = None
    W: Node | None = None
    b: Node | None = None
    spec: Linear | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def output(self) -> Node:
        if self.stages:
            return self.stages[-1].output
        return self.z if self.z is not None else self.source

    @property
    def parameters(self) -> tuple[Node, ...]:
        own = tuple(node for node in (self.W, self.b) if node is not None)
        return (*own, *(node for stage in self.stages for node in stage.parameters))

    @property
    def lines(self) -> tuple[Node, ...]:
        """What is computed, in order."""
        return (*([] if self.z is None else [self.z]), *(node for stage in self.stages for node in stage.lines))

    def changed(self, swap: Callable[[Node], Node]) -> Layer:
        """The same layer of other nodes."""
        z, W, b = (None if node is None else swap(node) for node in (self.z, self.W, self.b))
        stages = tuple(stage.changed(swap) for stage in self.stages)
        return Layer(self.k, swap(self.source), z, W, b, self.spec, stages)


@dataclass(frozen=True)
class Pass:
    """One forward pass: the layers and, with targets, the loss; `known` are the parameters it starts from."""

    layers: tuple[Layer, ...]
    x: Node
    t: Node | None
    output: Node
    loss: Loss | None = None

    @cached_property
    def parameters(self) -> tuple[Node, ...]:
        return tuple(node for layer in self.layers for node in layer.parameters)

    @property
    def running(self) -> dict[Node, Node]:
        """Running statistics before this pass -> after it, of the layers that keep some."""
        return {old: new for layer in self.layers for stage in layer.stages for old, new in stage.running.items()}

    @cached_property
    def masks(self) -> list[Node]:
        """The masks of dropout, drawn anew for every training step."""
        return [node for node in self.nodes if node.role == "mask"]

    def still(self) -> Pass:
        """The same pass without a trace in the running statistics: to look at, not to train with."""

        def without(layer: Layer) -> Layer:
            return replace(layer, stages=tuple(replace(stage, running={}) for stage in layer.stages))

        return replace(self, layers=tuple(map(without, self.layers)))

    @cached_property
    def nodes(self) -> list[Node]:
        """Every named node of this pass, its parameters and leaves first."""
        end = [self.loss.total] if self.loss else []
        return [node for node in topological(self.output, *end, known=self.parameters) if node.id]

    @cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Node -> the named nodes that are computed from it, in order."""
        found: dict[Node, list[Node]] = {}
        for user in self.nodes:
            for source in sources(user):
                found.setdefault(source, []).append(user)
        return found

    def changed(self, swap: Callable[[Node], Node]) -> Pass:
        """The same pass over other nodes."""
        loss = self.loss and self.loss.changed(swap)
        layers = tuple(layer.changed(swap) for layer in self.layers)
        return Pass(layers, swap(self.x), self.t and swap(self.t), swap(self.output), loss)


@dataclass(frozen=True)
class Iteration:
    """One step of training: a forward pass, the gradients, and the updates.

    number:   counted from 1
    gradient: by parameter, or by what lies between it and the loss · updated: the parameter after the step
    lines:    what the optimizer computes for a parameter on the way, in order
    rate:     the learning rate in force
    """

    number: int
    forward: Pass
    gradient: dict[Node, Node] = field(default_factory=dict)
    updated: dict[Node, Node] = field(default_factory=dict)
    lines: dict[Node, tuple[Node, ...]] = field(default_factory=dict)
    rate: Node | None = None

    @property
    def parameters(self) -> tuple[Node, ...]:
        return self.forward.parameters


@dataclass(frozen=True)
class Model:
    """The network as graphs, and the numbers at their leaves.

    iterations: the training steps that are worked · position: the one that is looked at, counted from 0
    after:      the forward pass after the last of them
    diverged:   the step in which numbers were no longer finite; the steps before it are kept
    hyper:      the optimizer's options that stand in formulas · remembered: its state before the first step
    steps_before: how many steps it has made before
    masks_drawn:  the masks of dropout that were not given, with the probability of being dropped
    random:     the generator, after everything but masks was drawn
    letters:    how the base rate and a schedule's options are written, by id; empty without a schedule
    """

    spec: Spec
    iterations: tuple[Iteration, ...]
    after: Pass | None
    frozen: frozenset[str]
    given: dict[Node, Tensor]
    labels: Labels
    contract: Contract
    missing: tuple[Node, ...]
    hyper: tuple[Node, ...] = ()
    remembered: tuple[Node, ...] = ()
    steps_before: int = 0
    encoding: str = "values"
    drawn: tuple[Node, ...] = ()
    drawn_by: dict[Node, str] = field(default_factory=dict)
    masks_drawn: Mapping[Node, Fraction] = field(default_factory=dict)
    random: Generator | None = None
    position: int = 0
    diverged: int = 0
    letters: Mapping[str, Symbol] = field(default_factory=dict)

    def masks(self, number: int) -> dict[Node, Value]:
        """The masks drawn for a step of this run, counted from 1, in the place of those of the first."""
        return masks(self.spec, self.random, self.masks_drawn, number)

    @property
    def carried(self) -> tuple[Node, ...]:
        """What a step leaves to the next: the parameters and the running statistics."""
        first = self.iterations[0].forward
        return (*first.parameters, *first.running)

    def at(self, iteration: Iteration) -> Model:
        """The same model, another training step looked at."""
        return replace(self, position=iteration.number - 1)

    @property
    def now(self) -> Iteration:
        return self.iterations[self.position]

    @property
    def last(self) -> Iteration:
        return self.iterations[-1]

    @property
    def forward(self) -> Pass:
        return self.now.forward

    @property
    def gradient(self) -> dict[Node, Node]:
        return self.now.gradient

    @property
    def updated(self) -> dict[Node, Node]:
        return self.now.updated

    @property
    def parameters(self) -> tuple[Node, ...]:
        return self.now.parameters

    @property
    def rate(self) -> Node | None:
        return self.now.rate

    @property
    def x(self) -> Node:
        return self.forward.x

    @property
    def t(self) -> Node | None:
        return self.forward.t

    @property
    def symbolic(self) -> bool:
        """Whether some numbers are missing, so that only formulas can be shown."""
        return bool(self.missing)

    @property
    def layerwise(self) -> bool:
        """Whether each layer is updated before the gradients below it are taken."""
        return self.spec.update == "layerwise"

    @property
    def seed(self) -> int:
        return seed_of(self.spec)

    def all_nodes(self) -> list[Node]:
        """Every named node, inputs first, then step by step forward, backward, update; the last forward pass."""
        return [node for node in self.every_node if node.id]

    @cached_property
    def every_node(self) -> list[Node]:
        """The same with the nodes that have no name."""
        ends: list[Node] = [*self.hyper]
        for iteration in self.iterations:
            run = iteration.forward
            ends += [run.x, *([run.t] if run.t else []), *run.parameters, run.output]
            ends += [run.loss.total] if run.loss else []
            ends += run.running.values()
            ends += iteration.gradient.values()
            ends += [node for lines in iteration.lines.values() for node in lines]
            ends += [*iteration.updated.values(), *([iteration.rate] if iteration.rate else [])]
        if self.after and self.after.loss:
            ends.append(self.after.loss.total)
        return topological(*ends)

    def numbers(self, settle: Callable[[Node, Value], Value] = lambda node, value: value) -> dict[Node, Value]:
        """float64 values of all nodes; what is not finite is the file's fault and said so."""
        known = {node: tensor.value for node, tensor in self.given.items()}
        with np.errstate(all="ignore"):
            return evaluate(self.all_nodes(), known, FLOATS, finite(self, settle))


def seed_of(spec: Spec) -> int:
    """The seed in force."""
    return DEFAULT_SEED if spec.seed is None else spec.seed


def masks(spec: Spec, random: Generator | None, drawn: Mapping[Node, Fraction], number: int) -> dict[Node, Value]:
    """The masks of a step of this run, counted from 1, drawn with these probabilities of being dropped."""
    if random is None:
        return {}
    step = number + (spec.start.steps if spec.start else 0)
    shapes = [mask.shape for mask in drawn]
    return {mask: random.mask(step, place, shapes, p) for place, (mask, p) in enumerate(drawn.items())}


def at_random(model: Model, seed: int) -> Model:
    """The model with random numbers where there are none: to check formulas with, never to be shown."""
    random = np.random.default_rng(seed)
    given = dict(model.given)
    for node in model.missing:
        value = random.integers(10, 90, node.shape) / 100
        if node is model.t and model.encoding == "classes":
            value = np.eye(node.shape[1])[random.integers(0, node.shape[1], node.shape[0])]
        elif node is model.t and model.spec.loss and model.spec.loss.name == "hinge_embedding":
            value = random.choice([-1.0, 1.0], node.shape)
        given[node] = Tensor.drawn(value.astype(float))
    return replace(model, given=given)


def finite(model: Model, settle: Callable[[Node, Value], Value]) -> Callable[[Node, Value], Value]:
    loss = model.spec.loss
    runs = [*(iteration.forward for iteration in model.iterations), *([model.after] if model.after else [])]
    ends = {run.output for run in runs} if loss and loss.name == "bce" else set()

    reached = 1

    def check(node: Node, value: Value) -> Value:
        nonlocal reached
        reached = max(reached, step(node.id) if node.id else 1)
        if loss and node in ends and not model.symbolic and ((value < 0) | (value > 1)).any():
            later = " after the update" if is_after(node.id) else ""
            raise loss.item.error(
                f"bce needs outputs from 0 to 1, but {node.id} is not{later}; put a sigmoid before it, or use bce_with_logits"
            )
        if not np.isfinite(value).all():
            raise Diverged(not_finite(model, node), reached, after=is_after(node.id) and node.role != "updated")
        return settle(node, value)

    return check


def not_finite(model: Model, node: Node) -> InputError:
    loss = model.spec.loss
    if loss is not None and loss.name in ("bce", "nll", "kl_div") and node.role in ("error", "loss"):
        instead = "bce_with_logits" if loss.name == "bce" else "cross_entropy"
        return loss.item.error(f"the loss is infinite: probability 0 for what happened; use {instead} on the scores")
    if loss is not None and loss.name == "bce" and node.role in ("gradient", "", "slope"):
        return loss.item.error("bce has no derivative at probability 0 or 1; use bce_with_logits on the scores")
    if node.role in ("state", "updated") and model.spec.optimizer is not None:
        return model.spec.optimizer.item.error(
            f"{node.id} is not finite: the step divides by zero or is too large; check lr and eps"
        )
    if node.role == "normalized":
        return model.spec.item.error(f"{node.id} is not finite: the variance is 0 or tiny; give a larger eps")
    what = node.id or "an intermediate value"
    return model.spec.item.error(f"{what} is too large for float64: scale the inputs or weights down")
