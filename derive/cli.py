"""The command line: a thin skin. Everything heavy is imported inside the commands."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive import __version__

if TYPE_CHECKING:
    from derive.solution import Solution

FORMAT_NAMES = ("html", "latex", "markdown", "text", "json", "svg", "tikz", "png", "diagram-pdf")
NOTATIONS = ("standard", "mazur", "nielsen", "ng", "d2l", "bishop", "haykin", "rows")
Command = Callable[..., None]


class Group(click.Group):
    """Turns what went wrong into one line and an exit code, and knows the nearest command."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        from derive.errors import InputError, WitnessError

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # a terminal that knows few letters shows the rest by number
                stream.reconfigure(errors="backslashreplace")
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.Abort:
            fail("interrupted", 130)
        except click.ClickException as error:
            usage = isinstance(error, click.UsageError) and error.ctx is not None
            where = f" (see {error.ctx.command_path} --help)" if usage else ""  # type: ignore[attr-defined]
            fail(" ".join(error.format_message().split()) + where, error.exit_code)
        except InputError as error:
            fail(str(error), 2)
        except WitnessError as error:
            fail(f"the witnesses disagree, nothing was written: {error}", 3)
        except KeyboardInterrupt:
            fail("interrupted", 130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            if os.environ.get("DERIVE_DEBUG"):
                raise
            fail(f"cannot be written: {(error.strerror or str(error)).lower()}", 2)
        except (Exception, RecursionError) as error:  # a bug in derive: still one line, unless asked for more
            if os.environ.get("DERIVE_DEBUG"):
                raise
            fail(
                f"internal error, please report it: {type(error).__name__}: {str(error)[:200]!r} (DERIVE_DEBUG=1 shows where)",
                3,
            )

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from derive.errors import nearest

        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"No such command '{args[0]}'.{nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def fail(message: str, code: int) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be no standard error
        encoding = sys.stderr.encoding or "ascii"
        click.echo(message.encode(encoding, "backslashreplace").decode(encoding), err=True)
    sys.exit(code)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="derive %(version)s")
def main() -> None:
    """The mathematics of a small neural network, worked line by line and checked.

    NET is a network file (YAML), - for standard input, or the name of a built-in example: see `derive list`.
    """


def completed_examples(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from derive.examples import names

    return [name for name in names() if name.startswith(incomplete)]


def completed_nets(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    from derive.examples import names

    found = [CompletionItem(name) for name in names() if name.startswith(incomplete)]
    return [*found, CompletionItem(incomplete, type="file")]


def common(command: Command) -> Command:
    """NET and the options that all commands about a network share."""
    options = [
        click.argument("net", shell_complete=completed_nets),
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
        click.option(
            "--form",
            type=click.Choice(["scalar", "matrix", "both", "auto"]),
            default="auto",
            help="Unit by unit, in matrices, or both.",
        ),
        click.option("--only", metavar="ID,…", help="Only these quantities, by id or label: w5,dL/dz2."),
        click.option(
            "--level", type=click.Choice(["brief", "normal", "full"]), default="normal", help="How much to say."
        ),
        click.option("--notation", type=click.Choice(NOTATIONS), help="A family of symbols."),
        click.option("--significant", type=click.IntRange(1, 30), help="Significant digits (default 4)."),
        click.option("--decimals", type=click.IntRange(0, 30), help="Digits after the point, instead."),
        click.option("--exact", is_flag=True, default=None, help="Fractions where the network allows it."),
        click.option(
            "--round-as-you-go", is_flag=True, default=None, help="Round every intermediate value, as on paper."
        ),
        click.option("--comma", is_flag=True, default=None, help="Decimal comma."),
        click.option("--lang", type=click.Choice(["en", "zh"]), default="en", help="Language of the prose."),
        click.option("--ascii", is_flag=True, help="Text in ASCII only."),
        click.option("--open", "open_", is_flag=True, help="Open the first file written."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@common
def backprop(net: str, **options: Any) -> None:
    """The worked solution: forward pass, loss, gradient of every parameter, update."""
    run(net, backward=True, **options)


@main.command()
@common
def forward(net: str, **options: Any) -> None:
    """The worked solution up to the loss."""
    run(net, backward=False, **options)


def run(
    net: str,
    *,
    backward: bool,
    formats: tuple[str, ...],
    output: str | None,
    open_: bool,
    quiet: bool,
    ascii: bool,
    only: str | None,
    **wishes: Any,
) -> None:
    """Solves, prints everything, and only then writes."""
    gc.disable()  # a short life that leaves no cycles worth collecting; while libraries load it costs a tenth of it
    from derive.errors import InputError
    from derive.solution import solve, write

    wanted = formats or (("text",) if output == "-" else guessed(output))
    places = where(net, wanted, output)
    names = tuple(name.strip() for name in re.split(r",(?![^\[]*\])", only or "") if name.strip())
    with Progress(quiet) as progress:
        solution = solve(net, backward=backward, only=names, stage=progress.stage, **wishes)
        progress.stage("print")
        printed = {name: rendered(solution, name, ascii) for name in dict.fromkeys(wanted)}
    if output == "-":
        content = printed[wanted[0]]
        if sys.stdout is None:
            raise OSError("there is no standard output")
        sys.stdout.flush()
        sys.stdout.buffer.write(content if isinstance(content, bytes) else encoded(content))
        sys.stdout.buffer.flush()
        return
    for path in places.values():
        if path.is_dir():
            raise InputError("cannot be written: this is a folder", file=str(path))
    for name, content in printed.items():
        write(places[name], content)
    if not quiet:
        summary(solution, list(places.values()), ascii)
    if open_:
        click.launch(str(next(iter(places.values()))))


def encoded(text: str) -> bytes:
    """Text for standard output: UTF-8, or ASCII spellings where the terminal knows nothing else."""
    from derive.dialects.text import ascii_only

    encoding = sys.stdout.encoding or "utf-8"
    try:
        return text.encode("utf-8" if not sys.stdout.isatty() else encoding)
    except UnicodeEncodeError:
        return ascii_only(text).encode("ascii")


def rendered(solution: Solution, name: str, ascii: bool) -> str | bytes:
    if name == "text" and ascii:
        from derive.printers.terminal import page

        return page(solution.document, ascii=True)
    return solution.print(name)


SUFFIXES = {
    ".html": "html",
    ".htm": "html",
    ".tex": "latex",
    ".md": "markdown",
    ".txt": "text",
    ".json": "json",
    ".svg": "svg",
    ".png": "png",
    ".pdf": "diagram-pdf",
}


def suffix_of(output: str | None) -> str:
    """The suffix of a file's name; a folder has none, whatever its dots."""
    return "" if output is None or output.endswith(("/", os.sep)) else Path(output).suffix.lower()


def guessed(output: str | None) -> tuple[str, ...]:
    """The format a file name asks for."""
    from derive.errors import InputError, nearest

    suffix = suffix_of(output)
    if suffix and suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(f"no format has the suffix {suffix} ({known}).{nearest(suffix, SUFFIXES)}", file=output or "")
    return (SUFFIXES.get(suffix, "html"),)


def where(net: str, formats: tuple[str, ...], output: str | None) -> dict[str, Path]:
    """Where each format goes."""
    from derive.errors import InputError
    from derive.printers import FORMATS

    single = output == "-" or bool(suffix_of(output))
    if single and len(set(formats)) > 1:
        raise InputError("one file takes one format; give a folder for several", file="--output")
    if output == "-":
        return {}
    if output is not None and single:
        if Path(output).exists() and Path(net).exists() and Path(output).samefile(net):
            raise InputError("this is the network file itself", file=output)
        return {formats[0]: Path(output)}
    folder = Path(output) if output is not None else Path("output") / (Path(net).stem if net != "-" else "network")
    return {name: folder / FORMATS[name].file for name in formats}


def summary(solution: Solution, paths: list[Path], ascii: bool) -> None:
    """A few lines on the terminal."""
    from derive.dialects.text import ascii_only
    from derive.printers.terminal import Terminal

    printer = Terminal(solution.document, ascii=ascii)
    lines = [printer.escape(solution.document.title), *map(printer.say, solution.document.summary), printer.passed]
    lines += [printer.word("terminal.wrote", path=str(path)) for path in paths]
    for line in lines:
        try:
            click.echo(ascii_only(line) if ascii else line)
        except UnicodeEncodeError:
            click.echo(ascii_only(line))


class Progress:
    """A spinner on a terminal, once the work has taken a second."""

    def __init__(self, quiet: bool) -> None:
        self.wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self.status: Any = None
        self.name = ""
        self.lock = threading.Lock()
        self.timer = threading.Timer(1.0, self.show)
        self.timer.daemon = True

    def stage(self, name: str) -> None:
        with self.lock:
            self.name = name
            if self.status is not None:
                self.status.update(f"{name} …")

    def show(self) -> None:
        from rich.console import Console

        with self.lock:
            self.status = Console(stderr=True).status(f"{self.name} …")
            self.status.start()

    def __enter__(self) -> Progress:
        if self.wanted:
            self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        with self.lock:
            if self.status is not None:
                self.status.stop()


@main.command()
@click.argument("name", default="mazur", shell_complete=completed_examples)
@click.option("-o", "--output", metavar="PATH", help="Where to write; default NAME.yaml here; - for standard output.")
def init(name: str, output: str | None) -> None:
    """Write a starter file from a built-in example."""
    from derive.errors import InputError, nearest
    from derive.examples import names, text
    from derive.solution import write

    if name not in names():
        raise InputError(f"there is no example '{name}'.{nearest(name, names())}")
    if output == "-":
        click.echo(text(name), nl=False)
        return
    path = Path(output or f"{name}.yaml")
    if path.exists():
        raise InputError("already exists; choose another name with -o", file=str(path))
    write(path, text(name))
    click.echo(f"Wrote {path}. Next: derive backprop {path}")


@main.command("list")
def list_() -> None:
    """What exists: examples, activations, losses, optimizers, initializers, notations."""
    from derive.catalogue import catalogue

    for title, entries in catalogue().items():
        click.echo(click.style(title, bold=True))
        width = max(map(len, entries))
        for name, meaning in entries.items():
            click.echo(f"  {name:{width}}  {meaning}")
        click.echo()


@main.command()
def schema() -> None:
    """Print the JSON Schema of a network file, for editors."""
    import json

    from derive.schema import schema as network_schema

    click.echo(json.dumps(network_schema(), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
