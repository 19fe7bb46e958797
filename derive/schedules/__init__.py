"""Learning-rate schedules: the rate of every epoch in a formula, and the one schedule that listens to a metric."""

from derive.schedules.base import (
    BASE,
    BEFORE,
    E,
    Schedule,
    by_recursion,
    in_epoch,
    rate_function,
    rates,
    settled,
    value,
)
from derive.schedules.combined import chained, sequential
from derive.schedules.plateau import Listening, Plateau
from derive.schedules.sheet import schedules
from derive.schedules.steps import Pace, Rates, option_id, options_in_force, start, written

__all__ = [
    "BASE",
    "BEFORE",
    "E",
    "Listening",
    "Pace",
    "Plateau",
    "Rates",
    "Schedule",
    "by_recursion",
    "chained",
    "in_epoch",
    "option_id",
    "options_in_force",
    "rate_function",
    "rates",
    "schedules",
    "sequential",
    "settled",
    "start",
    "value",
    "written",
]
