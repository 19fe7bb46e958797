"""Mistakes in running averages: what an optimizer remembers, the statistics of batch norm, an average by itself."""

from __future__ import annotations

from collections.abc import Iterator

from derive import formula as fm
from derive.formula import Formula
from derive.homework.mistakes.base import Step, mistakes, numbered
from derive.homework.mistakes.updates import AVERAGES, added, carried, corrected, exchanged, old, share, whole_of


@mistakes("E1", *AVERAGES, prior=1, lesson="ema")
def weights_swapped(step: Step) -> Iterator[Formula]:
    """(1 − β)·old + β·new for β·old + (1 − β)·new."""
    if beta := share(step):
        yield exchanged(carried(step), beta) + exchanged(added(step), beta)


@mistakes("E2", *AVERAGES, "shat", prior=1, lesson="ema")
def started_elsewhere(step: Step) -> Iterator[Formula]:
    """Started at the first value instead of 0, or at 0 instead of the first value; corrected where it should not be."""
    if step.kind == "shat":
        yield corrected(step, lambda t: 0)
        return
    beta, before = share(step), old(step)
    if beta is not None and before is not None and step.entry_of(before).given:
        yield whole_of(step)
    alone = step.named("beta") if step.node.role == "state" and step.kind == "s" else None  # of a study
    if alone is not None and before is None:
        yield (1 - alone) * step.formula
    if alone is not None and step.named(f"shat@{step.entry.step}") is None:
        yield step.formula / (1 - fm.power(alone, numbered(step.entry.step)))
