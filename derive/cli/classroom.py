"""The part of `derive check` that marks a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.options import with_options

if TYPE_CHECKING:
    from derive.classroom.killable import Limits

DEFAULT = ("html", "json")

options = with_options(
    click.option("--jobs", type=click.IntRange(1, 4096), metavar="N", help="A class: how many at a time."),
    click.option(
        "--executor",
        metavar="NAME",
        help="A class: who marks it; processes (default), threads (without limits), dask://host:port, or module:Class.",
    ),
    click.option("--roster", metavar="FILE", help="A class: a CSV of who is in it, or the sheet of Moodle or Canvas."),
    click.option(
        "--gradebook",
        metavar="FILE",
        help="A class: the gradebook that Canvas or Moodle exports, to be written again with the grades (gradebook.csv).",
    ),
    click.option("--column", metavar="TITLE", help="A class: where in the gradebook; a new title is a new column."),
    click.option("--id-regex", metavar="REGEX", help="A class: where ids stand in paths, 'hw_(?P<student_id>[0-9]+)'."),
    click.option(
        "--wall",
        type=click.FloatRange(0.1, 3600),
        metavar="S",
        help="A class: seconds for each submission (default 20).",
    ),
    click.option("--per-step", is_flag=True, help="A class: a column for every step in grades.csv."),
    click.option("--gradescope", is_flag=True, help="Write autograder.zip for Gradescope; with ANSWERS, results.json."),
)


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
    executor: str | None,
    wall: float | None,
    significant: int | None,
    decimals: int | None,
    comma: bool | None,
    quiet: bool,
    ascii: bool,
    open_: bool,
    **wishes: Any,
) -> int:
    """Marks a class into a folder, and says what came of it; 1 if something could not be read."""
    from derive.classroom.batch import check_class
    from derive.cli.output import Progress, suffix_of, summary
    from derive.errors import InputError
    from derive.language import Words

    stem = Path(net).stem if net != "-" else "network"
    folder = Path(output) if output is not None else Path("output") / f"{stem}-class"
    if output == "-" or suffix_of(output):
        raise InputError("the results of a class are many files: give a folder", file="--output")
    if folder.exists() and Path(answers).exists() and folder.samefile(answers):
        raise InputError("this is the folder of the submissions itself", file="--output")
    with Progress(quiet) as progress:
        progress.stage("check")
        given: dict[str, Any] = {"formats": formats or DEFAULT, "roster_file": roster, "limits": limits_of(wall)}
        given |= {"executor": executor or "processes"}
        given |= {"numbers": {"significant": significant, "decimals": decimals, "comma": comma}}
        found = check_class(net, answers, folder, progress=progress.steps, **given, **wishes)
    if not quiet:
        summary(found.document, list(found.files), ascii)
        words = Words(found.document.language)
        for key, names in (("class.removed", found.earlier.removed), ("class.kept", found.earlier.kept)):
            if names:
                click.echo(words.plain(key, files=", ".join(names)))
    if open_:
        click.launch(str(found.files[-1]))
    return found.code


def limits_of(wall: float | None) -> Limits:
    """The limits of a submission, with so many seconds where that is said."""
    from derive.classroom.killable import Limits

    return Limits() if wall is None else Limits(wall=wall)


def for_gradescope(
    net: str, answers: str | None, *, output: str | None, wall: float | None, quiet: bool, reveal: str | None, lang: str
) -> int:
    """The archive to upload, or inside of it, the results of one submission; 1 if that could not be marked."""
    from derive.classroom.gradescope import autograde, autograder
    from derive.files import write

    path, level = Path(output or ("autograder.zip" if answers is None else "results.json")), reveal or "first"
    marked = True
    if answers is None:
        write(path, autograder(net, reveal=level, lang=lang))
    else:
        marked = autograde(net, answers, path, reveal=level, lang=lang, limits=limits_of(wall))
    if not quiet:
        click.echo(f"Wrote {path}")
    return 0 if marked else 1
