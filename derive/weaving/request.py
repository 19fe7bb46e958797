"""What a marker asks for: its words read as a network, options and what of the solution is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from derive.errors import nearest, offered
from derive.language import LANGUAGES
from derive.notation import PRESETS
from derive.passes import LEVELS, listed
from derive.policies import MOST_DIGITS
from derive.printers.cited import CITED
from derive.weaving.markers import Marker, Source

_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")

#: What may be asked of each command, beside what may be asked of all.
COMMANDS: dict[str, tuple[str, ...]] = {
    "backprop": ("form", "notation"),
    "forward": ("form", "notation"),
    "optimizer": (),
    "ema": (),
    "schedule": (),
    "batches": (),
    "explain": (),
}
#: What of a solution is wanted; of these at most one is named.
WANTED = ("only", "piece", *CITED, "into")
FLAVOURS = ("github", "dollars")
NARROWEST, WIDEST = 15, 90  # em of a line in TeX
DEEPEST = 6  # levels of headings that Markdown has


def one_of(*words: str) -> Callable[[str], str]:
    def read(written: str) -> str:
        if written not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not '{written}'.{nearest(written, words)}")
        return written

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(written: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", written) or not least <= int(written) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not '{written}'.")
        return int(written)

    return read


def truth(written: str) -> bool:
    return one_of("true", "false")(written) == "true"


def name(written: str) -> str:
    if not written:
        raise ValueError("must not be empty.")
    return written


def names(written: str) -> tuple[str, ...]:
    found = listed(written)
    if not found:
        raise ValueError("must not be empty.")
    return found


def level_of_headings(written: str) -> int | None:
    return None if written == "none" else whole(1, DEEPEST)(written)


#: Every option, and how it is read; a ValueError says what is wrong with it.
OPTIONS: dict[str, Callable[[str], Any]] = {
    "command": one_of(*COMMANDS),
    "only": names,
    "piece": name,
    **dict.fromkeys(CITED, name),
    "into": name,
    "form": one_of("scalar", "matrix", "both", "auto"),
    "level": one_of(*LEVELS),
    "lang": one_of(*LANGUAGES),
    "notation": one_of(*PRESETS),
    "significant": whole(1, MOST_DIGITS),
    "decimals": whole(0, MOST_DIGITS),
    "exact": truth,
    "round_as_you_go": truth,
    "comma": truth,
    "math": one_of(*FLAVOURS),
    "headings": level_of_headings,
    "labels": name,
    "width": whole(NARROWEST, WIDEST),
}
FLAGS = tuple(option for option, read in OPTIONS.items() if read is truth)
#: Of an option the others that it takes the place of.
INSTEAD = {"significant": ("decimals",), "decimals": ("significant",), **dict.fromkeys(WANTED, WANTED)}


@dataclass(frozen=True)
class Request:
    """What is asked for.

    subject: the network file, the file of a study, or the topic of a lesson; "" where none is named yet
    options: by name, as `OPTIONS` reads them · at: where each word stands in the notes, for errors
    """

    subject: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    at: Mapping[str, int] = field(default_factory=dict)

    @property
    def command(self) -> str:
        return str(self.options.get("command", "backprop"))

    @property
    def wanted(self) -> str:
        """Which of `WANTED` is named, or ""."""
        return next((option for option in WANTED if option in self.options), "")

    @property
    def with_titles(self) -> bool:
        """Whether steps have titles where there are no headings: not where only lines are wanted."""
        return self.options.get("level") != "brief"

    def over(self, defaults: Request) -> Request:
        """The same, where it leaves something open as the defaults say."""
        taken = {other for option in self.options for other in INSTEAD.get(option, ()) if other != option}
        kept = {option: value for option, value in defaults.options.items() if option not in taken}
        return Request(self.subject or defaults.subject, {**kept, **self.options}, {**defaults.at, **self.at})

    def place(self, *options: str) -> int:
        """Where the first of some options stands that is named, else where the words begin."""
        return next((self.at[option] for option in options if option in self.at), self.at[""])


def read(source: Source, marker: Marker, without: Collection[str] = ()) -> Request:
    """A marker's words: the subject, then `option=value`; a value with spaces in quotes.

    without: options that mean nothing in notes of this kind
    """
    found, position = Request(at={"": marker.start}), 0
    for match in _WORD.finditer(marker.words):
        whole_words(source, marker, position, match.start())
        found, position = with_word(source, found, match[0], marker.said + match.start()), match.end()
    whole_words(source, marker, position, len(marker.words))
    for option in without:
        if option in found.options:
            raise source.error(f"{option} means nothing in notes of this kind", found.place(option))
    return found


def whole_words(source: Source, marker: Marker, start: int, end: int) -> None:
    """Between words there is only space: a quotation mark has one that ends it."""
    between = marker.words[start:end]
    if between.strip():
        quote = start + len(between) - len(between.lstrip())
        raise source.error("a quotation mark without the one that ends it", marker.said + quote)


def with_word(source: Source, request: Request, word: str, at: int) -> Request:
    """The request with one word more."""
    key, equals, value = word.partition("=")
    option, value = key.replace("-", "_"), _QUOTED.sub(lambda quoted: quoted[1] or quoted[2] or "", value)
    if not equals and option in FLAGS:
        value = "true"
    elif not equals and not request.subject and not request.options:
        subject = _QUOTED.sub(lambda quoted: quoted[1] or quoted[2] or "", word)
        return replace(request, subject=subject, at={**request.at, "subject": at})
    elif not equals and option in OPTIONS:
        raise source.error(f"{key} needs a value: {key}=…", at)
    elif not equals:
        raise source.error(f"'{word}' is no option; options are written name=value.{nearest(option, OPTIONS)}", at)
    if option not in OPTIONS:
        raise source.error(f"unknown option '{key}'.{offered(option, OPTIONS, 'There are')}", at)
    if option in request.options:
        raise source.error(f"{key} is given twice", at)
    if option in WANTED and request.wanted:
        raise source.error(f"{request.wanted} and {option} cannot both be given", at)
    try:
        options = {**request.options, option: OPTIONS[option](value)}
    except ValueError as refusal:
        raise source.error(f"{key} {refusal}".removesuffix("."), at) from None
    return replace(request, options=options, at={**request.at, option: at})


def checked(source: Source, request: Request, inside: bool) -> Request:
    """The request, if its parts go together. inside: whether it stands in a sentence"""
    own = {option for options in COMMANDS.values() for option in options}
    for option in request.options:
        if option in own and option not in COMMANDS[request.command]:
            raise source.error(f"{request.command} has no option {option}", request.place(option))
    if not request.subject:
        raise source.error("which network? Its file is the first word after the colon", request.place(""))
    if inside and request.wanted not in CITED:
        problem = f"a sentence has room for {'=…, '.join(CITED)}=…; everything else needs a line of its own"
        raise source.error(problem, request.place(request.wanted, ""))
    return request


def default(source: Source, request: Request) -> Request:
    """What holds for the markers after this one; what is wanted, each says itself."""
    if request.wanted:
        raise source.error(f"{request.wanted} is for one marker, no default", request.place(request.wanted))
    return request
