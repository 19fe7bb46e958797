"""Worksheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli import pages, variants
from derive.cli.group import main
from derive.cli.options import NOTATIONS, completed_nets, with_options

if TYPE_CHECKING:
    from derive.sheets.sheet import Worksheet

options = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.option(
        "--ask", metavar="ID,…", help="What is asked for: z1,w5,dL/d*, or forward,loss,gradients,updates,all."
    ),
    click.option("--hints", metavar="KIND,…", default="none", help="none, or steps, formulas, values: see README."),
    click.option(
        "-f",
        "--format",
        "formats",
        multiple=True,
        type=click.Choice(pages.FORMATS),
        help="Of problem, key and solution; repeatable; default html.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="PATH",
        help="A folder (default output/NAME-worksheet/); a file or - for the problem alone.",
    ),
    click.option("--title", metavar="TEXT", default="", help="In the place of the file's name."),
    click.option(
        "--form", type=click.Choice(["scalar", "matrix", "both", "auto"]), default="auto", help="Of the solution."
    ),
    click.option("--notation", type=click.Choice(NOTATIONS), help="A family of symbols."),
    click.option(
        "--significant", type=click.IntRange(1, 30), help="Significant digits that are asked for (default 3)."
    ),
    click.option("--decimals", type=click.IntRange(0, 30), help="Digits after the point, instead."),
    click.option("--comma", is_flag=True, default=None, help="Decimal comma."),
    click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose."),
    click.option("--ascii", is_flag=True, help="Text in ASCII only."),
    click.option("--open", "open_", is_flag=True, help="Open the first file written."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
)


@main.command()
@options
@variants.options
def worksheet(
    net: str,
    formats: tuple[str, ...],
    output: str | None,
    ascii: bool,
    open_: bool,
    quiet: bool,
    **wishes: Any,
) -> None:
    """An exercise to hand out: problem with blanks, key, solution, and files to write answers into.

    Beside them stands exercise.yaml, by which they are marked: `derive check exercise.yaml answers.yaml`.
    """
    from derive.cli.output import Progress, say
    from derive.files import fill
    from derive.sheets.sheet import FILLED
    from derive.sheets.sheet import worksheet as made

    given = {name: wishes.pop(name) for name in ("variants", "seed", "students", "variant", "student")}
    if variants.wanted(net, given):
        return variants.worksheets(net, formats, output, ascii, open_, quiet, given, **wishes)
    variants.alone(given)
    wanted = pages.asked(formats, output, ("html",))
    with Progress(quiet) as progress:
        found = made(net, stage=progress.stage, **wishes)
        progress.stage("print")
        printed, places = files(found, net, wanted, output, ascii)
    if "exercise.yaml" in printed:
        fill(places["exercise.yaml"].parent, printed, FILLED)
    else:
        pages.deliver(printed, places)
    if not quiet and output != "-":
        say(told(found, places.values(), ascii), ascii)
    pages.opened(places, open_)


def files(
    found: Worksheet, net: str, wanted: tuple[str, ...], output: str | None, ascii: bool
) -> tuple[dict[str, str | bytes], dict[str, Path]]:
    """(what is written, where each goes): everything into a folder, or the problem alone into a file."""
    from derive.cli.output import suffix_of
    from derive.errors import InputError
    from derive.printers.terminal import page
    from derive.sheets.sheet import PAGES

    if output == "-" or suffix_of(output):
        places = pages.where(Path(), "problem", wanted, output, (net,))
        plain = wanted[0] == "text" and ascii
        return {wanted[0]: page(found.problem, ascii=True) if plain else found.print("problem", wanted[0])}, places
    printed = found.files(wanted)
    if ascii:
        printed |= {f"{what}.txt": page(getattr(found, what), ascii=True) for what in PAGES if f"{what}.txt" in printed}
    folder = Path(output) if output else Path("output") / f"{Path(net).stem if net != '-' else 'network'}-worksheet"
    places = {name: folder / name for name in printed}
    for path in places.values():
        if path.exists() and Path(net).exists() and path.samefile(net):
            raise InputError("this is one of the files to be read", file=str(path))
    return printed, places


def told(found: Worksheet, paths: Iterable[Path], ascii: bool) -> Iterator[str]:
    """A few lines on the terminal: how much is asked for, and what was written."""
    from derive.printers.terminal import Terminal
    from derive.sheets.problem import points

    printer = Terminal(found.problem, ascii=ascii)
    yield printer.escape(found.problem.title)
    counts = {"count": f"{len(found.rows):,}", "questions": f"{len(found.questions):,}"}
    yield printer.word("sheet.count", **counts, points=points(found.most))
    if hidden := found.hidden:
        yield printer.word("sheet.hidden", count=f"{hidden:,}")
    yield from (printer.word("terminal.wrote", path=str(path)) for path in paths)
