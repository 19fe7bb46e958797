"""Numbers that authors printed beside their worked examples, against derive's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from records import recorded

from derive.errors import InputError
from derive.solution import Solution, solve

FOLDER = Path(__file__).parent / "cases" / "published"
CASES: dict[str, dict[str, Any]] = {path.stem: recorded(path) for path in sorted(FOLDER.glob("*.yaml"))}

# What derive does not offer, held to the way it says so: a case leaves this list as soon as it is offered.
NO_WEIGHT_PER_SAMPLE = {"keras_bce_with_logits_weight"}


def solved(case: dict[str, Any]) -> Solution:
    return solve(case["net"], backward=case["command"] == "backprop")


def agrees(value: float, row: dict[str, Any]) -> bool:
    """Whether the printed digits are those of the value (cases/published/README.md)."""
    ours = Decimal(float(value) * row.get("factor", 1))
    printed = Decimal(row["printed"])
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    unit = Decimal(1).scaleb(exponent)
    float_error = 4 * Decimal(2) ** -52 * max(abs(ours), abs(printed))
    if row.get("rounding") == "truncated":
        away = abs(ours) - abs(printed)
        return -float_error <= away < unit + float_error and (ours >= 0) == (printed >= 0)
    assert row.get("rounding") is None
    return abs(ours - printed) <= max(unit / 2, float_error) * (1 + Decimal("1e-9"))


def number(solution: Solution, id: str) -> float:
    value = solution[id]
    assert np.shape(value) == (), f"{id} is not one number"
    return float(value)


@pytest.mark.parametrize("name", [name for name in CASES if name not in NO_WEIGHT_PER_SAMPLE])
def test_published(name: str) -> None:
    case = CASES[name]
    solution = solved(case)
    for row in [*case["expect"], *case.get("author_chain", [])]:
        value = number(solution, row["id"])
        assert agrees(value, row), f"{row['name']}: {row['id']} = {value!r}, printed {row['printed']}"
    for row in case.get("wrong", []):
        value = number(solution, row["id"])
        assert not agrees(value, row), f"{row['name']}: {row['id']} = {value!r} is what was printed"
    assert solution.document.witnesses
    assert all(witness.ok for witness in solution.document.witnesses)


@pytest.mark.parametrize("name", sorted(NO_WEIGHT_PER_SAMPLE))
def test_weight_of_a_loss_is_per_output(name: str) -> None:
    with pytest.raises(InputError) as refusal:
        solved(CASES[name])
    assert "weight" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", [name for name in CASES if "labels" in CASES[name]["net"]])
def test_labels_name_the_same_numbers(name: str) -> None:
    """Every label, and inside dL/d… and with + after it, is the entry it stands beside."""
    case = CASES[name]
    solution = solved(case)
    known = solution.document.quantities
    for id, given in case["net"]["labels"].items():
        labels = np.array(given, dtype=object)
        if labels.shape != known[id].shape:  # one label for a whole quantity
            assert labels.shape == ()
            np.testing.assert_array_equal(solution[str(given)], solution[id])
            continue
        for index, label in np.ndenumerate(labels):
            at = f"[{','.join(str(i + 1) for i in index)}]" if index else ""
            for form in ("{}", "dL/d{}", "{}+"):
                if form.format(id) in known:
                    assert solution[form.format(label)] == solution[form.format(id) + at], form.format(label)


def test_agreement_counts_the_printed_digits() -> None:
    for value, row, verdict in [
        (0.12345, {"printed": "0.123"}, True),
        (0.1236, {"printed": "0.123"}, False),
        (0.1226, {"printed": "0.123"}, True),
        (0.1239, {"printed": "0.123", "rounding": "truncated"}, True),
        (0.1229, {"printed": "0.123", "rounding": "truncated"}, False),
        (-0.1239, {"printed": "-0.123", "rounding": "truncated"}, True),
        (0.123, {"printed": "-0.123"}, False),
        (2.0, {"printed": "-1.0", "factor": -0.5}, True),
        (1e-5, {"printed": "1.0e-5"}, True),
        (1.2e-5, {"printed": "1.0e-5"}, False),
    ]:
        assert agrees(value, row) is verdict, (value, row)
