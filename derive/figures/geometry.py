"""The layout every back end draws from.

Lengths are CSS pixels; x grows to the right, y grows downwards. The layout decides everything that is shared: which
labels appear, how they are shortened and where they stand. The back ends only draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from derive.figures.network import Column, Edge, Network, Unit
from derive.figures.text import clean, plain, shorten, shorten_symbol, symbol_width, text_width, wrapped
from derive.formula import Symbol

Tone = Literal["ink", "muted", "positive", "negative"]
Point = tuple[float, float]
Line = Symbol | str

SYMBOL, VALUE, SMALL = 16.0, 13.0, 12.0
"""Text sizes: symbols, values on edges, and values in units, captions and headings."""
SYMBOL_LINE, VALUE_LINE = 20.0, 14.0
"""Line heights of symbols and of plain text."""
RADIUS, COMPACT_RADIUS, BIAS_RADIUS = 25.0, 16.0, 13.0
"""Radii of units, of units in long columns, and of biases."""
INSIDE, ONE_LINE, HEADING = 38.0, 92.0, 128.0
"""Widest text inside a unit, beside a unit or on an edge, and above a column."""
LABELLED, STACKED, ROOMY = 6, 3, 10
"""Largest column with labels on its edges, with symbol and value in a label, and with values in its units."""
MOST_LINES = 3
"""Lines of a caption under a unit."""
PADDING = 8.0
CLEAR = 9.0
"""Bare line between a unit and the first label."""
SLACK = 17.0
"""Bare height between labels above one another."""
TAIL = 0.35
"""Extra room before the target, in steps from label to label."""
ARC = 26.0
"""Height of a shortcut's control point above the units it joins."""
LIFTS = (0.8, 0.9, 1.0, 1.15, 1.3, 1.45)
"""Heights of a bias above the row below it, in rows: the one with the clearest labels is taken."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle given by its centre and its full width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        """The smallest x."""
        return self.x - self.width / 2

    @property
    def top(self) -> float:
        """The smallest y."""
        return self.y - self.height / 2

    @property
    def right(self) -> float:
        """The largest x."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The largest y."""
        return self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two rectangles share any area."""
        apart_x, apart_y = abs(self.x - other.x), abs(self.y - other.y)
        return 2 * apart_x < self.width + other.width and 2 * apart_y < self.height + other.height


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text centred on a point; a backed one has a filled rectangle behind it."""

    x: float
    y: float
    content: Symbol | str
    size: float
    tone: Tone = "ink"
    backed: bool = False

    @property
    def box(self) -> Box:
        """The room the line takes."""
        if isinstance(self.content, str):
            return Box(self.x, self.y, text_width(self.content, self.size), VALUE_LINE)
        return Box(self.x, self.y, symbol_width(self.content, self.size), SYMBOL_LINE)


@dataclass(frozen=True, slots=True)
class Node:
    """A unit in its place."""

    unit: Unit
    box: Box
    texts: tuple[Text, ...]
    title: str

    @property
    def round(self) -> bool:
        """Whether the unit is a circle; targets and the loss are boxes."""
        return self.unit.kind not in ("target", "loss")


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge in its place; one that skips columns bends around them (a quadratic curve)."""

    edge: Edge
    start: Point
    end: Point
    bend: Point | None
    texts: tuple[Text, ...]
    title: str
    tone: Tone
    thickness: float
    arrow: bool

    @property
    def label(self) -> Box | None:
        """The filled rectangle behind the label."""
        return enclose(text.box for text in self.texts) if self.texts else None


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw, and the box around it."""

    bounds: Box
    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    headings: tuple[Text, ...]
    dots: tuple[Point, ...]


def enclose(boxes: Iterable[Box], padding: float = 0.0) -> Box:
    """The smallest box around others."""
    found = list(boxes) or [Box(0, 0, 0, 0)]
    left, right = min(b.left for b in found) - padding, max(b.right for b in found) + padding
    top, bottom = min(b.top for b in found) - padding, max(b.bottom for b in found) + padding
    return Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)


@lru_cache(maxsize=4)  # a page may show its network in more than one format
def layout(network: Network) -> Drawing:
    """Place every unit, edge and label of a network, with the biases where labels meet the fewest other lines."""
    plan = _plan(network)
    lifts = LIFTS if any(column.biases for column in network.columns) else LIFTS[:1]
    return min((_drawing(network, replace(plan, lift=lift)) for lift in lifts), key=_clutter)


def _drawing(network: Network, plan: _Plan) -> Drawing:
    """Place everything according to a plan."""
    nodes, dots = _place_units(network, plan)
    wires = _place_wires(network, plan, nodes)
    boxes = [node.box for node in nodes] + [Box(x, y, 10, 24) for x, y in dots]
    boxes += [text.box for texts in (*(n.texts for n in nodes), *(w.texts for w in wires)) for text in texts]
    boxes += [Box(*_along(wire.start, wire.bend, wire.end), 0, 0) for wire in wires if wire.bend]
    headings = _place_headings(network, plan, enclose(boxes).top)
    bounds = enclose([*boxes, *(text.box for text in headings)], PADDING)
    return Drawing(bounds, nodes, wires, headings, dots)


def _clutter(drawing: Drawing) -> int:
    """How often a line passes behind the label of another; through its middle counts four times."""
    total, labels = 0, [wire.label for wire in drawing.wires]
    for i, label in enumerate(labels):
        if label is None:
            continue
        middle = Box(label.x, label.y, label.width / 2, label.height / 2)
        for j, (wire, other) in enumerate(zip(drawing.wires, labels, strict=True)):
            if i != j and _crosses(wire, label):
                total += 1 + 3 * _crosses(wire, middle)
            total += 4 * (i != j and other is not None and other.overlaps(label))
    return total


def _crosses(wire: Wire, box: Box) -> bool:
    """Whether the straight line between the ends of an edge passes through a box."""
    low, high = 0.0, 1.0
    sides = ((wire.start[0], wire.end[0], box.left, box.right), (wire.start[1], wire.end[1], box.top, box.bottom))
    for start, end, least, most in sides:
        if start == end:
            if not least < start < most:
                return False
            continue
        enter, leave = sorted(((least - start) / (end - start), (most - start) / (end - start)))
        low, high = max(low, enter), min(high, leave)
    return low < high


@dataclass(frozen=True, slots=True)
class _Plan:
    """What must be known before anything is placed."""

    column_of: Mapping[str, int]
    labels: Mapping[str, tuple[Line, ...]]
    compact: bool
    inside: bool
    pitch: float = 0.0
    gaps: tuple[_Gap, ...] = ()
    lift: float = 1.0

    @property
    def xs(self) -> tuple[float, ...]:
        """Where the columns stand."""
        return tuple(accumulate((gap.width for gap in self.gaps), initial=0.0))

    @property
    def radius(self) -> float:
        return COMPACT_RADIUS if self.compact else RADIUS


def _plan(network: Network) -> _Plan:
    """Choose the pitch of the rows and the x of the columns, so that no two labels can meet."""
    column_of = {unit.id: index for index, column in enumerate(network.columns) for unit in column.units}
    labels = {edge.id: _label_lines(edge, network, column_of) for edge in network.edges}
    compact = max(map(_slots, network.columns), default=0) > ROOMY
    values = [unit.value for column in network.columns for unit in column.rows if unit.kind != "loss"]
    inside = all(text_width(clean(value), SMALL) <= INSIDE for value in values)
    draft = _Plan(column_of, labels, compact, inside)
    draft = replace(draft, pitch=max([_row_height(network, draft), *(gap.pitch for gap in _gaps(network, draft))]))
    return replace(draft, gaps=_gaps(network, draft))


def _slots(column: Column) -> int:
    """Rows a column takes, counting the dots."""
    return len(column.rows) + (column.omitted > 0)


def _label_lines(edge: Edge, network: Network, column_of: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines of an edge's label: symbol and value, only the first where it is crowded, none where it is dense."""
    ends = [network.columns[column_of[unit]] for unit in (edge.source, edge.target)]
    if _dense(ends):
        return ()
    symbol = shorten_symbol(edge.symbol, ONE_LINE, SYMBOL) if edge.symbol else None
    value = shorten(edge.value, ONE_LINE, VALUE)
    lines = tuple(line for line in (symbol, value) if line)
    return lines if len(ends[1].rows) <= STACKED else lines[:1]


def _dense(columns: Iterable[Column]) -> bool:
    """Whether edges between these columns go without labels."""
    return any(column.size > LABELLED for column in columns)


@dataclass(frozen=True, slots=True)
class _Gap:
    """What two neighbouring columns ask for: their distance, the pitch of their rows, and where labels stand."""

    width: float
    pitch: float = 0.0
    fractions: tuple[float, ...] = ()


def _gaps(network: Network, plan: _Plan) -> tuple[_Gap, ...]:
    """What each column and the next ask for."""
    return tuple(_gap(network, plan, index) for index in range(len(network.columns) - 1))


def _gap(network: Network, plan: _Plan, index: int) -> _Gap:
    """Labels of edges to the first, second, … target stand in columns of their own, evenly spaced from the source.

    The room before the target is larger than the one before the source: lines that cross do so half way, where no
    label should stand.
    """
    pair = network.columns[index : index + 2]
    halves = [_half_width(column, plan) for column in pair]
    titles = [text_width(shorten(column.title, HEADING, SMALL), SMALL) for column in pair]
    width = max(sum(halves) + 54.0, sum(titles) / 2 + 14.0)
    if _dense(pair):
        return _Gap(max(width, min(260.0, 0.5 * plan.pitch * (max(map(_slots, pair)) - 1))))
    between = [e for e in network.edges if {plan.column_of[e.source], plan.column_of[e.target]} == {index, index + 1}]
    labelled = [edge for edge in between if plan.labels[edge.id]]
    if not labelled:
        return _Gap(width)
    label = enclose(replace(text.box, y=0) for edge in labelled for text in _stack(0, 0, plan.labels[edge.id]))
    height = max(enclose(text.box for text in _stack(0, 0, plan.labels[edge.id])).height for edge in labelled)
    targets = max(len(network.columns[plan.column_of[edge.target]].rows) for edge in labelled)
    lead, step = max(halves) + label.width / 2 + CLEAR, label.width + 6
    tail = lead + TAIL * (targets - 1) * step
    natural = lead + (targets - 1) * step + tail
    fractions = tuple((lead + rank * step) / natural for rank in range(targets))
    return _Gap(max(width, natural), (height + SLACK) / (1 - fractions[-1]), fractions)


def _half_width(column: Column, plan: _Plan) -> float:
    """Half the width of a column, with the text under its units."""
    nodes = [_node(unit, 0, 0, plan) for unit in column.rows]
    return max((box.width / 2 for node in nodes for box in (node.box, *(t.box for t in node.texts))), default=0.0)


def _row_height(network: Network, plan: _Plan) -> float:
    """The least pitch that keeps units, and the text under them, apart."""
    nodes = [_node(unit, 0, 0, plan) for column in network.columns for unit in column.units]
    boxes = [enclose([node.box, *(text.box for text in node.texts)]) for node in nodes]
    return max((box.height for box in boxes), default=0.0) + (8 if plan.compact else 16)


def _stack(x: float, y: float, lines: Iterable[Line], tone: Tone = "ink") -> tuple[Text, ...]:
    """Lines above one another, centred on a point, with a filled rectangle behind them."""
    found = tuple(lines)
    heights = [VALUE_LINE if isinstance(line, str) else SYMBOL_LINE for line in found]
    tops = list(accumulate(heights, initial=y - sum(heights) / 2))
    return tuple(
        Text(x, top + height / 2, line, VALUE if isinstance(line, str) else SYMBOL, tone, backed=True)
        for top, height, line in zip(tops, heights, found, strict=False)
    )


def _node(unit: Unit, x: float, y: float, plan: _Plan) -> Node:
    """A unit with its texts, centred on a point."""
    title = " · ".join(filter(None, (_equation(unit.symbol, unit.value), clean(unit.caption))))
    if unit.kind == "bias":
        return Node(unit, Box(x, y, 2 * BIAS_RADIUS, 2 * BIAS_RADIUS), _bias_texts(unit, x, y), title)
    loss = unit.kind == "loss"
    side = 2 * (RADIUS if loss else plan.radius)
    symbol = _symbol_text(unit.symbol, x, y, ONE_LINE if loss else side - 12)
    value = "" if plan.compact and not loss else shorten(unit.value, ONE_LINE, SMALL)
    captions = [] if plan.compact else wrapped(unit.caption, ONE_LINE, SMALL, MOST_LINES)
    below: list[tuple[str, Tone]] = [(value, "ink"), *((line, "muted") for line in captions)]
    texts = [symbol]
    if value and (plan.inside or loss):
        texts = [replace(symbol, y=y - 8), Text(x, y + 10, value, SMALL)]
        below = below[1:]
    box = Box(x, y, max([side, *(text.box.width + 16 for text in texts)]) if loss else side, side)
    for row, (line, tone) in enumerate(item for item in below if item[0]):
        texts.append(Text(x, box.bottom + 10 + row * VALUE_LINE, line, SMALL, tone, backed=True))
    return Node(unit, box, tuple(texts), title)


def _symbol_text(symbol: Symbol, x: float, y: float, width: float) -> Text:
    """A symbol in a unit: smaller if it is wide, and shortened if that is not enough."""
    size = SYMBOL * min(1.0, max(0.7, width / max(symbol_width(symbol, SYMBOL), 1.0)))
    return Text(x, y, shorten_symbol(symbol, width, size), size)


def _bias_texts(unit: Unit, x: float, y: float) -> tuple[Text, ...]:
    """+1 in the node; above it the symbol and the value of a shared bias."""
    symbol, value = shorten_symbol(unit.symbol, ONE_LINE, SYMBOL), shorten(unit.value, ONE_LINE, VALUE)
    lines = [line for line in (symbol if symbol.base else "", value) if line]
    height = sum(text.box.height for text in _stack(0, 0, lines))
    return Text(x, y, unit.caption or "+1", SMALL, "muted"), *_stack(x, y - BIAS_RADIUS - 4 - height / 2, lines)


def _equation(symbol: Symbol | None, value: str) -> str:
    """Symbol and value as the title a pointer shows."""
    return " = ".join(filter(None, (plain(symbol) if symbol else "", clean(value))))


def _place_units(network: Network, plan: _Plan) -> tuple[tuple[Node, ...], tuple[Point, ...]]:
    """Rows centred on a common axis, dots before the last unit of a shortened column, biases above."""
    nodes: list[Node] = []
    dots: list[Point] = []
    for x, column in zip(plan.xs, network.columns, strict=False):
        top = -plan.pitch * (_slots(column) - 1) / 2
        last = len(column.rows) - 1
        for row, unit in enumerate(column.rows):
            slot = row + 1 if column.omitted and row == last > 0 else row
            nodes.append(_node(unit, x, top + slot * plan.pitch, plan))
        if column.omitted:
            dots.append((x, top + max(last, 1) * plan.pitch))
        for above, unit in enumerate(column.biases, start=1):
            nodes.append(_node(unit, x, top - (above - 1 + plan.lift) * plan.pitch, plan))
    return tuple(nodes), tuple(dots)


def _place_headings(network: Network, plan: _Plan, top: float) -> tuple[Text, ...]:
    """The titles of the columns, in a row above everything."""
    titles = [shorten(column.title, HEADING, SMALL) for column in network.columns]
    return tuple(Text(x, top - 16, title, SMALL, "muted") for x, title in zip(plan.xs, titles, strict=False) if title)


def _place_wires(network: Network, plan: _Plan, nodes: Iterable[Node]) -> tuple[Wire, ...]:
    """Every edge from rim to rim, with its label, colour and thickness."""
    placed = {node.unit.id: node for node in nodes}
    largest = max((abs(_number(edge.value)) for edge in network.edges), default=0.0) or 1.0
    wires: list[Wire] = []
    for edge in network.edges:
        source, target = placed[edge.source], placed[edge.target]
        columns = [network.columns[plan.column_of[unit]] for unit in (edge.source, edge.target)]
        bend = _bend(source, target, plan, placed.values()) or (_arc(source, target) if edge.shortcut else None)
        point = _between(source.box, target.box, _fraction(edge, columns[1], plan))
        dense, number = _dense(columns), _number(edge.value)
        tone: Tone = "muted" if not dense or not number else "positive" if number > 0 else "negative"
        thickness = 0.5 + 2 * abs(number) / largest if dense else 1.0
        start, end = _rim(source, bend or _centre(target)), _rim(target, bend or _centre(source))
        texts = _stack(*(_along(start, bend, end) if bend else point), plan.labels[edge.id])
        route = f"{plain(source.unit.symbol) or '+1'} → {plain(target.unit.symbol)}"
        title = " · ".join(filter(None, (_equation(edge.symbol, edge.value), route)))
        wires.append(Wire(edge, start, end, bend, texts, title, tone, thickness, not dense))
    return tuple(wires)


def _fraction(edge: Edge, target: Column, plan: _Plan) -> float:
    """How far along its edge a label stands: the further, the lower the target."""
    first, last = sorted((plan.column_of[edge.source], plan.column_of[edge.target]))
    ranks = {unit.id: rank for rank, unit in enumerate(target.rows)}
    adjacent = last == first + 1 and edge.target in ranks and plan.gaps[first].fractions
    return adjacent[ranks[edge.target]] if adjacent else 0.5


def _number(value: str) -> float:
    """A decimal or a quotient as a number; 0 if it is neither or not finite."""
    try:
        numbers = [float(part) for part in clean(value).replace("−", "-").split("/", 1)]
        number = numbers[0] / numbers[1] if len(numbers) == 2 else numbers[0]
    except (ValueError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _centre(node: Node) -> Point:
    return node.box.x, node.box.y


def _between(source: Box, target: Box, fraction: float) -> Point:
    """The point at a fraction of the way from one centre to another."""
    return source.x + fraction * (target.x - source.x), source.y + fraction * (target.y - source.y)


def _along(start: Point, bend: Point, end: Point) -> Point:
    """The middle of a quadratic curve."""
    return (start[0] + 2 * bend[0] + end[0]) / 4, (start[1] + 2 * bend[1] + end[1]) / 4


def _rim(node: Node, toward: Point) -> Point:
    """Where the line from the centre of a unit to a point leaves the unit."""
    dx, dy = toward[0] - node.box.x, toward[1] - node.box.y
    if node.round:
        scale = node.box.width / 2 / math.hypot(dx, dy)
    else:
        scale = min(node.box.width / 2 / abs(dx) if dx else math.inf, node.box.height / 2 / abs(dy) if dy else math.inf)
    return node.box.x + scale * dx, node.box.y + scale * dy


def _arc(source: Node, target: Node) -> Point:
    """For an edge beside another one, the control point of a curve that leaves it above."""
    return (source.box.x + target.box.x) / 2, min(source.box.top, target.box.top) - ARC


def _bend(source: Node, target: Node, plan: _Plan, nodes: Iterable[Node]) -> Point | None:
    """For an edge that skips columns, the control point of a curve above the units it passes."""
    first, last = sorted((plan.column_of[source.unit.id], plan.column_of[target.unit.id]))
    passed = [node for node in nodes if first < plan.column_of[node.unit.id] < last]
    if not passed:
        return None
    top = min(box.top for node in passed for box in (node.box, *(text.box for text in node.texts)))
    apex = min(top, source.box.y, target.box.y) - 36 * (last - first - 1)
    return (source.box.x + target.box.x) / 2, 2 * apex - (source.box.y + target.box.y) / 2
