"""The network diagram: what is drawn, that nothing meets, and that any text is safe."""

import itertools
import re
from collections.abc import Iterable
from xml.etree import ElementTree

import pytest

from derive.figures.geometry import layout
from derive.figures.network import Column, Edge, Network, Unit
from derive.figures.plot import to_pdf, to_png
from derive.figures.svg import to_svg
from derive.figures.text import plain, shorten, wrapped
from derive.figures.tikz import escape, symbol_tex, to_tikz
from derive.formula import Symbol

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "]]>&\"'",
    "$x_{1}^%#~\\",
    "A" * 500,
    "}{",
    "`|;[]",
    "\x00\x1f\u202e",
    "</style>",
]


def layered(*sizes: int, omitted: int = 0, bias: bool = False) -> Network:
    """A fully connected network, every edge with a symbol and a value."""
    columns = []
    for level, size in enumerate(sizes):
        units = [Unit(f"u{level}-{row}", Symbol("a", str(row), f"({level})"), "0.5") for row in range(1, size + 1)]
        if bias and level < len(sizes) - 1:
            units.append(Unit(f"b{level}", Symbol(""), kind="bias"))
        columns.append(Column(f"layer {level}", tuple(units), omitted))
    edges = [
        Edge(f"{a.id}>{b.id}", a.id, b.id, Symbol("w", f"{b.symbol.sub}{a.symbol.sub}", f"({level})"), f"{0.1 - level}")
        for level, (left, right) in enumerate(itertools.pairwise(columns), start=1)
        for a, b in itertools.product(left.units, right.rows)
    ]
    return Network(tuple(columns), tuple(edges), "network")


def hostile() -> Network:
    """Every text of the description is one that breaks some format."""
    columns = []
    for level in range(2):
        units = [Unit(f"{level}{t}", Symbol(t, t, t, t), t, "loss" if level else "input", t) for t in HOSTILE[:3]]
        columns.append(Column(HOSTILE[3 + level], tuple(units)))
    pairs = itertools.product(columns[0].units, columns[1].units)
    edges = [
        Edge(f"{i}{a.id}", a.id, b.id, Symbol(HOSTILE[i % 8]), HOSTILE[(i + 3) % 8], HOSTILE[(i + 5) % 8])
        for i, (a, b) in enumerate(pairs)
    ]
    return Network(tuple(columns), tuple(edges), "".join(HOSTILE))


def chinese() -> Network:
    """Words of another script, as symbols too."""
    units = Unit("x", Symbol("输入", "1"), "0.5", "input"), Unit("L", Symbol("损失"), "0.1", "loss", "均方误差")
    edge = Edge("w", "x", "L", Symbol("权重", "1", mark="+"), "−1/3")
    return Network((Column("输入层", units[:1]), Column("损失", units[1:])), (edge,), "神经网络")


NETWORKS = {
    "2-2-2": layered(2, 2, 2, bias=True),
    "3-3-2-2": layered(3, 3, 2, 2),
    "3-3-2-2 with biases": layered(3, 3, 2, 2, bias=True),
    "1-1": layered(1, 1),
    "1-20-1": layered(1, 20, 1, bias=True),
    "6-6": layered(6, 6),
    "omitted": layered(4, 4, 4, omitted=100),
    "deep": layered(*[2] * 10),
    "chinese": chinese(),
    "hostile": hostile(),
    "empty": Network((), (), ""),
}
every = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())


def elements(root: ElementTree.Element, attribute: str) -> list[str]:
    """The values of an attribute, in document order."""
    return [found for element in root.iter() if (found := element.get(attribute)) is not None]


def texts(root: ElementTree.Element, tag: str) -> Iterable[str]:
    """The text of every element with a tag."""
    return ("".join(element.itertext()) for element in root.iter(SVG + tag))


@every
def test_labels_meet_neither_labels_nor_units(network: Network) -> None:
    drawing = layout(network)
    labels = [wire.label for wire in drawing.wires if wire.label]
    for one, other in itertools.combinations(labels, 2):
        assert not one.overlaps(other)
    for label, node in itertools.product(labels, drawing.nodes):
        assert not label.overlaps(node.box)
    for one, other in itertools.combinations([node.box for node in drawing.nodes], 2):
        assert not one.overlaps(other)


@every
def test_everything_lies_within_the_bounds(network: Network) -> None:
    drawing = layout(network)
    bounds = drawing.bounds
    texts_of = [text for item in drawing.nodes for text in item.texts] + list(drawing.headings)
    for box in [node.box for node in drawing.nodes] + [text.box for text in texts_of]:
        assert bounds.left <= box.left <= box.right <= bounds.right
        assert bounds.top <= box.top <= box.bottom <= bounds.bottom


@every
def test_svg_is_well_formed_and_has_every_unit_and_edge(network: Network) -> None:
    root = ElementTree.fromstring(to_svg(network, "fig"))
    assert len(elements(root, "data-unit")) == sum(len(column.units) for column in network.columns)
    assert len(elements(root, "data-edge")) == len(network.edges)
    ids = elements(root, "id")
    assert len(set(ids)) == len(ids)
    assert all(found.startswith("fig") for found in ids)
    assert not list(root.iter(SVG + "script"))


@every
def test_output_is_deterministic(network: Network) -> None:
    assert to_svg(network) == to_svg(network)
    assert to_tikz(network) == to_tikz(network)


def test_ids_of_two_figures_differ() -> None:
    ids = [set(elements(ElementTree.fromstring(to_svg(layered(1, 1), prefix)), "id")) for prefix in ("a", "b", '1"<')]
    assert not ids[0] & ids[1]
    assert all(re.fullmatch(r"[A-Za-z][\w-]*", found) for found in set().union(*ids))


def test_long_text_is_shortened_with_the_whole_in_the_title() -> None:
    network = Network((Column("", (Unit("u", Symbol("A" * 500), "7"),)),), (), "")
    root = ElementTree.fromstring(to_svg(network))
    assert all(len(found) < 20 for found in texts(root, "text"))
    assert "A" * 500 + " = 7" in set(texts(root, "title"))
    assert shorten("A" * 500, 50, 10).endswith("…")


def test_links_and_role() -> None:
    units = Unit("a", Symbol("a")), Unit("b", Symbol("b"))
    columns = tuple(Column("", (unit,)) for unit in units)
    edge = Edge("w", "a", "b", Symbol("w"), "1", step='s"1')
    linked = ElementTree.fromstring(to_svg(Network(columns, (edge,), "t")))
    assert set(elements(linked, "href")) == {'#s"1'}
    assert linked.get("role") == "group"
    assert ElementTree.fromstring(to_svg(layered(1, 1))).get("role") == "img"


def test_large_columns_go_without_labels_but_in_colour() -> None:
    drawing = layout(layered(1, 7, 1))
    assert not any(wire.label for wire in drawing.wires)
    assert {wire.tone for wire in drawing.wires} == {"negative"}
    assert len({wire.thickness for wire in drawing.wires}) == 2


def test_dots_stand_before_the_last_unit_of_a_shortened_column() -> None:
    drawing = layout(layered(4, omitted=780))
    heights = [node.box.y for node in drawing.nodes]
    assert len(drawing.dots) == 1
    assert heights[2] < drawing.dots[0][1] < heights[3]


def test_an_edge_that_skips_a_column_bends_above_it() -> None:
    base = layered(1, 1, 1)
    network = Network(base.columns, (*base.edges, Edge("skip", "u0-1", "u2-1", Symbol("s"))), "")
    wire = layout(network).wires[-1]
    assert wire.bend is not None
    assert wire.label is not None
    assert wire.label.bottom < min(node.box.top for node in layout(network).nodes)


@pytest.mark.parametrize(
    "edges",
    [[("e", "a", "a")], [("e", "a", "z")], [("e", "a", "b"), ("e", "b", "a")]],
    ids=["loop", "unknown", "twice"],
)
def test_impossible_networks_are_rejected(edges: list[tuple[str, str, str]]) -> None:
    columns = (Column("", (Unit("a", Symbol("a")), Unit("b", Symbol("b")))),)
    with pytest.raises(ValueError, match=r"^e$"):
        Network(columns, tuple(Edge(*edge) for edge in edges), "")


@pytest.mark.parametrize(
    ("symbol", "tex", "text"),
    [
        (Symbol("w", "11", "(1)"), "{w}_{11}^{(1)}", "w₁₁⁽¹⁾"),
        (Symbol("δ", "h1", mark="new"), r"{\delta}_{h1}^{\mathrm{new}}", "δ_h1^new"),
        (Symbol("W", bold=True), r"{\mathbf{W}}", "W"),
        (Symbol("ŷ"), r"{\hat{y}}", "ŷ"),
        (Symbol("损失"), r"{\text{损失}}", "损失"),
        (Symbol("a_b"), r"{a\text{\_}b}", "a_b"),
    ],
)
def test_symbols(symbol: Symbol, tex: str, text: str) -> None:
    assert symbol_tex(symbol) == tex
    assert plain(symbol) == text


def test_tex_is_escaped() -> None:
    assert escape(r"\{}$&#%_^~<>") == (
        r"\textbackslash{}\{\}\$\&\#\%\_\textasciicircum{}\textasciitilde{}\textless{}\textgreater{}"
    )
    source = to_tikz(hostile())
    assert source.count("\\begin{") == source.count("\\end{")
    bare = re.sub(r"\\[{}]", "", source)
    assert bare.count("{") == bare.count("}")


@pytest.mark.parametrize("name", ["2-2-2", "omitted", "hostile", "chinese"])
def test_pictures(name: str) -> None:
    pytest.importorskip("matplotlib")
    network = NETWORKS[name]
    png, pdf = to_png(network, 60), to_pdf(network)
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    assert to_png(network, 60) == png
    assert to_pdf(network) == pdf


def test_what_a_layer_does_is_named_line_by_line() -> None:
    assert wrapped("tanh", 92, 12, 3) == ["tanh"]
    assert wrapped("BatchNorm, ReLU, tanh", 92, 12, 3) == ["BatchNorm,", "ReLU, tanh"]
    many = wrapped(", ".join(["LogSoftmax"] * 9), 92, 12, 3)
    assert many[:2] == ["LogSoftmax,"] * 2 and len(many) == 3 and many[2].endswith("…")
