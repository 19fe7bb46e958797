"""Kinds of notes, by the suffix of their file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from derive.errors import InputError, nearest
from derive.printers.latex_notes import Layout
from derive.printers.markdown_notes import Titles, files
from derive.solution import Solution
from derive.weaving import markdown, tex
from derive.weaving.content import MarkdownPaper, Paper, TexPaper
from derive.weaving.markers import Marker, Source
from derive.weaving.request import Request

#: Files that stand in the folder of notes, or above it, where mathematics is written between dollar signs.
PROJECTS = ("_quarto.yml", "_quarto.yaml", "myst.yml", "_config.yml", "mkdocs.yml", "mkdocs.yaml")


@dataclass(frozen=True)
class Kind:
    """How one kind of notes is read and written.

    ending: the marker that ends a block · apart: empty lines between a marker and what it asks for
    files: what goes into the folder that `into=` names · dollars: whether mathematics is between dollar signs anyway
    without: options that mean nothing here · width: of a line in a text, in em, where that has to be known
    """

    markers: Callable[[Source], list[Marker]]
    paper: Callable[[Request], Paper]
    ending: str
    apart: int
    files: Callable[[Solution, Request], dict[str, str | bytes]]
    dollars: bool
    without: tuple[str, ...]
    width: Callable[[str], int | None] = lambda text: None

    def laid_out(self, source: Source, marker: Marker, text: str) -> tuple[str, str]:
        """What follows a marker, and what is between that and its end; lines end as that of the marker."""
        if marker.inside is not None:
            return text, ""
        between = [marker.prefix.rstrip()] * self.apart
        lines = [(marker.prefix + row).rstrip() for row in text.split("\n")]
        line = newline(source.text, marker.end)
        return line.join(["", *between, *lines]), line.join(["", *between, marker.prefix])


def newline(text: str, at: int) -> str:
    """How the line at this place ends; the last one as the first."""
    end = text.find("\n", at)
    end = end if end >= 0 else text.find("\n")
    return "\r\n" if text[max(end - 1, 0) : end + 1] == "\r\n" else "\n"


def markdown_paper(request: Request) -> Paper:
    return MarkdownPaper(request.options["math"], Titles(request.options.get("headings"), request.with_titles))


def markdown_files(solution: Solution, request: Request) -> dict[str, str | bytes]:
    return files(solution.document, request.options["math"])


def tex_files(solution: Solution, request: Request) -> dict[str, str | bytes]:
    return solution.pieces("fragments")


def tex_paper(request: Request) -> Paper:
    options = request.options
    return TexPaper(Layout(options.get("headings"), request.with_titles, options.get("width")))


MARKDOWN = Kind(
    markdown.markers, markdown_paper, markdown.ENDING, 1, markdown_files, dollars=False, without=("width", "labels")
)
QUARTO = Kind(
    markdown.markers, markdown_paper, markdown.ENDING, 1, markdown_files, dollars=True, without=("width", "labels")
)
TEX = Kind(tex.markers, tex_paper, tex.ENDING, 0, tex_files, dollars=True, without=("math",), width=tex.width)
KINDS = {".md": MARKDOWN, ".markdown": MARKDOWN, ".qmd": QUARTO, ".rmd": QUARTO, ".tex": TEX, ".ltx": TEX}


def kind_of(path: Path) -> Kind:
    """The kind of a file of notes."""
    if found := KINDS.get(path.suffix.lower()):
        return found
    problem = f"notes end in one of {', '.join(KINDS)}.{nearest(path.suffix, KINDS)}"
    raise InputError(problem, file=str(path))


def flavour(path: Path) -> str:
    """How mathematics is marked where these notes stand: by their suffix, or what stands in their folder or above it."""
    if kind_of(path).dollars:
        return "dollars"
    for folder in path.resolve().parents:
        if any((folder / name).is_file() for name in PROJECTS):
            return "dollars"
        if (folder / ".git").exists():
            break
    return "github"
