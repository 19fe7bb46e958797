"""A worksheet: problem, key, solution and the files answers are written into, all from one network file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from derive import checks, policies
from derive.algebra import UNKNOWN
from derive.checks.printed import printed
from derive.derivation import Wishes, tell
from derive.dialects.text import Text
from derive.document import Amount, Document, Section, Table, say
from derive.errors import InputError, WitnessError, nearest
from derive.examples import resolve
from derive.files import fill
from derive.formula import Name
from derive.homework.assignment import Assignment
from derive.homework.exercise import STUDIES
from derive.homework.lint import hides
from derive.homework.worked import solution as written_out
from derive.language import Words
from derive.lines import rounding
from derive.model import Model
from derive.numerals import Policy as Numbers
from derive.options import mapping, text
from derive.printers import FORMATS as PRINTED
from derive.printers import PAGES as FORMATS
from derive.printers.markdown import printer as markdown
from derive.reader import Reader
from derive.sheets import answers
from derive.sheets.answers import Row
from derive.sheets.problem import HINTS, Problem, digits, points
from derive.sheets.questions import Asked, asked, shortest, typed
from derive.solution import finished, framed, study
from derive.source import Item, Number, written
from derive.spec import tree
from derive.spelling import Style, spell

#: The three pages of a worksheet.
PAGES = ("problem", "key", "solution")
#: What students fill in.
FILLED = ("answers.*",)
FULL = Numbers(significant=12)  # of the key, beside what is asked for


@dataclass(frozen=True)
class Worksheet:
    """An exercise to be handed out, its key and its solution.

    assignment: what marks it · item: the exercise as a network file, with what is asked for under `check: ask:`
    asked: the entries that are asked for, and what is given to go on with · hints: of HINTS · solution: worked and witnessed
    beside: other files the exercise needs, by name
    """

    assignment: Assignment
    item: Item
    asked: Asked
    hints: frozenset[str]
    solution: Document
    words: Words
    title: str
    id: str
    beside: Mapping[str, bytes] = field(default_factory=dict)

    # pages ------------------------------------------------------------------------------------------------------------
    @cached_property
    def told(self) -> Problem:
        circuit, policy = self.assignment.circuit, self.assignment.policy
        title = self.words.plain("sheet.title.problem", name=self.title)
        return Problem(circuit, self.asked, policy, self.hints, self.solution, self.words, title, self.id)

    @cached_property
    def problem(self) -> Document:
        """What is handed out: what is given, and the questions. It holds none of the numbers that are asked for."""
        return self.told.document()

    @cached_property
    def key(self) -> Document:
        """Every number that is asked for, with its digits, in full precision, and its points."""
        circuit, policy = self.assignment.circuit, self.assignment.policy
        values = circuit.values.branch(digits(Numbers(comma=self.comma), policy))
        rows = []
        for row in self.rows:
            exact, name = circuit.exact(row.key), circuit.entries[row.key].name
            value = values.value(name)
            values.hold(f"key:{row.key}", value, UNKNOWN, values.policy.numeral(circuit.decimal(row.key)))
            values.hold(f"full:{row.key}", value, UNKNOWN, FULL.numeral(circuit.decimal(row.key), exact))
            worth = points(policy.weights.get(row.key, 1.0))
            amounts = Amount(Name(f"key:{row.key}")), Amount(Name(f"full:{row.key}"))
            rows.append((row.question, name, row.typed, *amounts, worth))
        header = tuple(say(f"table.sheet.{key}") for key in ("question", "symbol", "step", "answer", "full", "points"))
        return Document(
            title=self.words.plain("sheet.title.key", name=self.title),
            sections=(
                Section("key", say("section.sheet.key"), (Table("key", say("table.sheet.key"), header, tuple(rows)),)),
            ),
            values=values,
            style=self.solution.style,
            language=self.words.language,
            summary=(self.told.precision(), say("sheet.most", most=points(self.most))),
            student=True,
            conventions=(say("check.half_unit"), say("check.own_values")),
        )

    @property
    def most(self) -> float:
        """The points that can be got."""
        return sum(self.assignment.policy.weights.get(key, 1.0) for key in self.asked.keys)

    # answers ----------------------------------------------------------------------------------------------------------
    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """What is asked for, number by number."""
        circuit, dialect = self.assignment.circuit, Text(self.solution.style)
        return tuple(
            Row(key, typed(circuit, key), spell(circuit.entries[key].name, dialect), question(asking.number, letter))
            for asking in self.told.questions
            for letter, key in asking.parts
        )

    @property
    def comma(self) -> bool:
        """Whether numbers have a decimal comma."""
        return self.solution.values.policy.comma

    @cached_property
    def numbers(self) -> dict[str, str]:
        """The right numbers by key, with as many digits as are asked for, as a student would write them."""
        circuit, policy = self.assignment.circuit, digits(Numbers(), self.assignment.policy)
        found = {key: str(policy.numeral(circuit.decimal(key))) for key in self.asked.keys}
        return {key: text.replace(".", ",") for key, text in found.items()} if self.comma else found

    @property
    def answers(self) -> str:
        """answers.yaml with a blank for every number, which `derive check` reads when it is filled in."""
        return self.filled({})

    def filled(self, numbers: Mapping[str, str] | None = None) -> str:
        """answers.yaml with numbers, texts by key; those of the key if none are given."""
        given = self.numbers if numbers is None else numbers
        head = [self.words.plain("sheet.fill_in")] if not given else []
        return answers.template(self.rows, self.id, given, comma=self.comma, head=[self.title, *head])

    @property
    def table(self) -> str:
        """The same as a table of a Markdown worksheet."""
        page = markdown(self.problem)
        return "\n\n".join(page.answers(block) for block in self.questions) + "\n"

    @property
    def questions(self) -> list[Any]:
        """The questions, as they stand in the problem."""
        return [
            block
            for section in self.problem.sections
            if section.id.startswith("questions/")
            for block in section.blocks
        ]

    @property
    def csv(self) -> str:
        """The same as comma-separated values: step, value, formula."""
        return answers.spreadsheet(self.rows, {})

    @property
    def exercise(self) -> str:
        """The network file that `derive check` is given: with an id and what is asked for."""
        return written(self.item)

    # printing ---------------------------------------------------------------------------------------------------------
    def print(self, what: str = "problem", format: str = "html") -> str | bytes:
        """One of PAGES in one of FORMATS."""
        if what not in PAGES:
            raise InputError(f"unknown page '{what}'.{nearest(what, PAGES)}")
        if format not in FORMATS:
            raise InputError(f"unknown format '{format}'.{nearest(format, FORMATS)}")
        return PRINTED[format].print(getattr(self, what))

    @cached_property
    def hidden(self) -> int:
        """How many mistakes its numbers hide that numbers close by would show, by the measure of `derive lint`."""
        if not isinstance(self.assignment.circuit.quantities, Model):
            return 0
        return hides(self.assignment.circuit, self.assignment.policy.precision, [row.key for row in self.rows])

    def files(self, formats: Sequence[str] = ("html",)) -> dict[str, str | bytes]:
        """All files by name: the pages in these formats, answers in three kinds of file, and the exercise."""
        found: dict[str, str | bytes] = {
            f"{what}{Path(PRINTED[name].file).suffix if name in FORMATS else ''}": self.print(what, name)
            for what in PAGES
            for name in dict.fromkeys(formats)
        }
        found |= {"answers.yaml": self.answers, "answers.csv": self.csv, "answers.md": self.table}
        return {**found, "exercise.yaml": self.exercise, **self.beside}

    def save(self, folder: str | Path, formats: Sequence[str] = ("html",)) -> list[Path]:
        """Writes all files into a folder, each whole or not at all, and says which.

        Files of an earlier run that are not among them are removed, if they are as derive left them; InputError where
        answers were filled in since then.
        """
        files = self.files(formats)
        fill(Path(folder), files, FILLED)
        return [Path(folder) / name for name in files]

    def _repr_html_(self) -> str:
        return framed(str(self.print()))


def question(number: int, letter: str) -> str:
    """A question's number with its part: `3 (a)`."""
    return f"{number} ({letter})" if letter else str(number)


# making one -------------------------------------------------------------------------------------------------------------
def worksheet(
    net: str | Path | Mapping[str, Any] | Item,
    *,
    ask: Sequence[str] | str | None = None,
    hints: str | Sequence[str] = "none",
    lang: str = "en",
    notation: str | None = None,
    form: str = "auto",
    title: str = "",
    significant: int | None = None,
    decimals: int | None = None,
    variant: str = "",
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Worksheet:
    """A worksheet: `derive.worksheet("net.yaml", ask=["z1", "dL/dW2"]).save("week3")`.

    net:     a path, `-`, the name of a built-in example, a mapping like net.yaml, or such a file already read
    ask:     what is asked for: ids, entries, labels, patterns with *, or the groups of `derive.sheets.questions.GROUPS`
             None: what the file says under `check: ask:`, else forward pass, loss, gradients and updates
    hints:   none, steps, formulas, values, or several of them · variant: its name, which also ends the id
    lang:    en or zh · notation: a preset, in the place of the file's · form, numbers: of the solution, as in `derive.solve`
    title:   in the place of the file's name · significant, decimals: digits asked for, in the place of `check:`
    Raises InputError where the file or a wish is at fault, WitnessError where an independent check disagrees.
    """
    stage("read")
    wanted = helped(hints)
    if significant is not None and decimals is not None:
        raise InputError("give either significant or decimals", file="--decimals")
    item, folder, stem = given(net)
    item = with_wishes(item, {"name": title, "notation": notation}, {"significant": significant, "decimals": decimals})
    id = named(item, stem, variant)
    assignment = Assignment.read(with_keys(item, {"id": id}), folder, stem)
    steps = separated(ask) if isinstance(ask, str) else assignment.policy.ask if ask is None else ask
    found = asked(assignment.circuit, steps, values="values" in wanted, file="--ask" if ask is not None else item.file)
    item = with_keys(item, {"id": id, "check": check_of(item, shortest(assignment.circuit, found.keys))})
    assignment = replace(
        assignment, marker=replace(assignment.marker, policy=replace(assignment.policy, ask=found.keys))
    )
    words = Words(lang)
    policy = shown(assignment, numbers)
    stage("derive")
    document = worked(assignment, item, policy, words, form, stage)
    heading = assignment.name + (f" · {variant}" if variant else "")
    document = replace(document, title=words.plain("sheet.title.solution", name=heading))
    return Worksheet(assignment, item, found, wanted, document, words, heading, id, arrays(item, folder))


def helped(hints: str | Sequence[str]) -> frozenset[str]:
    """The kinds of hints that are wanted."""
    names = [name.strip() for name in (hints.split(",") if isinstance(hints, str) else hints)]
    for name in names:
        if name not in HINTS:
            raise InputError(
                f"unknown hint '{name}'.{nearest(name, HINTS) or ' There are ' + ', '.join(HINTS) + '.'}",
                file="--hints",
            )
    return frozenset(names) - {"none"}


def given(net: str | Path | Mapping[str, Any] | Item) -> tuple[Item, Path, str]:
    """(what the file says, the folder it is in, its name)."""
    if isinstance(net, Item):
        return net, Path(net.file).parent, Path(net.file).stem if not net.file.startswith("<") else ""
    if isinstance(net, Mapping):
        return tree(net), Path("."), ""
    place = resolve(net)
    return tree(place), Path("." if str(place) == "-" else place).parent, Path(net).stem if str(net) != "-" else ""


def named(item: Item, stem: str, variant: str) -> str:
    """The id of the exercise: the file's, or its name; a variant has its own."""
    top = mapping(item)
    own = text(top["id"]) if "id" in top else stem or "exercise"
    return f"{own}-{variant}" if variant else own


def with_wishes(item: Item, wishes: Mapping[str, str | None], precision: Mapping[str, int | None]) -> Item:
    """The file with a title, a notation and digits from the command line; what is empty leaves it as it is."""
    top = mapping(item)
    made: dict[str, Any] = {key: value for key, value in wishes.items() if value}
    notation = top.get("notation")
    if wishes["notation"] and notation is not None and isinstance(notation.value, dict):
        made["notation"] = with_keys(notation, {"preset": wishes["notation"]})
    if digits := {key: number for key, number in precision.items() if number is not None}:
        check = top["check"] if "check" in top else replace(item, value={})
        kept = {key: part for key, part in mapping(check).items() if key not in precision}
        made["check"] = with_keys(replace(check, value=kept), digits)
    return with_keys(item, made)


def check_of(item: Item, steps: Sequence[str]) -> Item:
    """`check:` with what is asked for."""
    top = mapping(item)
    return with_keys(top["check"] if "check" in top else replace(item, value={}), {"ask": steps})


def with_keys(item: Item, more: Mapping[str, Any]) -> Item:
    """A mapping of a file with some keys set, to texts, whole numbers, lists of texts, or what stands in a file."""
    made = {
        key: part if isinstance(part, Item) else replace(item, value=plain(part, item)) for key, part in more.items()
    }
    return replace(item, value={**mapping(item), **made})


def plain(part: str | int | Sequence[str], place: Item) -> Any:
    if isinstance(part, int):
        return Number(str(part), Fraction(part))
    return part if isinstance(part, str) else [replace(place, value=name) for name in part]


def separated(names: str) -> list[str]:
    """Ids with commas between them; those inside brackets belong to an id."""
    return [name.strip() for name in re.split(r",(?![^\[]*\])", names) if name.strip()]


def arrays(item: Item, folder: Path) -> dict[str, bytes]:
    """The file of weights beside a network file, which the exercise needs too."""
    top = mapping(item)
    if "parameters" not in top:
        return {}
    name = text(top["parameters"])
    return {name: (folder / name).read_bytes()}


# the solution -----------------------------------------------------------------------------------------------------------
def shown(assignment: Assignment, numbers: Mapping[str, Any]) -> Numbers:
    """How the solution shows numbers: as the file says, with at least the digits that are asked for."""
    found, precision = policies.read(assignment.numbers, dict(numbers)), assignment.policy.precision
    if found.decimals is not None and precision.decimals is not None:
        return replace(found, decimals=max(found.decimals, precision.decimals))
    return replace(found, significant=max(found.significant, precision.significant or 0))


def worked(
    assignment: Assignment, item: Item, numbers: Numbers, words: Words, form: str, stage: Callable[[str], None]
) -> Document:
    """The worked solution that its witnesses agree on: of a network, a study, or a sheet of formulas."""
    model = assignment.circuit.quantities
    if isinstance(model, Model):
        wishes = Wishes(form=form, backward=bool(model.gradient))  # type: ignore[arg-type]
        document, _ = tell(model, numbers, assignment.notation, words, wishes)
        stage("check")
        return finished(document, model, checks.report(model, document), "normal", ()).document
    top = mapping(item)
    if kind := next((kind for key, kind in STUDIES.items() if key in top), ""):
        rest = {key: part for key, part in top.items() if key not in ("id", "check")}
        return study(kind, replace(item, value=rest), lang=words.language, stage=stage).document
    return of_sheet(assignment, numbers, words)


def of_sheet(assignment: Assignment, numbers: Numbers, words: Words) -> Document:
    """The formulas of a sheet, worked in order."""
    circuit, notation = assignment.circuit, assignment.notation
    values = circuit.values.branch(numbers)
    style = Style(
        notation.times, notation.log, numbers.comma, given=words.plain("page.if"), otherwise=words.plain("page.else")
    )
    blocks = tuple(written_out(circuit, Reader(values, circuit.naming, notation)))  # type: ignore[arg-type]
    sections = (Section("solution", say("section.sheet.solution"), blocks),)
    document = Document(assignment.name, sections, values, style, words.language, conventions=(rounding(numbers),))
    witness = printed(document)
    if not witness.ok:
        raise WitnessError(f"a line of the solution is off by {witness.max_rel:.3g}")
    return replace(document, witnesses=(witness,))


__all__ = ["FORMATS", "PAGES", "Worksheet", "separated", "worksheet"]
