"""Networks as code: out as a program, in from PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from derive.cli.group import main
from derive.cli.options import completed_nets

PROGRAMS = ("numpy", "torch")


@main.command()
@click.argument("net", shell_complete=completed_nets)
@click.option(
    "--to", type=click.Choice(PROGRAMS), default="numpy", help="What the program is written with (default numpy)."
)
@click.option(
    "-o", "--output", metavar="PATH", help="A file, or - for standard output. Default output/NAME/net_numpy.py."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the remarks.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def export(net: str, to: str, output: str | None, lang: str, quiet: bool) -> None:
    """Write a commented program that works every number of the page again, and holds it against the page.

    Run alone it says whether all numbers agree, and exits with 1 if one does not.
    """
    from derive.cli.output import Progress
    from derive.exports import export as exported

    folder = Path("output") / (Path(net).stem if net != "-" else "network")
    path = Path(output) if output is not None else folder / f"net_{to}.py"
    refuse(path, net, output)
    with Progress(quiet) as progress:
        text = exported(net, to, lang=lang, stage=progress.stage)
    deliver(text, path, output)
    if output != "-" and not quiet:
        click.echo(f"Wrote {path}. Next: python {path}")


def refuse(path: Path, net: str, output: str | None) -> None:
    """Before the work: what must not be written over."""
    from derive.errors import InputError

    if output == "-":
        return
    if path.is_dir():
        raise InputError("cannot be written: this is a folder", file=str(path))
    if path.exists() and Path(net).exists() and path.samefile(net):
        raise InputError("this is the file that is read", file=str(path))


def deliver(text: str, path: Path, output: str | None) -> None:
    """A text to its file, or to standard output."""
    from derive.cli.output import encoded
    from derive.solution import write

    if output != "-":
        write(path, text)
        return
    if sys.stdout is None:
        raise OSError("there is no standard output")
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(text))
    sys.stdout.buffer.flush()
