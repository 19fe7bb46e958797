"""Mistakes with dropout, whose kept values are divided by 1 − p, p the probability of being dropped."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from derive.blocks import flat
from derive.formula import Formula, Number
from derive.graph import Same
from derive.homework.mistakes.base import Step, mistakes
from derive.ids import base
from derive.options import Choice


@mistakes("D1", "drop", prior=1, lesson="dropout")
def kept_values_not_scaled(step: Step) -> Iterator[Formula]:
    """r·a."""
    for chance in step.used("chance"):
        yield step.put({chance: 0})


@mistakes("D2", "drop", prior=1, lesson="dropout")
def divided_by_the_chance(step: Step) -> Iterator[Formula]:
    """r·a/p: p taken for the probability of being kept."""
    for chance in step.used("chance"):
        yield step.put({chance: 0}) / chance


@mistakes("D3", "drop", prior=2, lesson="dropout")
def at_work_in_eval_mode(step: Step) -> Iterator[Formula]:
    """(1 − p)·a, or a/(1 − p), where nothing is to be done."""
    if isinstance(step.op, Same) and (chance := chance_of(step)) is not None:
        yield Number(1 - chance) * step.formula
        if chance != 1:
            yield Number(1 / (1 - chance)) * step.formula


@mistakes("D4", "dL/dz", "dL/da", "dL/dy", "dL/dn", "dL/ds", "dL/ddrop", "dL/dx", prior=1, lesson="dropout")
def mask_not_applied_on_the_way_back(step: Step) -> Iterator[Formula]:
    """∂L/∂a = ∂L/∂(dropped a), divided by 1 − p or not."""
    if masks := step.used("mask"):
        yield step.without(*masks)
        yield step.put({**dict.fromkeys(masks, 1), **dict.fromkeys(step.used("chance"), 0)})


def chance_of(step: Step) -> Fraction | None:
    """The probability of being dropped that a layer has in the file; in eval mode it is not among the quantities."""
    if step.model is None:
        return None
    stages = [stage for layer in step.model.forward.layers for stage in layer.stages if stage.name == "dropout"]
    choices = [c for c in flat(step.model.spec.layers) if isinstance(c, Choice) and c.name == "dropout"]
    chances = {base(s.output.id): c.in_force["p"] for s, c in zip(stages, choices, strict=True)}
    found: Fraction | None = chances.get(base(step.node.id))
    return found
