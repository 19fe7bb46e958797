"""Networks as code: a program that works every number of a page again, in NumPy or in PyTorch.

>>> import derive
>>> print(derive.export("mazur", to="numpy"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import InputError, nearest
from derive.language import Words
from derive.model import Model
from derive.solution import Solution, solve

KINDS = ("numpy", "torch")


def export(net: str | Path | Mapping[str, Any], to: str = "numpy", *, lang: str = "en") -> str:
    """A commented Python program that works every number of a network's page again and holds it against the page.

    net: as `derive.solve` takes it · to: numpy or torch · lang: the language of the remarks, en or zh
    Run alone it says whether all numbers agree, and exits with 1 if one does not. Raises InputError where the network
    has no numbers, or where PyTorch has nothing of the kind.
    """
    if to not in KINDS:
        raise InputError(f"there is no export to '{to}'.{nearest(to, KINDS)}", file="--to")
    solution = solve(net, form="matrix", level="full", lang=lang, backward=has_loss(net))
    model = solution.model
    assert isinstance(model, Model)
    if model.symbolic:
        raise model.spec.item.error("numbers are missing: there is nothing to hold a program against")
    if solution.document.values.policy.as_you_go:
        raise model.spec.item.error("round_as_you_go: a program calculates in full")
    from derive.export import as_numpy

    return as_numpy.write(solution, model, Words(lang))


def has_loss(net: str | Path | Mapping[str, Any]) -> bool:
    """Whether there is a backward pass to work."""
    from derive.examples import resolve
    from derive.spec import load

    return load(net if isinstance(net, Mapping) else resolve(net)).loss is not None


__all__ = ["KINDS", "export"]
