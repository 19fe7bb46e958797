"""Central differences of the loss: they know no rule of differentiation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import numpy as np

from derive.algebra import FLOATS, Algebra, Value, evaluate
from derive.checks.errors import Errors, largest
from derive.document import Witness, say
from derive.formula import ZERO, Apply, Formula, branches
from derive.graph import Node, apply, topological
from derive.graph import evaluate as evaluate_graph
from derive.model import Iteration, Model
from derive.ops.base import Elementwise
from derive.ops.structural import Multiply, Sum
from derive.values import Values, cost

FAR_REACH = 1e6
STEP_DIGITS = 40  # of 150: what is left of a difference has 110
SEED = 20240229
ENTRIES_BUDGET = 300_000  # multiplications spent on moving every single parameter
UNIT_COST = 20  # multiplications that an exponential, or another function of a unit, costs
SAMPLED_ENTRIES = 32  # entries moved one by one in all, where there are too many to move every one


def differences(model: Model, values: Values) -> Iterator[Witness]:
    """Central differences of every step's loss against every gradient by a parameter (or by inputs, without any)."""
    most = ENTRIES_BUDGET // len(model.iterations)
    for iteration in model.iterations:
        if model.layerwise:
            yield from by_layer(model, iteration, values, most)
            continue
        assert iteration.forward.loss is not None
        wanted = iteration.parameters or (iteration.forward.x,)
        yield from compared(iteration, iteration.forward.loss.total, wanted, values, cost(model), most)


def by_layer(model: Model, iteration: Iteration, values: Values, most: int) -> Iterator[Witness]:
    """Where layers are updated one by one, a layer's gradient is that of its part of the loss, Σ δ ⊙ z of the next layer.

    In it the error signals δ stand still and the next layer's parameters are the new ones.
    """
    weighted = [layer for layer in iteration.forward.layers if layer.W is not None]
    for layer, following in zip(weighted, (*weighted[1:], None), strict=True):
        assert iteration.forward.loss is not None
        end = iteration.forward.loss.total
        if following is not None:
            assert following.z is not None
            delta = iteration.gradient[following.z]
            again = Node(
                following.z.op, tuple(iteration.updated.get(n, n) for n in following.z.inputs), following.z.shape
            )
            end = apply(Sum(), apply(Multiply(), delta, again))
        yield from compared(iteration, end, layer.parameters, values, cost(model), most)


def compared(
    iteration: Iteration, end: Node, wanted: Sequence[Node], values: Values, price: int, most: int
) -> Iterator[Witness]:
    """Differences of one number, `end`, against the gradients by the wanted nodes."""
    algebra = values.algebra
    inside = {*iteration.parameters, *iteration.updated.values(), *(g for g in iteration.gradient.values())}
    known = {n: values.arrays[n.id] for n in topological(end, known=inside) if n.id and (n in inside or not n.inputs)}
    moved = Mover(end, known, algebra)
    total = sum(node.shape[0] * node.shape[1] for node in wanted)
    units = sum(node.shape[0] * node.shape[1] for node in topological(end, known=inside) if node.inputs)
    every = total * 2 * (price + UNIT_COST * units) <= most
    drawn = Random(SEED)
    for node in wanted:
        gradient = values.arrays[iteration.gradient[node].id]
        errors, kinks = Errors(), 0
        # against the largest entry, but never finer than the loss itself can show
        noise = 1e-45 if values.small else 1e-12 * largest(moved.before[end])
        scale = max(largest(gradient), noise) or 1.0
        tolerance = 1e-15 if algebra is not FLOATS else 1e-5
        for direction in directions(node.shape, drawn, None if every else max(1, SAMPLED_ENTRIES // len(wanted))):
            ours = np.sum(gradient * weights(direction, algebra))
            size = scale * max(1.0, float(np.abs(direction).sum()) ** 0.5)
            nearest = moved.slope_near(ours, tolerance * size, node, direction)
            if nearest is None:
                kinks += 1
            else:
                errors.compare(ours, nearest, size)
        note = say("witness.kinks", count=kinks) if kinks else None if every else say("witness.sampled")
        own = iteration.forward.loss is not None and end is iteration.forward.loss.total
        name = "differences" if values.small else "differences_float"
        yield errors.witness(name if own else "differences_part", iteration.gradient[node].id, tolerance, note)


def directions(shape: tuple[int, ...], drawn: Random, most: int | None) -> Iterator[Value]:
    """Every single entry, or a random direction and a few entries."""
    size = int(np.prod(shape))
    chosen = range(size) if most is None else sorted(drawn.sample(range(size), min(size, most)))
    if most is not None:
        yield np.array(drawn.choices([-1.0, 1.0], k=size)).reshape(shape)
    for position in chosen:
        one = np.zeros(size)
        one[position] = 1.0
        yield one.reshape(shape)


def weights(direction: Value, algebra: Algebra) -> Value:
    return direction if algebra is FLOATS else direction.astype(int).astype(object)


class Mover:
    """Moves a leaf a little and sees what the loss does."""

    def __init__(self, loss: Node, known: dict[Node, Value], algebra: Algebra) -> None:
        self.loss, self.known, self.algebra = loss, known, algebra
        self.leaf, self.kept = loss, known
        with np.errstate(all="ignore"):
            self.before = evaluate_graph([loss], known, algebra)
        self.cased = [
            n for n in topological(loss, known=known) if isinstance(n.op, Elementwise) and has_cases(n.op.body)
        ]

    def slope_near(self, ours: Any, tolerance: float, node: Node, direction: Value) -> Any:
        """The central difference along a direction, with more steps until one agrees; None where all meet a kink."""
        nearest = None
        for step in self.steps(node, direction):
            slope = self.slope(node, direction, step)
            if slope is not None and (nearest is None or abs(slope - ours) < abs(nearest - ours)):
                nearest = slope
            if nearest is not None and abs(nearest - ours) <= tolerance / 1000:
                break
        return nearest

    def steps(self, node: Node, direction: Value) -> list[Any]:
        """Relative to what is moved, and, where it may meet a huge number, a step smaller by that."""
        if self.algebra is FLOATS:
            return [1e-6 * max(1.0, float(np.max(np.abs(self.known[node]))))]
        pairs = zip(self.known[node].ravel(), direction.ravel(), strict=True)
        size = max((abs(x) for x, moved in pairs if moved and x), default=1)
        step = self.algebra.number(10) ** -STEP_DIGITS * size
        reach = max(1.0, *(largest(value) for value in self.known.values()))
        far = self.algebra.number(reach)
        near = [step, self.algebra.number(10) ** -STEP_DIGITS]
        return near if reach < FAR_REACH else [*near, step / far, step * far]

    def slope(self, node: Node, direction: Value, step: Any) -> Any:
        push = direction * step if self.algebra is FLOATS else np.frompyfunc(lambda d: step * int(d), 1, 1)(direction)
        up, down = (self.run(node, moved) for moved in (self.known[node] + push, self.known[node] - push))
        if self.sides(up) != self.sides(down):
            return None
        slope = (up[self.loss][0, 0] - down[self.loss][0, 0]) / (2 * step)
        return slope if is_real(slope) else None  # a logarithm stepped below 0

    def run(self, node: Node, value: Value) -> dict[Node, Value]:
        """All values with one leaf changed; what does not depend on it is taken as it was."""
        if node is not self.leaf:
            changed = {node}
            for later in topological(self.loss, known=self.known):
                if any(source in changed for source in later.inputs):
                    changed.add(later)
            self.leaf, self.kept = node, {n: v for n, v in self.before.items() if n not in changed}
        with np.errstate(all="ignore"):
            return evaluate_graph([self.loss], {**self.kept, node: value}, self.algebra)

    def sides(self, values: dict[Node, Value]) -> list[Any]:
        """Which case every function by cases falls into, everywhere."""
        found = []
        for node in self.cased:
            assert isinstance(node.op, Elementwise)
            env = dict(zip(node.op.parameters, (values[source] for source in node.inputs), strict=True))
            found += [
                np.asarray(evaluate(when, env.__getitem__, self.algebra)).astype(bool).tolist()
                for when in conditions(node.op.body)
            ]
        return found


def is_real(value: Any) -> bool:
    return not hasattr(value, "_mpc_")


def conditions(f: Formula) -> Iterator[Formula]:
    if not isinstance(f, Apply):
        return
    if f.head == "cases":
        yield from (when for _, when in branches(f) if when is not None)
    if f.head in ("abs", "max", "min"):  # these have kinks of their own
        left = f.args[0]
        yield Apply("gt", (left, f.args[1] if len(f.args) > 1 else ZERO))
    for arg in f.args:
        yield from conditions(arg)


def has_cases(f: Formula) -> bool:
    return any(True for _ in conditions(f))
