"""Terms as Python code: straight lines of assignments, what is used once written where it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from derive.training.terms import COMPARISONS, Entry, Term

RANK = {"+": 2, "-": 2, "*": 3, "/": 3, "@": 3, "neg": 4, "**": 5, **dict.fromkeys(COMPARISONS, 1), "if": 0}
ATOM = 9
DEEPEST = 40  # levels of one line: Python's compiler has a limit
TWICE = ("max", "min", "xlogy")  # of floats, their arguments are written twice
VIEWS = ("T", "spread")  # they show what stands in another array
WIDTH = 110


class Code:
    """The lines that compute some terms from those that vary from step to step.

    names: what terms should be called · fixed: terms that are the same in every step, to be computed once
    safe:  divisions and powers are calls of functions
    """

    def __init__(
        self, ends: Sequence[Term], names: dict[Term, str], varying: Sequence[Term], safe: bool = False
    ) -> None:
        self.safe = safe
        self.names, self.taken = names, {"t", "loss", "total", "rate", "until"}
        self.locals: dict[Term, str] = {}
        self.live: list[Term] = reachable(ends)
        self.uses = dict.fromkeys(self.live, 0)
        for term in self.live:
            for source in term.inputs:
                self.uses[source] += 2 if term.head in TWICE and isinstance(term, Entry) else 1
        for end in ends:
            self.uses[end] += 1
        self.depth: dict[Term, int] = {}
        for term in [*varying, *self.live]:
            if term.head == "leaf":
                self.locals[term] = term.args[0]
                self.taken.add(term.args[0])
        self.fixed = self.same_in_every_step(ends, set(varying))

    def same_in_every_step(self, ends: Sequence[Term], varying: set[Term]) -> list[Term]:
        """The terms that depend on nothing that varies."""
        fixed = set[Term]()
        for term in self.live:
            moving = term in varying or (term.head == "leaf" and term.args[0] in ("t", "rate"))
            if not moving and all(source in fixed for source in term.inputs):
                fixed.add(term)
        self.needed = {source for term in self.live if term not in fixed for source in term.inputs} | set(ends)
        self.needed &= fixed
        return [term for term in self.live if term in fixed]

    # lines ------------------------------------------------------------------------------------------------------------
    def wants_line(self, term: Term) -> bool:
        """Whether a term gets a line of its own: used more than once, or too deep to be written in another."""
        if term.head in ("leaf", "number"):
            return False
        self.depth[term] = 1 + max((self.depth.get(s, 0) for s in term.inputs if s not in self.locals), default=0)
        return self.uses[term] > 1 or self.depth[term] > DEEPEST or term in self.needed

    def lines(self, terms: Iterable[Term]) -> Iterable[str]:
        """The lines of some terms, in the order in which they were made."""
        for term in terms:
            if term not in self.locals and self.wants_line(term):
                yield self.assign(term)

    def assign(self, term: Term) -> str:
        """The line that computes a term and gives it a name."""
        text, name = self.text(term), self.fresh(self.names.get(term, "c"))
        self.locals[term] = name
        return f"{name} = {text}"

    def fresh(self, name: str) -> str:
        """A name that is not taken; of made ones the first is c1."""
        number = len(self.taken) if name == "c" else 0
        found = f"{name}{number}" if number else name
        while found in self.taken:
            number += 1
            found = f"{name}{'' if name == 'c' else '_'}{number}"
        self.taken.add(found)
        return found

    # spelling ---------------------------------------------------------------------------------------------------------
    def text(self, term: Term, least: int = 0) -> str:
        """A term, in brackets where what stands around it binds stronger."""
        if term in self.locals:
            return self.locals[term]
        text, rank = self.spelled(term)
        return text if rank >= least else f"({text})"

    def spelled(self, term: Term) -> tuple[str, int]:
        head, args = term.head, term.args
        if head == "number":
            return repr(args[0]), ATOM if args[0] >= 0 else RANK["neg"]
        if self.safe and head in ("/", "**"):
            return f"{'divide' if head == '/' else 'power'}({self.text(args[0])}, {self.text(args[1])})", ATOM
        if head == "neg":
            return f"-{self.text(args[0], RANK['neg'])}", RANK["neg"]
        if head == "**":
            return f"{self.text(args[0], ATOM)} ** {self.text(args[1], ATOM)}", RANK[head]
        if head in RANK and head != "if":
            rank = RANK[head]
            first = rank + 1 if head in COMPARISONS else rank
            return f"{self.text(args[0], first)} {head} {self.text(args[1], rank + 1)}", rank
        return self.of_floats(term) if term.plain or isinstance(term, Entry) else self.of_arrays(term)

    def of_floats(self, term: Term) -> tuple[str, int]:
        if term.head in ("sum", "largest"):
            return f"float({term.head}_along({self.text(term.args[0])}, None))", ATOM
        parts = [self.text(arg, 1) for arg in term.inputs]
        match term.head:
            case "if":
                return f"{parts[1]} if {parts[0]} else {self.text(term.args[2])}", 0
            case "max":
                return f"{parts[0]} if {parts[0]} > {parts[1]} else {parts[1]}", 0
            case "min":
                return f"{parts[0]} if {parts[0]} < {parts[1]} else {parts[1]}", 0
            case "xlogy":
                return f"{parts[0]} * log({parts[1]}) if {parts[0]} else 0.0", 0
        return f"{term.head}({', '.join(self.text(arg) for arg in term.inputs)})", ATOM

    def of_arrays(self, term: Term) -> tuple[str, int]:
        parts = [self.text(arg) for arg in term.inputs]
        match term.head:
            case "T":
                return f"{self.text(term.args[0], ATOM)}.T", ATOM
            case "sum" | "largest":
                return f"{term.head}_along({parts[0]}, {int(term.args[1])}, None, None, True)", ATOM
            case "spread":
                return f"spread({parts[0]}, {tuple(int(n) for n in term.args[1])})", ATOM
            case "if":
                return f"where({', '.join(parts)})", ATOM
        return f"np_{term.head}({', '.join(parts)})", ATOM


def reachable(ends: Sequence[Term]) -> list[Term]:
    """All terms the ends need, in the order in which they were made."""
    found = set(ends)
    stack = list(found)
    while stack:
        for source in stack.pop().inputs:
            if source not in found:
                found.add(source)
                stack.append(source)
    return sorted(found, key=lambda term: term.made)


def name_of(id: str, row: int | None = None, column: int | None = None) -> str:
    """A variable for a quantity or an entry of it: `W1_2_1` of W1[2,1]; ids are derive's own, never anybody's text."""
    plain = re.sub(r"\W", "_", id.replace("/", "_"), flags=re.ASCII)
    return plain if row is None else f"{plain}_{row + 1}_{column + 1 if column is not None else ''}"


def wrapped(names: Sequence[str], opening: str, closing: str) -> list[str]:
    """A tuple of names over several lines."""
    lines, line = [], opening
    for name in names:
        if len(line) + len(name) > WIDTH:
            lines.append(line.rstrip())
            line = "    "
        line += f"{name}, "
    return [*lines, line.rstrip() + closing]


def moves(code: Code, carried: Sequence[Term], new: Sequence[Term], in_place: bool) -> list[str]:
    """The lines that put new values in the place of old ones, none before its last use."""
    place = {term: i for i, term in enumerate(carried)}
    read = [old_values(code, end, place) for end in new]
    waiting = [i for i, end in enumerate(new) if end is not carried[i]]
    early: dict[int, str] = {}
    lines: list[str] = []

    def needed(i: int) -> bool:
        return any(i in read[j] for j in waiting if j != i and j not in early)

    while waiting:
        i = next((i for i in waiting if not needed(i)), None)
        if i is None:  # a circle: one of them is computed before anything is replaced
            i = next(i for i in waiting if i not in early)
            early[i] = code.fresh("n")
            lines.append(f"{early[i]} = {code.text(new[i])}")
            continue
        waiting.remove(i)
        name, end = code.locals[carried[i]], new[i]
        whole = in_place and end not in code.locals and end.head == "-" and end.args[0] is carried[i]
        if whole and i not in early and end.args[1].shape in (end.shape, (1, 1)):
            lines.append(f"{name} -= {code.text(end.args[1])}")
        else:
            lines.append(f"{name} = {early.get(i) or code.text(end)}")
    return lines


def old_values(code: Code, end: Term, place: dict[Term, int]) -> set[int]:
    """Which of the carried values the text of a term reads: directly, or through a view of an array."""
    found, stack, seen = set[int](), [end], set[Term]()
    while stack:
        term = stack.pop()
        if term in place:
            found.add(place[term])
        if term in seen or (term in code.locals and term.head not in VIEWS and term is not end):
            continue
        seen.add(term)
        if term not in code.locals or term.head in VIEWS:
            stack += term.inputs
    return found
