"""What becomes of signals and gradients on their way through a deep network: measured, with fixed draws, for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derive.algebra import FLOATS, call
from derive.formula import Function

DEPTH, WIDTH, SAMPLES = 20, 100, 50


@dataclass(frozen=True)
class Journey:
    """Mean squares: of the sums by layer, and of the loss's slopes by how many layers they have come back."""

    forward: list[tuple[float, float]]
    backward: list[tuple[float, float]]


def journey(f: Function, slope: Function, factor: float, depth: int = DEPTH) -> Journey:
    """Through layers of one width, with normal weights of the variance factor/width; relative to where it begins."""
    random = np.random.default_rng(2010)

    def at(function: Function, z: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.asarray(call(function, [z], None, FLOATS), dtype=float), z.shape)

    z = random.normal(size=(SAMPLES, WIDTH))
    sums, weights = [z], []
    for _ in range(depth):
        weights.append(random.normal(0.0, np.sqrt(factor / WIDTH), (WIDTH, WIDTH)))
        sums.append(at(f, sums[-1]) @ weights[-1].T)
    delta = random.normal(size=(SAMPLES, WIDTH))
    back = [delta]
    for z, W in zip(reversed(sums[:-1]), reversed(weights), strict=True):
        back.append((back[-1] @ W) * at(slope, z))
    return Journey(relative(sums), relative(back))


def relative(rows: list[np.ndarray]) -> list[tuple[float, float]]:
    sizes = [float(np.mean(row**2)) for row in rows]
    return [(float(i), size / sizes[0]) for i, size in enumerate(sizes)]
