"""Notes with what derive prints in them."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from derive.cli.group import main


@main.command()
@click.argument("notes", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something would change.")
@click.option("--math", type=click.Choice(["github", "dollars"]), help="How mathematics is marked (default by folder).")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language where a marker names none (default en).")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def weave(notes: tuple[Path, ...], check: bool, math: str | None, lang: str | None, quiet: bool) -> int:
    """Fill the blocks of notes in place, as `<!-- derive: net.yaml only=w5 -->` asks for.

    NOTES are files of your own text: Markdown, or TeX, where markers begin with a percent sign. What stands between a
    marker and its `/derive` is written again, nothing else.
    """
    gc.disable()  # as `run` does
    from derive.cli.output import Progress, say
    from derive.language import Words
    from derive.weaving import weave as woven

    with Progress(quiet) as progress:
        progress.stage("weave")
        found = woven(*notes, check=check, math=math, lang=lang)
    words = Words(lang or "en")
    for each in [] if quiet else found:
        key = (
            "weave.none"
            if not each.blocks
            else "weave.fresh"
            if each.fresh
            else "weave.stale"
            if check
            else "weave.woven"
        )
        counts = {"blocks": str(each.blocks), "changed": str(each.changed)}
        say([words.plain(key, path=str(each.path), **counts)], ascii=False)
        ended = [] if check else each.ended
        say((words.plain("weave.ended", path=str(each.path), line=str(line)) for line in ended), ascii=False)
    return int(check and not all(each.fresh for each in found))
