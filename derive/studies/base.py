"""What the studies share: a calculation read as lines, and the document around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.algebra import evaluate
from derive.document import Amount, Document, Line, Quantity, Say, Section, Witness
from derive.formula import Formula, Name, Partial, Symbol
from derive.language import Words
from derive.lines import rounding
from derive.notation import PRESETS
from derive.numerals import Policy
from derive.reader import Reader
from derive.spelling import Style
from derive.studies.calculation import Calculation, Symbols
from derive.values import Values


@dataclass(frozen=True)
class Study:
    """A worked study with its witnesses."""

    document: Document
    calculation: Calculation
    witnesses: tuple[Witness, ...]


class Desk:
    """A calculation with its values, ready to be written up."""

    def __init__(self, calculation: Calculation, policy: Policy, words: Words) -> None:
        self.calculation, self.policy, self.words = calculation, policy, words
        self.values = Values(calculation, policy)
        self.reader = Reader(self.values, Symbols(calculation), PRESETS["standard"])
        self.node = {node.id: node for node in calculation.all_nodes()}

    def name(self, id: str, column: int = 0) -> Name:
        """An entry by its id."""
        return self.reader.naming.entry(self.node[id], 0, column)

    def amount(self, id: str, column: int = 0) -> Amount:
        """The number of an entry, in a table or a sentence."""
        return Amount(self.name(id, column))

    def lines(self, id: str) -> tuple[Line, ...]:
        return self.reader.lines(self.node[id])

    def defined(self, id: str, symbol: Symbol | Partial, formula: Formula) -> Name:
        """A quantity of its own, of which the page speaks: its value is that of a formula."""
        name = Name(id, (), symbol)
        value = evaluate(formula, self.values.value, self.values.algebra)
        self.values.define(name, value, self.reader.exactly(formula))
        return name

    def quantities(self, roles: Mapping[str, str]) -> dict[str, Quantity]:
        """Every named value by its id, with its role by letter (else a state, or without a time an option)."""
        found = {}
        for id, node in self.node.items():
            letter, at, time = id.partition("@")
            if at and not time.isdigit():
                continue
            shape = self.calculation.contract.shape(node)
            value = np.asarray(self.values.floats[id], dtype=float).reshape(shape)
            role = roles.get(letter, "state" if at else "hyper")
            found[id] = Quantity(role, shape, value, self.reader.naming.whole(node))
        return found

    def document(
        self,
        title: str,
        sections: Sequence[Section],
        quantities: Mapping[str, Quantity],
        *,
        summary: Sequence[Say] = (),
        conventions: Sequence[Say] = (),
        in_force: Mapping[str, Any] | None = None,
    ) -> Document:
        kind = {"decimals": self.policy.decimals} if self.policy.decimals is not None else {}
        numbers = kind or {"significant": self.policy.significant}
        return Document(
            title=title,
            sections=tuple(section for section in sections if section.blocks),
            values=self.values,
            style=self.style,
            language=self.words.language,
            summary=tuple(summary),
            conventions=(*conventions, rounding(self.policy)),
            conventions_in_force={**(in_force or {}), "numbers": numbers},
            quantities=quantities,
        )

    @property
    def style(self) -> Style:
        given, otherwise = (self.words.plain(key) for key in ("page.if", "page.else"))
        return Style(comma=self.policy.comma, given=given, otherwise=otherwise)
