"""`derive check`: what is told of marked work, in every format, and what is kept back."""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import students
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.cli import main
from derive.errors import InputError
from derive.homework.assignment import Assignment
from derive.homework.checked import Checked, check
from derive.homework.marked import VERDICTS, WRONG, Found
from derive.homework.mistakes import mistakes
from derive.homework.own import Own, numeral
from derive.homework.printed import FORMATS
from derive.homework.reading import read_number
from derive.homework.report import REVEAL, SIGNS
from derive.homework.submission import Answer, Submission
from derive.language import Words, part, table
from derive.printers.terminal import Terminal, columns, folded

#: dL/dw5 lacks the factor out(1 − out); what follows from it is worked correctly.
WORK = {
    "z1[1]": "0.3775",
    "a1[1]": "0.5933",
    "a2[1]": "0.7514",
    "dL/dw5": "0.4398",
    "w5+": "0.1801",
}


@pytest.fixture(scope="module")
def mazur() -> Assignment:
    return Assignment.load("mazur")


def checked(assignment: Assignment, answers: Any = WORK, **wishes: Any) -> Checked:
    return check(assignment, answers, **wishes)


def of(assignment: Assignment, *, working: str = "", name: str = "", **answers: str) -> Submission:
    return Submission("s1", name, tuple(Answer(step, value) for step, value in answers.items()), working=working)


# the result -----------------------------------------------------------------------------------------------------------
def test_the_first_error_and_what_follows(mazur: Assignment):
    found = checked(mazur)
    assert found.first_error == "dL/dW2[1,1]"
    assert [mark.verdict for mark in found.marks] == ["correct", "correct", "correct", "error", "follow_through"]
    assert (found.earned, found.follow_through, found.most) == (4, 1, 5)
    assert found["w5+"].verdict == "follow_through"
    assert not found.right
    with pytest.raises(KeyError, match="no answer to"):
        found["w6+"]


def test_check_is_a_function_of_the_package(tmp_path: Path):
    file = tmp_path / "answers.yaml"
    file.write_text("student: s7\nanswers: {dL/dw5: 0.4398}\n")
    found = derive.check("mazur", file)
    assert found.first_error == "dL/dW2[1,1]"
    assert found.marked.submission.student == "s7"
    assert derive.check("mazur", {"z1": ["0.3775", 0.3925]}).right


def test_a_mapping_of_answers():
    given = {"z1": [0.3775, "0.39250"], "a1[1]": Fraction(3, 5), "a1[2]": None, "L": {"value": "0.298"}}
    found = derive.check("mazur", given)
    assert [mark.raw for mark in found.marks] == ["0.3775", "0.39250", "3/5", "", "0.298"]
    assert derive.check("mazur", {"student": "s1", "answers": {"L": "0.298"}}).marked.submission.student == "s1"
    with pytest.raises(InputError, match="complex is no answer"):
        derive.check("mazur", {"L": 1j})


# assignments ----------------------------------------------------------------------------------------------------------
NET: dict[str, Any] = {
    "id": "one",
    "inputs": [1, 2],
    "targets": [1],
    "layers": [{"linear": {"out": 1, "weight": [[0.5, 0.25]], "bias": 0.1}}, "sigmoid"],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.1}},
    "labels": {"W1": [["u", "v"]]},
}


def load(**more: Any) -> Assignment:
    return Assignment.load({**NET, **more})


@pytest.mark.parametrize(("bias", "written", "noted"), [(1.4, "2.4", 0), (9, "5", 0), (9, "5.1", 1), (-9, "-6", 1)])
def test_what_hardtanh_can_be_is_what_its_options_say(bias: float, written: str, noted: int) -> None:
    linear = {"out": 1, "weight": [[0.5, 0.25]], "bias": bias}
    assignment = load(layers=[{"linear": linear}, {"hardtanh": {"min_val": -5, "max_val": 5}}])
    (mark,) = check(assignment, {"a1": written}).marks
    assert mark.notes.count("out_of_range") == noted


def test_a_value_cut_at_a_bound_is_rounded_as_any_other() -> None:
    layers = [{"linear": {"out": 1, "weight": [[0.5, 0.25]], "bias": 9}}, {"hardtanh": {"max_val": 1.26}}]
    (mark,) = check(load(layers=layers), {"a1": "1.3"}).marks
    assert "out_of_range" not in mark.notes


def test_the_file_says_how_strictly():
    weights = {"dL/dW1": 2, "dL/du": 5, "z1": 0}
    assignment = load(check={"decimals": 4, "credit": {"last_digit": 0.5}, "weights": weights})
    assert assignment.policy.precision.decimals == 4
    assert assignment.policy.weights == {"dL/dW1[1,1]": 5, "dL/dW1[1,2]": 2, "z1[1]": 0}
    found = check(assignment, {"dL/du": "0.1", "dL/dv": "0.1", "z1": "1.1000"})
    assert {mark.key: mark.weight for mark in found.marks} == assignment.policy.weights
    assert "4 digits after the point" in found.print("text")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"weights": {"dL/dW9": 2}}, "there is no step 'dL/dW9'. Did you mean 'dL/dW1'"),
        ({"weight": {"z1": 2}}, "unknown key 'weight'. Did you mean 'weights'"),
        ({"credit": {"wrong": 1}}, "unknown verdict 'wrong'"),
        ({"significant": 0}, "significant"),
    ],
)
def test_a_faulty_check_is_refused_at_its_place(given: Any, problem: str):
    with pytest.raises(InputError) as refused:
        load(check=given)
    assert problem in str(refused.value)
    assert "check" in refused.value.path and refused.value.line


def test_a_network_without_numbers_is_refused():
    layers = [{"linear": {"out": 1}}, "sigmoid"]
    with pytest.raises(InputError, match="where all numbers are given"):
        load(inputs=[1, 2], layers=layers)


def test_answers_to_another_assignment_are_refused():
    with pytest.raises(InputError, match="'other', not to 'one'"):
        check(load(), Submission(assignment="other", source="a.yaml"))


def test_another_convention_is_named():
    work = {"L": "0.1226", "dL/da1": "-0.4951", "dL/dz1": "-0.1238"}
    found = check(load(layers=[{"linear": {"out": 1, "weight": [[0, 0]], "bias": 0.0194}}, "sigmoid"]), work)
    halved = check(
        load(
            loss={"mse": {"reduction": "sum"}},
            layers=[{"linear": {"out": 1, "weight": [[0, 0]], "bias": 0.0194}}, "sigmoid"],
        ),
        work,
    )
    assert found.marked.convention == "" and found.right
    assert halved.marked.convention == "half_sse" and halved.right
    assert "the sum of the squared errors, with ½ [half_sse]" in " ".join(halved.print("text").split())
    assert halved.print("json").count('"other_convention"') == 3


@pytest.mark.parametrize("loss", ["half_squared_error", "mse", "bce", "bce_with_logits", "cross_entropy", "nll"])
def test_every_other_convention_is_said_in_words(loss: str):
    layers = [{"linear": {"out": 2, "weight": [[0.4], [0.1]], "bias": False}}]
    layers += ["softmax"] if loss == "cross_entropy" else ["log_softmax"] if loss == "nll" else ["sigmoid"]
    for optimizer in ({"momentum": {"lr": 0.1}}, {"adam": {"lr": 0.1}}):
        net = {
            "inputs": [[1], [2]],
            "targets": [[1, 0], [0, 1]],
            "layers": layers,
            "loss": loss,
            "optimizer": optimizer,
        }
        assignment = Assignment.load(net)
        found = check(assignment, {"L": "0.5"})
        assert len(assignment.marker.alternatives) > 1
        for other in assignment.marker.alternatives:
            for lang in ("en", "zh"):
                named = replace(found, marked=replace(found.marked, convention=other.name), lang=lang)
                assert other.name in named.print("text").replace("\n", "")


def neuron(eps_form: str) -> Assignment:
    """One weight, two steps of Adam."""
    linear = {"linear": {"out": 1, "weight": [[0.4]], "bias": False}}
    adam = {"adam": {"lr": 0.1, "eps_form": eps_form}}
    return Assignment.load(
        {"inputs": [[1], [2]], "targets": [[1], [3]], "layers": [linear], "loss": "mse", "optimizer": adam, "steps": 2}
    )


def test_a_convention_without_the_steps_that_were_answered_was_not_followed():
    work = {"dL/dW1": "-9.8", "mhat.W1": "-9.8", "vhat.W1": "96.0", "W1+": "0.500", "mhat.W1@2": "-9", "vhat.W1@2": "9"}
    assert neuron("outside").circuit.find("mhat.W1") and neuron("hat").circuit.find("mhat.W1") is None
    outside, hat = check(neuron("outside"), work), check(neuron("hat"), work)
    assert outside.marked.convention == ""
    assert "there is no step" not in outside.print("text") and "there is no step 'mhat.W1'" in hat.print("text")
    declared = check(neuron("hat"), {"conventions": {"eps": "eps_outside"}, "answers": work})
    assert declared.marked.convention == "eps_outside"


def test_what_is_right_by_both_conventions_is_just_right():
    found = check(neuron("hat"), {"conventions": {"eps": "eps_outside"}, "answers": {"W1+": "0.500", "L@2": "2.12"}})
    assert found.marked.convention == "eps_outside"
    assert {mark.key: mark.verdict for mark in found.marked.marks}["W1+[1,1]"] == "correct"


def test_a_sign_lost_in_one_term_of_a_sum(mazur: Assignment):
    right, wrong = check(mazur, {"z1[1]": "0.3775", "z1[2]": "0.3325"}).marked.marks  # 0.25·0.05 − 0.3·0.1 + 0.35
    assert (right.verdict, wrong.verdict, [found.rule for found in wrong.found]) == ("correct", "error", ["B3"])


def test_gamma_left_out_on_the_way_back():
    found = check(Assignment.load("batch_norm"), {"dL/dy1[1,2]": "0.1240", "dL/dn1[1,2]": "0.1240"}).marked.marks
    assert [mark.verdict for mark in found] == ["correct", "error"] and found[1].found[0].rule == "N4"


def test_a_number_used_rightly_before_was_not_misread(mazur: Assignment):
    """The path over w7 is missing in both ∂E/∂a: that w7 and w8 were read as 0 is no reason beside it."""
    before = {"z2[1]": "1.106", "z2[2]": "1.225", "dL/dz2[1]": "0.1385", "dL/dz2[2]": "-0.0381"}
    *_, first, second = check(mazur, {**before, "dL/da1[1]": "0.0554", "dL/da1[2]": "0.0623"}).marked.marks
    assert [found.rule for found in first.found] == [found.rule for found in second.found] == ["B10"]


def test_the_weights_of_the_next_step_keep_their_symbol_and_the_students_number():
    work = {"W1+": "0.500", "m.W1@2": "-9.0", "v.W1@2": "0.9", "W1+@2": "0.777"}
    page = " ".join(check(neuron("outside"), work).print("text").split())
    assert "w⁽¹⁾₁₁⁺ = w⁽¹⁾₁₁ − η·" in page and "= 0.500 − 0.1·" in page
    assert "worked on the way: mhat.W1@2[1,1], vhat.W1@2[1,1]. The error" in page


@pytest.mark.parametrize(("id", "name", "who"), [("s1", "", "s1"), ("", "Ada", "Ada"), ("s1", "Ada", "Ada (s1)")])
def test_who_handed_in(mazur: Assignment, id: str, name: str, who: str):
    page = check(mazur, Submission(id, name, (Answer("z1[1]", "0.3775"),))).print("text")
    assert f"Student: {who}\n" in page


def test_a_mistake_is_told_once(mazur: Assignment):
    page = check(mazur, {"a2[2]": "0.7729", "dL/dz2[2]": "0.03810"}).print("text")
    assert page.count("[B3]") == 1 and page.count("[B24]") == 1


def test_nearly_the_right_number_does_not_follow_from_an_error(mazur: Assignment):
    def verdict(number: str) -> str:
        return check(mazur, {"dL/dw5": "0.0812", "w5+": number}).marked.marks[1].verdict

    # right: 0.358916; from the wrong 0.0812: 0.4 − 0.0406 = 0.3594
    assert (verdict("0.3594"), verdict("0.3589"), verdict("0.35891")) == ("follow_through", "correct", "truncated")


def test_what_follows_from_an_error_is_not_called_right(mazur: Assignment):
    found = check(mazur, {"dL/dz2[1]": "0.7414", "dL/dw5": "0.44"}, reveal="steps")
    assert found.marked.marks[1].notes == ("low_precision",)
    page = found.print("text")
    assert "Too few digits." in page and "right, too few digits" not in page


# sentences ------------------------------------------------------------------------------------------------------------
SLIPS = ("MISREAD", "X1", "X2", "X3", "X4")


def test_every_mistake_has_a_sentence():
    ids = {key.removeprefix("mistake.") for key in table("en") if key.startswith("mistake.")}
    assert ids == {*mistakes.rules, *SLIPS, "other"}
    titles = [key.removeprefix("mistake_title.") for key in part("en_check") if key.startswith("mistake_title.")]
    assert titles == [*(rule.id for rule in mistakes), *SLIPS, "other"]
    assert max(len(Words("en").plain(f"mistake_title.{id}")) for id in titles) < 40


OF_FORMULAS = re.compile(
    r"check\.(of_formula\.|hint\.|formula_|read_both|number_right|circular|counterexample|equal$|about$|list$)"
)


def reports(assignment: Assignment) -> Iterator[Checked]:
    """Marked work with everything that can be said of it."""
    key, name = "dL/dW2[1,1]", assignment.circuit.entries["z1[2]"].name
    yield checked(assignment, {"z1[1]": "0.3775"})
    yield checked(assignment, reveal="steps")
    yield checked(assignment, {"z1[1]": "0.1"})
    yield checked(assignment, {"z1[1]": "0.3779"})
    yield checked(assignment, {**WORK, "zz": "1"})
    yield checked(assignment, {"w5": "0.5"})
    yield checked(assignment, {"x[1]": "0.0712"})
    found = checked(assignment, Submission("s1", "Ada", (Answer(key, "0.4398"), Answer("W2+[1,1]", "1")), working="…"))
    wrong, rest = found.marks
    slips = (
        Found("MISREAD", None, "x[1]", {"value": Fraction(1, 2)}),
        Found("X1", None, key, {"digits": 2}),
        Found("X2", None, key, {"power": 1}),
        Found("X3", None, key, {"digits": "3498"}),
        Found("X4", name, key),
        Found("B1", name, "dL/dz2[1]"),
    )
    notes = tuple(k.removeprefix("check.note.") for k in part("en_check") if k.startswith("check.note."))
    flags = tuple(k.removeprefix("check.flag.") for k in part("en_check") if k.startswith("check.flag."))
    some = replace(rest, notes=notes)
    for code in VERDICTS:
        marks = (replace(wrong, found=slips, window=("z2[1]",)), replace(some, verdict=code))
        credit = {**assignment.policy.credit, code: 0.5}
        policy = replace(assignment.policy, credit=credit)
        strict = replace(assignment, marker=replace(assignment.marker, policy=policy))
        marked = replace(found.marked, marks=marks, flags=flags, follow_through=1.0)
        yield Checked(strict, marked, "all" if code == "error" else "steps")
    for few in ((), slips[:1]):
        yield Checked(assignment, replace(found.marked, marks=(replace(wrong, found=few),)))
    for name in (k.removeprefix("check.followed.") for k in part("en_check") if k.startswith("check.followed.")):
        yield replace(found, marked=replace(found.marked, convention=name))
    yield replace(found, reveal="first")


def test_every_sentence_of_marked_work_is_reached(mazur: Assignment, monkeypatch: pytest.MonkeyPatch):
    used: set[str] = set()
    template = Words.template

    def recorded(self: Words, key: Any) -> str:
        used.add(key)
        return template(self, key)

    monkeypatch.setattr(Words, "template", recorded)
    haykin = check(load(check={"decimals": 2}, notation="haykin"), {"dL/dz1": "1.10"}, reveal="all")
    nameless = check({**NET, "id": None}, {"z1": "1.10"})
    ema = check({"beta": 0.9, "values": [1, 2]}, {"s@2": "1.10"}, reveal="all")
    begun = check(load(check={"ask": ["z1", "L"]}), {"z1[1]": "1.1"})
    for report in (*reports(mazur), haykin, nameless, ema, begun):
        for format in ("text", "latex"):
            report.print(format)
    elsewhere = {key for key in part("en_check") if OF_FORMULAS.match(key)}  # test_formulas_told.py
    elsewhere |= {key for key in part("en_check") if key.startswith("mistake_title.")}  # one for each rule
    assert set(part("en_check")) - used - elsewhere - {"mistake.other"} == set()


# what is told ---------------------------------------------------------------------------------------------------------
def test_the_first_error_in_full(mazur: Assignment):
    text = checked(mazur).print("text")
    assert "−(0.01 − 0.7514)·0.7514·(1 − 0.7514)·0.5933 ≈ 0.08217" in text  # from the student's own numbers
    assert "−(0.01 − 0.7514)·0.5933 ≈ 0.4399" in text  # what gives the student's number
    assert "B1" in text and "4 of 5 points" in text
    assert "derive explain chain_rule" in text


def test_every_verdict_has_words_and_a_sign():
    assert set(SIGNS) == set(VERDICTS)
    for language in ("en", "zh"):
        words = [Words(language).plain(f"verdict.{code}") for code in VERDICTS]
        assert len(set(words)) == len(words)


@pytest.fixture(scope="module")
def wrong_again(mazur: Assignment) -> Checked:
    """WORK with more errors after the first."""
    return checked(mazur, {**WORK, "dL/dw1": "0.0123", "w1+": "0.777", "dL/db1": "5", "w8+": "9.99"})


def later(assignment: Assignment) -> set[str]:
    """The digits of every right value that comes after the first error of WORK."""
    order = assignment.circuit.order
    after = [k for k in order if order[k] > order["dL/dW2[1,1]"]]
    values = {f"{abs(assignment.circuit.floats[key]):.3g}" for key in after}
    shown = {f"{abs(assignment.circuit.floats[key]):.3g}" for key in order if order[key] <= order["dL/dW2[1,1]"]}
    return {digits for digits in values - shown if len(digits.lstrip("0.")) == 3}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("reveal", REVEAL)
def test_right_values_leak_at_no_level_but_the_last(mazur: Assignment, wrong_again: Checked, reveal: str, format: str):
    work = [mark.raw for mark in wrong_again.marks]
    printed = strip(replace(wrong_again, reveal=reveal).print(format))
    own = [digits for digits in later(mazur) if any(value.startswith(digits) for value in work)]
    if reveal == "steps":  # a wrong step may be told what it should have been
        own += [f"{abs(mark.own):.3g}" for mark in wrong_again.marks if mark.verdict in WRONG and mark.own is not None]
    found = {digits for digits in later(mazur) - {*own} if re.search(rf"(?<![\d.]){re.escape(digits)}", printed)}
    assert len(later(mazur)) > 10
    if reveal == "all":
        assert found
    else:
        assert found == set()


def strip(printed: str) -> str:
    """Without the style sheet and the font."""
    return re.sub(r"<style.*?</style>", "", printed, flags=re.DOTALL)


def test_what_comes_after_the_first_error_is_not_judged(mazur: Assignment):
    text = checked(mazur, reveal="first").print("text")
    assert "0.1801" in text and "follows from" not in text.partition("All steps")[2].partition("Conventions")[0]
    steps = json.loads(checked(mazur, reveal="first").print("json"))["steps"]
    assert [step["verdict"] for step in steps] == ["correct", "correct", "correct", "error", None]
    assert "↪ follows" in checked(mazur, reveal="steps").print("text")


def test_points_alone(mazur: Assignment):
    text = checked(mazur, {**WORK, "zz": "1", "z1[2]": "?"}, reveal="none").print("text")
    assert "4 of 7 points" in text and "there is no step 'zz'" in text
    assert "0.4398" not in text and "first error" not in text
    data = json.loads(checked(mazur, reveal="none").print("json"))
    assert data["steps"] == [] and data["first_error"] is None and data["totals"]["earned"] == 4


def test_a_copied_line_is_not_named(mazur: Assignment):
    """The number of a line that was not handed in is no news, but that it is that line's would be."""
    work = {"z1[1]": "0.3925"}
    assert "X4" in checked(mazur, work, reveal="first").print("text")
    assert "netₕ₂" not in checked(mazur, work, reveal="first").print("text")
    assert "netₕ₂" in checked(mazur, {**work, "z1[2]": "0.3925"}, reveal="first").print("text")


# JSON -----------------------------------------------------------------------------------------------------------------
def test_json_follows_the_contract(mazur: Assignment):
    data = json.loads(checked(mazur).print("json"))
    assert data["schema"] == "derive-check/1"
    assert data["totals"] == {"earned": 4, "follow_through": 1, "max": 5}
    assert data["first_error"] == "dL/dW2[1,1]"
    step = data["steps"][3]
    assert (step["id"], step["read"], step["verdict"], step["credit"]) == ("dL/dW2[1,1]", "0.4398", "error", 0)
    assert step["exact"] == pytest.approx(0.08216704056423078, rel=1e-15)
    assert step["own"] == pytest.approx(0.0821673, abs=1e-6)
    assert "B1" in step["diagnosis"]
    assert step["message"].startswith("wrong")


def test_json_has_no_numbers_that_json_lacks(mazur: Assignment):
    found = checked(mazur, {"a1[1]": "1" + "0" * 300})
    assert "Infinity" not in found.print("json") and "NaN" not in found.print("json")


# numbers as they were written -----------------------------------------------------------------------------------------
@given(st.integers(-(10**12), 10**12), st.integers(-20, 0))
def test_numbers_keep_their_digits(digits: int, exponent: int):
    text = format(Decimal(digits).scaleb(exponent), "f")
    shown = numeral(read_number(text))
    assert shown is not None and shown.fraction == Fraction(text) and shown.exact
    assert shown.ulp == Fraction(10) ** exponent


def test_every_expectation_is_the_markers(mazur: Assignment):
    """Whatever mistake is made wherever: the line of what should have been gives the value it was marked by."""
    compared = 0
    for i, wrong in enumerate(random.Random(1).sample(students.injections(mazur.circuit), 25)):
        work = students.work(mazur.circuit, students.Hand(), carries="round", unwritten=0.4, seed=i, wrong=wrong)
        found = check(mazur, work.submission)
        report = found.report("steps")
        if report.first is None:
            continue
        document = report.document()  # WitnessError, were a line not true
        step = next(
            b for s in document.sections if s.id == "first" for b in s.blocks if getattr(b, "id", "") == "first/own"
        )
        value = document.values.value(step.lines[0].target)  # type: ignore[union-attr]
        assert float(value) == pytest.approx(report.first.own, rel=1e-12, abs=1e-15)
        compared += 1
    assert compared > 10


def test_a_false_line_is_not_printed(mazur: Assignment, monkeypatch: pytest.MonkeyPatch):
    true = Own.worth
    monkeypatch.setattr(Own, "worth", lambda self, f, computed: tuple(2 * x for x in true(self, f, computed)))
    with pytest.raises(derive.WitnessError, match="off by"):
        checked(mazur).print("text")


# everybody's text -----------------------------------------------------------------------------------------------------
EVIL = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "](javascript:alert(1))",
    "| | | `` ``` ````",
    r"\input{/etc/passwd} \write18{id} $$ } %",
    "\x1b[2J\u202eabc\u200b",
    "<!-- derive:end -->",
    "{0.__class__}",
]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("format", FORMATS)
def test_what_students_write_stays_text(mazur: Assignment, format: str, evil: str):
    answers = (Answer("z1[1]", evil), Answer(evil, "1"), Answer("dL/dw5", "0.4398"))
    submission = Submission(evil, evil, answers, working=f"{evil}\n```\n</pre>\\end{{document}}")
    printed = check(mazur, submission, reveal="all").print(format)
    if format == "html":
        assert len(re.findall("<script", printed)) == 1  # our own
        assert "onload=" not in re.sub(r"&[#\w]+;[^<]*", "", printed) and "</pre><" not in printed.replace(
            "</code></pre>", ""
        )
    if format == "markdown":
        fences = re.findall(r"(?m)^(`{4,})\n(.*?)\n\1$", printed, flags=re.DOTALL)
        assert len(fences) == 1 and "</pre>" in fences[0][1]
        outside = printed.replace(fences[0][1], "")
        assert "<script" not in outside and "<svg" not in outside and "](java" not in outside and "<!--" not in outside
    if format == "latex":
        assert r"\input" not in printed.partition(r"\begin{document}")[2] and r"\write" not in printed
        assert printed.count(r"\end{document}") == 1
    if format == "json":
        assert json.loads(printed)["student"] == evil
    if format in ("html", "markdown", "latex", "text"):
        assert "\x1b" not in printed and "\u202e" not in printed and "\u200b" not in printed


def test_the_working_is_shown_with_the_solution_alone(mazur: Assignment):
    submission = Submission("s1", answers=(Answer("z1[1]", "0.3775"),), working="I used the chain rule & more.")
    assert "chain rule & more" in check(mazur, submission, reveal="all").print("text")
    assert "chain rule & more" not in check(mazur, submission, reveal="steps").print("text")


# beside the worked solution -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["html", "latex", "markdown", "text"])
def test_the_worked_solution_has_the_students_numbers_beside_it(mazur: Assignment, format: str):
    printed = checked(mazur, reveal="all").print(format)
    assert len(re.findall("yours: ", printed)) >= len(WORK)
    assert all(re.search(rf"yours: [^\n]*{re.escape(value)}", printed) for value in WORK.values())
    assert "follows from an earlier error" in printed
    assert "yours: " not in checked(mazur, reveal="steps").print(format)


def test_verdicts_are_told_by_words_and_not_by_colour_alone(mazur: Assignment):
    html = checked(mazur, reveal="all").print("html")
    for kind, word in re.findall(r'class="beside (\w+)">(.*?)</span>', html):
        assert kind in ("right", "wrong", "follow") and re.search("right|wrong|follows", word)


def test_a_line_that_shows_a_multiple_names_the_quantity():
    """δ of some books is −∂L/∂z: a student's ∂L/∂z stands beside it under its own name."""
    found = check(load(notation="haykin"), {"dL/dz1[1]": "-0.234", "z1[1]": "1.10"}, reveal="all")
    text = found.print("text")
    assert re.search(r"yours for dL/dz1\[1\] \(.*\): −0\.234 ✗ wrong", text) and "yours: 1.1" in text


def test_other_pages_have_nothing_beside_their_lines():
    assert 'class="beside' not in derive.solve("mazur").to_html()


# the terminal ---------------------------------------------------------------------------------------------------------
WORDS = ["一", "样。", "（二", "三）", "w₁，", " formula ", "（a）", " "]


@given(st.lists(st.sampled_from(WORDS), max_size=60), st.integers(20, 40))
def test_lines_end_where_they_may(words: list[str], width: int):
    """No line begins with a full stop or ends in an opening bracket, none is too long, and nothing gets lost."""
    text = "".join(words).strip()
    lines = folded(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for before, line in itertools.pairwise(lines):
        assert line[0] not in "。，）" and before[-1] != "（"
    assert all(columns(line) <= width for line in lines)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_fit_eighty_columns(mazur: Assignment, lang: str):
    found = checked(mazur, {**WORK, "zz": "1", "dL/dw1": "0.0123"}, reveal="steps", lang=lang)
    printer = Terminal(found.document(), 80)
    tables = [b for s in found.document().sections for b in s.blocks if type(b).__name__ == "Table"]
    rows = [row for table in tables for row in printer.block(table)]
    assert rows and max(map(columns, rows)) <= 80


def test_chinese_reports_are_chinese(mazur: Assignment):
    english, chinese = (checked(mazur, reveal="steps", lang=lang).print("text") for lang in ("en", "zh"))
    prose = [line for line in chinese.splitlines() if " = " not in line and "derive explain" not in line]
    assert "第一处错误" in chinese and english.count("\n") >= chinese.count("\n") - 5
    words = re.findall(r"[A-Za-z]{3,}(?: [a-z]{2,}){2,}", "\n".join(prose).replace("A 2-2-2 sigmoid network", ""))
    assert words == []


# the command ----------------------------------------------------------------------------------------------------------
def run(*args: Any, cwd: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(cwd)
    return CliRunner().invoke(main, ["check", *map(str, args)])


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def write(name: str, answers: dict[str, str]) -> Path:
        path = tmp_path / name
        path.write_text("answers:\n" + "".join(f"  {step}: {value}\n" for step, value in answers.items()))
        return path

    def call(*args: Any) -> Result:
        return run(*args, cwd=tmp_path, monkeypatch=monkeypatch)

    return SimpleNamespace(run=call, write=write, folder=tmp_path)


def test_the_exit_code_says_whether_all_is_right(command: Any):
    right = command.write("right.yaml", {"z1[1]": "0.3775"})
    wrong = command.write("wrong.yaml", WORK)
    (command.folder / "garbage.yaml").write_text("nonsense")
    assert command.run("mazur", right).exit_code == 0
    assert command.run("mazur", wrong).exit_code == 1
    assert command.run("mazur", command.folder / "garbage.yaml").exit_code == 2
    assert command.run("nonsense", right).exit_code == 2


def test_the_command_shows_the_table_and_writes_a_page(command: Any):
    result = command.run("mazur", command.write("ada.yaml", WORK))
    assert "4 of 5 points" in result.output and "✗ wrong" in result.output
    assert (command.folder / "output/mazur-check/ada.html").read_text().startswith("<!DOCTYPE html>")
    assert "Wrote output/mazur-check/ada.html" in result.output


def test_formats_and_places(command: Any):
    answers = command.write("ada.yaml", WORK)
    assert command.run("mazur", answers, "-f", "json", "-f", "markdown", "-o", "out", "-q").output == ""
    assert {p.name for p in (command.folder / "out").iterdir()} == {"ada.json", "ada.md"}
    data = json.loads(command.run("mazur", answers, "-f", "json", "-o", "-").output)
    assert data["steps"][3]["exact"] is not None
    data = json.loads(command.run("mazur", answers, "-f", "json", "-o", "-", "--reveal", "first").output)
    assert data["steps"][3]["exact"] is None
    assert command.run("mazur", answers, "-o", "x.png").exit_code == 2
    assert command.run("mazur", answers, "-o", answers.with_suffix(".yaml")).exit_code == 2
    assert answers.read_text().startswith("answers:")
    assert command.run("mazur", answers, "-f", "json", "-f", "html", "-o", "x.json").exit_code == 2


def test_pdflatex_takes_it(mazur: Assignment, pdflatex: str, tmp_path: Path):
    submission = Submission(
        "s1", EVIL[4], tuple(Answer(*pair) for pair in (*WORK.items(), (EVIL[3], EVIL[4]))), working="\n".join(EVIL)
    )
    (tmp_path / "check.tex").write_text(check(mazur, submission, reveal="all").print("latex"))
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "check.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]


def test_what_is_asked_for_counts_and_nothing_else() -> None:
    ask = {"ask": ["z1", "dL/dW1"]}
    few = load(check=ask).mark(Submission(answers=(Answer("z1[1]", "1.1"), Answer("a1[1]", "0.7503"))))
    assert few.most == 1 + 2 and few.earned == 1
    assert [mark.verdict for mark in few.marks].count("blank") == 2
    assert next(mark for mark in few.marks if mark.key == "a1[1]").weight == 0
    with pytest.raises(InputError, match=r"there is no step 'z9'"):
        load(check={"ask": ["z9"]})
    with pytest.raises(InputError, match="asks for no step"):
        load(check={"ask": []})


def test_a_table_cut_at_a_comma_says_so(mazur: Assignment, tmp_path: Path) -> None:
    """A decimal comma, or the comma in the name of a step: the row is at fault, not the number or the name."""
    (tmp_path / "a.csv").write_text("step,value\nz1[1],0,38\nW1[1,2],0.2\nz1[2],0.3925\n")
    marked = check(mazur, tmp_path / "a.csv").marked
    cut = {mark.label or mark.key: mark.problem for mark in marked.marks if mark.verdict == "unreadable"}
    assert len(cut) == 2 and all("3 cells in a row of 2" in problem for problem in cut.values())


def test_a_decimal_comma_can_be_told_of_a_table(mazur: Assignment, tmp_path: Path, command: Any) -> None:
    """A spreadsheet's table has no place to say it; without it, the message tells where the comma stands."""
    table = tmp_path / "a.csv"
    table.write_bytes("\ufeffstep;value\r\nz1[1];0,3775\r\n".encode())
    (mark,) = check(mazur, table).marked.marks
    assert mark.verdict == "unreadable" and mark.problem.startswith("column 2: '0,3775': a decimal comma?")
    (mark,) = check(mazur, table, comma=True).marked.marks
    assert mark.verdict == "correct"
    done = command.run("mazur", table, "--comma", "-f", "json", "-o", "-")
    assert done.exit_code == 0, done.output
