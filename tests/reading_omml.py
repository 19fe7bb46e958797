"""A reader of the equations of Word, by the grammar of reading.py; nothing of derive is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from reading import MINUS, PI, WORDS, Elided, Item, Names, Reader, Unreadable, spread, table

M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
THIN = "\u2009"


class OmmlReader(Reader):
    """The children of an `m:oMath`, as Word lays them out."""

    def read(self, source: str) -> Any:
        return self.inside(ElementTree.fromstring(f'<m:oMath xmlns:m="{M}">{source}</m:oMath>'))

    def inside(self, element: ElementTree.Element) -> Any:
        return self.evaluate(list(self.items([*element])))

    def items(self, elements: list[ElementTree.Element]) -> Iterator[Item]:
        at = 0
        while at < len(elements):
            element, at = elements[at], at + 1
            match tag(element):
                case "r":
                    text = written(element)
                    exponent = 0
                    if NUMBER.fullmatch(text) and [written(r) for r in elements[at : at + 1]] == ["×"]:
                        power = elements[at + 1] if at + 1 < len(elements) else element
                        if tag(power) == "sSup" and written(part(power, "e")) == "10":
                            exponent, at = int(written(part(power, "sup")).replace(MINUS, "-")), at + 2
                    yield from self.run(text, exponent)
                case "f":
                    yield Item("value", self.inside(part(element, "num")) / self.inside(part(element, "den")))
                case "rad":
                    yield Item("value", spread("sqrt", self.inside(part(element, "e"))))
                case "sSup":
                    yield from self.raised(element)
                case "func":
                    name = written(part(element, "fName"))
                    if name not in WORDS:
                        raise Names(name)
                    yield Item("call", name)
                    yield from self.items([*part(element, "e")])
                case "nary":
                    yield Item("sum", written(part(element, "sub")))
                    yield from self.items([*part(element, "e")])
                case "d":
                    yield from self.fenced(element)
                case name:
                    raise Names(name)

    def run(self, text: str, exponent: int) -> Iterator[Item]:
        text = text.strip()
        if NUMBER.fullmatch(text):
            yield self.number(text, exponent)
        elif text == "π":
            yield Item("value", PI)
        elif text == "⋯":
            raise Elided
        elif text in WORDS:
            yield Item("call", text)
        elif len(text) == 1 and text in "·×⊙+−<>≤≥,":
            yield Item(text)
        elif text not in ("", THIN):
            raise Names(text)

    def raised(self, element: ElementTree.Element) -> Iterator[Item]:
        base, above = part(element, "e"), part(element, "sup")
        if written(above) == "⊤":
            yield Item("value", self.inside(base))
            yield Item("T")
        elif written(base) == "e":
            yield Item("value", spread("exp", self.inside(above)))
        else:
            if len(base) > 1:
                raise Unreadable("a power of more than one thing without brackets")
            yield Item("value", spread("power", self.inside(base), self.inside(above)))

    def fenced(self, element: ElementTree.Element) -> Iterator[Item]:
        signs = "".join(str(sign.get(f"{{{M}}}val")) for sign in part(element, "dPr"))
        within = part(element, "e")
        match signs:
            case "()":
                yield Item("(")
                yield from self.items([*within])
                yield Item(")")
            case "||":
                yield Item("value", spread("abs", self.inside(within)))
            case "[]" | "{":
                cells = [[*row.findall(f"{{{M}}}e")] for row in within[0].findall(f"{{{M}}}mr")]
                if signs == "[]":
                    yield Item("value", table([[self.inside(cell) for cell in row] for row in cells]))
                    return
                yield self.cases([self.inside(cell) for row in cells for cell in row if not is_text(cell)])
            case _:
                raise Names(signs)


def tag(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(f"{{{M}}}")


def part(element: ElementTree.Element, name: str) -> ElementTree.Element:
    found = element.find(f"{{{M}}}{name}")
    assert found is not None, name
    return found


def is_text(cell: ElementTree.Element) -> bool:
    """Whether it is a word, such as the last case has."""
    return cell[0].find(f"{{{M}}}rPr/{{{M}}}nor") is not None


def written(element: ElementTree.Element) -> str:
    return "".join(element.itertext())
