"""`derive check`: what is told of formulas that were handed in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from derive.homework.assignment import Assignment
from derive.homework.checked import Checked, check
from derive.homework.equality import Counterexample, Equality
from derive.homework.marked import Found, Mark
from derive.homework.printed import FORMATS
from derive.language import Words, part

NUMBER = r"−?\d+(?:\.\d+)?"


@pytest.fixture(scope="module")
def mazur() -> Assignment:
    return Assignment.load("mazur")


def told(assignment: Assignment, step: str, formula: str, value: str | None = None, **wishes: Any) -> Checked:
    return check(assignment, {step: {"formula": formula} | ({"value": value} if value else {})}, **wishes)


def text(*given: Any, **wishes: Any) -> str:
    return re.sub(r"\s+", " ", told(*given, **wishes).print("text"))


def test_a_wrong_formula_with_a_right_number(mazur: Assignment):
    page = text(mazur, "dL/dw5", "(a2[1] - t1)*a1[1]", "0.0822")
    assert "you wrote 0.0822, and the formula (outₒ₁ − targetₒ₁)·outₕ₁" in page
    assert "The number is right; the formula is not." in page
    assert "units of its last place" not in page and "By your own earlier numbers" not in page
    assert "[B1]" in page and "The factor ∂outₒ₁/∂netₒ₁ is missing." in page
    assert "∂Eₜₒₜₐₗ/∂w₅ = " not in page  # the right formula


def test_the_right_formula_is_shown_with_the_solution_alone(mazur: Assignment):
    for reveal in ("first", "steps", "all"):
        page = text(mazur, "dL/dw5", "(a2[1] - t1)*a1[1]", "0.4398", reveal=reveal)
        assert ("The right formula ∂Eₜₒₜₐₗ/∂w₅ = ∂Eₜₒₜₐₗ/∂netₒ₁·outₕ₁" in page) == (reveal == "all")
        assert ("∂Eₜₒₜₐₗ/∂w₅ = " in page) == (reveal == "all")
        assert page.count("[B1]") == 1 and "[B7]" not in page  # the formula says which mistake it was


def test_a_counterexample_can_be_worked_by_hand(mazur: Assignment):
    page = text(mazur, "z1[1]", "w1*x1 + w2*x2")
    found = re.search(
        rf"where w₁ = ({NUMBER}), i₁ = ({NUMBER}), w₂ = ({NUMBER}), i₂ = ({NUMBER}), "
        rf"your formula gives ({NUMBER}); it should be ({NUMBER})",
        page,
    )
    assert found is not None
    w1, x1, w2, x2, gives, due = (float(number.replace("−", "-")) for number in found.groups())
    assert w1 * x1 + w2 * x2 == pytest.approx(gives, rel=2e-3)
    assert abs(due - gives) > 1e-3 * abs(gives)
    assert "= 0.15·0.05 + 0.20·0.10 = 0.0275" in page and "The term b₁ is missing." in page


@pytest.mark.parametrize(
    ("step", "formula", "sentence"),
    [
        ("z1[2]", "w3*x1 - w4*x2 + b1", "The term w₄·i₂ has the wrong sign."),
        ("z1[2]", "w3*x1 + w4*x2 + b1 + x1", "The term i₁ is one too many."),
        ("w5+", "w5 + 0.5*dL/dw5", "[O1]"),
        ("dL/dw5", "dL/dz2[1]*a1[1]*w5", "The factor w₅ is one too many."),
        ("w5+", "2*(w5 - 0.5*dL/dw5)", "The formula is 2 times the right one."),
        ("a2[1]", "-sigmoid(z2[1])", "the opposite sign"),
        ("a1[1]", "a1[1]", "only what comes before it, not outₕ₁"),
        ("dL/dz2[1]", "L*z2[1]", "No common mistake leads to this formula"),
        ("a2[1]", "0.7514", "gives, for example, 0.7514 where it should be"),
    ],
)
def test_what_is_wrong_is_said(mazur: Assignment, step: str, formula: str, sentence: str):
    found = told(mazur, step, formula)
    assert found.first_error == mazur.circuit.find(step)[0]  # type: ignore[index]
    assert sentence in re.sub(r"\s+", " ", found.print("text"))


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("w1*x1 + w2*x2 + b1", "exactly as derived here"),
        ("b1 + x2*w2 + w1*x1", "only the order is another"),
        ("w1*x1 + (2*w2*x2 + 2*b1)/2", "the same in another form"),
    ],
)
def test_how_right_it_is(mazur: Assignment, formula: str, sentence: str):
    assert sentence in text(mazur, "z1[1]", formula)


def test_right_on_the_network_alone(mazur: Assignment):
    assert "is right for this network" in text(mazur, "dL/dw5", "(a2[1] - t1)*a2[1]*(1 - a2[1])*a1[1]")


def test_undecided_is_for_a_person(mazur: Assignment):
    found = told(mazur, "z1[1]", "log(0 - x1^2)")
    assert found.marks[0].formula_verdict == "undecided" and found.first_error is None
    assert "could not be decided; a person will look at it" in re.sub(r"\s+", " ", found.print("text"))


def test_another_form_than_asked_for():
    net = {"inputs": [1, 2], "targets": [1], "loss": "mse", "check": {"form": "same_form"}}
    net["layers"] = [{"linear": {"out": 1, "weight": [[0.5, 0.25]], "bias": 0.1}}, "sigmoid"]
    page = text(Assignment.load(net), "z1[1]", "(2*W1[1,1]*x[1] + 2*W1[1,2]*x[2] + 2*b1)/2")
    assert "right, but not in the form asked for" in page


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_takes_it(mazur: Assignment, format: str, lang: str):
    for formula in ("(a2[1] - t1)*a1[1]", "dL/dw5", "a2[1]*a1[1]"):
        assert told(mazur, "dL/dw5", formula, "0.4398", reveal="all", lang=lang).print(format)


def test_json_says_how_it_differs(mazur: Assignment):
    def step(reveal: str) -> dict[str, Any]:
        printed = told(mazur, "dL/dw5", "(a2[1] - t1)*a1[1]", "0.0822", reveal=reveal).print("json")
        return dict(json.loads(printed)["steps"][0])

    first, everything = step("first"), step("all")
    assert (first["value_verdict"], first["formula_verdict"]) == ("correct", "error")
    assert first["formula_level"] == "not_equal" and first["diagnosis"] == ["B1"]
    assert [hint["kind"] for hint in first["hints"]] == ["missing_factor"]
    assert set(first["counterexample"]["at"]) == {"a2[1]", "a1[1]", "t[1]"}
    assert set(everything["counterexample"]["at"]) - set(first["counterexample"]["at"]) == {"dL/dz2[1]"}


#: (step, formula, value or None) of everything there is to say of formulas.
ALL = [
    ("z1[1]", "w1*x1 + w2*x2 + b1", None),
    ("z1[1]", "b1 + x2*w2 + w1*x1", None),
    ("z1[1]", "w1*x1 + (2*w2*x2 + 2*b1)/2", None),
    ("z1[1]", "log(0 - x1^2)", None),
    ("z1[1]", "w1*x1 + w2*x2 + b1", "0.912"),
    ("z1[1]", "-(w1*x1 + w2*x2 + b1)", "0.3775"),
    ("a1[1]", "-sigmoid(z1[1])", None),
    ("z1[2]", "w3*x1 - w4*x2 + b1", None),
    ("z1[2]", "w3*x1 + w4*x2 + b1 + x1", None),
    ("z1[2]", "w3*x1 + w4*x2", None),
    ("dL/dw5", "(a2[1] - t1)*a2[1]*(1 - a2[1])*a1[1]", None),
    ("dL/dw5", "dL/dz2[1]*a1[1]*w5", None),
    ("dL/dw5", "dL/dz2[1]", None),
    ("dL/dw5", "-dL/dz2[1]*a1[2]*w6^3", None),
    ("w5+", "2*(w5 - 0.5*dL/dw5)", None),
    ("a1[1]", "a1[1]", None),
    ("a2[1]", "0.7514", None),
]


def test_every_sentence_about_formulas_is_reached(mazur: Assignment, monkeypatch: pytest.MonkeyPatch):
    from test_check import OF_FORMULAS, load

    used: set[str] = set()
    template = Words.template

    def recorded(self: Words, key: Any) -> str:
        used.add(key)
        return template(self, key)

    monkeypatch.setattr(Words, "template", recorded)
    for given in ALL:
        told(mazur, *given, reveal="steps").print("text")
    told(mazur, *ALL[6], reveal="all").print("text")
    follows = {"z1[1]": {"formula": "w1*x1"}, "a1[1]": {"formula": "1/(1 + exp(-w1*x1))"}}
    check(mazur, follows, reveal="steps").print("text")
    told(load(check={"form": "identical"}), "z1[1]", "b1 + v*x[2] + u*x[1]").print("text")
    alike = Mark("a1[1]", "", "error", 0, formula=mazur.circuit.entries["z1[1]"].name, formula_verdict="error")
    found = Equality("not_equal", Counterexample({"z1[1]": 1.0}, 2.0, 1.0))
    mark = replace(alike, equality=found, formula_found=(Found("F4", None, "a1[1]"), Found("F1", None, "z1[1]")))
    marked = replace(told(mazur, *ALL[0]).marked, marks=(mark,), first_error="a1[1]")
    Checked(mazur, marked).print("text")
    assert {key for key in part("en_check") if OF_FORMULAS.match(key)} - used == set()
