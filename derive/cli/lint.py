"""What an exercise hides."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.group import main
from derive.cli.options import completed_nets, with_options

if TYPE_CHECKING:
    from derive.homework.linted import Linted

FORMATS = ("html", "latex", "markdown", "text", "json")
NARROWEST, WIDEST = 60, 100  # columns of what is shown on the terminal
BRIEF = ("degenerate", "hidden", "twins", "suggested")  # sections that are shown there

options = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.option(
        "-f", "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Repeatable; default none."
    ),
    click.option(
        "-o",
        "--output",
        metavar="PATH",
        help="A file (with a suffix), a folder, or - for standard output. Default output/NAME-lint/.",
    ),
    click.option("--only", metavar="ID,…", help="Only these steps are asked for, by id or label: w5+,dL/dW1."),
    click.option(
        "--significant", type=click.IntRange(1, 15), help="Significant digits that are asked for (default 3)."
    ),
    click.option("--decimals", type=click.IntRange(0, 15), help="Digits after the point, instead."),
    click.option(
        "--suggest/--no-suggest", default=True, help="Whether to look for numbers close by that show more (default)."
    ),
    click.option("--strict", is_flag=True, help="Exit with 1 where there is anything to warn of."),
    click.option("--comma", is_flag=True, default=None, help="Decimal comma in what is shown."),
    click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose."),
    click.option("--ascii", is_flag=True, help="Text in ASCII only."),
    click.option("--open", "open_", is_flag=True, help="Open the first file written."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
)


@main.command()
@options
def lint(
    net: str,
    formats: tuple[str, ...],
    output: str | None,
    only: str | None,
    strict: bool,
    ascii: bool,
    open_: bool,
    quiet: bool,
    **wishes: Any,
) -> int:
    """Which mistakes the numbers of an exercise would hide, or make look alike.

    Every rule of the list of mistakes is tried at every step, at the digits that `check:` in the network file asks
    for. Data that hide mistakes are named, and numbers close by that show more are suggested.
    """
    from derive.cli.output import Progress, encoded
    from derive.errors import InputError
    from derive.homework.linted import lint as linted
    from derive.solution import write

    wanted = tuple(dict.fromkeys(formats or named(output)))
    places = where(net, wanted, output)
    names = tuple(name.strip() for name in re.split(r",(?![^\[]*\])", only or "") if name.strip())
    with Progress(quiet) as progress:
        found = linted(net, only=names, stage=progress.stage, **wishes)
        progress.stage("print")
        printed = {name: rendered(found, name, ascii) for name in wanted}
    code = 1 if strict and not found.clean else 0
    if output == "-":
        if sys.stdout is None:
            raise OSError("there is no standard output")
        sys.stdout.flush()
        sys.stdout.buffer.write(encoded(printed[wanted[0]]))
        sys.stdout.buffer.flush()
        return code
    for path in places.values():
        if path.is_dir():
            raise InputError("cannot be written: this is a folder", file=str(path))
    for name, content in printed.items():
        write(places[name], content)
    if not quiet:
        show(found, list(places.values()), ascii)
    if open_ and places:
        click.launch(str(next(iter(places.values()))))
    return code


def rendered(found: Linted, name: str, ascii: bool) -> str:
    if name == "text" and ascii:
        from derive.printers.terminal import page

        return page(found.document(), ascii=True)
    return found.print(name)


def named(output: str | None) -> tuple[str, ...]:
    """The format a file name asks for: none without a file, text on standard output."""
    from derive.cli.output import guessed
    from derive.errors import InputError

    if output is None:
        return ()
    if output == "-":
        return ("text",)
    (name,) = guessed(output)
    if name not in FORMATS:
        raise InputError(f"this is no picture; choose one of {', '.join(FORMATS)}", file=output)
    return (name,)


def where(net: str, formats: tuple[str, ...], output: str | None) -> dict[str, Path]:
    """Where each format goes: into a folder under the name of the network, or into the one file."""
    from derive.cli.output import suffix_of
    from derive.errors import InputError
    from derive.homework.checked import SUFFIX

    single = output == "-" or bool(suffix_of(output))
    if single and len(formats) > 1:
        raise InputError("one file takes one format; give a folder for several", file="--output")
    if output == "-":
        return {}
    stem = Path(net).stem if net != "-" else "network"
    folder = Path(output) if output else Path("output") / f"{stem}-lint"
    found = {name: Path(output) if output and single else folder / f"lint{SUFFIX[name]}" for name in formats}
    for path in found.values():
        if path.exists() and Path(net).exists() and path.samefile(net):
            raise InputError("this is the network file itself", file=str(path))
    return found


def show(found: Linted, paths: list[Path], ascii: bool) -> None:
    """The page on the terminal, without what no numbers could change, and what was written."""
    from dataclasses import replace

    from derive.dialects.text import ascii_only
    from derive.document import Table
    from derive.printers.terminal import Terminal

    document = found.document()
    sections = []
    for section in document.sections:
        blocks = tuple(block for block in section.blocks if not (isinstance(block, Table) and block.fold))
        if section.id in BRIEF and blocks:
            sections.append(replace(section, blocks=blocks))
    width = max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))
    printer = Terminal(replace(document, sections=tuple(sections)), width, ascii=ascii)
    lines = [*printer.headed(printer.escape(document.title), "="), *printer.lead(), *printer.sections()]
    lines += [printer.word("terminal.wrote", path=str(path)) for path in paths]
    for line in lines:
        try:
            click.echo(ascii_only(line) if ascii else line)
        except UnicodeEncodeError:
            click.echo(ascii_only(line))
