"""The command that trains a network."""

from __future__ import annotations

from typing import Any

import click

from derive.cli.group import main
from derive.cli.options import common
from derive.cli.output import run

MOST_STEPS, MOST_WORKED = 100_000_000, 1_000


@main.command()
@common
@click.option("--steps", type=click.IntRange(1, MOST_STEPS), metavar="N", help="How many training steps.")
@click.option("--epochs", type=click.IntRange(1, MOST_STEPS), metavar="E", help="How many epochs, instead.")
@click.option("--until", type=float, metavar="LOSS", help="Stop as soon as the loss is no larger.")
@click.option(
    "--worked", type=click.IntRange(1, MOST_WORKED), default=1, metavar="K", help="Steps worked in full (default 1)."
)
@click.option(
    "--batch-size", type=click.IntRange(min=1), metavar="B", help="Samples of a step, in the place of the file's own."
)
@click.option("--resume", metavar="FILE", help="Go on from a checkpoint.npz.")
def train(
    net: str,
    steps: int | None,
    epochs: int | None,
    until: float | None,
    worked: int,
    batch_size: int | None,
    resume: str | None,
    **options: Any,
) -> int:
    """Many training steps: the loss on the way, the first steps worked, a checkpoint to go on from."""
    from derive.long_training import train as trained

    if (steps is None) == (epochs is None):
        raise click.UsageError("give either --steps or --epochs", click.get_current_context())
    wishes: dict[str, Any] = {"steps": steps, "epochs": epochs, "until": until, "worked": worked}
    wishes |= {"batch_size": batch_size, "resume": resume}
    solution = run(net, lambda progress, **more: trained(net, progress=progress.steps, **wishes, **more), **options)
    course = solution.course
    if course is None or course.stopped != "interrupted":
        return 0
    click.echo(f"interrupted after step {course.made:,} of {course.planned:,}; what was there is written", err=True)
    return 130
