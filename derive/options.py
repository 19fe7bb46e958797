"""Options in a file: a registered function's keyword-only arguments, read by their annotations.

The annotation says what is accepted and how the JSON Schema describes it: `Fraction` a number, `int` a whole number,
`bool`, `Literal[...]` one of these words, `tuple[Fraction, ...]` a list of numbers (or one alone), `int | None` a whole
number or nothing, `tuple[Annotated[T, registry], ...]` a list of entries of that registry. An option without a default
has to be given.
"""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from derive.errors import LISTED, nearest, offered
from derive.registry import Registry
from derive.source import Item, Number, parse


@dataclass(frozen=True)
class Choice:
    """An entry of a registry with its options, as the file names it."""

    name: str
    options: dict[str, Any]
    item: Item
    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        """The entry at work; what it refuses is an error at its place in the file."""
        try:
            return self.function(*args, **{argument(name): value for name, value in self.options.items()})
        except ValueError as refusal:
            raise self.place(str(refusal).partition(" ")[0]).error(f"{self.name}: {refusal}") from None

    def place(self, option: str) -> Item:
        """Where the file gives an option, or else the entry."""
        given = self.item.value
        return given[option] if isinstance(given, dict) and option in given else self.item

    @property
    def in_force(self) -> dict[str, Any]:
        """All options with their values, defaults included."""
        return {name: self.options.get(name, default) for name, (_, default) in parameters(self.function).items()}


@cache
def parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """name -> (annotation, default) of the keyword-only arguments; `lambda_` is the option `lambda`."""
    hints = get_type_hints(function, include_extras=True)
    only = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return {p.name.removesuffix("_"): (hints[p.name], p.default) for p in only}


def argument(option: str) -> str:
    """An option as the function's argument: with an underscore where the word is Python's own."""
    return option + "_" if keyword.iskeyword(option) else option


def required(function: Callable[..., Any]) -> list[str]:
    """The options that have no default."""
    return [name for name, (_, default) in parameters(function).items() if default is inspect.Parameter.empty]


def named(item: Item, registry: Registry[Any]) -> tuple[str, Item | None]:
    """(name, options) of `sigmoid`, `{sigmoid: {…}}` or `{sigmoid: }`; the name is checked."""
    if isinstance(item.value, str):
        name, options, place = item.value, None, item
    elif isinstance(item.value, dict) and len(item.value) == 1:
        ((name, options),) = item.value.items()
        place = options.at_key()
        if options.value is None:
            options = None
    else:
        raise item.error(f"expected one {registry.kind}: its name, or {{name: {{options}}}}")
    if name not in registry:
        raise place.error(f"unknown {registry.kind} '{name}'.{nearest(name, registry.known) or LISTED}")
    return registry.canonical(name), options


def choose(item: Item, registry: Registry[Any]) -> Choice:
    """The registry's entry that the file asks for, with its options read."""
    name, options = named(item, registry)
    function = registry[name]
    given = read_options(options, function, name) if options else {}
    if missing := [option for option in required(function) if option not in given]:
        raise (options or item).error(f"{name} needs {' and '.join(missing)}")
    return Choice(name, given, options or item, function)


def read_options(item: Item, function: Callable[..., Any], owner: str) -> dict[str, Any]:
    known = parameters(function)
    if not isinstance(item.value, dict):
        raise item.error(f"expected the options of {owner} as {{name: value}}")
    for name, value in item.value.items():
        if name not in known:
            hint = offered(name, known, "Its options are") if known else f" {owner} has no options."
            raise value.at_key().error(f"{owner} has no option '{name}'.{hint}")
    return {name: read_as(known[name][0], value) for name, value in item.value.items()}


def read_as(kind: Any, item: Item) -> Any:
    """An item as the kind of thing an annotation asks for."""
    value = item.value
    if kind is Fraction:
        return number(item).exact
    if kind is int:
        return whole(item)
    if kind is bool:
        if not isinstance(value, bool):
            raise item.error("expected true or false")
        return value
    if get_origin(kind) is Literal:
        words = get_args(kind)
        if value not in words:
            hint = nearest(value, words) if isinstance(value, str) else ""
            raise item.error(f"expected one of {', '.join(words)}.{hint}")
        return value
    if get_origin(kind) is tuple:
        part, _ = get_args(kind)
        return tuple(read_as(part, each) for each in ([item] if isinstance(value, Number) else sequence(item)))
    if get_origin(kind) is UnionType:
        some, nothing = get_args(kind)
        assert nothing is NoneType
        return None if value is None else read_as(some, item)
    if get_origin(kind) is Annotated:
        registry = get_args(kind)[1]
        return choose(item, registry)()
    raise TypeError(f"no reader for options of type {kind}")


def number(item: Item) -> Number:
    if not isinstance(item.value, Number):
        raise item.error(f"expected a number, not {described(item)}")
    return item.value


def whole(item: Item, least: int | None = None, most: int | None = None) -> int:
    value = number(item).exact
    if value.denominator != 1:
        raise item.error(f"expected a whole number, not {described(item)}")
    if least is not None and value < least:
        raise item.error(f"must be at least {least}")
    if most is not None and value > most:
        raise item.error(f"must be at most {most:,}")
    return int(value)


def sequence(item: Item) -> list[Item]:
    if not isinstance(item.value, list):
        raise item.error(f"expected a list, not {described(item)}")
    return item.value


def mapping(item: Item) -> dict[str, Item]:
    if not isinstance(item.value, dict):
        raise item.error(f"expected {{name: value}}, not {described(item)}")
    return item.value


def text(item: Item) -> str:
    """A text; a number or a truth value stands for how it is written."""
    if isinstance(item.value, Number):
        return item.value.text
    if not isinstance(item.value, str):
        raise item.error(f"expected a text, not {described(item)}")
    return item.value


def described(item: Item) -> str:
    match item.value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case Number(text=written):
            return f"the number {written}"
        case written:
            return f"the text '{written}'"


# what a command line says ------------------------------------------------------------------------------------------------
_NUMBER = re.compile(r"[-+\u2212]?[\d.]")


def typed(written: str, place: str) -> Item:
    """A word of the command line as a value: a number, true or false, a text, or with commas a list of these."""
    if "," in written:
        return settled([typed(part.strip(), place) for part in written.split(",")], place)
    if written in ("true", "false"):
        return settled(written == "true", place)
    if _NUMBER.match(written):
        return replace(parse(written, place), line=None, column=None, key_line=None, key_column=None)
    return settled(written, place)


def settled(value: Any, place: str) -> Item:
    """A value that has no place in a file: errors name the option it comes from."""
    return Item(value, None, None, "", place, None, None)
