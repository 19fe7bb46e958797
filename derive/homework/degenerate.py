"""Numbers of an exercise under which different mistakes look the same: what the data themselves hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

import numpy as np

from derive.algebra import Value
from derive.graph import Node
from derive.homework.circuit import Circuit
from derive.homework.mistakes.slopes import PIECEWISE
from derive.ids import kind
from derive.model import Model
from derive.options import Choice

CLOSE = 1e-12
ADAMS = ("adam", "adamw", "nadam", "radam", "adamax")
#: Optimizers with a memory, whatever their options.
REMEMBERING = ("momentum", "nesterov", "rmsprop", "adagrad", "adadelta")


@dataclass(frozen=True)
class Reason:
    """One thing about the numbers that hides mistakes.

    kind: the key of its sentence, `lint.reason.KIND` · about: the ids of the quantities, or entries, that are meant
    args: what else goes into the sentence
    """

    kind: str
    about: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """The numbers that are looked at. floats: by key, those of the task or others"""

    circuit: Circuit
    model: Model
    floats: Mapping[str, float]

    def array(self, node: Node) -> Value:
        """The numbers of a quantity, as a matrix."""
        keys = [name.key for name in self.circuit.array(node).ravel()]
        return np.array([self.floats[key] for key in keys]).reshape(node.shape)

    def of(self, *letters: str) -> Iterator[tuple[Node, Value]]:
        """The parameters of some kinds."""
        for node in self.model.parameters:
            if kind(node.id)[0] in letters:
                yield node, self.array(node)

    @property
    def optimizer(self) -> Choice | None:
        return self.model.spec.optimizer


def reasons(circuit: Circuit, floats: Mapping[str, float] | None = None) -> list[Reason]:
    """Everything in the task that makes mistakes hard to see; of other numbers for the same task, if they are given."""
    model = circuit.quantities
    if not isinstance(model, Model):
        return []
    data = Data(circuit, model, circuit.floats if floats is None else floats)
    return [reason for check in CHECKS for reason in check(data)]


# inputs and targets ---------------------------------------------------------------------------------------------------
def proportional_inputs(data: Data) -> Iterator[Reason]:
    """x₂ = 2 x₁: the factor 2 and the wrong input look the same."""
    xs, names = data.array(data.model.x), data.circuit.array(data.model.x)
    for row, column in ((r, pair) for r in range(len(xs)) for pair in combinations(range(xs.shape[1]), 2)):
        one, other = xs[row, list(column)]
        ratio = abs(other / one) if one and other else 0.0
        if any(abs(ratio - special) < CLOSE for special in (0.5, 1, 2)):
            yield Reason("proportional_inputs", tuple(names[row, i].key for i in column))
            return


def special_inputs(data: Data) -> Iterator[Reason]:
    """x = 0 or 1: a factor that is 1 may be forgotten, a term that is 0 may be anything."""
    xs, names = data.array(data.model.x), data.circuit.array(data.model.x)
    found = tuple(names[place].key for place in np.ndindex(xs.shape) if xs[place] in (0, 1))
    if found:
        yield Reason("special_inputs", found)


def equal_targets(data: Data) -> Iterator[Reason]:
    """t₁ = t₂: the target of another output may be taken. Of classes all but one are 0 as a rule."""
    model = data.model
    if model.t is None or model.encoding != "values" or model.t.shape[1] < 2:
        return
    if any(len(set(row)) == 1 for row in data.array(model.t).tolist()):
        yield Reason("equal_targets", (model.t.id,))


def zero_mean(data: Data) -> Iterator[Reason]:
    """A batch with mean 0 before it is normalized: the mean may be forgotten."""
    for node in data.model.forward.nodes:
        if kind(node.id)[0] == "mean" and np.any(abs(data.array(node)) < CLOSE):
            yield Reason("zero_mean", (node.id,))


def few_samples(data: Data) -> Iterator[Reason]:
    """A mean over one number, or over two."""
    loss, choice = data.model.forward.loss, data.model.spec.loss
    if loss is None or choice is None or not str(choice.in_force.get("reduction", "")).endswith("mean"):
        return
    if data.model.x.shape[0] == 1:
        yield Reason("one_sample")
    if loss.factor == Fraction(1, 2):
        yield Reason("mean_of_two")


# parameters -----------------------------------------------------------------------------------------------------------
def equal_weights(data: Data) -> Iterator[Reason]:
    found = [node.id for node, table in data.of("W") if len(set(table.ravel().tolist())) < table.size]
    if found:
        yield Reason("equal_weights", tuple(found))


def symmetric(data: Data) -> Iterator[Reason]:
    """W = Wᵀ: it may be taken the wrong way round."""
    for node, table in data.of("W"):
        if table.shape[0] == table.shape[1] > 1 and np.array_equal(table, table.T):
            yield Reason("symmetric", (node.id,))


def biases(data: Data) -> Iterator[Reason]:
    """Biases that are 0 may be forgotten, those that are equal exchanged."""
    zero = tuple(node.id for node, table in data.of("b") if not np.all(table))
    if zero:
        yield Reason("zero_bias", zero)
    tables = [(node.id, [x for x in table.ravel().tolist() if x]) for node, table in data.of("b")]
    equal = tuple(id for id, found in tables if len(set(found)) < len(found))
    if equal:
        yield Reason("equal_biases", equal)


def plain_norm(data: Data) -> Iterator[Reason]:
    """γ = 1 and β = 0 may be forgotten."""
    found = [node.id for node, table in data.of("gamma") if np.any(table == 1)]
    found += [node.id for node, table in data.of("beta") if not np.all(table)]
    if found:
        yield Reason("plain_norm", tuple(found))


# the network ----------------------------------------------------------------------------------------------------------
def one_output(data: Data) -> Iterator[Reason]:
    """No sum over several paths to the loss, where there are hidden units that could have some."""
    forward = data.model.forward
    if forward.output.shape[1] == 1 and len([layer for layer in forward.layers if layer.k]) > 1:
        yield Reason("one_output", (forward.output.id,))


def special_activations(data: Data) -> Iterator[Reason]:
    """σ = ½ is 1 − σ, and tanh 0 = 0 has slope 1."""
    for layer in data.model.forward.layers:
        for stage in layer.stages:
            special = {"sigmoid": 0.5, "tanh": 0.0}.get(stage.name)
            if special is None:
                continue
            table, names = data.array(stage.output), data.circuit.array(stage.output)
            places = [place for place in np.ndindex(table.shape) if abs(table[place] - special) < CLOSE]
            if places:
                yield Reason("half" if special else "flat_tanh", tuple(names[place].key for place in places))


def gates(data: Data) -> Iterator[Reason]:
    """ReLUs that are all active, or none of them."""
    for layer in data.model.forward.layers:
        for stage in layer.stages:
            if stage.name not in PIECEWISE:
                continue
            table = data.array(stage.output)
            if np.all(table > 0):
                yield Reason("all_active", (stage.output.id,))
            elif np.all(table <= 0):
                yield Reason("all_dead", (stage.output.id,))


def masks(data: Data) -> Iterator[Reason]:
    """Masks that keep everything, and units that are kept as often as not."""
    for mask in data.model.forward.masks:
        if np.all(data.array(mask) == 1):
            yield Reason("all_kept", (mask.id,))
    chances = [key for key, entry in data.circuit.entries.items() if entry.kind == "chance"]
    if any(data.floats[key] == 0.5 for key in chances):
        yield Reason("half_dropped")


# the optimizer --------------------------------------------------------------------------------------------------------
def rates(data: Data) -> Iterator[Reason]:
    """η = ½ cancels a factor 2, η = 1 may be forgotten."""
    if data.floats.get("lr") in (0.5, 1):
        yield Reason("half_rate" if data.floats["lr"] == 0.5 else "rate_of_one", ("lr",))


def first_step(data: Data) -> Iterator[Reason]:
    """What the first step of an optimizer with a memory cannot show."""
    optimizer, model = data.optimizer, data.model
    if optimizer is None or model.spec.steps > 1 or model.steps_before:
        return
    if optimizer.name in ADAMS:
        yield Reason("adam_first_step", args={"name": optimizer.name})
    elif optimizer.in_force.get("momentum") or optimizer.name in REMEMBERING:
        yield Reason("first_step", args={"name": optimizer.name})


def equal_betas(data: Data) -> Iterator[Reason]:
    betas = [data.floats.get(key) for key in ("betas1", "betas2")]
    if betas[0] is not None and betas[0] == betas[1]:
        yield Reason("equal_betas", ("betas1", "betas2"))


def plain_decay(data: Data) -> Iterator[Reason]:
    """Plain gradient descent: a decay is the same as a penalty on the squares of the weights."""
    optimizer = data.optimizer
    if optimizer is None or optimizer.name != "sgd" or optimizer.in_force["momentum"]:
        return
    if optimizer.in_force["weight_decay"] or any(penalty.name == "l2" for penalty in data.model.spec.penalties):
        yield Reason("plain_decay")


CHECKS: tuple[Callable[[Data], Iterator[Reason]], ...] = (
    proportional_inputs,
    special_inputs,
    equal_targets,
    zero_mean,
    few_samples,
    equal_weights,
    symmetric,
    biases,
    plain_norm,
    one_output,
    special_activations,
    gates,
    masks,
    rates,
    first_step,
    equal_betas,
    plain_decay,
)
