"""A network as a PyTorch program: its modules with their numbers, autograd and torch.optim, held against the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from derive.blocks import flat
from derive.exports.spelling import NumPy, definition, names_for
from derive.exports.text import (
    arrays,
    comment,
    expected,
    heading,
    kinks,
    labels,
    lost,
    opening,
    rows,
    verdict,
)
from derive.exports.torch_calls import CLASSES, activation, classes, loss, penalty, plain, scores
from derive.exports.torch_optimizers import optimizer, remembered
from derive.graph import Node
from derive.ids import after, derivative, timed
from derive.language import Words
from derive.layers import NORMS, Stage
from derive.model import Layer, Model
from derive.ops.vector import Softmax
from derive.optimizers import SINGLE
from derive.options import Choice
from derive.solution import Solution
from derive.spelling import spell

TENSOR = "torch.tensor({})"
TITLES = {"batch_norm": "BatchNorm1d", "layer_norm": "LayerNorm"}


def write(solution: Solution, model: Model, words: Words) -> str:
    """The text of the program."""
    if model.layerwise:
        raise model.spec.item.error("PyTorch has no layerwise update: autograd takes all gradients before the step")
    program = Program(solution, model, words)
    body = [*program.given(), *program.forward(), *program.training()]
    page = {id: id for id in program.recorded if id in solution.document.quantities}
    return (
        "\n".join(
            [
                *opening(solution, words, "torch"),
                "import sys",
                "",
                "import torch",
                "import torch.nn.functional as F",
                "from torch import nn",
                "",
                "torch.set_default_dtype(torch.float64)",
                *body,
                *expected(solution, page, set() if program.corners else lost(model, solution), words),
                *verdict(words, "torch"),
            ]
        ).rstrip()
        + "\n"
    )


class Program:
    """What is written of a model; `recorded` are the ids that the program has a number for."""

    def __init__(self, solution: Solution, model: Model, words: Words) -> None:
        self.solution, self.model, self.words = solution, model, words
        self.run = model.iterations[0].forward
        self.variables = names_for(node.id for node in self.run.nodes)
        self.dialect = NumPy(self.variables, {})
        self.options = self.options_of_stages()
        self.places: dict[str, str] = {}  # id of a parameter -> the expression it is in the program
        self.names: list[str] = []  # ids of what the forward pass gives
        self.reached: list[str] = []  # those of them that the loss is differentiated by
        self.recorded: list[str] = []
        self.corners = kinks(model.all_nodes(), model, solution)

    def options_of_stages(self) -> dict[int, Choice]:
        """The entry of the file behind each stage, by the id of its last line."""
        stages = [stage for layer in self.run.layers for stage in layer.stages if stage.name != "residual"]
        choices = [spec for spec in flat(self.model.spec.layers) if isinstance(spec, Choice)]
        return {id(stage.output): choice for stage, choice in zip(stages, choices, strict=True)}

    # what is given ---------------------------------------------------------------------------------------------------
    def given(self) -> Iterator[str]:
        run, model = self.run, self.model
        yield from heading(self.words, "export.given")
        yield comment(self.words.plain("export.rows"))
        inputs = [run.x, *([run.t] if run.t else [])]
        yield from arrays(inputs, model, self.variables, TENSOR, "torch.zeros({})")
        if run.loss:
            yield "x.requires_grad_()"
        if (numbers := classes(model)) is not None:
            yield f"{CLASSES} = torch.tensor({numbers})"
        for mask in run.masks:
            every = [model.given[mask].value, *(self.later_masks(mask))]
            yield f"{self.variables[mask.id]}_of = [{', '.join(TENSOR.format(rows(value)) for value in every)}]"
        for layer in run.layers:
            yield from self.linear(layer)
            for stage in layer.stages:
                if stage.name in NORMS:
                    yield from self.norm(stage)
        if self.places:
            pairs = ", ".join(f'"{id}": {place}' for id, place in self.places.items())
            yield f"parameters = {{{pairs}}}"

    def later_masks(self, mask: Node) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
        """The mask in the steps after the first; one that is given is the same in all."""
        ids = {node.id: node for node in self.model.given}
        for number in range(2, len(self.model.iterations) + 1):
            yield self.model.given[ids.get(timed(mask.id, number), mask)].value

    def linear(self, layer: Layer) -> Iterator[str]:
        if layer.W is None:
            return
        name, (outputs, inputs) = f"linear{layer.k}", layer.W.shape
        own = layer.b is not None and layer.b.shape[1] == outputs and not (layer.spec and layer.spec.shared)
        yield from labels(layer.W, self.model)
        yield f"{name} = nn.Linear({inputs}, {outputs}{'' if own else ', bias=False'})"
        self.places[layer.W.id] = f"{name}.weight"
        if layer.b is not None and not own:
            yield from labels(layer.b, self.model)
            value = plain(float(self.model.given[layer.b].value[0, 0]))
            yield f"b{layer.k} = nn.Parameter(torch.tensor([{value}]))  # {self.words.plain('export.shared')}"
            self.places[layer.b.id] = f"b{layer.k}"
        elif layer.b is not None:
            yield from labels(layer.b, self.model)
            self.places[layer.b.id] = f"{name}.bias"
        yield from self.filled([node for node in (layer.W, layer.b if own else None) if node is not None])

    def filled(self, nodes: Sequence[Node]) -> Iterator[str]:
        """The lines that put numbers into a module."""
        if nodes:
            yield "with torch.no_grad():"
        for node in nodes:
            value = self.model.given[node].value
            text = rows(value, "    ") if node.id[0] == "W" else repr(value[0].tolist())
            yield f"    {self.places[node.id]}.copy_(torch.tensor({text}))"

    def norm(self, stage: Stage) -> Iterator[str]:
        choice = self.options[id(stage.output)]
        options = choice.in_force
        name = self.module(stage)
        learns = options.get("affine", True) and options.get("elementwise_affine", True)
        plainly = {"eps": options["eps"]}
        if stage.name == "batch_norm":
            plainly |= {"momentum": options["momentum"]}
        affine = "" if learns else f", {'affine' if stage.name == 'batch_norm' else 'elementwise_affine'}=False"
        given = "".join(f", {key}={plain(value)}" for key, value in plainly.items())
        yield f"{name} = nn.{TITLES[stage.name]}({stage.output.shape[1]}{given}{affine})"
        if not self.model.spec.training:
            yield f"{name}.eval()"
        nodes = list(stage.parameters)
        self.places |= {node.id: f"{name}.{part}" for node, part in zip(nodes, ("weight", "bias"), strict=False)}
        running = {letter: f"{letter}{self.number(stage)}" for letter in ("running_mean", "running_var")}
        known = {node.id: node for node in self.model.given}
        buffers = [(letter, known[at]) for letter, at in running.items() if at in known]
        yield from self.filled(nodes)
        if buffers and not nodes:
            yield "with torch.no_grad():"
        for letter, node in buffers:
            yield f"    {name}.{letter}.copy_(torch.tensor({self.model.given[node].value[0].tolist()!r}))"

    def number(self, stage: Stage) -> str:
        """The number of a normalization in its ids: 1, or 1.2."""
        return stage.output.id.lstrip("ny")

    def module(self, stage: Stage) -> str:
        return f"norm{self.number(stage).replace('.', '_')}"

    # forward ---------------------------------------------------------------------------------------------------------
    def forward(self) -> Iterator[str]:
        yield from heading(self.words, "export.forward.once")
        yield from ("", "def forward(step):")
        for line in self.lines():
            yield f"    {line}"
        pairs = ", ".join(f'"{id}": {self.variables[id]}' for id in self.names)
        yield f"    return {{{pairs}}}"

    def lines(self) -> Iterator[str]:
        before = self.variables[self.run.x.id]
        for layer in self.run.layers:
            if layer.z is not None:
                shared = layer.b is not None and f"b{layer.k}" == self.places.get(layer.b.id)
                yield from self.line(layer.z, f"linear{layer.k}({before})" + (f" + b{layer.k}" if shared else ""))
                before = self.variables[layer.z.id]
            for stage in layer.stages:
                yield from self.stage(stage, before)
                before = self.variables[stage.output.id]
        if self.run.loss:
            yield from self.loss(before)

    def line(self, node: Node, text: str) -> Iterator[str]:
        """A line of the forward pass, and what it is called on the page."""
        name = self.variables[node.id]
        self.names.append(node.id)
        if node.role not in ("statistic", "loss"):
            self.reached.append(node.id)
        yield f"{name} = {text}"
        for at in self.corners.get(node, ()):
            yield comment(self.words.plain("export.kink", at=f"{at:g}"))
            yield f"{name} = {name} - ({name}.detach() - {at!r}) * (abs({name}.detach() - {at!r}) < 1e-12)"

    def stage(self, stage: Stage, before: str) -> Iterator[str]:
        node = stage.output
        if stage.name == "residual":
            yield from self.line(node, spell(definition(node), self.dialect))
            return
        choice = self.options[id(node)]
        if stage.name in NORMS:
            yield from self.normalized(stage, before)
        elif stage.name == "dropout":
            yield from self.dropped(stage, choice, before)
        else:
            yield from self.line(node, activation(choice, before))

    def dropped(self, stage: Stage, choice: Choice, before: str) -> Iterator[str]:
        if not self.model.spec.training:
            yield from self.line(stage.output, before)
            return
        mask = next(node for node in stage.output.inputs if node.role == "mask")
        p = choice.in_force["p"]
        share = "" if p == 1 else f" / (1 - {plain(p)})"
        yield from self.line(stage.output, f"{before} * {self.variables[mask.id]}_of[step - 1]{share}")

    def normalized(self, stage: Stage, before: str) -> Iterator[str]:
        axis = NORMS[stage.name]
        for node in stage.lines:
            if node.role == "statistic":
                biased = ", correction=0" if node.id.startswith("var") else ""
                yield from self.line(
                    node, f"{before}.{node.id[:4].rstrip('0123456789')}(dim={axis}, keepdim=True{biased})"
                )
        yield from self.line(stage.output, f"{self.module(stage)}({before})")

    def loss(self, output: str) -> Iterator[str]:
        run, model = self.run, self.model
        assert run.loss is not None
        from_scores = scores(model)
        where = None if from_scores is None else self.variables[from_scores.id]
        if from_scores is not None and any(node.id == "p" for node in run.nodes):
            p = next(node for node in run.nodes if node.id == "p")
            kind = "softmax({}, dim=1)" if isinstance(p.op, Softmax) else "sigmoid({})"
            yield from self.line(p, "torch." + kind.format(where))
        text = loss(model, output, where)
        if run.loss.penalty is None:
            yield from self.line(run.loss.total, text)
            return
        yield from self.line(run.loss.data, text)
        linear = [layer for layer in run.layers if layer.W is not None]
        weights = ", ".join(self.places[layer.W.id] for layer in linear if layer.W)
        every = ", ".join(self.places[node.id] for layer in linear for node in (layer.W, layer.b) if node)
        terms = [penalty(choice, f"({weights},)", f"({every},)") for choice in model.spec.penalties]
        yield from self.line(run.loss.penalty, " + ".join(terms))
        yield from self.line(run.loss.total, "data_loss + penalty")

    # training --------------------------------------------------------------------------------------------------------
    def training(self) -> Iterator[str]:
        model = self.model
        steps, updates = len(model.iterations), bool(model.updated)
        if not self.run.loss:
            yield from ("", "", "results = forward(1)")
            self.recorded = self.names
            return
        yield from heading(self.words, "export.training")
        if updates:
            yield from self.optimizer()
        self.record(steps, updates)
        yield from (
            "",
            "results = {}",
            f"for step in range(1, {steps + 1}):",
            '    at = f"@{step}" if step > 1 else ""',
        )
        if model.letters:
            yield f"    optimizer.param_groups[0]['lr'] = rates[step - 1]  # {self.words.plain('export.rates')}"
        yield from (f"    {line}" for line in self.step(updates))
        if updates and model.after is not None:
            yield from (
                "",
                comment(self.words.plain("export.again.step")),
                f"for name, value in forward({steps}).items():",
            )
            yield '    results[f"{name}+{at}"] = value.detach()'

    def optimizer(self) -> Iterator[str]:
        model = self.model
        choice = model.spec.optimizer
        assert choice is not None
        moving = ", ".join(place for id, place in self.places.items() if id not in model.frozen)
        if model.letters:
            if choice.name in ("rprop", "asgd"):
                raise choice.item.error(f"PyTorch's {choice.name} does not follow a schedule step by step")
            floats = model.numbers()
            rates = [float(floats[i.rate][0, 0]) for i in model.iterations if i.rate is not None]
            yield f"rates = {rates!r}"
        before, made = optimizer(choice, f"[{moving}]")
        yield from (["", "", *before] if before else [])
        yield f"optimizer = {made}"
        yield from self.state(remembered(choice))

    def state(self, letters: dict[str, str]) -> Iterator[str]:
        """What the optimizer remembers before the first step, where the file says so."""
        model, choice = self.model, self.model.spec.optimizer
        if model.spec.state is None or choice is None:
            return
        known = {node.id: self.model.given[node].value for node in self.model.given if node.role == "state"}
        for id, place in self.places.items():
            found = {"step": f"torch.tensor({float(self.model.steps_before)})"}
            for letter, name in letters.items():
                if (value := known.get(f"{letter}.{id}@0")) is not None:
                    single = letter in SINGLE
                    shaped = f"torch.tensor({rows(value)}).reshape({place}.shape)"
                    found[name] = f"torch.tensor({float(value[0, 0])!r})" if single else shaped
            if choice.name == "asgd":  # the share in the average follows from the number of steps
                found["mu"] = f"torch.tensor({1 / max(1, model.steps_before - float(choice.in_force['t0']))})"
            if id not in self.model.frozen:
                yield f"optimizer.state[{place}] = {{{', '.join(f'{n!r}: {text}' for n, text in found.items())}}}"

    def record(self, steps: int, updates: bool) -> None:
        """The ids of what the program has numbers for."""
        for number in range(1, steps + 1):
            self.recorded += [timed(id, number) for id in self.names]
            self.recorded += [timed(derivative("L", id), number) for id in [*self.reached, *self.places, "x"]]
            if updates:
                moved = [id for id in self.places if id not in self.model.frozen]
                self.recorded += [timed(after(id), number) for id in [*moved, *self.running()]]
                assert self.model.spec.optimizer is not None
                letters = remembered(self.model.spec.optimizer)
                self.recorded += [timed(f"{letter}.{id}", number) for id in moved for letter in letters]
        if updates and self.model.after is not None:
            self.recorded += [timed(after(id), steps) for id in self.names]

    def running(self) -> dict[str, str]:
        """Running statistics, and where the program has them."""
        return {
            f"{letter}{self.number(stage)}": f"{self.module(stage)}.{letter}"
            for layer in self.run.layers
            for stage in layer.stages
            if stage.name == "batch_norm" and self.model.spec.training
            for letter in ("running_mean", "running_var")
        }

    def step(self, updates: bool) -> Iterator[str]:
        """One training step: forward, backward, what they gave, update."""
        yield "values = forward(step)"
        yield from ("for value in values.values():", "    if value.requires_grad:", "        value.retain_grad()")
        yield from (
            "for value in (x, *parameters.values()):" if self.places else "for value in (x,):",
            "    value.grad = None",
        )
        yield 'values["L"].backward()'
        named = "{**values, **parameters, 'x': x}" if self.places else "{**values, 'x': x}"
        yield f"for name, value in {named}.items():"
        yield "    if name in values:"
        yield "        results[name + at] = value.detach()"
        yield "    if value.grad is not None:"
        yield '        results[f"dL/d{name}{at}"] = value.grad.clone()'
        if not updates:
            return
        for id, place in self.running().items():
            yield f'results[f"{id}+{{at}}"] = {place}.clone()'
        yield "optimizer.step()"
        yield "for name, value in parameters.items():"
        yield '    results[f"{name}+{at}"] = value.detach().clone()'
        assert self.model.spec.optimizer is not None
        letters = remembered(self.model.spec.optimizer)
        if letters:
            yield f"    for letter, key in {letters!r}.items():"
            yield "        if torch.is_tensor(optimizer.state[value].get(key)):"
            yield '            results[f"{letter}.{name}{at}"] = optimizer.state[value][key].clone()'
