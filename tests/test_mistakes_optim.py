"""Mistakes in optimizers, averages and schedules: each is located, recognised, hidden or not, and never seen in right work."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import cycle
from math import ceil, cos, floor, pi, radians, sqrt
from typing import Any

import pytest

from derive.formula import Formula
from derive.homework.circuit import Circuit, Entry
from derive.homework.compute import number
from derive.homework.marked import WRONG, Mark
from derive.homework.marking import Marker
from derive.homework.mistakes import mistakes
from derive.homework.policy import Policy, Precision
from derive.homework.written import Written
from derive.language import LANGUAGES, table
from derive.lessons import topics
from tests.students import Hand, circuit_of, circuit_of_study, work

MINE = [m.id for m in mistakes if m.id[0] in "OEC"]
LISTED = [*(f"O{i}" for i in range(1, 22)), "E1", "E2", *(f"C{i}" for i in range(1, 7))]


def read(text: str, comma: bool = False, closed: object = None) -> Written:
    """A number as these tests write it."""
    match = re.fullmatch(r"-?(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?", text)
    assert match, text
    exponent = int(match[3] or 0) - len(match[2])
    digits = (match[1] + match[2]).lstrip("0")
    low = len(digits.rstrip("0")) if "." not in text else len(digits)
    return Written(text, Fraction(text), Fraction(10) ** exponent, (low, len(digits)), max(0, -exponent))


# networks and studies ---------------------------------------------------------------------------------------------------
def neuron(optimizer: str, steps: int = 2, schedule: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Two weights and a bias."""
    net = {
        "inputs": [[1.2, 2.3], [-0.7, 0.45]],
        "targets": [[1], [0]],
        "layers": [{"linear": {"out": 1, "weight": [[0.43, -0.27]], "bias": [0.16]}}, "sigmoid"],
        "loss": "bce",
        "optimizer": {optimizer: {"lr": 0.37, **options}},
        "steps": steps,
    }
    return net if schedule is None else {**net, "schedule": schedule}


BETAS = {"betas": [0.8, 0.95]}
DECAY = {"weight_decay": 0.2}
NETS: dict[str, Any] = {
    "momentum": neuron("sgd", momentum=0.6, **DECAY),
    "nesterov": neuron("sgd", momentum=0.6, nesterov=True),
    "adamw": neuron("adamw", eps=0.05, amsgrad=True, **DECAY, **BETAS),
    "batch norm": {
        "inputs": [[0.5], [1.5], [-0.2]],
        "targets": [[1], [0], [1]],
        "layers": [
            {"linear": {"out": 1, "weight": [[0.4]], "bias": [0.1]}},
            {"batch_norm": {"weight": [0.8], "bias": [0.3]}},
            "sigmoid",
        ],
        "loss": "bce",
        "optimizer": {"sgd": {"lr": 0.5}},
    },
    "stairs": neuron("sgd", 2, {"step_lr": {"step_size": 2, "gamma": 0.7}}),
    "milestones": neuron("sgd", 2, {"multi_step_lr": {"milestones": [1, 2], "gamma": 0.7}}),
    "cosine": neuron("sgd", 3, {"cosine_annealing": {"t_max": 5, "eta_min": 0.07}}),
    "restarts": neuron("sgd", 2, {"cosine_annealing_warm_restarts": {"t_0": 3, "t_mult": 2}}),
    "linear": neuron("sgd", 2, {"linear_lr": {"start_factor": 0.25, "total_iters": 4}}),
    "warm": neuron("sgd", 2, {"warm_up": {"steps": 3}}),
    "noam": neuron("sgd", 2, {"noam": {"warmup_steps": 2}}),
    "warm cosine": neuron(
        "sgd",
        4,
        {
            "sequential": {
                "schedules": [{"warm_up": {"steps": 2}}, {"cosine_annealing": {"t_max": 5, "eta_min": 0.02}}],
                "milestones": [2],
            }
        },
    ),
}


def study(optimizer: str, steps: int = 3, **options: Any) -> tuple[str, dict[str, Any]]:
    """One parameter, gradients from a list."""
    gradients = [1.3, -0.4, 0.7, 0.9, -1.1, 0.35, 0.8, 1.2][:steps]
    return "optimizer", {"optimizer": {optimizer: {"lr": 0.3, **options}}, "gradients": gradients, "start": 1.7}


BOWL = {"function": "x^2 + 3*y^2 + x*y", "start": {"x": 1.3, "y": -0.7}, "steps": 2}
VALUES = {"beta": 0.8, "values": [3.1, 5.2, 4.7]}
STUDIES: dict[str, tuple[str, dict[str, Any]]] = {
    "s sgd": study("sgd"),
    "s decay": study("sgd", **DECAY),
    "s upwards": study("sgd", momentum=0.6, maximize=True),
    "s dampened": study("sgd", momentum=0.6, dampening=0.3),
    "s heavy": study("momentum", momentum=0.6),
    "s ema form": study("momentum", momentum=0.6, form="ema", **DECAY),
    "s classical": study("momentum", momentum=0.6, form="classical"),
    "s nesterov": ("optimizer", {"optimizer": {"nesterov": {"lr": 0.05, "momentum": 0.6}}, **BOWL}),
    "s adagrad": study("adagrad", lr_decay=0.2, eps=0.05),
    "s rmsprop": study("rmsprop", alpha=0.8, eps=0.05, **DECAY),
    "s centered": study("rmsprop", alpha=0.8, eps=0.05, centered=True, momentum=0.6),
    "s adadelta": study("adadelta", rho=0.8, eps=0.05),
    "s adam": study("adam", 3, eps=0.05, **DECAY, **BETAS),
    "s adam inside": study("adam", eps=0.05, eps_form="inside", **BETAS),
    "s adam hat": study("adam", eps=0.05, eps_form="hat", **BETAS),
    "s adamw": study("adamw", eps=0.05, **DECAY, **BETAS),
    "s adamax": study("adamax", eps=0.05, **DECAY, **BETAS),
    "s nadam": study("nadam", eps=0.05, **DECAY, decoupled_weight_decay=True, **BETAS),
    "s radam": study("radam", 4, eps=0.05, **DECAY, betas=[0.8, 0.9]),
    "s rprop": study("rprop"),
    "s asgd": study("asgd", lambd=0.1),
    "average": ("ema", VALUES),
    "average from 0": ("ema", {**VALUES, "start": "zero"}),
    "average corrected": ("ema", {**VALUES, "correct": True}),
}
ALL = [*NETS, *STUDIES]


@cache
def circuit(name: str) -> Circuit:
    return circuit_of(NETS[name]) if name in NETS else circuit_of_study(*STUDIES[name])


@cache
def marker(name: str) -> Marker:
    return Marker(circuit(name), Policy(Precision(4)), read)


def first(entry: Entry) -> bool:
    """Whether it belongs to the first weight of a network, or the first variable of a study; or to all of them."""
    return entry.row == entry.column == 0 and not entry.node.id.partition("@")[0].endswith((".b1", "/db1", "b1", "b1+"))


def chosen(name: str) -> list[tuple[str, str, Formula]]:
    """(key, rule, formula): of each rule for each kind of entry, at the last one of the first weight that is followed."""
    found: dict[tuple[str, str], list[tuple[str, str, Formula]]] = {}
    entries = circuit(name).entries
    last = max(entry.step for entry in entries.values() if entry.node.role in ("state", "updated"))
    for key, entry in entries.items():
        if first(entry) and not (1 < entry.step == last and entry.node.role == "updated"):
            mine = [(key, rule, wrong) for rule, wrong in circuit(name).wrong(key) if rule in MINE]
            found |= {(rule, entry.kind): [m for m in mine if m[1] == rule] for _, rule, _ in mine}
    return [injected for several in found.values() for injected in several]


@cache
def asked(name: str) -> frozenset[str]:
    """What is handed in: all that leads from the gradients to the updates of the first weight, and the rates."""
    roles = ("state", "updated", "running", "hyper", "gradient", "parameter")
    entries = circuit(name).entries.values()
    return frozenset(e.key for e in entries if first(e) and e.node.role in roles and e.kind not in ("dL/dz", "dL/dx"))


def visible(mark: Mark) -> bool:
    """Whether the number that was written is not the right one, as far as rounding lets one see."""
    assert mark.read is not None and mark.exact is not None and mark.own is not None
    away = min(abs(float(mark.read.value) - right) for right in (mark.exact, mark.own))
    return away > 2 * mark.rad + 2 * float(mark.read.ulp)


def handed(name: str, wrong: tuple[str, str, Formula], carries: str, *, hidden: bool) -> dict[str, Mark] | None:
    """The marks of a student who makes one mistake; None where it gives no number."""
    try:
        made = work(circuit(name), Hand(), carries=carries, wrong=wrong, keys=asked(name)).submission
    except ValueError:
        return None
    if hidden:
        made = replace(made, answers=tuple(answer for answer in made.answers if answer.step != wrong[0]))
    return {mark.key: mark for mark in marker(name).mark(made).marks}


# each rule --------------------------------------------------------------------------------------------------------------
def test_the_whole_list_is_there() -> None:
    assert sorted(MINE) == sorted(LISTED)


@pytest.mark.parametrize("rule", LISTED)
def test_each_has_a_lesson_and_a_sentence(rule: str) -> None:
    assert mistakes.rules[rule].lesson in topics()
    assert all(f"mistake.{rule}" in table(language) for language in LANGUAGES)


SEEN: dict[str, set[str]] = {"written": set(), "hidden": set()}


@pytest.mark.parametrize("name", ALL)
def test_mistakes_are_located_and_recognised(name: str) -> None:
    """By students who keep all digits and by those who round each line, in turn."""
    for (key, rule, wrong), carries in zip(chosen(name), cycle(["keep", "round", "round", "keep"]), strict=False):
        marks = handed(name, (key, rule, wrong), carries, hidden=False)
        if marks is None or not visible(marks[key]):
            continue
        error = next((mark.key for mark in marks.values() if mark.verdict in WRONG), None)
        assert error == key, (rule, wrong)
        assert rule in {found.rule for found in marks[key].found}, (key, rule, wrong)
        SEEN["written"].add(rule)


@pytest.mark.parametrize("name", ALL)
def test_mistakes_are_recognised_in_unwritten_steps(name: str) -> None:
    for key, rule, wrong in chosen(name):
        marks = handed(name, (key, rule, wrong), "keep", hidden=True) or {}
        error = next((mark for mark in marks.values() if mark.verdict in WRONG), None)
        if error is None:  # nothing that follows shows it
            continue
        assert key in error.window, (key, rule, error.key)
        if visible(error):
            assert (rule, key) in {(found.rule, found.at) for found in error.found}, (key, rule, error.key)
            SEEN["hidden"].add(rule)


def test_every_mistake_was_seen() -> None:
    if SEEN["written"]:  # where the tests above ran in the same process
        assert sorted(set(LISTED) - SEEN["written"]) == sorted(set(LISTED) - SEEN["hidden"]) == []


@pytest.mark.parametrize("carries", ["keep", "round"])
@pytest.mark.parametrize("name", ALL)
def test_right_work_has_no_mistakes(name: str, carries: str) -> None:
    marks = marker(name).mark(work(circuit(name), Hand(), carries=carries, keys=asked(name)).submission).marks
    assert [(mark.key, mark.found) for mark in marks if mark.found or mark.verdict in WRONG] == []


@pytest.mark.parametrize("name", ALL)
def test_wrong_formulas_are_few_and_not_the_right_ones(name: str) -> None:
    """Whatever the numbers are: at random ones each wrong formula gives something else."""
    found, chance = circuit(name), random.Random(1)
    ranges = {"eps": (0.01, 0.1), "betas": (0.2, 0.9), "rho": (5.2, 9.0), "rhoinf": (9.2, 12.0)}
    draws = [
        {key: chance.uniform(*ranges.get(entry.kind, (0.2, 2.4))) for key, entry in found.entries.items()}
        for _ in range(25)
    ]
    for key, entry in found.entries.items():
        mine = [wrong for rule, wrong in found.wrong(key) if rule in MINE]
        assert len(mine) <= 20, key
        for wrong in mine if first(entry) else []:
            assert entry.formula is not None
            pairs = [(number(wrong, draw), number(entry.formula, draw)) for draw in draws]
            assert any(abs(a - b) > 1e-6 * abs(b) for a, b in pairs), (key, wrong)


# against plain numbers --------------------------------------------------------------------------------------------------
ETA, MU, B1, B2, EPS, LAM = 0.3, 0.6, 0.8, 0.95, 0.05, 0.2
G1, G2, G3, START = 1.3, -0.4, 0.7, 1.7


def adam(t: int = 2, *, decay: float = 0.0) -> tuple[float, float, float]:
    """(m, v, θ before) of step t ≤ 2 of Adam on the list of gradients, with decoupled weight decay."""
    m1, v1 = (1 - B1) * G1, (1 - B2) * G1**2
    if t == 1:
        return m1, v1, START
    theta = (1 - ETA * decay) * START - ETA * G1 / (sqrt(G1**2) + EPS)
    return B1 * m1 + (1 - B1) * G2, B2 * v1 + (1 - B2) * G2**2, theta


M2, V2, T1 = adam()
D2 = adam(decay=LAM)[2]  # θ₁ of AdamW
C1, C2 = 1 - B1**2, 1 - B2**2
MHAT, VHAT = M2 / C1, V2 / C2
STEP = ETA * MHAT / (sqrt(VHAT) + EPS)
BUF1 = G1
HEAVY = START - ETA * BUF1  # θ₁ with momentum
S2 = G1**2 + G2**2
ADA1 = START - ETA * G1 / (sqrt(G1**2) + EPS)
AVERAGE = 0.8 * 3.1 + 0.2 * 5.2
TURN = pi * 2 / 5  # of the third rate of "cosine"
COSINE = (0.37 - 0.07, 0.07)

WITNESSES: list[tuple[str, str, str, float]] = [
    ("s sgd", "theta@1", "O1", START + ETA * G1),
    ("s sgd", "theta@1", "O2", START - G1),
    ("s sgd", "theta@1", "O3", ETA * G1),
    ("s sgd", "theta@1", "O3", -ETA * G1),
    ("s classical", "v@1", "O1", ETA * G1),
    ("s heavy", "buf@2", "O4", MU * G1 - ETA * G2),
    ("s heavy", "buf@2", "O4", MU * G1 + (1 - MU) * G2),
    ("s heavy", "theta@1", "O4", START + G1),
    ("s ema form", "s@1", "O4", G1 + LAM * START),
    ("s classical", "v@2", "O4", MU * -ETA * G1 + G2),
    ("s classical", "theta@1", "O4", START + ETA * ETA * G1),
    ("s heavy", "buf@2", "O5", G2),
    ("s dampened", "buf@2", "O6", MU * G1 + G2),
    ("s dampened", "buf@1", "O6", 0.7 * G1),
    ("s heavy", "buf@2", "O6", MU * G1 + (1 - MU) * G2),
    ("s adam inside", "theta@1", "O8", START - ETA * (1 - B1) * G1 / sqrt((1 - B2) * G1**2 + EPS)),
    ("s adamw", "theta@2", "O8", (1 - ETA * LAM) * D2 - ETA * M2 / (sqrt(V2) + EPS)),
    ("s adamw", "mhat@2", "O8", M2),
    ("s adamw", "theta@2", "O9", (1 - ETA * LAM) * D2 - ETA * M2 / (sqrt(VHAT) + EPS)),
    ("s adamw", "theta@2", "O10", (1 - ETA * LAM) * D2 - ETA * MHAT / (sqrt(V2) + EPS)),
    ("s adam hat", "rate@2", "O8", ETA),
    ("s adam hat", "rate@2", "O9", ETA * sqrt(C2)),
    ("s adam hat", "rate@2", "O10", ETA / C1),
    ("s adamw", "mhat@2", "O11", M2 / (1 - B1)),
    ("s adamw", "vhat@2", "O11", V2 / (1 - B2)),
    ("s adamw", "mhat@2", "O12", M2 / (1 - B1)),
    ("s adamw", "mhat@2", "O12", M2 / (1 - B1**3)),
    ("s adamw", "mhat@1", "O12", (1 - B1) * G1 / (1 - B1**2)),
    ("s adam hat", "rate@2", "O12", ETA * sqrt(1 - B2**3) / (1 - B1**3)),
    ("s adamw", "theta@2", "O13", (1 - ETA * LAM) * D2 - ETA * MHAT / (VHAT + EPS)),
    ("s adamw", "theta@2", "O14", (1 - ETA * LAM) * D2 - ETA * MHAT / sqrt(VHAT + EPS)),
    ("s adam inside", "theta@1", "O14", START - ETA * G1 / (sqrt(G1**2) + EPS)),
    ("s adamw", "theta@2", "O15", (1 - ETA * LAM) * D2 - ETA * sqrt(C2) / C1 * M2 / (sqrt(V2) + EPS)),
    ("s adam hat", "theta@1", "O15", START - ETA * G1 / (sqrt(G1**2) + EPS)),
    ("s adamw", "v@2", "O16", B2 * (1 - B2) * G1**2 + (1 - B2) * G2),
    ("s adamw", "m@2", "O17", B2 * (1 - B1) * G1 + (1 - B2) * G2),
    ("s adamw", "v@2", "O17", B1 * (1 - B2) * G1**2 + (1 - B1) * G2**2),
    ("s adagrad", "s@2", "O18", 0.9 * G1**2 + 0.1 * G2**2),
    ("s adagrad", "s@2", "O18", 0.99 * G1**2 + 0.01 * G2**2),
    ("s centered", "v@2", "O18", 0.2 * G1**2 + G2**2),
    ("s adamw", "m@2", "O19", B1 * (1 - B1) * G1 + (1 - B1) * (G2 + LAM * D2)),
    ("s adamw", "v@2", "O19", B2 * (1 - B2) * G1**2 + (1 - B2) * (G2 + LAM * D2) ** 2),
    ("s adamw", "theta@1", "O19", START - ETA * (G1 + LAM * START) / (abs(G1 + LAM * START) + EPS)),
    ("s adam", "gtilde@1", "O19", G1),
    ("s adam", "theta@1", "O19", (1 - ETA * LAM) * START - ETA * G1 / (abs(G1) + EPS)),
    ("s adamw", "theta@2", "O20", (1 - LAM) * D2 - STEP),
    ("s adamw", "theta@2", "O21", (D2 - STEP) * (1 - ETA * LAM)),
    ("s adamw", "m@2", "E1", (1 - B1) * (1 - B1) * G1 + B1 * G2),
    ("batch norm", "running_mean1+[1]", "E1", 0.9 * (0.4 * 0.6 + 0.1)),
    ("average", "s@2", "E1", 0.2 * 3.1 + 0.8 * 5.2),
    ("average", "s@1", "E2", 0.2 * 3.1),
    ("average", "s@2", "E2", AVERAGE / (1 - 0.8**2)),
    ("average from 0", "s@1", "E2", 3.1),
    ("average corrected", "shat@1", "E2", 0.2 * 3.1),
    ("average corrected", "shat@3", "O11", (0.8 * (0.8 * 0.2 * 3.1 + 0.2 * 5.2) + 0.2 * 4.7) / 0.2),
    ("stairs", "lr@2", "C1", 0.37 * 0.7),
    ("warm", "lr@2", "C1", 0.37 / 3),
    ("warm", "lr@2", "C1", 0.37),
    ("cosine", "lr@3", "C2", COSINE[1] + COSINE[0] * cos(TURN)),
    ("cosine", "lr@3", "C2", COSINE[1] + COSINE[0] * (1 + cos(TURN))),
    ("cosine", "lr@3", "C2", COSINE[1] + COSINE[0] * cos(TURN) / 2),
    ("cosine", "lr@3", "C3", COSINE[1] + COSINE[0] * (1 + cos(180 * 2 / 5)) / 2),
    ("cosine", "lr@3", "C3", COSINE[1] + COSINE[0] * (1 + cos(radians(TURN))) / 2),
    ("warm cosine", "lr@4", "C4", 0.02 + 0.35 * (1 + cos(pi * 3 / 5)) / 2),
    ("warm cosine", "lr@4", "C4", 0.02 + 0.35 * (1 + cos(pi * 3 / 7)) / 2),
    ("stairs", "lr@2", "C5", 0.37 * 0.7 ** ceil(1 / 2)),
    ("stairs", "lr@2", "C5", 0.37 * 0.7 ** floor(1 / 2 + 1 / 2)),
    ("stairs", "lr@2", "C5", 0.37 * 0.7**0.5),
    ("stairs", "lr@2", "C5", 0.37 * 0.7**1),
    ("warm", "lr", "C6", 0.0),
    ("warm", "lr@2", "C6", 0.37 / 3),
    ("noam", "lr@2", "C6", 0.37 * min(1 / sqrt(1), 1 / (2 * sqrt(2)))),
    ("linear", "lr@2", "C6", 0.37 * 1 / 4),
]


@pytest.mark.parametrize(("name", "key", "rule", "value"), WITNESSES)
def test_wrong_numbers_are_those_of_the_mistake(name: str, key: str, rule: str, value: float) -> None:
    found = circuit(name)
    numbers = [number(wrong, found.floats) for at, wrong in found.wrong(key) if at == rule]
    assert any(abs(given - value) <= 1e-9 * max(1, abs(value)) for given in numbers), (numbers, value)


def test_nesterov_is_taken_for_classical() -> None:
    """The gradient at θ instead of θ + μv, and a step along the velocity alone."""
    found = circuit("s nesterov")
    x, y = (found.floats[f"theta@1[{i}]"] for i in (1, 2))
    (g,) = (number(wrong, found.floats) for rule, wrong in found.wrong("g@2[1]") if rule == "O7")
    assert g == pytest.approx(2 * x + y)
    found = circuit("nesterov")
    w, buf = found.floats["W1@2[1,1]"], found.floats["buf.W1@2[1,1]"]
    (after,) = (number(wrong, found.floats) for rule, wrong in found.wrong("W1+@2[1,1]") if rule == "O7")
    assert after == pytest.approx(w - 0.37 * buf)


def test_every_rule_has_a_witness() -> None:
    assert sorted({rule for _, _, rule, _ in WITNESSES} | {"O7"}) == sorted(MINE)


def test_decay_that_makes_no_difference_is_no_mistake() -> None:
    """For gradient descent with momentum, decay through the gradient and beside the step are the same."""
    found = circuit("momentum")
    assert not [wrong for rule, wrong in found.wrong("W1+@2[1,1]") if rule == "O19"]
