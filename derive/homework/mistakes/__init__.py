"""What is often done wrong, as formulas: one sheet for each part of the computation.

The ids are those of the list in the documentation: F forward, L loss, S softmax, B backward, O optimizers, E averages,
N normalization, D dropout, C schedules; X are slips of the pen and have no formula.
"""

from derive.homework.mistakes import backward, forward
from derive.homework.mistakes.base import Mistake, Step, mistakes

__all__ = ["Mistake", "Step", "backward", "forward", "mistakes"]
