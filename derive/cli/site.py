"""The documentation site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.cli.group import main

if TYPE_CHECKING:
    from derive.site.pages import Command


@main.command()
@click.option("-o", "--output", metavar="FOLDER", default="output/site", help="Where to; default output/site/.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose.")
@click.option("--open", "open_", is_flag=True, help="Open the first page.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def site(output: str, lang: str, open_: bool, quiet: bool) -> None:
    """The documentation as a folder of web pages: guide, gallery, lessons, reference and errata.

    Everything in it is worked out when it is built, and checked; the pages need no network and no server. Files of an
    earlier build that this one does not write are removed, if they are as derive left them.
    """
    from derive.cli.output import Progress
    from derive.errors import InputError
    from derive.language import Words
    from derive.site.build import build
    from derive.site.pages import Site

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError("cannot be written: this is no folder", file=output)
    with Progress(quiet) as shown:
        built = build(Site(Words(lang), tuple(commands())), stage=shown.stage, progress=shown.steps)
        shown.stage("write")
        earlier = built.save(folder)
    words = Words(lang)
    if not quiet:
        click.echo(
            words.plain(
                "site.wrote", path=str(folder / "index.html"), pages=built.pages, size=f"{built.size / 1e6:.1f}"
            )
        )
        if earlier.removed:
            click.echo(words.plain("site.removed", count=len(earlier.removed)))
        for name in earlier.kept:
            click.echo(words.plain("site.kept", name=name))
    if open_:
        click.launch(str(folder / "index.html"))


def commands() -> Iterator[Command]:
    """Every command as its help tells it, in the order of `derive --help`."""
    from derive.site.pages import Command, Option

    top = click.Context(main, info_name="derive", **main.context_settings)
    for name in main.list_commands(top):
        command = main.get_command(top, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=top)
        usage = f"derive {name} {' '.join(command.collect_usage_pieces(context))}"
        records = [param.get_help_record(context) for param in command.get_params(context)]
        options = tuple(Option(*record) for record in records if record is not None)
        paragraphs = re.split(r"\n\s*\n", (command.help or "").replace("\b", "").strip())
        yield Command(name, usage, tuple(" ".join(text.split()) for text in paragraphs if text), options)
