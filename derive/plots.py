"""What a solution's numbers look like: the loss, the way of the parameters, the gradients layer by layer.

Each is a `Chart`, read off the quantities of a document by their canonical ids.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from derive.document import Document, Figure, Quantity
from derive.errors import InputError
from derive.figures.chart import Axis, Chart, Curve
from derive.language import Words
from derive.tensor import Floats

DECADES = 100.0  # the largest loss over the smallest from which on the axis is logarithmic
MOST_CURVES = 12  # entries whose ways are drawn where none was chosen
LOSS = re.compile(r"(?P<letter>[Lf])(?P<after>\+?)(?:@(?P<step>\d+))?")
GRADIENT = re.compile(r"dL/d(?P<id>(?P<letter>W|b|gamma|beta)(?P<layer>\d+))(?:@(?P<step>\d+))?")


def number(quantity: Quantity) -> Floats:
    """The numbers of a quantity; InputError where the solution has none."""
    if quantity.value is None:
        raise InputError("there is nothing to plot: the solution is in symbols")
    found: Floats = np.asarray(quantity.value, dtype=float)
    return found


# the loss -------------------------------------------------------------------------------------------------------------
def loss(document: Document) -> Chart:
    """The loss over the steps that are known, or the function that an optimizer descends."""
    points = dict(sorted(losses(document.quantities)))
    if not points:
        raise InputError("there is nothing to plot: the solution has no loss")
    words, heights = Words(document.language), list(points.values())
    log = min(heights) > 0 and max(heights) / min(heights) > DECADES
    label = words.plain("plot.function" if "f@0" in document.quantities else "given.loss")
    axes = Axis(words.plain("table.steps_done")), Axis(label, log=log)
    return Chart(document.title, *axes, (Curve(label, tuple(points.items())),))


def losses(quantities: Mapping[str, Quantity]) -> Iterator[tuple[float, float]]:
    """(steps made, the loss then)."""
    steps = [int(found["step"]) for id in quantities if (found := LOSS.fullmatch(id)) and found["step"]]
    last = max(steps, default=1)
    for id, quantity in quantities.items():
        found = LOSS.fullmatch(id)
        if found is None or quantity.shape:
            continue
        step = int(found["step"] or (last if found["after"] else 1))
        made = step if found["after"] or found["letter"] == "f" else step - 1
        yield float(made), float(number(quantity))


# the parameters -------------------------------------------------------------------------------------------------------
Chosen = tuple[str, tuple[int, ...]]


def trajectory(document: Document, chosen: Sequence[Chosen]) -> Chart:
    """The way of entries over the steps; of two entries chosen alone, the one against the other.

    chosen: (id, index); none: where an optimizer descends a function of two variables, its way over the level lines,
    else every parameter, if there are few
    """
    if not chosen and (known := drawn(document)):
        return known
    ways = {label(document, one): way(document.quantities, *one) for one in chosen or every(document.quantities)}
    if not ways:
        raise InputError("there is nothing to plot: the solution has no parameters")
    if all(len(points) == 1 for points in ways.values()):
        raise InputError("there is nothing to plot: no step changes what was chosen")
    words = Words(document.language)
    if len(chosen) == 2 and len(ways) == 2:
        (across, xs), (up, ys) = ways.items()
        points = tuple((xs[step], ys[step]) for step in xs if step in ys)
        return Chart(document.title, Axis(across), Axis(up), (Curve(f"{across}, {up}", points, "path"),))
    axes = Axis(words.plain("table.steps_done")), Axis(words.plain("table.value"))
    curves = (Curve(name, tuple((float(step), y) for step, y in points.items())) for name, points in ways.items())
    return Chart(document.title, *axes, tuple(curves))


def drawn(document: Document) -> Chart | None:
    """The chart of the page that has level lines."""
    pictures = (block.picture for s in document.sections for block in s.blocks if isinstance(block, Figure))
    return next((p for p in pictures if isinstance(p, Chart) and p.contours is not None), None)


def every(quantities: Mapping[str, Quantity]) -> Iterator[Chosen]:
    """All entries of all parameters, if they are few."""
    found = [
        (id.partition("@")[0], tuple(i + 1 for i in index))
        for id, quantity in quantities.items()
        if quantity.role == "parameter" and id.partition("@")[2] in ("", "0")
        for index in np.ndindex(quantity.shape)
    ]
    if len(found) > MOST_CURVES:
        raise InputError(f"there are {len(found):,} parameters; choose some, such as '{shown(*found[0])}'")
    yield from found


def way(quantities: Mapping[str, Quantity], id: str, index: tuple[int, ...]) -> dict[int, float]:
    """The number of an entry after so many steps. An update is the value of the next step."""
    found: dict[int, float] = {}
    plain = id.partition("@")[0].removesuffix("+")
    for other, quantity in quantities.items():
        name, _, step = other.partition("@")
        if name.removesuffix("+") != plain:
            continue
        counted = int(step or 1) - (0 if plain == "theta" else 1) + name.endswith("+")
        value = number(quantity)
        found[counted] = float(value[tuple(i - 1 for i in index)] if index else value)
    return dict(sorted(found.items()))


def label(document: Document, chosen: Chosen) -> str:
    """What an entry is called: by its author, else by its id."""
    id, index = chosen
    labels = document.quantities[id].labels if id in document.quantities else None
    for i in index:
        labels = labels[i - 1] if isinstance(labels, list) else None
    return labels if isinstance(labels, str) and labels else shown(id, index)


def shown(id: str, index: tuple[int, ...]) -> str:
    return f"{id}[{','.join(map(str, index))}]" if index else id


# the gradients --------------------------------------------------------------------------------------------------------
def gradients(document: Document) -> Chart:
    """How large the gradients are: the root mean square of the entries of each ∂L/∂W, layer by layer or step by step.

    Of one step the entries stand beside it. What is 0 has no place on the logarithmic axis; the title counts it.
    """
    found: dict[str, dict[int, Floats]] = {}
    for id, quantity in document.quantities.items():
        if match := GRADIENT.fullmatch(id):
            found.setdefault(match["id"], {})[int(match["step"] or 1)] = abs(number(quantity)).ravel()
    if not found:
        raise InputError("there is nothing to plot: the solution has no gradients of parameters")
    names = sorted(found, key=lambda id: (id.rstrip("0123456789"), int(re.sub(r"\D", "", id))))
    zero = sum(int(np.sum(entries == 0)) for steps in found.values() for entries in steps.values())
    words = Words(document.language)
    title = words.plain("plot.gradients", title=document.title)
    title = words.plain("plot.gradients_zero", title=document.title, count=str(zero)) if zero else title
    size = Axis(words.plain("plot.size"), log=True)
    if all(len(steps) == 1 for steps in found.values()):
        return Chart(title, Axis(words.plain("plot.layer")), size, tuple(by_layer(found, names, words)))
    curves = (Curve(f"∂L/∂{id}", tuple((float(s), size_of(e)) for s, e in sorted(found[id].items()))) for id in names)
    return Chart(title, Axis(words.plain("plot.step")), size, tuple(curves))


def by_layer(found: Mapping[str, Mapping[int, Floats]], names: Sequence[str], words: Words) -> Iterator[Curve]:
    """For each kind of parameter its size over the layers, and all its entries."""
    kinds: dict[str, list[tuple[float, Floats]]] = {}
    for id in names:
        (entries,) = found[id].values()
        kinds.setdefault(id.rstrip("0123456789"), []).append((float(re.sub(r"\D", "", id)), entries))
    for kind, layers in kinds.items():
        mean = tuple((layer, size_of(entries)) for layer, entries in layers)
        yield Curve(words.plain("plot.mean_square", kind=f"∂L/∂{kind}"), mean)
    dots = tuple(
        (layer, float(e) or math.nan) for layers in kinds.values() for layer, entries in layers for e in entries
    )
    yield Curve(words.plain("plot.entries"), dots, "dots")


def size_of(entries: Floats) -> float:
    """The root mean square; not a number where all is 0. Scaled, so that tiny numbers do not vanish when squared."""
    largest = float(np.max(entries))
    return largest * float(np.sqrt(np.mean((entries / largest) ** 2))) if largest else math.nan
