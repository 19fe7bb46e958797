"""What an exercise hides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli import pages
from derive.cli.group import main
from derive.cli.options import completed_nets, typesetting, with_options

if TYPE_CHECKING:
    from derive.document import Section

BRIEF = ("degenerate", "hidden", "twins", "suggested")  # sections that are shown on the terminal

options = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.option(
        "-f", "--format", "formats", multiple=True, type=click.Choice(pages.FORMATS), help="Repeatable; default none."
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
    typesetting,
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
    pdf_engine: str | None,
    fonts: tuple[Path, ...],
    **wishes: Any,
) -> int:
    """Which mistakes the numbers of an exercise would hide, or make look alike.

    Every rule of the list of mistakes is tried at every step, at the digits that `check:` in the network file asks
    for. Data that hide mistakes are named, and numbers close by that show more are suggested.
    """
    from derive.cli.output import Progress, typeset_by
    from derive.homework.linted import lint as linted

    wanted = pages.asked(formats, output, ())
    folder = Path("output") / f"{Path(net).stem if net != '-' else 'network'}-lint"
    places = pages.where(folder, "lint", wanted, output, (net,))
    names = tuple(name.strip() for name in re.split(r",(?![^\[]*\])", only or "") if name.strip())
    how = typeset_by(wanted, pdf_engine, fonts)
    with Progress(quiet) as progress:
        found = linted(net, only=names, stage=progress.stage, **wishes)
        progress.stage("print")
        printed = {name: pages.rendered(found, name, ascii, how) for name in wanted}
    pages.deliver(printed, places)
    if not quiet and output != "-":
        pages.show(found.document(), brief, places.values(), ascii)
    pages.opened(places, open_)
    return 1 if strict and not found.clean else 0


def brief(section: Section) -> Section | None:
    """A section without what no numbers could change; None where nothing is left of it."""
    from dataclasses import replace

    from derive.document import Table

    blocks = tuple(block for block in section.blocks if not (isinstance(block, Table) and block.fold))
    return replace(section, blocks=blocks) if section.id in BRIEF and blocks else None
