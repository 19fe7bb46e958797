"""The layout of a chart, from which every back end draws: everything in its place, in CSS pixels, y downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from derive.figures.chart import Chart, Contours, Curve
from derive.figures.geometry import Box
from derive.figures.scale import Scale, Tick, scale
from derive.figures.text import shorten, symbol_width, text_width
from derive.figures.trace import Trace, gapless, level_lines, scattered, spaced, stairs, thinned
from derive.formula import Symbol

Anchor = Literal["start", "middle", "end"]

SIZE = 14.0
"""The size of all text."""
WIDTH, HEIGHT = 480.0, 230.0
"""The width of a chart, and the height between its axes."""
LOWEST, TALLEST = 150.0, 420.0
"""Between these the height follows the width, if that gives level lines their shape."""
ROW, TICK, PADDING, SAMPLE = 20.0, 5.0, 6.0, 30.0
"""A row of text, the length of a tick, bare room, and the length of a line in the legend."""
MOST_X, MOST_Y = 8, 6
POINTS = 2400
"""All curves together have about so many points at most."""
DENSE = 400
"""A line of more points is noise more than a line: it is thinner, and behind the others."""
APART = 7.0
"""Pixels between the marks along a path."""

COLOURS = ("#1f5fa8", "#c2500a", "#0a7f5c", "#a0478a", "#846800", "#4a4f57")
"""The colours of curves on white, told apart by the colour-blind too."""
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 3.5), (2, 2.5), (9, 3, 2, 3), (14, 4), (8, 3, 2, 3, 2, 3))
SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),  # a disc
    ((-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)),
    ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    ((0, 1.3), (1.2, -0.9), (-1.2, -0.9)),
    ((-1.4, -0.45), (1.4, -0.45), (1.4, 0.45), (-1.4, 0.45)),
)


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text; `x` is where it starts, ends or has its middle, `y` the middle of its height."""

    x: float
    y: float
    content: str | Symbol
    anchor: Anchor = "middle"


@dataclass(frozen=True, slots=True)
class Trail:
    """A curve as it is drawn: joined points, marks with their radius, and the ends of a path.

    The number chooses the colour, the variant (its place among lines, or among paths and dots) the dashes and marks.
    """

    number: int
    variant: int
    title: str
    style: str
    lines: tuple[Trace, ...]
    marks: Trace
    radius: float
    ends: Trace

    @property
    def colour(self) -> int:
        """Which of the colours."""
        return self.number % len(COLOURS)

    @property
    def shape(self) -> tuple[tuple[float, float], ...]:
        """The corners of a mark of radius 1, or none if it is a disc."""
        return SHAPES[(self.variant + self.variant // len(COLOURS)) % len(SHAPES)]

    @property
    def dashes(self) -> tuple[float, ...]:
        """Lengths of dashes and gaps; a path has marks instead."""
        return () if self.style == "path" else DASHES[(self.variant + self.variant // len(COLOURS)) % len(DASHES)]

    @property
    def size(self) -> int:
        """How many points are joined."""
        return sum(map(len, self.lines))

    @property
    def thickness(self) -> float:
        """Thinner where a line has much to show."""
        return 1.2 if self.style == "path" else 1.0 if self.size > DENSE else 1.8


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to draw; `samples` are the curves again, small, for the legend."""

    width: float
    height: float
    frame: Box
    closed: bool
    grid: tuple[float, ...]
    ticks: tuple[tuple[float, float, float, float], ...]
    labels: tuple[Label, ...]
    contours: tuple[Trace, ...]
    trails: tuple[Trail, ...]
    samples: tuple[Trail, ...]


def plan(chart: Chart) -> Plan:
    """Place everything a chart shows."""
    points = [np.array(curve.points, dtype=np.float64).reshape(-1, 2) for curve in chart.curves]
    x, y = scales(chart, points)
    y_labels = [tick.label for tick in y.ticks(MOST_Y)[0]]
    left = round(max([SIZE, *map(width_of, y_labels)]) + TICK + 2 * PADDING)
    right = WIDTH - 2.5 * PADDING
    legend, samples, top = _legend(chart.curves, left, right)
    if chart.y.label:
        legend.append(Label(PADDING, top + ROW / 2, shorten(chart.y.label, right - PADDING, SIZE), "start"))
        top += ROW
    top += PADDING
    bottom = top + _height(chart.contours, x, y, right - left)
    x, y = replace(x, start=left, end=right), replace(y, start=bottom, end=top)
    frame = Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    (x_ticks, x_marks), (y_ticks, y_marks) = _fitting(x), y.ticks(MOST_Y)
    lengths = [(tick.place, TICK) for tick in x_ticks] + [(mark, TICK / 2) for mark in x_marks]
    ticks = [(place, bottom, place, bottom + length) for place, length in lengths]
    lengths = [(tick.place, TICK) for tick in y_ticks] + [(mark, TICK / 2) for mark in y_marks]
    ticks += [(left - length, place, left, place) for place, length in lengths]
    labels = [Label(tick.place, bottom + TICK + ROW / 2, tick.label) for tick in x_ticks]
    labels += [Label(left - TICK - PADDING / 2, tick.place, tick.label, "end") for tick in y_ticks]
    height = bottom + TICK + ROW
    if chart.x.label:
        labels.append(Label(frame.x, height + ROW / 2, shorten(chart.x.label, right - left, SIZE)))
        height += ROW
    return Plan(
        width=WIDTH,
        height=height + PADDING,
        frame=frame,
        closed=chart.contours is not None,
        grid=() if chart.contours else tuple(tick.place for tick in y_ticks),
        ticks=tuple(ticks),
        labels=(*legend, *labels),
        contours=_contours(chart.contours, x, y),
        trails=_trails(chart.curves, points, x, y),
        samples=samples,
    )


def scales(chart: Chart, points: Sequence[Trace]) -> tuple[Scale, Scale]:
    """The axes on which every point has room that can be drawn at all."""
    every = np.concatenate([np.empty((0, 2)), *points])
    every = every[np.isfinite(every).all(axis=1)]
    for column, axis in enumerate((chart.x, chart.y)):
        every = every[every[:, column] > 0] if axis.log else every
    found = []
    for column, axis in enumerate((chart.x, chart.y)):
        along = [] if chart.contours is None else (chart.contours.xs, chart.contours.ys)[column]
        values = np.concatenate((every[:, column], np.array(along, dtype=np.float64)))
        shown = values[np.isfinite(values) & ((values > 0) | (not axis.log))]
        found.append(scale(shown, log=axis.log, margin=0.0 if chart.contours else (0.02, 0.05)[column]))
    return found[0], found[1]


def width_of(label: str | Symbol) -> float:
    """The estimated width of a label."""
    return text_width(label, SIZE) if isinstance(label, str) else symbol_width(label, SIZE)


def _height(contours: Contours | None, x: Scale, y: Scale, width: float) -> float:
    """The height between the axes; a unit is as long on both if level lines are there and it fits."""
    if contours is None or x.log or y.log:
        return HEIGHT
    ratio = (y.high - y.low) / (x.high - x.low) * 2.0 ** min(max(y.exponent - x.exponent, -60), 60)
    return width * ratio if LOWEST <= width * ratio <= TALLEST else HEIGHT


def _fitting(x: Scale) -> tuple[list[Tick], list[float]]:
    """The ticks of the x axis, as many as have room beside one another."""
    for most in range(MOST_X, 1, -1):
        ticks, marks = x.ticks(most)
        halves = [width_of(tick.label) / 2 + PADDING / 2 for tick in ticks]
        spans = [(tick.place - half, tick.place + half) for tick, half in zip(ticks, halves, strict=True)]
        if all(a[1] < b[0] for a, b in pairwise(spans)):
            return ticks, marks
    return ticks[:1], marks


def _legend(curves: Sequence[Curve], left: float, right: float) -> tuple[list[Label], tuple[Trail, ...], float]:
    """The names of the curves in rows, each after a piece of its curve, and the height they take."""
    if len(curves) < 2:
        return [], (), PADDING
    labels: list[Label] = []
    samples: list[Trail] = []
    x, y = left, PADDING + ROW / 2
    variants = _variants(curves)
    for number, curve in enumerate(curves):
        name = shorten(curve.label, right - left - SAMPLE - PADDING, SIZE)
        width = SAMPLE + PADDING + text_width(name, SIZE)
        if x > left and x + width > right:
            x, y = left, y + ROW
        ends = np.array([[x, y], [x + SAMPLE, y]])
        middle = ends.mean(axis=0, keepdims=True)
        lines = () if curve.style == "dots" else (ends,)
        marks = middle if curve.style in ("path", "dots") else middle[:0]
        samples.append(Trail(number, variants[number], "", curve.style, lines, marks, 3.0, middle[:0]))
        labels.append(Label(x + SAMPLE + PADDING, y, name, "start"))
        x += width + 2.5 * PADDING
    return labels, tuple(samples), y + ROW / 2


def _trails(curves: Sequence[Curve], points: Sequence[Trace], x: Scale, y: Scale) -> tuple[Trail, ...]:
    """The curves, dots behind lines, and lines behind those that are less dense."""
    most, variants = POINTS // max(len(curves), 1), _variants(curves)
    found = []
    for number, (curve, values) in enumerate(zip(curves, points, strict=True)):
        runs = gapless(np.column_stack((x.place(values[:, 0]), y.place(values[:, 1]))))
        none = np.empty((0, 2))
        every = np.concatenate([none, *runs])
        lines: tuple[Trace, ...] = ()
        marks, ends, radius = none, none, 2.4
        if curve.style == "dots":
            marks = scattered(every, most // 3)
            radius = 2.4 if len(marks) < 200 else 1.7
        else:
            runs = [stairs(run) if curve.style == "steps" else run for run in runs]
            lines = tuple(thinned(run, most * len(run) // max(len(every), 1)) for run in runs if len(run) > 1)
            alone = [run for run in runs if len(run) == 1]
            marks = np.concatenate([none, *alone])
        if curve.style == "path" and len(every):
            marks = scattered(np.concatenate([spaced(run, APART) for run in runs]), most // 4)
            ends = every[[0, -1]]
        found.append(Trail(number, variants[number], curve.label, curve.style, lines, marks, radius, ends))
    return tuple(sorted(found, key=lambda trail: (trail.style != "dots", trail.size <= DENSE)))


def _variants(curves: Sequence[Curve]) -> list[int]:
    """Of each curve, how many of its kind come before it."""
    marked = [curve.style in ("path", "dots") for curve in curves]
    return [marked[:number].count(kind) for number, kind in enumerate(marked)]


def _contours(contours: Contours | None, x: Scale, y: Scale) -> tuple[Trace, ...]:
    if contours is None:
        return ()
    values = np.array(contours.values, dtype=np.float64).reshape(len(contours.ys), len(contours.xs))
    return tuple(level_lines(x.place(contours.xs), y.place(contours.ys), values))
