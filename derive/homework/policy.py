"""How strictly an assignment is marked: `check:` in net.yaml.

check: {significant: 3, credit: {last_digit: 1}, weights: {W2+: 2}, follow_through: {credit: 1, max_share: 0.5}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from derive.errors import nearest, offered
from derive.homework.marked import VERDICTS
from derive.homework.written import Written
from derive.options import described, mapping, number, sequence, text
from derive.policies import asked
from derive.source import Item

CREDIT: Mapping[str, float] = {
    "correct": 1.0,
    "correct_rounding": 1.0,
    "over_precise": 1.0,
    "truncated": 1.0,
    "other_convention": 1.0,
    "low_precision": 0.9,
    "last_digit": 0.9,
    "other_form": 0.0,
    "follow_through": 1.0,
} | dict.fromkeys(("undecided", "too_coarse", "unreadable", "blank", "sign", "power_of_ten", "error"), 0.0)
#: What a formula must at least be, from the least to the most that can be asked.
FORMS = ("equal_on_network", "equivalent", "same_form", "identical")


@dataclass(frozen=True, slots=True)
class Precision:
    """The digits that are asked for: so many significant ones, or so many after the point."""

    significant: int | None = 3
    decimals: int | None = None

    @property
    def digits(self) -> int:
        """How many are asked for."""
        return (self.significant if self.decimals is None else self.decimals) or 0

    def enough(self, written: Written) -> bool:
        """Whether a number is given precisely enough; a closed form always is, and no digit of 0 is significant."""
        if written.closed:
            return True
        if self.decimals is not None:
            return written.ulp <= Fraction(1, 10**self.decimals)
        return bool(written.value) and written.significant[1] >= self.digits

    def unit(self, written: Written) -> Fraction:
        """A unit in the last place that counts: of `1000` the third digit's, where three significant ones are asked for."""
        low, high = written.significant
        if low == high or self.significant is None:
            return written.ulp
        return written.ulp * Fraction(10) ** max(0, high - max(low, self.significant))


@dataclass(frozen=True, slots=True)
class FollowThrough:
    """What a step is worth that follows correctly from a wrong one.

    credit: of its points · max_share: of all points, at most · working: whether all steps between must be written down
    guards: whether a carried value that makes the rest trivial, or cannot be, gives nothing until somebody has looked
    """

    credit: float = 1.0
    max_share: float = 0.5
    working: bool = False
    guards: bool = True


@dataclass(frozen=True)
class Policy:
    """The whole of it.

    weights: points of a step, by id or entry, 1 if not given · form: what formulas must be
    ask: the steps that are asked for, by id or entry; what is not answered of them counts as left blank, and nothing
         else earns points. None: whatever is answered counts, and nothing more
    """

    precision: Precision = Precision()
    credit: Mapping[str, float] = field(default_factory=lambda: dict(CREDIT))
    weights: Mapping[str, float] = field(default_factory=dict)
    follow_through: FollowThrough = FollowThrough()
    form: str = FORMS[0]
    ask: tuple[str, ...] | None = None


#: The keys of `check:`, and what they say.
KEYS = {
    "significant": "Significant digits a number must have.",
    "decimals": "Digits after the point it must have, instead.",
    "credit": "The share of a step's points that each verdict earns.",
    "weights": "Points of a step, by id, label or entry; 1 for all others.",
    "follow_through": "What steps are worth that follow correctly from an earlier error.",
    "form": "How equal a formula must be to the derived one, at least.",
    "steps": "Steps of your own: formulas in the names of the network and of the steps before.",
    "ask": "The steps that are asked for, by id, label or entry; one that is not answered counts as left blank.",
}
FOLLOW = {
    "credit": "The share of its points that such a step earns.",
    "max_share": "The share of all points that such steps can earn together.",
    "requires_working": "Whether every step between has to be written down.",
    "guards": "Whether a carried value that is impossible, or makes the rest trivial, earns nothing until it is looked at.",
}


def read(item: Item | None) -> Policy:
    """The policy a file asks for."""
    policy = Policy()
    if item is None:
        return policy
    given = mapping(item)
    for key, value in given.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{offered(key, KEYS, 'Keys are')}")
    kind, digits = asked(item)
    policy = replace(policy, precision=Precision(digits) if kind == "significant" else Precision(None, digits))
    if "credit" in given:
        policy = replace(policy, credit={**policy.credit, **shares(given["credit"], VERDICTS, "verdict")})
    if "weights" in given:
        policy = replace(policy, weights=points(given["weights"]))
    if "follow_through" in given:
        policy = replace(policy, follow_through=follow_through(given["follow_through"]))
    if "ask" in given:
        policy = replace(policy, ask=tuple(text(part) for part in sequence(given["ask"])))
        if not policy.ask:
            raise given["ask"].error("asks for no step; leave it out to mark whatever is answered")
    if "form" in given:
        policy = replace(policy, form=one_of(given["form"], FORMS))
    return policy


def shares(item: Item, known: tuple[str, ...], what: str) -> dict[str, float]:
    """Numbers from 0 to 1 by name."""
    found = {}
    for key, value in mapping(item).items():
        if key not in known:
            raise value.at_key().error(f"unknown {what} '{key}'.{offered(key, known, 'There are')}")
        found[key] = share(value)
    return found


def share(item: Item) -> float:
    value = number(item).exact
    if not 0 <= value <= 1:
        raise item.error("must be from 0 to 1")
    return float(value)


def points(item: Item) -> dict[str, float]:
    """Points by step; whether there is such a step is seen by the marker."""
    found = {}
    for key, value in mapping(item).items():
        if not 0 <= number(value).exact <= 1000:
            raise value.error("must be from 0 to 1000")
        found[key] = float(number(value))
    return found


def follow_through(item: Item) -> FollowThrough:
    made: dict[str, Any] = {}
    for key, value in mapping(item).items():
        if key not in FOLLOW:
            raise value.at_key().error(f"unknown key '{key}'.{offered(key, FOLLOW, 'Keys are')}")
        if key in ("credit", "max_share"):
            made[key] = share(value)
        elif isinstance(value.value, bool):
            made["working" if key == "requires_working" else key] = value.value
        else:
            raise value.error(f"expected true or false, not {described(value)}")
    return FollowThrough(**made)


def one_of(item: Item, words: tuple[str, ...]) -> str:
    if (name := text(item)) not in words:
        raise item.error(f"expected one of {', '.join(words)}.{nearest(name, words)}")
    return name
