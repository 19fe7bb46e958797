"""Targets: values, rows of probabilities, or class indices, which become rows with a single 1."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from derive.blocks import matrix, row
from derive.graph import Shape
from derive.losses import CLASSIFICATION
from derive.options import number, sequence
from derive.source import Item, Number
from derive.spec import Spec
from derive.tensor import Tensor

FROM_0_TO_1 = ("bce", "bce_with_logits", "cross_entropy", "nll")
IGNORED = -1


@dataclass(frozen=True)
class Targets:
    """What the loss compares with.

    numbers:  as a matrix like the output, or None if there are none
    encoding: values, classes, probabilities, or unnormalized (rows that do not sum to one)
    classes:  the index of each sample, IGNORED where it does not count
    """

    numbers: Tensor | None
    encoding: str
    classes: tuple[int, ...] = ()

    @property
    def ignored(self) -> int:
        return self.classes.count(IGNORED)

    def picked(self, weight: tuple[Fraction, ...]) -> Fraction:
        """The sum of the weights of the target classes."""
        return sum((weight[c] for c in self.classes if c != IGNORED), Fraction(0)) or Fraction(1)


def read(spec: Spec, output: Shape) -> Targets:
    """The targets of a file, for an output of this shape."""
    loss = "" if spec.loss is None else spec.loss.name
    classifies = loss in CLASSIFICATION
    if spec.targets is None:
        saved = spec.arrays.get("t")
        if saved is None:
            return Targets(None, "classes" if classifies else "values")
        return Targets(checked(saved, spec.item, loss, output), "unnormalized" if classifies else "values")
    if classifies:
        classes = indices(spec, spec.targets, output)
        if classes is not None:
            return Targets(one_hot(classes, output[1]), "classes", classes)
    numbers = checked(values(spec.targets, output), spec.targets, loss, output)
    if not classifies:
        return Targets(numbers, "values")
    return Targets(numbers, "probabilities" if all(sum(line) == 1 for line in numbers.exact) else "unnormalized")


def values(item: Item, output: Shape) -> Tensor:
    """Targets as numbers: one row, rows, or for a single output one number per sample."""
    if isinstance(item.value, Number):
        return Tensor.of([[item.value.exact]], [[item.value.text]])
    if sequence(item) and isinstance(sequence(item)[0].value, list):
        return matrix(item, "targets")
    flat = row(item, "targets")
    if output[1] == 1 and flat.shape[1] == output[0]:
        return Tensor(flat.value.T, flat.exact.T, flat.text.T)
    return flat


def checked(numbers: Tensor, item: Item, loss: str, output: Shape) -> Tensor:
    if numbers.shape != output:
        raise item.error(f"targets have shape {shown(numbers.shape)}, but the output has {shown(output)}")
    if loss in FROM_0_TO_1 and ((numbers.value < 0).any() or (numbers.value > 1).any()):
        raise item.error(f"{loss} needs targets from 0 to 1")
    if loss == "hinge_embedding" and (np.abs(numbers.value) != 1).any():
        raise item.error("hinge_embedding needs targets 1 or -1")
    return numbers


def indices(spec: Spec, item: Item, output: Shape) -> tuple[int, ...] | None:
    """Class indices, one per sample, if that is what the targets are."""
    samples, units = output
    entries = [item] if isinstance(item.value, Number) else sequence(item)
    if not entries or not all(isinstance(entry.value, Number) for entry in entries):
        return None
    if samples == 1 and len(entries) == units > 1:
        return None  # one row: one-hot or probabilities
    if len(entries) != samples:
        raise item.error(f"{len(entries)} targets for {samples} samples")
    ignore = spec.loss.options.get("ignore_index", -100) if spec.loss else -100
    found = tuple(IGNORED if number(entry).exact == ignore else class_index(entry, units) for entry in entries)
    if all(index == IGNORED for index in found):
        raise item.error("every target is ignored")
    return found


def class_index(item: Item, units: int) -> int:
    index = number(item).exact
    if index.denominator != 1 or not 0 <= index < units:
        raise item.error(f"expected a class index from 0 to {units - 1}")
    return int(index)


def one_hot(classes: tuple[int, ...], units: int) -> Tensor:
    rows = [[Fraction(int(i == c)) for i in range(units)] for c in classes]
    return Tensor.of(rows, [[str(x) for x in line] for line in rows])


def shown(shape: Shape) -> str:
    return " × ".join(map(str, shape))
