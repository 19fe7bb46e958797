"""Marking hand-computed answers."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli import classroom
from derive.cli.group import main
from derive.cli.options import completed_nets, with_options

if TYPE_CHECKING:
    from derive.homework.checked import Checked

FORMATS = ("html", "latex", "markdown", "text", "json")
NARROWEST, WIDEST = 60, 100  # columns of what is shown on the terminal

OF_CLASS = ("jobs", "executor", "roster", "gradebook", "column", "id_regex", "wall", "per_step")
FOR_GRADESCOPE = ("output", "wall", "quiet", "reveal", "lang")

options = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.argument("answers", type=click.Path(allow_dash=True), required=False),
    click.option(
        "-f", "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Repeatable; default html."
    ),
    click.option(
        "-o",
        "--output",
        metavar="PATH",
        help="A file (with a suffix), a folder, or - for standard output. Default output/NAME-check/.",
    ),
    click.option(
        "--reveal",
        type=click.Choice(["none", "first", "steps", "all"]),
        help="How much to tell: the points; up to the first error (default); every verdict; the worked solution beside "
        "the answers. JSON tells everything unless this is given.",
    ),
    click.option("--significant", type=click.IntRange(1, 30), help="Significant digits of what is shown (default 4)."),
    click.option("--decimals", type=click.IntRange(0, 30), help="Digits after the point, instead."),
    click.option(
        "--comma",
        is_flag=True,
        default=None,
        help="Decimal comma in what is shown, and in answers that do not say `decimal:`.",
    ),
    click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose."),
    click.option("--lessons", metavar="URL", help="Where the page of `derive explain --all` stands, to link to it."),
    click.option("--ascii", is_flag=True, help="Text in ASCII only."),
    click.option("--open", "open_", is_flag=True, help="Open the first file written."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
)


@main.command()
@options
@classroom.options
def check(net: str, answers: str | None, gradescope: bool, **wishes: Any) -> int:
    """Mark hand-computed answers: the first real error, and what follows correctly from it.

    ANSWERS is a file: answers.yaml, the same as JSON or TOML, a CSV table, or the Markdown worksheet. Or it is a class: a
    folder, a zip archive, or a table with a column student_id. What is asked for (digits, points) stands under
    `check:` in the network file. Exits with 1 where something is wrong, of a class where something cannot be read.
    """
    if gradescope:
        return classroom.for_gradescope(net, answers, **{name: wishes[name] for name in FOR_GRADESCOPE})
    if answers is None:
        raise click.UsageError("Missing argument 'ANSWERS'.", click.get_current_context())
    if answers != "-" and classroom.is_class(Path(answers)):
        return classroom.of_class(net, answers, **wishes)
    if used := [name for name in OF_CLASS if wishes.pop(name)]:
        option = used[0].replace("_", "-")
        raise click.UsageError(f"--{option} is for a class, and this is one file", click.get_current_context())
    return check_file(net, answers, **wishes)


def check_file(
    net: str,
    answers: str,
    *,
    formats: tuple[str, ...],
    output: str | None,
    ascii: bool,
    open_: bool,
    quiet: bool,
    **wishes: Any,
) -> int:
    """Marks one file and writes what is to be told. 0: all right, 1: something is wrong."""
    from derive.cli.output import Progress, encoded
    from derive.errors import InputError
    from derive.homework.checked import check as checked
    from derive.solution import write

    if net == answers == "-":
        raise InputError("only one of the two can come from standard input")
    wanted = tuple(dict.fromkeys(formats or (("text",) if output == "-" else guessed(output))))
    places = where(net, answers, wanted, output)
    with Progress(quiet) as progress:
        found = checked(net, answers, stage=progress.stage, **wishes)
        progress.stage("print")
        printed = {name: rendered(found, name, ascii) for name in wanted}
    if output == "-":
        if sys.stdout is None:
            raise OSError("there is no standard output")
        sys.stdout.flush()
        sys.stdout.buffer.write(encoded(printed[wanted[0]]))
        sys.stdout.buffer.flush()
        return 0 if found.right else 1
    for path in places.values():
        if path.is_dir():
            raise InputError("cannot be written: this is a folder", file=str(path))
    for name, content in printed.items():
        write(places[name], content)
    if not quiet:
        show(found, list(places.values()), ascii)
    if open_:
        click.launch(str(next(iter(places.values()))))
    return 0 if found.right else 1


def rendered(found: Checked, name: str, ascii: bool) -> str:
    if name == "text" and ascii:
        from derive.printers.terminal import page

        return page(found.document(), ascii=True)
    return found.print(name)


def guessed(output: str | None) -> tuple[str, ...]:
    """The format a file name asks for."""
    from derive.cli.output import guessed as by_suffix
    from derive.errors import InputError

    (name,) = by_suffix(output)
    if name not in FORMATS:
        raise InputError(f"marked work is no picture; choose one of {', '.join(FORMATS)}", file=output or "")
    return (name,)


def where(net: str, answers: str, formats: tuple[str, ...], output: str | None) -> dict[str, Path]:
    """Where each format goes: into a folder under the name of the answers, or into the one file."""
    from derive.cli.output import suffix_of
    from derive.errors import InputError
    from derive.homework.checked import SUFFIX

    single = output == "-" or bool(suffix_of(output))
    if single and len(formats) > 1:
        raise InputError("one file takes one format; give a folder for several", file="--output")
    if output == "-":
        return {}
    stem = Path(answers).stem if answers != "-" else "answers"
    folder = Path(output) if output else Path("output") / f"{Path(net).stem if net != '-' else 'network'}-check"
    found = {name: Path(output) if output and single else folder / f"{stem}{SUFFIX[name]}" for name in formats}
    for path in found.values():
        if any(path.exists() and Path(given).exists() and path.samefile(given) for given in (net, answers)):
            raise InputError("this is one of the files to be read", file=str(path))
    return found


def show(found: Checked, paths: list[Path], ascii: bool) -> None:
    """The page on the terminal, up to the table of all steps, and what was written."""
    from dataclasses import replace

    from derive.dialects.text import ascii_only
    from derive.printers.terminal import Terminal

    document = found.document()
    brief = replace(document, sections=tuple(s for s in document.sections if s.id in ("unread", "first", "steps")))
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    printer = Terminal(brief, width, ascii=ascii)
    lines = [*printer.headed(printer.escape(document.title), "="), *map(printer.say, document.summary), ""]
    lines += printer.sections()
    lines += [printer.word("terminal.wrote", path=str(path)) for path in paths]
    for line in lines:
        try:
            click.echo(ascii_only(line) if ascii else line)
        except UnicodeEncodeError:
            click.echo(ascii_only(line))
