"""The largest errors of many comparisons, as a witness's finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.algebra import Value
from derive.document import Witness


@dataclass
class Errors:
    """The largest errors over many comparisons."""

    absolute: float = 0.0
    relative: float = 0.0
    compared: int = 0

    def compare(self, ours: Value, theirs: Value, scale: Value) -> None:
        """Two values; the error relative to `scale`. What is not a number counts as infinitely wrong."""
        off = largest(ours - theirs)
        off = off if off == off else float("inf")
        size = float(scale)
        self.absolute = max(self.absolute, off)
        self.relative = max(self.relative, off / size if size else off)
        self.compared += max(1, np.size(ours))

    def witness(self, name: str, quantity: str, tolerance: float, note: Any = None) -> Witness:
        ok = self.relative <= tolerance
        return Witness(name, quantity, self.absolute, self.relative, tolerance, self.compared, ok, note)


def largest(value: Value) -> float:
    """The largest size of an entry."""
    if not isinstance(value, np.ndarray):
        return abs(float(value))
    if value.dtype != object:
        return float(np.max(np.abs(value), initial=0.0))
    return max((abs(float(entry)) for entry in value.ravel().tolist()), default=0.0)
