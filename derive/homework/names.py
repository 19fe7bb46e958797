"""What the entries of a circuit may be called by hand: `W2[1,2]`, the author's `w6`, `dE/dw6`, `W2_12`, `a_o1`, `η`.

Ids and labels come first. All other spellings are taken only where they can mean one thing alone.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol

from derive.expression import GREEK, NAMES, SIGNS, is_letter
from derive.formula import Formula, Name, Partial, Symbol, entry
from derive.graph import Node
from derive.ids import is_after, kind, split, state, step, timed, untimed
from derive.labels import Labels

LOSSES = ("L", "E", "C", "J")  # letters a loss commonly goes by, inside a derivative
ACTIVATIONS, SCORES = ("a", "out"), ("z", "net", "in")  # of a unit: a_o1, out_h2, net_h1
#: Options whose letters are not their own names.
OPTIONS = {
    "lr": ("eta",),
    "betas1": ("beta1", "beta_1"),
    "betas2": ("beta2", "beta_2"),
    "eps": ("epsilon",),
    "weight_decay": ("lambda",),
    "lambda_l1": ("lambda",),
    "lambda_l2": ("lambda",),
}
#: Characters that stand for one other character each.
PLAIN = {
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
    **dict.fromkeys("−–", "-"),
    **dict.fromkeys("×·⋅", "*"),
    **dict.fromkeys("\u00a0\u2009\u202f", " "),
    **dict.fromkeys("'’", "′"),
    "÷": "/",
    "∂": "d",
}
_PLAIN = str.maketrans(PLAIN)
_LETTERS = {letter: name for name, letter in GREEK.items()}
_WORDS = re.compile(r"[A-Za-z]+")
_INDEXED = re.compile(r"(?P<id>.+?)\[(?P<index>[0-9]{1,9}(?:,[0-9]{1,9})*)\]")


class Entry(Protocol):
    """A single number of a calculation."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> Name: ...
    @property
    def node(self) -> Node: ...
    @property
    def formula(self) -> Formula | None: ...
    @property
    def parents(self) -> tuple[str, ...]: ...


class Named(Protocol):
    """Where labels come from."""

    @property
    def labels(self) -> Labels: ...


class Network(Protocol):
    """A calculation as single numbers, in the order of computation, by canonical id."""

    @property
    def entries(self) -> Mapping[str, Entry]: ...
    @property
    def quantities(self) -> Named: ...


def plain(text: str) -> str:
    """The text with signs that look alike made one; every character stays where it is, once accents are composed."""
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


class Names:
    """The spellings of the entries (and of whole quantities) of one circuit."""

    def __init__(self, network: Network) -> None:
        self.network, self.labels = network, network.quantities.labels
        self.wholes: dict[str, tuple[str, ...]] = {}
        for key, found in network.entries.items():
            self.wholes[found.node.id] = (*self.wholes.get(found.node.id, ()), key)

    # finding ----------------------------------------------------------------------------------------------------------
    def resolve(self, step: str) -> tuple[str, ...] | None:
        """The keys that an id, an entry, a label or another spelling stands for; None if there are none."""
        text = plain(step).strip()
        text = text if text in self.network.entries or text in self.wholes else self.timed(text)
        if text in self.network.entries:
            return (text,)
        if text in self.wholes:
            return self.wholes[text]
        if (key := self.find(text)) is not None:
            return (key,)
        if whole := self.quantity(text):
            return self.wholes[whole]
        if indexed := _INDEXED.fullmatch(text):
            key = entry(self.quantity(indexed["id"]) or "", tuple(map(int, indexed["index"].split(","))))
            return (key,) if key in self.network.entries else None
        return None

    def timed(self, text: str) -> str:
        """The first step is not written, what a step leaves is what the next one has; one loss is that of its output."""
        name, at, rest = text.partition("@")
        number, bracket, index = rest.partition("[")
        if at and number == "1":
            return name + bracket + index
        if at and number.isdecimal() and len(number) < 7 and f"{name}@{number}" not in self.wholes:
            before = timed(f"{name}+", int(number) - 1)
            return before + bracket + index if before in self.wholes else text
        return "L" if text in ("l", "L[1]") and "l" not in self.wholes else text

    def find(self, text: str) -> str | None:
        """The key of an entry by any of its spellings; in other cases of letters where that leaves no doubt."""
        return self.table.get(text) or self.folded.get(text.casefold())

    def longest(self, text: str, at: int) -> tuple[str, int] | None:
        """(key, length) of the longest spelling that begins here; a name does not end inside a word."""
        for table, source in ((self.table, text), (self.folded, text.casefold())):
            if len(source) != len(text):
                continue
            for length in self.lengths:
                word = source[at : at + length]
                if word in table and len(word) == length and ends(text, at + length):
                    return table[word], length
        return None

    def quantity(self, text: str) -> str | None:
        """The id of a whole quantity by any of its spellings."""
        found = self.whole_table.get(text) or self.whole_folded.get(text.casefold())
        return found if found in self.wholes else None

    def label(self, key: str) -> str:
        """The author's name for an entry, also with + or a step after it and inside a derivative; or the key."""
        found = self.network.entries[key]
        of, by = split(found.node.id)
        by = by if of else found.node.id
        label = self.labels.of.get(entry(untimed(by).rstrip("+"), found.name.index))
        if label is None or (of and of != "L") or state(by)[0]:
            return key
        name = label + "+" * is_after(by)
        return timed(f"d{of}/d{name}" if of else name, step(by))

    # tables -----------------------------------------------------------------------------------------------------------
    @cached_property
    def table(self) -> dict[str, str]:
        """Spelling -> key."""
        first = {key: key for key in self.network.entries}
        first |= {key: keys[0] for key, keys in self.wholes.items() if len(keys) == 1}
        for label, place in self.labels.entries.items():
            first.setdefault(plain(label), entry(*place))
        for label, id in self.labels.whole.items():
            if len(self.wholes.get(id, ())) == 1:
                first.setdefault(plain(label), self.wholes[id][0])
        first = {text: key for text, key in first.items() if key in self.network.entries}
        others = ((text, key) for key in self.network.entries for text in self.spellings(key))
        found = first | unambiguous(others, first)
        found |= unambiguous(self.units(), found)
        return {text: key for text, key in found.items() if text == key or is_name(text, found)}

    @cached_property
    def lengths(self) -> list[int]:
        return sorted({len(text) for text in self.table}, reverse=True)

    @cached_property
    def folded(self) -> dict[str, str]:
        """The same whatever the case of letters, but where that is the name of a whole quantity: W2 is not w2."""
        taken = {text.casefold() for text, id in self.whole_table.items() if text not in self.table}
        return unambiguous(((text.casefold(), key) for text, key in self.table.items()), {*taken, "e", *NAMES})

    @cached_property
    def whole_table(self) -> dict[str, str]:
        first = {id: id for id in self.wholes} | {plain(label): id for label, id in self.labels.whole.items()}
        others = ((text, id) for id in self.wholes for text in self.spelled(id, ()))
        return first | unambiguous(others, first)

    @cached_property
    def whole_folded(self) -> dict[str, str]:
        return unambiguous(((text.casefold(), id) for text, id in self.whole_table.items()), ())

    # spellings --------------------------------------------------------------------------------------------------------
    def spellings(self, key: str) -> Iterator[str]:
        """What else an entry may be called."""
        found = self.network.entries[key]
        index = found.name.index
        yield from self.spelled(found.node.id, index)
        if index:
            yield from (entry(text, index) for text in self.spelled(found.node.id, ()))
        if isinstance(found.name.symbol, (Symbol, Partial)):
            yield from greek(of_symbol(found.name.symbol))

    def spelled(self, id: str, index: tuple[int, ...]) -> Iterator[str]:
        """An id with its index inside: W2_12, W2_1_2, x1; d…_d…, …_new, m_w5, the same with labels."""
        name, at, number = id.partition("@")
        of, by = split(name)
        letter, parameter = state(name)
        if of:
            below = list(self.spelled(by, index))
            above = self.losses if of == "L" else list(self.spelled(of, index))
            pairs = itertools.product(above, below) if of == "L" else zip(above, below, strict=False)
            found: Iterator[str] = (f"d{u}{slash}d{v}" for u, v in pairs for slash in ("/", "_"))
        elif letter:
            found = (f"{letter}{dot}{of}" for of in self.spelled(parameter, index) for dot in "._")
        elif is_after(name):
            inner = list(self.spelled(name.removesuffix("+"), index))
            found = (f"{text}{mark}" for text in inner for mark in ("+", "_new", "′"))
        else:
            found = greek(self.base(name, index))
        yield from (text + at + number for text in found)

    def base(self, id: str, index: tuple[int, ...]) -> Iterator[str]:
        yield entry(id, index)
        label = self.labels.of.get(entry(id, index))
        if label:
            yield plain(label)
        elif whole := self.labels.of.get(id):
            yield entry(plain(whole), index)
        if index:
            digits = [str(i) for i in index]
            yield f"{id}_{'_'.join(digits)}"
            if max(index) < 10 or len(index) == 1:
                yield f"{id}_{''.join(digits)}"
                if not id[-1].isdigit():
                    yield f"{id}{''.join(digits)}"
        if id == "l" and len(index) == 1:
            yield f"L[{index[0]}]"
        yield from self.losses if id == "L" else OPTIONS.get(id, ())

    @cached_property
    def losses(self) -> list[str]:
        """What the loss may be called inside a derivative."""
        loss = self.network.entries.get("L")
        own = list(of_symbol(loss.name.symbol)) if loss and isinstance(loss.name.symbol, Symbol) else []
        return list(dict.fromkeys([*LOSSES, *own, *filter(None, [self.labels.of.get("L")])]))

    def units(self) -> Iterator[tuple[str, str]]:
        """Spellings by unit, with its number behind o of the output layer or h of a hidden one: a_o1, z_h2, out_h21."""
        found = [(e, *kind(e.node.id)) for e in self.network.entries.values() if not split(e.node.id)[0]]
        found = [(e, letter, k) for e, letter, k in found if letter in ("z", "a") and k.isdigit() and k != "0"]
        layers = {int(k) for _, _, k in found}
        for e, letter, k in found:
            if len(e.name.index) != 1 or e.node.id != letter + k:
                continue
            hidden = "h" if len(layers) == 2 else f"h{k}"
            unit = f"{'o' if int(k) == max(layers) else hidden}{e.name.index[0]}"
            letters = ACTIVATIONS if letter == "a" else SCORES
            texts = [f"{letter}{bar}{unit}" for letter in letters for bar in ("_", "")] + [unit] * (letter == "a")
            for text in texts:
                yield text, e.key
                for of, loss in itertools.product((f"dL/d{e.node.id}",), self.losses):
                    gradient = entry(of, e.name.index)
                    if gradient in self.network.entries:
                        yield f"d{loss}/d{text}", gradient
                        yield f"d{loss}_d{text}", gradient


def of_symbol(symbol: Symbol | Partial) -> Iterator[str]:
    """A symbol of the page on one line: out_o1, outo1."""
    if isinstance(symbol, Partial):
        for above, below in itertools.product(of_symbol(symbol.of), of_symbol(symbol.by)):
            yield from (f"d{above}/d{below}", f"d{above}_d{below}")
    elif not symbol.sup and not symbol.bold:
        yield plain(f"{symbol.base}{symbol.sub}{symbol.mark}")
        if symbol.sub:
            yield plain(f"{symbol.base}_{symbol.sub}{symbol.mark}")


def greek(texts: Iterable[str]) -> Iterator[str]:
    """The texts, and the same with Greek letters by name and names as letters."""
    for text in texts:
        yield text
        if not text.isascii():
            yield "".join(_LETTERS.get(char, char) for char in text)
        yield _WORDS.sub(lambda word: GREEK.get(word[0], word[0]), text)


def unambiguous(pairs: Iterable[tuple[str, str]], taken: Iterable[str]) -> dict[str, str]:
    """The texts that mean one thing alone, and are not taken."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for text, key in pairs:
        if found.setdefault(text, key) != key:
            doubtful.add(text)
    for text in (*doubtful, *taken):
        found.pop(text, None)
    return found


def ends(text: str, at: int) -> bool:
    """Whether a name may end before this place: the word does, and a + that marks a new value is no plus sign."""
    after = text[at : at + 1]
    if is_word(after) or after in ("′", "[", "@") or (after == "." and text[at + 1 : at + 2].isdigit()):
        return text[at - 1] == "]" and after not in ("′", "@")
    if text[at - 1] != "+":
        return True
    rest = text[at:].lstrip()
    if after == " " and rest[:1] in ("+", "-"):
        return rest[1:2] == " "
    return rest[:1] in ("", ")", "]", ",", "*", "/", "^")


def is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isdigit()) or (bool(char) and is_letter(char))


def is_name(text: str, others: Mapping[str, str]) -> bool:
    """Whether a spelling reads as a name: it begins with a letter, and with no other name and a sign."""
    if not is_letter(text[:1] or "0"):
        return False
    signs = [place for place, char in enumerate(text) if char in (*SIGNS, " ") and 0 < place < len(text) - 1]
    return not any(text[:place].rstrip() in others for place in signs if text[place] not in "[/,")


def known(names: Names) -> list[str]:
    """The spellings to suggest: ids and labels."""
    labels = [*map(plain, names.labels.entries), *map(plain, names.labels.whole)]
    return [text for text in [*labels, *names.network.entries] if text in names.table]
