"""What `derive schedule` is given, and the rates of its epochs: in floats, exactly where that is known, to 50 digits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from derive.algebra import EXACT, UNKNOWN, Value, digits
from derive.errors import nearest
from derive.formula import Name, names
from derive.numerals import Policy
from derive.options import Choice, choose, mapping, number, sequence, text, whole
from derive.schedules import BASE, Plateau, Schedule, in_epoch, rate_function, schedules, value
from derive.source import Item
from derive.values import LARGEST_FRACTION_BITS, as_decimal

KEYS = ("name", "schedule", "lr", "epochs", "metric", "numbers")
LR, EPOCHS = Fraction(1, 10), 20
MOST_EPOCHS = 20_000
SAME = 1e-12  # of a rate: by how much the next may differ from it and be the same, but for rounding


@dataclass(frozen=True)
class Timetable:
    """A checked file of `derive schedule`: a schedule from a base rate, for some epochs."""

    choice: Choice
    schedule: Schedule | Plateau
    base: Fraction
    base_text: str
    epochs: int
    metric: tuple[Fraction, ...] = ()
    name: str = ""

    @property
    def constants(self) -> Mapping[Name, Fraction]:
        return self.schedule.constants

    @property
    def has_base(self) -> bool:
        """Whether the base rate matters."""
        plan = self.schedule
        if isinstance(plan, Plateau):
            return True
        return any(BASE in names(f) for f in (plan.first, plan.recursion, plan.closed) if f is not None)


def read(item: Item) -> Timetable:
    """The file, or what the command line says in its place."""
    given = {key: value for key, value in mapping(item).items() if value.value is not None}
    for key, part in given.items():
        if key not in KEYS:
            raise part.at_key().error(f"unknown key '{key}'.{nearest(key, KEYS)}")
    if "schedule" not in given:
        raise item.error("there is no schedule")
    choice = choose(given["schedule"], schedules)
    schedule = choice()
    base = number(given["lr"]).exact if "lr" in given else LR
    if base < 0:
        raise given["lr"].error("lr must not be negative")
    metric = tuple(number(part).exact for part in listed(given["metric"])) if "metric" in given else ()
    own = len(metric) if isinstance(schedule, Plateau) else schedule.epochs or EPOCHS
    if own > MOST_EPOCHS and "epochs" not in given:
        raise choice.item.error(f"at most {MOST_EPOCHS:,} epochs can be worked, not {own:,}: give fewer as epochs")
    epochs = whole(given["epochs"], 1, MOST_EPOCHS) if "epochs" in given else min(max(own, 1), MOST_EPOCHS)
    asked = given.get("epochs", choice.item)
    if isinstance(schedule, Plateau):
        if not metric:
            raise choice.item.error("reduce_on_plateau listens to a metric: give one value for each epoch")
        if len(metric) < epochs:
            raise given["metric"].error(f"the metric has {len(metric)} values for {epochs} epochs")
    elif "metric" in given:
        raise given["metric"].error(f"{choice.name} does not listen to a metric")
    elif schedule.epochs is not None and epochs > schedule.epochs:
        raise asked.error(f"this schedule is made for {schedule.epochs} epochs, fewer than {epochs}")
    written = number(given["lr"]).text if "lr" in given else ""
    name = text(given["name"]) if "name" in given else ""
    return Timetable(choice, schedule, base, written, epochs, metric[:epochs], name)


def listed(item: Item) -> list[Item]:
    """A list, or one number alone."""
    return sequence(item) if isinstance(item.value, list) else [item]


# rates ----------------------------------------------------------------------------------------------------------------
def floats(table: Timetable, policy: Policy) -> list[float]:
    """The rates of all epochs."""
    schedule = table.schedule
    if isinstance(schedule, Plateau):
        return [float(heard.rate) for heard in walked(table, schedule, policy)]
    if policy.as_you_go:
        found = precise(schedule, table.base, range(table.epochs), policy)
        return [float(rate) for rate, _ in found.values()]
    rate = rate_function(schedule, table.base)
    return [rate(e) for e in range(table.epochs)]


@dataclass(frozen=True)
class Heard:
    """An epoch of a schedule that listens: its rate, its metric, the best so far, and what came of it."""

    rate: Fraction
    metric: Fraction
    best: Fraction
    outcome: str
    waited: int


def walked(table: Timetable, plateau: Plateau, policy: Policy) -> list[Heard]:
    """Every epoch with its metric."""
    listening, found = plateau.start(table.base), list[Heard]()
    for metric in table.metric:
        rate = listening.rate
        outcome = listening.step(float(metric)).split()[0]
        best = metric if outcome == "improved" or not found else found[-1].best
        if policy.as_you_go and outcome == "reduced":
            listening.rate = Fraction(policy.rounded(as_decimal(listening.rate)))
        found.append(Heard(rate, metric, best, outcome, listening.waited))
    return found


def precise(
    schedule: Schedule, base: Fraction, wanted: Iterable[int], policy: Policy
) -> dict[int, tuple[Value, Value]]:
    """epoch -> (the rate with 50 digits, the same exactly or UNKNOWN), rounded as one goes where that is wanted."""
    if schedule.closed is not None:
        found = ((e, schedule.closed, in_epoch(schedule, base, e)) for e in sorted(wanted))
        return {e: settle(value(f, at, digits()), value(f, at, EXACT), policy) for e, f, at in found}
    rates: dict[int, tuple[Value, Value]] = {}
    keep, before, exact = set(wanted), None, None
    for e in range(max(keep) + 1):
        f, at = schedule.step if e else schedule.first, in_epoch(schedule, base, e)
        known = UNKNOWN if exact is UNKNOWN else value(f, at, EXACT, exact)
        before, exact = settle(value(f, at, digits(), before), known, policy)
        if e in keep:
            rates[e] = before, exact
    return rates


def settle(rate: Value, exact: Value, policy: Policy) -> tuple[Value, Value]:
    """A rate as soon as it is there: exact where that is known and short, rounded as one goes."""
    if policy.as_you_go:
        rate = rate if exact is UNKNOWN else digits().number(exact)
        exact = Fraction(policy.rounded(as_decimal(rate)))
    elif exact is not UNKNOWN and exact.denominator.bit_length() + exact.numerator.bit_length() > LARGEST_FRACTION_BITS:
        exact = UNKNOWN
    return (rate if exact is UNKNOWN else digits().number(exact)), exact


# what happens -----------------------------------------------------------------------------------------------------------
def runs(rates: Sequence[float]) -> list[tuple[int, int]]:
    """(first, last) epoch of every run of equal rates."""
    starts = [e for e in range(len(rates)) if e == 0 or direction(rates[e - 1], rates[e])]
    return list(zip(starts, [start - 1 for start in [*starts[1:], len(rates)]], strict=True))


def events(rates: Sequence[float]) -> dict[int, str]:
    """Where the course of the rate changes: epochs with a new rate among equal ones, and those in which it turns."""
    moves = [0, *(direction(a, b) for a, b in pairwise(rates)), 0]
    found: dict[int, str] = {}
    for e in range(1, len(rates) - 1):
        now, after = moves[e], moves[e + 1]
        if now and not after:
            found[e] = "stays" if moves[e - 1] == now else "change"
        elif now and after == -now:
            found[e] = "top" if now > 0 else "bottom"
    return found


def direction(before: float, after: float) -> int:
    return 0 if abs(after - before) <= SAME * max(abs(before), abs(after)) else 1 if after > before else -1


def thinned(epochs: int, kept: Iterable[int], most: int) -> list[int]:
    """At most so many epochs: the first, the last, the most wanted ones, and others evenly between them."""
    found = {0, epochs - 1}
    for e in kept:
        if len(found) < most // 2:
            found.add(e)
    steps = most - len(found)
    found |= {round(i * (epochs - 1) / steps) for i in range(steps)}
    return sorted(found)


def marks(table: Timetable) -> Iterator[int]:
    """The milestones within the epochs."""
    for name, epoch in table.constants.items():
        if name.id == "milestones" and 0 < epoch < table.epochs:
            yield int(epoch)
