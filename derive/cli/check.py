"""Marking hand-computed answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from derive.cli import classroom, pages
from derive.cli.group import main
from derive.cli.options import completed_nets, linked, typesetting, with_options

BRIEF = ("unread", "first", "steps")  # sections that are shown on the terminal

OF_CLASS = ("jobs", "executor", "roster", "gradebook", "column", "id_regex", "wall", "per_step")
FOR_GRADESCOPE = ("output", "wall", "quiet", "reveal", "lang")

options = with_options(
    click.argument("net", shell_complete=completed_nets),
    click.argument("answers", type=click.Path(allow_dash=True), required=False),
    click.option(
        "-f", "--format", "formats", multiple=True, type=click.Choice(pages.FORMATS), help="Repeatable; default html."
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
    linked,
    typesetting,
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
        engine, fonts = wishes.pop("pdf_engine"), wishes.pop("fonts")
        if engine or fonts or {"pdf", "docx"} & {*wishes["formats"]}:
            raise click.UsageError(
                "the pages of a class are html, latex, typst, markdown, text or json", click.get_current_context()
            )
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
    pdf_engine: str | None,
    fonts: tuple[Path, ...],
    **wishes: Any,
) -> int:
    """Marks one file and writes what is to be told. 0: all right, 1: something is wrong."""
    from derive.cli.output import Progress, typeset_by
    from derive.errors import InputError
    from derive.homework.checked import check as checked

    if net == answers == "-":
        raise InputError("only one of the two can come from standard input")
    wanted = pages.asked(formats, output, ("html",))
    folder = Path("output") / f"{Path(net).stem if net != '-' else 'network'}-check"
    stem = Path(answers).stem if answers != "-" else "answers"
    places = pages.where(folder, stem, wanted, output, (net, answers))
    how = typeset_by(wanted, pdf_engine, fonts)
    with Progress(quiet) as progress:
        found = checked(net, answers, stage=progress.stage, **wishes)
        progress.stage("print")
        printed = {name: pages.rendered(found, name, ascii, how) for name in wanted}
    pages.deliver(printed, places)
    if not quiet and output != "-":
        pages.show(found.document(), lambda s: s if s.id in BRIEF else None, places.values(), ascii)
    pages.opened(places, open_)
    return 0 if found.right else 1
