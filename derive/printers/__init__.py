"""Printers: a document in one format each. Each is a template with a few small functions; none computes.

`FORMATS` is the table: name -> (file name, function of a document); a format of several files has a folder. Adding a format is a line here and a module.
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
    several: whether it is several files in a folder of that name; the function then gives them by their names
    """

    file: str
    printer: str
    book: str = ""
    several: bool = False

    def print(self, document: Document, **how: Any) -> str | bytes:
        """The one file. how: what the format wants to be told, of pdf the engine and fonts"""
        if self.several:
            raise InputError(f"{self.file} are several files; they need a folder")
        found: str | bytes = self.function(document)(document, **how)
        return found

    def files(self, document: Document) -> dict[str, str | bytes]:
        """The several files, by their names."""
        if not self.several:
            return {self.file: self.print(document)}
        return dict(self.function(document)(document))

    def function(self, document: Document) -> Callable[..., Any]:
        """What prints a document."""
        module, function = self.printer.split(":")
        self.name(of_all=isinstance(document, Book))
        found: Callable[..., Any] = getattr(
            import_module(f"derive.printers.{module}"), "book" if isinstance(document, Book) else function
        )
        return found

    def name(self, *, of_all: bool) -> str:
        """What the file with a document, or with all lessons, is called; or the folder, where there are several."""
        if of_all and not self.book:
            raise InputError(f"all lessons together are one document; choose one of {', '.join(PAGES)}")
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
    "fragments": Format("fragments", "fragments:files", several=True),
    "markdown-fragments": Format("markdown-fragments", "markdown_notes:files", several=True),
    "svg": Format("diagram.svg", "diagram:svg"),
    "tikz": Format("diagram.tex", "diagram:tikz"),
    "png": Format("diagram.png", "diagram:png"),
    "diagram-pdf": Format("diagram.pdf", "diagram:pdf"),
}
#: The formats of any page: also of one that is no solution, as marked work or a worksheet.
PAGES = ("html", "pdf", "docx", "latex", "typst", "markdown", "text", "json")
