"""Commands about a network."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from derive.cli.group import main
from derive.cli.options import common
from derive.cli.output import run

if TYPE_CHECKING:
    from derive.solution import Solution


@main.command()
@common
def backprop(net: str, **options: Any) -> None:
    """The worked solution: forward pass, loss, gradient of every parameter, update."""
    run(net, lambda progress, **wishes: solved(net, backward=True, **wishes), **options)


@main.command()
@common
def forward(net: str, **options: Any) -> None:
    """The worked solution up to the loss."""
    run(net, lambda progress, **wishes: solved(net, backward=False, **wishes), **options)


def solved(net: str, **wishes: Any) -> Solution:
    import_module("sympy")  # the witnesses want it in the end; loaded before everything else it takes less time
    from derive.solution import solve

    return solve(net, **wishes)
