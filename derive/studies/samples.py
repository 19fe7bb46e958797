"""The small data set on which batches of every size are compared: its gradients, epochs and variances as a graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product

from derive import formula as fm
from derive.checks.errors import Errors
from derive.document import Witness
from derive.formula import Formula, Name, formula
from derive.graph import Node, leaf
from derive.ops.base import ruled
from derive.studies.base import Desk
from derive.tensor import Tensor
from derive.values import as_fraction

XS, YS = (1, 2, 1, 2, 1, 1), (3, 3, 1, 5, 3, 1)  # the best line through the origin has slope 2, with no round residue
RATE = Fraction(1, 10)
COUNT = len(XS)
EPOCHS = 2  # of the picture


@dataclass
class Samples:
    """One epoch of batches of all samples (`full`), of one (`one`) and of `size` (`mini`), each from the same start."""

    size: int
    drop_last: bool
    given: dict[Node, Tensor] = field(default_factory=dict)
    node: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out every gradient and update."""
        for id, value in (("w@0", Fraction(0)), ("lr", RATE), ("n", Fraction(COUNT)), ("b", Fraction(self.size))):
            self.give(id, "parameter" if id == "w@0" else "hyper", value)
        for i, (x, y) in enumerate(zip(XS, YS, strict=True), 1):
            self.give(f"x@{i}", "input", Fraction(x))
            self.give(f"y@{i}", "target", Fraction(y))
        for i in range(1, COUNT + 1):
            self.make(f"g@{i}", "gradient", gradient("w@0", i))
        self.make("total", "gradient", fm.add(*(Name(f"g@{i}") for i in range(1, COUNT + 1))))
        self.make("gbar", "gradient", Name("total") / Name("n"))
        self.make("w_full@1", "updated", Name("w@0") - Name("lr") * Name("gbar"))
        self.epoch("one", 1)
        self.epoch("mini", self.size)
        self.noise()

    @property
    def ends(self) -> tuple[Node, ...]:
        return tuple(self.node.values())

    def give(self, id: str, role: str, value: Fraction) -> None:
        node = self.node[id] = leaf((1, 1), id, role)
        self.given[node] = Tensor.of([[value]], [[str(value) if value.denominator == 1 else str(float(value))]])

    def make(self, id: str, role: str, rule: Formula) -> None:
        """A quantity by its formula in ids."""
        self.node[id] = ruled(rule, {name: self.node[name.id] for name in fm.names(rule)}).named(id, role)

    def batches(self, size: int) -> list[range]:
        """The samples in their order, cut into batches."""
        cut = [range(first, min(first + size, COUNT + 1)) for first in range(1, COUNT + 1, size)]
        return [batch for batch in cut if len(batch) == size or not self.drop_last]

    def epoch(self, way: str, size: int) -> None:
        """One update for each batch, each gradient at the parameter of the moment."""
        for k, batch in enumerate(self.batches(size), 1):
            before = f"w_{way}@{k - 1}" if k > 1 else "w@0"
            for i in batch:
                self.make(f"g_{way}@{i}", "gradient", gradient(before, i))
            step = Name(f"g_{way}@{batch[0]}")
            if size > 1:
                mean = fm.add(*(Name(f"g_{way}@{i}") for i in batch)) / formula(len(batch))
                self.make(f"gbar_{way}@{k}", "gradient", mean)
                step = Name(f"gbar_{way}@{k}")
            self.make(f"w_{way}@{k}", "updated", Name(before) - Name("lr") * step)

    def noise(self) -> None:
        """The variance of one gradient, and of the mean of a batch."""
        squares = (fm.power(Name(f"g@{i}") - Name("gbar"), formula(2)) for i in range(1, COUNT + 1))
        self.make("squares", "state", fm.add(*squares))
        self.make("variance", "state", Name("squares") / Name("n"))
        self.make("variance_batch", "state", Name("variance") / Name("b"))
        n, b = Name("n"), Name("b")
        self.make("variance_drawn", "state", Name("variance") / b * ((n - b) / (n - 1)))


def gradient(w: str, i: int) -> Formula:
    """Of the squared error of one sample: 2·(w·x − y)·x."""
    x, y = Name(f"x@{i}"), Name(f"y@{i}")
    return 2 * (Name(w) * x - y) * x


# by other means -----------------------------------------------------------------------------------------------------------
def loss(w: Fraction, batch: range) -> Fraction:
    """The mean squared error of a batch."""
    return sum(((w * XS[i - 1] - YS[i - 1]) ** 2 for i in batch), Fraction(0)) / len(batch)


def way(batches: list[range], epochs: int) -> Iterator[tuple[int, Fraction]]:
    """(samples seen, parameter) after every update, the slopes from differences, which are exact for squares."""
    seen, w = 0, Fraction(0)
    yield seen, w
    for batch in batches * epochs:
        w -= RATE * (loss(w + 1, batch) - loss(w - 1, batch)) / 2
        seen += len(batch)
        yield seen, w


def descents(desk: Desk, samples: Samples) -> Witness:
    """Every update of the three epochs, from differences of the loss of its batch."""
    errors = Errors()
    for name, size in (("full", COUNT), ("one", 1), ("mini", samples.size)):
        for k, (_, w) in enumerate(way(samples.batches(size), 1)):
            if k:
                errors.compare(float(as_fraction(desk.values.arrays[f"w_{name}@{k}"][0, 0])), float(w), 1.0)
    return errors.witness("losses", "w", 1e-12 if not desk.policy.as_you_go else math.inf)


def enumerated(desk: Desk, samples: Samples) -> Witness:
    """The variances, from every batch there is."""
    gradients = [as_fraction(desk.values.arrays[f"g@{i}"][0, 0]) for i in range(1, COUNT + 1)]
    errors = Errors()
    for id, drawn in (
        ("variance", product(gradients, repeat=1)),
        ("variance_batch", product(gradients, repeat=samples.size)),
        ("variance_drawn", combinations(gradients, samples.size)),
    ):
        means = [sum(batch, Fraction(0)) / len(batch) for batch in drawn]
        middle = sum(means, Fraction(0)) / len(means)
        found = sum(((mean - middle) ** 2 for mean in means), Fraction(0)) / len(means)
        ours = float(as_fraction(desk.values.arrays[id][0, 0]))
        errors.compare(ours, float(found), float(found))
    return errors.witness("enumeration", "variance", 1e-12 if not desk.policy.as_you_go else math.inf)
