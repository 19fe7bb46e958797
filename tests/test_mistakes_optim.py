"""Mistakes in optimizers, averages and schedules: each is located, recognised, hidden or not, and never seen in right work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.marked import WRONG, Mark
from derive.homework.marking import Marker
from derive.homework.mistakes import mistakes
from derive.homework.policy import Policy
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
        "optimizer": {optimizer: {"lr": 0.3, **options}},
        "steps": steps,
    }
    return net if schedule is None else {**net, "schedule": schedule}


BETAS = {"betas": [0.8, 0.95]}
NETS: dict[str, Any] = {
    "sgd": neuron("sgd"),
    "momentum": neuron("sgd", momentum=0.6, weight_decay=0.2),
    "dampened": neuron("sgd", momentum=0.6, dampening=0.3),
    "nesterov": neuron("sgd", momentum=0.6, nesterov=True),
    "upwards": neuron("sgd", momentum=0.6, maximize=True),
    "heavy": neuron("momentum", momentum=0.6),
    "ema form": neuron("momentum", momentum=0.6, form="ema", weight_decay=0.2),
    "classical": neuron("momentum", momentum=0.6, form="classical"),
    "adagrad": neuron("adagrad", lr_decay=0.2, eps=0.05),
    "rmsprop": neuron("rmsprop", alpha=0.8, eps=0.05, weight_decay=0.2),
    "centered": neuron("rmsprop", alpha=0.8, eps=0.05, centered=True, momentum=0.6),
    "adadelta": neuron("adadelta", rho=0.8, eps=0.05),
    "adam": neuron("adam", 3, eps=0.05, weight_decay=0.2, **BETAS),
    "adam inside": neuron("adam", eps=0.05, eps_form="inside", **BETAS),
    "adam hat": neuron("adam", eps=0.05, eps_form="hat", **BETAS),
    "adamw": neuron("adamw", eps=0.05, weight_decay=0.2, amsgrad=True, **BETAS),
    "adamax": neuron("adamax", eps=0.05, weight_decay=0.2, **BETAS),
    "nadam": neuron("nadam", eps=0.05, weight_decay=0.2, decoupled_weight_decay=True, **BETAS),
    "radam": neuron("radam", 7, eps=0.05, weight_decay=0.2, betas=[0.8, 0.95]),
    "rprop": neuron("rprop"),
    "asgd": neuron("asgd", lambd=0.1),
    "batch norm": "batch_norm",
    "stairs": neuron("sgd", 4, {"step_lr": {"step_size": 2, "gamma": 0.7}}),
    "milestones": neuron("sgd", 3, {"multi_step_lr": {"milestones": [1, 2], "gamma": 0.7}}),
    "falling": neuron("sgd", 3, {"exponential_lr": {"gamma": 0.7}}),
    "cosine": neuron("sgd", 3, {"cosine_annealing": {"t_max": 5, "eta_min": 0.07}}),
    "restarts": neuron("sgd", 4, {"cosine_annealing_warm_restarts": {"t_0": 3, "t_mult": 2}}),
    "linear": neuron("sgd", 3, {"linear_lr": {"start_factor": 0.25, "total_iters": 4}}),
    "warm": neuron("sgd", 3, {"warm_up": {"steps": 3}}),
    "noam": neuron("sgd", 3, {"noam": {"warmup_steps": 2}}),
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
BOWL = {"function": "x^2 + 3*y^2 + x*y", "start": {"x": 1.3, "y": -0.7}, "steps": 3}
STUDIES: dict[str, tuple[str, dict[str, Any]]] = {
    "study sgd": ("optimizer", {"optimizer": {"sgd": {"lr": 0.05, "momentum": 0.6}}, **BOWL}),
    "study nesterov": ("optimizer", {"optimizer": {"nesterov": {"lr": 0.05, "momentum": 0.6}}, **BOWL}),
    "study adam": ("optimizer", {"optimizer": {"adam": {"lr": 0.1, "eps": 0.05, **BETAS}}, **BOWL}),
    "study adamw": ("optimizer", {"optimizer": {"adamw": {"lr": 0.1, "weight_decay": 0.3, **BETAS}}, **BOWL}),
    "study list": ("optimizer", {"optimizer": {"rmsprop": {"lr": 0.1, "alpha": 0.7}}, "gradients": [1.3, -2.1, 0.7]}),
    "average": ("ema", {"beta": 0.8, "values": [3.1, 5.2, 4.7]}),
    "average from 0": ("ema", {"beta": 0.8, "values": [3.1, 5.2, 4.7], "start": "zero"}),
    "average corrected": ("ema", {"beta": 0.8, "values": [3.1, 5.2, 4.7], "correct": True}),
}
ALL = [*NETS, *STUDIES]


@cache
def circuit(name: str) -> Circuit:
    return circuit_of(NETS[name]) if name in NETS else circuit_of_study(*STUDIES[name])


@cache
def marker(name: str) -> Marker:
    return Marker(circuit(name), Policy(), read)


def chosen(name: str) -> Iterator[tuple[str, str, Formula]]:
    """(key, rule, formula): each formula of each rule at the first entry of each quantity."""
    found = circuit(name)
    for key, entry in found.entries.items():
        if entry.row == entry.column == 0:
            yield from ((key, rule, wrong) for rule, wrong in found.wrong(key) if rule in MINE)


def visible(mark: Mark) -> bool:
    """Whether the number that was written is not the right one, as far as rounding lets one see."""
    assert mark.read is not None and mark.exact is not None
    return abs(float(mark.read.value) - mark.exact) > 2 * mark.rad + 2 * float(mark.read.ulp)


def handed(name: str, wrong: tuple[str, str, Formula], carries: str, *, hidden: bool) -> dict[str, Mark] | None:
    """The marks of a student who makes one mistake; None where it gives no number."""
    try:
        made = work(circuit(name), Hand(), carries=carries, wrong=wrong).submission
    except ValueError:
        return None
    if hidden:
        made = replace(made, answers=tuple(answer for answer in made.answers if answer.step != wrong[0]))
    return {mark.key: mark for mark in marker(name).mark(made).marks}


# each rule --------------------------------------------------------------------------------------------------------------
def test_the_whole_list_is_there() -> None:
    assert sorted(MINE) == sorted(LISTED)


@pytest.mark.parametrize("rule", LISTED)
@pytest.mark.skip
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
        if first is None:
            assert not any(map(visible, marks.values())), (key, rule)
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
    marks = marker(name).mark(work(circuit(name), Hand(), carries=carries).submission).marks
    assert [(mark.key, mark.found) for mark in marks if mark.found or mark.verdict in WRONG] == []


@pytest.mark.parametrize("name", ALL)
def test_wrong_formulas_are_few_and_not_the_right_ones(name: str) -> None:
    found = circuit(name)
    for key, entry in found.entries.items():
        mine = [wrong for rule, wrong in found.wrong(key) if rule in MINE]
        assert entry.formula not in mine
        assert len(mine) <= 30, key
