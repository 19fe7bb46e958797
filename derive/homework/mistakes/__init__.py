"""What is often done wrong, as formulas: one sheet for each part of the computation.

The ids are those of the list in the documentation: F forward, L loss, S softmax, B backward, O optimizers, E averages,
N normalization, D dropout, C schedules; X are slips of the pen and have no formula.
"""

from derive.homework.mistakes import (
    adaptive,
    averages,
    backward,
    dropout,
    forward,
    loss,
    norm,
    optimizers,
    parameters,
    schedules,
    slopes,
    softmax,
)
from derive.homework.mistakes.base import Mistake, Step, mistakes

SHEETS = (
    forward,
    loss,
    softmax,
    backward,
    slopes,
    parameters,
    optimizers,
    adaptive,
    averages,
    norm,
    dropout,
    schedules,
)

__all__ = ["SHEETS", "Mistake", "Step", "mistakes"]
