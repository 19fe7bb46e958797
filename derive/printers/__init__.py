"""Printers: a document in one format each. Each is a template with a few small functions; none computes.

`FORMATS` is the table: name -> (file name, function of a document). Adding a format is a line here and a module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from derive.document import Book, Document
from derive.errors import InputError


@dataclass(frozen=True)
class Format:
    """Where a format is printed: the file's name, and `module:function`, imported when it is wanted.

    book: the file's name for all lessons, which `book` of the same module prints; "" where there is no such thing
    """

    file: str
    printer: str
    book: str = ""

    def print(self, document: Document, **how: Any) -> str | bytes:
        """how: what the format wants to be told, of pdf the engine and fonts"""
        module, function = self.printer.split(":")
        self.name(of_all=isinstance(document, Book))
        if isinstance(document, Book):
            function = "book"
        found: Callable[..., str | bytes] = getattr(import_module(f"derive.printers.{module}"), function)
        return found(document, **how)

    def name(self, *, of_all: bool) -> str:
        """What the file with a document, or with all lessons, is called."""
        if of_all and not self.book:
            raise InputError(
                "all lessons together are not one picture; choose html, pdf, latex, typst, markdown, text or json"
            )
        return self.book if of_all else self.file


FORMATS: dict[str, Format] = {
    "html": Format("solution.html", "html:page", "lessons.html"),
    "latex": Format("solution.tex", "latex:page", "lessons.tex"),
    "pdf": Format("solution.pdf", "pdf:page", "lessons.pdf"),
    "docx": Format("solution.docx", "word:page", "lessons.docx"),
    "typst": Format("solution.typ", "typst:page", "lessons.typ"),
    "markdown": Format("solution.md", "markdown:page", "lessons.md"),
    "text": Format("solution.txt", "terminal:page", "lessons.txt"),
    "json": Format("solution.json", "data:page", "lessons.json"),
    "svg": Format("diagram.svg", "diagram:svg"),
    "tikz": Format("diagram.tex", "diagram:tikz"),
    "png": Format("diagram.png", "diagram:png"),
    "diagram-pdf": Format("diagram.pdf", "diagram:pdf"),
}
