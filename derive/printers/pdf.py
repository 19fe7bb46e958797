"""PDF: what one of the formats with an engine for it gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from derive.document import Book, Document
from derive.printers import html, latex, typst
from derive.typeset.base import Engine
from derive.typeset.engines import typeset

READ = {"latex": (latex.page, latex.book), "html": (html.page, html.book)}  # what engines other than Typst read


def page(document: Document, engine: str | None = None, fonts: Sequence[str | Path] = ()) -> bytes:
    """engine: one of derive.typeset.engines.ENGINES; None is the first that is there · fonts: files or folders"""

    def source(chosen: Engine, families: Sequence[str]) -> str:
        if chosen.reads == "typst":
            return typst.printed(document, families)
        page, book = READ[chosen.reads]
        return book(document) if isinstance(document, Book) else page(document)

    return typeset(source, engine, [Path(font) for font in fonts])


book = page
