"""Networks as code: a program that works every number of a page again, in NumPy or in PyTorch.

>>> import derive
>>> print(derive.export("mazur", to="numpy"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from derive import policies
from derive.derivation import Wishes
from derive.errors import InputError, nearest
from derive.examples import resolve
from derive.language import Words
from derive.notation import read
from derive.solution import Page, kept
from derive.spec import load

KINDS = ("numpy", "torch")


def export(
    net: str | Path | Mapping[str, Any],
    to: str = "numpy",
    *,
    lang: str = "en",
    stage: Callable[[str], None] = lambda name: None,
) -> str:
    """A commented Python program that works every number of a network's page again and holds it against the page.

    net: as `derive.solve` takes it · to: numpy or torch · lang: the language of the remarks, en or zh
    stage: told what is being done, for a progress display
    Run alone it says whether all numbers agree, and exits with 1 if one does not. Raises InputError where the network
    has no numbers, or where PyTorch has nothing of the kind.
    """
    if to not in KINDS:
        raise InputError(f"there is no export to '{to}'.{nearest(to, KINDS)}", file="--to")
    spec = load(net if isinstance(net, Mapping) else resolve(net))
    model = kept(spec)
    if model.symbolic:
        raise spec.item.error("numbers are missing: there is nothing to hold a program against")
    page = Page(spec, policies.read(spec.numbers, {}), read(spec.notation, None), Words(lang), stage)
    solution = page.solution(model, Wishes("matrix", "full", spec.loss is not None), ())
    if solution.document.values.policy.as_you_go:
        raise spec.item.error("round_as_you_go: a program calculates in full")
    from derive.exports import as_numpy, as_torch  # the one that is wanted, when it is

    write = as_torch.write if to == "torch" else as_numpy.write
    return write(solution, model, Words(lang))


__all__ = ["KINDS", "export"]
