"""Rules of mistakes on the way forward: made at a step, they are found at that step; right work is never blamed."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from derive.formula import Formula, names
from derive.homework.circuit import Circuit
from derive.homework.compute import number
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
    "logs": net("gelu", end=["log_softmax"], loss="nll", targets=[0, 1], steps=2),
    "squares": net("tanh", end=["softmax"], loss="smooth_l1", regularization={"l2_norm": 0.3}),
}


@cache
def circuit(name: str) -> Circuit:
    return circuit_of(NETS[name])


def read(text: str, comma: bool = False, closed: object = None) -> Written:
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


def students(rule: str, most: int) -> Iterator[tuple[str, Work]]:
    """(network, student) for a mistake, in the smallest networks: those who keep all digits and those who round in turn."""
    smallest = sorted(fitting(rule), key=lambda name: len(circuit(name).entries))
    for place, name in enumerate(smallest[:most]):
        yield from ((name, done) for i, done in enumerate(made(name, rule)) if i == (place + int(rule[1:])) % 2)


def around(found: Circuit, key: str) -> set[str]:
    """A step, two that are computed from it, and what these are computed from."""
    later = [k for k, entry in found.entries.items() if key in entry.parents][:2]
    return {key, *later, *(parent for k in (key, *later) for parent in found.entries[k].parents)}


RULES = [mistake.id for mistake in MINE]


@cache
def fitting(rule: str) -> list[str]:
    """The networks in which a mistake can be made."""
    return [name for name in NETS if of(name, rule)]


def test_the_list_is_whole() -> None:
    """All of the table, but for the temperature of softmax, which these networks do not have."""
    wanted = {"F": 9, "L": 10, "S": 9, "N": 8, "D": 4}
    expected = {f"{letter}{n}" for letter, most in wanted.items() for n in range(1, most + 1)} - {"S9"}
    assert {mistake.id for mistake in MINE} == expected
    assert all(map(fitting, RULES))


@pytest.mark.parametrize("mistake", MINE, ids=lambda m: m.id)
def test_a_rule_is_described(mistake: Mistake) -> None:
    assert mistake.lesson in topics()
    assert mistake.prior in (1, 2, 3)
    assert mistake.rule.__doc__
    for language in LANGUAGES:
        assert f"mistake.{mistake.id}" in table(language)


@pytest.mark.parametrize("rule", RULES)
def test_wrong_formulas_are_few_and_different(rule: str) -> None:
    """Of names there are, none from later steps; never the right one in other words: at some numbers it differs."""
    for name in fitting(rule):
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


@pytest.mark.parametrize("rule", RULES)
def test_a_mistake_is_found_where_it_is_made(rule: str) -> None:
    for name, done in students(rule, most=2):
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


@pytest.mark.parametrize("rule", RULES)
def test_a_mistake_is_found_from_a_later_step(rule: str) -> None:
    for name, done in students(rule, most=1):
        answers = tuple(answer for answer in done.submission.answers if answer.step != done.at)
        result = marked(name, replace(done.submission, answers=answers))
        if result.first_error is not None:
            mark = next(mark for mark in result.marks if mark.key == result.first_error)
            assert done.at in mark.window
            assert (rule, done.at) in [(found.rule, found.at) for found in mark.found]


@pytest.mark.parametrize("carries", ["keep", "round"])
@pytest.mark.parametrize("name", NETS)
def test_right_work_is_not_blamed(name: str, carries: str) -> None:
    result = marked(name, work(circuit(name), Hand("sf", 4), carries=carries).submission)
    assert result.first_error is None
    assert [mark.key for mark in result.marks if mark.found or mark.verdict in WRONG] == []


# what the mistakes are: worked by hand ------------------------------------------------------------------------------------
def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def soft(z: list[float], i: int) -> float:
    return math.exp(z[i]) / sum(math.exp(x) for x in z)


def leaky_on_the_wrong_side(z: float) -> float:
    return 0.01 * z if z > 0 else z


def layer_statistics(v: Mapping[str, float]) -> tuple[float, float]:
    """Mean and variance of the first unit over the samples, of the network with layer norm."""
    first, second = v["z1[1,1]"], v["z1[2,1]"]
    mean = (first + second) / 2
    return mean, ((first - mean) ** 2 + (second - mean) ** 2) / 2


def of_the_batch(v: Mapping[str, float]) -> float:
    column = [v[f"z1[{i},1]"] for i in (1, 2, 3)]
    mean = sum(column) / 3
    return (column[0] - mean) / math.sqrt(sum((z - mean) ** 2 for z in column) / 3 + 0.05)


Worked = tuple[str, str, str, Callable[[Mapping[str, float]], float]]
BY_HAND: list[Worked] = [
    ("F1", "mazur", "z1[1]", lambda v: 0.15 * 0.05 + 0.2 * 0.1),
    ("F2", "mazur", "z1[1]", lambda v: 0.15 * 0.05 + 0.25 * 0.1 + 0.35),
    ("F3", "mazur", "z1[1]", lambda v: 0.15 * 0.05 + 0.2 * 0.1 + 0.6),
    ("F4", "mazur", "a1[1]", lambda v: v["z1[1]"]),
    ("F5", "mazur", "a1[1]", lambda v: sigmoid(sigmoid(v["z1[1]"]))),
    ("F6", "mazur", "a1[1]", lambda v: 1 - sigmoid(v["z1[1]"])),
    ("F7", "mazur", "a1[1]", lambda v: math.tanh(v["z1[1]"])),
    ("F7", "layer", "a1[1,1]", lambda v: max(0.0, v["y1[1,1]"])),
    ("F8", "eval", "a1[1,1]", lambda v: math.log10(1 + math.exp(v["drop1[1,1]"]))),
    ("F8", "eval", "a1[1,1]", lambda v: math.log2(1 + math.exp(v["drop1[1,1]"]))),
    ("F9", "layer", "a1[1,1]", lambda v: leaky_on_the_wrong_side(v["y1[1,1]"])),
    ("F9", "layer", "a1[1,2]", lambda v: max(v["y1[1,2]"], 0.0)),
    ("L1", "mazur", "l[1]", lambda v: (0.01 - v["a2[1]"]) ** 2),
    ("L1", "mazur", "L", lambda v: (0.01 - v["a2[1]"]) ** 2 + (0.99 - v["a2[2]"]) ** 2),
    ("L1", "binary", "penalty", lambda v: 2 * v["penalty"]),
    ("L2", "batch", "L", lambda v: 5 * v["L"]),
    ("L2", "binary", "penalty", lambda v: 2 * v["penalty"]),
    ("L3", "mazur", "L", lambda v: v["L"] / 2),
    ("L3", "batch", "L", lambda v: v["L"] / 2),
    ("L3", "batch", "L", lambda v: v["L"] * 5 / 2),
    ("L4", "mazur", "L", lambda v: v["l[1]"]),
    ("L5", "mazur", "l[1]", lambda v: (0.01 - v["a2[1]"]) / 2),
    ("L5", "mazur", "l[1]", lambda v: abs(0.01 - v["a2[1]"]) / 2),
    ("L6", "classifier", "L", lambda v: math.log(v["a1[3]"])),
    ("L7", "classifier", "L", lambda v: -math.log10(v["a1[3]"])),
    ("L7", "classifier", "L", lambda v: -math.log2(v["a1[3]"])),
    ("L8", "binary", "l[1,1]", lambda v: -0.15 * math.log(v["a2[1,1]"])),
    ("L9", "classifier", "L", lambda v: -sum(p * math.log(p) for p in (v[f"a1[{i}]"] for i in (1, 2, 3)))),
    ("L10", "smooth", "l[1]", lambda v: -sum(v[f"u[1,{i}]"] * math.log(v[f"z2[1,{i}]"]) for i in (1, 2))),
    ("S1", "classifier", "a1[1]", lambda v: v["z1[1]"] / (v["z1[1]"] + v["z1[2]"] + v["z1[3]"])),
    ("S2", "classifier", "a1[1]", lambda v: math.exp(v["z1[1]"]) / (math.exp(v["z1[2]"]) + math.exp(v["z1[3]"]))),
    ("S3", "classifier", "a1[2]", lambda v: soft([v[f"a1[{i}]"] for i in (1, 2, 3)], 1)),
    ("S3", "classifier", "L", lambda v: -math.log(soft([v[f"a1[{i}]"] for i in (1, 2, 3)], 2))),
    ("S4", "norm", "dL/dz2[1,1]", lambda v: -0.15 * (1 - v["a2[1,1]"]) / 3),
    ("S5", "norm", "dL/dz2[1,1]", lambda v: (v["a2[1,1]"] - 0.15) * v["a2[1,1]"] * (1 - v["a2[1,1]"]) / 3),
    ("S6", "norm", "dL/dz2[1,1]", lambda v: (0.15 - v["a2[1,1]"]) / 3),
    ("S7", "norm", "dL/dz2[1,1]", lambda v: (-0.15 * (1 - v["a2[1,1]"]) - 0.85 * v["a2[1,1]"]) / 3),
    (
        "S8",
        "classifier",
        "a1[1]",
        lambda v: soft([v[f"z1[{i}]"] for i in (1, 2, 3)], 0) / math.exp(max(v[f"z1[{i}]"] for i in (1, 2, 3))),
    ),
    ("N1", "norm", "var1[1]", lambda v: sum((v[f"z1[{i},1]"] - v["mean1[1]"]) ** 2 for i in (1, 2, 3)) / 2),
    ("N1", "norm", "running_var1+[1]", lambda v: 0.7 * 1 + 0.3 * v["var1[1]"]),
    ("N2", "norm", "n1[1,1]", lambda v: (v["z1[1,1]"] - v["mean1[1]"]) / (v["var1[1]"] + 0.05)),
    ("N3", "norm", "n1[1,1]", lambda v: (v["z1[1,1]"] - v["mean1[1]"]) / (math.sqrt(v["var1[1]"]) + 0.05)),
    ("N3", "norm", "n1[1,1]", lambda v: (v["z1[1,1]"] - v["mean1[1]"]) / math.sqrt(v["var1[1]"])),
    ("N4", "norm", "y1[1,1]", lambda v: 0.1 * v["n1[1,1]"] + 1.2),
    ("N4", "norm", "y1[1,1]", lambda v: 1.2 * v["n1[1,1]"]),
    ("N5", "norm", "running_mean1+[1]", lambda v: 0.3 * 0 + 0.7 * v["mean1[1]"]),
    ("N6", "norm", "dL/dz1[1,1]", lambda v: v["dL/dy1[1,1]"] * 1.2 / math.sqrt(v["var1[1]"] + 0.05)),
    ("N7", "eval", "n1[1,1]", of_the_batch),
    ("N8", "layer", "mean1[1]", lambda v: layer_statistics(v)[0]),
    ("N8", "layer", "var1[1]", lambda v: layer_statistics(v)[1]),
    (
        "N8",
        "layer",
        "n1[1,1]",
        lambda v: (v["z1[1,1]"] - layer_statistics(v)[0]) / math.sqrt(layer_statistics(v)[1] + 0.05),
    ),
    ("D1", "layer", "drop1[1,1]", lambda v: v["a1[1,1]"]),
    ("D2", "layer", "drop1[1,1]", lambda v: v["a1[1,1]"] / 0.2),
    ("D3", "eval", "drop1[1,1]", lambda v: 0.8 * v["y1[1,1]"]),
    ("D3", "eval", "drop1[1,1]", lambda v: v["y1[1,1]"] / 0.8),
    ("D4", "layer", "dL/da1[1,2]", lambda v: v["dL/ddrop1[1,2]"]),
    ("D4", "layer", "dL/da1[1,2]", lambda v: v["dL/ddrop1[1,2]"] / 0.8),
]


@pytest.mark.parametrize(("rule", "name", "key", "by_hand"), BY_HAND)
def test_a_mistake_is_what_it_is_said_to_be(
    rule: str, name: str, key: str, by_hand: Callable[[Mapping[str, float]], float]
) -> None:
    floats = circuit(name).floats
    wrong = [number(formula, floats) for id, formula in circuit(name).wrong(key) if id == rule]
    assert any(math.isclose(value, by_hand(floats), rel_tol=1e-12) for value in wrong), (wrong, by_hand(floats))


def test_every_mistake_is_worked_by_hand() -> None:
    assert {rule for rule, *_ in BY_HAND} == {mistake.id for mistake in MINE}
