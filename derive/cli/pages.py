"""Pages of what is not a solution (marked work, lint): which files they go to, and what the terminal shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from derive.document import Document, Section
    from derive.homework.printed import Printed

FORMATS = ("html", "pdf", "docx", "latex", "typst", "markdown", "text", "json")
NARROWEST, WIDEST = 60, 100  # columns of what is shown on the terminal


def asked(formats: Sequence[str], output: str | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """The formats that are wanted: those named, else text on standard output, else the one of a file's name."""
    from derive.cli.output import guessed, suffix_of
    from derive.errors import InputError

    if formats:
        return tuple(dict.fromkeys(formats))
    if output == "-":
        return ("text",)
    if not suffix_of(output):
        return otherwise
    (name,) = guessed(output)
    if name not in FORMATS:
        raise InputError(f"this is no picture; choose one of {', '.join(FORMATS)}", file=output or "")
    return (name,)


def where(
    folder: Path, stem: str, formats: Sequence[str], output: str | None, read: Iterable[str] = ()
) -> dict[str, Path]:
    """Where each format goes: into a folder, or the one file. read: the files that must not be written over"""
    from derive.cli.output import suffix_of
    from derive.errors import InputError
    from derive.homework.printed import SUFFIX

    single = output == "-" or bool(suffix_of(output))
    if single and len(formats) > 1:
        raise InputError("one file takes one format; give a folder for several", file="--output")
    if output == "-":
        return {}
    within = Path(output) if output else folder
    found = {name: Path(output) if output and single else within / f"{stem}{SUFFIX[name]}" for name in formats}
    for path in found.values():
        if any(path.exists() and Path(given).exists() and path.samefile(given) for given in read):
            raise InputError("this is one of the files to be read", file=str(path))
    return found


def rendered(found: Printed, name: str, ascii: bool, how: dict[str, Any]) -> str | bytes:
    """A page in a format; text in ASCII where that is wanted. how: the engine and fonts of a PDF"""
    if name == "pdf":
        return found.to_pdf(**how)
    if name == "docx":
        return found.to_docx()
    if name == "text" and ascii:
        from derive.printers.terminal import page

        return page(found.document(), ascii=True)
    return found.print(name)


def deliver(printed: Mapping[str, str | bytes], places: dict[str, Path]) -> None:
    """Writes the files, or the one page to standard output."""
    from derive.cli.output import delivered, shown

    if printed and not places:
        shown(next(iter(printed.values())))
    else:
        delivered({places[name]: content for name, content in printed.items()})


def show(document: Document, choose: Callable[[Section], Section | None], paths: Iterable[Path], ascii: bool) -> None:
    """The chosen sections of a page on the terminal, and what was written."""
    from dataclasses import replace

    from derive.cli.output import say
    from derive.printers.terminal import Terminal

    sections = tuple(section for section in map(choose, document.sections) if section is not None)
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    printer = Terminal(replace(document, sections=sections), width, ascii=ascii)
    summary = [row for sentence in document.summary for row in printer.wrapped(printer.say(sentence))]
    lines = [*printer.headed(printer.escape(document.title), "="), *summary, "", *printer.sections()]
    say([*lines, *(printer.word("terminal.wrote", path=str(path)) for path in paths)], ascii)


def opened(places: dict[str, Path], wanted: bool) -> None:
    """Opens the first file written."""
    if wanted and places:
        click.launch(str(next(iter(places.values()))))
