"""The schedule that listens to a metric, so that no formula in the epoch alone gives its rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Literal

from derive.algebra import EXACT
from derive.formula import Formula, Name, Symbol, larger
from derive.schedules.base import BEFORE, value

FACTOR = Name("factor", symbol=Symbol("c"))
LEAST = Name("min_lr", symbol=Symbol("η", sub="min"))


@dataclass(frozen=True)
class Plateau:
    """A schedule that reduces the rate when a metric has stopped getting better; its options are `reduce_on_plateau`'s.

    `reduced` is the rate after a reduction, in BEFORE and the names of `constants`.
    """

    mode: Literal["min", "max"]
    threshold: Fraction
    threshold_mode: Literal["rel", "abs"]
    patience: int
    cooldown: int
    eps: Fraction
    constants: Mapping[Name, Fraction]
    reduced: Formula = field(default_factory=lambda: larger(BEFORE * FACTOR, LEAST))

    def start(self, base: Fraction) -> Listening:
        """Before the first epoch."""
        return Listening(self, base, inf if self.mode == "min" else -inf)

    def better(self, metric: float, best: float) -> bool:
        """Whether a metric beats the best so far by the threshold, in floats as the metric is one."""
        sign = -1 if self.mode == "min" else 1
        margin = sign * float(self.threshold)
        mark = best * (1 + margin) if self.threshold_mode == "rel" else best + margin
        return metric < mark if self.mode == "min" else metric > mark

    def walk(self, base: Fraction, metric: Sequence[float], epochs: int) -> list[tuple[Fraction, str]]:
        """For each epoch its rate, and what happened after it."""
        if len(metric) < epochs:
            raise ValueError(f"the metric has {len(metric)} values for {epochs} epochs")
        listening = self.start(base)
        return [(listening.rate, listening.step(metric[e])) for e in range(epochs)]


@dataclass
class Listening:
    """A `Plateau` in the middle of training: the rate of the coming epoch, and what it remembers."""

    plateau: Plateau
    rate: Fraction
    best: float
    waited: int = 0
    cooling: int = 0

    def step(self, metric: float) -> str:
        """The end of an epoch with its metric: sets the rate of the next and says why."""
        plan = self.plateau
        if improved := plan.better(metric, self.best):
            self.best = metric
        self.waited = 0 if improved else self.waited + 1
        cooling = self.cooling > 0
        if cooling:
            self.cooling, self.waited = self.cooling - 1, 0
        if self.waited > plan.patience:
            before, self.waited, self.cooling = self.rate, 0, plan.cooldown
            reduced = value(plan.reduced, plan.constants, EXACT, before)
            if before - reduced <= plan.eps:
                return "not reduced: it would change by no more than eps"
            self.rate = reduced
            return "reduced"
        if improved:
            return "improved"
        return "cooling down" if cooling else f"waited {self.waited} of {plan.patience}"
