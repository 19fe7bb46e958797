"""From the checked file to the model: the graph of the forward pass, its gradients and the updates, with the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from derive import targets
from derive.autodiff import gradients
from derive.blocks import MAX_PARAMETERS, MAX_VALUES, Block, Draw, Linear, Residual, flat
from derive.contract import Contract
from derive.draws import made_by_torch, numbers
from derive.errors import nearest
from derive.generators import generator
from derive.graph import Node, Same, apply, leaf, topological
from derive.ids import after, kind, timed
from derive.labels import Labels
from derive.layers import NORMS, Place, Rows, Stage, group_of, layers
from derive.losses import End, Loss
from derive.memory import Memory, memory_of
from derive.model import Iteration, Layer, Model, Pass, masks, seed_of
from derive.ops.structural import add, linear
from derive.options import Choice, text
from derive.penalties import Weighed, regularized
from derive.spec import Spec
from derive.tensor import Floats, Tensor


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
        self.built: list[Layer] = []
        self.dropped: dict[Node, Fraction] = {}
        self.values = 0
        self.read = targets.Targets(None, "values")
        self.memory: Memory | None = None
        self.random = generator(spec.drawing, seed_of(spec))

    def model(self) -> Model:
        spec = self.spec
        x = leaf((spec.samples, self.features()), "x", "input")
        output = self.walk(spec.layers, x)
        layers = tuple(self.built)
        self.hold(x, spec.inputs)
        t = self.targets(output) if spec.loss else None
        first = Pass(layers, x, t, output, self.loss(output, t))
        self.draw()
        if spec.start:
            self.given |= {node: spec.start.parameters[node.id] for node in (*self.parameters, *first.running)}
        shared = frozenset(layer.b.id for layer in layers if is_shared(layer) and layer.b)
        contract = Contract(spec.batched, shared, rowwise(layers))
        labels = Labels.read(spec, [x, *([t] if t else []), *self.parameters, *first.nodes], contract)
        frozen = self.frozen(labels)
        iterations = self.train(first, frozen, labels)
        last = iterations[-1]
        looked_at = self.moved(last) | dict(zip(first.masks, last.forward.masks, strict=True))
        again = instance(first.still(), looked_at, lambda id: timed(after(id), last.number)) if last.updated else None
        drawn = tuple(node for node, numbers, _ in self.draws if not is_fixed(numbers))
        how = {
            node: numbers.choice.name if numbers.choice else numbers.distribution or "default"
            for node, numbers, _ in self.draws
        }
        return Model(
            spec,
            iterations,
            again,
            frozen,
            self.given,
            labels,
            contract,
            tuple(self.missing),
            tuple(self.memory.options.values()) if self.memory else (),
            tuple(node for node in self.memory.given if node.role == "state") if self.memory else (),
            self.memory.steps_before if self.memory else 0,
            self.read.encoding,
            drawn,
            how,
            self.dropped,
            self.random,
            letters=self.memory.rates.letters if self.memory and self.memory.rates else {},
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
        """All random numbers: of the layers and of the inputs, from one generator."""
        inputs = [draw for draw in self.draws if draw[0].id == "x"]
        drawn = [] if self.spec.drawing.inputs == "last" else self.drawn(inputs)
        if self.spec.drawing.generator == "torch":
            drawn += list(made_by_torch(self.random, self.built, self.draws, self.spec.drawing.order))
        else:
            drawn += self.drawn([draw for draw in self.draws if draw[0].id != "x"])
        drawn += self.drawn(inputs) if self.spec.drawing.inputs == "last" else []
        for node, value in drawn:
            if not np.isfinite(value).all():
                raise self.spec.item.error(f"the numbers drawn for {node.id} are not finite")
            self.given[node] = self.random.tensor(value)
        masked = masks(self.spec, self.random, self.dropped, 1)
        self.given |= {mask: Tensor.typed(value) for mask, value in masked.items()}

    def drawn(self, draws: Sequence[tuple[Node, Draw, int]]) -> list[tuple[Node, Floats]]:
        return [(node, numbers(self.random, node, draw, fan_in)) for node, draw, fan_in in draws]

    # the forward pass --------------------------------------------------------------------------------------------
    def features(self) -> int:
        spec = self.spec
        first = next((layer for layer in flat(spec.layers) if isinstance(layer, Linear)), None)
        if spec.features is not None:
            return spec.features
        if first is None or first.inputs is None:
            raise spec.item.error("the number of inputs is not known: give inputs, or in: for the first linear layer")
        return first.inputs

    def walk(self, specs: Sequence[Block], source: Node) -> Node:
        """The output of some layers, one after the other."""
        for spec in specs:
            if isinstance(spec, Linear):
                self.built.append(self.linear_layer(len(self.weighted) + 1, source, spec))
                source = self.built[-1].output
            elif isinstance(spec, Residual):
                source = self.residual(spec, source)
            else:
                source = self.follow(self.stage(spec, source), source)
            self.values += source.shape[0] * source.shape[1]
            if self.values > MAX_VALUES:
                raise self.spec.item.error(f"more than {MAX_VALUES:,} activations in one forward pass")
        return source

    @property
    def weighted(self) -> list[Layer]:
        return [layer for layer in self.built if layer.k]

    def number(self, group: str) -> str:
        """The number of a quantity in the layer being built: 1, or 1.2 for the second stage of its group."""
        if not self.built:
            return "0"
        last = self.built[-1]
        used = sum(group_of(stage.name) == group for stage in last.stages)
        return f"{last.k}.{used + 1}" if used else str(last.k)

    def follow(self, stage: Stage, source: Node) -> Node:
        """A stage behind the layer being built."""
        if not self.built:
            self.built.append(Layer(0, source))
        last = self.built[-1]
        self.built[-1] = replace(last, stages=(*last.stages, stage))
        return stage.output

    def residual(self, spec: Residual, source: Node) -> Node:
        """The block, and its input added."""
        end = self.walk(spec.layers, source)
        if end.shape != source.shape:
            raise spec.item.error(
                f"the block turns {source.shape[1]} values into {end.shape[1]}: its input cannot be added"
            )
        return self.follow(
            Stage("residual", (add(end, source).named(f"s{self.number('residual')}", "activation"),)), end
        )

    def stage(self, spec: Choice, source: Node) -> Stage:
        """An activation, or a layer of `derive.layers`."""
        number = self.number(group_of(spec.name))
        if spec.name not in layers:
            return Stage(spec.name, (apply(spec(), source).named(f"a{number}", "activation"),))

        def filled(letter: str, role: str, rows: Rows) -> Node:
            return self.filled(f"{letter}{number}", role, rows, spec)

        def masked(rows: Rows, p: Fraction) -> Node:
            return self.mask(f"mask{number}", source, rows, p, spec)

        found: Stage = spec(Place(source, self.spec.training, lambda letter: letter + number, filled, masked))
        return found

    def filled(self, id: str, role: str, rows: Rows, spec: Choice) -> Node:
        """A leaf of a layer with its numbers: of the entry in the file, or of the file of parameters."""
        node = leaf((len(rows), len(rows[0])), id, role)
        numbers = Tensor.of(rows)
        if id in self.spec.arrays:
            option = {"gamma": "weight", "beta": "bias"}.get(kind(id)[0], kind(id)[0])
            if option in spec.options:
                raise spec.place(option).error("given here and in the file of parameters")
            numbers = self.spec.arrays[id]
            if numbers.shape != node.shape:
                raise spec.item.error(f"the array {id} has {numbers.shape[1]} numbers for {node.shape[1]} units")
            if option == "running_var" and (numbers.value < 0).any():
                raise spec.item.error(f"the array {id} must not be negative")
        self.given[node] = numbers
        if role == "parameter":
            self.parameters.append(node)
        return node

    def mask(self, id: str, source: Node, rows: Rows, p: Fraction, spec: Choice) -> Node:
        """The mask of a dropout layer: as given, for every step, or to be drawn for each."""
        node = leaf(source.shape, id, "mask")
        if not rows:
            self.dropped[node] = p
            return node
        flat = [number for row in rows for number in row]
        if any(number not in (0, 1) for number in flat):
            raise spec.place("mask").error("a mask is made of 1 (kept) and 0 (dropped)")
        if p == 1 and any(flat):
            raise spec.place("mask").error("with p: 1 nothing is kept")
        samples, units = source.shape
        given = spec.place("mask").value
        alone = isinstance(given, list) and not any(isinstance(part.value, list) for part in given)
        if len(flat) == units and (alone or len(rows) == 1):
            rows = (tuple(flat),) * samples
        elif len(rows) != samples or any(len(row) != units for row in rows):
            every = f" for each of the {samples} samples, or one row for all of them" if samples > 1 else ""
            raise spec.place("mask").error(f"the mask must have a row of {units}{every}")
        self.given[node] = Tensor.of(rows)
        return node

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
        if not self.spec.penalties:
            return found
        weights = tuple(layer.W for layer in self.built if layer.W is not None)
        biases = tuple(layer.b for layer in self.built if layer.b is not None)
        if not weights:
            raise self.spec.penalties[0].item.error("there are no weights to penalize")
        weighed = Weighed(weights, biases, output.shape[0], self.strength)
        return regularized(found, add(*(penalty(weighed) for penalty in self.spec.penalties)))

    def strength(self, name: str, number: Fraction) -> Node:
        """The λ of a penalty."""
        return self.constant(name, (number,))

    def check_weights(self, choice: Choice, units: int) -> None:
        for name in ("weight", "pos_weight"):
            if name in choice.options and len(choice.options[name]) != units:
                raise choice.item.error(
                    f"{name} has {len(choice.options[name])} numbers, but there are {units} outputs"
                )

    # training ----------------------------------------------------------------------------------------------------
    def frozen(self, labels: Labels) -> frozenset[str]:
        ids = [p.id for p in self.parameters]
        found = set()
        for item in self.spec.frozen:
            name = text(item).strip()
            id = labels.whole.get(name, name)
            if id not in ids:
                raise item.error(f"'{name}' is not a parameter of this network.{nearest(name, [*ids, *labels.whole])}")
            found.add(id)
        return frozenset(found)

    def train(self, first: Pass, frozen: frozenset[str], labels: Labels) -> tuple[Iteration, ...]:
        """The training steps that are worked, each on the parameters the one before has left."""
        if not first.loss:
            return (Iteration(1, first),)
        if not self.spec.optimizer or not self.parameters:
            return (Iteration(1, first, gradients(first.loss.total, {*self.parameters, first.x})),)
        self.running = list(first.running)
        memory = self.memory = memory_of(self.spec, self.parameters, labels)
        self.check_schedule(memory)
        found: list[Iteration] = []
        for number in range(1, self.spec.steps + 1):
            run = first
            if found:
                swap = self.renamed(found[-1]) | self.masks(number)
                run = instance(first, swap, partial(timed, step=number))
            found.append(iteration(self.spec, number, run, first, frozen, memory))
        self.given |= memory.given
        return tuple(found)

    def check_schedule(self, memory: Memory) -> None:
        """Refuses a schedule that does not last for the steps, or would have to listen to their losses."""
        choice, steps = self.spec.schedule, memory.steps_before + self.spec.steps
        if choice is None:
            return
        if memory.rates is None and steps > 1:
            raise choice.item.error(f"{choice.name} listens to the loss of every step: give it to derive train")
        if memory.rates is not None and (most := memory.rates.schedule.epochs) is not None and steps > most:
            raise choice.item.error(f"this schedule is made for {most} steps, fewer than {steps}")

    def masks(self, number: int) -> dict[Node, Node]:
        """The masks of dropout, drawn anew for a step; one that is given holds for every step."""
        found = {}
        for mask, value in masks(self.spec, self.random, self.dropped, number).items():
            found[mask] = leaf(mask.shape, timed(mask.id, number), "mask")
            self.given[found[mask]] = Tensor.typed(value)
        return found

    def moved(self, iteration: Iteration) -> dict[Node, Node]:
        """First parameter -> what it has become after a step."""
        pairs = zip(self.parameters, iteration.parameters, strict=True)
        return {first: iteration.updated.get(now, now) for first, now in pairs}

    def renamed(self, iteration: Iteration) -> dict[Node, Node]:
        """First parameter or running statistic -> the same in the next step, under a name of its own."""
        return {
            first: Node(Same(), (now,), first.shape, timed(first.id, iteration.number + 1), first.role)
            for first, now in (self.moved(iteration) | self.kept(iteration)).items()
        }

    def kept(self, iteration: Iteration) -> dict[Node, Node]:
        """First running statistic -> what the step's forward pass has left of it."""
        return dict(zip(self.running, iteration.forward.running.values(), strict=True))


def iteration(spec: Spec, number: int, run: Pass, first: Pass, frozen: frozenset[str], memory: Memory) -> Iteration:
    """One training step from a forward pass."""
    assert run.loss is not None
    base = dict(zip(run.parameters, first.parameters, strict=True))
    rate = memory.rate(number)
    updated: dict[Node, Node] = {}
    lines: dict[Node, tuple[Node, ...]] = {}

    def step(parameter: Node, gradient: Node) -> Node:
        if base[parameter].id in frozen:
            return parameter
        lines[parameter], updated[parameter] = memory.update(number, base[parameter], parameter, rate, gradient)
        return updated[parameter]

    wanted = {*run.parameters, *([run.x] if number == 1 else [])}
    by_layer = step if spec.update == "layerwise" else None
    gradient = gradients(run.loss.total, wanted, known=run.parameters, step=by_layer)
    if by_layer is None:
        for parameter in run.parameters:
            step(parameter, gradient[parameter])
    in_order = {parameter: updated[parameter] for parameter in run.parameters if parameter in updated}
    return Iteration(number, run, gradient, in_order, lines, rate)


def instance(run: Pass, swap: dict[Node, Node], rename: Callable[[str], str]) -> Pass:
    """A forward pass over other parameters: the same nodes, as far as they depend on them, under other names."""
    swap = dict(swap)
    ends = [run.output, *([run.loss.total] if run.loss else []), *run.running.values()]
    for node in topological(*ends, known=set(swap)):
        if node in swap or all(swap.get(source, source) is source for source in node.inputs):
            continue
        new = Node(node.op, tuple(swap.get(source, source) for source in node.inputs), node.shape)
        swap[node] = new.named(rename(node.id), node.role) if node.id else new
    return run.changed(lambda node: swap.get(node, node))


def is_fixed(numbers: Draw) -> bool:
    """Whether an initializer gives the same numbers whatever the seed."""
    return numbers.choice is not None and numbers.choice.name in ("zeros", "ones", "constant")


def rowwise(layers: Sequence[Layer]) -> frozenset[str]:
    """The ids of statistics that are one number per sample."""
    stages = [stage for layer in layers for stage in layer.stages if NORMS.get(stage.name) == 1]
    return frozenset(node.id for stage in stages for node in stage.lines if node.role == "statistic")


def is_shared(layer: Layer) -> bool:
    return layer.spec is not None and layer.spec.shared
