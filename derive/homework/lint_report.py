"""What the numbers of an exercise hide, as a document and as data for machines (schema `derive-lint/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from derive.algebra import UNKNOWN, evaluate
from derive.dialects.text import Text
from derive.document import Amount, Block, Cell, Document, Say, Section, Table, say
from derive.errors import WitnessError
from derive.formula import Name
from derive.homework.bench import NOTHING
from derive.homework.circuit import Circuit
from derive.homework.lint import Case, Cause, Lint, Twins
from derive.homework.nearby import Score
from derive.homework.policy import Precision
from derive.language import Words
from derive.lines import rounding
from derive.notation import Notation
from derive.numerals import Numeral, literal
from derive.numerals import Policy as Numbers
from derive.printers.data import Plain
from derive.spelling import Style, spell
from derive.values import Values

SCHEMA = "derive-lint/1"
MORE_DIGITS = 3  # that are shown beyond those asked for, so that hidden differences can be seen
MOST_ROWS = 150  # of a table
MOST_NAMED = 12  # steps in one cell
NOISE = 1e-9  # relative difference of floats and 50 digits that is nobody's fault


@dataclass(frozen=True)
class LintReport:
    """What is told about an exercise. asked: whether only some steps were asked for · values: a branch of their own"""

    circuit: Circuit
    lint: Lint
    name: str
    words: Words
    notation: Notation
    values: Values
    asked: bool = False

    @cached_property
    def document(self) -> Document:
        """The page. Raises WitnessError where a number of it is another with 50 digits."""
        sections = [Section(id, say(f"section.lint.{id}"), tuple(blocks)) for id, blocks in self.sections()]
        return Document(
            title=self.words.plain("lint.title", name=self.name),
            sections=tuple(section for section in sections if section.blocks),
            values=self.values,
            style=self.style,
            language=self.words.language,
            summary=tuple(self.summary()),
            student=True,
            conventions=(rounding(self.values.policy),),
        )

    @cached_property
    def style(self) -> Style:
        notation = self.notation
        return Style(
            notation.times,
            notation.log,
            self.values.policy.comma,
            columns=notation.layout == "columns",
            given=self.words.plain("page.if"),
            otherwise=self.words.plain("page.else"),
        )

    def summary(self) -> Iterator[Say]:
        """What was asked for and tried, and how much of it is hidden."""
        lint, precision = self.lint, self.lint.precision
        kind = "significant" if precision.decimals is None else "decimals"
        digits = precision.significant if precision.decimals is None else precision.decimals
        yield say(f"check.precision.{kind}", digits=str(digits))
        yield say("lint.tried", steps=f"{lint.steps:,}", cases=f"{lint.cases:,}")
        if self.asked:
            yield say("lint.asked")
        if lint.clean:
            yield say("lint.clean")
        else:
            counts = {"hidden": lint.invisible, "ambiguous": lint.ambiguous, "degenerate": lint.degenerate}
            yield say("lint.warnings", **{key: f"{len(found):,}" for key, found in counts.items()})
        if lint.unseen:
            yield say("lint.unseen", rules=", ".join(lint.unseen))

    def sections(self) -> Iterator[tuple[str, list[Block]]]:
        """Every section by its id; empty ones are left out."""
        yield "degenerate", [self.reason(i) for i in range(len(self.lint.degenerate))]
        yield "hidden", list(self.hidden())
        yield "twins", list(self.twins())
        yield "alone", list(self.alone())
        yield "suggested", list(self.suggested())
        yield "rules", list(self.rules())

    # cells ------------------------------------------------------------------------------------------------------------
    def step(self, key: str) -> Cell:
        """A step by its symbol, and its name where that is the author's."""
        symbol, label = self.circuit.entries[key].name, self.circuit.label(key)
        return symbol if label == key else say("check.step", symbol=symbol, name=label)

    def place(self, at: str) -> Cell:
        """An entry by its symbol, or a quantity by its id."""
        return self.circuit.entries[at].name if at in self.circuit.entries else at

    def steps(self, keys: Iterable[str]) -> str:
        """Steps by their names, not too many."""
        found = [self.label(key) for key in dict.fromkeys(keys)]
        return ", ".join(found[:MOST_NAMED]) + (", …" if len(found) > MOST_NAMED else "")

    def label(self, key: str) -> str:
        """The author's name for an entry or a quantity, or its id."""
        if key in self.circuit.entries:
            return self.circuit.label(key)
        return self.circuit.quantities.labels.of.get(key, key)

    def sentence(self, rule: str) -> Say:
        return say("check.rule", rule=rule, sentence=say(f"mistake.{rule}", rule=rule))

    def mistake(self, case: Case) -> Say:
        """A mistake in words, with the place where it was made if that is another step."""
        found = self.sentence(case.rule)
        return found if case.at == case.key else say("lint.at", mistake=found, at=self.place(case.at))

    def amount(self, id: str, value: float, shown: Numeral | None = None) -> Amount:
        """A number of this page's own."""
        self.values.hold(id, Fraction(value), UNKNOWN, shown)
        return Amount(Name(id))

    def precisely(self, id: str, case: Case) -> Amount:
        """What a mistake gives, with 50 digits where it is made at the step itself."""
        if case.at != case.key:
            return self.amount(id, case.wrong)
        value = evaluate(case.formula, self.values.value, self.values.algebra)
        if abs(float(value) - case.wrong) > max(NOISE * max(abs(case.wrong), abs(case.right)), NOTHING):
            raise WitnessError(f"{case.rule} at {case.key} gives {float(value):.12g}, not {case.wrong:.12g}")
        self.values.hold(id, value, UNKNOWN)
        return Amount(Name(id))

    def table(
        self, id: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]], fold: bool = False
    ) -> list[Block]:
        """A table, if there is anything in it; of very many rows, the first."""
        if not rows:
            return []
        header = tuple(say(f"table.lint.{column}") for column in columns)
        kept = tuple(rows[:MOST_ROWS])
        found: list[Block] = [Table(f"lint/{id}", say(f"table.lint.{id}"), header, kept, fold=fold, broken=True)]
        return found if len(kept) == len(rows) else [*found, say("lint.more", count=f"{len(rows) - len(kept):,}")]

    # the sections -----------------------------------------------------------------------------------------------------
    def reason(self, place: int) -> Say:
        """What is degenerate, and what that hides."""
        found = self.lint.degenerate[place]
        return say(f"lint.reason.{found.kind}", about=self.steps(found.about), **found.args)

    def hidden(self) -> Iterator[Block]:
        """One row for each step and rule; those that only other signs would show, by rule."""
        first = {(case.key, case.rule, case.at): case for case in reversed(self.lint.invisible)}
        cases = sorted(first.values(), key=self.lint.invisible.index)
        rows = [
            (self.step(case.key), self.mistake(case), Amount(self.circuit.entries[case.key].name), wrong)
            for i, case in enumerate(cases)
            for wrong in (self.precisely(f"lint:{i}", case) if i < MOST_ROWS else "",)
        ]
        if rows:
            yield say("lint.hidden")
        yield from self.table("hidden", ("step", "mistake", "right", "wrong"), rows)
        by_rule: dict[str, list[str]] = {}
        for case in self.lint.hidden:
            if case.cause == "signs":
                by_rule.setdefault(case.rule, []).append(case.key)
        signs = [(self.sentence(rule), self.steps(keys)) for rule, keys in by_rule.items()]
        yield from self.table("signs", ("mistake", "steps"), signs, fold=True)

    def twins(self) -> Iterator[Block]:
        """The groups that numbers would tell apart, one by one; the others by their rules."""
        found = self.lint.ambiguous
        if found:
            yield say("lint.tied")
        rows = [(self.step(t.key), ", ".join(t.rules), self.common(i, t)) for i, t in enumerate(found)]
        yield from self.table("twins", ("step", "mistakes", "number"), rows)
        for cause, id in (("signs", "twins_signs"), ("formula", "twins_formula")):
            yield from self.table(id, ("mistakes", "steps"), self.gathered(cause), fold=True)  # type: ignore[arg-type]

    def gathered(self, cause: Cause) -> list[tuple[Cell, ...]]:
        by_rules: dict[tuple[str, ...], list[str]] = {}
        for twins in self.lint.twins:
            if twins.cause == cause:
                by_rules.setdefault(twins.rules, []).append(twins.key)
        return [(", ".join(rules), self.steps(keys)) for rules, keys in by_rules.items()]

    def common(self, place: int, twins: Twins) -> Amount:
        """The number that look-alikes share, as it is written."""
        value = twins.cases[0].wrong
        return self.amount(f"twins:{place}", value, literal(as_written(value, self.lint.precision)))

    def alone(self) -> Iterator[Block]:
        rows = [(self.label(one.id), one.cases, one.hidden, one.ambiguous) for one in self.lint.alone]
        if rows:
            yield say("lint.alone")
        yield from self.table("alone", ("quantity", "cases", "hidden_count", "ambiguous_count"), rows)

    def suggested(self) -> Iterator[Block]:
        """The changes one after the other, and what is left after all of them."""
        found = self.lint.suggested
        if found is None or self.lint.clean:
            return
        counts = {key: f"{n:,}" for key, n in found.after._asdict().items()}
        counts |= {f"{key}_before": f"{n:,}" for key, n in found.before._asdict().items()}
        columns = ("given", "old", "new", "hidden_count", "ambiguous_count", "degenerate_count")
        rows = [
            (self.step(c.key), self.exactly(f"old:{c.key}", c.old), self.exactly(f"new:{c.key}", c.new), *c.score)
            for c in found.changes
        ]
        yield from self.table("suggested", columns, rows)
        yield say(f"lint.suggested.{found.kind}", **counts)

    def exactly(self, id: str, value: Fraction) -> Amount:
        """A number that was chosen, with all its digits."""
        self.values.hold(id, self.values.algebra.number(value), value, literal(f"{float(value):.15g}"))
        return Amount(Name(id))

    def rules(self) -> Iterator[Block]:
        """What the ids stand for that were named without a sentence."""
        named = dict.fromkeys([*self.lint.unseen, *(rule for twins in self.lint.twins for rule in twins.rules)])
        rows = [(rule, say(f"mistake.{rule}", rule=rule)) for rule in named]
        yield from self.table("rules", ("mistake", "rules"), rows, fold=True)

    # for machines -----------------------------------------------------------------------------------------------------
    @cached_property
    def plain(self) -> Plain:
        return Plain(self.document, Text(self.style))

    def record(self) -> dict[str, Any]:
        """The same as plain dictionaries."""
        lint, precision = self.lint, self.lint.precision
        return {
            "schema": SCHEMA,
            "name": self.name,
            "precision": {"significant": precision.significant, "decimals": precision.decimals},
            "steps": lint.steps,
            "mistakes": lint.cases,
            "warnings": lint.warnings,
            "clean": lint.clean,
            "unseen": list(lint.unseen),
            "degenerate": [self.recorded_reason(i) for i in range(len(lint.degenerate))],
            "hidden": [{"label": self.circuit.label(case.key), **self.recorded(case)} for case in lint.hidden],
            "look_alikes": [self.recorded_twins(twins) for twins in lint.twins],
            "alone": [
                {"id": a.id, "mistakes": a.cases, "hidden": a.hidden, "look_alikes": a.ambiguous} for a in lint.alone
            ],
            "suggestion": self.recorded_suggestion(),
        }

    def recorded_reason(self, place: int) -> dict[str, Any]:
        found = self.lint.degenerate[place]
        return {"kind": found.kind, "about": list(found.about), "message": self.plain.say(self.reason(place))}

    def recorded(self, case: Case) -> dict[str, Any]:
        formula = spell(case.formula, self.plain.dialect)
        numbers = {"right": case.right, "wrong": case.wrong, "written": as_written(case.wrong, self.lint.precision)}
        return {"id": case.key, "rule": case.rule, "at": case.at, "formula": formula, **numbers, "cause": case.cause}

    def recorded_twins(self, twins: Twins) -> dict[str, Any]:
        return {
            "id": twins.key,
            "label": self.circuit.label(twins.key),
            "written": as_written(twins.cases[0].wrong, self.lint.precision),
            "rules": list(twins.rules),
            "cause": twins.cause,
            "mistakes": [self.recorded(case) for case in twins.cases],
        }

    def recorded_suggestion(self) -> dict[str, Any] | None:
        found = self.lint.suggested
        if found is None:
            return None

        def counts(score: Score) -> dict[str, int]:
            return {"hidden": score.hidden, "look_alikes": score.ambiguous, "degenerate": score.degenerate}

        changes = [
            {"id": c.key, "label": self.circuit.label(c.key), "old": str(c.old), "new": str(c.new), **counts(c.score)}
            for c in found.changes
        ]
        return {"kind": found.kind, "before": counts(found.before), "after": counts(found.after), "changes": changes}


def as_written(value: float, precision: Precision) -> str:
    """A number as a student would write it at the precision that is asked for."""
    if precision.decimals is not None:
        return f"{value:.{precision.decimals}f}"
    scientific = f"{value:.{(precision.significant or 3) - 1}e}"
    return format(Decimal(scientific), "f") if value == 0 or 1e-7 < abs(value) < 1e7 else scientific


def numbers_of(precision: Precision, numbers: Numbers) -> Numbers:
    """How numbers are shown: with more digits than are asked for."""
    found = replace(numbers, as_you_go=False, exact=False, decimals=None)
    if precision.decimals is not None:
        return replace(found, decimals=precision.decimals + MORE_DIGITS)
    return replace(found, significant=(precision.significant or 3) + MORE_DIGITS)


def written(report: LintReport) -> str:
    """The JSON text."""
    return json.dumps(report.record(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
