"""Solving, printing everything, and only then writing."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from derive.document import Document
    from derive.files import Earlier
    from derive.solution import Solution


Content = str | bytes | dict[str, str | bytes]  # a file, or the files of a folder by their names


def run(
    net: str,
    make: Callable[..., Solution],
    *,
    formats: tuple[str, ...],
    output: str | None,
    open_: bool,
    quiet: bool,
    ascii: bool,
    only: str | None,
    lessons: str | None = None,
    pdf_engine: str | None = None,
    fonts: tuple[Path, ...] = (),
    labels: str | None = None,
    of_all: bool = False,
    **wishes: Any,
) -> Solution:
    """Makes a solution, prints everything, and only then writes.

    net: the file or name it is about · labels: the prefix of labels in LaTeX fragments
    make: gets the display of progress, and what is wanted of the solution · of_all: whether it makes all lessons
    """
    gc.disable()  # a short life that leaves no cycles worth collecting; while libraries load it costs a tenth of it
    from derive.errors import InputError
    from derive.passes import listed

    wanted = formats or (("text",) if output == "-" else guessed(output))
    places = where(net, wanted, output, of_all=of_all)
    if labels is not None and "fragments" not in wanted:
        raise InputError("labels are for -f fragments", file="--labels")
    how = typeset_by(wanted, pdf_engine, fonts)
    names = listed(only or "")
    with Progress(quiet) as progress:
        solution = make(progress, only=names, stage=progress.stage, **wishes).called(net)
        solution = solution.linked(lessons) if lessons else solution
        solution = solution.labelled(labels) if labels is not None else solution
        progress.stage("print")
        printed = {name: rendered(solution, name, ascii, how) for name in dict.fromkeys(wanted)}
    if output == "-":
        shown(printed[wanted[0]])
        return solution
    beside = {next(iter(places.values())).parent / name: content for name, content in solution.beside().items()}
    earlier = delivered({places[name]: content for name, content in printed.items()} | beside)
    if not quiet:
        summary(solution.document, [*places.values(), *beside], ascii, earlier)
    if open_:
        click.launch(str(next(iter(places.values()))))
    return solution


def shown(content: Content) -> None:
    """Writes one file to standard output."""
    assert isinstance(content, (str, bytes))  # `where` refuses several
    if sys.stdout is None:
        raise OSError("there is no standard output")
    sys.stdout.flush()
    sys.stdout.buffer.write(content if isinstance(content, bytes) else encoded(content))
    sys.stdout.buffer.flush()


def delivered(files: Mapping[Path, Content]) -> list[Earlier]:
    """Writes files, and folders of files, none of them where one stands in the way; says what was there before."""
    from derive.errors import InputError
    from derive.files import deliver

    for path, content in files.items():
        if isinstance(content, dict) and path.exists() and not path.is_dir():
            raise InputError("cannot be written: this is no folder", file=str(path))
        if not isinstance(content, dict) and path.is_dir():
            raise InputError("cannot be written: this is a folder", file=str(path))
    return [deliver(path, content) for path, content in files.items()]


def encoded(text: str) -> bytes:
    """Text for standard output: UTF-8, or ASCII spellings where the terminal knows nothing else."""
    from derive.dialects.text import ascii_only

    encoding = sys.stdout.encoding or "utf-8"
    try:
        return text.encode("utf-8" if not sys.stdout.isatty() else encoding)
    except UnicodeEncodeError:
        return ascii_only(text).encode("ascii")


def typeset_by(formats: Iterable[str], engine: str | None, fonts: tuple[Path, ...]) -> dict[str, Any]:
    """What is wanted of a PDF; a usage error where there is none."""
    if (engine or fonts) and "pdf" not in formats:
        raise click.UsageError("--pdf-engine and --font are for -f pdf", click.get_current_context())
    return {"engine": engine, "fonts": fonts}


def rendered(solution: Solution, name: str, ascii: bool, how: dict[str, Any]) -> Content:
    """A format as it is written: a file, or several by their names."""
    from derive.printers import FORMATS

    if FORMATS[name].several:
        return solution.pieces(name)
    if name == "text" and ascii:
        from derive.document import Book
        from derive.printers.terminal import book, page

        document = solution.document
        return book(document, ascii=True) if isinstance(document, Book) else page(document, ascii=True)
    return solution.print(name, **how) if name == "pdf" else solution.print(name)


SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".tex": "latex",
    ".typ": "typst",
    ".md": "markdown",
    ".txt": "text",
    ".json": "json",
    ".svg": "svg",
    ".png": "png",
}


def suffix_of(output: str | None) -> str:
    """The suffix of a file's name; a folder has none, whatever its dots."""
    return "" if output is None or output.endswith(("/", os.sep)) else Path(output).suffix.lower()


def guessed(output: str | None) -> tuple[str, ...]:
    """The format a file name asks for."""
    from derive.errors import InputError, nearest

    suffix = suffix_of(output)
    if suffix and suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(f"no format has the suffix {suffix} ({known}).{nearest(suffix, SUFFIXES)}", file=output or "")
    return (SUFFIXES.get(suffix, "html"),)


def where(net: str, formats: tuple[str, ...], output: str | None, *, of_all: bool = False) -> dict[str, Path]:
    """Where each format goes."""
    from derive.errors import InputError
    from derive.printers import FORMATS

    files = {name: FORMATS[name].name(of_all=of_all) for name in formats}
    single = output == "-" or bool(suffix_of(output))
    if single and len(set(formats)) > 1:
        raise InputError("one file takes one format; give a folder for several", file="--output")
    if single and any(FORMATS[name].several for name in formats):
        raise InputError(f"{formats[0]} are several files; give a folder", file="--output")
    if output == "-":
        return {}
    if output is not None and single:
        if Path(output).exists() and Path(net).exists() and Path(output).samefile(net):
            raise InputError("this is the network file itself", file=output)
        return {formats[0]: Path(output)}
    folder = Path(output) if output is not None else Path("output") / (Path(net).stem if net != "-" else "network")
    return {name: folder / file for name, file in files.items()}


def summary(document: Document, paths: list[Path], ascii: bool, earlier: Iterable[Earlier] = ()) -> None:
    """A few lines on the terminal. earlier: what became of files of an earlier run"""
    from derive.printers.terminal import Terminal

    printer = Terminal(document, ascii=ascii)
    lines = [printer.escape(document.title), *map(printer.say, document.summary), printer.passed]
    lines += [printer.word("terminal.wrote", path=str(path)) for path in paths]
    for files in earlier:
        lines += [printer.word("class.removed", files=", ".join(files.removed))] if files.removed else []
        lines += [printer.word("class.kept", files=", ".join(files.kept))] if files.kept else []
    say(lines, ascii)


def say(lines: Iterable[str], ascii: bool) -> None:
    """Lines on the terminal, in ASCII spellings where it knows nothing else."""
    from derive.dialects.text import ascii_only

    for line in lines:
        try:
            click.echo(ascii_only(line) if ascii else line)
        except UnicodeEncodeError:
            click.echo(ascii_only(line))


class Progress:
    """A spinner on a terminal, or a bar where the amount of work is known, once the work has taken a second."""

    def __init__(self, quiet: bool) -> None:
        self.wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self.status: Any = None
        self.name = ""
        self.bar: Any = None
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.timer = threading.Timer(1.0, self.show)
        self.timer.daemon = True

    def steps(self, made: int, planned: int) -> None:
        """So many of the steps are made."""
        if not self.wanted or time.monotonic() - self.began < 1:
            return
        with self.lock:
            if self.bar is None:
                from rich.console import Console
                from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
                from rich.progress import Progress as Bar

                self.stop()
                columns = TextColumn(f"{self.name} …"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
                self.bar = Bar(*columns, console=Console(stderr=True), transient=True)
                self.task = self.bar.add_task("", total=planned)
                self.bar.start()
            self.bar.update(self.task, completed=made)

    def stop(self) -> None:
        """Takes what is shown from the screen."""
        self.timer.cancel()
        for shown in (self.status, self.bar):
            if shown is not None:
                shown.stop()
        self.status = self.bar = None

    def stage(self, name: str) -> None:
        with self.lock:
            if self.bar is not None:
                self.stop()
                self.status = self.spinner()
            self.name = name
            if self.status is not None:
                self.status.update(f"{name} …")

    def spinner(self) -> Any:
        from rich.console import Console

        status = Console(stderr=True).status(f"{self.name} …")
        status.start()
        return status

    def show(self) -> None:
        with self.lock:
            if self.bar is None:
                self.status = self.spinner()

    def __enter__(self) -> Progress:
        if self.wanted:
            self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.stop()
