"""Reference of activations: formula, derivative, graph and options of each."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from derive.algebra import FLOATS, evaluate
from derive.document import Block, Figure, Line, Step, say
from derive.figures.chart import Axis, Chart, Curve, Point
from derive.formula import Apply, Formula, Written, bind
from derive.ops.activations import activations
from derive.ops.base import Elementwise, out
from derive.ops.base import z as argument
from derive.site.pages import Page, Site
from derive.site.reference.entries import Taken, entry, line
from derive.solution import solve

FAR, POINTS = 5, 121


def pages(site: Site) -> Iterator[Page]:
    taken, sections = Taken(), []
    for name in activations:
        op = activations[name]()
        blocks = pointwise(site, name, op) if isinstance(op, Elementwise) else vector(site, taken, name)
        sections.append(entry(activations, name, *blocks))
    title = site.words.plain("site.reference.title.activations")
    yield Page(
        "reference/activations.html", title, site.sheet(title, sections, (say("site.reference.intro.activations"),))
    )


def pointwise(site: Site, name: str, op: Elementwise) -> Iterator[Block]:
    """The function and its derivative, written out, and their graph."""
    yield Step(f"{name}/formula", say("site.reference.formula"), (say(f"activation.{name}"),), lines(op))
    yield Figure(f"{name}/graph", say("site.reference.graph"), graph(site, op))


def lines(op: Elementwise) -> tuple[Line, ...]:
    """f(z) and f′(z) = …, the latter as it is taught, in f itself where that is shorter."""
    value, slope = Apply(op.function, (argument,)), op.slopes[0]
    assert slope is not None
    taught = bind(slope, {out: value})
    return (
        line(Written(value), op.body, id="f"),
        line(Written(Apply(op.derivative(), (argument,))), taught, id="f′"),
    )


def graph(site: Site, op: Elementwise) -> Chart:
    slope = op.slopes[0]
    assert slope is not None
    kinks = [float(evaluate(kink, lambda name: np.float64(0), FLOATS)) for kink in op.kinks]
    xs = sorted({*np.linspace(-FAR, FAR, POINTS).tolist(), *kinks})
    values = [(x, at(op.body, x)) for x in xs]
    slopes = [(x, math.nan if x in kinks else at(bind(slope, {out: op.body}), x)) for x in xs]
    curves = [Curve(f"{op.glyph.base}(z)", points(values)), Curve(f"{op.glyph.base}′(z)", points(slopes))]
    return Chart(site.words.plain("site.reference.graph"), Axis("z"), Axis(""), tuple(curves))


def at(f: Formula, x: float) -> float:
    return float(evaluate(f, lambda name: np.float64(x), FLOATS))


def points(found: list[tuple[float, float]]) -> tuple[Point, ...]:
    return tuple(found)


def vector(site: Site, taken: Taken, name: str) -> Iterator[Block]:
    """A function of all units of a layer: its lines in a network of three outputs."""
    net = {"inputs": 1, "layers": [{"linear": {"out": 3}}, name], "loss": "mse"}
    document = solve(net, form="scalar", lang=site.language).document
    wanted = ("forward/1/a", "backward/1/slope", "backward/1/z", "backward/1/jacobian")
    yield from taken.steps(document, lambda id: id.startswith(wanted), name)
