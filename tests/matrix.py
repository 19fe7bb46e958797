"""The evidence for marking: every rule injected into every network, rounding and way of working; and clean work.

`python tests/matrix.py 48 10000` tries every mistake once in each cell (network × rounding × way of carrying × share
left unwritten), marks 10,000 students without a mistake, and writes output/marking.md. Fewer rounds try each mistake in
so many cells; the tests take one round. Columns: how many mistakes were injected, how many cannot be seen at that
rounding, and of the others how many were found where they were made, named, and not counted a second time.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import golden
from students import Hand, Work, circuit_of, injections, work

from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import number
from derive.homework.marked import WRONG, Mark, Marked
from derive.homework.marking import Marker
from derive.homework.policy import Policy
from derive.homework.reading.numbers import read_number

Mistake = tuple[str, str, Formula]  # key, rule, wrong formula

NETS: dict[str, str | Mapping[str, Any]] = {
    "mazur": "mazur",
    "xor": "xor",
    "softmax_classifier": "softmax_classifier",
    "regression": "regression",
    "relu_fractions": "relu_fractions",
    "residual": "residual",
    "batch_norm": "batch_norm",
    "adam": "adam",
    "deep_narrow": "deep_narrow",
    "batch_3322": "batch_3322",
    "deep relu, l2": {
        "inputs": [0.6, -0.4, 0.9],
        "targets": [0.3, -0.2],
        "seed": 5,
        "layers": [
            {"linear": {"out": 3}},
            {"leaky_relu": {"negative_slope": 0.1}},
            {"linear": {"out": 3}},
            "relu",
            {"linear": {"out": 3}},
            "tanh",
            {"linear": {"out": 2}},
        ],
        "loss": "mse",
        "regularization": {"l2": 0.02},
        "optimizer": {"sgd": {"lr": 0.1, "momentum": 0.9}},
        "steps": 2,
    },
    "softmax batch, adam": {
        "inputs": [[0.5, -1.2], [-0.3, 1.1], [0.8, 0.6]],
        "targets": [0, 1, 2],
        "seed": 3,
        "layers": [{"linear": {"out": 3}}, "tanh", {"linear": {"out": 3}}, "softmax"],
        "loss": "cross_entropy",
        "optimizer": {"adam": {"lr": 0.05}},
        "steps": 2,
    },
    "bce, weight decay": {
        "inputs": [[0.4, 1.3], [-0.7, 0.2]],
        "targets": [[1], [0]],
        "seed": 8,
        "layers": [{"linear": {"out": 2}}, "sigmoid", {"linear": {"out": 1}}, "sigmoid"],
        "loss": "bce",
        "optimizer": {"adamw": {"lr": 0.05, "weight_decay": 0.1}},
    },
    "layer norm, schedule": {
        "inputs": [[0.4, 1.3, -0.5], [-0.7, 0.2, 0.8]],
        "targets": [[0.2, 0.6], [0.5, 0.1]],
        "seed": 2,
        "layers": [{"linear": {"out": 3}}, "layer_norm", "gelu", {"linear": {"out": 2}}],
        "loss": "half_squared_error",
        "optimizer": {"rmsprop": {"lr": 0.05}},
        "schedule": {"exponential_lr": {"gamma": 0.7}},
        "steps": 2,
    },
}
HANDS = {"3 s.f.": Hand("sf", 3), "4 s.f.": Hand("sf", 4), "4 d.p.": Hand("dp", 4), "6 d.p.": Hand("dp", 6)}
CARRIES = ("keep", "round", "mix", "chop")
UNWRITTEN = (0.0, 0.3, 0.6)
CELLS = tuple(product(HANDS, CARRIES, UNWRITTEN))
MANY = 200  # numbers of a network that is worked without a mistake less often
PARTS = 40  # in which the students without a mistake are marked
PLAIN = 1e-4  # of a value: a wrong one that is more off is wrong at six digits, whatever was rounded
OUTPUT = Path(__file__).parent.parent / "output" / "marking.md"


@dataclass
class Cell:
    """What was found in some injections."""

    injected: int = 0
    unseen: int = 0
    located: int = 0
    named: int = 0
    alone: int = 0
    misses: list[str] = field(default_factory=list)

    @property
    def visible(self) -> int:
        return self.injected - self.unseen

    def add(self, other: Cell) -> None:
        for name in ("injected", "unseen", "located", "named", "alone"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.misses += other.misses

    def row(self, name: str) -> str:
        """A line of the table."""
        counts = (self.located, self.named, self.alone)
        shares = (f"{100 * count / self.visible:.2f} %" if self.visible else "–" for count in counts)
        return f"| {name:32} | {self.injected:6} | {self.unseen:6} | " + " | ".join(f"{s:>8}" for s in shares) + " |"


HEADER = (
    f"| {'':32} |  tried | unseen |  located |    named |    alone |",
    f"|{'-' * 34}|-------:|-------:|---------:|---------:|---------:|",
)


@cache
def marker(net: str) -> Marker:
    return Marker(circuit_of(NETS[net]), Policy(), read_number)


@cache
def mistakes_in(net: str) -> Mapping[str, list[Mistake]]:
    """Every mistake that can be made in a network, by rule."""
    by_rule: dict[str, list[Mistake]] = {}
    for found in injections(marker(net).circuit):
        by_rule.setdefault(found[1], []).append(found)
    return by_rule


def hand_of(rounding: str, carries: str) -> tuple[Hand, str]:
    """(how numbers are written, what is gone on with)."""
    hand = HANDS[rounding]
    return (Hand(hand.kind, hand.digits, chops=True), "round") if carries == "chop" else (hand, carries)


def acceptable(mark: Mark, done: Work, circuit: Circuit) -> bool:
    """Whether what was written for the wrong step is within the rounding of what is right, or says nothing."""
    assert mark.read is not None and done.true is not None
    entry = circuit.entries[done.at]
    assert entry.formula is not None
    right, s, unit = number(entry.formula, done.true), mark.read.number, mark.read.unit
    reach = unit + mark.rad + abs(mark.own - right if mark.own is not None else 0.0)
    exact = abs(s - circuit.floats[done.at])
    return abs(s - right) <= reach or exact <= unit or mark.verdict == "too_coarse"


def outcome(marked: Marked, done: Work, circuit: Circuit, where: str) -> Cell:
    """What became of one injected mistake."""
    cell = Cell(injected=1)
    at = next(mark for mark in marked.marks if mark.key == done.at)
    if at.verdict not in WRONG and acceptable(at, done, circuit):
        cell.unseen = 1
        return cell
    others = [mark.key for mark in marked.marks if mark.verdict in WRONG and mark.key != done.at]
    cell.located = marked.first_error == done.at
    cell.named = done.rule in {f.rule for f in at.found}
    cell.alone = not others
    if not (cell.located and cell.named and cell.alone):
        found = ", ".join(f.rule for f in at.found)
        cell.misses.append(
            f"{where}: {done.rule} at {done.at}: {at.verdict} {at.raw} own {at.own} ± {at.rad:.2g} found {found} also {others}"
        )
    return cell


def tried(net: str, mistake: Mistake, rounding: str, carries: str, unwritten: float, seed: int) -> Cell:
    """One mistake of one student; an empty cell where it divides by zero: nobody gets a number."""
    found, (hand, way) = marker(net), hand_of(rounding, carries)
    try:
        done = work(found.circuit, hand, carries=way, unwritten=unwritten, seed=seed, wrong=mistake)
    except ValueError:
        return Cell()
    return outcome(found.mark(done.submission), done, found.circuit, f"{net}, {rounding}, {carries}, {unwritten:.0%}")


@dataclass
class Table:
    """Cells by network, rounding, way of carrying and share unwritten; and by rule."""

    total: Cell = field(default_factory=Cell)
    cells: dict[str, Cell] = field(default_factory=dict)
    rules: dict[str, Cell] = field(default_factory=dict)

    def add(self, cell: Cell, names: Iterable[str], rule: str) -> None:
        self.total.add(cell)
        self.rules.setdefault(rule, Cell()).add(cell)
        for name in names:
            self.cells.setdefault(name, Cell()).add(cell)

    def merge(self, other: Table) -> None:
        self.total.add(other.total)
        for mine, theirs in ((self.cells, other.cells), (self.rules, other.rules)):
            for name, cell in theirs.items():
                mine.setdefault(name, Cell()).add(cell)

    @property
    def lines(self) -> list[str]:
        order = [*NETS, *HANDS, *CARRIES, *(f"{share:.0%} unwritten" for share in UNWRITTEN)]
        return [*HEADER, *(self.cells[name].row(name) for name in order if name in self.cells), self.total.row("all")]


def matrix(nets: Sequence[str] = tuple(NETS), rounds: int = 1, seed: int = 0) -> Table:
    """Every rule in every network that allows it, in as many cells as there are rounds: 48 are all of them."""
    table = Table()
    for net in nets:
        cells = list(CELLS)
        random.Random(f"{net} {seed}").shuffle(cells)
        for place, rule in enumerate(sorted(mistakes_in(net))):
            for turn in range(rounds):
                rounding, carries, unwritten = cells[(place + turn) % len(cells)]
                chance = random.Random(f"{net} {rule} {turn} {seed}")
                mistake = chance.choice(mistakes_in(net)[rule])
                cell = tried(net, mistake, rounding, carries, unwritten, chance.randrange(10**6))
                table.add(cell, (net, rounding, carries, f"{unwritten:.0%} unwritten"), rule)
    return table


def plain(nets: Sequence[str] = tuple(NETS), per_rule: int = 1, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """(verdicts on mistakes that rounding cannot explain, those that are accepted).

    All steps are written with six digits and worked with all of them, and the wrong value is off by more than PLAIN.
    """
    verdicts: Counter[str] = Counter()
    accepted = []
    for net in nets:
        found = marker(net)
        for rule, places in sorted(mistakes_in(net).items()):
            chance = random.Random(f"{net} {rule} {seed}")
            for mistake in chance.sample(places, min(per_rule, len(places))):
                try:
                    done = work(found.circuit, Hand("sf", 6), wrong=mistake)
                except ValueError:
                    continue
                mark = next(mark for mark in found.mark(done.submission).marks if mark.key == done.at)
                right = found.circuit.floats[done.at]
                assert mark.read is not None
                if abs(mark.read.number - right) > PLAIN * abs(right) and abs(mark.read.number) + abs(right) > 1e-12:
                    verdicts[mark.verdict] += 1
                    if mark.verdict not in WRONG:
                        accepted.append(f"{net}: {rule} at {done.at}: {mark.verdict} {mark.raw}, right is {right}")
    return verdicts, accepted


def clean(students: int, seed: int = 0, nets: Sequence[str] = tuple(NETS)) -> tuple[Counter[str], list[str]]:
    """(verdicts on the answers of students who make no mistake, the wrong ones among them)."""
    chance, flagged = random.Random(seed), []
    verdicts: Counter[str] = Counter()
    for done, net in cleaned(students, chance, nets):
        for mark in marker(net).mark(done.submission).marks:
            verdicts[mark.verdict] += 1
            if mark.verdict in (*WRONG, "unreadable"):
                flagged.append(f"{net}: {mark.key} {mark.raw} {mark.verdict} own {mark.own} ± {mark.rad:.2g}")
    return verdicts, flagged


def cleaned(students: int, chance: random.Random, nets: Sequence[str]) -> Iterator[tuple[Work, str]]:
    """Work without a mistake, network by network in turn."""
    made = 0
    while made < students:
        net = nets[made % len(nets)]
        rounding, carries, unwritten = chance.choice(CELLS)
        hand, way = hand_of(rounding, carries)
        try:
            yield work(marker(net).circuit, hand, carries=way, unwritten=unwritten, seed=chance.randrange(10**9)), net
        except ValueError:
            continue  # rounding has left a logarithm of 0: nobody would go on with that
        made += 1


def counted(verdicts: Counter[str]) -> str:
    return ", ".join(f"{verdict} {count:,}" for verdict, count in verdicts.most_common())


def gathered(rounds: int, students: int) -> tuple[Table, Counter[str], list[str], Counter[str], list[str]]:
    """All of it: the matrix, the verdicts on what is plainly wrong with what is accepted, those on clean work likewise."""
    table, verdicts, accepted, answers, flagged = Table(), Counter[str](), list[str](), Counter[str](), list[str]()
    often = [net for net in NETS for _ in range(1 if len(marker(net).circuit.entries) > MANY else 3)]
    with ProcessPoolExecutor() as pool:
        tables = pool.map(partial(matrix, rounds=rounds), [(net,) for net in NETS])
        plains = pool.map(partial(plain, per_rule=3), [(net,) for net in NETS])
        cleans = pool.map(partial(clean, nets=often), share(students, PARTS), range(PARTS))
        for found in tables:
            table.merge(found)
        for counts, lines in plains:
            verdicts, accepted = verdicts + counts, accepted + lines
        for counts, lines in cleans:
            answers, flagged = answers + counts, flagged + lines
    return table, verdicts, accepted, answers, flagged


def share(whole: int, parts: int) -> list[int]:
    """A number of students in parts of about the same size."""
    return [whole * (i + 1) // parts - whole * i // parts for i in range(parts)]


def report(rounds: int, students: int) -> tuple[str, list[str]]:
    """(the page of the figures, what went wrong)."""
    table, verdicts, accepted, answers, flagged = gathered(rounds, students)
    called = sum(verdicts[verdict] for verdict in WRONG)
    by_rule = [HEADER[0], HEADER[1], *(cell.row(rule) for rule, cell in sorted(table.rules.items()))]
    page = f"""# How well homework is marked

Figures of `python tests/matrix.py {rounds} {students}`: every mistake in every network that allows it, in {rounds} of the
{len(CELLS)} ways of working (rounding × what is gone on with × share of steps left unwritten). Synthetic students work a network out, round, cut off or keep
digits, leave steps unwritten, and make one mistake of the library. A mistake is *unseen* where what was written is
within rounding of what is right, or has too few digits to say anything. Of the others: *located*, the first error is
where the mistake was made; *named*, the mistake is among those that are offered as explanations; *alone*, nothing else
is called wrong.

{chr(10).join(table.lines)}

## Wrong numbers that are accepted

All steps written with six digits and worked with all digits; the wrong number is off by more than {PLAIN:g} of the right
one. Of {sum(verdicts.values()):,} wrong numbers {called:,} were called wrong: {counted(verdicts)}. `too_coarse` is a
bare `0`: its digits say nothing, it earns nothing.

## Right numbers that are called wrong

{students:,} students without a mistake gave {sum(answers.values()):,} answers; {len(flagged):,} were called wrong:
{counted(answers)}.

## The verdicts on numbers

{golden.table()}

## By mistake

{chr(10).join(by_rule)}
"""
    return page, [*table.total.misses, *accepted, *flagged]


if __name__ == "__main__":
    page, problems = report(*(int(arg) for arg in (*sys.argv[1:], *("1", "1000")[len(sys.argv) - 1 :])))
    OUTPUT.write_text(page, encoding="utf-8")
    print(page)
    print("\n".join(problems[:200]))
