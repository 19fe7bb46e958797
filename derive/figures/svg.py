"""A network as SVG for a page: colours from the page's custom properties, highlighting in CSS alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from derive.figures.geometry import Box, Drawing, Node, Text, Wire, layout
from derive.figures.network import Network
from derive.figures.text import SCRIPT, clean, runs, superscript, text_width
from derive.formula import Symbol

_STYLE = """\
#P{max-width:100%;height:auto;--fi:var(--ink,#1f2a37);--fa:var(--accent,#1d5fa8);--fm:var(--muted,#6b7684);\
--fp:var(--paper,#fff);--f1:var(--positive,#2b6cb0);--f2:var(--negative,#c05621)}
#P text{font-family:system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif;text-anchor:middle;fill:var(--fi);\
font-variant-numeric:tabular-nums}
#P .symbol{font-family:"STIX Two Text","Latin Modern Roman","Cambria","Times New Roman","Noto Serif CJK SC",serif}
#P .letter{font-style:italic}
#P .bold{font-weight:700;font-style:normal}
#P text.muted{fill:var(--fm)}
#P .back{fill:var(--fp);stroke:none}
#P .line{fill:none;stroke:var(--fm)}
#P .line.positive{stroke:var(--f1)}
#P .line.negative{stroke:var(--f2)}
#P .reach{fill:none;stroke:transparent;pointer-events:stroke}
#P .tip{fill:var(--fm);fill:context-stroke}
#P .shape{fill:var(--fp);stroke:var(--fi);stroke-width:1.3}
#P .bias .shape,#P .target .shape{stroke:var(--fm);stroke-width:1}
#P .target .shape{stroke-dasharray:4 3}
#P .loss .shape{stroke:var(--fa)}
#P .dot{fill:var(--fm)}
#P .part{transition:opacity .12s}
#P a{text-decoration:none;outline:none}
@media screen{
#P:has(.part:hover) .part,#P:has(.part:focus-within) .part{opacity:.16}
RULES
}
@media (prefers-reduced-motion:reduce){#P .part{transition:none}}"""


def to_svg(network: Network, prefix: str = "network") -> str:
    """An `<svg>` element to stand in a page or alone; the prefix keeps its ids apart from those of others."""
    drawing, name = layout(network), _identifier(prefix)
    bounds, title = drawing.bounds, quoted(network.title)
    role = "group" if any(edge.step for edge in network.edges) else "img"
    places = {node.unit.id: index for index, node in enumerate(drawing.nodes)}
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" role="{role}" aria-label="{title}" '
        f'aria-describedby="{name}-desc" width="{number(bounds.width)}" height="{number(bounds.height)}" '
        f'viewBox="{number(bounds.left)} {number(bounds.top)} {number(bounds.width)} {number(bounds.height)}">'
    )
    parts = [
        opening,
        f"<title>{title}</title>",
        f'<desc id="{name}-desc">{_description(network)}</desc>',
        f"<style>{_STYLE.replace('RULES', _rules(drawing, name)).replace('#P', '#' + name)}</style>",
        _marker(name),
        *(_line(text) for text in drawing.headings),
        *(_dots(x, y) for x, y in drawing.dots),
        *(_wire(wire, index, places, name) for index, wire in enumerate(drawing.wires)),
        *(_label(wire, index, places) for index, wire in enumerate(drawing.wires) if wire.texts),
        *(_node(node, index, name) for index, node in enumerate(drawing.nodes)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _identifier(prefix: str) -> str:
    """A prefix that is safe as an id and in a selector."""
    return "f" + found if not (found := re.sub(r"[^A-Za-z0-9_-]", "-", prefix))[:1].isalpha() else found


def quoted(text: str) -> str:
    """Text escaped for content and attributes."""
    return escape(clean(text), quote=True)


def number(length: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{round(length, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _description(network: Network) -> str:
    """The columns with their titles and sizes, in reading order."""
    return quoted("; ".join(" ".join(filter(None, (column.title, str(column.size)))) for column in network.columns))


def _rules(drawing: Drawing, name: str) -> str:
    """What stays lit: a unit under the pointer with its edges, and an edge with its label and its two ends."""

    def lit(active: str, kept: str) -> Iterator[str]:
        for state in (":hover", ":focus-within"):
            yield f"#{name}:has({active}{state}) .part{kept}"

    units = [f".u{index}" for index in range(len(drawing.nodes))]
    edges = [f".e{index}" for index, wire in enumerate(drawing.wires) if wire.texts]
    kept = [selector for unit in units for selector in lit(unit, ".at" + unit[2:])]
    kept += [selector for unit in units for selector in lit(".at" + unit[2:], unit)]
    kept += [selector for edge in edges for selector in lit(edge, edge)]
    own = f"#{name}#{name} .part:is(:hover,:focus-within)"
    bright = [selector for selector in kept if ".part.u" not in selector]
    lines = [selector + " .line" for selector in (*bright, own)]
    return f"{','.join((*kept, own))}{{opacity:1}}\n{','.join(lines)}{{stroke:var(--fa)}}"


def _marker(name: str) -> str:
    """The head of an arrow, in the colour of its line."""
    return (
        f'<defs><marker id="{name}-tip" viewBox="0 0 8 6" refX="8" refY="3" markerWidth="8" markerHeight="6" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.4L8 3L0 5.6L1.8 3z"/></marker></defs>'
    )


def _dots(x: float, y: float) -> str:
    """Three dots above one another."""
    return "".join(f'<circle class="dot" cx="{number(x)}" cy="{number(y + dy)}" r="1.8"/>' for dy in (-8, 0, 8))


def _wire(wire: Wire, index: int, places: dict[str, int], name: str) -> str:
    """The line of an edge, with a wider transparent one for the pointer."""
    start, end = (f"{number(x)} {number(y)}" for x, y in (wire.start, wire.end))
    path = f"M{start}Q{number(wire.bend[0])} {number(wire.bend[1])} {end}" if wire.bend else f"M{start}L{end}"
    tip = f' marker-end="url(#{name}-tip)"' if wire.arrow else ""
    body = (
        f"<title>{quoted(wire.title)}</title>"
        f'<path class="reach" d="{path}" stroke-width="{10 if wire.arrow else 4}"/>'
        f'<path class="line {wire.tone}" d="{path}" stroke-width="{number(wire.thickness)}"{tip}/>'
    )
    return (
        f'<g id="{name}-edge-{index}" data-edge="{quoted(wire.edge.id)}" class="{_classes(wire, index, places)}">'
        f"{_linked(wire, body)}</g>"
    )


def _label(wire: Wire, index: int, places: dict[str, int]) -> str:
    """The label of an edge, above every line; its link is for the pointer, the line has the one for the keyboard."""
    body = f"<title>{quoted(wire.title)}</title>" + _back(wire.label) + "".join(map(_line, wire.texts))
    return f'<g class="{_classes(wire, index, places)}">{_linked(wire, body, keyboard=False)}</g>'


def _classes(wire: Wire, index: int, places: dict[str, int]) -> str:
    """The edge itself, and the units it is at."""
    return f"part e{index} at{places[wire.edge.source]} at{places[wire.edge.target]}"


def _linked(wire: Wire, body: str, *, keyboard: bool = True) -> str:
    """The body inside a link to the step of the edge, if there is one."""
    if not wire.edge.step:
        return body
    hidden = "" if keyboard else ' tabindex="-1" aria-hidden="true"'
    label = f' aria-label="{quoted(wire.title)}"' if keyboard else ""
    return f'<a href="#{quoted(wire.edge.step)}"{label}{hidden}>{body}</a>'


def _node(node: Node, index: int, name: str) -> str:
    """A unit: its shape and its texts."""
    box = node.box
    if node.round:
        shape = f'<circle class="shape" cx="{number(box.x)}" cy="{number(box.y)}" r="{number(box.width / 2)}"/>'
    else:
        shape = _rectangle(box, "shape", 6)
    texts = "".join((_back(text.box) if text.backed else "") + _line(text) for text in node.texts)
    return (
        f'<g id="{name}-unit-{index}" data-unit="{quoted(node.unit.id)}" class="part u{index} {node.unit.kind}">'
        f"<title>{quoted(node.title)}</title>{shape}{texts}</g>"
    )


def _back(box: Box | None) -> str:
    """The filled rectangle behind a label."""
    return _rectangle(Box(box.x, box.y, box.width + 4, box.height), "back", 2) if box else ""


def _rectangle(box: Box, style: str, radius: float) -> str:
    """A rectangle with rounded corners."""
    return (
        f'<rect class="{style}" x="{number(box.left)}" y="{number(box.top)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" rx="{number(radius)}"/>'
    )


def _line(text: Text) -> str:
    """A line of text, its middle at the given height."""
    at = f'x="{number(text.x)}" y="{number(text.y + 0.34 * text.size)}" font-size="{number(text.size)}"'
    if isinstance(text.content, str):
        return f'<text class="{text.tone}" {at}>{quoted(text.content)}</text>'
    return f'<text class="symbol {text.tone}" {at}>{"".join(symbol_spans(text.content, text.size))}</text>'


def symbol_spans(symbol: Symbol, size: float) -> Iterator[str]:
    """The spans of a symbol; the superscript steps back over the subscript."""
    sub, sup, script = symbol.sub, superscript(symbol), size * SCRIPT
    yield from _spans(symbol.base, symbol.bold)
    down, up = 0.27 * size, 0.45 * size
    if sub:
        yield f'<tspan font-size="{number(script)}" dy="{number(down)}">{"".join(_spans(sub))}</tspan>'
    if sup:
        back = f' dx="{number(-0.88 * text_width(sub, script))}"' if sub else ""
        rise = number(-up - (down if sub else 0))
        yield f'<tspan font-size="{number(script)}" dy="{rise}"{back}>{"".join(_spans(sup))}</tspan>'


def _spans(text: str, bold: bool = False) -> Iterable[str]:
    """Single letters in italics, all else upright."""
    for run, kind in runs(text):
        style = "bold" if bold else "letter" if kind == "letter" else ""
        yield f'<tspan class="{style}">{escape(run)}</tspan>' if style else escape(run)
