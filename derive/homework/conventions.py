"""Other conventions than the sheet's: work that follows one of them throughout is no mistake.

Whether the loss carries a ½ or is divided by the samples, how momentum is written, where Adam's ε stands: each is an
option of the network file. A submission that is wrong by the sheet and right by one of them is told so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from derive.losses import losses
from derive.optimizers import optimizers
from derive.options import Choice
from derive.registry import Registry
from derive.spec import Spec

LOSSES = {
    "mse": ("mse", {"reduction": "mean"}),
    "sse": ("mse", {"reduction": "sum"}),
    "half_sse": ("half_squared_error", {"reduction": "sum"}),
    "half_mse": ("half_squared_error", {"reduction": "mean"}),
}
MOMENTUM = {f"momentum_{form}": {"form": form} for form in ("pytorch", "ema", "classical")}
EPS = {f"eps_{form}": {"eps_form": form} for form in ("outside", "inside", "hat")}


@dataclass(frozen=True)
class Convention:
    """Another convention by name, and what it is about: the key under which answers may declare it."""

    about: str
    name: str
    spec: Spec


def others(spec: Spec) -> Iterator[Convention]:
    """The network under every other convention that its options offer."""
    loss, optimizer = spec.loss, spec.optimizer
    if loss is not None and loss.name in ("mse", "half_squared_error"):
        for name, (function, options) in LOSSES.items():
            changed = with_options(loss, losses, function, options)
            if not same(changed, loss):
                yield Convention("loss", name, replace(spec, loss=changed))
    if loss is not None and loss.name in ("bce", "bce_with_logits", "cross_entropy", "nll"):
        now = loss.in_force["reduction"]
        other = "sum" if now == "mean" else "mean"
        changed = with_options(loss, losses, loss.name, {**loss.options, "reduction": other})
        yield Convention("loss", f"{loss.name}_{other}", replace(spec, loss=changed))
    if optimizer is not None and optimizer.name == "momentum":
        yield from forms(spec, optimizer, "momentum", MOMENTUM)
    if optimizer is not None and optimizer.name == "adam":
        yield from forms(spec, optimizer, "eps", EPS)


def forms(spec: Spec, optimizer: Choice, about: str, table: dict[str, dict[str, str]]) -> Iterator[Convention]:
    """The other forms of an optimizer."""
    for name, options in table.items():
        changed = with_options(optimizer, optimizers, optimizer.name, {**optimizer.options, **options})
        if not same(changed, optimizer):
            yield Convention(about, name, replace(spec, optimizer=changed))


def with_options(choice: Choice, registry: Registry[Any], name: str, options: dict[str, Any]) -> Choice:
    """Another entry, or other options, in the place of a choice of the file."""
    return Choice(name, options, choice.item, registry[name])


def same(one: Choice, other: Choice) -> bool:
    return one.name == other.name and one.in_force == other.in_force
