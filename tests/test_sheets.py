"""Sheets and studies, marked: what their pages look like."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from derive.formula import Partial, Symbol
from derive.homework.assignment import Assignment
from derive.homework.checked import Checked, check
from derive.homework.printed import FORMATS
from derive.notation import stepped

#: Two steps of a recurrent network, worked backwards; the answers are those of a published solution, in which the
#: last place of tanh(1.04621) is off, and everything after it follows.
BPTT: dict[str, Any] = {
    "id": "bptt",
    "given": {"x1": 1.0, "x2": 2.0, "t1": 1.0, "t2": 2.0, "Wx": 0.5, "Wh": 0.1, "b": 0.0, "Wy": 2.0, "h0": 0.0},
    "steps": {
        "h1": "tanh(Wx*x1 + Wh*h0 + b)",
        "y1": "Wy*h1",
        "a2": "Wx*x2 + Wh*h1 + b",
        "h2": "tanh(a2)",
        "y2": "Wy*h2",
        "L1": "(y1-t1)^2/2",
        "L2": "(y2-t2)^2/2",
        "L": "L1 + L2",
        "dL_dy2": "y2 - t2",
        "dL_dh2": "dL_dy2*Wy",
        "h2_squared": "h2^2",
        "dtanh_a2": "1 - h2_squared",
        "dL_da2": "dL_dh2*dtanh_a2",
        "dL_dWx_t2": "dL_da2*x2",
        "dL_dWh_t2": "dL_da2*h1",
    },
}
PUBLISHED = {
    "h1": "0.4621",
    "y1": "0.9242",
    "a2": "1.04621",
    "h2": "0.7790",
    "y2": "1.558",
    "L1": "0.00288",
    "L2": "0.0978",
    "L": "0.1007",
    "dL_dy2": "-0.442",
    "dL_dh2": "-0.884",
    "h2_squared": "0.6069",
    "dtanh_a2": "0.3931",
    "dL_da2": "-0.3475",
    "dL_dWx_t2": "-0.695",
    "dL_dWh_t2": "-0.1606",
}
ADAM = {"optimizer": {"adam": {"lr": 0.1}}, "gradients": [0.1, 0.2]}
EMA = {"beta": 0.9, "values": [1, 2, 3]}


@pytest.fixture(scope="module")
def bptt() -> Assignment:
    return Assignment.load(BPTT)


def marked(assignment: Assignment, reveal: str, **wishes: Any) -> Checked:
    return check(assignment, PUBLISHED, reveal=reveal, **wishes)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("dL_dWx_t2", Partial(Symbol("L"), Symbol("W", "x,t2"))),
        ("dL/dy2", Partial(Symbol("L"), Symbol("y", "2"))),
        ("dE_dw", Partial(Symbol("E"), Symbol("w"))),
        ("dL1_dh2", Partial(Symbol("L", "1"), Symbol("h", "2"))),
        ("Wx", Symbol("W", "x")),
        ("Wh_t2", Symbol("W", "h,t2")),
        ("h2_squared", Symbol("h", "2,squared")),
        ("net_h1", Symbol("net", "h1")),
        ("h1", Symbol("h", "1")),
        ("data_dim", Symbol("data", "dim")),
        ("total", Symbol("total")),
        ("_x", Symbol("_x")),
        ("权重_1", Symbol("权重", "1")),
    ],
)
def test_names_of_steps_are_read_as_symbols(name: str, symbol: Symbol | Partial):
    assert stepped(name) == symbol


def test_the_order_is_the_sheets(bptt: Assignment):
    found = marked(bptt, "steps")
    assert [mark.key for mark in found.marks] == list(BPTT["steps"])
    assert found.first_error == "h2"


def test_names_and_symbols_are_not_said_twice(bptt: Assignment):
    page = marked(bptt, "steps").print("text")
    assert "∂L/∂W_{x,t2}" in page and "dL_d" not in page
    assert "For h₂ you wrote 0.7790." in page and "(h₂)" not in page
    assert "mhat@1 (m̂₁)" in check(ADAM, {"mhat@1": "0.1"}, reveal="steps").print("text")


def test_everything_revealed_is_a_worked_sheet(bptt: Assignment):
    page = re.sub(r"\s+", " ", marked(bptt, "all").print("text"))
    assert "Given numbers x₁ = 1.0" in page
    assert "h₂ = tanh(a₂) ≈ tanh(1.046) ≈ 0.7803 yours: 0.7790 ✗ wrong" in page
    assert "L₂ = (y₂ − t₂)²/2" in page
    assert "∂L/∂W_{x,t2} = ∂L/∂a₂·x₂" in page
    for reveal in ("none", "first", "steps"):
        assert "Every step in turn" not in marked(bptt, reveal).print("text")


@pytest.mark.parametrize(
    ("file", "answers", "line"),
    [
        (ADAM, {"m@1": "0.0100"}, "m₂ = β₁·m₁ + (1 − β₁)·g₂ = 0.9·0.01 + (1 − 0.9)·0.2 = 0.029"),
        (EMA, {"s@2": "1.20"}, "s₂ = β·s₁ + (1 − β)·x₂ = 0.9·1 + (1 − 0.9)·2 = 1.1 yours: 1.20 ✗ wrong"),
    ],
    ids=["adam", "ema"],
)
def test_studies_are_worked_too(file: dict[str, Any], answers: dict[str, str], line: str):
    page = re.sub(r"\s+", " ", check(file, answers, reveal="all").print("text"))
    assert line in page and "t = 3" not in page


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_takes_them(bptt: Assignment, format: str, lang: str):
    assert marked(bptt, "all", lang=lang).print(format)


def test_latex_takes_the_sheet(bptt: Assignment, pdflatex: str, tmp_path: Path):
    import subprocess

    (tmp_path / "sheet.tex").write_text(marked(bptt, "all").print("latex"))
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
