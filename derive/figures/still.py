"""A picture as SVG for what knows neither custom properties nor a pointer: colours and fonts stand in it as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from derive.figures.picture import to_svg

if TYPE_CHECKING:
    from derive.figures.picture import Picture

FONT = "New Computer Modern"
FAMILY = re.compile(r"font-family:[^;}]*")
LARGE = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # rules for a screen, for moving
OWN = re.compile(r"(--[\w-]+):((?:var\([^()]*\)|[^;}])*)[;]?")
USED = re.compile(r"var\((--[\w-]+)(?:,([^()]*))?\)")


def to_still(picture: Picture, font: str = FONT) -> str:
    """The `<svg>` element of a picture, to be printed; its text is in one family of fonts."""
    svg = to_svg(picture)
    head, style, rest = re.split("<style>|</style>", svg, maxsplit=2)
    style = LARGE.sub("", style)
    own = {name: USED.sub(lambda m: m[2], value) for name, value in OWN.findall(style)}
    style = USED.sub(lambda m: own.get(m[1], m[2]), OWN.sub("", style))
    style = FAMILY.sub(f'font-family:"{font}"', style)
    if "font-family" not in style:
        style += f'text{{font-family:"{font}"}}'
    return f"{head}<style>{style}</style>{rest}"
