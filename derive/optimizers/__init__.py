"""Optimizers: `sheet` has their formulas, `base` what these are written with."""

from derive.optimizers.base import CONSTANT, OPTIONS, SINGLE, STATES, Update, decay, option_name
from derive.optimizers.sheet import optimizers

__all__ = ["CONSTANT", "OPTIONS", "SINGLE", "STATES", "Update", "decay", "optimizers", "option_name"]
