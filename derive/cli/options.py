"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FORMAT_NAMES = (
    "html",
    "pdf",
    "docx",
    "latex",
    "typst",
    "markdown",
    "text",
    "json",
    "fragments",
    "markdown-fragments",
    "svg",
    "tikz",
    "png",
    "diagram-pdf",
)
ENGINE_NAMES = ("typst", "xelatex", "pdflatex", "chromium")
NOTATIONS = ("standard", "mazur", "nielsen", "ng", "d2l", "bishop", "haykin", "rows")
Command = Callable[..., Any]


def completed_examples(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from derive.examples import names

    return [name for name in names() if name.startswith(incomplete)]


def completed_topics(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from derive.lessons import topics

    return [topic for topic in topics() if topic.startswith(incomplete)]


def completed_nets(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    from derive.examples import names

    found = [CompletionItem(name) for name in names() if name.startswith(incomplete)]
    return [*found, CompletionItem(incomplete, type="file")]


def checked_address(ctx: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    from derive.addresses import address

    return given if given is None else address(given)


def with_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options at once, in the order in which help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


#: Of all commands that make PDFs.
typesetting = with_options(
    click.option(
        "--pdf-engine",
        type=click.Choice(ENGINE_NAMES),
        help="What makes the PDF. Default: the first of these that is installed.",
    ),
    click.option(
        "--font",
        "fonts",
        multiple=True,
        metavar="PATH",
        type=click.Path(exists=True, path_type=Path),
        help="A font, or a folder of fonts, for the PDF; repeatable.",
    ),
)
#: Of all commands whose pages link to lessons.
linked = click.option(
    "--lessons",
    metavar="URL",
    callback=checked_address,
    help="Where the page of `derive explain --all` stands, to link to it.",
)
#: Of all commands that derive something: what is printed, how numbers look, where it goes.
page = with_options(
    click.option(
        "-f",
        "--format",
        "formats",
        multiple=True,
        type=click.Choice(FORMAT_NAMES),
        help="Repeatable; default html.",
    ),
    click.option(
        "-o",
        "--output",
        metavar="PATH",
        help="A file (with a suffix), a folder, or - for standard output. Default output/NAME/.",
    ),
    click.option("--only", metavar="ID,…", help="Only these quantities, by id or label: w5,dL/dz2."),
    click.option("--level", type=click.Choice(["brief", "normal", "full"]), default="normal", help="How much to say."),
    click.option("--significant", type=click.IntRange(1, 30), help="Significant digits (default 4)."),
    click.option("--decimals", type=click.IntRange(0, 30), help="Digits after the point, instead."),
    click.option("--exact", is_flag=True, default=None, help="Fractions where the network allows it."),
    click.option("--round-as-you-go", is_flag=True, default=None, help="Round every intermediate value, as on paper."),
    click.option("--comma", is_flag=True, default=None, help="Decimal comma."),
    click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose."),
    linked,
    typesetting,
    click.option("--labels", metavar="PREFIX", help="Numbered equations in fragments, to \\ref: PREFIX:forward-2-z."),
    click.option("--ascii", is_flag=True, help="Text in ASCII only."),
    click.option("--open", "open_", is_flag=True, help="Open the first file written."),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
)
#: Of all commands about a network.
common = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.option(
        "--form",
        type=click.Choice(["scalar", "matrix", "both", "auto"]),
        default="auto",
        help="Unit by unit, in matrices, or both.",
    ),
    click.option("--notation", type=click.Choice(NOTATIONS), help="A family of symbols."),
    page,
)
