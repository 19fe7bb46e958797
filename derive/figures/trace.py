"""Curves as they are drawn: gaps kept, and no more points than can be seen. Lengths are CSS pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Trace = NDArray[np.float64]
"""Points in rows: x, y."""

FEW = 100
"""So many points are drawn as they are."""
TOLERANCE = 0.15
"""How far the line drawn may be from the line through all points."""
LEVELS = 9


def gapless(points: Trace) -> list[Trace]:
    """The stretches between points that are not finite."""
    finite = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(finite, prepend=False, append=False))
    return [points[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def stairs(points: Trace) -> Trace:
    """Each value held until the next."""
    return np.column_stack((np.repeat(points[:, 0], 2)[1:], np.repeat(points[:, 1], 2)[:-1]))


def thinned(points: Trace, most: int) -> Trace:
    """The same line of fewer points: the first, the last, the highest and the lowest of every column of pixels."""
    width = 1.0
    kept = points
    while len(kept) > max(most, FEW) and width < 64:
        kept = _columns(points, width)
        width *= 2
    if len(kept) > FEW:
        kept = kept[_bends(kept, TOLERANCE)]
    if len(kept) > max(most, FEW):
        kept = kept[np.union1d(np.linspace(0, len(kept) - 1, most).astype(int), extremes(kept))]
    return kept


def extremes(points: Trace) -> NDArray[np.intp]:
    """The indices of the first and last point, and of those farthest out."""
    return np.unique(np.concatenate(([0, len(points) - 1], points.argmin(axis=0), points.argmax(axis=0))))


def _columns(points: Trace, width: float) -> Trace:
    """Of neighbours in the same column of pixels: the first, the lowest, the highest and the last."""
    column = np.floor(points[:, 0] / width)
    starts = np.flatnonzero(np.diff(column, prepend=np.nan) != 0)
    kept = [extremes(points)]
    for start, end in zip(starts, [*starts[1:], len(points)], strict=True):
        heights = points[start:end, 1]
        kept.append(np.array([start, start + heights.argmin(), start + heights.argmax(), end - 1]))
    return points[np.unique(np.concatenate(kept))]


def _bends(points: Trace, tolerance: float) -> NDArray[np.intp]:
    """The indices of the points without which a line would be elsewhere (Ramer, Douglas and Peucker)."""
    kept = set(extremes(points).tolist())
    open_ = list(zip(sorted(kept), sorted(kept)[1:], strict=False))
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        chord, inner = points[last] - points[first], points[first + 1 : last] - points[first]
        along = np.clip(inner @ chord / (chord @ chord or 1.0), 0.0, 1.0)
        away = np.hypot(*(inner - along[:, None] * chord).T)
        if away.max() > tolerance:
            middle = first + 1 + int(away.argmax())
            kept.add(middle)
            open_ += [(first, middle), (middle, last)]
    return np.array(sorted(kept), dtype=np.intp)


def scattered(points: Trace, most: int) -> Trace:
    """Dots without those that would hide behind others, and those farthest out in any case."""
    size, kept = 1.0, points
    while len(kept) > max(most, FEW):
        _, first = np.unique(np.floor(points / size), axis=0, return_index=True)
        kept = points[np.union1d(first, extremes(points))]
        size *= 1.5
    return kept


def spaced(points: Trace, distance: float) -> Trace:
    """Points along a line no closer to the one before than a distance."""
    kept = [0]
    for index, (x, y) in enumerate(points):
        if np.hypot(x - points[kept[-1], 0], y - points[kept[-1], 1]) >= distance:
            kept.append(index)
    found: Trace = points[kept]
    return found


def levels(values: Trace, count: int = LEVELS) -> Trace:
    """Levels that are evenly spaced lines on a quadratic bowl: they enclose 1, 4, 9 … parts of the area."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.empty(0)
    parts = (np.arange(1, count + 1) / (count + 1)) ** 2
    found = np.unique(np.quantile(finite, parts, method="nearest"))
    inner: Trace = found[(found > finite.min()) & (found < finite.max())]
    return inner


def level_lines(xs: Trace, ys: Trace, values: Trace) -> Iterator[Trace]:
    """The lines on which a function on a grid (of places) has a level."""
    from contourpy import contour_generator

    across, up = np.isfinite(xs), np.isfinite(ys)
    xs, ys, values = xs[across], ys[up], np.where(np.isfinite(values), values, np.nan)[up][:, across]
    found = levels(values)
    if min(values.shape) < 2 or not found.size:
        return
    exponent = int(np.frexp(np.nanmax(np.abs(values)))[1])
    generator = contour_generator(xs, ys, np.ma.masked_invalid(np.ldexp(values, -exponent)))
    for level in np.ldexp(found, -exponent):
        for line in generator.lines(float(level)):
            points = np.asarray(line, dtype=np.float64)
            yield points[_bends(points, TOLERANCE)]
