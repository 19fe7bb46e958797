"""Addresses that pages may link to."""

from __future__ import annotations

import re

from derive.errors import InputError

WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)
ELSEWHERE = re.compile(r"//|[^/?]*[:&]")  # another host, or a scheme, its colon written as an entity too


def address(given: str) -> str:
    """An address of http or https, or a relative path; InputError for any other, which could run code or leave the web.

    >>> address("../lessons/lessons.html")
    '../lessons/lessons.html'
    """
    known = WEB.match(given) or not ELSEWHERE.match(given)
    if not known or "\\" in given or not given.isprintable() or given != given.strip():
        raise InputError(f"expected http://…, https://… or a relative path, not '{given}'", file="--lessons")
    return given
