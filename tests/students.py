"""Synthetic students: they work a network out as people do, rounding as they go or not, and make one mistake."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from importlib import import_module
from typing import Any

from derive import policies
from derive.build import build
from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import number
from derive.homework.submission import Answer, Submission
from derive.language import Words
from derive.naming import Naming
from derive.notation import read as read_notation
from derive.spec import load, tree
from derive.studies.calculation import Symbols

#: Kinds of steps that students are asked for: everything but slopes by the inputs.
ASKED = ("dL/dx",)
NOISE = 1e-15  # what float64 leaves of a sum that is 0, which nobody writes down


def circuit_of(net: str | Mapping[str, Any]) -> Circuit:
    """The circuit of a file, a built-in example's path, or a mapping."""
    from derive.examples import resolve

    spec = load(net if isinstance(net, Mapping) else resolve(net))
    model = build(spec)
    return Circuit(model, Naming(model, read_notation(spec.notation, None)))


def circuit_of_study(kind: str, given: Mapping[str, Any]) -> Circuit:
    """The circuit of a study by itself: `optimizer`, `ema`."""
    item = tree(given)
    study = import_module(f"derive.studies.{kind}").study(item, policies.read(None, {}), Words("en"))
    return Circuit(study.calculation, Symbols(study.calculation))


@dataclass(frozen=True)
class Hand:
    """How numbers are written: to `digits` significant digits or decimals (`sf`, `dp`), cut off where it `chops`."""

    kind: str = "sf"
    digits: int = 4
    chops: bool = False

    def write(self, value: float) -> str:
        """A number as it is put on paper."""
        number = Context(prec=14).plus(Decimal(value))  # nobody sees the noise of floats
        how = ROUND_DOWN if self.chops else ROUND_HALF_EVEN
        if not number:
            return "0"
        if self.kind == "dp":
            return format(number.quantize(Decimal(1).scaleb(-self.digits), rounding=how, context=Context(prec=60)), "f")
        cut = Context(prec=self.digits, rounding=how).plus(number)
        cut = cut.quantize(Decimal(1).scaleb(cut.adjusted() - self.digits + 1))
        return format(cut, "f") if 1e-6 < abs(cut) < 1e6 else format(cut, "e")


@dataclass(frozen=True)
class Work:
    """What a student hands in, and where the mistake was made: its key and rule, "" if there is none."""

    submission: Submission
    at: str = ""
    rule: str = ""
    true: Mapping[str, float] | None = None


def work(
    circuit: Circuit,
    hand: Hand,
    *,
    carries: str = "keep",
    unwritten: float = 0.0,
    seed: int = 0,
    wrong: tuple[str, str, Formula] | None = None,
    keys: Iterable[str] | None = None,
    skip: Callable[[str], bool] = lambda key: False,
    hides: bool = False,
) -> Work:
    """One student's answers.

    carries:   keep (all digits of the calculator), round (each line as it was written), mix (now one, now the other)
    unwritten: the share of steps that are worked but not written down
    wrong:     (key, rule, formula): the mistake; that step is written, unless the student hides it
    keys:      what is asked for, else everything
    """
    chance = random.Random(seed)
    at, rule, formula = wrong or ("", "", None)
    texts: dict[str, str] = {}
    answers: list[Answer] = []
    fine = Hand("sf", max(hand.digits, 4), hand.chops)  # nobody writes 0.0000 for a squared gradient and divides by it
    wanted = set(circuit.entries if keys is None else keys)

    class Used(dict[str, float]):
        """The numbers the student goes on with, worked when they are first needed."""

        def __missing__(self, key: str) -> float:
            own = circuit.entries[key].formula
            if own is None:
                return self.setdefault(key, circuit.floats[key])
            value = number(formula if formula is not None and key == at else own, self)
            if not math.isfinite(value):
                raise ValueError(f"{key} is {value}")
            pen = fine if circuit.entries[key].node.role == "state" else hand
            texts[key] = pen.write(value if abs(value) > NOISE else 0.0)
            rounds = carries == "round" or (carries == "mix" and chance.random() < 0.5)
            written = float(texts[key])  # nobody goes on with the 0 that decimals make of a small number
            found = self[key] = written if rounds and written else value
            return found

    used = Used()
    for key, entry in circuit.entries.items():
        used[key]
        asked = key in wanted and entry.kind not in ASKED and not skip(key)
        if key in texts and ((key == at and not hides) or (asked and key != at and chance.random() >= unwritten)):
            answers.append(Answer(key, texts[key]))
    return Work(Submission(student="s1", answers=tuple(answers)), at, rule, used)


def injections(circuit: Circuit) -> list[tuple[str, str, Formula]]:
    """Every mistake that can be made anywhere: (key, rule, wrong formula)."""
    return [(key, rule, formula) for key in circuit.entries for rule, formula in circuit.wrong(key)]
