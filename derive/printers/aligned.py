"""Lines broken to a width: as many terms on a row as fit, relations under one another, in LaTeX or Typst."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derive.dialects.latex import Latex
from derive.dialects.measure import Measure, em
from derive.document import Line
from derive.formula import Apply, Formula, Name, names
from derive.lines import Piece, pieces
from derive.spelling import Dialect, Show, Shown, spell, terms
from derive.values import Values

WIDTH = 40.0  # em that a row may take in the standalone document
COLUMNS = (8, 6, 5, 4, 3)  # of a matrix that are written out, the first of them that fits
WIDEST_TARGET = 0.4  # of the width; a wider one has a row of its own
SIGN = 1.4  # em of a relation
QUAD = 2.0  # em that a row is moved in
WORDS = 5.0  # em of the words that introduce a case, and the space before them


@dataclass(frozen=True)
class Markup:
    """How a language writes what stands around formulas in a row.

    nearly, equal: the signs ≈ and = · quad: a space of 2 em · first: what makes a sign at the beginning of a row join two sides
    cut: a term in pieces that each begin with a sign, also inside brackets · commands: what is not seen of a piece
    """

    nearly: str
    quad: str
    cut: Callable[[str], list[str]]
    commands: str
    first: str = ""
    equal: str = "="


def cut_latex(term: str) -> list[str]:
    """A term of LaTeX in pieces, its brackets of a fixed size; matrices and cases are not cut."""
    if r"\begin" in term:
        return [term]
    flat = re.sub(r"\\(left|right)(?=[^a-zA-Z])", lambda match: rf"\big{match[1][0]}", in_one_row(term))
    found, depth = [""], 0
    for piece in re.split(r"( \\cdot | \+ | - )", flat):
        if depth == 0 and piece in (r" \cdot ", " + ", " - ") and found[-1]:
            found.append("")
        found[-1] += piece
        depth += piece.count("{") - piece.count("}")
    return found


def in_one_row(term: str) -> str:
    """A fraction whose upper half is a sum as a quotient in one row, which can be cut."""
    match = re.match(r"(\s*[-+]?\s*)\\frac\{", term)
    if match is None:
        return term
    middle = closing(term, match.end())
    upper, rest = term[match.end() : middle], term[middle + 1 :]
    if not rest.startswith("{") or closing(rest, 1) != len(rest.rstrip()) - 1 or not re.search(r" [+-] ", upper):
        return term
    lower = rest.strip()[1:-1]
    return rf"{match[1]}\bigl({upper}\bigr) / " + (rf"\bigl({lower}\bigr)" if re.search(r"[ ,+-]", lower) else lower)


def closing(term: str, start: int) -> int:
    """Where the brace closes inside which `start` is."""
    depth = 1
    for at in range(start, len(term)):
        escaped = term[at - 1] == "\\"
        depth += (term[at] == "{" and not escaped) - (term[at] == "}" and not escaped)
        if not depth:
            return at
    return len(term)


LATEX = Markup(r"\approx", r"\quad", cut_latex, r"\\[a-zA-Z]+|[{}^_ ]")


def bracketed(f: Formula, dialect: Dialect, show: Show | None) -> list[str]:
    """The terms of a formula, also those of a sum that is its last factor, if its brackets are small."""
    found = terms(f, dialect, show)
    if isinstance(f, Apply) and f.head in ("mul", "neg") and isinstance(f.args[-1], Apply) and f.args[-1].head == "add":
        inner = terms(f.args[-1], dialect, show)
        left, right = dialect.brackets
        before, small, after = found[0].partition(f"{left}{''.join(inner)}{right}")
        if small and not after:
            return [f"{before}{left}{inner[0]}", *inner[1:-1], f"{inner[-1]}{right}"]
    return found


def parts(f: Formula, dialect: Dialect, show: Show | None) -> list[tuple[str, float]]:
    """The pieces between which a line may break, with their widths."""
    measure = Measure(dialect.style)
    spelled, measured = (bracketed(f, d, show) for d in (dialect, measure))
    if len(spelled) != len(measured):
        spelled, measured = (terms(f, d, show) for d in (dialect, measure))
    return [(term, em(run)) for term, run in zip(spelled, measured, strict=True)]


def chopped(term: str, width: float, markup: Markup) -> list[tuple[str, float]]:
    """A term too wide for a row, cut before its signs, also inside its brackets; the widths are shares by letters."""
    found = markup.cut(term)
    lengths = [len(re.sub(markup.commands, "", piece)) + 1 for piece in found]
    return [(piece, width * length / sum(lengths)) for piece, length in zip(found, lengths, strict=True)]


def fitted(piece: Piece, values: Values, dialect: Dialect, room: float) -> tuple[list[tuple[str, float]], bool]:
    """The pieces of a link as `parts` gives them, and whether none of them is wider than the room.

    Of its matrices as many columns are written out as there is room for.
    """
    whole = not piece.numbers or all(name.scalar for name in names(piece.formula))
    for largest in COLUMNS[:1] if whole else COLUMNS:
        found = parts(piece.formula, dialect, shower(piece, values, largest))
        if fits := max(width for _, width in found) <= room:
            break
    return found, fits


def shower(piece: Piece, values: Values, largest: int) -> Show | None:
    def show(name: Name) -> Shown:
        return values.shown(name, largest)

    return show if piece.numbers else None


def broken(line: Line, values: Values, dialect: Dialect, room: float, case: str, markup: Markup) -> list[str]:
    """The right side of a line as rows, none wider than the room; the case that applies stands at the end."""
    found: list[str] = []
    current, used = "", 0.0
    for piece in pieces(line, values):
        whole, fits = fitted(piece, values, dialect, room)
        if not fits and piece.numbers and piece.formula is not line.target:
            continue
        sign = f"{markup.nearly} " if piece.relation == "≈" else f"{markup.equal} "
        terms_ = [
            part
            for term, width in whole
            for part in (chopped(term, width, markup) if width > room else [(term, width)])
        ]
        if current and used + SIGN + sum(width for _, width in terms_) > room:
            found.append(current)
            current, used = "", 0.0
        for i, (term, width) in enumerate(terms_):
            wide = width + (SIGN if i == 0 else 0.0)
            if current and used + wide > room:
                found.append(current)
                current, used = (f"{markup.quad} {markup.first}" if i else ""), QUAD if i else 0.0
            current += (sign if i == 0 else "") + term + " "
            used += wide
    if case and line.condition is not None:
        condition = spell(line.condition, Measure(dialect.style), values.shown)
        if used + em(condition) + WORDS > room:
            found.append(current)
            current = ""
        current += case
    return [row.strip() for row in [*found, current] if row.strip()]


def aligned(
    lines: Sequence[Line],
    values: Values,
    dialect: Callable[[Line], Dialect],
    width: float = WIDTH,
    case: Callable[[Line], str] = lambda line: "",
    beside: Callable[[Line], str] = lambda line: "",
    markup: Markup = LATEX,
) -> list[str]:
    """Lines as the rows of one aligned block no wider than `width`. A wide target has a row of its own.

    case: the case that applies, at the end of a line · beside: what stands in a row of its own below it
    """
    targets = [em(spell(line.target, Measure(dialect(line).style))) for line in lines]
    left = max((target for target in targets if target <= width * WIDEST_TARGET), default=0.0)
    room = width - left - 1.5
    found: list[str] = []
    for line, target in zip(lines, targets, strict=True):
        indent = QUAD if target > left else 0.0
        body = broken(line, values, dialect(line), room - indent, case(line), markup)
        spelled = spell(line.target, dialect(line))
        if indent:
            found += [f"&{row}" for row in rows_of(spelled, target, width - 1.5, markup)]
            found += [f" &{markup.quad} {row}" for row in body]
        else:
            found += [f"{spelled} &{''.join(body[:1])}", *(f" &{row}" for row in body[1:])]
        if remark := beside(line):
            found.append(f" &{markup.quad} {remark}")
    return found


def rows_of(term: str, width: float, room: float, markup: Markup) -> list[str]:
    """A term so wide on as many rows as it needs, those after the first moved in."""
    if width <= room:
        return [term]
    found, used = [""], 0.0
    for piece, wide in chopped(term, width, markup):
        if used and used + wide > room:
            found.append(f"{markup.quad} {markup.first}")
            used = QUAD
        found[-1] += piece
        used += wide
    return found


def tex_line(line: Line, values: Values, dialect: Latex) -> str:
    """A line as one aligned block, to be copied into a document."""
    rows = r" \\ ".join(aligned([line], values, lambda line: dialect))
    return rf"\begin{{aligned}} {rows} \end{{aligned}}"
