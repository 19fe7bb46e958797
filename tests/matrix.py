"""The evidence for marking: every rule injected into every network, rounding and way of working; and clean work.

`python tests/matrix.py` prints the whole of it; the tests take a sample and print that. Columns: how many mistakes were
injected, how many cannot be seen at that rounding, and of the others how many were found where they were made, named,
and not counted a second time.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from students import Hand, Work, circuit_of, injections, work

from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import number
from derive.homework.marked import WRONG, Marked
from derive.homework.marking import Marker
from derive.homework.policy import Policy
from derive.homework.reading.numbers import read_number

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
HANDS = {"3 sf": Hand("sf", 3), "4 sf": Hand("sf", 4), "4 dp": Hand("dp", 4), "6 dp": Hand("dp", 6)}
CHOPS = {name: Hand(hand.kind, hand.digits, chops=True) for name, hand in HANDS.items()}
CARRIES = ("keep", "round", "mix", "chop")
UNWRITTEN = (0.0, 0.3, 0.6)


@dataclass
class Cell:
    """What was found in some injections."""

    injected: int = 0
    invisible: int = 0
    located: int = 0
    named: int = 0
    alone: int = 0
    misses: list[str] = field(default_factory=list)
    unseen: list = field(default_factory=list)

    @property
    def visible(self) -> int:
        return self.injected - self.invisible

    def add(self, other: Cell) -> None:
        for name in ("injected", "invisible", "located", "named", "alone"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.misses += other.misses
        self.unseen += other.unseen

    def row(self, name: str) -> str:
        def share(count: int) -> str:
            return f"{100 * count / self.visible:6.2f} %" if self.visible else "     – "

        return (
            f"{name:38} {self.injected:6} {self.invisible:6} {share(self.located):>9} "
            f"{share(self.named):>9} {share(self.alone):>9}"
        )


HEADER = f"{'':38} {'tried':>6} {'unseen':>6} {'located':>9} {'named':>9} {'alone':>9}"


@cache
def marker(net: str) -> Marker:
    return Marker(circuit_of(NETS[net]), Policy(), read_number)


@cache
def mistakes_in(net: str) -> tuple[tuple[str, str, Formula], ...]:
    return tuple(injections(marker(net).circuit))


def sampled(net: str, per_rule: int, seed: object) -> Iterator[tuple[str, str, Formula]]:
    """Some injections of every rule that a network allows."""
    by_rule: dict[str, list[tuple[str, str, Formula]]] = {}
    for found in mistakes_in(net):
        by_rule.setdefault(found[1], []).append(found)
    chance = random.Random(f"{net} {seed}")
    for rule in sorted(by_rule):
        yield from chance.sample(by_rule[rule], min(per_rule, len(by_rule[rule])))


def hand_of(rounding: str, carries: str) -> tuple[Hand, str]:
    return (CHOPS[rounding], "round") if carries == "chop" else (HANDS[rounding], carries)


def seen(marked: Marked, done: Work, circuit: Circuit) -> bool:
    """Whether the injected mistake shows at all: what was written is not what rounding may have made of the right one."""
    mark = next(mark for mark in marked.marks if mark.key == done.at)
    return mark.verdict in WRONG or not acceptable(marked, done, circuit)


def acceptable(marked: Marked, done: Work, circuit: Circuit) -> bool:
    """Whether what was written for the wrong step is within the rounding of what is right, or says nothing."""
    mark = next(mark for mark in marked.marks if mark.key == done.at)
    assert mark.read is not None and done.true is not None
    entry = circuit.entries[done.at]
    assert entry.formula is not None
    right = number(entry.formula, done.true)
    half = float(mark.read.ulp)  # either way of rounding, or cutting off
    reach = half + mark.rad + abs(mark.own - right if mark.own is not None else 0.0)
    exact = abs(mark.read.number - circuit.floats[done.at])
    return abs(mark.read.number - right) <= reach or exact <= half or mark.verdict == "too_coarse"


def unseen(net, rounding, carries, unwritten, done, marked):
    mark = next(mark for mark in marked.marks if mark.key == done.at)
    c = marker(net).circuit
    right = number(c.entries[done.at].formula, done.true)
    r = abs(mark.read.number - right) / max(abs(right), 1e-12)
    return (
        r,
        f"{net} | {rounding} {carries} {unwritten} | {done.rule} at {done.at}: {mark.verdict} {mark.raw} right {right} exact {mark.exact} own {mark.own} rad {mark.rad:.2g}",
    )


def tried(net: str, rounding: str, carries: str, unwritten: float, per_rule: int, seed: int) -> Cell:
    """One cell of the matrix."""
    cell, found = Cell(), marker(net)
    hand, way = hand_of(rounding, carries)
    for place, wrong in enumerate(sampled(net, per_rule, (rounding, carries, unwritten, seed))):
        try:
            done = work(found.circuit, hand, carries=way, unwritten=unwritten, seed=seed + place, wrong=wrong)
        except ValueError:
            continue  # the mistake divides by zero: nobody gets a number
        marked = found.mark(done.submission)
        cell.injected += 1
        if not seen(marked, done, found.circuit):
            cell.invisible += 1
            cell.unseen.append(unseen(net, rounding, carries, unwritten, done, marked))
            continue
        errors = [mark for mark in marked.marks if mark.verdict in WRONG]
        at = next(mark for mark in marked.marks if mark.key == done.at)
        located, named = marked.first_error == done.at, done.rule in {f.rule for f in at.found}
        cell.located += located
        cell.named += named
        cell.alone += all(mark.key == done.at for mark in errors)
        if not (located and named and len(errors) == 1):
            others = [mark.key for mark in errors if mark.key != done.at][:3]
            cell.misses.append(
                f"{net} | {rounding} {carries} {unwritten} | {done.rule} at {done.at}: {at.verdict} {at.raw} own {at.own} "
                f"rad {at.rad:.2g} found {[f.rule for f in at.found]} others {others}"
            )
    return cell


def matrix(
    nets: Sequence[str] = tuple(NETS),
    roundings: Sequence[str] = tuple(HANDS),
    carries: Sequence[str] = CARRIES,
    unwritten: Sequence[float] = UNWRITTEN,
    *,
    per_rule: int = 1,
    seed: int = 0,
) -> tuple[list[str], Cell, dict[str, Cell]]:
    """(the lines of the table, the total, the cells by their names)."""
    cells: dict[str, Cell] = {}
    total = Cell()
    for n in nets:
        for r in roundings:
            for c in carries:
                for u in unwritten:
                    cell = tried(n, r, c, u, per_rule, seed)
                    total.add(cell)
                    for name in (f"network {n}", f"rounding {r}", f"carries {c}", f"unwritten {u:.0%}"):
                        cells.setdefault(name, Cell()).add(cell)
    lines = [HEADER, *(cell.row(name) for name, cell in cells.items()), total.row("all")]
    return lines, total, cells


def clean(students: int, seed: int = 0, nets: Sequence[str] = tuple(NETS)) -> tuple[int, list[str]]:
    """(how many clean students were marked, what was called wrong in their work)."""
    chance, flagged = random.Random(seed), []
    for student in range(students):
        net = nets[student % len(nets)]
        rounding, carries, unwritten = chance.choice(list(HANDS)), chance.choice(CARRIES), chance.choice(UNWRITTEN)
        hand, way = hand_of(rounding, carries)
        found = marker(net)
        try:
            done = work(found.circuit, hand, carries=way, unwritten=unwritten, seed=chance.randrange(10**9))
        except ValueError:
            continue  # rounding has left a logarithm of 0: nobody would go on with that
        flagged += [
            f"{net} | {rounding} {carries} {unwritten} | {mark.key} {mark.raw} {mark.verdict} own {mark.own}"
            for mark in found.mark(done.submission).marks
            if mark.verdict in (*WRONG, "unreadable")
        ]
    return students, flagged


if __name__ == "__main__":
    per_rule = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    lines, total, _ = matrix(per_rule=per_rule)
    print("\n".join(lines))
    print("\n".join(total.misses[:60]))
    number_of, wrong = clean(10_000)
    print(f"clean work: {len(wrong)} answers of {number_of} students called wrong")
    print("\n".join(wrong[:20]))
