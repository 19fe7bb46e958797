"""Batches: the counts against plain Python, the gradients and variances of the small data set, a page in every format."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.cli import main
from derive.document import Table
from derive.errors import InputError, WitnessError
from derive.language import LANGUAGES
from derive.solution import Solution, study
from derive.studies import batches, samples
from derive.studies.samples import COUNT, RATE, XS, YS

COUNTS = ("iterations", "last_batch", "updates", "seen")


def cut(samples: Any, batch_size: Any, epochs: Any = 1, **more: Any) -> Solution:
    return study("batches", {"samples": samples, "batch_size": batch_size, "epochs": epochs, **more})


def counted(samples: int, size: int, epochs: int, drop_last: bool) -> tuple[int, int, int, int]:
    """The same by making the batches."""
    everyone = [*range(samples)]
    batches = [everyone[first : first + size] for first in range(0, samples, size)]
    batches = [batch for batch in batches if len(batch) == size or not drop_last]
    return len(batches), len(batches[-1]), epochs * len(batches), epochs * sum(map(len, batches))


# counts -------------------------------------------------------------------------------------------------------------
@settings(max_examples=15)
@given(samples=st.integers(1, 3000), size=st.integers(1, 3000), epochs=st.integers(1, 50), drop_last=st.booleans())
def test_counts(samples: int, size: int, epochs: int, drop_last: bool) -> None:
    size = min(size, samples) if drop_last else size
    solution = cut(samples, size, epochs, drop_last=drop_last)
    assert tuple(int(solution[id]) for id in COUNTS) == counted(samples, size, epochs, drop_last)


@pytest.mark.parametrize(
    "samples, size, drop_last, line",
    [
        (1000, 32, False, "I = ⌈N/B⌉ = ⌈1000/32⌉ = 32"),
        (1000, 32, True, "I = ⌊N/B⌋ = ⌊1000/32⌋ = 31"),
        (1000, 25, False, "I = ⌈N/B⌉ = ⌈1000/25⌉ = 40"),
        (12345678, 1, False, "N = q·B + r = 12345678·1 + 0 = 12345678"),
        (10, 64, False, "B_I = N − (I − 1)·B = 10 − (1 − 1)·64 = 10"),
    ],
)
def test_lines_are_written_out(samples: int, size: int, drop_last: bool, line: str) -> None:
    assert line in str(cut(samples, size, drop_last=drop_last).print("text"))


@pytest.mark.parametrize("wishes", [{"round_as_you_go": True}, {"exact": True}, {"decimals": 2}], ids=str)
def test_counts_are_never_rounded(wishes: dict[str, Any]) -> None:
    solution = study("batches", {"samples": 123457, "batch_size": 2, "epochs": 31}, **wishes)
    assert int(solution["updates"]) == 61729 * 31
    assert "U = E·I = 31·61729 = 1913599" in str(solution.print("text"))


def test_the_largest_sizes() -> None:
    solution = cut(10**12, 7, 10**12)
    assert float(solution["updates"]) == pytest.approx(-(-(10**12) // 7) * 1e12, rel=1e-15)
    assert solution.print("html")


def test_json_names_everything() -> None:
    data = json.loads(cut(1000, 3, 2).to_json())
    found = data["quantities"]
    samples = [f"{letter}@{i}" for letter in "xyg" for i in range(1, COUNT + 1)]
    for id in (*COUNTS, "samples", "batch_size", "epochs", *samples, "gbar", "variance", "w@0", "w_mini@2", "w_one@6"):
        assert found[id]["shape"] == [] and isinstance(found[id]["value"], float)
    roles = {id: found[id]["role"] for id in ("iterations", "g@1", "gbar", "w_full@1", "variance", "x@1", "y@1", "lr")}
    assert [*roles.values()] == ["count", "gradient", "gradient", "parameter", "variance", "input", "target", "hyper"]
    assert len(data["witnesses"]) == 4 and all(w["ok"] and w["compared"] for w in data["witnesses"])


# the small data set -------------------------------------------------------------------------------------------------
def slopes(w: float, *samples: int) -> list[float]:
    return [2 * (w * XS[i] - YS[i]) * XS[i] for i in samples]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
@pytest.mark.parametrize("drop_last", [False, True])
def test_updates(size: int, drop_last: bool) -> None:
    solution, rate = cut(60, size, drop_last=drop_last), float(RATE)
    assert [float(solution[f"g@{i + 1}"]) for i in range(COUNT)] == slopes(0, *range(COUNT))
    assert float(solution["w_full@1"]) == pytest.approx(-rate * np.mean(slopes(0, *range(COUNT))))
    for way, length in (("one", 1), ("mini", size)):
        w = 0.0
        for k, first in enumerate(range(0, COUNT, length), 1):
            batch = range(first, min(first + length, COUNT))
            if drop_last and len(batch) < length:
                assert f"w_{way}@{k}" not in solution.document.quantities
                continue
            w -= rate * float(np.mean(slopes(w, *batch)))
            assert float(solution[f"w_{way}@{k}"]) == pytest.approx(w, rel=1e-14)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_variances_are_those_of_all_batches(size: int) -> None:
    solution, every = cut(60, size), slopes(0, *range(COUNT))
    assert float(solution["variance"]) == pytest.approx(np.var(every))
    replaced = [np.mean(batch) for batch in itertools.product(every, repeat=size)]
    drawn = [np.mean(batch) for batch in itertools.combinations(every, size)]
    assert float(solution["variance_batch"]) == pytest.approx(np.var(replaced))
    assert float(solution["variance_drawn"]) == pytest.approx(np.var(drawn))
    text = str(solution.print("text"))
    assert f"{COUNT**size:,} with replacement, {math.comb(COUNT, size)} without" in text


def test_a_gradient_without_its_factor_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = samples.gradient
    monkeypatch.setattr(samples, "gradient", lambda w, i: right(w, i) / 2)
    with pytest.raises(WitnessError):
        cut(60, 2)


def test_a_wrong_count_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches.Cut, "iterations", property(lambda self: self.samples // self.batch + 1))
    with pytest.raises(WitnessError, match="cuts"):
        cut(60, 2)


@pytest.mark.parametrize("size, shown", [(1, 2), (2, 2), (5, 5), (6, 2), (32, 2)])
def test_the_batch_size_asked_for_is_shown_where_it_fits(size: int, shown: int) -> None:
    assert float(cut(1000, size)["b"]) == shown


def test_side_by_side() -> None:
    (table,) = (
        b for s in cut(1000, 32, 10).document.sections for b in s.blocks if isinstance(b, Table) and b.id == "compare"
    )
    assert [row[1:] for row in table.rows[:4]] == [
        ("1000", "1", "32"),
        ("1", "1000", "32"),
        ("10", "10000", "320"),
        ("1000", "1000", "1000"),
    ]


# pages --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("file", [(64, 4), (1000, 32, True), (3, 7)], ids=str)
def test_every_format(language: str, file: tuple[Any, ...]) -> None:
    given_ = dict(zip(("samples", "batch_size", "drop_last"), file))
    solution = study("batches", {**given_, "epochs": 2}, lang=language)
    for format in ("html", "latex", "markdown", "text", "json", "svg", "tikz"):
        assert solution.print(format)


# errors -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "file, problem",
    [
        ({"samples": 10}, "missing: batch_size, epochs"),
        ({"samples": 0, "batch_size": 1, "epochs": 1}, "at least 1"),
        ({"samples": -5, "batch_size": 1, "epochs": 1}, "at least 1"),
        ({"samples": 10, "batch_size": 2.5, "epochs": 1}, "whole number"),
        ({"samples": 10, "batch_size": 2, "epochs": "many"}, "expected a number"),
        ({"samples": 10**12 + 1, "batch_size": 2, "epochs": 1}, "at most 1,000,000,000,000"),
        ({"samples": 10, "batch_size": 20, "epochs": 1, "drop_last": True}, "no iteration at all"),
        ({"samples": 10, "batch_size": 2, "epochs": 1, "drop_last": "yes"}, "true or false"),
        ({"samples": 10, "batchsize": 2, "epochs": 1}, "Did you mean 'batch_size'"),
    ],
)
def test_what_is_refused(file: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as refusal:
        study("batches", file)
    assert "\n" not in str(refusal.value)


def said(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["batches", *words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command(tmp_path: Path) -> None:
    sizes = ("--samples", "1000", "--batch-size", "32", "--epochs", "10")
    code, out, _ = said(*sizes, "--drop-last", "-o", "-", "-f", "json")
    assert code == 0 and json.loads(out)["quantities"]["updates"]["value"] == 310
    file = tmp_path / "sizes.yaml"
    file.write_text("samples: 10\nbatch_size: 3\nepochs: 2\ndrop_last: false\n", encoding="utf-8")
    code, out, _ = said(str(file), "-o", "-")
    assert code == 0 and "I = ⌈N/B⌉ = ⌈10/3⌉ = 4" in out
    for words in ([], ["--samples", "3"], [str(file), *sizes], [*sizes[:2], "--batch-size", "0", *sizes[4:]]):
        code, out, err = said(*words)
        assert code == 2 and out == "" and len(err.strip().splitlines()) == 1
