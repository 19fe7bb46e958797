"""Rules of mistakes on the way forward: made at a step, they are found at that step; right work is never blamed."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from derive.formula import Formula, names
from derive.homework.circuit import Circuit, number
from derive.homework.marked import WRONG, Marked
from derive.homework.marking import Marker
from derive.homework.mistakes import Mistake, Step, mistakes
from derive.homework.mistakes.base import MANY
from derive.homework.policy import Policy
from derive.homework.submission import Rounding, Submission
from derive.homework.written import Written
from derive.language import LANGUAGES, table
from derive.lessons import topics
from tests.students import Hand, Work, circuit_of, work

MINE = [mistake for mistake in mistakes if re.fullmatch(r"[FLSND]\d+", mistake.id)]


# networks ---------------------------------------------------------------------------------------------------------------
def linear(weight: list[list[float]], bias: list[float]) -> dict[str, Any]:
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


FIRST = linear([[0.3, -0.4], [0.2, 0.5], [-0.1, 0.7]], [0.11, -0.23, 0.31])
SECOND = linear([[0.61, -0.33, 0.27], [0.25, 0.17, -0.42]], [0.57, 0.79])
NORM = {"weight": [1.2, 0.7, 0.9], "bias": [0.1, -0.2, 0.3], "eps": 0.05}
MASK = [[1, 0, 1], [0, 1, 1]]
THREE = {"inputs": [[0.5, 1.5], [-0.7, 0.4], [1.3, 0.2]], "targets": [[0.15, 0.85], [0.3, 0.7], [0.65, 0.35]]}


def net(*hidden: Any, end: Any = (), loss: Any = "mse", **more: Any) -> dict[str, Any]:
    """A 2-3-2 network with two samples, and what stands behind its layers."""
    return {
        "inputs": [[0.5, 1.5], [-0.7, 0.4]],
        "targets": [[0.15, 0.85], [0.3, 0.7]],
        "layers": [FIRST, *hidden, SECOND, *end],
        "loss": loss,
        "optimizer": {"sgd": {"lr": 0.1}},
        **more,
    }


L2 = {"l2": {"lambda": 0.1, "half": True, "per_sample": True}}
NETS: Mapping[str, Any] = {
    "mazur": "mazur",
    "batch": "batch_3322",
    "classifier": "softmax_classifier",
    "residual": "residual",
    "norm": net(
        {"batch_norm": {**NORM, "momentum": 0.3}}, "sigmoid", end=["softmax"], loss="cross_entropy", steps=2, **THREE
    ),
    "layer": net({"layer_norm": NORM}, "leaky_relu", {"dropout": {"p": 0.2, "mask": MASK}}, loss="half_squared_error"),
    "eval": net({"batch_norm": NORM}, {"dropout": {"p": 0.2}}, "softplus", loss="huber", mode="eval", **THREE),
    "binary": net("silu", end=["sigmoid"], loss="bce", regularization=L2),
    "logits": net("softmax", loss={"bce_with_logits": {"weight": [2, 1], "pos_weight": [3, 2]}}),
    "smooth": net("elu", loss={"cross_entropy": {"label_smoothing": 0.1, "weight": [2, 3]}}),
    "logs": net("gelu", end=["log_softmax"], loss="nll", targets=[0, 1]),
    "squares": net("tanh", end=["softmax"], loss="smooth_l1", regularization={"l2_norm": 0.3}),
}


@cache
def circuit(name: str) -> Circuit:
    return circuit_of(NETS[name])


def read(text: str, comma: bool = False) -> Written:
    """A plain decimal, as the students here write them."""
    match = re.fullmatch(r"-?(\d*)\.?(\d*)(?:e([-+]?\d+))?", text)
    assert match, text
    places, digits = len(match[2]) - int(match[3] or 0), (match[1] + match[2]).lstrip("0")
    low = len(digits) if "." in text else len(digits.rstrip("0"))
    return Written(text, Fraction(text), Fraction(10) ** -places, (low, len(digits)), max(0, places))


def marked(name: str, answers: Submission) -> Marked:
    return Marker(circuit(name), Policy(), read).mark(answers)


# injections -------------------------------------------------------------------------------------------------------------
@cache
def of(name: str, rule: str) -> list[tuple[str, Formula]]:
    """The formulas of a mistake at some step of a network where it can be made; none where it cannot."""
    found, chance = circuit(name), random.Random(name + rule)
    entries = [e for e in found.entries.values() if e.formula is not None and e.kind in mistakes.rules[rule].on]
    for entry in chance.sample(entries, len(entries)):
        if formulas := mistakes.rules[rule].at(Step(found, entry)):
            return [(entry.key, formula) for formula in chance.sample(formulas, len(formulas))]
    return []


def made(name: str, rule: str) -> Iterator[Work]:
    """Students who make a mistake, keep all digits or round as they go, and write down what is around it."""
    for carries, (key, formula) in zip(("keep", "round"), of(name, rule) * 2, strict=False):
        value = number(formula, circuit(name).floats)
        if math.isfinite(value) and value != 0:
            with suppress(ValueError):  # where nothing can be computed from the wrong number
                keys = around(circuit(name), key)
                done = work(circuit(name), Hand("sf", 4), carries=carries, wrong=(key, rule, formula), keys=keys)
                yield replace(done, submission=replace(done.submission, rounding=Rounding("sf", 4)))


def around(found: Circuit, key: str) -> set[str]:
    """A step, two that are computed from it, and what these are computed from."""
    later = [k for k, entry in found.entries.items() if key in entry.parents][:2]
    return {key, *later, *(parent for k in (key, *later) for parent in found.entries[k].parents)}


FITTING = [(mistake.id, name) for mistake in MINE for name in NETS if of(name, mistake.id)]


def test_the_list_is_whole() -> None:
    """All of the table, but for the temperature of softmax, which these networks do not have."""
    wanted = {"F": 9, "L": 10, "S": 9, "N": 8, "D": 4}
    expected = {f"{letter}{n}" for letter, most in wanted.items() for n in range(1, most + 1)} - {"S9"}
    assert {mistake.id for mistake in MINE} == expected
    assert {rule for rule, _ in FITTING} == expected


@pytest.mark.parametrize("mistake", MINE, ids=lambda m: m.id)
def test_a_rule_is_described(mistake: Mistake) -> None:
    assert mistake.lesson in topics()
    assert mistake.prior in (1, 2, 3)
    assert mistake.rule.__doc__
    for language in LANGUAGES:
        assert f"mistake.{mistake.id}" in table(language)


@pytest.mark.parametrize(("rule", "name"), FITTING)
def test_wrong_formulas_are_few_and_different(rule: str, name: str) -> None:
    """Of names there are, none from later steps; never the right one in other words: at some numbers it differs."""
    found, here = circuit(name), of(name, rule)
    assert len(here) <= MANY
    for key, formula in here:
        right = found.entries[key].formula
        assert right is not None
        assert all(found.order[n.key] < found.order[key] for n in names(formula) if not found.entries[n.key].given)
        assert any(differ(right, formula, seed) for seed in range(30))


def differ(right: Formula, wrong: Formula, seed: int) -> bool:
    """Whether two formulas differ at numbers drawn for their names: of both signs, or probabilities."""
    draw, low = random.Random(seed), -2 if seed % 2 else 0.01
    used = [name.key for name in (*names(right), *names(wrong))]
    values = {key: draw.uniform(low, 2 if low < 0 else 0.99) for key in dict.fromkeys(used)}
    one, other = number(right, values), number(wrong, values)
    return math.isfinite(one) and math.isfinite(other) and not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize(("rule", "name"), FITTING)
def test_a_mistake_is_found_where_it_is_made(rule: str, name: str) -> None:
    for done in made(name, rule):
        result = marked(name, done.submission)
        mark = next(mark for mark in result.marks if mark.key == done.at)
        if mark.verdict in WRONG:
            assert result.first_error == done.at
            assert rule in [found.rule for found in mark.found if found.at == done.at]
        else:
            assert close_to_right(mark)


def close_to_right(mark: Any) -> bool:
    """Whether what was written may well be the right number, as rounding goes."""
    assert mark.read is not None
    off = min(abs(float(mark.read.value) - mark.exact), abs(float(mark.read.value) - mark.own) - mark.rad)
    return off <= 1.01 * float(mark.read.ulp)


@pytest.mark.parametrize(("rule", "name"), FITTING)
def test_a_mistake_is_found_from_a_later_step(rule: str, name: str) -> None:
    for done in made(name, rule):
        answers = tuple(answer for answer in done.submission.answers if answer.step != done.at)
        result = marked(name, replace(done.submission, answers=answers))
        if result.first_error is not None:
            mark = next(mark for mark in result.marks if mark.key == result.first_error)
            assert done.at in mark.window
            assert (rule, done.at) in [(found.rule, found.at) for found in mark.found]


@pytest.mark.parametrize("carries", ["keep", "round"])
@pytest.mark.parametrize("name", NETS)
def test_right_work_is_not_blamed(name: str, carries: str) -> None:
    result = marked(name, work(circuit(name), Hand("sf", 4), carries=carries, seed=3).submission)
    assert result.first_error is None
    assert [mark.key for mark in result.marks if mark.found or mark.verdict in WRONG] == []
