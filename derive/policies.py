"""Rounding policies as the file and the command line name them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from derive.errors import nearest
from derive.numerals import Policy
from derive.options import mapping, text, whole
from derive.source import Item

KEYS = {
    "significant": "significant",
    "decimals": "decimals",
    "exact": "exact",
    "round_as_you_go": "as_you_go",
    "half": "half",
    "comma": "comma",
    "decimal_comma": "comma",
}
MOST_DIGITS = 30
Asked = tuple[Literal["significant", "decimals"], int]


def read(item: Item | None, given: dict[str, Any]) -> Policy:
    """The file's policy, with what the command line says in its place."""
    policy = Policy()
    if item is not None:
        for key, value in mapping(item).items():
            if key not in KEYS:
                raise value.at_key().error(f"unknown rounding option '{key}'.{nearest(key, KEYS)}")
            policy = changed(policy, KEYS[key], read_one(KEYS[key], value))
    for key, value in given.items():
        if value is not None:
            policy = changed(policy, KEYS[key], value)
    return policy


def changed(policy: Policy, key: str, value: Any) -> Policy:
    if key == "significant":
        return replace(policy, significant=value, decimals=None)
    return replace(policy, **{key: value})


def read_one(key: str, item: Item) -> Any:
    match key:
        case "significant":
            return whole(item, 1, MOST_DIGITS)
        case "decimals":
            return whole(item, 0, MOST_DIGITS)
        case "half":
            if text(item) not in ("even", "up"):
                raise item.error("expected even or up")
            return text(item)
    if not isinstance(item.value, bool):
        raise item.error("expected true or false")
    return item.value


def asked(check: Item | None) -> Asked:
    """The digits that marking asks for, as a file says under `check:`; three significant ones if it does not."""
    given = {} if check is None else mapping(check)
    if "significant" in given and "decimals" in given:
        raise given["decimals"].at_key().error("give either significant or decimals")
    if "decimals" in given:
        return "decimals", whole(given["decimals"], 0, MOST_DIGITS)
    return "significant", whole(given["significant"], 1, MOST_DIGITS) if "significant" in given else 3
