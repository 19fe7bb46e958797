"""Mistakes in optimizers, averages and schedules: each is located, recognised, hidden or not, and never seen in right work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import ceil, cos, floor, pi, radians, sqrt
from typing import Any

import pytest

from derive.formula import Formula
from derive.homework.circuit import Circuit, number
from derive.homework.marked import WRONG, Mark
from derive.homework.marking import Marker
from derive.homework.mistakes import mistakes
from derive.homework.policy import Policy
from derive.homework.submission import Submission
from derive.homework.written import Written
from derive.language import LANGUAGES, table
from derive.lessons import topics
from tests.students import Hand, circuit_of, circuit_of_study, work

MINE = [m.id for m in mistakes if m.id[0] in "OEC"]
LISTED = [*(f"O{i}" for i in range(1, 22)), "E1", "E2", *(f"C{i}" for i in range(1, 7))]


def read(text: str, comma: bool = False) -> Written:
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
    "adam": neuron("adam", eps=0.05, **DECAY, **BETAS),
    "adam hat": neuron("adam", eps=0.05, eps_form="hat", **BETAS),
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
    "s radam": study("radam", 6, eps=0.05, **DECAY, **BETAS),
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
    return Marker(circuit(name), Policy(), read)


def chosen(name: str) -> list[tuple[str, str, Formula]]:
    """(key, rule, formula): of each rule for each kind of entry, at the last one it applies to in the first row."""
    found: dict[tuple[str, str], list[tuple[str, str, Formula]]] = {}
    for key, entry in circuit(name).entries.items():
        if entry.row == entry.column == 0 and entry.kind not in ("b+", "gamma+", "beta+"):
            mine = [(key, rule, wrong) for rule, wrong in circuit(name).wrong(key) if rule in MINE]
            if not entry.node.id.partition("@")[0].endswith(".b1"):
                found |= {(rule, entry.kind): [m for m in mine if m[1] == rule] for _, rule, _ in mine}
    return [injected for several in found.values() for injected in several]


@cache
def asked(name: str) -> frozenset[str]:
    """What is handed in: the updates with all that leads to them from the gradients, and where the next step begins."""
    entries = circuit(name).entries.values()
    roles = ("state", "updated", "running", "hyper", "gradient")
    return frozenset(e.key for e in entries if e.kind == "z" or (e.node.role in roles and e.kind != "dL/dz"))


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


@pytest.mark.parametrize("carries", ["keep", "round"])
@pytest.mark.parametrize("name", ALL)
def test_mistakes_are_located_and_recognised(name: str, carries: str) -> None:
    for key, rule, wrong in chosen(name):
        marks = handed(name, (key, rule, wrong), carries, hidden=False)
        if marks is None or not visible(marks[key]):
            continue
        first = next((mark.key for mark in marks.values() if mark.verdict in WRONG), None)
        assert first == key, (rule, wrong)
        assert rule in {found.rule for found in marks[key].found}, (key, rule, wrong)
        SEEN["written"].add(rule)


@pytest.mark.parametrize("name", ALL)
def test_mistakes_are_recognised_in_unwritten_steps(name: str) -> None:
    for key, rule, wrong in chosen(name):
        marks = handed(name, (key, rule, wrong), "keep", hidden=True) or {}
        first = next((mark for mark in marks.values() if mark.verdict in WRONG), None)
        if first is None:  # nothing that follows shows it
            continue
        assert key in first.window, (key, rule, first.key)
        if visible(first):
            assert (rule, key) in {(found.rule, found.at) for found in first.found}, (key, rule, first.key)
            SEEN["hidden"].add(rule)


def test_every_mistake_was_seen() -> None:
    if SEEN["written"]:  # where the tests above ran in the same process
        assert sorted(set(LISTED) - SEEN["written"]) == []


@pytest.mark.parametrize("carries", ["keep", "round"])
@pytest.mark.parametrize("name", ALL)
def test_right_work_has_no_mistakes(name: str, carries: str) -> None:
    marks = marker(name).mark(work(circuit(name), Hand(), carries=carries, keys=asked(name)).submission).marks
    assert [(mark.key, mark.found) for mark in marks if mark.found or mark.verdict in WRONG] == []


@pytest.mark.parametrize("name", ALL)
def test_wrong_formulas_are_few_and_not_the_right_ones(name: str) -> None:
    found = circuit(name)
    for key, entry in found.entries.items():
        mine = [wrong for rule, wrong in found.wrong(key) if rule in MINE]
        assert entry.formula not in mine
        assert len(mine) <= 30, key
