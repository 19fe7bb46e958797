"""The description of a chart: curves over two axes, and the level lines of a function behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Style = Literal["line", "steps", "path", "dots"]


@dataclass(frozen=True, slots=True)
class Axis:
    """What is measured along an axis; on a logarithmic one there is no zero and nothing below it."""

    label: str
    log: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order; where one is not finite there is a gap.

    line: joined · steps: each value holds until the next · path: a trajectory, its start and its end marked · dots
    """

    label: str
    points: tuple[Point, ...]
    style: Style = "line"


@dataclass(frozen=True, slots=True)
class Contours:
    """A function on a grid, of which level lines are drawn: `values[j][i]` = f(`xs[i]`, `ys[j]`)."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """Reject values that do not fill the grid."""
        if len(self.values) != len(self.ys) or any(len(row) != len(self.xs) for row in self.values):
            raise ValueError(f"{len(self.xs)} × {len(self.ys)}")


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over two axes; all texts are anybody's."""

    title: str
    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    contours: Contours | None = None
