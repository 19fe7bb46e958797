"""Commands about derive itself: what exists, and how to start."""

from __future__ import annotations

from pathlib import Path

import click

from derive.cli.group import main
from derive.cli.options import completed_examples


@main.command()
@click.argument("name", default="mazur", shell_complete=completed_examples)
@click.option("-o", "--output", metavar="PATH", help="Where to write; default NAME.yaml here; - for standard output.")
def init(name: str, output: str | None) -> None:
    """Write a starter file from a built-in example."""
    from derive.errors import LISTED, InputError, nearest
    from derive.examples import names, text
    from derive.files import write

    if name not in names():
        raise InputError(f"there is no example '{name}'.{nearest(name, names()) or LISTED}")
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
    """What exists: examples, activations, losses, optimizers, schedules, initializers, notations, lessons."""
    from derive.catalogue import catalogue

    for title, entries in catalogue().items():
        click.echo(click.style(title, bold=True))
        width = max(map(len, entries))
        for name, meaning in entries.items():
            click.echo(f"  {name:{width}}  {meaning}")
        click.echo()


@main.command()
@click.option("--answers", is_flag=True, help="That of the answers that `derive check` marks.")
@click.option("--variants", is_flag=True, help="That of the manifest that `derive worksheet --variants` writes.")
def schema(answers: bool, variants: bool) -> None:
    """Print the JSON Schema of a network file, for editors; with --answers, that of answers.yaml; with --variants, of manifest.yaml."""
    import json

    from derive.homework.schema import answers as answers_schema
    from derive.homework.schema import variants as manifest_schema
    from derive.schema import schema as network_schema

    if answers and variants:
        raise click.UsageError("give either --answers or --variants", click.get_current_context())
    found = answers_schema() if answers else manifest_schema() if variants else network_schema()
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
