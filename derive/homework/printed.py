"""What marking and lint give back: something to be asked, and to be printed as a page or as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from derive.document import Document
from derive.errors import InputError, nearest
from derive.files import write
from derive.printers import FORMATS as PRINTED
from derive.printers import PAGES as ALL
from derive.solution import framed

FORMATS = ("html", "latex", "typst", "markdown", "text", "json")
SUFFIX = {name: Path(PRINTED[name].file).suffix for name in ALL}


class Printed(ABC):
    """A result that can be printed in FORMATS. stem: what its files are called"""

    stem = "page"

    @abstractmethod
    def document(self) -> Document:
        """The page. WitnessError where a line on it is not true."""

    @abstractmethod
    def to_json(self) -> str:
        """JSON, in a schema of its own."""

    def print(self, format: str) -> str:
        """The page in one of `FORMATS`."""
        if format not in FORMATS:
            raise InputError(f"unknown format '{format}'.{nearest(format, FORMATS)}")
        return self.to_json() if format == "json" else str(PRINTED[format].print(self.document()))

    def to_html(self) -> str:
        """One self-contained page."""
        return self.print("html")

    def to_latex(self) -> str:
        """A LaTeX document."""
        return self.print("latex")

    def to_markdown(self) -> str:
        """Markdown as GitHub renders it."""
        return self.print("markdown")

    def to_pdf(self, engine: str | None = None, fonts: Sequence[str | Path] = ()) -> bytes:
        """A PDF. engine: typst, xelatex, pdflatex or chromium; None is the first that is there"""
        return bytes(PRINTED["pdf"].print(self.document(), engine=engine, fonts=fonts))  # type: ignore[arg-type]

    def to_docx(self) -> bytes:
        """A document of Word, with equations that can be edited."""
        return bytes(PRINTED["docx"].print(self.document()))  # type: ignore[arg-type]

    def save(self, folder: str | Path, name: str = "", formats: Sequence[str] = ("html",)) -> list[Path]:
        """Writes the files into a folder, each whole or not at all, and says which."""
        printed = {Path(folder) / f"{name or self.stem}{SUFFIX[format]}": self.print(format) for format in formats}
        for path, content in printed.items():
            write(path, content)
        return list(printed)

    def _repr_html_(self) -> str:
        return framed(self.to_html())
