"""The problem: what is given, and the questions. It does not hold the numbers that are asked for, so it cannot show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from derive.document import (
    Amount,
    Blank,
    Block,
    Cell,
    Document,
    Figure,
    Form,
    Line,
    Part,
    Question,
    Say,
    Section,
    Table,
    say,
)
from derive.figures.network import Network
from derive.formula import Formula, Name, names, substitute
from derive.graph import Node
from derive.homework.circuit import STEP, Circuit, Entry
from derive.homework.policy import Policy
from derive.homework.told import listed
from derive.language import Words
from derive.model import Model
from derive.numerals import Policy as Numbers
from derive.sheets.questions import Asked, Asking, group, numbered, typed
from derive.values import Values

#: Kinds of hints: the quantities a step is computed from, its formula, intermediate results to go on with.
HINTS = ("none", "steps", "formulas", "values")
MORE_DIGITS = 2  # that given intermediate results have beyond those asked for
#: Conventions that say how a page is printed, or what only a solution shows.
OF_PAGES = ("convention.rounding", "convention.descent", "convention.sample", "convention.symbolic")
STAGES = {"slopes": "gradients", "errors": "loss", STEP: ""}


@dataclass(frozen=True)
class Problem:
    """The problem of one exercise.

    worked: its solution, from which givens and conventions are taken · hints: of HINTS
    title: of the page · exercise: the id that answers are for
    """

    circuit: Circuit
    asked: Asked
    policy: Policy
    hints: frozenset[str]
    worked: Document
    words: Words
    title: str
    exercise: str

    @cached_property
    def questions(self) -> tuple[Asking, ...]:
        return numbered(self.circuit, self.asked.keys)

    def document(self) -> Document:
        """The problem."""
        sections = [*self.givens(), *self.intermediate(), *self.sections()]
        return Document(
            title=self.title,
            sections=tuple(section for section in sections if section.blocks),
            values=self.values,
            style=self.worked.style,
            language=self.words.language,
            summary=(self.who(), self.precision()),
            student=True,
            conventions=tuple(self.conventions()),
            conventions_in_force=self.worked.conventions_in_force,
            quantities={id: q for id, q in self.worked.quantities.items() if id not in self.hidden},
        )

    @cached_property
    def hidden(self) -> set[str]:
        """The ids of everything that is worked out, but for what is given to go on with."""
        worked_out = {entry.node.id for entry in self.circuit.entries.values() if not entry.given}
        others = set(self.worked.quantities) - set(self.circuit.nodes)
        return (worked_out | others) - set(self.asked.given)

    @cached_property
    def values(self) -> Values:
        """The numbers that are given, and no others."""
        found = self.worked.values.branch(digits(self.worked.values.policy, self.policy, MORE_DIGITS))
        return found.without({*self.hidden, *(set(found.nodes) - set(self.circuit.nodes))})

    # what stands above ------------------------------------------------------------------------------------------------
    def who(self) -> Say:
        most = points(sum(self.policy.weights.get(key, 1.0) for key in self.asked.keys))
        return say("sheet.who", name=Blank(), id=Blank(), points=Blank(), most=most)

    def precision(self) -> Say:
        kind = "significant" if self.policy.precision.decimals is None else "decimals"
        return say(f"sheet.digits.{kind}", digits=str(self.policy.precision.digits), count=str(len(self.asked.keys)))

    def conventions(self) -> Iterator[Say]:
        """Those of the solution, without formulas of slopes and without what is said of the page."""
        for sentence in self.worked.conventions:
            key = str(sentence.key)
            if any(key == page or key.startswith(f"{page}.") for page in OF_PAGES):
                continue
            loss = key.startswith("convention.loss.") and "slope" in sentence.args
            yield say("sheet.loss", each=sentence.args["each"]) if loss else replace(sentence, lesson="")
        yield say("check.half_unit")

    # what is given ----------------------------------------------------------------------------------------------------
    def givens(self) -> Iterator[Section]:
        """The network and its numbers; of what has no network, the numbers that something is computed from."""
        if isinstance(self.circuit.quantities, Model):
            section = next(section for section in self.worked.sections if section.id == "givens")
            yield replace(section, blocks=tuple(self.shown(section.blocks)))
            return
        needed = {key for entry in self.circuit.entries.values() for key in entry.parents}
        found = [e.name for key, e in self.circuit.entries.items() if e.given and key in needed]
        yield Section("givens", say("section.givens"), (self.table("givens", [(n, Amount(n)) for n in found]),))

    def shown(self, blocks: Sequence[Block]) -> Iterator[Block]:
        """The blocks that say what is given; in the diagram the numbers of what is worked out are blank."""
        for block in blocks:
            if isinstance(block, Figure) and isinstance(block.picture, Network):
                yield replace(block, picture=self.blanked(block.picture))
            elif isinstance(block, Table):
                yield block

    def blanked(self, network: Network) -> Network:
        known = {key for key, entry in self.circuit.entries.items() if entry.given}
        columns = tuple(
            replace(
                column,
                units=tuple(
                    unit if unit.id in known or unit.kind == "bias" else replace(unit, value="")
                    for unit in column.units
                ),
            )
            for column in network.columns
        )
        return replace(network, columns=columns, edges=tuple(replace(edge, step="") for edge in network.edges))

    def intermediate(self) -> Iterator[Section]:
        """Results to go on with, so that one error does not spoil the rest."""
        if self.asked.given:
            found = [self.whole(self.circuit.nodes[id]) for id in self.asked.given]
            table = self.table("intermediate", [(name, Amount(name)) for name in found])
            yield Section("intermediate", say("section.sheet.intermediate"), (say("sheet.go_on"), table))

    def table(self, id: str, rows: Sequence[tuple[Cell, ...]]) -> Table:
        return Table(id, say(f"table.sheet.{id}"), (say("table.symbol"), say("table.value")), tuple(rows))

    def whole(self, node: Node) -> Name:
        """The name of a quantity; of one that is a single number, its entry's."""
        if node.shape == (1, 1):
            found: Name = self.circuit.array(node)[0, 0]
            return found
        return self.circuit.naming.whole(node)  # type: ignore[attr-defined,no-any-return]

    # the questions ----------------------------------------------------------------------------------------------------
    def sections(self) -> Iterator[Section]:
        """The questions under the stage of the computation they belong to."""
        several = len({self.first(asking).step for asking in self.questions}) > 1
        stages = self.stages()
        for number, (stage, same) in enumerate(groupby(self.questions, key=lambda asking: stages[asking.number])):
            title, step = say(f"section.sheet.{stage[0]}"), stage[1]
            title = say("sheet.step", number=str(step), title=title) if several and stage[0] != "questions" else title
            yield Section(f"questions/{number + 1}", title, tuple(map(self.question, same)))

    def stages(self) -> dict[int, tuple[str, int]]:
        """Number of a question -> (stage, training step); a step of the author's own belongs to the one before it."""
        if not isinstance(self.circuit.quantities, Model):
            return {asking.number: ("questions", 1) for asking in self.questions}
        found: dict[int, tuple[str, int]] = {}
        before = "forward"
        for asking in self.questions:
            entry = self.first(asking)
            role = "forward" if entry.node.role == "running" else group(entry)
            before = STAGES.get(role, role) or before
            found[asking.number] = before, entry.step
        return found

    def first(self, asking: Asking) -> Entry:
        return self.circuit.entries[asking.parts[0][1]]

    def question(self, asking: Asking) -> Question:
        entries = [self.circuit.entries[key] for _, key in asking.parts]
        return Question(
            id=f"question/{asking.number}",
            title=self.asks(asking),
            why=tuple(self.hint(entries)),
            lines=tuple(self.line(entry) for entry in entries),
            number=asking.number,
            parts=tuple(Part(letter, typed(self.circuit, key)) for letter, key in asking.parts),
            points=points(sum(self.policy.weights.get(entry.key, 1.0) for entry in entries)),
            exercise=self.exercise,
        )

    def asks(self, asking: Asking) -> Say:
        """What a question asks for: the quantity, or its one entry."""
        one = len(asking.parts) == 1
        symbol = self.first(asking).name if one else self.whole(asking.node)
        return say(f"sheet.role.{asking.node.role}", symbol=symbol)

    def hint(self, entries: Sequence[Entry]) -> Iterator[Say]:
        if "steps" in self.hints:
            found = [name.key for entry in entries for name in names(self.spelled_out(entry))]
            nodes = dict.fromkeys(self.circuit.entries[key].node for key in found)
            if nodes:
                yield say("sheet.from", names=listed([self.whole(node) for node in nodes]))

    def spelled_out(self, entry: Entry) -> Formula:
        """The formula of a step; slopes and losses of single outputs are written out in it where nobody asks for them."""

        def inner(name: Name) -> Formula:
            part = self.circuit.entries[name.key]
            apart = part.key in self.wanted or part.node.role not in ("slope", "error") or part.formula is None
            return name if apart else self.spelled_out(part)

        return entry.name if entry.formula is None else substitute(entry.formula, inner)

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.asked.keys)

    def line(self, entry: Entry) -> Line:
        """What is asked for, with its formula where that is a hint: in symbols, whatever case its numbers fall into."""
        forms = (Form(self.spelled_out(entry), numbers=False),) if "formulas" in self.hints else ()
        return Line(entry.name, forms, has_value=False)


def digits(numbers: Numbers, policy: Policy, more: int = 0) -> Numbers:
    """How numbers are shown that are asked for so precisely, or with more digits than that."""
    found = replace(numbers, as_you_go=False, exact=False, decimals=None)
    if policy.precision.decimals is not None:
        return replace(found, decimals=policy.precision.decimals + more)
    return replace(found, significant=policy.precision.digits + more)


def points(number: float) -> str:
    """Points with two decimals at most."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
