"""Points for nothing: what may be tried on the marker without knowing an answer, and what right work must not lose by it.

Items 78 to 85 of the catalogue of attacks. Every one is marked as any other work is.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.homework.assignment import Assignment
from derive.homework.checked import Checked, check
from derive.homework.submission import Answer, Rounding, Submission
from derive.homework.written import Unreadable

SMALL: dict[str, Any] = {
    "inputs": [0.5],
    "targets": [0.2],
    "layers": [{"linear": {"out": 1, "weight": [[0.3]], "bias": 0.1}}],
    "loss": "mse",
    "optimizer": {"sgd": {"lr": 0.1}},
}


@cache
def mazur() -> Assignment:
    return Assignment.load("mazur")


def marked(answers: Any, net: Any = None, **head: Any) -> Checked:
    return check(mazur() if net is None else Assignment.load(net), {"answers": answers, **head})


def verdicts(found: Checked) -> dict[str, str]:
    return {mark.label: mark.verdict for mark in found.marks}


def formula(text: str) -> dict[str, str]:
    return {"formula": text}


def worked() -> list[str]:
    """The keys of everything that is asked for and is not 0."""
    circuit = mazur().circuit
    return [key for key, entry in circuit.entries.items() if not entry.given and circuit.floats[key]]


# numbers that say nothing ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("same", ["0", "0e5", "1e3", "0.1", "1", "1.00e300", "0.5", "1/2", "0.250"])
def test_the_same_answer_everywhere_earns_next_to_nothing(same: str):
    """But where it is the answer: what follows from wrong numbers may happen to be like them."""
    found = marked(dict.fromkeys(worked()[::2], same))
    right = [mark for mark in found.marks if mark.credit and mark.verdict != "follow_through"]
    assert all(abs(mark.exact - mark.read.number) < 0.5 * mark.read.unit for mark in right)
    assert found.earned <= 0.1 * found.most


@pytest.mark.parametrize("value", ["0", "0e5", "1e3", "1"])
@pytest.mark.parametrize("significant", [1, 2, 3, 6])
def test_a_huge_unit_holds_no_value(value: str, significant: int):
    """0e5 is within half its unit of everything."""
    for step in ("z1[1]", "L", "dL/dW1"):
        (mark,) = marked({step: value}, {**SMALL, "check": {"significant": significant}}).marks
        assert mark.credit == 0 or abs(mark.read.number - mark.exact) < 0.5 * mark.exact, (step, mark.verdict)


def test_decimals_that_are_asked_for_must_be_written():
    for decimals, value in ((0, "0e5"), (0, "1e3"), (2, "0e1"), (4, "0.1")):
        found = marked({"L": value}, {**SMALL, "check": {"decimals": decimals}})
        assert found.marks[0].verdict == "too_coarse"
    assert marked({"L": "0.0025"}, {**SMALL, "check": {"decimals": 4}}).right


@pytest.mark.parametrize(
    "given", [None, Rounding("sf", 1), Rounding("sf", 2), Rounding("dp", 0), Rounding("dp", 1), Rounding("dp", 2)]
)
@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 1.5])
def test_a_coarse_rounding_makes_no_wrong_number_right(given: Rounding | None, factor: float):
    """Whoever says that numbers were rounded to one digit has rounded too early."""
    circuit = mazur().circuit
    for key in worked()[::9]:
        wrong = Answer(key, f"{circuit.floats[key] * factor:.3g}")
        (mark,) = mazur().mark(Submission(answers=(wrong,), rounding=given)).marks
        assert mark.credit == 0, (key, mark)


def test_coarse_numbers_before_make_no_wrong_number_right():
    circuit, accepted = mazur().circuit, []
    keys = worked()
    for place, key in list(enumerate(keys))[::9]:
        before = [Answer(k, f"{circuit.floats[k]:.0e}") for k in keys[:place]]
        wrong = Answer(key, f"{circuit.floats[key] * 1.2:.3g}")
        marks = mazur().mark(Submission(answers=(*before, wrong))).marks
        accepted += [key for mark in marks if mark.key == key and mark.verdict in ("correct", "correct_rounding")]
    assert accepted == []


# the rest made trivial ------------------------------------------------------------------------------------------------
def test_what_is_given_earns_nothing():
    found = marked({"x": ["0.05", "0.10"], "w1": "0.15", "t[1]": formula("t1"), "z1[1]": "0.3775"})
    assert set(verdicts(found).values()) == {"correct"} and (found.earned, found.most) == (1, 1)
    paid = marked({"x[1]": "0.500"}, {**SMALL, "check": {"weights": {"x": 2}}})
    assert (paid.earned, paid.most) == (2, 2)


@pytest.mark.parametrize("carried", ["-50.0", "-1000", "1000", "40.0"])
def test_an_early_answer_that_makes_the_rest_trivial_earns_nothing(carried: str):
    """What follows is what the numbers of the task say by themselves, and nobody had to work it out."""
    values = mazur().circuit.chain({f"z1[{i}]": float(carried) for i in (1, 2)})
    rest = {key: f"{values[key]:.3g}" for key in worked() if key.startswith(("dL/dW1", "dL/dz1", "z2[", "a1["))}
    found = marked({"z1": [carried, carried], **rest})
    after = [mark for mark in found.marks if not mark.key.startswith("a1")]
    assert sum(mark.credit for mark in after) == 0 and "needs_review" in found.marked.flags


def test_a_coarse_answer_does_not_make_right_what_follows_from_it():
    found = marked({"x[1]": "0", "x[2]": "0e5", "z1": ["0.350", "0.350"], "a1[1]": "0.587"})
    assert verdicts(found)["z1[1]"] == "follow_through" and found.earned <= 1
    assert "needs_review" in found.marked.flags and not found.right


def test_weights_that_stay_as_they_are():
    """Units that are off have no gradients: weights are copied, and that is not worth its points."""
    weights = {"w5+": "0.400", "w6+": "0.450", "w7+": "0.500", "w8+": "0.550"}
    for carried in ("-50.0", "-1000"):
        found = marked({"z1": [carried, carried], **weights})
        assert found.earned == 0 and {mark.verdict for mark in found.marks[2:]} == {"follow_through"}


def test_formulas_that_make_the_rest_trivial():
    zeros = {"dL/dz2": {"formula": ["0", "x1 - x1"]}, "dL/dW2": {"formula": [["0", "0"], ["0", "0"]]}}
    found = marked({**zeros, "w5+": formula("w5")})
    assert found.earned == 0 and "needs_review" in found.marked.flags
    honest = marked({"dL/dz2[1]": formula("a2[1] - t1"), "dL/dw5": formula("(a2[1] - t1)*a1[1]")})
    assert [mark.verdict for mark in honest.marks] == ["error", "follow_through"] and honest.earned == 1


def test_at_most_half_follows_from_an_error():
    values = mazur().circuit.chain({"z1[1]": 0.7775})
    after = {key: f"{values[key]:.4g}" for key in worked()[2::3]}
    found = marked({"z1[1]": "0.7775", **after})
    assert found.follow_through <= 0.5 * found.most


# formulas -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "text", "verdict"),
    [
        ("dL/dw5", "dL/dw5", "error"),  # itself
        ("dL/dw5", "(w5 - w5+)/eta", "error"),  # what is computed from it
        ("dL/dw5", "dL/dw5 + 0*x1", "error"),
        ("z1[1]", "ln(a1[1]/(1 - a1[1]))", "error"),
        ("L", "L", "error"),
        ("z1[1]", "0.3775", "error"),  # at the given data alone
        ("z1[1]", "7.55*x1", "error"),
        ("dL/dw5", "0.08216704056423078", "error"),
        ("z1[1]", "w1*x1 + w2*x2 + b1 + 1e-30", "error"),  # in floats alone
        ("z1[1]", "(w1*x1 + w2*x2 + b1)*(1 + 1e-16)", "error"),
        ("z1[1]", "w1*x1 + w2*x2 + b1 + (x1 - 0.05)", "error"),  # on a null set alone
        ("z1[1]", "w1*x1 + w2*x2 + b1 + (x2 - 2*x1)^2", "error"),
        ("z1[1]", "sqrt((w1*x1 + w2*x2 + b1)^2)", "error"),
        ("z1[1]", "abs(w1*x1 + w2*x2 + b1)", "error"),
        ("z1[1]", "(w1*x1 + w2*x2 + b1)*x1/x1", "correct"),
        ("z1[1]", "w1*x1 + w2*x2 + b1 + 0*t1", "correct"),
        ("a1[1]", "1/(1 + e^(-z1[1]))", "correct"),
        ("dL/dz2[1]", "(a2[1] - t1)*a2[1]*(1 - a2[1])", "correct"),
        ("dL/dw5", "(w5 - w5)/(w5 - w5)", "unreadable undecided error"),
    ],
)
def test_formulas_of_dishonest_intent(step: str, text: str, verdict: str):
    (mark,) = marked({step: formula(text)}).marks
    assert mark.verdict in verdict.split() and mark.credit == (mark.verdict == "correct")


@pytest.mark.parametrize("bump", ["step(x1 - 1.9995)", "max(0, x1 - 1.999)", "step(abs(x1) - 1.9)*step(abs(x2) - 1.9)"])
def test_a_formula_that_bends_where_few_points_are_is_not_called_right(bump: str):
    (mark,) = marked({"z1[1]": formula(f"w1*x1 + w2*x2 + b1 + {bump}")}).marks
    assert mark.verdict in ("undecided", "error") and mark.credit == 0


def test_a_declared_convention_pays_only_what_is_right():
    loss = {"conventions": {"loss": "half_mse"}}
    for text in ("sqrt(t1 - t1 - 1)", "step(x1 - 1.9995)*dL/da2[1]"):
        found = marked({"dL/dz2[1]": formula(text)}, **loss)
        assert found.marks[0].credit == 0 and found.marks[0].verdict != "other_convention"
    (half,) = marked({"dL/dw5": "0.041"}, conventions={"loss": "mse"}).marks
    assert half.credit <= 0.9


@pytest.mark.parametrize(
    "text", ["0.08 or -0.08", "±0.0822", "0.0822, -0.0822", "[0.0822, 0.0411]", "0.08±0.1", "0.08..0.09"]
)
def test_one_answer_is_given(text: str):
    (mark,) = marked({"dL/dw5": text}).marks
    assert (mark.verdict, mark.credit) == ("unreadable", 0)


def test_no_step_is_answered_twice_under_two_names():
    from derive.errors import InputError

    with pytest.raises(InputError, match="answered twice"):
        marked({"dL/dw5": "0.0822", "dL/dW2[1,1]": "-0.0822"})


# anything at all ------------------------------------------------------------------------------------------------------
NUMBERS = st.one_of(
    st.floats(-2, 2, allow_nan=False).map(lambda x: f"{x:.3g}"),
    st.sampled_from(
        ["0", "1", "-1", "0e5", "1e3", "0.0", "1e-30", "1/3", "sqrt(2)", "1e300", "-1.00e300", "nan", "x", ""]
    ),
)


@settings(max_examples=20)
@given(
    st.dictionaries(st.sampled_from([*mazur().circuit.entries]), NUMBERS, min_size=1, max_size=5),
    st.sampled_from([None, Rounding("sf", 1), Rounding("dp", 0)]),
)
def test_whatever_is_handed_in_is_marked(answers: dict[str, str], rounding: Rounding | None):
    """Points are between nothing and all of them, and the same when marked again."""
    work = Submission(answers=tuple(Answer(step, value) for step, value in answers.items()), rounding=rounding)
    found = mazur().mark(work)
    assert 0 <= found.earned <= found.most and math.isfinite(found.earned)
    assert [(m.key, m.verdict, m.credit) for m in mazur().mark(work).marks] == [
        (m.key, m.verdict, m.credit) for m in found.marks
    ]
    for mark in found.marks:
        assert (
            mark.verdict != "correct" or mark.read.closed or abs(mark.read.number - mark.exact) <= 0.51 * mark.read.unit
        )


def test_unreadable_is_the_only_error_of_a_formula():
    from derive.homework.symbols import parse_formula

    for text in ("", "(", "1/2x1", "q", "x1(", ")", "x1,x2", "max()", "9^9^9^9"):
        with pytest.raises(Unreadable):
            parse_formula(text, mazur().circuit.names)


@pytest.mark.parametrize("value", ["1e308", "-1e300", "1.00e300", "1e-308", "1/3", "1e30", "0e308", "0e-308"])
def test_the_largest_and_the_smallest_numbers_are_marked(value: str):
    found = marked(dict.fromkeys(worked()[::7], value))
    assert found.earned <= 1 and math.isfinite(found.most)


@pytest.mark.parametrize("reveal", ["none", "first", "steps", "all"])
@pytest.mark.parametrize(
    ("net", "answers"),
    [
        ("softmax_classifier", {"W1+[1,2]": "-0.1", "dL/dW1[3,2]": "1e300", "L+": "1e3", "z1+[1]": "3/7"}),
        ("softmax_classifier", {"a1[1]": "-1.00", "L": "0.512"}),
        ("xor", {"z1[1,1]": "1.00e300", "z2[1,1]": "9.99e299", "L": "0.512"}),
    ],
)
def test_numbers_that_lead_to_no_number_are_told_of(net: str, answers: dict[str, str], reveal: str):
    """A logarithm of −1, a sum beyond all floats: the step after it has nothing it should have been."""
    found = check(net, answers, reveal=reveal)
    assert all(found.print(format) for format in ("text", "json", "html"))
    assert all(mark.own is None or math.isfinite(mark.own) for mark in found.marks)
