"""Whether numbers make a fair exercise of the same kind: nothing dead, at a kink, saturated, lost in rounding or hidden.

Everything is held against the exercise as its author made it: a unit that is off there on purpose may be off, and
where it saturates on purpose, numbers may saturate as far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from derive.algebra import FLOATS, Value, evaluate
from derive.formula import Apply, Formula
from derive.graph import Node
from derive.homework.assignment import Assignment
from derive.homework.circuit import Circuit
from derive.homework.compute import numbers
from derive.model import Model
from derive.ops.base import Elementwise, out, z
from derive.ops.vector import LogSoftmax, Softmax

MARGIN = 0.02  # of the largest distance from a kink in the original: what rounding on the way cannot cross
SLOPE = 0.05  # the least slope of a function that saturates, of σ and of a probability at |z| ≈ 3
SMALL, LARGE = 1e-4, 1e6  # numbers beyond which powers of ten are written
LEAST_UNITS = 10  # of the last digit asked for: two digits that count
BOUNDED = ("sigmoid", "tanh", "hardtanh")  # they saturate

Values = Mapping[str, Value]  # key of an entry -> its numbers, one for each set
Checked = Callable[[Values], Value]  # which sets pass


class Fair:
    """What numbers for an exercise must keep to."""

    def __init__(self, assignment: Assignment) -> None:
        circuit = assignment.circuit
        self.circuit, self.precision = circuit, assignment.policy.precision
        self.asked = asked(assignment)
        self.kinks = list(kinks(circuit))
        self.margins = self._margins()

    def verdicts(self, values: Values, size: int) -> dict[str, Value]:
        """Name of a condition -> which of so many sets of numbers fulfil it. values: of every entry, one for each set."""
        wide = {key: np.broadcast_to(np.asarray(value, dtype=float), size) for key, value in values.items()}
        with np.errstate(all="ignore"):
            return {
                name: np.all([np.ones(size, dtype=bool), *check(self, wide)], axis=0) for name, check in CHECKS.items()
            }

    # the conditions ---------------------------------------------------------------------------------------------------
    def finite(self, values: Values) -> Iterator[Value]:
        """Every number is one."""
        yield from (np.isfinite(value) for value in values.values())

    def alive(self, values: Values) -> Iterator[Value]:
        """A unit that passes something on for some sample of the original does so here, and none that does not."""
        for node, slope in slopes(self.circuit):
            if not isinstance(node.op, Elementwise) or not node.op.kinks:
                continue
            before = slope(self.table(self.circuit.floats))
            after = slope(self.table(values))
            live, now = (before != 0).any(axis=0), (after != 0).any(axis=0)
            yield np.all(now == live[:, None], axis=0) if live.any() else now.any(axis=0)

    def table(self, values: Values) -> Callable[[Node], Value]:
        """The numbers of a quantity: rows, columns, and sets where there are several."""
        names = self.circuit.array

        def read(node: Node) -> Value:
            found = names(node)
            rows = [[values[name.key] for name in row] for row in found]
            return np.array(rows, dtype=float)

        return read

    def off_kinks(self, values: Values) -> Iterator[Value]:
        """No condition of a formula by cases is nearly an equality."""
        for (_, (left, right)), margin in zip(self.kinks, self.margins, strict=True):
            distance = np.abs(numbers(left, values) - numbers(right, values))
            own = abs(float(numbers(left, self.circuit.floats)) - float(numbers(right, self.circuit.floats)))
            yield (distance > margin) | (distance == own)

    def _margins(self) -> list[float]:
        """For every condition a share of the largest distance in the same quantity."""
        floats = self.circuit.floats
        own = [abs(float(numbers(left, floats)) - float(numbers(right, floats))) for _, (left, right) in self.kinks]
        most: dict[str, float] = {}
        for (key, _), distance in zip(self.kinks, own, strict=True):
            id = self.circuit.entries[key].node.id
            most[id] = max(most.get(id, 0.0), distance)
        return [MARGIN * most[self.circuit.entries[key].node.id] for key, _ in self.kinks]

    def unsaturated(self, values: Values) -> Iterator[Value]:
        """No sigmoid, tanh or probability is flatter than a bound, or than any of its layer in the original."""
        for node, slope in slopes(self.circuit):
            bounded = isinstance(node.op, Elementwise) and node.op.name in BOUNDED
            if not bounded and not isinstance(node.op, Softmax | LogSoftmax):
                continue
            floor = min(SLOPE, float(np.abs(slope(self.table(self.circuit.floats))).min()))
            yield np.all(np.abs(slope(self.table(values))) >= floor * (1 - 1e-9), axis=(0, 1))

    def visible(self, values: Values) -> Iterator[Value]:
        """Of what is asked for no more than before is so small that it has not two digits, or needs a power of ten."""
        decimals = self.precision.decimals
        least = SMALL if decimals is None else LEAST_UNITS * 10.0**-decimals
        own = np.abs([self.circuit.floats[key] for key in self.asked])
        size = np.abs([values[key] for key in self.asked])
        bounds = [least, np.finfo(float).tiny] + ([] if decimals is None else [10.0**-decimals / 2])
        for bound in bounds:
            yield (size < bound).sum(axis=0) <= (own < bound).sum()
        yield (size >= LARGE).sum(axis=0) <= (own >= LARGE).sum()


#: Name of a condition, as it is told where no numbers fulfil it, -> the condition.
CHECKS: dict[str, Callable[[Fair, Values], Iterator[Value]]] = {
    "a number is not finite": Fair.finite,
    "a unit is dead, or one that was off is not": Fair.alive,
    "a number is too close to a kink": Fair.off_kinks,
    "a unit is saturated": Fair.unsaturated,
    "a number that is asked for is too small for its digits": Fair.visible,
}


def asked(assignment: Assignment) -> tuple[str, ...]:
    """The keys of the steps that are asked for, or of all that are worked out."""
    if assignment.policy.ask is not None:
        return assignment.policy.ask
    return tuple(key for key, entry in assignment.circuit.entries.items() if not entry.given)


def slopes(circuit: Circuit) -> Iterator[tuple[Node, Callable[[Callable[[Node], Value]], Value]]]:
    """(the output of an activation, what gives its slopes from tables of numbers) throughout the network."""
    model = circuit.quantities
    assert isinstance(model, Model)
    for iteration in model.iterations:
        for layer in iteration.forward.layers:
            for stage in layer.stages:
                node = stage.output
                if node.id not in circuit.nodes or len(node.inputs) != 1 or node.inputs[0].id not in circuit.nodes:
                    continue
                if isinstance(node.op, Elementwise) and node.op.parameters == (z,) and node.op.slopes[0] is not None:
                    yield node, of_elementwise(node, node.op.slopes[0])
                elif isinstance(node.op, Softmax | LogSoftmax):
                    yield node, of_softmax(node)


def of_elementwise(node: Node, slope: Formula) -> Callable[[Callable[[Node], Value]], Value]:
    def found(table: Callable[[Node], Value]) -> Value:
        before, after = table(node.inputs[0]), table(node)
        return np.broadcast_to(evaluate(slope, {z: before, out: after}.__getitem__, FLOATS), after.shape)

    return found


def of_softmax(node: Node) -> Callable[[Callable[[Node], Value]], Value]:
    """p(1 − p) of every probability."""

    def found(table: Callable[[Node], Value]) -> Value:
        p = table(node)
        p = np.exp(p) if isinstance(node.op, LogSoftmax) else p
        return p * (1 - p)

    return found


def kinks(circuit: Circuit) -> Iterator[tuple[str, tuple[Formula, Formula]]]:
    """(key of an entry, the two sides of a condition in its formula) of every condition that the numbers decide."""
    seen: set[tuple[str, Formula, Formula]] = set()
    for key, entry in circuit.entries.items():
        if entry.formula is None or not any(part.head == "cases" for part in applied(entry.formula)):
            continue
        for part in applied(entry.formula):
            if part.head in ("gt", "ge", "lt", "le") and (entry.node.id, *part.args) not in seen:
                left, right = part.args
                seen.add((entry.node.id, left, right))
                yield key, (left, right)


def applied(f: Formula) -> Iterator[Apply]:
    """All functions in a formula."""
    if isinstance(f, Apply):
        yield f
        for arg in f.args:
            yield from applied(arg)
