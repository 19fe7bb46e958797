"""The tree of an answers file to submissions: `answers.yaml`, and the same in JSON and TOML.

A file that says what it may not say is refused; an answer that cannot be read is only that answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from derive.errors import InputError, offered, printable
from derive.homework.escape import visible
from derive.homework.reading.numbers import MAX_CHARACTERS
from derive.homework.submission import ROUNDINGS, Answer, Rounding, Submission
from derive.options import mapping, text
from derive.source import DECEPTIVE, Item, is_invisible, named, quoted

VERSION = "1"
MAX_ANSWERS = 2_000
MAX_NAME = 200
MAX_ROUNDING = 40
#: The keys of the file, and what they say.
MEANINGS = {
    "derive_answers": "The version of this form.",
    "assignment": "The id of the network file it answers.",
    "student": "Whose it is: an id, or {id, name}.",
    "rounding": "How the numbers were rounded: {sf: 4} to significant digits, {dp: 4} to decimals.",
    "decimal": "The decimal sign of the numbers.",
    "conventions": "What differs from the sheet, such as {loss: half_sse}.",
    "answers": "By step (id, label or entry): a number, {value, formula}, or a list of them; ~ where it is left blank.",
    "working": "Free text, never read by derive.",
}
KEYS = tuple(MEANINGS)
PARTS = ("value", "formula")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_ENTRY = re.compile(r"\[([^\[\]]*)\]$")
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_DECIMALS = {".": False, ",": True}

Index = tuple[int, ...]


class Leaf(NamedTuple):
    """One cell of an answer: its text, or why it has none that can be read."""

    item: Item
    problem: str = ""


def submissions(root: Item, comma: bool = False) -> list[Submission]:
    """One submission, or a list of them; numbers have a decimal comma if it says so, or if it says nothing and `comma`."""
    return [submission(item, comma) for item in (root.value if isinstance(root.value, list) else [root])]


def submission(root: Item, comma: bool = False) -> Submission:
    """What one student handed in. Raises InputError where a key is unknown or means nothing."""
    given = mapping(root)
    for key, item in given.items():
        if key not in KEYS:
            hint = offered(key, KEYS, "The keys of an answers file are")
            raise item.at_key().error(f"unknown key {quoted(key)}.{hint}")
    if "answers" not in given:
        raise root.error("'answers' is missing")
    given = {key: item for key, item in given.items() if item.value is not None or key == "answers"}
    if "derive_answers" in given and text(given["derive_answers"]) != VERSION:
        raise given["derive_answers"].error(f"this version reads derive_answers: {VERSION}")
    student, name = _student(given["student"]) if "student" in given else ("", "")
    if "decimal" in given:
        if (sign := word(given["decimal"])) not in _DECIMALS:
            raise given["decimal"].error('expected "." or ","')
        comma = _DECIMALS[sign]
    return Submission(
        student=student,
        name=name,
        answers=gathered(answers(given["answers"]), root.file),
        assignment=word(given["assignment"]) if "assignment" in given else "",
        rounding=_rounding(given["rounding"]) if "rounding" in given else None,
        comma=comma,
        conventions={key: word(item) for key, item in mapping(given["conventions"]).items()}
        if "conventions" in given
        else {},
        working=visible(text(given["working"])) if "working" in given else "",
        source=root.file,
    )


def _student(item: Item) -> tuple[str, str]:
    """(id, name) of `{id: …, name: …}`, or of the id alone."""
    if not isinstance(item.value, dict):
        return word(item), ""
    for key, part in item.value.items():
        if key not in ("id", "name"):
            raise part.at_key().error(f"unknown key {quoted(key)}.{offered(key, ('id', 'name'), 'Its keys are')}")
    parts = {key: part for key, part in item.value.items() if part.value is not None}
    return (
        word(parts["id"]) if "id" in parts else "",
        printable(text(parts["name"]))[:MAX_NAME] if "name" in parts else "",
    )


def _rounding(item: Item) -> Rounding:
    given = mapping(item)
    if len(given) != 1 or not given.keys() <= set(ROUNDINGS):
        raise item.error("expected {sf: 4} for significant digits or {dp: 4} for decimals")
    ((kind, digits),) = given.items()
    written = text(digits)
    if not _INDEX.fullmatch(written) or not (kind == "sf") <= int(written) <= MAX_ROUNDING:
        raise digits.error(f"expected a whole number up to {MAX_ROUNDING}")
    return Rounding(kind, int(written))


def word(item: Item) -> str:
    """A short text that is a name for something: an id, a convention."""
    return identifier(text(item), item)


def identifier(written: str, place: Item) -> str:
    """A name that can be trusted to be what it looks like, so that two of them are the same only if they look it."""
    if len(written) > MAX_NAME:
        raise place.error(f"a name of {len(written)} characters; at most {MAX_NAME} are allowed")
    if not (written.isascii() and written.isprintable()):
        for char in filter(is_invisible, written):
            raise place.error(f"the text contains {named(char)}, which is not allowed")
    return unicodedata.normalize("NFC", written.strip())


# answers ------------------------------------------------------------------------------------------------------------------
def answers(item: Item) -> Iterator[Answer]:
    """The answers of `{step: answer}`, one for every entry."""
    for step, given in mapping(item).items() if item.value is not None else ():
        parts, problem = _parts(given)
        cells = {part: dict(entries(tree)) for part, tree in parts.items()}
        if max(map(len, cells.values())) > MAX_ANSWERS:
            raise given.error(f"more than {MAX_ANSWERS} answers")
        for index in {index: None for part in cells.values() for index in part}:
            leaves = {part: found[index] for part, found in cells.items() if index in found}
            texts = {part: leaf.item.value for part, leaf in leaves.items() if isinstance(leaf.item.value, str)}
            said = problem or next((leaf.problem for leaf in leaves.values() if leaf.problem), "")
            place = next(iter(leaves.values())).item
            yield answer(entry(step, index), texts.get("value"), texts.get("formula"), placed(place), said)


def _parts(given: Item) -> tuple[dict[str, Item], str]:
    """(what is given as value and formula, what is wrong with that)."""
    if not isinstance(given.value, dict) or (given.value and all(map(_INDEX.fullmatch, given.value))):
        return {"value": given}, ""
    if unknown := [key for key in given.value if key not in PARTS]:
        hint = offered(unknown[0], PARTS, "An answer has")
        return {"value": given}, f"unknown key {quoted(unknown[0])}.{hint}"
    return dict(given.value) or {"value": given}, ""


def entries(item: Item, index: Index = ()) -> Iterator[tuple[Index, Leaf]]:
    """(1-based index, cell) of everything in nested lists and in mappings from indices, which count from 0 if 0 is there."""
    if isinstance(item.value, list) and item.value:
        for number, part in enumerate(item.value, start=1):
            yield from entries(part, (*index, number))
    elif isinstance(item.value, dict) and item.value and all(map(_INDEX.fullmatch, item.value)):
        first = 0 if "0" in item.value else 1
        for key, part in item.value.items():
            yield from entries(part, (*index, int(key) + 1 - first))
    elif isinstance(item.value, dict) and item.value:
        yield index, Leaf(item, "expected a number, or its parts value and formula")
    else:
        yield index, Leaf(item)


def entry(step: str, index: Index) -> str:
    """The entry of a step: `W2[1,2]`; of `a1[3]`, `a1[3,2]`."""
    if not index:
        return step
    inner = ",".join(map(str, index))
    found = _ENTRY.search(step)
    return f"{step[: found.start()]}[{found[1]},{inner}]" if found else f"{step}[{inner}]"


def answer(step: str, value: str | None, formula: str | None, place: str, problem: str = "") -> Answer:
    """An answer whose texts can be shown: unreadable where one holds what does not print, or is too long."""
    parts = [_text(step), _text(value), _text(formula)]
    name = unicodedata.normalize("NFC", parts[0][0] or "")
    name = _BRACKETS.sub(lambda found: found[0].replace(" ", ""), name)
    said = problem or next((wrong for _, wrong in parts if wrong), "" if name else "the step has no name")
    return Answer(name, parts[1][0], parts[2][0], place, said)


def _text(written: str | None) -> tuple[str | None, str]:
    """(text, problem) of a cell; None where it is blank."""
    found = (written or "").strip()
    if not found:
        return None, ""
    if len(found) > MAX_CHARACTERS:
        return printable(found[:MAX_CHARACTERS]), f"longer than {MAX_CHARACTERS} characters"
    if not found.isprintable() and (hidden := DECEPTIVE.search(found) or re.search(r"[\n\r\t]", found)):
        return printable(found), f"{named(hidden[0])} cannot stand in an answer"
    return found, ""


def placed(item: Item) -> str:
    """Where in the file, as far as that is known: `answers.yaml:7:5`, `answers.json: answers.z1`."""
    if item.line is None:
        return f"{item.file}: {item.path}"
    return f"{item.file}:{item.line}:{item.column}"


def gathered(found: Iterable[Answer], file: str) -> tuple[Answer, ...]:
    """All answers of one student, each step once."""
    steps: dict[str, Answer] = {}
    for each in found:
        if each.step in steps:
            raise InputError(f"{each.place}: {quoted(each.step)} is answered twice, first at {steps[each.step].place}")
        if len(steps) == MAX_ANSWERS:
            raise InputError(f"more than {MAX_ANSWERS} answers", file=file)
        steps[each.step] = each
    return tuple(steps.values())
