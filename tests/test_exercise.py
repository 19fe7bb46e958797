"""What can be marked beside a network: an author's own steps, sheets of formulas, studies of optimizers and averages."""

from __future__ import annotations

import math
from typing import Any

import pytest

from derive.errors import InputError
from derive.homework.assignment import Assignment
from derive.homework.marked import Mark
from derive.homework.submission import Answer, Submission

NET: dict[str, Any] = {
    "inputs": [0.05, 0.10],
    "targets": [0.01, 0.99],
    "layers": [
        {"linear": {"out": 2, "weight": [[0.15, 0.2], [0.25, 0.3]], "bias": 0.35}},
        "sigmoid",
        {"linear": {"out": 2, "weight": [[0.4, 0.45], [0.5, 0.55]], "bias": 0.6}},
        "sigmoid",
    ],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.5}},
}
SHEET = {"given": {"x": 2, "w": 0.5, "b": 0.1}, "steps": {"z": "w*x + b", "a": "tanh(z)", "slope": "1 - a^2"}}


def with_steps(**steps: str) -> Assignment:
    return Assignment.load({**NET, "check": {"steps": steps}})


def marks(assignment: Assignment, **answers: str) -> dict[str, Mark]:
    given = tuple(Answer(step.replace("__", "+"), value) for step, value in answers.items())
    return {mark.key: mark for mark in assignment.mark(Submission(answers=given)).marks}


def test_a_step_has_the_value_of_its_formula():
    own = with_steps(e1="exp(-z1[1])", part="dL/dz2[2]*W2[2,1]").circuit
    plain = Assignment.load(NET).circuit
    assert own.floats["e1"] == pytest.approx(math.exp(-0.3775), rel=1e-15)
    assert own.floats["part"] == plain.floats["dL/dz2[2]"] * plain.floats["W2[2,1]"]
    assert {key: own.floats[key] for key in plain.entries} == plain.floats


def test_what_contains_a_step_is_computed_from_it():
    circuit = with_steps(e1="exp(-z1[1])", part="W2[2,1]*dL/dz2[2]", one="1/(1 + exp(-z1[2]))").circuit
    assert "e1" in circuit.entries["a1[1]"].parents and "z1[1]" not in circuit.entries["a1[1]"].parents
    assert "part" in circuit.entries["dL/da1[1]"].parents
    assert circuit.entries["a1[2]"].parents == ("z1[2]",)  # the whole of a formula is no term of it
    found = circuit.chain({"e1": 0.7})
    assert found["a1[1]"] == pytest.approx(1 / 1.7)


def test_a_wrong_term_is_followed_through():
    found = marks(with_steps(part="dL/dz2[2]*W2[2,1]"), part="-0.1905", **{"dL/da1[1]": "-0.1351"})
    assert found["part"].verdict == "power_of_ten"
    assert found["dL/da1[1]"].verdict == "follow_through"


def test_steps_may_use_those_before_them_and_numbers_alone():
    circuit = with_steps(first="z1[1]^2", second="first + a1[1]", number="0.25").circuit
    assert list(circuit.entries).index("first") < list(circuit.entries).index("second")
    assert circuit.floats["number"] == 0.25


@pytest.mark.parametrize(
    "steps, problem",
    [
        ({"L": "z1[1]"}, "'L' is the name of another step already"),
        ({"s": "z9 + 1"}, "there is no 'z9"),
        ({"s": "z1[1] +"}, "'+' has nothing after it"),
        ({"s": "1/2z1[1]"}, "can be read in two ways"),
    ],
)
def test_what_is_wrong_with_a_step_is_said_at_its_place(steps: dict[str, str], problem: str):
    with pytest.raises(InputError) as error:
        with_steps(**steps)
    assert problem in str(error.value) and "check.steps" in str(error.value) and "\n" not in str(error.value)


def test_a_sheet_is_marked_as_a_network_is():
    sheet = Assignment.load(SHEET)
    assert sheet.circuit.floats["slope"] == pytest.approx(1 - math.tanh(1.1) ** 2)
    found = marks(sheet, z="1.1", a="0.8050", slope="0.3520")
    assert [found[key].verdict for key in ("z", "a", "slope")] == ["correct", "error", "follow_through"]


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"steps": {}}, "expected"),
        ({"layer": []}, "unknown key 'layer'"),
        ({"given": {"x": "much"}}, "expected a number"),
        ({"steps": {"z": "w*x + c"}}, "there is no 'c' here"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said(change: dict[str, Any], problem: str):
    with pytest.raises(InputError, match=problem):
        Assignment.load({**SHEET, **change})


def test_an_optimizer_and_an_average_are_exercises():
    adam = Assignment.load({"optimizer": "adam", "gradients": [0.1, 0.2], "check": {"significant": 4}})
    found = marks(adam, **{"m@1": "0.01", "v@1": "0.00001", "mhat@1": "0.1", "m@2": "0.029", "mhat@2": "0.1526"})
    assert {mark.verdict for mark in found.values()} == {"correct"}
    average = Assignment.load(
        {"beta": 0.9, "start": "zero", "values": [1, 2, 3], "check": {"steps": {"last": "0.9*s@2 + 0.1*x@3"}}}
    )
    found = marks(average, **{"s@1": "0.1", "s@2": "0.29", "last": "0.5610"})
    assert {mark.verdict for mark in found.values()} <= {"correct", "over_precise"}
