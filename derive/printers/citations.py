"""derive-values.tex: every quantity of a solution under its id and its labels, to be cited in running LaTeX.

Roundings are tabulated, not computed by TeX: each number stands there in every rounding that can be asked for, as
`numerals` prints it, and each line with the relation that is true of it then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from derive.algebra import UNKNOWN
from derive.dialects.latex import Latex
from derive.document import Document, Line, Quantity, steps
from derive.errors import InputError
from derive.formula import Name, entry
from derive.ids import plain
from derive.labels import indices
from derive.language import Words
from derive.lines import exact, pieces, relation
from derive.numerals import Numeral, Policy
from derive.passes import concerns
from derive.printers.common import template
from derive.printers.latex import Tex, because
from derive.spelling import Shown, spell
from derive.values import Values

FILE = "derive-values.tex"
MOST_SIGNIFICANT, MOST_DECIMALS = 9, 9  # digits that can be asked for
MOST_CITED = 2_000  # numbers and lines
_LABELLED = re.compile(r"(?P<before>dL/d|)(?P<id>[^+@]+)(?P<after>\+?(?:@\d+)?)")
_TYPED = {c: f"\\{c}" for c in "%#&$_{}"} | {
    "\\": r"\textbackslash ",
    "^": r"\textasciicircum ",
    "~": r"\textasciitilde ",
}
_RAW = {c: _TYPED[c] for c in "%#{}\\^~"}  # what cannot be typed as it is


class Spelled(Latex):
    """A number alone, in commands that have a plain form too, for the outline of a PDF."""

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign, digits = "-" if numeral.negative else "", numeral.digits
        digits = digits.replace(".", "{,}") if self.style.comma else digits
        if numeral.denominator:
            return rf"{sign}\derive@f{{{digits}}}{{{numeral.denominator}}}"
        return sign + (digits if numeral.exponent is None else rf"\derive@e{{{digits}}}{{{numeral.exponent}}}")


@dataclass(frozen=True)
class Rounding:
    """What a caller may ask for: its names in square brackets, and the policy; exact: only numbers themselves"""

    names: tuple[str, ...]
    policy: Policy
    exact: bool = False


def roundings(policy: Policy) -> tuple[Rounding, ...]:
    """The page's own rounding and those in its place."""
    free = replace(policy, exact=False)
    significant = range(1, MOST_SIGNIFICANT + 1)
    return (
        Rounding(("",), policy),
        *(Rounding((str(n), f"significant={n}"), replace(free, significant=n, decimals=None)) for n in significant),
        *(Rounding((f"decimals={n}",), replace(free, decimals=n)) for n in range(MOST_DECIMALS + 1)),
        Rounding(("exact",), replace(policy, exact=True), exact=True),
    )


def page(document: Document) -> str:
    """The file. InputError where there is too much to cite."""
    return Citations(document).page()


class Citations:
    """What a document can be asked for, by ids and labels."""

    def __init__(self, document: Document) -> None:
        self.document, self.plain = document, Latex(document.style)
        self.roundings = roundings(document.values.policy)
        others = self.roundings[1:]
        self.branches = [document.values, *(document.values.branch(other.policy) for other in others)]
        self.number = Spelled(document.style)
        self.printer = Tex(document)

    def page(self) -> str:
        count = len(self.entries) + len(self.lines)
        if count > MOST_CITED:
            raise InputError(
                f"{count:,} numbers and lines are more than LaTeX should hold, {MOST_CITED:,}; choose some with --only"
            )
        filled = template("values.tex", escaped=False)
        known = f"1 to {MOST_SIGNIFICANT}, decimals=0 to decimals={MOST_DECIMALS}, and exact"
        body = chain(self.symbols(), self.values(), self.cited_lines(), self.labels())
        comment = Words(self.document.language).plain("notes.values", name=self.document.called)
        more = {"roundings": self.roundings, "known": known, "body": body}
        return filled.render(comment=comment, name=self.document.called, **more)

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """The quantities of the document, or those it was cut to."""
        chosen, all_ = self.document.chosen, self.document.quantities
        return {id: q for id, q in all_.items() if not chosen or concerns(id, (), chosen)}

    @cached_property
    def entries(self) -> list[tuple[str, tuple[int, ...]]]:
        """(id, index) of every number."""
        chosen = self.document.chosen
        every = ((id, index) for id, quantity in self.quantities.items() for index in indices(quantity.shape))
        return [(id, index) for id, index in every if not chosen or concerns(id, index, chosen)]

    @cached_property
    def lines(self) -> dict[str, Line]:
        """The first line of each quantity, and of each entry."""
        found: dict[str, Line] = {}
        for step in steps(self.document):
            for line in step.lines:
                id = plain(line.target.id)[1]
                if id in self.document.quantities:
                    found.setdefault(entry(id, line.target.index), line)
        return found

    @cached_property
    def shown(self) -> list[Values]:
        """The numbers in each rounding, the given ones rounded too."""
        return [self.document.values, *(rounded(values.branch(values.policy)) for values in self.branches[1:])]

    # what is written ------------------------------------------------------------------------------------------------
    def symbols(self) -> Iterator[str]:
        """How quantities are called that have no line."""
        for id, quantity in self.quantities.items():
            if id not in self.lines and plain(quantity.symbol.id)[0] == 1:
                yield rf"\derive@define{{symbol}}{{{id}}}{{{spell(quantity.symbol, self.plain)}}}"

    def values(self) -> Iterator[str]:
        if self.document.values.symbolic:
            yield from (rf"\derive@know{{{entry(id, index)}}}" for id, index in self.entries)
            return
        known = {*self.entries}
        for id, index in self.entries:
            yield self.set("value", entry(id, index), [self.value(id, index, i) for i in range(len(self.roundings))])
        for id, quantity in self.quantities.items():
            every = {(id, index) for index in indices(quantity.shape)}
            if quantity.shape and id in self.document.values.nodes and every <= known:
                name = Name(id, (), quantity.symbol.symbol, quantity.shape, scalar=False)
                yield self.set("value", id, [self.matrix(name, i) for i in range(len(self.roundings))])

    def value(self, id: str, index: tuple[int, ...], rounding: int) -> str:
        values = self.shown[rounding]
        if id in values.nodes:
            numeral = values.numeral(Name(id, index))
        else:  # known in float64 alone
            array = np.asarray(self.document.quantities[id].value)
            numeral = values.rounded(Fraction(float(array[tuple(i - 1 for i in index)])), None)
        if self.roundings[rounding].exact and not numeral.exact:
            return r"\derive@none"
        return self.number.numeral(numeral)

    def matrix(self, name: Name, rounding: int) -> str:
        shown = self.shown[rounding].shown(name, Tex.largest)
        if self.roundings[rounding].exact and not exact(shown):
            return r"\derive@none"
        return spell(name, self.plain, lambda _: Shown(rows=shown.rows))

    def cited_lines(self) -> Iterator[str]:
        rows: dict[str, list[str]] = {}
        for key, line in self.lines.items():
            yield self.line(key, line)
            if line.target.index:
                rows.setdefault(plain(line.target.id)[1], []).append(key)
        for id, keys in rows.items():
            if id not in self.lines and len(keys) == len(indices(self.document.quantities[id].shape)):
                block = r"\\ ".join(rf"\derive@row{{{key}}}" for key in keys)
                yield rf"\derive@define{{line}}{{{id}}}{{\derive@rows{{{block}}}}}"

    def line(self, key: str, line: Line) -> str:
        """A line: how it is called, its formula, and its chain with the numbers of each rounding."""
        symbol, dialect = spell(line.target, self.plain), self.plain
        formulas = [spell(form.formula, dialect) for form in line.forms if form.symbols]
        commands = [rf"\derive@define{{symbol}}{{{key}}}{{{symbol}}}"] if plain(line.target.id)[0] == 1 else []
        commands += [rf"\derive@define{{formula}}{{{key}}}{{{formulas[0]}}}"] if formulas else []
        tails = [self.tail(line, i) for i in range(len(self.roundings))]
        head = rf"{symbol} \derive@align{''.join(f' = {formula}' for formula in formulas)}"
        places, others = alternatives(tails)
        case = because(self.printer, line)
        commands.append(
            rf"\derive@define{{line}}{{{key}}}{{{head}\ifcase\ifcase#1 {places}\fi\space{others}\fi{case}}}"
        )
        return "\n".join(commands)

    def tail(self, line: Line, rounding: int) -> str:
        """The numbers of a line and its value, each with the relation that is true in this rounding."""
        values, found = self.branches[rounding], ""
        for piece in pieces(line, values):
            if not piece.numbers:
                continue
            own = piece.formula is line.target
            if own and self.roundings[rounding].exact and not exact(values.shown(line.target)):
                return r" = \derive@none"
            rounded = piece.relation == "≈" or (own and relation(line.target, values) == "≈")
            spelled = spell(piece.formula, self.plain, lambda name: values.shown(name, Tex.largest))
            found += (r" \approx " if rounded else " = ") + spelled
        return found

    def set(self, kind: str, id: str, texts: Sequence[str]) -> str:
        places, others = alternatives(texts)
        return rf"\derive@set{{{kind}}}{{{id}}}{{{places}}}{{{others}}}"

    def labels(self) -> Iterator[str]:
        """The author's own names, also inside a derivative, after an update, and at a step."""
        known = {entry(id, index) for id, index in self.entries} | {*self.quantities}
        named = {id: labels_of(quantity) for id, quantity in self.document.quantities.items()}
        for id in self.quantities:
            match = _LABELLED.fullmatch(id)
            for index, label in named.get(match["id"], {}).items() if match else ():
                key = entry(id, index)
                if match and key in known:
                    for typed in typings(label):
                        name = match["before"] + typed + match["after"]
                        if name not in known:
                            yield rf"\derive@label{{{name}}}{{{key}}}"


def rounded(values: Values) -> Values:
    """Given numbers too are rounded by the policy, where that changes them; else they stay as they are written."""

    def kept(id: str, texts: Any) -> Any:
        node = values.nodes[id]

        def one(row: int, column: int) -> str:
            exact = values.known_exactly(Name(id, values.contract.index(node, row, column)))
            same = exact is not UNKNOWN and values.rounded(None, exact).exact
            return str(texts[row, column] or "") if same else ""

        rows, columns_ = node.shape
        return np.array([[one(r, c) for c in range(columns_)] for r in range(rows)], dtype=object).reshape(node.shape)

    values.text = {id: kept(id, texts) if id in values.nodes else texts for id, texts in values.text.items()}
    return values


def labels_of(quantity: Quantity) -> dict[tuple[int, ...], str]:
    """The labels of a quantity or of its entries, by index."""
    if quantity.labels is None:
        return {}
    if isinstance(quantity.labels, str):
        return {(): quantity.labels}
    flat = np.array(quantity.labels, dtype=object).reshape(-1)
    return {index: str(label) for index, label in zip(indices(quantity.shape), flat, strict=True) if label}


def typings(label: str) -> Iterable[str]:
    """A label as it can be typed into LaTeX: with what is special escaped, and with only what must be."""
    escaped = "".join(_TYPED.get(c, c) for c in label)
    return dict.fromkeys((escaped, "".join(_RAW.get(c, c) for c in label)))


def alternatives(texts: Sequence[str]) -> tuple[str, str]:
    """For `\\ifcase`: which of the different texts each place takes, and those texts."""
    different = list(dict.fromkeys(texts))
    places = [different.index(text) for text in texts]
    while len(places) > 1 and places[-1] == places[-2]:
        places.pop()
    *first, last = map(str, places)
    return "\\or ".join(first or [last]) + rf"\else {last}", r"\or ".join(different)
