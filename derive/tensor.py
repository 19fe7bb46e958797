"""Numbers as they came in: float64 values beside what was written for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from derive.algebra import UNKNOWN

MOST_TYPED = 5_000  # more numbers than anybody types

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Objects = np.ndarray[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True)
class Tensor:
    """A matrix of given numbers: float64 values, exact fractions (UNKNOWN where drawn) and the author's literals."""

    value: Floats
    exact: Objects
    text: Objects

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @classmethod
    def drawn(cls, value: Floats) -> Tensor:
        """Numbers from a generator or a file of arrays: they have no literal."""
        return cls(value, filled(value.shape, UNKNOWN), filled(value.shape, ""))

    @classmethod
    def typed(cls, value: Floats) -> Tensor:
        """Drawn numbers cut to four significant digits, so that what a page shows is what it computes with."""
        if value.size > MOST_TYPED:
            return cls.drawn(value)
        texts = [[f"{x:.4g}" for x in row] for row in value.tolist()]
        return cls.of([[Fraction(x) for x in row] for row in texts], texts)

    @classmethod
    def of(cls, rows: Sequence[Sequence[Fraction]], texts: Sequence[Sequence[str]] | None = None) -> Tensor:
        """Exact numbers, with the literals they were written as."""
        exact = objects(rows)
        text = filled(exact.shape, "") if texts is None else objects(texts)
        return cls(np.array([[float(x) for x in row] for row in rows]).reshape(exact.shape), exact, text)


def filled(shape: tuple[int, ...], value: object) -> Objects:
    array = np.empty(shape, dtype=object)
    array.fill(value)
    return array


def objects(rows: Sequence[Sequence[object]]) -> Objects:
    array = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            array[i, j] = value
    return array
