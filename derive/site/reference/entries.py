"""What the pages of the reference share: an entry of a table, with what it does and its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from derive.document import Block, Cell, Document, Form, Line, Say, Section, Step, Table, say
from derive.formula import Formula, Name, Symbol
from derive.options import parameters, required
from derive.printers.site import Typed
from derive.registry import Registry
from derive.site.pages import Anchors, in_letters, lettered, section, shown, symbols, table


def entry(registry: Registry[Any], name: str, *blocks: Block) -> Section:
    """An entry of a registry: what it is, its formulas, its options, and its other names."""
    function = registry[name]
    others = [alias for alias in registry.known if alias != name and registry.canonical(alias) == name]
    named = [say("site.reference.aliases", names=Typed(", ".join(others)))] if others else []
    return section(
        name,
        Typed(name),
        say("site.reference.meaning", text=meaning(function)),
        *blocks,
        *options(name, function),
        *named,
    )


def meaning(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())


def options(name: str, function: Callable[..., Any]) -> Iterator[Table]:
    """A table of the options, where there are any."""
    known, needed = parameters(function), required(function)
    rows = [
        (Typed(option), say("site.reference.needed") if option in needed else shown(default), accepted(annotation))
        for option, (annotation, default) in known.items()
    ]
    if rows:
        yield table(f"{name}/options", "options", ("option", "default", "accepts"), rows)


def accepted(annotation: Any) -> Cell:
    """What an option accepts, in words."""
    simple = {Fraction: "number", int: "whole", bool: "truth"}
    if annotation in simple:
        return say(f"site.accepts.{simple[annotation]}")
    if get_origin(annotation) is Literal:
        return Typed(" | ".join(map(str, get_args(annotation))))
    if get_origin(annotation) is UnionType:
        return say("site.accepts.or_null", what=accepted(get_args(annotation)[0]))
    if get_origin(annotation) is Annotated:
        return say(f"site.accepts.{get_args(annotation)[1].kind}")
    return say("site.accepts.several", what=accepted(get_args(annotation)[0]))


def line(target: Symbol | Any, *forms: Formula, id: str = "f") -> Line:
    """A line in letters."""
    return Line(Name(id, (), target), tuple(Form(form, numbers=False) for form in forms), has_value=False)


class Taken:
    """Steps taken from worked documents to a page of the reference, without their numbers."""

    def __init__(self) -> None:
        self.anchors = Anchors()

    def steps(self, document: Document, wanted: Callable[[str], bool], under: str) -> Iterator[Step]:
        """The steps whose ids are wanted, in their order. under: the entry they are shown at"""
        for part in document.sections:
            for block in part.blocks:
                if isinstance(block, Step) and wanted(block.id):
                    yield in_letters(block, self.anchors.of(f"{under}/{block.id}"))

    def rule(self, blocks: Iterable[Block], under: str) -> Iterator[Block]:
        """All blocks of a section, steps without their numbers."""
        for block in blocks:
            if isinstance(block, Step):
                yield in_letters(block, self.anchors.of(f"{under}/{block.id}"))
            else:
                yield lettered(block) if isinstance(block, Say) else block


def part(document: Document, id: str) -> tuple[Block, ...]:
    """The blocks of a section."""
    return next(found.blocks for found in document.sections if found.id == id)


__all__ = ["Taken", "accepted", "entry", "line", "meaning", "options", "part", "symbols"]
