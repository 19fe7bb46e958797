"""Charts: every number in its place, any text only text, nothing that cannot be drawn in the way."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from nets import HOSTILE, solved
from test_latex import compiled, faults

from derive.document import Document, Figure, Section, say
from derive.figures.chart import Axis, Chart, Contours, Curve
from derive.figures.picture import to_pdf, to_png, to_svg, to_tikz
from derive.figures.plan import COLOURS, plan, scales
from derive.figures.scale import labels, scale
from derive.figures.trace import extremes, gapless, level_lines, levels, scattered, thinned
from derive.printers import FORMATS

SVG = "{http://www.w3.org/2000/svg}"
WEIRD = "<script>alert(1)</script> $x_1^2$ % \\ & \"'` ]]> \x00\u202e"


def points(xs: Any, ys: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True))


def bowl(across: int = 41, up: int = 31) -> Contours:
    xs, ys = np.linspace(-3, 3, across), np.linspace(-2, 2, up)
    return Contours(tuple(xs), tuple(ys), tuple(tuple(float(x * x + 4 * y * y) for x in xs) for y in ys))


def training() -> Chart:
    """A noisy loss over many steps, and a smooth one."""
    steps = np.arange(1, 10001)
    noise = np.exp(0.3 * np.random.default_rng(1).normal(size=steps.size))
    rough, smooth = (Curve(name, points(steps, ys)) for name, ys in (("a", noise / steps), ("b", 2.0 / steps)))
    return Chart("loss", Axis("step"), Axis("loss", log=True), (rough, smooth))


def trajectories() -> Chart:
    """Three paths on a bowl."""
    turns = np.arange(40)
    curves = [Curve(f"path {k}", points(2.5 * 0.9**turns, (-1) ** turns / (turns + k)), "path") for k in (1, 2, 3)]
    return Chart("descent", Axis("x"), Axis("y"), tuple(curves), bowl())


def many() -> Chart:
    epochs = np.arange(200)
    styles = itertools.cycle(("line", "steps", "dots", "path"))
    curves = [Curve(f"curve {k}", points(epochs, np.sin(epochs / 30 + k)), next(styles)) for k in range(12)]
    return Chart("many", Axis("epoch"), Axis("f(x)"), tuple(curves))


def odd(found: tuple[tuple[float, float], ...], *, log: bool = False) -> Chart:
    curves = tuple(Curve(style, found, style) for style in ("line", "steps", "path", "dots"))
    return Chart("odd", Axis("x"), Axis("y", log=log), curves)


NUMBERS: dict[str, tuple[tuple[float, float], ...]] = {
    "empty": (),
    "one": ((3.0, 2.0),),
    "constant": ((0.0, 0.1), (1.0, 0.1), (2.0, 0.1)),
    "zeros": ((0.0, 0.0), (1.0, 0.0)),
    "origin": ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
    "huge": ((0.0, 1e200), (1.0, -1e200)),
    "tiny": ((0.0, 1e-300), (1.0, 3e-300)),
    "farthest": ((-1.7e308, 1.7e308), (5e-324, -1.7e308), (1.7e308, 5e-324)),
    "smallest": ((5e-324, 5e-324), (1e-323, 5e-324)),
    "near": ((0.0, 1.0), (1.0, 1.0 + 2e-16)),
    "gaps": ((0.0, 1.0), (1.0, math.nan), (2.0, 3.0), (3.0, 1.0), (math.inf, 1.0), (4.0, 2.0)),
    "nothing": ((math.nan, 1.0), (0.0, math.inf)),
}
CHARTS = {
    "training": training(),
    "trajectories": trajectories(),
    "many": many(),
    "hostile": Chart(WEIRD, Axis(WEIRD), Axis(WEIRD), tuple(Curve(t, ((0.0, i),)) for i, t in enumerate(HOSTILE))),
    **{name: odd(found) for name, found in NUMBERS.items()},
    **{f"{name}, log": odd(found, log=True) for name, found in NUMBERS.items()},
}
every = pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())


def document(*charts: Chart) -> Document:
    """A page with charts and nothing else."""
    figures = tuple(Figure(f"chart/{i}", say("figure.network"), chart) for i, chart in enumerate(charts))
    return replace(solved("mazur").document, sections=(Section("charts", say("figure.network"), figures),))


def test_a_grid_must_be_filled() -> None:
    with pytest.raises(ValueError, match="2 × 1"):
        Contours((0.0, 1.0), (0.0,), ((1.0,),))


# what is drawn --------------------------------------------------------------------------------------------------------
@every
def test_everything_lies_within_the_picture(chart: Chart) -> None:
    drawing = plan(chart)
    frame = drawing.frame
    for trail in drawing.trails:
        for places in (*trail.lines, trail.marks, trail.ends):
            assert np.isfinite(places).all()
            assert ((places[:, 0] >= frame.left - 0.01) & (places[:, 0] <= frame.right + 0.01)).all()
            assert ((places[:, 1] >= frame.top - 0.01) & (places[:, 1] <= frame.bottom + 0.01)).all()
    for label in drawing.labels:
        assert 0 <= label.x <= drawing.width and 0 <= label.y <= drawing.height
    for tick in drawing.ticks:
        assert frame.left - 6 <= tick[0] <= frame.right and frame.top <= tick[1] <= frame.bottom + 0.01


def test_a_point_that_is_not_finite_is_a_gap() -> None:
    runs = gapless(np.array([[0, 1], [1, math.nan], [2, 3], [3, 1], [math.inf, 1], [4, 2]]))
    assert [len(run) for run in runs] == [1, 2, 1]
    line = plan(odd(NUMBERS["gaps"])).trails[1]
    assert [len(run) for run in line.lines] == [2]
    assert len(line.marks) == 2  # points that stand alone


def test_thinning_keeps_the_ends_and_the_extremes() -> None:
    xs = np.linspace(0, 400, 10000)
    ys = np.random.default_rng(0).normal(size=xs.size)
    ys[5003], ys[7001] = 50.0, -50.0
    line = np.column_stack((xs, ys))
    for found in (thinned(line, 500), scattered(line, 500), thinned(line[np.argsort(ys)], 500)):
        assert len(found) <= 510
        rows = {tuple(row) for row in found}
        assert {tuple(line[i]) for i in extremes(line)} <= rows
        assert rows <= {tuple(row) for row in line}


def test_a_thinned_line_is_where_the_line_was() -> None:
    xs = np.linspace(0, 400, 3000)
    found = thinned(np.column_stack((xs, 100 * np.sin(xs / 40))), 1000)
    assert len(found) < 200
    assert np.abs(np.interp(xs, *found.T) - 100 * np.sin(xs / 40)).max() < 0.5


def test_steps_hold_their_value() -> None:
    chart = Chart("", Axis(""), Axis(""), (Curve("", ((0.0, 1.0), (1.0, 3.0), (2.0, 2.0)), "steps"),))
    (line,) = plan(chart).trails[0].lines
    assert len(line) == 5
    assert all((a == b).any() for a, b in itertools.pairwise(line))


def test_a_log_axis_leaves_out_what_is_not_positive() -> None:
    found = ((0.0, 1.0), (1.0, 0.0), (2.0, 10.0), (3.0, -5.0), (4.0, 100.0))
    chart = Chart("", Axis(""), Axis("", log=True), (Curve("", found, "dots"),))
    _, y = scales(chart, [np.array(found)])
    assert y.low < 0 < 2 < y.high
    (trail,) = plan(chart).trails
    heights = trail.marks[:, 1]
    assert len(heights) == 3
    assert np.allclose(np.diff(heights), np.diff(heights)[0])


# axes -----------------------------------------------------------------------------------------------------------------
def said(values: list[float], *, log: bool = False, most: int = 6) -> list[str]:
    ticks, _ = scale(values, log=log, margin=0.0).ticks(most)
    return [tick.label if isinstance(tick.label, str) else f"{tick.label.base}^{tick.label.sup}" for tick in ticks]


@pytest.mark.parametrize(
    ("values", "log", "wanted"),
    [
        ([0, 10000], False, ["0", "2000", "4000", "6000", "8000", "10000"]),
        ([-1.1, 1.1], False, ["−1.0", "−0.5", "0", "0.5", "1.0"]),
        ([0, 1, 2], False, ["0", "1", "2"]),
        ([-0.3, 0.3], False, ["−0.3", "−0.2", "−0.1", "0", "0.1", "0.2", "0.3"]),
        ([-1e200, 1e200], False, ["−1.0×10^200", "−0.5×10^200", "0", "0.5×10^200", "1.0×10^200"]),
        ([1e-300, 3e-300], False, [f"{n}×10^−300" for n in ("1.0", "1.5", "2.0", "2.5", "3.0")]),
        ([0.001, 10], True, ["0.001", "0.01", "0.1", "1", "10"]),
        ([1e-8, 1e-3], True, ["10^−8", "10^−7", "10^−6", "10^−5", "10^−4", "10^−3"]),
        ([1e-100, 1e100], True, ["10^−100", "10^−50", "10^0", "10^50", "10^100"]),
        ([1, 30], True, ["1", "2", "5", "10", "20"]),
        ([2.1, 2.9], True, ["2.2", "2.4", "2.6", "2.8"]),
    ],
)
def test_ticks(values: list[float], log: bool, wanted: list[str]) -> None:
    assert said(values, log=log) == wanted


def test_ticks_stand_where_their_numbers_do() -> None:
    for values, log in (([-3.0, 17.0], False), ([0.002, 40.0], True)):
        found = scale(values, log=log, margin=0.05)
        for tick in found.ticks(6)[0]:
            assert isinstance(tick.label, str)
            assert tick.place == pytest.approx(float(found.place(float(tick.label.replace("−", "-")))))


def test_no_numbers_are_no_labels() -> None:
    assert labels([]) == []


# level lines ----------------------------------------------------------------------------------------------------------
def test_levels_of_a_bowl_are_evenly_spaced() -> None:
    side = np.linspace(-1, 1, 201)
    radius = np.hypot(*np.meshgrid(side, side))
    found = levels(np.where(radius < 1, radius**2, np.nan))
    assert np.allclose(np.sqrt(found), np.arange(1, 10) / 10, atol=0.02)


@pytest.mark.parametrize("times", [1.0, 1e300, 1e-300])
def test_level_lines_are_where_the_function_has_the_level(times: float) -> None:
    xs, ys = np.linspace(-3, 3, 61), np.linspace(-2, 2, 41)
    values = times * (xs**2 + 4 * ys[:, None] ** 2)
    lines = list(level_lines(xs, ys, values))
    assert len(lines) >= 9
    for line in lines:
        on = line[:, 0] ** 2 + 4 * line[:, 1] ** 2
        assert np.ptp(on) < 0.1


@pytest.mark.parametrize("value", [1.0, math.nan, math.inf])
def test_a_plain_has_no_level_lines(value: float) -> None:
    side = np.arange(3.0)
    assert list(level_lines(side, side, np.full((3, 3), value))) == []
    assert list(level_lines(side[:1], side, np.arange(3.0)[:, None])) == []


def test_holes_in_the_grid_are_left_out() -> None:
    grid = bowl()
    rows = [list(row) for row in grid.values]
    rows[3][4] = math.nan
    rows[9][9] = math.inf
    chart = replace(trajectories(), contours=replace(grid, values=tuple(map(tuple, rows))))
    assert all(np.isfinite(line).all() for line in plan(chart).contours)
    assert len(plan(chart).contours) >= 9


def test_a_unit_is_as_long_on_both_axes_of_level_lines() -> None:
    frame = plan(trajectories()).frame
    assert frame.width / frame.height == pytest.approx(6 / 4)


# formats --------------------------------------------------------------------------------------------------------------
@every
def test_svg_is_well_formed_small_and_alone(chart: Chart) -> None:
    source = to_svg(chart)
    root = ElementTree.fromstring(source)
    assert root.get("role") == "img"
    assert "odd" in str(root.get("aria-label")) or chart.title != "odd"
    assert len(source) < 40_000
    assert not re.findall(
        r"nan|inf\b|url\(|@import|href", re.sub(r"<(title|text).*?</\1>|aria-label=\"[^\"]*\"", "", source)
    )
    assert not [element for element in root.iter() if element.get("id")]
    known = {"svg", "title", "style", "path", "g", "text", "tspan"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= known
    for path in root.iter(f"{SVG}path"):
        assert re.fullmatch(r"(?:[MLlVHhaz][-\d. ]*)+", path.get("d", ""))
    assert source == to_svg(chart)
    assert to_tikz(chart) == to_tikz(chart)


@every
def test_tikz_has_its_braces_in_pairs(chart: Chart) -> None:
    bare = re.sub(r"\\[{}]", "", to_tikz(chart))
    assert bare.count("{") == bare.count("}")
    assert "nan" not in bare


def test_labels_are_only_text() -> None:
    root = ElementTree.fromstring(to_svg(CHARTS["hostile"]))
    shown = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert any("<script>alert(1)</script> $x_1^2$ % \\ &" in text for text in shown)
    source = to_tikz(CHARTS["hostile"])
    assert r"\textless{}script\textgreater{}" in source
    assert r"\$x\_1\textasciicircum{}2\$ \% \textbackslash{} \&" in source
    assert r"\input" not in source


def test_curves_differ_without_colour() -> None:
    drawing = plan(many())
    looks = {(trail.dashes, trail.shape if len(trail.marks) else None, bool(trail.lines)) for trail in drawing.trails}
    assert len(looks) == len(drawing.trails)
    assert len(drawing.samples) == len(drawing.trails)
    lines = Chart("", Axis(""), Axis(""), tuple(Curve(f"{k}", ((0.0, k), (1.0, k))) for k in range(36)))
    assert len({(trail.colour, trail.dashes) for trail in plan(lines).trails}) == 36
    assert not plan(Chart("", Axis(""), Axis(""), (Curve("alone", ((0.0, 0.0),)),))).samples


@pytest.mark.parametrize("name", ["training", "trajectories", "hostile", "farthest", "empty, log"])
def test_pictures(name: str) -> None:
    chart = CHARTS[name]
    assert to_png(chart).startswith(b"\x89PNG")
    pdf = to_pdf(chart)
    assert pdf.startswith(b"%PDF")
    assert to_pdf(chart) == pdf


def test_the_page_has_the_colours_of_charts() -> None:
    page = FORMATS["html"].print(document(training(), trajectories()))
    assert isinstance(page, str)
    light, dark, printed = (
        re.findall(r"--c\d: (#\w+)", part) for part in re.split("@media [(]pref|@media print", page)
    )
    assert tuple(light) == COLOURS and len(dark) == len(COLOURS) and printed == light
    assert page.count('<figure class="chart"><figcaption>The network</figcaption>') == 2


def test_the_first_figure_is_printed_alone() -> None:
    found = document(training(), trajectories())
    assert FORMATS["svg"].print(found) == to_svg(training())
    assert to_tikz(training()) in str(FORMATS["tikz"].print(found))
    assert FORMATS["png"].print(found) == to_png(training())
    assert FORMATS["diagram-pdf"].print(found) == to_pdf(training())


@pytest.mark.parametrize("format", ["markdown", "text", "json"])
def test_formats_without_pictures_leave_charts_out(format: str) -> None:
    with_chart, without = (str(FORMATS[format].print(found)).split() for found in (document(training()), document()))
    assert with_chart == without


def test_documents_with_charts_compile(pdflatex: str, tmp_path: Path) -> None:
    names = ("training", "trajectories", "many", "hostile", "gaps", "empty", "farthest", "huge, log", "tiny, log")
    source = FORMATS["latex"].print(document(*map(CHARTS.__getitem__, names)))
    assert isinstance(source, str)
    assert not faults(compiled(pdflatex, source, tmp_path))


OUTSIDE = """() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
  const box = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect());
  const out = texts.filter(t => t.left < box.left - 1 || t.right > box.right + 1 || t.bottom > box.bottom + 1);
  const met = texts.filter((a, i) => texts.some((b, j) => i < j && a.left < b.right && b.left < a.right
    && a.top + 4 < b.bottom && b.top + 4 < a.bottom));
  return [out.length, met.length];
})"""


def test_charts_fit_on_a_phone(chromium: str, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "page.html"
    file.write_text(str(FORMATS["html"].print(document(*CHARTS.values()))), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert not any(page.evaluate(OUTSIDE))
        browser.close()
