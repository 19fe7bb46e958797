"""Commands about training mathematics without a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.group import main
from derive.cli.options import page
from derive.cli.output import run

if TYPE_CHECKING:
    from derive.solution import Solution
    from derive.source import Item

OPEN = {"ignore_unknown_options": True, "allow_extra_args": True}  # an entry's own options are not known beforehand


@main.command(context_settings=OPEN)
@click.argument("name")
@click.option(
    "--grad", "gradients", multiple=True, metavar="G", help="The gradient of a step; one for each step: 0.1 or 4,3.5"
)
@click.option("--function", metavar="F", help='A function to descend: "x^2 + 4*y^2".')
@click.option("--start", metavar="X,…", help="Where to start, variables in alphabetical order.")
@click.option("--steps", metavar="N", help="How many steps (default 10).")
@click.option(
    "--state", multiple=True, metavar="NAME=VALUE", help="What it remembers before the first step: m=0.1, step=5."
)
@click.option("--compare", metavar="NAME,…", help="Other optimizers on the same way.")
@page
@click.pass_context
def optimizer(ctx: click.Context, /, name: str, state: tuple[str, ...], compare: str | None, **options: Any) -> None:
    """An optimizer by itself, on given gradients or on a function.

    NAME is an optimizer or a file. Its own options are PyTorch's: --lr 0.1 --betas 0.9,0.999 --amsgrad (`derive list`).
    """
    given = {key: options.pop(key) for key in ("gradients", "function", "start", "steps")}
    run(
        called("optimizer", name),
        lambda progress, **wishes: descended(ctx.args, name, state, compare, given, **wishes),
        **options,
    )


def descended(
    extra: Sequence[str],
    name: str,
    state: Sequence[str],
    compare: str | None,
    given: Mapping[str, Any],
    **wishes: Any,
) -> Solution:
    """The file `derive optimizer` would have been given, from the command line."""
    from derive.options import settled, typed
    from derive.solution import study

    own = entry_options(extra)
    if is_file(name):
        return study("optimizer", file_with(name, {"optimizer": own}, given), **wishes)
    top = written(given)
    top["optimizer"] = settled({name: settled(own, "--optimizer")}, "")
    if state:
        pairs = [part.partition("=") for part in state]
        top["state"] = settled({key: typed(value, f"--state {key}") for key, _, value in pairs}, "--state")
    if compare:
        shared = {"lr": own["lr"]} if "lr" in own else {}
        others = [settled({part.strip(): settled(shared, "--compare")}, "--compare") for part in compare.split(",")]
        top["compare"] = settled(others, "--compare")
    return study("optimizer", settled(top, ""), **wishes)


@main.command(context_settings=OPEN)
@click.argument("name")
@click.option("--lr", metavar="N", help="The rate of the optimizer (default 0.1).")
@click.option("--epochs", metavar="N", help="How many epochs (default 20, or as many as the schedule is made for).")
@click.option("--metric", metavar="N,…", help="What reduce_on_plateau listens to, one number for each epoch.")
@page
@click.pass_context
def schedule(ctx: click.Context, /, name: str, **options: Any) -> None:
    """A learning-rate schedule by itself, epoch by epoch.

    NAME is a schedule or a file. Its own options are PyTorch's: --step-size 50 --gamma 0.5 --milestones 50,100
    (`derive list`).
    """
    given = {key: options.pop(key) for key in ("lr", "epochs", "metric")}
    run(called("schedule", name), lambda progress, **wishes: scheduled(ctx.args, name, given, **wishes), **options)


def scheduled(extra: Sequence[str], name: str, given: dict[str, Any], **wishes: Any) -> Solution:
    """The file `derive schedule` would have been given, from the command line."""
    from derive.options import settled, typed
    from derive.solution import study

    own = entry_options(extra)
    if is_file(name):
        return study("schedule", file_with(name, own, given), **wishes)
    if "steps_per_epoch" in own and given["epochs"]:  # of OneCycleLR, whose rates are then those of single steps
        own["epochs"] = typed(given.pop("epochs"), "--epochs")
    top = written(given)
    top["schedule"] = settled({name: settled(own, name)}, "")
    return study("schedule", settled(top, ""), **wishes)


def entry_options(extra: Sequence[str]) -> dict[str, Item]:
    """`--lr 0.1 --t-max=5 --amsgrad` as options of an entry."""
    from derive.options import typed

    found: dict[str, Item] = {}
    words = [part for word in extra for part in (word.split("=", 1) if word.startswith("--") else [word])]
    position = 0
    while position < len(words):
        option = words[position]
        if not option.startswith("--") or len(option) == 2:
            raise click.UsageError(f"unexpected argument '{option[:80]}'")
        following = words[position + 1] if position + 1 < len(words) else "--"
        alone = following.startswith("--")
        found[option[2:].replace("-", "_")] = typed("true" if alone else following, option)
        position += 1 if alone else 2
    return found


def written(given: Mapping[str, Any]) -> dict[str, Item]:
    """The options that were used, as values."""
    from derive.options import settled, typed

    found: dict[str, Item] = {}
    for key, value in given.items():
        place = "--grad" if key == "gradients" else f"--{key}"
        if isinstance(value, tuple) and value:
            found[key] = settled([typed(part, place) for part in value], place)
        elif key == "function" and value is not None:
            found[key] = settled(value, place)
        elif value:
            found[key] = typed(value, place)
    return found


def file_with(name: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> Item:
    """A file as it is; what the command line says besides is refused."""
    from derive.spec import tree

    if any(own.values()) or any(given.values()):
        raise click.UsageError(f"{Path(name).name} is a file: its options stand in it")
    return tree(name)


def called(kind: str, name: str) -> str:
    """What a study's folder is called: an optimizer may have the name of an example."""
    return name if is_file(name) else f"{kind}-{name}"


def is_file(name: str) -> bool:
    return bool(re.search(r"[./\\]", name)) or name == "-" or Path(name).is_file()


@main.command(context_settings={"ignore_unknown_options": True})  # a negative number looks like an option
@click.argument("values", nargs=-1)
@click.option("--beta", metavar="B", help="The share of the past: at least 0 and less than 1.")
@click.option(
    "--start", metavar="zero|first", help="Start at 0 or at the first value (default first; zero with --correct)."
)
@click.option("--correct", is_flag=True, default=None, help="Divide the bias of the start at 0 out again.")
@page
def ema(values: tuple[str, ...], beta: str | None, start: str | None, correct: bool | None, **options: Any) -> None:
    """An exponentially weighted moving average, value by value.

    VALUES are numbers, or one file.
    """
    given = {"beta": beta, "start": start, "correct": correct}
    name = values[0] if len(values) == 1 and not is_number(values[0]) and is_file(values[0]) else "ema"
    run(name, lambda progress, **wishes: averaged(name, values, given, **wishes), **options)


def averaged(name: str, values: Sequence[str], given: Mapping[str, Any], **wishes: Any) -> Solution:
    """The file `derive ema` would have been given, from the command line."""
    from derive.options import settled, typed
    from derive.solution import study

    if name != "ema":
        return study("ema", file_with(name, given, {}), **wishes)
    parts = [typed(word.strip(), "VALUES") for word in ",".join(values).split(",") if word.strip()]
    return study("ema", settled({**worded(given), "values": settled(parts, "VALUES")}, ""), **wishes)


def is_number(written: str) -> bool:
    """Whether a word can only be a number, or numbers: 0.5 and 1/3 are no files."""
    return bool(re.fullmatch(r"[-+\u2212]?[\d.][-+\u2212\d.,/eE]*", written)) and not Path(written).is_file()


@main.command()
@click.argument("file", required=False)
@click.option("--samples", metavar="N", help="How many samples there are; required.")
@click.option("--batch-size", metavar="B", help="How many of them go into a batch; required.")
@click.option("--epochs", metavar="E", help="How often all samples are gone through; required.")
@click.option("--drop-last", is_flag=True, default=None, help="Drop a last batch that is not full.")
@page
def batches(file: str | None, drop_last: bool | None, **options: Any) -> None:
    """How many updates an epoch has, and what the size of its batches changes.

    The sizes are given as options, or in a FILE.
    """
    sizes = {key: options.pop(key) for key in ("samples", "batch_size", "epochs")}
    run(file or "batches", lambda progress, **wishes: cut(file, {**sizes, "drop_last": drop_last}, **wishes), **options)


def cut(file: str | None, given: Mapping[str, Any], **wishes: Any) -> Solution:
    """The file `derive batches` would have been given, from the command line."""
    from derive.options import settled
    from derive.solution import study

    if file is not None:
        return study("batches", file_with(file, given, {}), **wishes)
    return study("batches", settled(worded(given), ""), **wishes)


def worded(given: Mapping[str, Any]) -> dict[str, Item]:
    """The options that were used, as values; an error names the option."""
    from derive.options import settled, typed

    used = {key: value for key, value in given.items() if value is not None}
    places = {key: f"--{key.replace('_', '-')}" for key in used}
    return {k: settled(v, places[k]) if isinstance(v, bool) else typed(v, places[k]) for k, v in used.items()}
