"""Commands about a network."""

from __future__ import annotations

from functools import partial
from typing import Any

from derive.cli.group import main
from derive.cli.options import common
from derive.cli.output import run


@main.command()
@common
def backprop(net: str, **options: Any) -> None:
    """The worked solution: forward pass, loss, gradient of every parameter, update."""
    solved(net, backward=True, **options)


@main.command()
@common
def forward(net: str, **options: Any) -> None:
    """The worked solution up to the loss."""
    solved(net, backward=False, **options)


def solved(net: str, *, backward: bool, **options: Any) -> None:
    from derive.solution import solve

    run(net, lambda progress: partial(solve, backward=backward), **options)
