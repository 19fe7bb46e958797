"""From the checked file to the model: the graph of the forward pass, its gradients and the update, with the numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from derive import targets
from derive.algebra import FLOATS, Value
from derive.autodiff import gradients
from derive.contract import Contract
from derive.errors import InputError, nearest
from derive.graph import Node, apply, evaluate, leaf, topological
from derive.initializers import initializers
from derive.labels import Labels
from derive.losses import End, Loss
from derive.ops.structural import linear
from derive.options import Choice, text
from derive.source import Number
from derive.spec import MAX_PARAMETERS, MAX_VALUES, Draw, Linear, Spec
from derive.tensor import Tensor

DEFAULT_SEED = 0


@dataclass(frozen=True)
class Layer:
    """A layer with parameters and the activations that follow it; `k` counts from 1 (0: activations of the inputs)."""

    k: int
    source: Node
    z: Node | None = None
    W: Node | None = None
    b: Node | None = None
    spec: Linear | None = None
    activations: tuple[tuple[Choice, Node], ...] = ()

    @property
    def output(self) -> Node:
        if self.activations:
            return self.activations[-1][1]
        return self.z if self.z is not None else self.source


@dataclass(frozen=True)
class Pass:
    """One forward pass: the layers and, with targets, the loss."""

    layers: tuple[Layer, ...]
    output: Node
    loss: Loss | None = None
    fused: Node | None = None

    @property
    def nodes(self) -> list[Node]:
        end = [self.loss.total] if self.loss else []
        return [node for node in topological(self.output, *end) if node.id]


@dataclass(frozen=True)
class Model:
    """The network as graphs, and the numbers at their leaves."""

    spec: Spec
    x: Node
    t: Node | None
    forward: Pass
    parameters: tuple[Node, ...]
    frozen: frozenset[Node]
    given: dict[Node, Tensor]
    gradient: dict[Node, Node]
    updated: dict[Node, Node]
    after: Pass | None
    rate: Node | None
    labels: Labels
    contract: Contract
    missing: tuple[Node, ...]
    encoding: str = "values"
    drawn: tuple[Node, ...] = ()
    drawn_by: dict[Node, str] = field(default_factory=dict)

    @property
    def symbolic(self) -> bool:
        """Whether some numbers are missing, so that only formulas can be shown."""
        return bool(self.missing)

    @property
    def seed(self) -> int:
        return DEFAULT_SEED if self.spec.seed is None else self.spec.seed

    def node(self, id: str) -> Node | None:
        return next((node for node in self.all_nodes() if node.id == id), None)

    def all_nodes(self) -> list[Node]:
        """Every named node, inputs first, then forward, backward, update and the second forward pass."""
        return [node for node in self.every_node() if node.id]

    def every_node(self) -> list[Node]:
        """The same with the nodes that have no name."""
        ends = [self.forward.output]
        if self.forward.loss:
            ends.append(self.forward.loss.total)
        ends += [*self.gradient.values(), *self.updated.values()]
        if self.after and self.after.loss:
            ends.append(self.after.loss.total)
        return topological(self.x, *([self.t] if self.t else []), *ends)


def build(spec: Spec) -> Model:
    """The model of a checked file. `Builder` holds what is collected on the way."""
    return Builder(spec).model()


class Builder:
    """Walks the layers once, making nodes and noting the numbers of each leaf."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.given: dict[Node, Tensor] = {}
        self.missing: list[Node] = []
        self.draws: list[tuple[Node, Draw, int]] = []
        self.parameters: list[Node] = []
        self.read = targets.Targets(None, "values")

    def model(self) -> Model:
        spec = self.spec
        x = leaf((spec.samples, self.features()), "x", "input")
        layers = self.layers(x)
        self.hold(x, spec.inputs)
        output = layers[-1].output if layers else x
        t = self.targets(output) if spec.loss else None
        loss = self.loss(output, t)
        forward = Pass(layers, output, loss)
        self.draw()
        rate, after = None, None
        gradient: dict[Node, Node] = {}
        updated: dict[Node, Node] = {}
        contract = Contract(spec.batched, frozenset(layer.b.id for layer in layers if is_shared(layer) and layer.b))
        labels = Labels.read(spec, [x, *([t] if t else []), *self.parameters, *forward.nodes], contract)
        frozen = self.frozen(labels)
        if loss:
            gradient = gradients(loss.total, {*self.parameters, x})
        if loss and spec.optimizer and self.parameters:
            rate, updated = self.update(gradient, frozen)
            after = self.again(layers, x, t, updated)
        drawn = tuple(node for node, numbers, _ in self.draws if not is_fixed(numbers))
        how = {
            node: numbers.choice.name if numbers.choice else numbers.distribution or "default"
            for node, numbers, _ in self.draws
        }
        return Model(
            spec,
            x,
            t,
            forward,
            tuple(self.parameters),
            frozen,
            self.given,
            gradient,
            updated,
            after,
            rate,
            labels,
            contract,
            tuple(self.missing),
            self.read.encoding,
            drawn,
            how,
        )

    # leaves and their numbers ------------------------------------------------------------------------------------
    def hold(self, node: Node, numbers: Tensor | Draw | None, fan_in: int = 0) -> None:
        if isinstance(numbers, Tensor):
            self.given[node] = numbers
        elif numbers is None:
            self.missing.append(node)
        else:
            self.draws.append((node, numbers, fan_in))

    def constant(self, name: str, numbers: tuple[Fraction, ...]) -> Node:
        node = leaf((1, len(numbers)), name, "hyper")
        self.given[node] = Tensor.of([numbers])
        return node

    def draw(self) -> None:
        """All random numbers, in the order of the layers and the inputs last, from one generator."""
        random = np.random.default_rng(DEFAULT_SEED if self.spec.seed is None else self.spec.seed)
        order = [d for d in self.draws if d[0].id != "x"] + [d for d in self.draws if d[0].id == "x"]
        for node, numbers, fan_in in order:
            if numbers.distribution:
                value = (
                    random.standard_normal(node.shape) if numbers.distribution == "randn" else random.random(node.shape)
                )
            elif numbers.choice and numbers.choice.name != "default":
                try:
                    value = numbers.choice(random, node.shape)
                except OverflowError:
                    raise numbers.choice.item.error(f"the numbers drawn for {node.id} are not finite") from None
            else:
                value = initializers["default"](random, node.shape, fan_in)
            if not np.isfinite(value).all():
                raise self.spec.item.error(f"the numbers drawn for {node.id} are not finite")
            self.given[node] = Tensor.typed(value)

    # the forward pass --------------------------------------------------------------------------------------------
    def features(self) -> int:
        spec = self.spec
        first = next((layer for layer in spec.layers if isinstance(layer, Linear)), None)
        if spec.features is not None:
            return spec.features
        if first is None or first.inputs is None:
            raise spec.item.error("the number of inputs is not known: give inputs, or in: for the first linear layer")
        return first.inputs

    def layers(self, x: Node) -> tuple[Layer, ...]:
        result: list[Layer] = []
        source, k, count = x, 0, 0
        for spec in self.spec.layers:
            if isinstance(spec, Linear):
                k += 1
                result.append(self.linear_layer(k, source, spec))
            else:
                if not result:
                    result.append(Layer(0, x))
                last = result[-1]
                name = f"a{k}" if not last.activations else f"a{k}.{len(last.activations) + 1}"
                node = apply(spec(), last.output).named(name, "activation")
                result[-1] = Layer(
                    last.k, last.source, last.z, last.W, last.b, last.spec, (*last.activations, (spec, node))
                )
            source = result[-1].output
            count += source.shape[0] * source.shape[1]
            if count > MAX_VALUES:
                raise self.spec.item.error(f"more than {MAX_VALUES:,} activations in one forward pass")
        return tuple(result)

    def linear_layer(self, k: int, source: Node, spec: Linear) -> Layer:
        inputs = source.shape[1]
        if spec.inputs is not None and spec.inputs != inputs:
            before = "the network has" if k == 1 else "the layer before has"
            raise spec.item.error(f"this layer takes {spec.inputs} inputs, but {before} {inputs}")
        W = leaf((spec.outputs, inputs), f"W{k}", "parameter")
        width = 1 if spec.shared else spec.outputs
        b = leaf((1, width), f"b{k}", "parameter") if spec.has_bias else None
        size = sum(p.shape[0] * p.shape[1] for p in self.parameters) + spec.outputs * (inputs + 1)
        if size > MAX_PARAMETERS:
            raise spec.item.error(f"more than {MAX_PARAMETERS:,} parameters")
        self.parameters += [W, *([b] if b else [])]
        self.hold(W, spec.weight)
        if b:
            self.hold(b, spec.bias, inputs)
        return Layer(k, source, linear(source, W, b).named(f"z{k}", "preactivation"), W, b, spec)

    def again(self, layers: tuple[Layer, ...], x: Node, t: Node | None, updated: dict[Node, Node]) -> Pass:
        """The forward pass with the updated parameters: the same nodes, marked +."""
        swap: dict[Node, Node] = dict(updated)
        total = self.loss_of_first.total
        fresh: list[Layer] = []
        for node in topological(total):
            if node in swap or not node.inputs or all(swap.get(i, i) is i for i in node.inputs):
                continue
            new = Node(node.op, tuple(swap.get(i, i) for i in node.inputs), node.shape)
            swap[node] = new.named(node.id + "+", node.role) if node.id else new
        for layer in layers:
            z = swap.get(layer.z) if layer.z else None
            activations = tuple((choice, swap.get(node, node)) for choice, node in layer.activations)
            fresh.append(
                Layer(
                    layer.k,
                    swap.get(layer.source, layer.source),
                    z,
                    swap.get(layer.W) if layer.W else None,
                    swap.get(layer.b, layer.b) if layer.b else None,
                    layer.spec,
                    activations,
                )
            )
        first = self.loss_of_first
        loss = Loss(swap.get(first.each, first.each), swap.get(total, total))
        output = layers[-1].output
        return Pass(tuple(fresh), swap.get(output, output), loss)

    # targets and loss ------------------------------------------------------------------------------------------------
    def targets(self, output: Node) -> Node:
        t = leaf(output.shape, "t", "target")
        self.read = targets.read(self.spec, output.shape)
        if self.read.numbers is None:
            self.missing.append(t)
        else:
            self.given[t] = self.read.numbers
        return t

    def loss(self, output: Node, t: Node | None) -> Loss | None:
        if self.spec.loss is None or t is None:
            return None
        self.check_weights(self.spec.loss, output.shape[1])
        end = End(output, t, self.read.encoding, self.constant, self.read.picked, self.read.ignored)
        found: Loss = self.spec.loss(end)
        self.loss_of_first = found
        return found

    def check_weights(self, choice: Choice, units: int) -> None:
        for name in ("weight", "pos_weight"):
            if name in choice.options and len(choice.options[name]) != units:
                raise choice.item.error(
                    f"{name} has {len(choice.options[name])} numbers, but there are {units} outputs"
                )

    # the update --------------------------------------------------------------------------------------------------
    def frozen(self, labels: Labels) -> frozenset[Node]:
        by_id = {p.id: p for p in self.parameters}
        found = set()
        for item in self.spec.frozen:
            name = text(item).strip()
            id = labels.whole.get(name, name)
            if id not in by_id:
                known = [*by_id, *labels.whole]
                raise item.error(f"'{name}' is not a parameter of this network.{nearest(name, known)}")
            found.add(by_id[id])
        return frozenset(found)

    def update(self, gradient: dict[Node, Node], frozen: frozenset[Node]) -> tuple[Node, dict[Node, Node]]:
        optimizer = self.spec.optimizer
        assert optimizer is not None
        rate = leaf((1, 1), "lr", "hyper")
        lr = optimizer.in_force["lr"]
        given = optimizer.item.value
        item = given["lr"] if isinstance(given, dict) and "lr" in given else optimizer.item
        if lr < 0:
            raise item.error("lr must not be negative")
        literal = item.value
        self.given[rate] = Tensor.of([[lr]], [[literal.text if isinstance(literal, Number) else ""]])
        updated = {}
        for parameter in self.parameters:
            if parameter not in frozen:
                stepped = optimizer(rate, parameter, gradient[parameter])
                updated[parameter] = stepped.named(parameter.id + "+", "updated")
        return rate, updated


def is_fixed(numbers: Draw) -> bool:
    """Whether an initializer gives the same numbers whatever the seed."""
    return numbers.choice is not None and numbers.choice.name in ("zeros", "ones", "constant")


def is_shared(layer: Layer) -> bool:
    return layer.spec is not None and layer.spec.shared


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


def numbers(model: Model, settle: Callable[[Node, Value], Value] = lambda node, value: value) -> dict[Node, Value]:
    """float64 values of all nodes; what is not finite is the file's fault and said so."""
    with np.errstate(all="ignore"):
        return evaluate(model.all_nodes(), {n: t.value for n, t in model.given.items()}, FLOATS, finite(model, settle))


def finite(model: Model, settle: Callable[[Node, Value], Value]) -> Callable[[Node, Value], Value]:
    loss = model.spec.loss
    ends = [run.output for run in (model.forward, model.after) if run] if loss and loss.name == "bce" else []

    def check(node: Node, value: Value) -> Value:
        if loss and node in ends and not model.symbolic and ((value < 0) | (value > 1)).any():
            after = " after the update" if node.id.endswith("+") else ""
            raise loss.item.error(
                f"bce needs outputs from 0 to 1, but {node.id} is not{after}; put a sigmoid before it, or use bce_with_logits"
            )
        if not np.isfinite(value).all():
            raise not_finite(model, node)
        return settle(node, value)

    return check


def not_finite(model: Model, node: Node) -> InputError:
    loss = model.spec.loss
    if loss is not None and loss.name in ("bce", "nll", "kl_div") and node.role in ("error", "loss"):
        instead = "bce_with_logits" if loss.name == "bce" else "cross_entropy"
        return loss.item.error(f"the loss is infinite: probability 0 for what happened; use {instead} on the scores")
    if loss is not None and loss.name == "bce" and node.role in ("gradient", "", "slope"):
        return loss.item.error("bce has no derivative at probability 0 or 1; use bce_with_logits on the scores")
    what = node.id or "an intermediate value"
    return model.spec.item.error(f"{what} is too large for float64: scale the inputs or weights down")
