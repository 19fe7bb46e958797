"""Mistakes on the way back: each is found where it was made, found again behind an unwritten step, and is what it says."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

from derive.formula import Formula, names
from derive.homework.circuit import Circuit
from derive.homework.compute import number, numbers
from derive.homework.marked import WRONG, Mark, Marked
from derive.homework.marking import Marker
from derive.homework.mistakes import Mistake, Step, mistakes
from derive.homework.policy import Policy
from derive.homework.written import Written
from derive.language import table
from derive.lessons import topics
from tests.students import ASKED, Hand, Work, circuit_of, work

RULES = [mistake for mistake in mistakes if mistake.id[0] == "B"]
#: What derive has no layer for: weights shared over positions, attention.
WITHOUT = {"B28", "B29"}
HAND = Hand("sf", 4)
SMALL = ("mazur", "two samples", "classes", "deep", "residual")


def layer(weight: list[list[float]], bias: object) -> dict[str, object]:
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


TWO_SAMPLES: dict[str, Any] = {
    "inputs": [[0.6, -1.1], [1.4, 0.7]],
    "targets": [[0.2, 0.9], [0.7, 0.1]],
    "layers": [
        layer([[0.3, -0.5], [0.8, 0.4]], [0.1, -0.2]),
        "tanh",
        layer([[0.7, -0.6], [0.25, 0.9]], 0.35),
        "sigmoid",
    ],
    "loss": "mse",
    "regularization": {"l2": {"lambda": 0.05, "half": True}},
    "optimizer": {"sgd": {"lr": 0.3}},
}
CLASSES: dict[str, Any] = {
    "inputs": [[0.5, -1.0], [1.2, 0.3], [-0.4, 0.8]],
    "targets": [2, 0, 1],
    "layers": [
        layer([[0.9, -0.4], [-0.7, 0.2], [0.35, 0.65]], [0.1, 0.15, -0.45]),
        "relu",
        layer([[0.3, -0.8, 0.55], [0.6, 0.45, -0.2], [-0.5, 0.75, 0.4]], [0.05, -0.1, 0.2]),
        "softmax",
    ],
    "loss": "cross_entropy",
    "regularization": {"elastic_net": {"l1": 0.02, "l2": 0.03}},
    "optimizer": {"sgd": {"lr": 0.2, "momentum": 0.9}},
}
DEEP: dict[str, Any] = {
    "inputs": [0.7, -0.4],
    "targets": [0.6, -0.3],
    "layers": [
        layer([[0.8, -0.3], [-0.9, 0.5]], [0.1, 0.05]),
        {"leaky_relu": {"negative_slope": 0.2}},
        layer([[0.4, 0.85], [-0.7, 0.3]], [0.2, -0.1]),
        "silu",
        layer([[0.95, -0.2], [0.55, 0.6]], [0.0, 0.3]),
        "softplus",
        layer([[0.65, -0.75], [0.35, 0.9]], [-0.15, 0.1]),
        "softmax",
    ],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.4}},
}
LAYERWISE: dict[str, Any] = {
    "inputs": [[0.6, -1.1]],
    "targets": [[0.2, 0.9]],
    "layers": [layer([[0.3, -0.5], [0.8, 0.4]], 0.1), layer([[0.7, -0.6], [0.25, 0.9]], 0.35), "tanh"],
    "loss": "half_squared_error",
    "update": "layerwise",
    "optimizer": {"sgd": {"lr": 0.3}},
}
NETS: dict[str, Any] = {
    "mazur": "mazur",
    "two samples": TWO_SAMPLES,
    "classes": CLASSES,
    "deep": DEEP,
    "layerwise": LAYERWISE,
    "residual": "residual",
    "batch_norm": "batch_norm",
}


@cache
def circuit(net: str) -> Circuit:
    return circuit_of(NETS[net])


def differs(value: float, net: str, key: str) -> bool:
    return math.isfinite(value) and not math.isclose(value, circuit(net).floats[key], rel_tol=0.01, abs_tol=1e-9)


@cache
def cases(id: str) -> list[tuple[str, str, Formula]]:
    """(network, key, wrong formula): places in different networks where a mistake can be made and shows."""
    chance, chosen = random.Random(id), []
    for net in SMALL:
        wrong = [
            (net, key, formula)
            for key, entry in circuit(net).entries.items()
            for rule, formula in circuit(net).wrong(key)
            if rule == id and entry.kind != "dL/dx" and differs(number(formula, circuit(net).floats), net, key)
        ]
        chosen += chance.sample(wrong, min(2, len(wrong)))
    return chance.sample(chosen, min(3, len(chosen)))


def read(text: str, comma: bool, closed: object = None) -> Written:
    match = re.fullmatch(r"(-?)(\d*)\.?(\d*)(?:e([-+]?\d+))?", text)
    assert match, text
    exponent, digits = int(match[4] or 0), (match[2] + match[3]).lstrip("0")
    low = len(digits.rstrip("0")) if "." not in text else len(digits)
    places = len(match[3])
    return Written(text, Fraction(text), Fraction(10) ** (exponent - places), (low, len(digits)), places - exponent)


def marked(net: str, done: Work) -> Marked:
    return Marker(circuit(net), Policy(), read).mark(done.submission)


def visible(mark: Mark) -> bool:
    """Whether a number is clearly neither the right one nor the one that follows from what was written before it.

    0.9730 for 0.97251 is the right number at three digits, filled up with a zero.
    """
    assert mark.read is not None and mark.own is not None and mark.exact is not None
    value, unit = float(mark.read.value), float(mark.read.ulp)
    if mark.verdict == "over_precise":
        return False
    return abs(value - mark.exact) > 2 * unit and abs(value - mark.own) > 2 * unit + (mark.rad or 0)


def long_after(net: str, key: str) -> Callable[[str], bool]:
    """The steps that are left out, to be quick."""
    order = circuit(net).order
    return lambda other: order[other] > order[key] + 10


def all_but_a_user(net: str, key: str) -> Callable[[str], bool]:
    """All later steps but the first that uses this one."""
    at = circuit(net)
    users = [other for other, entry in at.entries.items() if key in entry.parents and entry.kind not in ASKED]
    return lambda other: at.order[other] > at.order[key] and other not in users[:1]


def rules(mark: Mark) -> set[tuple[str, str]]:
    return {(found.rule, found.at) for found in mark.found}


def test_the_whole_list_is_there() -> None:
    assert {rule.id for rule in RULES} == {f"B{number}" for number in range(1, 30)} - WITHOUT


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_found_where_it_was_made(rule: Mistake) -> None:
    seen = 0
    for (net, key, formula), carries in zip(cases(rule.id), itertools.cycle(("keep", "round"))):
        wrong = (key, rule.id, formula)
        result = marked(net, work(circuit(net), HAND, carries=carries, wrong=wrong, skip=long_after(net, key)))
        mark = next(mark for mark in result.marks if mark.key == key)
        if visible(mark):
            seen += 1
            assert result.first_error == key, (net, carries, key, formula)
            assert (rule.id, key) in rules(mark), (net, carries, key, formula)
    assert seen > 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_found_behind_an_unwritten_step(rule: Mistake) -> None:
    seen = 0
    for (net, key, formula), carries in zip(cases(rule.id), itertools.cycle(("keep", "round"))):
        wrong = (key, rule.id, formula)
        done = work(circuit(net), HAND, carries=carries, wrong=wrong, skip=all_but_a_user(net, key), hides=True)
        errors = [mark for mark in marked(net, done).marks if mark.verdict in WRONG]
        if errors and visible(errors[0]):
            seen += 1
            assert key in errors[0].window, (net, key, formula)
            found = {id for id, _ in rules(errors[0])}  # named once, at the nearest of the steps where it gives this
            assert rule.id in found, (net, key, formula)
    assert seen


@pytest.mark.parametrize("net", NETS)
def test_right_work_is_left_alone(net: str) -> None:
    for carries in ("keep", "round", "mix"):
        for mark in marked(net, work(circuit(net), HAND, carries=carries, unwritten=0.2)).marks:
            assert mark.verdict not in WRONG, mark
            assert not mark.found


@pytest.mark.parametrize("net", NETS)
def test_no_mistake_is_right_whatever_the_numbers(net: str) -> None:
    """With other inputs, parameters and targets, every wrong formula gives something else than the right one."""
    at, chance = circuit(net), random.Random(net)
    leaves = [key for key, entry in at.entries.items() if entry.kind in ("x", "W", "b", "t")]
    masks = [key for key, entry in at.entries.items() if entry.kind == "mask"]
    drawn = [{key: chance.uniform(-2, 2) for key in leaves} | dict.fromkeys(masks, 1.0) for _ in range(30)]
    runs = [{**at.chain(leaf), **leaf} for leaf in drawn]
    columns = {key: np.array([run[key] for run in runs]) for key in at.entries}
    for node in at.nodes.values():
        key = at.array(node)[0, 0].key
        if not np.allclose(columns[key], 0, atol=1e-12):
            for rule, formula in at.wrong(key):
                with np.errstate(all="ignore"):  # the logarithm of a negative number is as wrong as any
                    wrong = numbers(formula, columns)
                assert rule[0] != "B" or not np.allclose(wrong, columns[key], rtol=1e-9, atol=0), (key, formula)


@pytest.mark.parametrize("net", NETS)
def test_wrong_formulas_can_be_worked(net: str) -> None:
    """They use quantities that there are, and none that is computed from the step itself."""
    at = circuit(net)
    before: dict[str, set[str]] = {}
    for key, entry in at.entries.items():
        before[key] = {*entry.parents}.union(*(before[parent] for parent in entry.parents))
    for key in at.entries:
        for rule, formula in at.wrong(key):
            if rule[0] == "B":
                used = {name.key for name in names(formula)}
                assert all(key != name and key not in before[name] for name in used), (rule, key, formula)


def test_a_wrong_sign_is_reported_once() -> None:
    at = circuit("mazur")
    result = marked("mazur", work(at, HAND, wrong=("dL/dz2[1]", "B3", -Step(at, at.entries["dL/dz2[1]"]).formula)))
    mark = next(mark for mark in result.marks if mark.key == "dL/dz2[1]")
    assert [(found.rule, found.at) for found in mark.found].count(("B3", "dL/dz2[1]")) == 1
    assert mark.verdict == "sign"


def test_rules_are_told_of_and_lead_to_a_lesson() -> None:
    for rule in RULES:
        assert f"mistake.{rule.id}" in table("en")
        assert rule.lesson in topics()


# the formulas of the table, worked with plain numbers -----------------------------------------------------------------
def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


X, T = (0.05, 0.10), (0.01, 0.99)
W1, W2 = ((0.15, 0.20), (0.25, 0.30)), ((0.40, 0.45), (0.50, 0.55))
Z1 = [w[0] * X[0] + w[1] * X[1] + 0.35 for w in W1]
H = [sigmoid(z) for z in Z1]
Z2 = [w[0] * H[0] + w[1] * H[1] + 0.60 for w in W2]
O = [sigmoid(z) for z in Z2]
E = [(t - o) ** 2 / 2 for t, o in zip(T, O, strict=True)]
D = [(o - t) * o * (1 - o) for o, t in zip(O, T, strict=True)]  # ∂E/∂z of the outputs
NEW = [[w - 0.5 * d * h for w, h in zip(row, H, strict=True)] for row, d in zip(W2, D, strict=True)]
BACK = [W2[0][i] * D[0] + W2[1][i] * D[1] for i in (0, 1)]
D1 = [back * h * (1 - h) for back, h in zip(BACK, H, strict=True)]

MAZUR: dict[tuple[str, str], list[float]] = {
    ("B1", "dL/dz2[1]"): [O[0] - T[0]],
    ("B2", "dL/dz1[2]"): [BACK[1]],
    ("B3", "dL/dz2[1]"): [-D[0]],
    ("B3", "dL/da2[2]"): [T[1] - O[1]],
    ("B4", "da2/dz2[1]"): [sigmoid(O[0]) * (1 - sigmoid(O[0]))],
    ("B5", "da1/dz1[2]"): [Z1[1] * (1 - Z1[1])],
    ("B6", "da2/dz2[2]"): [O[1], 1 - O[1]],
    ("B7", "da1/dz1[1]"): [1 - H[0] ** 2, 1.0],
    ("B8", "dL/da2[1]"): [2 * (O[0] - T[0]), (O[0] - T[0]) / 2],
    ("B10", "dL/da1[1]"): [D[0] * W2[0][0], D[1] * W2[1][0]],
    ("B11", "dL/da1[1]"): [D[0] * W2[0][0] * D[1] * W2[1][0]],
    ("B12", "dL/da1[2]"): [D[0] + D[1]],
    ("B13", "dL/da1[1]"): [NEW[0][0] * D[0] + NEW[1][0] * D[1]],
    ("B14", "dL/da1[2]"): [W2[1][0] * D[0] + W2[1][1] * D[1]],
    ("B15", "dL/da1[1]"): [W1[0][0] * D[0] + W1[1][0] * D[1]],
    ("B16", "dL/dW2[1,2]"): [D[0] * Z1[1]],
    ("B17", "dL/dW2[1,2]"): [D[0] * H[0]],
    ("B17", "dL/dW1[2,1]"): [D1[1] * X[1]],
    ("B18", "dL/dW2[2,1]"): [D[1] * W2[1][0]],
    ("B19", "dL/dW2[1,1]"): [D[0]],
    ("B20", "dL/db2"): [(D[0] + D[1]) * H[0], (D[0] + D[1]) * H[1]],
    ("B21", "dL/db2"): D,
    ("B21", "dL/db1"): D1,
    ("B22", "dL/da2[1]"): [O[0] - T[1]],
    ("B23", "dL/da2[1]"): [E[0], E[0] + E[1]],
    ("B24", "dL/da1[1]"): [W2[0][0] * abs(D[0]) + W2[1][0] * abs(D[1])],
    ("B24", "dL/da2[2]"): [abs(O[1] - T[1])],
}


def given(net: str, id: str) -> list[list[float]]:
    node = circuit(net).nodes[id]
    names = circuit(net).array(node)
    return [[circuit(net).floats[names[i, j].key] for j in range(node.shape[1])] for i in range(node.shape[0])]


def batch() -> Iterator[tuple[str, str, str, list[float]]]:
    """The same for networks with a batch: means, single samples, penalties, gates, targets."""
    a, t, d = (given("two samples", id) for id in ("a2", "t", "dL/dz2"))
    h, w = given("two samples", "a1"), TWO_SAMPLES["layers"][2]["linear"]["weight"]
    yield "two samples", "B9", "dL/da2[2,1]", [2 * (a[1][0] - t[1][0]), 2 * (a[1][0] - t[1][0]) / 16]
    decay = 0.05 * w[0][1]
    gradient = d[0][0] * h[0][1] + d[1][0] * h[1][1]
    yield "two samples", "B9", "dL/dW2[1,2]", [gradient / 2 + decay]
    yield "two samples", "B26", "dL/dW2[1,2]", [d[1][0] * h[1][1] + decay, 2 * d[0][0] * h[0][1] + decay]
    yield "two samples", "B27", "dL/dW2[1,2]", [gradient, gradient + 2 * decay, gradient + decay / 2]
    b, d1 = TWO_SAMPLES["layers"][0]["linear"]["bias"], given("two samples", "dL/dz1")
    yield "two samples", "B27", "dL/db1[2]", [d1[0][1] + d1[1][1] + 0.05 * b[1]]
    yield "two samples", "B21", "dL/db2", [d[0][0] + d[1][0], d[0][1] + d[1][1]]
    yield "two samples", "B7", "da1/dz1[1,1]", [h[0][0] * (1 - h[0][0])]
    p, t, g = given("classes", "a2"), given("classes", "t"), given("classes", "dL/da1")
    yield "classes", "B9", "dL/dz2[3,2]", [p[2][1] - t[2][1], (p[2][1] - t[2][1]) / 9]
    yield "classes", "B1", "dL/dz2[1,3]", [-t[0][2] / p[0][2] / 3]
    yield "classes", "B22", "dL/dz2[1,3]", [(p[0][2] - t[0][0]) / 3]
    yield "classes", "B25", "dL/dz1[1,2]", [g[0][1], max(0.0, g[0][1])]
    yield "classes", "B25", "da1/dz1[1,2]", [1.0]


@pytest.mark.parametrize(
    ("net", "rule", "key", "expected"),
    [*(("mazur", rule, key, values) for (rule, key), values in MAZUR.items()), *batch()],
)
def test_the_wrong_number_is_that_of_the_table(net: str, rule: str, key: str, expected: list[float]) -> None:
    at = circuit(net)
    values = [number(f, at.floats) for f in mistakes.rules[rule].at(Step(at, at.entries[key]))]
    for value in expected:
        assert any(math.isclose(value, found, rel_tol=1e-12, abs_tol=1e-15) for found in values), (value, values)


def test_every_mistake_was_worked_by_hand() -> None:
    assert {rule for rule, _ in MAZUR} | {rule for _, rule, _, _ in batch()} == {rule.id for rule in RULES}


def test_wide_layers_stay_bounded() -> None:
    wide = circuit_of(
        {
            "inputs": {"randn": [12, 11]},
            "targets": list(range(12)),
            "seed": 1,
            "layers": [{"linear": {"out": 13}}, "relu", {"linear": {"out": 12}}, "softmax"],
            "loss": "cross_entropy",
        }
    )
    for key in ("dL/dz2[1,1]", "dL/da1[3,2]", "dL/dW2[1,1]", "dL/db1[2]", "dL/dz1[1,1]"):
        counts = Counter(rule for rule, _ in wide.wrong(key))
        assert counts and max(counts.values()) <= 20
