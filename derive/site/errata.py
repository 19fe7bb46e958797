"""Published examples with numbers that are not right in print: each is worked out again, and judged, before it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from derive.errors import WitnessError
from derive.formula import Formula
from derive.homework.assignment import Assignment
from derive.homework.marked import Mark
from derive.homework.submission import Answer, Submission
from derive.long_training import train
from derive.site.tasks import data
from derive.solution import Solution, solve
from derive.source import Item, Number, parse

FLOAT_ERROR = Decimal(4) * Decimal(2) ** -52  # of a number computed in float64, at most
NEAR = (
    "correct",
    "correct_rounding",
    "over_precise",
    "truncated",
)  # verdicts on numbers that are as right as rounding lets them be


@dataclass(frozen=True)
class Printed:
    """A number in print. at: which one · printed: its digits · the rest as errata.yaml says, which has it all as texts"""

    at: str
    printed: str
    kind: str = ""
    why: Mapping[str, str] | None = None
    like: str = ""
    rule: str = ""
    given: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Example:
    """A published example, as errata.yaml says."""

    id: str
    title: str
    file: str
    right: Mapping[str, str]
    wrong: tuple[Printed, ...] = ()
    author: str = ""
    year: str = ""
    url: str = ""
    trained: Mapping[str, tuple[str, int]] | None = None
    left_out: int = 0

    def fault(self, at: str, problem: str) -> WitnessError:
        return WitnessError(f"the errata, {self.id}: {at} {problem}")


@dataclass(frozen=True)
class Erratum:
    """A number that is not right in print, judged.

    name: the quantity in letters · exact: the right value · right: the same, with as many digits as are printed
    mark: what derive's marking says of it · root: the entry it follows from, or shares a cause with; "" for a root
    """

    printed: Printed
    name: Formula
    exact: float
    right: str
    mark: Mark
    root: str


@dataclass(frozen=True)
class Judged:
    """An example judged. errata: in the order of the computation · right, rounded: how many numbers are right, and how many as far as earlier rounding lets them be"""

    example: Example
    errata: tuple[Erratum, ...]
    right: int
    rounded: int

    @property
    def roots(self) -> list[Erratum]:
        return [erratum for erratum in self.errata if not erratum.root]

    def following(self, root: Erratum) -> list[Erratum]:
        return [erratum for erratum in self.errata if erratum.root == root.printed.at]


def load() -> tuple[dict[str, int], tuple[Example, ...]]:
    """What was examined in all, and the examples."""
    found = data("errata.yaml")
    examples = []
    for given in found["examples"]:
        wrong = tuple(Printed(**row) for row in given.pop("wrong", ()))
        trained = {name: (id, int(steps)) for name, (id, steps) in given.pop("trained", {}).items()}
        left_out = int(given.pop("left_out", 0))
        examples.append(Example(**given, wrong=wrong, trained=trained, left_out=left_out))
    return {key: int(value) for key, value in found["examined"].items()}, tuple(examples)


def judge(example: Example) -> Judged:
    """Every number of an example recomputed. WitnessError where one is not what errata.yaml says it is."""
    return Court(example).judged()


class Court:
    """One example, ready to be judged."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.courses: dict[tuple[int, str], Solution] = {}
        self.assignment = Assignment.read(self.item({}), Path("."), example.id)

    def item(self, change: Mapping[str, Item]) -> Item:
        """The file of the example, with some lines in the place of its own, and with what comes of long training."""
        item = parse(self.example.file, f"{self.example.id}.yaml")
        top = {**mapping(item), **change}
        if self.example.trained and "layers" in top:
            check = mapping(top["check"]) if "check" in top else {}
            own = mapping(check["steps"]) if "steps" in check else {}
            steps = parse(json.dumps({name: str(value) for name, value in self.trained.items()}), item.file)
            merged = placed(item, {**own, **mapping(steps)})
            top["check"] = placed(item, {**check, "steps": merged})
        return placed(item, top)

    @cached_property
    def trained(self) -> dict[str, float]:
        """The numbers after long training."""
        return {name: self.after(*where) for name, where in (self.example.trained or {}).items()}

    def after(self, id: str, steps: int, change: str = "") -> float:
        """A number after so many steps of training, with lines of the file changed."""
        if (steps, change) not in self.courses:
            file = {**parsed(self.example.file), **(parsed(change) if change else {})}
            file.pop("check", None)
            self.courses[steps, change] = train(file, steps=steps)
        name, bracket, index = id.partition("[")
        return float(self.courses[steps, change][f"{name}@{steps}{bracket}{index}"])

    def judged(self) -> Judged:
        example = self.example
        answers = {**example.right, **{row.at: row.printed for row in example.wrong}}
        marked = self.assignment.mark(Submission(answers=tuple(Answer(at, text) for at, text in answers.items())))
        by_key = {mark.key: mark for mark in marked.marks}
        marks = {}
        for at in answers:
            keys = self.assignment.circuit.find(at)
            if keys is None or len(keys) != 1 or keys[0] not in by_key:
                raise example.fault(at, "is no number of this example")
            marks[at] = by_key[keys[0]]
        right = [at for at, text in example.right.items() if self.confirmed(at, text, marks[at])]
        errata = tuple(self.erratum(row, marks) for row in example.wrong)
        return Judged(example, errata, len(right), len(example.right) - len(right))

    def confirmed(self, at: str, text: str, mark: Mark) -> bool:
        """Whether a number is right; False where it is only as right as earlier rounding lets it be."""
        if mark.exact is None or (mark.verdict not in NEAR and not rounds_to(mark.exact, text)):
            raise self.example.fault(at, f"is listed as right, but {text} is not: {mark.exact}, {mark.verdict}")
        return rounds_to(mark.exact, text)

    def erratum(self, row: Printed, marks: Mapping[str, Mark]) -> Erratum:
        """A number that is said not to be right, if that is true."""
        mark, fault = marks[row.at], self.example.fault
        if mark.exact is None or rounds_to(mark.exact, row.printed):
            raise fault(row.at, f"is listed as wrong, but {row.printed} is right: {mark.exact}")
        root = row.like or ("" if row.why else self.cause(row, marks))
        if row.rule and row.rule not in {found.rule for found in mark.found}:
            raise fault(row.at, f"is not what rule {row.rule} gives")
        if row.given and not rounds_to(self.otherwise(row.given), row.printed):
            raise fault(row.at, f"is not what {dict(row.given)} gives: {self.otherwise(row.given)}")
        name = self.assignment.circuit.entries[mark.key].name
        return Erratum(row, name, mark.exact, at_digits(mark.exact, row.printed), mark, root)

    def cause(self, row: Printed, marks: Mapping[str, Mark]) -> str:
        """The erratum with a reason from which another follows, through numbers that follow from it as well."""
        if marks[row.at].verdict != "follow_through":
            raise self.example.fault(row.at, f"does not follow from what is above: {marks[row.at].verdict}")
        rows = {marks[other.at].key: other for other in self.example.wrong}
        seen, waiting = set(), list(marks[row.at].depends)
        while waiting:
            key = waiting.pop(0)
            if key in rows and rows[key].why:
                return rows[key].at
            if key in rows and key not in seen:
                seen.add(key)
                waiting += marks[rows[key].at].depends
        raise self.example.fault(row.at, "follows from no error that is explained")

    def otherwise(self, given: Mapping[str, Any]) -> float:
        """The number that another way of computing gives."""
        change = str(given.get("change", ""))
        if "trained" in given:
            id, steps = given["trained"]
            return self.after(id, int(steps), change)
        if "formula" in given:
            return self.with_step("otherwise", str(given["formula"]))
        if change:
            file = {**parsed(self.example.file), **parsed(change)}
            file.pop("check", None)
            return float(solve(file)[str(given["at"])])
        keys = self.assignment.circuit.find(str(given["at"])) or ("",)
        return self.assignment.circuit.reference(keys[0]).value

    def with_step(self, name: str, formula: str) -> float:
        """The value of a formula in the quantities of the example."""
        item = self.item({})
        check = mapping(mapping(item)["check"])
        step = mapping(parse(json.dumps({name: formula}), item.file))
        steps = placed(item, {**mapping(check["steps"]), **step})
        top = {**mapping(item), "check": placed(item, {**check, "steps": steps})}
        circuit = Assignment.read(placed(item, top), Path("."), self.example.id).circuit
        (key,) = circuit.find(name) or ("",)
        return circuit.reference(key).value


def mapping(item: Item) -> dict[str, Item]:
    assert isinstance(item.value, dict)
    return item.value


def placed(item: Item, value: dict[str, Item]) -> Item:
    """Another mapping in the place of an item."""
    return Item(value, item.line, item.column, item.path, item.file, item.key_line, item.key_column)


def parsed(text: str) -> dict[str, Any]:
    """A file as the mapping that the functions of derive take, its numbers as floats."""
    found = numbers(parse(text, "errata.yaml"))
    assert isinstance(found, dict)
    return found


def numbers(item: Item) -> Any:
    match item.value:
        case dict():
            return {key: numbers(value) for key, value in item.value.items()}
        case list():
            return [numbers(value) for value in item.value]
        case Number(exact=exact):
            return int(exact) if exact.denominator == 1 else float(exact)
    return item.value


def rounds_to(value: float, printed: str) -> bool:
    """Whether the printed digits are those of a value: it lies within half a unit of the last of them."""
    ours, theirs = Decimal(value), Decimal(printed)
    exponent = theirs.as_tuple().exponent
    assert isinstance(exponent, int)
    slack = FLOAT_ERROR * max(abs(ours), abs(theirs))
    return abs(ours - theirs) <= max(Decimal(1).scaleb(exponent) / 2 + slack, slack)


def at_digits(value: float, printed: str) -> str:
    """A value with as many decimals as a number in print; more, where they would leave nothing of it."""
    exponent = Decimal(printed).as_tuple().exponent
    assert isinstance(exponent, int)
    unit = Decimal(1).scaleb(exponent)
    while value and not Decimal(value).quantize(unit, ROUND_HALF_EVEN):
        unit /= 10
    return f"{Decimal(value).quantize(unit, ROUND_HALF_EVEN):f}"


def totals(judged: Sequence[Judged]) -> dict[str, int]:
    """How many numbers were recomputed, and what came of it."""
    return {
        "right": sum(found.right for found in judged),
        "rounded": sum(found.rounded for found in judged),
        "wrong": sum(len(found.errata) for found in judged),
        "roots": sum(len(found.roots) for found in judged),
        "left_out": sum(found.example.left_out for found in judged),
    }


@cache
def all_judged() -> tuple[Judged, ...]:
    """All examples, recomputed, once for all languages."""
    _, examples = load()
    return tuple(map(judge, examples))
