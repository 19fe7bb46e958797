"""The command that marks hand-computed answers: one file, or a class."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from derive.cli.group import main
from derive.cli.options import completed_nets
from derive.cli.output import Progress, suffix_of

REVEAL = ("none", "first", "steps", "all")
PAGES = ("html", "latex", "markdown", "text", "json")


@main.command()
@click.argument("net", shell_complete=completed_nets)
@click.argument("answers", required=False, type=click.Path())
@click.option("-f", "--format", "formats", multiple=True, type=click.Choice(PAGES), help="Repeatable; default html.")
@click.option("-o", "--output", metavar="PATH", help="A file (with a suffix) or a folder. Default output/NAME/.")
@click.option(
    "--reveal",
    type=click.Choice(REVEAL),
    default="first",
    help="How much of the key is told: what the first error should have been (the default), every step, all, nothing.",
)
@click.option("--jobs", type=click.IntRange(1, 4096), metavar="N", help="Submissions at a time (default: processors).")
@click.option(
    "--executor",
    metavar="NAME",
    default="processes",
    help="Who marks a class: processes, threads (no limits), dask://host:port, or a class module:Class.",
)
@click.option("--roster", metavar="FILE", help="A CSV of who should have handed in, or the sheet of Moodle or Canvas.")
@click.option("--id-regex", metavar="REGEX", help="Where in a path the id stands: 'hw_(?P<student_id>[a-z0-9]+)'.")
@click.option(
    "--wall", type=click.FloatRange(0.1, 3600), default=20.0, metavar="S", help="Seconds for each submission."
)
@click.option("--per-step", is_flag=True, help="A column for every step in grades.csv.")
@click.option("--gradescope", is_flag=True, help="Write what Gradescope runs; with ANSWERS its results.json.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def check(net: str, answers: str | None, *, gradescope: bool, **options: Any) -> int:
    """Mark hand-computed answers: each step against the key and against the student's own earlier numbers.

    ANSWERS is one student's file, or a class: a folder, a zip archive, or a table with a column student_id.
    """
    if gradescope:
        return for_gradescope(net, answers, **options)
    if answers is None:
        raise click.UsageError("Missing argument 'ANSWERS'.", click.get_current_context())
    if is_class(Path(answers)):
        return of_class(net, answers, **options)
    chosen = {name: options[name] for name in ("formats", "output", "reveal", "lang", "quiet")}
    return int(import_module("derive.homework.report").check_one(net, answers, **chosen))


def is_class(path: Path) -> bool:
    """Whether this holds the answers of many: a folder, an archive, a table that says whose each row is."""
    if path.is_dir() or path.suffix.lower() == ".zip":
        return True
    if path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return False
    with path.open("rb") as stream:
        return b"student_id" in b"".join(stream.readline(2000) for _ in range(2)).lower()  # after a line sep=;


def of_class(
    net: str,
    answers: str,
    *,
    output: str | None,
    formats: tuple[str, ...],
    roster: str | None,
    wall: float,
    quiet: bool,
    **wishes: Any,
) -> int:
    """Marks a class into a folder, and says what came of it; 1 if something could not be read."""
    from derive.classroom.batch import check_class
    from derive.classroom.killable import Limits
    from derive.errors import InputError
    from derive.printers.terminal import Terminal

    folder = Path(output) if output is not None else Path("output") / (Path(net).stem if net != "-" else "network")
    if output == "-" or suffix_of(output):
        raise InputError("the results of a class are many files: give a folder", file="--output")
    if folder.exists() and Path(answers).exists() and folder.samefile(answers):
        raise InputError("this is the folder of the submissions itself", file="--output")
    with Progress(quiet) as progress:
        progress.stage("check")
        given: dict[str, Any] = {
            "formats": formats or ("html", "json"),
            "roster_file": roster,
            "limits": Limits(wall=wall),
        }
        found = check_class(net, answers, folder, progress=progress.steps, **given, **wishes)
    if not quiet:
        printer = Terminal(found.document)
        lines = [printer.escape(found.document.title), *map(printer.say, found.document.summary)]
        for line in [*lines, *(printer.word("terminal.wrote", path=str(path)) for path in found.files)]:
            click.echo(line)
    return found.code


def for_gradescope(
    net: str, answers: str | None, *, output: str | None, wall: float, quiet: bool, reveal: str, lang: str, **_: Any
) -> int:
    """The archive to upload, or inside of it, the results of one submission; 1 if that could not be marked."""
    from derive.classroom.gradescope import autograde, autograder
    from derive.classroom.killable import Limits
    from derive.solution import write

    path = Path(output or ("autograder.zip" if answers is None else "results.json"))
    marked = True
    if answers is None:
        write(path, autograder(net, reveal=reveal, lang=lang))
    else:
        marked = autograde(net, answers, path, reveal=reveal, lang=lang, limits=Limits(wall=wall))
    if not quiet:
        click.echo(f"Wrote {path}")
    return 0 if marked else 1
