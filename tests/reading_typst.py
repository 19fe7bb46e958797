"""A reader of Typst mathematics, by the grammar of reading.py; nothing of derive is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reading import MINUS, PI, WORDS, Elided, Item, Names, Reader, Unreadable, spread, table

TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|\d+(?:\.\d+)?|[A-Za-z]+|\s+|.', re.DOTALL)
SIGNS = {
    **{sign: sign for sign in "·×⊙+<>≤≥"},
    MINUS: MINUS,
    r"\(": "(",
    r"\)": ")",
    r"\,": ",",
}
SPACES = ("thin", "quad", "&")


class TypstReader(Reader):
    r"""`frac(1, 1 + e^(−0.3775))`, `mat(delim: "[", 1, 2; 3, 4)^(⊤)`, `2.5 × 10^(−5)`, `\(1 − 0.2\)^(2)`."""

    def read(self, source: str) -> Any:
        return self.inside([token for token in TOKENS.findall(source) if not token.isspace()])

    def inside(self, tokens: list[str]) -> Any:
        return self.evaluate(list(self.items(tokens)))

    def items(self, tokens: list[str]) -> Iterator[Item]:
        at = 0
        while at < len(tokens):
            token, at = tokens[at], at + 1
            called = tokens[at : at + 1] == ["("]
            if token[0].isdigit():
                if "." in token and self.comma:
                    raise Unreadable(f"a decimal point in {token}")
                exponent = 0
                if tokens[at : at + 4] == ["×", "10", "^", "("]:
                    raised, at = group(tokens, at + 3)
                    exponent = int("".join(raised).replace(MINUS, "-"))
                yield self.number(token, exponent)
            elif token == "^":
                raised, at = group(tokens, at)
                yield Item("T") if raised == ["⊤"] else Item("sup", self.inside(raised))
            elif token == "∑":
                index = ""
                if tokens[at : at + 1] == ["_"]:
                    below, at = group(tokens, at + 1)
                    index = "".join(below)
                yield Item("sum", index)
            elif called and token[0].isalpha():
                within, at = group(tokens, at)
                yield from self.call(token, within)
            elif token == "e" and tokens[at : at + 1] == ["^"]:
                yield Item("e")
            elif token == "π":
                yield Item("value", PI)
            elif token in WORDS:
                yield Item("call", token)
            elif token in SIGNS:
                yield Item(SIGNS[token])
            elif token == "⋯":
                raise Elided
            elif token in "(),;":
                raise Unreadable(f"{token} out of place")
            elif token not in SPACES:
                raise Names(token)

    def call(self, name: str, inside: list[str]) -> Iterator[Item]:
        args = split(inside, ",")
        match name:
            case "frac":
                top, bottom = map(self.inside, args)
                yield Item("value", top / bottom)
            case "inline" | "lr":
                yield from self.items(inside)
            case "sqrt" | "abs":
                yield Item("value", spread(name, self.inside(inside)))
            case "class" if args[0] == ['"normal"']:
                (word,) = args[1]
                if not re.fullmatch(r'"\d+,\d+"', word) or not self.comma:
                    raise Names(word)
                yield self.number(word[1:-1])
            case "op":
                if (word := "".join(inside)[1:-1]) not in WORDS:
                    raise Names(word)
                yield Item("call", word)
            case "mat":
                if "⋯" in inside:
                    raise Elided
                rows = split(inside[inside.index(",") + 1 :], ";")
                yield Item("value", table([[self.inside(cell) for cell in split(row, ",")] for row in rows]))
            case "cases":
                yield self.by_cases(args)
            case _:
                raise Names(name)

    def by_cases(self, rows: list[list[str]]) -> Item:
        flat: list[Any] = []
        for row in rows:
            before, value, _, when = split(row, "&")
            assert not before
            flat.append(self.inside(value))
            if not when[-1].startswith('"'):
                flat.append(self.inside(when))
        return self.cases(flat)


def group(tokens: list[str], at: int) -> tuple[list[str], int]:
    """What stands in the group that begins here, and the place after it."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] == "(") - (tokens[i] == ")")
        if not depth:
            return tokens[at + 1 : i], i + 1
    raise Unreadable("( is never closed")


def split(tokens: list[str], separator: str) -> list[list[str]]:
    """Split where no group is open."""
    found: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if token == separator and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return found
