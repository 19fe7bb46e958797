"""What students hand in, read: numbers digit for digit, files in every shape, and nothing hostile that gets through."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attacks
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import InputError
from derive.homework.escape import csv_safe, visible
from derive.homework.reading import Unreadable, parse, read, read_number
from derive.homework.reading.numbers import MAX_DIGITS
from derive.homework.submission import Answer, Rounding, Submission
from derive.homework.written import Written

YAML = """\
derive_answers: 1
assignment: mazur-2-2-2
student: {id: s1234567, name: "Ada L."}
rounding: {sf: 4}
decimal: "."
conventions: {loss: half_sse}
answers:
  z_h1: 0.3775
  a_h1: "0.5933"
  dE_dw6: {value: 0.0820, formula: "(a_o1 - t1)*a_o1*(1-a_o1)*a_h2"}
  W2: [[0.3589, 0.4087], [0.5113, 0.5614]]
  probs: {0: 0.091, 1: 0.245}
  ranks: {1: 0.1, 2: 0.2}
  dE_dw1: ~
  W1+@2[1, 2]: 1e-3
  a1[3]: [012, 1:30]
  L: {value: [1, 2], formula: [x]}
  no: yes
working: |
  so I thought
"""


def only(text: str, kind: str = "yaml", **how: Any) -> Submission:
    (submission,) = parse(text, "file", kind, **how)
    return submission


def texts(submission: Submission) -> dict[str, str | None]:
    return {answer.step: answer.value for answer in submission.answers}


def refusal(text: str, kind: str = "yaml") -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "file", kind)
    return one_line(caught.value)


def one_line(error: InputError) -> str:
    message = str(error)
    assert message and message.isprintable() and len(message) < 600
    return message


def unread(text: str, comma: bool = False) -> str:
    with pytest.raises(Unreadable) as caught:
        read_number(text, comma)
    return one_line(caught.value)


# numbers ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, value, ulp, significant, decimals",
    [
        ("0.0822", "0.0822", "1e-4", (3, 3), 4),
        (".0822", "0.0822", "1e-4", (3, 3), 4),
        ("8.22e-2", "0.0822", "1e-4", (3, 3), 4),
        ("8.22E-02", "0.0822", "1e-4", (3, 3), 4),
        ("82.2e-3", "0.0822", "1e-4", (3, 3), 4),
        ("8.22·10⁻²", "0.0822", "1e-4", (3, 3), 4),
        ("8.22 × 10^-2", "0.0822", "1e-4", (3, 3), 4),
        ("8.22*10^(-2)", "0.0822", "1e-4", (3, 3), 4),
        ("0.08220", "0.0822", "1e-5", (4, 4), 5),
        ("-0.0381", "-0.0381", "1e-4", (3, 3), 4),
        ("\u22120.0381", "-0.0381", "1e-4", (3, 3), 4),
        ("- 0.0381", "-0.0381", "1e-4", (3, 3), 4),
        ("+12345.678", "12345.678", "1e-3", (8, 8), 3),
        ("9.96", "9.96", "1e-2", (3, 3), 2),
        ("100", "100", "1", (1, 3), 0),
        ("100.", "100", "1", (3, 3), 0),
        ("100.0", "100", "0.1", (4, 4), 1),
        ("10200", "10200", "1", (3, 5), 0),
        ("1e3", "1000", "1000", (1, 1), 0),
        ("1.0e3", "1000", "100", (2, 2), 0),
        ("1200e-3", "1.2", "1e-3", (4, 4), 3),
        ("0e5", "0", "100000", (1, 1), 0),
        ("0", "0", "1", (1, 1), 0),
        ("-0", "0", "1", (1, 1), 0),
        ("0.000", "0", "1e-3", (1, 1), 3),
        ("1e-308", "1e-308", "1e-308", (1, 1), 308),
        ("1e-0009", "1e-9", "1e-9", (1, 1), 9),
        ("'0.5", "0.5", "0.1", (1, 1), 1),
        ("\u00a00.5\u2009", "0.5", "0.1", (1, 1), 1),
        ("3/7", "3/7", "0", (MAX_DIGITS, MAX_DIGITS), MAX_DIGITS),
        ("\u20133 / 7", "-3/7", "0", (MAX_DIGITS, MAX_DIGITS), MAX_DIGITS),
    ],
)
def test_a_number_says_how_precise_it_is(
    text: str, value: str, ulp: str, significant: tuple[int, int], decimals: int
) -> None:
    assert read_number(text) == Written(text, Fraction(value), Fraction(ulp), significant, decimals)


@pytest.mark.parametrize(
    "text, words",
    [
        ("1_000", "leave it out"),
        ("0x1F", "not a decimal number"),
        ("-Infinity", "not a finite number"),
        ("1,5", 'decimal: "," in the file, or --comma), or write 1.5'),
        ("8,22·10⁻²", "or write 8.22*10^(-2)"),
        ("1,234.5", "do not part thousands"),
        ("1.234,5", "do not part thousands"),
        ("0.08,0.09", "more than one number"),
        ("1 000", "a space among the digits"),
        ("0.08 or 0.09", "more than one number"),
        ("0.08±0.01", "a range"),
        ("0.08 0.09", "more than one number"),
        ("012", "was 0.12 meant, or 12?"),
        ("-00.5", "leave out"),
        ("03/07", "was a fraction meant, or a date?"),
        ("3-Jul", "spreadsheet"),
        ("3. Jul", "spreadsheet"),
        ("Jul-03", "spreadsheet"),
        ("2024-07-03", "spreadsheet"),
        ("03.07.2024", "spreadsheet"),
        ("3/7/2024", "spreadsheet"),
        ("2024-07-03 00:00:00", "spreadsheet"),
        ("1:30", "a time"),
        ("#DIV/0!", "spreadsheet"),
        ("=0.08", "leave out the sign"),
        ("≈0.08", "leave out the sign"),
        ("8.2 %", "0.05 for 5 %"),
        ("1/0", "divides by zero"),
        ("9e308", "too large"),
        ("1e309", "exponent"),
        ("1e-309", "exponent"),
        ("0." + "0" * 39 + "1e-308", "digits"),
        ("0." + "0" * 30 + "1e-308", "too small"),
        ("1" * 41, "41 digits"),
        ("1/" + "3" * 41, "41 digits"),
        ("1" * 1001, "1000 characters"),
        ("１２", "U+FF11 (fullwidth digit one) is not the digit 1"),
        ("٢", "U+0662 (arabic-indic digit two) is not the digit 2"),
        ("0.5\u202e", "4: U+202E"),
        ("0\u200b.5", "2: U+200B"),
        ("8.22\u0435-2", "5: U+0435 (cyrillic small letter ie)"),
        (" ", "nothing"),
        ("0.5 V", "not a number"),
    ],
)
def test_what_is_no_number_is_refused_with_a_reason(text: str, words: str) -> None:
    assert words in unread(text)


@pytest.mark.parametrize(
    "text, value",
    [("0,0822", "0.0822"), (",5", ".5"), ("-1,5e-3", "-.0015"), ("0.0822", ".0822"), ("1234.5", "1234.5")],
)
def test_a_declared_decimal_comma(text: str, value: str) -> None:
    assert read_number(text, comma=True).value == Fraction(value)


def test_who_says_that_numbers_have_a_comma() -> None:
    kinds = [("answers: {z: '0,5'}", "yaml"), ("step;value\nz;0,5", "csv"), ('{"answers": {"z": "0,5"}}', "json")]
    for text, kind in kinds:
        assert (only(text, kind).comma, only(text, kind, comma=True).comma) == (False, True)
    assert only("decimal: ','\nanswers: {}").comma
    assert not only("decimal: .\nanswers: {}", comma=True).comma


@pytest.mark.parametrize("text", ["1.234", "12.345.678", "1.234,5", "1,2,3", "0,08 0,09"])
def test_a_declared_decimal_comma_leaves_no_doubt(text: str) -> None:
    unread(text, comma=True)


def test_closed_forms_are_the_callers_to_read() -> None:
    def closed(text: str) -> Fraction:
        if text != "1/(2+2)":
            raise InputError("no", column=1)
        return Fraction(1, 4)

    assert read_number("1/(2+2)", closed=closed) == Written("1/(2+2)", Fraction(1, 4), Fraction(0), (40, 40), 40)
    assert not read_number("0.25", closed=closed).closed
    for text in ("1 - 0.5", "(1+max(1, 2))/3", "2 * 3", "max(0, 1)", "√2", "2²"):
        with pytest.raises(Unreadable, match="no"):
            read_number(text, closed=closed)
    with pytest.raises(Unreadable, match="no"):
        read_number("sqrt(2)", closed=closed)
    for text in ("1,5", "nan", "0.08 or 0.09", "012", "1\u200b"):
        with pytest.raises(Unreadable) as caught:
            read_number(text, closed=closed)
        assert caught.value.problem != "no"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=9))
def test_what_is_printed_is_read(number: Any) -> None:
    for text in (str(number), f"{number:f}", f"{number:e}"):
        written = read_number(text)
        assert written.value == Fraction(number) and written.ulp == Fraction(10) ** number.as_tuple().exponent


ROUNDED = ["0.0821670", "0.00043857", "1.105906", "9.96", "0.0995", "99.95", "100", "0", "-0.0381", "1e-9", "12345.678"]


@pytest.mark.parametrize("text", ROUNDED)
@pytest.mark.parametrize("digits", range(7))
def test_rounded_numbers_are_read_in_every_notation(text: str, digits: int) -> None:
    """However a rounded number is spelled, it says the same value to the same place."""
    number = Decimal(text)
    fixed = f"{number:.{digits}f}"
    assert (read_number(fixed).ulp, read_number(fixed).decimals) == (Fraction(1, 10**digits), digits)
    scientific = f"{number:.{max(digits - 1, 0)}e}"
    written = read_number(scientific)
    mantissa, _, exponent = scientific.partition("e")
    assert written.value == Fraction(scientific)
    assert written.significant == ((max(digits, 1),) * 2 if number else (1, 1))
    same = [
        scientific.upper(),
        scientific.replace("-", "\u2212"),
        f"{mantissa}*10^{int(exponent)}",
        f"{mantissa} × 10^({exponent})",
        f"{mantissa}·10{exponent.translate(str.maketrans('+-0123456789', '⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}",
        f"{Decimal(mantissa).scaleb(1):f}e{int(exponent) - 1}" if digits > 1 else scientific,  # engineering
    ]
    for other in same:
        assert replace(read_number(other), text=scientific) == written
        assert replace(read_number(other.replace(".", ","), comma=True), text=scientific) == written


@given(st.fractions(), st.sampled_from(["", " "]))
def test_fractions_are_exact(number: Fraction, space: str) -> None:
    text = f"{number.numerator}{space}/{space}{number.denominator}"
    assert read_number(text).value == number and read_number(text).closed


# files --------------------------------------------------------------------------------------------------------------------
def test_answers_yaml() -> None:
    read_back = only(YAML)
    assert (read_back.student, read_back.name, read_back.assignment) == ("s1234567", "Ada L.", "mazur-2-2-2")
    assert (read_back.rounding, read_back.comma) == (Rounding("sf", 4), False)
    assert (read_back.conventions, read_back.working) == ({"loss": "half_sse"}, "so I thought\n")
    assert read_back.source == "file" and read_back.flags == ()
    assert texts(read_back) == {
        "z_h1": "0.3775",
        "a_h1": "0.5933",
        "dE_dw6": "0.0820",
        "W2[1,1]": "0.3589",
        "W2[1,2]": "0.4087",
        "W2[2,1]": "0.5113",
        "W2[2,2]": "0.5614",
        "probs[1]": "0.091",
        "probs[2]": "0.245",
        "ranks[1]": "0.1",
        "ranks[2]": "0.2",
        "dE_dw1": None,
        "W1+@2[1,2]": "1e-3",
        "a1[3,1]": "012",
        "a1[3,2]": "1:30",
        "L[1]": "1",
        "L[2]": "2",
        "no": "yes",
    }
    by_step = {answer.step: answer for answer in read_back.answers}
    assert by_step["dE_dw6"].formula == "(a_o1 - t1)*a_o1*(1-a_o1)*a_h2"
    assert (by_step["L[1]"].formula, by_step["L[2]"].formula) == ("x", None)
    assert by_step["W2[2,1]"].place == "file:11:27"
    assert not any(answer.problem for answer in read_back.answers)


def plain(text: str) -> Any:
    return yaml.load(text, Loader=yaml.BaseLoader)


def test_json_says_the_same() -> None:
    tree = plain(YAML) | {"answers": plain(YAML)["answers"] | {"dE_dw1": None}}
    read_back = only(json.dumps(tree), "json")
    assert texts(read_back) == texts(only(YAML)) and read_back.rounding == Rounding("sf", 4)
    assert texts(only('{"answers": {"a": 0.10, "b": -1E-3, "c": true, "d": null}}', "json")) == {
        "a": "0.10",
        "b": "-1E-3",
        "c": "true",
        "d": None,
    }
    assert read_back.answers[0].place == "file: answers.z_h1"


TOML = """
derive_answers = 1
student = {id = "s1", name = "Ada L."}
decimal = "."
[answers]
"z1[1]" = 0.3770    # digits count as they are written
"dL/dW2" = [[0.0820, -1e-3], [1_000, "3/7"]]
"dL/dw5" = {value = 0.080, formula = "w5*2"}
b1.2 = 7
W1.1.2 = 0.10
when = 2026-01-02
yes = true
"""


def test_toml_says_the_same() -> None:
    read_back = only(TOML, "toml")
    assert (read_back.student, read_back.name, read_back.comma) == ("s1", "Ada L.", False)
    assert texts(read_back) == {
        "z1[1]": "0.3770",
        "dL/dW2[1,1]": "0.0820",
        "dL/dW2[1,2]": "-1e-3",
        "dL/dW2[2,1]": "1000",
        "dL/dW2[2,2]": "3/7",
        "dL/dw5": "0.080",
        "b1[2]": "7",
        "W1[1,2]": "0.10",
        "when": "2026-01-02",
        "yes": "true",
    }
    assert [answer.formula for answer in read_back.answers if answer.formula] == ["w5*2"]
    assert read_back.answers[0].place == "file: answers.z1[1]"


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "z1[1] = 0.5",
            "file:1:3: not valid TOML: expected '=' after a key in a key/value pair; a name with a bracket",
        ),
        ("[answers]\nz = 0,5", "file:2:6: not valid TOML"),
        ("[answers]\nz = 1\nz = 2", "cannot overwrite a value"),
        ("[answers]\nz = [", "not valid TOML"),
        ("answers.a.b.c.d.e.f.g = 1", "nested more than 6 levels deep"),
        ("answers = " + "[" * 20_000, "nested more than 6 levels deep"),
        ("[answers]\nz = " + "9" * 5000, "4300 digits"),
        ("#" * 70_000, "larger than 64 KiB"),
        ("z = 1", "unknown key 'z'"),
        ("", "'answers' is missing"),
    ],
)
def test_toml_that_says_what_it_may_not_is_refused(text: str, words: str) -> None:
    assert words in refusal(text, "toml")


def test_a_file_may_hold_several_submissions() -> None:
    first, second = parse('[{"student": "a", "answers": {}}, {"student": "b", "answers": {"z": 1}}]', "file", "json")
    assert (first.student, first.answers, second.student) == ("a", (), "b")


@pytest.mark.parametrize(
    "text, words",
    [
        ("answers: {a: 1}\nscore: 100", "file:2:1: score: unknown key 'score'"),
        ("answer: {a: 1}", "Did you mean 'answers'?"),
        ("assignment: x", "'answers' is missing"),
        ("derive_answers: 2\nanswers: {}", "reads derive_answers: 1"),
        ("student: {id: a, email: b}\nanswers: {}", "unknown key 'email'"),
        ("student: {id: [a]}\nanswers: {}", "expected a text, not a list"),
        ('student: "a\\nb"\nanswers: {}', "line break"),
        ("rounding: {sf: 0}\nanswers: {}", "whole number"),
        ("rounding: {sf: 1_0}\nanswers: {}", "whole number"),
        ("rounding: {sf: 4, dp: 3}\nanswers: {}", "{sf: 4}"),
        ("rounding: 4\nanswers: {}", "expected {name: value}"),
        ("decimal: ';'\nanswers: {}", 'expected "." or ","'),
        ("answers: [1, 2]", "expected {name: value}, not a list"),
        ("answers: {W: [1], 'W[1]': 2}", "'W[1]' is answered twice, first at file:1:15"),
        ("answers: {'W[1, 2]': 1, 'W[1,2]': 2}", "answered twice"),
        ("answers: {w\u0302: 1, \u0175: 2}", "answered twice"),
        ("answers: {a: [[[[[1]]]]]}", "nested more than 6 levels"),
        ("- answers: {}\n- 3", "expected {name: value}"),
    ],
)
def test_a_file_that_says_what_it_may_not_is_refused(text: str, words: str) -> None:
    assert words in refusal(text)


def test_a_bad_cell_is_only_that_cell() -> None:
    text = "answers: {a: {value: 1, score: 9}, b: {valeu: 1}, c: [1, {x: 2}], d: " + '"\\e[2J", e: 0.5, f: [], g: {}}'
    found = {answer.step: answer for answer in only(text).answers}
    assert "unknown key 'score'" in found["a"].problem and found["a"].value is None
    assert "Did you mean 'value'?" in found["b"].problem
    assert (found["c[1]"].problem, found["c[2]"].problem) == ("", "expected a number, or its parts value and formula")
    assert found["d"] == Answer("d", "\\x1b[2J", None, "file:1:70", "U+001B (escape) cannot stand in an answer")
    assert found["e"].problem == found["f"].problem == found["g"].problem == ""
    assert (found["e"].value, found["f"].value, found["g"].value) == ("0.5", None, None)


@given(st.recursive(st.integers(0, 99).map(str), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=9))
def test_lists_and_mappings_from_indices_are_the_same(tree: Any) -> None:
    def indexed(part: Any, first: int) -> Any:
        return {str(i): indexed(p, first) for i, p in enumerate(part, first)} if isinstance(part, list) else part

    written = [json.dumps({"answers": {"W": part}}) for part in (tree, indexed(tree, 0), indexed(tree, 1))]
    if max(line.count("[") for line in written) < 4:
        lists, from_zero, from_one = (texts(only(line, "json")) for line in written)
        assert lists == from_zero == from_one


def test_long_tables() -> None:
    text = (
        '\ufeffStudent_ID,step,value,formula\r\ns2,z_h1,0.3775,\r\n\r\ns1,"W[1,2]"," 0.5","a, b"\r\ns2,L,,x\r\ns1,L\r\n'
    )
    second, first = parse(text, "file", "csv")
    assert (second.student, first.student) == ("s2", "s1")
    assert second.answers == (Answer("z_h1", "0.3775", None, "file:2:3"), Answer("L", None, "x", "file:5:3"))
    assert first.answers == (Answer("W[1,2]", "0.5", "a, b", "file:4:3"), Answer("L", None, None, "file:6:3"))
    assert texts(only("step;value\na;0,5\n", "csv", comma=True)) == {"a": "0,5"}
    assert only("step\tformula\na\tx\n", "csv").answers == (Answer("a", None, "x", "file:2:2"),)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("declared", [False, True])
def test_wide_tables(mark: str, declared: bool) -> None:
    rows = [["student_id", "name", "z1", '"W[1,2]"'], ["s1", "Ada", "0.5", ""], ["s2", "", "'3/7", "3-Jul"]]
    text = (f"sep={mark}\n" if declared else "") + "\n".join(map(mark.join, rows))
    first, second = parse(text, "file", "csv")
    line = 3 if declared else 2
    assert (first.student, first.name, second.name) == ("s1", "Ada", "")
    assert first.answers == (
        Answer("z1", "0.5", None, f"file:{line}:3"),
        Answer("W[1,2]", None, None, f"file:{line}:4"),
    )
    assert texts(second) == {"z1": "'3/7", "W[1,2]": "3-Jul"}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("a,b\n1,2", "the first row must name the columns"),
        ("student,z1\ns,1", "Did you mean 'student_id'?"),
        (
            "step,valeu\nz,1",
            "file:1:2: unknown column 'valeu'. Did you mean 'value'?",
        ),
        ("step,name\nz,1", "a column 'value' or 'formula' is missing"),
        ("step,value,score\nz,1,9", "file:1:3: unknown column 'score'"),
        ("student_id,z,z\ns,1,2", "file:1:3: a second column 'z'"),
        ("student_id,z,\ns,1,2", "file:1:3: a column without a name"),
        ("student_id,z\ns,1\ns,2", "file:3:1: a second row of 's'"),
        ("student_id,z\n,1", "file:2:1: the student_id of this row is missing"),
        ("student_id,step,value\ns,z,1\ns,z,2", "file:3:3: 'z' is answered twice, first at file:2:3"),
        ('step,value\nz,"1\n', "file:2: not valid CSV"),
    ],
)
def test_a_table_that_leaves_it_open_is_refused(text: str, words: str) -> None:
    assert words in refusal(text, "csv")


def test_a_row_of_another_length_is_not_guessed() -> None:
    wide = parse("student_id,a,b\ns1,0,5,1\ns2,1,2\ns3,1\n", "file", "csv")
    assert [{bool(answer.problem) for answer in student.answers} for student in wide] == [{True}, {False}, {True}]
    (long,) = only("step,value\na,0,5\n", "csv").answers
    assert "must be quoted" in long.problem and long.place == "file:2:2"


WORKSHEET = r"""# My homework

| not | the | table | at all |
|-----|-----|-------|--------|
| z1[1] | | 9 | |

<!-- derive:begin id=mazur -->

Some words | with a bar.

| step | quantity | your value | your formula |
|:-----|:--------:|-----------:|--------------|
| `z1[1]` | $z_1$ | **0.3775** | `max(a\|b, c)` |
| W2[1,2] | $w_6$ | $0.4087$ | a\_o1\*(1-a\_o1) |
| L | $L$ | | |
  a1[1] | $a$ | 0.5 | x
| b | | 1 | 2 | 3 |

<!-- derive:end -->

| z1[2] | | 9 | |
<!-- derive:begin id="mazur" -->
| 步骤 | 量 | 你的数值 | 你的公式 |
|-|-|-|-|
| c | | 7 <!-- derive:end --> | |
<!-- derive:end -->
"""


def test_a_worksheet_is_read_between_its_markers() -> None:
    found = only(WORKSHEET, "markdown")
    assert found.assignment == "mazur"
    assert [(answer.step, answer.value, answer.formula) for answer in found.answers] == [
        ("z1[1]", "0.3775", "max(a|b, c)"),
        ("W2[1,2]", "0.4087", "a_o1*(1-a_o1)"),
        ("L", None, None),
        ("a1[1]", "0.5", "x"),
        ("b", "1", "2"),
        ("c", "7 <!-- derive:end -->", None),
    ]
    assert [answer.step for answer in found.answers if answer.problem] == ["b"]
    assert found.answers[0].place == "file:13:3"


@pytest.mark.parametrize(
    "text, words",
    [
        ("words", "no worksheet in this file"),
        ("<!-- derive:begin id=a -->", "file:1: '<!-- derive:end -->' is missing"),
        ("<!-- derive:end -->", "derive:end without"),
        (
            "<!-- derive:begin id=a -->\n<!-- derive:end -->\n<!-- derive:begin id=b -->\n<!-- derive:end -->",
            "another id",
        ),
        ("<!-- derive:begin -->\n|-|-|-|-|\n|a||1||\n|a||2||\n<!-- derive:end -->", "'a' is answered twice"),
    ],
)
def test_a_worksheet_without_its_markers_is_refused(text: str, words: str) -> None:
    assert words in refusal(text, "markdown")


# paths --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, text",
    [
        ("a.yaml", "answers: {z: 1}"),
        ("a.YML", "answers: {z: 1}"),
        ("a.json", '{"answers": {"z": 1}}'),
        ("a.csv", "step,value\nz,1"),
        ("a.tsv", "step\tvalue\nz\t1"),
        ("a.md", "<!-- derive:begin id=m -->\n|-|-|-|-|\n|z||1||\n<!-- derive:end -->"),
    ],
)
def test_the_kind_of_a_file_is_in_its_name_or_its_text(tmp_path: Path, name: str, text: str) -> None:
    for path in (tmp_path / name, tmp_path / "a.txt", tmp_path / "a"):
        path.write_text(text, encoding="utf-8")
        (submission,) = read(path)
        assert texts(submission) == {"z": "1"} and submission.source == str(path)


def test_toml_is_known_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.TOML").write_text("answers = {z = 1.0}")
    assert texts(read(tmp_path / "a.TOML")[0]) == {"z": "1.0"}


def test_what_is_no_answers_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown kind of file '\.yamll'. Did you mean '\.yaml'\?"):
        read(tmp_path / "a.yamll")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "a.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * 300_000)
    with pytest.raises(InputError, match="larger than 256 KiB"):
        read(tmp_path / "big.yaml")


def test_a_strangers_file_must_be_one(tmp_path: Path) -> None:
    """A link, a pipe, a device and a folder are refused at once where `regular` is asked for."""
    (tmp_path / "real.yaml").write_text("answers: {z: 1}")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "device.yaml").symlink_to(os.devnull)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert read(tmp_path / "real.yaml", regular=True) == [
        Submission(answers=(Answer("z", "1", None, f"{tmp_path}/real.yaml:1:14"),), source=f"{tmp_path}/real.yaml")
    ]
    assert texts(read(tmp_path / "link.yaml")[0]) == {"z": "1"}
    for name in ("link", "loop", "folder", "device", "pipe"):
        with pytest.raises(InputError):
            read(tmp_path / f"{name}.yaml", regular=True)
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with pytest.raises(InputError):
            read(tmp_path / "pipe.yaml", regular=True)
    assert len(os.listdir("/proc/self/fd")) == descriptors


# hostile input ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What became of every item, all read by one process under limits in an empty folder, which stays empty."""
    folder = tmp_path_factory.mktemp("attacks")
    command = [sys.executable, str(Path(attacks.__file__))]
    paths = os.pathsep.join(filter(None, [str(Path(attacks.__file__).parent.parent), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert list(folder.iterdir()) == []
    return [json.loads(line) for line in done.stdout.splitlines()]


ITEMS = list(attacks.items())


def test_the_batch_goes_on_after_every_item(reports: list[dict[str, Any]]) -> None:
    assert [(report["number"], report["entry"]) for report in reports] == [(item[0], item[1]) for item in ITEMS]
    assert {41, 42, 43, 44, 46, 48, 51, 52, 53, 55, 61, 63, 69, 81} <= {report["number"] for report in reports}


@pytest.mark.parametrize("index", range(len(ITEMS)), ids=lambda index: f"{ITEMS[index][0]}-{ITEMS[index][1]}-{index}")
def test_hostile_input_does_nothing(reports: list[dict[str, Any]], index: int) -> None:
    report = reports[index]
    assert report["became"] == report["expected"], report
    assert report["did"] == [] and report["seconds"] < attacks.SLOW, report
    if report["became"] == "refused":
        assert report["message"] and report["message"].isprintable() and len(report["message"]) < 600


def test_every_entry_is_known() -> None:
    corpus = attacks.cases()
    assert {entry for case in corpus for entry in case["entries"]} <= attacks.READERS.keys()
    assert {case["expect"] for case in corpus} == {"refused", "unreadable", "read"}


SEEDS = {
    "number": ["0.0822", "8.22e-2", "8.22×10⁻²", "3/7", "1,5", "- 0.5", "1 000", "012", "0.08 or 0.09", "3-Jul"],
    "yaml": [YAML],
    "json": [json.dumps(plain(YAML))],
    "toml": [TOML],
    "csv": ['student_id,step,value,formula\ns1,z,0.5,"a, b"\ns2,"W[1,2]",3/7,\n', "student_id;a;b\ns1;1;2\ns2;0,5;\n"],
    "markdown": [WORKSHEET],
}
ALPHABET = "0123456789.,eE+-*/^()[]{}<>|\\`$\"'#&!%@:;~ \t\n\r\0\x1b\u2212\u00a0×·⁻²١１é\u200b\u202e\ud800😀abdnW_="


def mutated(text: str, chance: random.Random) -> str:
    """A text that was good, with a few characters replaced, left out, doubled or put elsewhere."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 1, 2, 9)))
        put = chance.choice(("", "", chance.choice(ALPHABET), chance.choice(ALPHABET) * 3, text[start:end] * 2))
        text = text[:start] + put + text[end:]
    return text


@pytest.mark.parametrize(
    "entry, count",
    [("number", 100_000), ("yaml", 800), ("json", 4000), ("toml", 4000), ("csv", 4000), ("markdown", 4000)],
)
def test_nothing_but_the_documented_error(entry: str, count: int) -> None:
    chance = random.Random(5)
    refused = 0
    for _ in range(count):
        text = mutated(chance.choice(SEEDS[entry]), chance)
        try:
            attacks.READERS[entry](text)
        except InputError as error:
            refused += 1
            if refused % 50 == 0:
                one_line(error)
    assert 0 < refused < count


@given(st.text(), st.booleans())
def test_any_text_is_a_number_or_refused(text: str, comma: bool) -> None:
    try:
        written = read_number(text, comma)
    except Unreadable as error:
        one_line(error)
    else:
        assert written.text == text and bool(float(written.value)) == bool(written.value)


@given(
    st.sampled_from([kind for kind in ("", *SEEDS) if kind != "number"]),
    st.text(max_size=200) | st.text("[]{}:,-|\"'\n# \t<!>0a", max_size=200),
)
def test_any_text_is_an_answers_file_or_refused(kind: str, text: str) -> None:
    with suppress(InputError):
        attacks.read_file(kind, text)


def test_names_of_files_are_shown_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2J\udcff.yaml"
    path.write_text("answers: {z: 1}")
    (submission,) = read(path)
    assert (submission.source + submission.answers[0].place).isprintable()


# speed --------------------------------------------------------------------------------------------------------------------
def fastest(what: Any, times: int) -> float:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        what()
        found.append(time.perf_counter() - started)
    return min(found)


def test_reading_is_fast() -> None:
    text = "answers:\n" + "".join(f"  dE_dw{i}: 0.0{i + 100}\n" for i in range(30))

    def one() -> None:
        for answer in only(text).answers:
            read_number(answer.value or "")

    rows = "".join(f"s{i},dE_dw{k},0.0{k + 100},\n" for i in range(100) for k in range(30))
    assert fastest(one, 30) < 1.2e-3
    assert fastest(lambda: parse(f"student_id,step,value,formula\n{rows}", "file", "csv"), 5) < 100 * 1.2e-3


# the way out --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, safe",
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t=1"),
        ('"=1', "'\"=1"),
        ("-0.0822", "-0.0822"),
        ("+1.5e-3", "+1.5e-3"),
        ("a=b", "a=b"),
        ("", ""),
        ("\x1b[2J", "\\x1b[2J"),
    ],
)
def test_no_cell_is_a_formula(text: str, safe: str) -> None:
    assert csv_safe(text) == safe


@given(st.text())
def test_what_is_shown_shows(text: str) -> None:
    assert all(line.isprintable() for line in visible(text).replace("\t", " ").split("\n"))
    assert csv_safe(text)[:1] not in tuple("=@＝＠\t\n")
