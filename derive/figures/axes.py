"""A chart drawn with matplotlib on ordinary axes, to which a caller may add what they like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from derive.figures.chart import Chart, Contours, Curve
from derive.figures.plot import families
from derive.figures.trace import levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes  # for annotations elsewhere

_FORMS: dict[str, dict[str, Any]] = {
    "line": {},
    "steps": {"drawstyle": "steps-post"},
    "path": {"marker": ".", "markersize": 4},
    "dots": {"linestyle": "none", "marker": "o", "markersize": 4},
}
FEW = 40
"""Up to so many points of a line are marked one by one."""


def draw(chart: Chart, axes: Axes | None = None) -> Axes:
    """The chart on these axes, or on those of a new figure of pyplot, which a notebook shows."""
    from matplotlib.ticker import MaxNLocator

    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots(layout="constrained")[1]
    axes.set_title(plain(chart.title))
    axes.set_xlabel(plain(chart.x.label))
    axes.set_ylabel(plain(chart.y.label))
    axes.set_xscale("log" if chart.x.log else "linear")
    axes.set_yscale("log" if chart.y.log else "linear")
    if chart.contours is not None:
        _contours(axes, chart.contours)
    for curve in chart.curves:
        _curve(axes, curve)
    if all(float(x).is_integer() for curve in chart.curves for x, _ in curve.points):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    texts = [axes.title, axes.xaxis.label, axes.yaxis.label]
    if len(chart.curves) > 1:
        texts += axes.legend().get_texts()
    for text in texts:
        text.set_fontfamily(families())
    return axes


def _contours(axes: Axes, contours: Contours) -> None:
    grid = np.array(contours.values)
    if (heights := levels(grid)).size:
        axes.contour(contours.xs, contours.ys, grid, levels=heights, colors="0.75", linewidths=0.7)


def _curve(axes: Axes, curve: Curve) -> None:
    points = np.array(curve.points, dtype=float).reshape(-1, 2)
    form = dict(_FORMS[curve.style])
    if curve.style == "line" and len(points) <= FEW:
        form["marker"] = "."
    (line,) = axes.plot(*points.T, label=plain(curve.label), **form)
    finite = points[np.isfinite(points).all(axis=1)]
    if curve.style == "path" and len(finite):
        axes.plot(*finite[0], marker="o", markersize=9, markerfacecolor="none", color=line.get_color())
        axes.plot(*finite[-1], marker="o", markersize=7, color=line.get_color())


def plain(text: str) -> str:
    """A text in which nothing is matplotlib's mathematics, and no label is left out for a leading underscore."""
    safe = text.replace("$", r"\$")
    return f"\u200b{safe}" if safe.startswith("_") else safe
