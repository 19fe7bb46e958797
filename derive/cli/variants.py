"""The part of `derive worksheet` that gives everybody numbers of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.options import with_options

if TYPE_CHECKING:
    from derive.document import Say
    from derive.homework.manifest import Manifest, Variant

#: What a manifest says, and the command line does not say again.
SAID = ("ask", "hints", "title", "form", "notation", "significant", "decimals", "comma", "lang")

options = with_options(
    click.option("--variants", type=click.IntRange(1, 2000), metavar="N", help="So many, each with other numbers."),
    click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="What the numbers are drawn from (default 0)."),
    click.option(
        "--students", metavar="FILE", help="A CSV with student_id: a variant for each, in the order of the file."
    ),
    click.option("--variant", type=click.IntRange(0), metavar="N", help="NET is a manifest: this one again."),
    click.option("--student", metavar="ID", help="NET is a manifest: the one of this student again."),
)


def wanted(net: str, wishes: dict[str, Any]) -> bool:
    """Whether variants are asked for, or a manifest of them is given."""
    return any(wishes[name] is not None for name in ("variants", "students")) or is_manifest(net)


def is_manifest(net: str) -> bool:
    """Whether this is a file that says so."""
    if net == "-" or not Path(net).is_file():
        return False
    from derive.homework.manifest import KIND

    with Path(net).open("rb") as stream:
        return KIND.encode() in stream.read(1000)


def alone(given: dict[str, Any]) -> None:
    """Refuses what only variants have."""
    if used := [name for name, value in given.items() if value is not None]:
        what = (
            "is for a manifest of variants" if used[0] in ("variant", "student") else "needs --variants or --students"
        )
        raise click.UsageError(f"--{used[0]} {what}", click.get_current_context())


def worksheets(
    net: str,
    formats: tuple[str, ...],
    output: str | None,
    ascii: bool,
    open_: bool,
    quiet: bool,
    given: dict[str, Any],
    **wishes: Any,
) -> None:
    """Draws variants, or makes those of a manifest again, and writes a folder for each."""
    from derive.cli.output import Progress, suffix_of
    from derive.errors import InputError

    if output == "-" or suffix_of(output):
        raise InputError("variants are many files: give a folder", file="--output")
    with Progress(quiet) as progress:
        if is_manifest(net):
            manifest, chosen, told = again(net, given)
        else:
            manifest, told = drawn(net, progress, given, wishes)
            chosen = None
        single = chosen is not None and len(chosen) == 1
        name = chosen[0].id if chosen and single else manifest.original.name
        folder = Path(output) if output else Path("output") / f"{plain(name)}-worksheet"
        if single and chosen:
            paths = one(manifest, chosen[0], folder, formats or ("html",), progress)
        else:
            paths = several(manifest, folder, formats or ("html",), progress, Path(net))
    if not quiet:
        show(told, paths, ascii, wishes["lang"])
    if open_:
        click.launch(str(paths[0]))


def drawn(net: str, progress: Any, given: dict[str, Any], wishes: dict[str, Any]) -> tuple[Manifest, list[Say]]:
    """New variants, and what is said of them."""
    from derive.classroom import roster
    from derive.sheets.manifest import variants
    from derive.sheets.sheet import worksheet

    for name in ("variant", "student"):
        if given[name] is not None:
            raise click.UsageError(f"--{name} is for a manifest of variants", click.get_current_context())
    students = [one.id for one in roster.read(given["students"]).students] if given["students"] else []
    numbers = range(1, (given["variants"] or len(students)) + 1)
    sheet = worksheet(net, stage=progress.stage, **wishes)
    progress.stage("draw")
    found = variants(sheet, numbers, given["seed"] or 0, students=students, wishes=wishes, progress=progress.steps)
    return found.manifest, list(found.told())


def again(net: str, given: dict[str, Any]) -> tuple[Manifest, list[Variant] | None, list[Say]]:
    """The variants of a manifest, or the one that is asked for."""
    from derive.homework.manifest import opened

    context = click.get_current_context()
    said = [name for name in SAID if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT]
    said += [name for name in ("variants", "seed", "students") if given[name] is not None]
    if said:
        raise click.UsageError(f"--{said[0]}: that stands in the manifest", context)
    if given["variant"] is not None and given["student"] is not None:
        raise click.UsageError("give either --variant or --student", context)
    manifest = opened(net)
    if given["variant"] is not None:
        return manifest, [manifest.variant(given["variant"])], []
    if given["student"] is not None:
        return manifest, [manifest.variant_of(given["student"])], []
    return manifest, None, []


def one(manifest: Manifest, variant: Variant, folder: Path, formats: tuple[str, ...], progress: Any) -> list[Path]:
    """Writes one variant into a folder."""
    from derive.sheets.manifest import sheet_of

    return sheet_of(manifest, variant, stage=progress.stage).save(folder, formats)


def several(manifest: Manifest, folder: Path, formats: tuple[str, ...], progress: Any, net: Path) -> list[Path]:
    """Writes all variants, each into a folder of its own, and the manifest beside them."""
    from derive.files import Results
    from derive.sheets.manifest import FILE, sheet_of
    from derive.sheets.sheet import FILLED

    results = Results(folder, FILLED)
    for name in results.listed:
        results.refuse(name)
    if not ((folder / FILE).exists() and net.exists() and net.samefile(folder / FILE)):
        results.write(FILE, manifest.text())
    progress.stage("print")
    for made, variant in enumerate(manifest.variants, 1):
        for name, content in sheet_of(manifest, variant).files(formats).items():
            results.write(f"{folder_of(variant)}/{name}", content)
        progress.steps(made, len(manifest.variants))
    results.finish()
    ends = dict.fromkeys(folder_of(variant) for variant in (manifest.variants[0], manifest.variants[-1]))
    return [folder / FILE, *(folder / name for name in ends)]


def folder_of(variant: Variant) -> str:
    return f"variant-{variant.number:02d}"


def plain(name: str) -> str:
    """A name as that of a folder."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "network"


def show(told: list[Say], paths: list[Path], ascii: bool, lang: str) -> None:
    """A few lines on the terminal."""
    from derive.cli.output import say
    from derive.language import Words

    words = Words(lang)
    lines = [words.plain(sentence.key, **sentence.args) for sentence in told]
    say([*lines, *(words.plain("terminal.wrote", path=str(path)) for path in paths)], ascii)
