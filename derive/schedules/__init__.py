"""Learning-rate schedules: the rate of every epoch in a formula, and the one schedule that listens to a metric."""

from derive.schedules.base import BASE, BEFORE, E, Schedule, by_recursion, rate_function, rates, value
from derive.schedules.combined import chained, sequential
from derive.schedules.plateau import Listening, Plateau
from derive.schedules.sheet import schedules

__all__ = [
    "BASE",
    "BEFORE",
    "E",
    "Listening",
    "Plateau",
    "Schedule",
    "by_recursion",
    "chained",
    "rate_function",
    "rates",
    "schedules",
    "sequential",
    "value",
]
