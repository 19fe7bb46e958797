"""Optimizers: `sheet` has their formulas, `base` what these are written with."""

from derive.optimizers.base import OPTIONS, SINGLE, STATES, Update, decay
from derive.optimizers.sheet import optimizers

__all__ = ["OPTIONS", "SINGLE", "STATES", "Update", "decay", "optimizers"]
