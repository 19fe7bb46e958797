"""Networks as code: out as a program, in from PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    from derive.cli.output import shown
    from derive.files import write

    if output == "-":
        shown(text)
    else:
        write(path, text)


@main.command("from-torch")
@click.argument("file", metavar="MODEL.PT")
@click.option(
    "-o", "--output", metavar="PATH", help="The network file, or - for standard output. Default NAME.yaml here."
)
@click.option("--layers", metavar="NAME,…", help="All layers in order: linear,relu,linear,softmax.")
@click.option("--activation", metavar="NAME", help="The activation between the linear layers, instead.")
@click.option("--inputs", metavar="NUMBERS", help="One sample, [1, 2], or rows of samples, [[1, 2], [3, 4]].")
@click.option("--targets", metavar="NUMBERS", help="Values, rows of values, or classes, [0, 1].")
@click.option("--loss", metavar="NAME", help="The loss function.")
@click.option("--optimizer", metavar="NAME", help="The optimizer.")
@click.option("--lr", type=float, help="Its learning rate.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the remarks.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def from_torch(file: str, output: str | None, lang: str, quiet: bool, **given: Any) -> None:
    """Write a network file from the weights that `torch.save(model.state_dict(), "model.pt")` wrote.

    A state dict has layers and their numbers; what is between them, the data, the loss and the optimizer are options,
    or are filled in by hand. Nothing in the file is run. This needs PyTorch: pip install 'derive-backprop[torch]'.
    """
    from derive.imports.weights import from_weights
    from derive.language import Words

    words = Words(lang)
    path = Path(f"{Path(file).stem}.yaml" if output is None else output)
    refuse(path, file, output)
    if output is None and path.exists():
        from derive.errors import InputError

        raise InputError("already exists; choose another name with -o", file=str(path))
    net, missing = from_weights(file, **given)
    told = (words.plain("from_torch.exact"), *(words.plain(f"from_torch.{key}") for key in missing))
    if output == "-":
        deliver(net.text(told), path, output)
        return
    written = net.save(path, told)
    if not quiet:
        for line in (*(f"Wrote {done}." for done in written), *told[1:]):
            click.echo(line)
