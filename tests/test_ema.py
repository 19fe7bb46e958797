"""Moving averages: every number against plain Python, what authors printed, and a page in every format."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from records import recorded

from derive.cli import main
from derive.document import Table
from derive.errors import InputError, WitnessError
from derive.language import LANGUAGES
from derive.printers import FORMATS
from derive.solution import Solution, study
from derive.studies import ema

PRINTED = recorded(Path(__file__).parent / "cases" / "published" / "averages" / "nist_sales.yaml")
VALUES = [10, 12, 11, 14, 12.5, 11, 13]


def averaged(values: list[Any], beta: Any = 0.9, **more: Any) -> Solution:
    return study("ema", {"beta": beta, "values": values, **more})


def plain(values: list[float], beta: float, start: str) -> list[float]:
    found, s = [], 0.0
    for t, x in enumerate(values):
        s = x if start == "first" and t == 0 else beta * s + (1 - beta) * x
        found.append(s)
    return found


# numbers ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("start", ["zero", "first"])
def test_averages_are_the_recursion(start: str) -> None:
    solution = averaged(VALUES, start=start)
    for t, want in enumerate(plain(VALUES, 0.9, start), 1):
        assert float(solution[f"s@{t}"]) == pytest.approx(want, rel=1e-14)
        assert float(solution[f"x@{t}"]) == VALUES[t - 1]
    assert ("s@0" in solution.document.quantities) == (start == "zero")
    assert not any(id.startswith("shat") for id in solution.document.quantities)


def test_the_correction_belongs_to_the_start_at_zero() -> None:
    solution = averaged(VALUES, correct=True)
    for t, s in enumerate(plain(VALUES, 0.9, "zero"), 1):
        assert float(solution[f"shat@{t}"]) == pytest.approx(s / (1 - 0.9**t), rel=1e-14)
    assert float(solution["shat@1"]) == VALUES[0]
    assert averaged(VALUES).document.conventions_in_force["start"] == "first"
    assert solution.document.conventions_in_force["start"] == "zero"


def test_json_names_everything() -> None:
    data = json.loads(averaged(VALUES, correct=True).to_json())
    days = range(1, len(VALUES) + 1)
    want = {"beta", "s@0", *(f"{letter}@{t}" for letter in ("x", "s", "shat") for t in days)}
    assert set(data["quantities"]) == want
    assert all(q["shape"] == [] and isinstance(q["value"], float) for q in data["quantities"].values())
    assert {w["name"] for w in data["witnesses"]} == {
        "averages as sums over all values, 50 digits",
        "printed formulas, 50 digits",
    }
    assert all(w["ok"] and w["compared"] for w in data["witnesses"])


def test_weights_add_up_to_one() -> None:
    for start in ("zero", "first"):
        for beta, count in ((0.9, 5), (0.5, 25), (0, 3)):
            solution = averaged([*range(count)], beta, start=start)
            (table,) = (
                b for s in solution.document.sections for b in s.blocks if isinstance(b, Table) and b.id == "weights"
            )
            values = solution.document.values
            rows = [row for row in table.rows[:-1] if row[0] != "⋯"]
            total = sum(float(values.value(row[2].name)) for row in rows)
            assert len(rows) < 12 and (count > 10 or total == pytest.approx(1, rel=1e-14))


@settings(max_examples=15)
@given(
    beta=st.integers(0, 999).map(lambda n: Fraction(n, 1000)),
    values=st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 1000), min_size=1, max_size=14),
    start=st.sampled_from(["zero", "first"]),
)
def test_recursion_is_the_closed_form(beta: Fraction, values: list[float], start: str) -> None:
    solution = averaged(values, float(beta), start=start)
    exact = [Fraction(str(x)) for x in values]
    weights = [(1 - beta) * beta**age for age in range(len(values))]
    assert sum(weights) + beta ** len(values) == 1
    start_value = exact[0] if start == "first" else Fraction(0)
    want = sum(w * x for w, x in zip(weights, reversed(exact))) + beta ** len(values) * start_value
    assert float(solution[f"s@{len(values)}"]) == pytest.approx(float(want), rel=1e-13, abs=1e-13)


def test_long_series_are_told_in_part() -> None:
    solution = averaged([t % 7 for t in range(300)], 0.98, correct=True)
    steps = [s["id"] for section in json.loads(solution.to_json())["sections"] for s in section["steps"]]
    assert [id for id in steps if id.startswith("days/")] == [f"days/{t}" for t in (1, 2, 3, 4, 300)]
    assert float(solution["s@299"]) == pytest.approx(plain([t % 7 for t in range(300)], 0.98, "zero")[298], rel=1e-12)


def test_swapped_shares_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recursion gone wrong disagrees with the sum over all values, though its lines agree with themselves."""
    right = ema.ruled

    def swapped(body: Any, nodes: Any) -> Any:
        by_id = {name.id: name for name in nodes}
        if "before" in by_id:
            nodes = {**nodes, by_id["before"]: nodes[by_id["today"]], by_id["today"]: nodes[by_id["before"]]}
        return right(body, nodes)

    monkeypatch.setattr(ema, "ruled", swapped)
    with pytest.raises(WitnessError, match="closed_form"):
        averaged(VALUES)


# published ----------------------------------------------------------------------------------------------------------
def agrees(value: float, printed: Any) -> bool:
    exponent = Decimal(str(printed)).as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(Decimal(value) - Decimal(str(printed))) <= Decimal(1).scaleb(exponent) / 2


@pytest.mark.parametrize("run", PRINTED["runs"], ids=lambda run: str(run["beta"]))
def test_published_forecasts(run: dict[str, Any]) -> None:
    values, past = PRINTED["values"], 3
    solution = averaged([*values, *[values[-1]] * past], run["beta"])
    s = [float(solution[f"s@{t}"]) for t in range(1, len(values) + past + 1)]
    errors = [(x - forecast) ** 2 for x, forecast in zip(values[1:], s)]
    assert len(run["forecasts"]) == len(values) and len(run["squared_errors"]) == len(errors)
    assert [p for v, p in zip(s, run["forecasts"]) if not agrees(v, p)] == []
    assert [p for v, p in zip(errors, run["squared_errors"]) if not agrees(v, p)] == []
    assert agrees(float(np.mean(errors)), run["mse"])
    after = s[len(values) :]
    assert all(agrees(v, p) for v, p in zip(after, run.get("past_the_data", [])))
    assert not any(agrees(v, p) for v, p in zip(after, run.get("wrong", [])))


# pages --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("more", [{"correct": True}, {}], ids=str)
def test_every_format(language: str, more: dict[str, Any]) -> None:
    solution = study("ema", {"beta": 0.9, "values": VALUES, **more}, lang=language)
    for format in ("html", "latex", "markdown", "text", "json", "svg", "tikz"):
        assert format in FORMATS and solution.print(format)


@pytest.mark.parametrize(
    "wishes", [{"exact": True}, {"decimals": 2}, {"round_as_you_go": True}, {"comma": True}], ids=str
)
def test_numbers_as_wished(wishes: dict[str, Any]) -> None:
    assert "ŝ" in str(study("ema", {"beta": 0.9, "values": VALUES, "correct": True}, **wishes).print("text"))


@pytest.mark.parametrize("values", [[5], [0, 0], [1, 2, 3], [-1e-300, 1e300]], ids=str)
def test_small_and_strange_series(values: list[float]) -> None:
    for more in ({}, {"start": "zero"}, {"correct": True}):
        for beta in (0, 0.999999):
            assert averaged(values, beta, **more).print("html")


def test_there_is_one_equals_sign_before_the_numbers() -> None:
    text = str(averaged(VALUES).print("text"))
    assert "s₂ = β·s₁ + (1 − β)·x₂ = 0.9·10 + (1 − 0.9)·12 = 10.2" in text


# errors -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "file, problem",
    [
        ({"values": [1]}, "no beta"),
        ({"beta": 1, "values": [1]}, "less than 1"),
        ({"beta": -0.1, "values": [1]}, "at least 0"),
        ({"beta": "much", "values": [1]}, "expected a number"),
        ({"beta": 0.9}, "no values"),
        ({"beta": 0.9, "values": []}, "no values"),
        ({"beta": 0.9, "values": [1, "two"]}, "the text 'two'"),
        ({"beta": 0.9, "values": [1] * 10_001}, "10,001 values"),
        ({"beta": 0.9, "values": [1], "start": "frist"}, "Did you mean 'first'"),
        ({"beta": 0.9, "values": [1], "start": "first", "correct": True}, "no bias"),
        ({"beta": 0.9, "values": [1], "correct": "yes"}, "true or false"),
        ({"beta": 0.9, "valeus": [1]}, "Did you mean 'values'"),
    ],
)
def test_what_is_refused(file: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as refusal:
        study("ema", file)
    assert "\n" not in str(refusal.value)


def said(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["ema", *words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command(tmp_path: Path) -> None:
    code, out, _ = said("--beta", "0.9", "10", "-12", "1/3", "1e1,2", "-o", "-", "-f", "json")
    assert code == 0 and json.loads(out)["quantities"]["x@2"]["value"] == -12
    file = tmp_path / "average.yaml"
    file.write_text("beta: 0.9\nvalues: [1, 2]\ncorrect: true\n", encoding="utf-8")
    code, out, _ = said(str(file), "-o", "-")
    assert code == 0 and "ŝ" in out
    assert said("--beta", "0.5", "0.25", "-o", "-")[0] == 0
    for words in (
        [],
        ["1", "2"],
        ["--beta", "1", "2"],
        ["--beta", "0.9"],
        ["--beta", "0.9", "a"],
        [str(file), "--beta", "0.9"],
    ):
        code, out, err = said(*words)
        assert code == 2 and out == "" and len(err.strip().splitlines()) == 1


def test_latex_needs_no_other_fonts() -> None:
    """Nothing on an English page asks for the fonts of other scripts: t−1 in an index is mathematics."""
    latex = str(averaged(VALUES, correct=True).to_latex())
    assert "CJK" not in latex and "s_{t-1}" in latex
