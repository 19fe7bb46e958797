"""YAML text to a tree that remembers where every value stands and how every number was written.

Only the parser's event stream is used: nothing is ever constructed from a tag, aliases never expand, and the tree grows
on an explicit stack, so hostile text costs no more than its size. A *plain* (unquoted) scalar means what the YAML 1.2
core schema says, narrowed and widened as follows; a quoted or block scalar is always text.

* Numbers are decimal (`3`, `+3`, `-0.10`, `.5`, `5.`, `1e-3`) or fractions of whole numbers (`1/3`, `-2/7`); the minus
  may be U+2212. Numbers that other readers would take differently (`0x1F`, `0o17`, `1_000`, `007`) are refused.
* `true`, `True`, `TRUE` and their opposites are booleans; `null`, `Null`, `NULL`, `~` and nothing at all are None.
* Everything else (`yes`, `off`, `1:30`, dates) is text. A mapping key is always the text of its scalar.

With `Limits(literal=True)` no scalar means anything: it stays the text that stands there, and only nothing is None.
"""

from __future__ import annotations

import errno
import os
import pathlib
import re
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from derive.errors import InputError

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 30
MAX_VALUES = 50_000
MAX_TEXT = 500
MAX_DIGITS = 400
MAX_EXPONENT = 400
MAX_PATH = 200

_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+/(?P<denominator>[0-9]+)|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE](?P<exponent>[-+]?[0-9]+))?)"
)
_AMBIGUOUS = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oObB][0-7_]+|0[0-9]+(?:[./][0-9]*)?(?:[eE][-+]?[0-9]+)?|[0-9][0-9.]*_[0-9_.]*)"
)
_NOT_FINITE = re.compile(r"[-+]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

_DIRECTIVE = re.compile(r"(?<![^\r\n])%")
# Refused everywhere, comments too: what makes an editor show other lines, or another order, than the parser reads.
DECEPTIVE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
# Refused in scalars: these categories (controls, formats, private use, surrogates, separators) and blank letters.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_CONTROLS = {"\0": "null", "\t": "tab", "\n": "line break", "\r": "carriage return", "\x1b": "escape"}
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold, and what its scalars are: values, or where they are `literal` the texts that stand there.

    size: bytes · depth: nested collections · values: scalars and collections, keys aside
    """

    size: int = MAX_BYTES
    depth: int = MAX_DEPTH
    values: int = MAX_VALUES
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number as its author wrote it, and exactly what that means. Its float is finite, and 0 only when it is 0."""

    text: str
    exact: Fraction

    def __float__(self) -> float:
        return float(self.exact)


Value: TypeAlias = "dict[str, Item] | list[Item] | str | bool | Number | None"
Fail: TypeAlias = Callable[[str], InputError]


@dataclass(frozen=True, slots=True)
class Item:
    """A value of the file with its place: 1-based position, path from the top, and the key that leads to it."""

    value: Value
    line: int | None
    column: int | None
    path: str
    file: str
    key_line: int | None
    key_column: int | None

    def error(self, problem: str) -> InputError:
        """The error that says `problem` of this value."""
        return InputError(problem, file=self.file, line=self.line, column=self.column, path=self.path)

    def at_key(self) -> Item:
        """The same, placed at its key: for what is wrong with the name rather than with the value."""
        return replace(self, line=self.key_line, column=self.key_column)


@dataclass(slots=True)
class _Open:
    """A collection still being filled, and in a mapping the key (its text and place) whose value comes next."""

    item: Item
    key: tuple[str, int, int] | None = None


def read(path: str | pathlib.Path) -> Item:
    """The tree of the file at `path`; `-` is standard input."""
    text, file = load(path)
    return parse(text, file)


def load(path: str | pathlib.Path, most: int = MAX_BYTES, *, regular: bool = False) -> tuple[str, str]:
    """(text, name) of the UTF-8 file at `path`, of at most so many bytes; `-` is standard input.

    regular: refuse links, pipes and devices, as a file that a stranger put there must be read
    """
    file = "<stdin>" if str(path) == "-" else str(path)
    try:
        if file == "<stdin>":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with open(path, "rb", opener=_open_regular if regular else None) as stream:
                data = stream.read(most + 1)
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", file=file) from None
    except (OSError, ValueError, AttributeError) as error:  # AttributeError: there is no standard input
        reason = getattr(error, "strerror", None) or "not a readable file"
        raise InputError(f"cannot be read: {reason.lower()}", file=file) from None
    if len(data) > most:  # before decoding: the cut may have split a character
        raise _too_large(file, most)
    try:
        return data.decode("utf-8"), file
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte 0x{data[error.start]:02X}); save the file as UTF-8"
        raise _error_at(data[: error.start].decode("utf-8"), problem, file) from None


def _open_regular(path: str, flags: int) -> int:
    """Open without following a link or waiting for the other end of a pipe; what is opened is what is looked at."""
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # `open` itself refuses a folder
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")


def parse(text: str, file: str, limits: Limits = Limits()) -> Item:
    """The tree of the one YAML document in `text`; `file` is the name that messages give it."""
    text = clean(text, file, limits.size)
    if found := _DIRECTIVE.search(text):
        raise _error_at(text[: found.start()], "YAML directives (lines that begin with '%') are not supported", file)
    import yaml

    try:
        return _tree(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), file, limits)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"not valid YAML: {error.problem}"
        if error.context and error.context_mark:
            problem += f", {error.context} from line {error.context_mark.line + 1}"
        if mark and text[mark.index : mark.index + 1] == "\t":
            problem = "a tab cannot stand here; indent with spaces"
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise InputError(problem, file=file, line=line, column=column) from None
    except (yaml.YAMLError, ValueError, OverflowError):  # an escape such as "\UFFFFFFFF", in the pure Python parser
        raise InputError("not valid YAML: a character that does not exist", file=file) from None


def clean(text: str, file: str, most: int = MAX_BYTES) -> str:
    """The text without its byte order mark; refused if too large or if it shows otherwise than it reads."""
    if len(text) > most or len(text.encode("utf-8", "surrogatepass")) > most:
        raise _too_large(file, most)
    text = text.removeprefix("\ufeff")
    if found := DECEPTIVE.search(text):
        raise _error_at(text[: found.start()], f"{named(found[0])} is not allowed", file)
    return text


def _tree(events: Iterator[Any], file: str, limits: Limits) -> Item:
    """The tree that the parser's events describe, grown without recursion."""
    import yaml

    root: Item | None = None
    stack: list[_Open] = []
    count = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            continue
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent) and root:
            raise InputError("a second YAML document starts here", file=file, line=line, column=column)
        if not isinstance(event, yaml.NodeEvent):
            continue
        parent = stack[-1] if stack else None
        path = _path(parent)
        fail = partial(InputError, file=file, line=line, column=column, path=path)
        _refuse_extras(event, fail)
        if parent and parent.key is None and isinstance(parent.item.value, dict):
            parent.key = _key(event, parent.item.value, fail), line, column
            continue

        _, key_line, key_column = (parent and parent.key) or ("", line, column)
        count += 1
        if count > limits.values:
            raise fail(f"more than {limits.values} values")
        value: Value
        if isinstance(event, yaml.ScalarEvent):
            value = _literal(event) if limits.literal else _scalar(event, fail)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
        item = Item(value, line, column, path, file, key_line, key_column)

        if parent is None:
            root = item
        elif isinstance(parent.item.value, list):
            parent.item.value.append(item)
        elif isinstance(parent.item.value, dict) and parent.key:
            parent.item.value[parent.key[0]] = item
            parent.key = None
        if not isinstance(event, yaml.ScalarEvent):
            stack.append(_Open(item))
            if len(stack) > limits.depth:
                raise fail(f"nested more than {limits.depth} levels deep")
    if root is None or root.value is None:
        raise InputError("the file is empty", file=file, line=1, column=1)
    return root


def _path(parent: _Open | None) -> str:
    """The path of what comes next in `parent` (its own for a key). A monster path loses its start, to stay cheap."""
    if parent is None:
        return ""
    path = parent.item.path
    if isinstance(parent.item.value, list):
        path += f"[{len(parent.item.value)}]"
    elif parent.key:
        path += f".{parent.key[0]}" if path else parent.key[0]
    return path if len(path) <= MAX_PATH else "…" + path[1 - MAX_PATH :]


def _key(event: yaml.NodeEvent, taken: dict[str, Item], fail: Fail) -> str:
    """The text of a mapping key, which must be new."""
    import yaml

    if not isinstance(event, yaml.ScalarEvent):
        raise fail("a key must be text, not a list or a mapping")
    key: str = event.value
    if key == "<<" and not event.style:
        raise fail("YAML merge keys ('<<') are not supported")
    if not key:
        raise fail("a key is missing here")
    _refuse_text(key, fail)
    if key in taken:
        raise fail(f"duplicate key {quoted(key)}, first on line {taken[key].key_line}")
    return key


def _scalar(event: yaml.ScalarEvent, fail: Fail) -> str | bool | Number | None:
    """What a scalar means: a number, a word of the core schema, or text."""
    text: str = event.value
    if not event.style:  # plain: None or "", by the parser
        if text in _WORDS:
            return _WORDS[text]
        if (number := _number(text, fail)) is not None:
            return number
    _refuse_text(text, fail)
    return text


def written(item: Item) -> str:
    """The tree as YAML that reads as the same tree: every number as it was written, comments and layout aside."""
    import yaml

    start, end = [yaml.StreamStartEvent(), yaml.DocumentStartEvent()], [yaml.DocumentEndEvent(), yaml.StreamEndEvent()]
    return str(yaml.emit([*start, *_events(item.value), *end], allow_unicode=True, width=110))


def _events(value: Value) -> Iterator[Any]:
    """The events of a value; a collection without mappings inside stands on one line."""
    import yaml

    if isinstance(value, dict | list):
        inner = [item.value for item in (value.values() if isinstance(value, dict) else value)]
        flow = not any(map(_holds_mapping, inner))
        opened, closed = (
            (yaml.MappingStartEvent, yaml.MappingEndEvent)
            if isinstance(value, dict)
            else (yaml.SequenceStartEvent, yaml.SequenceEndEvent)
        )
        yield opened(None, None, True, flow_style=flow)
        for key, part in zip(value if isinstance(value, dict) else inner, inner, strict=True):
            if isinstance(value, dict):
                yield yaml.ScalarEvent(None, None, (True, True), str(key))
            yield from _events(part)
        yield closed()
        return
    text = {None: "~", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else ""
    text = text or (value.text if isinstance(value, Number) else str(value))
    yield yaml.ScalarEvent(None, None, (True, True), text, style='"' if _misread(value) else None)


def _holds_mapping(value: Value) -> bool:
    if isinstance(value, list):
        return any(_holds_mapping(item.value) for item in value)
    return isinstance(value, dict)


def _misread(value: Value) -> bool:
    """Whether a text would be a number or a word of YAML if it stood there without quotation marks."""
    if not isinstance(value, str):
        return False
    ascii_text = value.replace("\u2212", "-")
    return value in _WORDS or any(p.fullmatch(ascii_text) for p in (_NUMBER, _AMBIGUOUS, _NOT_FINITE))


def _literal(event: yaml.ScalarEvent) -> str | None:
    """The text of a scalar; None where nothing stands, or the word for it."""
    text: str = event.value
    return None if not event.style and _WORDS.get(text, text) is None else text


def _number(text: str, fail: Fail) -> Number | None:
    """The number that plain `text` writes, if it writes one. Its size is judged before any big integer is built."""
    ascii_text = text.replace("\u2212", "-")
    if len(text) > MAX_TEXT:
        if ascii_text.strip("+-.0123456789eE/"):
            return None
        raise fail(f"number out of range: {quoted(text)}")
    if _NOT_FINITE.fullmatch(ascii_text):
        raise fail(f"{quoted(text)} is not a finite number")
    if _AMBIGUOUS.fullmatch(ascii_text):
        raise fail(f"{quoted(text)} is not a plain decimal number (no prefix, leading zero or '_')")
    match = _NUMBER.fullmatch(ascii_text)
    if match is None:
        return None
    denominator, exponent = match["denominator"], match["exponent"]
    if denominator and not denominator.strip("0"):
        raise fail(f"{quoted(text)} divides by zero")
    digits = sum(map(str.isdigit, ascii_text)) - len((exponent or "").lstrip("+-"))
    if digits > MAX_DIGITS or len(exponent or "") > MAX_DIGITS or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise fail(f"number out of range: {quoted(text)}")
    number = Number(text, Fraction(ascii_text))
    try:
        rounded = float(number)
    except OverflowError:
        rounded = 0.0
    if not rounded and number.exact:
        raise fail(f"number out of range: {quoted(text)}")
    return number


def _refuse_extras(event: yaml.NodeEvent, fail: Fail) -> None:
    """Refuse what a network has no use for: aliases, anchors and tags."""
    import yaml

    if isinstance(event, yaml.AliasEvent):
        raise fail("YAML aliases (*name) are not supported")
    if event.anchor is not None:
        raise fail("YAML anchors (&name) are not supported")
    if getattr(event, "tag", None) is not None:
        raise fail("YAML tags (!name) are not supported")


def _refuse_text(text: str, fail: Fail) -> None:
    """Refuse text too long to print, or with a character that its reader would not see."""
    if len(text) > MAX_TEXT:
        raise fail(f"text of {len(text)} characters; at most {MAX_TEXT} are allowed")
    if not (text.isascii() and text.isprintable()):
        for char in filter(is_invisible, text):
            raise fail(f"the text contains {named(char)}, which is not allowed")


def is_invisible(char: str) -> bool:
    noncharacter = ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"
    return noncharacter or unicodedata.category(char) in _INVISIBLE_CATEGORIES or char in _BLANK_LETTERS


def named(char: str) -> str:
    """A character by its code point, and its name where it has one."""
    name = unicodedata.name(char, _CONTROLS.get(char, ""))
    return f"U+{ord(char):04X}" + (f" ({name.lower()})" if name else "")


def quoted(text: str) -> str:
    """A text in quotation marks, cut where it is long."""
    return f"'{text}'" if len(text) <= 40 else f"'{text[:39]}…'"


def _error_at(before: str, problem: str, file: str) -> InputError:
    """The error at the place where the text `before` ends."""
    lines = re.split(r"\r\n?|\n", before)
    return InputError(problem, file=file, line=len(lines), column=len(lines[-1]) + 1)


def _too_large(file: str, most: int) -> InputError:
    return InputError(f"the file is larger than {most // 1024} KiB", file=file, line=1, column=1)
