"""Printers: a document in one format each. Each is a template with a few small functions; none computes.

`FORMATS` is the table: name -> (file name, function of a document). Adding a format is a line here and a module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from derive.document import Document


@dataclass(frozen=True)
class Format:
    """Where a format is printed: the file's name, and `module:function`, imported when it is wanted."""

    file: str
    printer: str

    def print(self, document: Document) -> str | bytes:
        module, function = self.printer.split(":")
        found: Callable[[Document], str | bytes] = getattr(import_module(f"derive.printers.{module}"), function)
        return found(document)


FORMATS: dict[str, Format] = {
    "html": Format("solution.html", "html:page"),
    "latex": Format("solution.tex", "latex:page"),
    "markdown": Format("solution.md", "markdown:page"),
    "text": Format("solution.txt", "terminal:page"),
    "json": Format("solution.json", "data:page"),
    "svg": Format("diagram.svg", "diagram:svg"),
    "tikz": Format("diagram.tex", "diagram:tikz"),
    "png": Format("diagram.png", "diagram:png"),
    "diagram-pdf": Format("diagram.pdf", "diagram:pdf"),
}
