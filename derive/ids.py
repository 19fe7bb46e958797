"""Canonical ids: what a quantity is called, whatever the notation.

`W1` `dL/dW1` `W1+` (after the update) `m.W1` (what an optimizer remembers of W1); at step s > 1 of several, `W1@2`,
`dL/dW1@2`, `W1+@2`, `m.W1@2`. Entries are `formula.entry`'s.
"""

from __future__ import annotations

import re
from functools import cache

_DERIVATIVE = re.compile(r"^d(?P<of>[^/]+)/d(?P<by>.+)$")
_STATE = re.compile(r"^(?P<letter>[a-z]+)\.(?P<of>[A-Za-z].*)$")


@cache
def split(id: str) -> tuple[str, str]:
    """(of, by) of a derivative's id `dL/dW1`; ("", id) of any other."""
    match = _DERIVATIVE.match(id)
    return (match["of"], match["by"]) if match else ("", id)


def derivative(of: str, by: str) -> str:
    """The id of a derivative: `dL/dW1@2` of `L@2` and `W1@2`."""
    return f"d{untimed(of)}/d{by}"


@cache
def state(id: str) -> tuple[str, str]:
    """(letter, id of the parameter) of what an optimizer remembers, `m.W1@2`; ("", id) of any other."""
    match = _STATE.match(id)
    return (match["letter"], match["of"]) if match else ("", id)


def multiple(id: str, factor: int) -> str:
    """The id of what a notation shows in a quantity's place: `-1*dL/dz2` where δ is −∂L/∂z."""
    return id if factor == 1 else f"{factor}*{id}"


@cache
def plain(id: str) -> tuple[int, str]:
    """(factor, id of the quantity itself)."""
    factor, star, rest = id.rpartition("*")
    return (int(factor), rest) if star else (1, id)


def untimed(id: str) -> str:
    """Without the number of the step."""
    return id.partition("@")[0]


def step(id: str) -> int:
    """The number of the step: 2 of `W1@2`, 1 of `W1`."""
    return int(id.partition("@")[2] or 1)


def timed(id: str, step: int) -> str:
    """At a step; the first one is not written."""
    return id if step == 1 else f"{untimed(id)}@{step}"


def after(id: str) -> str:
    """After the update: `W1+@2` of `W1@2`."""
    name, at, number = id.partition("@")
    return f"{name}+{at}{number}"


def is_after(id: str) -> bool:
    return untimed(id).endswith("+")


def base(id: str) -> str:
    """Without the mark of an update and the number of the step."""
    return untimed(id).rstrip("+")


@cache
def kind(id: str) -> tuple[str, str]:
    """(letter, number) of a quantity: ("a", "1.2") of `a1.2+`; of a derivative or a state, that of what it belongs to."""
    name = base(state(split(id)[1])[1])
    letter = name.rstrip("0123456789.")
    return letter, name[len(letter) :]


def place(id: str) -> str:
    """What a quantity is called within its layer: a of `a1`, a.2 of `a1.2`, W of `dL/dW1@2`."""
    letter, number = kind(id)
    return letter + number.lstrip("0123456789")
