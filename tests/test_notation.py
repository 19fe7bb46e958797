"""Notations: every preset prints every example, every switch changes what it should, and the page says so."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from derive.errors import InputError
from derive.notation import CHOICES, LETTERS, PRESETS
from derive.printers import FORMATS
from derive.printers.terminal import page as text_page
from derive.solution import Solution, solve

PRINTED = [name for name in FORMATS if name not in ("png", "pdf", "docx", "diagram-pdf") and not FORMATS[name].several]
NET: dict[str, Any] = {
    "inputs": [0.05, 0.10],
    "targets": [0.01, 0.99],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.5}},
    "layers": [
        {"linear": {"out": 3, "weight": [[0.15, 0.2], [0.25, 0.3], [0.1, 0.7]], "bias": [0.35, 0.25, 0.15]}},
        "sigmoid",
        {"linear": {"out": 2, "weight": [[0.4, 0.45, 0.3], [0.5, 0.55, 0.2]], "bias": [0.6, 0.5]}},
        "sigmoid",
    ],
}


def with_notation(form: str = "both", net: dict[str, Any] = NET, **switches: Any) -> Solution:
    if net is NET:
        return noted(form, **switches)
    return solve({**net, "notation": switches} if switches else net, form=form)


@cache
def noted(form: str, **switches: Any) -> Solution:
    """The network of these tests in a notation, solved once."""
    return solve({**NET, "notation": switches} if switches else NET, form=form)


def page(solution: Solution) -> str:
    return text_page(solution.document, width=10**6)


def conventions(solution: Solution) -> str:
    text = page(solution)
    return text[text.index("Conventions in force") : text.index("\nWitnesses")]


def lines(solution: Solution) -> dict[str, dict[str, Any]]:
    """The lines of the scalar form and of the matrix form, by id."""
    sections = json.loads(solution.to_json())["sections"]
    found: dict[str, dict[str, Any]] = {}
    for line in (line for section in sections for step in section["steps"] for line in step["lines"]):
        found.setdefault(re.sub(r"^-(?:\d+\*)?", "", line["id"]), line)
    return found


def row(solution: Solution, start: str) -> str:
    return next(line.strip() for line in page(solution).splitlines() if line.strip().startswith(start))


# presets --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("name", ["mazur", "xor", "regression", "relu_fractions", "softmax_classifier"])
def test_presets_render_the_examples(name: str, preset: str) -> None:
    solution = solve(name, notation=preset, form="both", level="full")
    assert solution.document.witnesses
    assert all(witness.ok for witness in solution.document.witnesses)
    assert solution.document.conventions_in_force["notation"] == preset
    assert "Notation: " in conventions(solution)
    for format in PRINTED:
        assert len(solution.print(format)) > 300


def test_presets_are_told_apart() -> None:
    named = {re.findall("Notation: .*", conventions(with_notation(preset=preset)))[0] for preset in PRESETS}
    assert len(named) == len(PRESETS)


@pytest.mark.parametrize(
    ("preset", "signs"),
    [
        ("standard", ["z⁽¹⁾₁", "a⁽²⁾₂", "δ⁽²⁾₁", "∂L/∂w⁽¹⁾₁₂", "η"]),
        ("mazur", ["netₕ₁", "outₒ₂", "Eₜₒₜₐₗ", "δₒ₁", "w₆"]),
        ("nielsen", ["z²₁", "a³₂", "δ³₁", "C"]),
        ("ng", ["z^{[1]}₁", "a^{[2]}₂", "dz^{[2]}₁", "dw^{[2]}₁₁", "α", "J"]),
        ("d2l", ["h⁽¹⁾₁", "o₁", "ŷ₁", "J"]),
        ("bishop", ["a⁽¹⁾₁ =", "z⁽²⁾₂ =", "E"]),
        ("haykin", ["v₃", "y₆", "d₆", "w₆₃", "θ₆", "δ₇"]),
        ("rows", ["lr", "dL/dw⁽¹⁾₂₁", "X W⁽¹⁾|x W⁽¹⁾"]),
    ],
)
def test_presets_have_their_letters(preset: str, signs: list[str]) -> None:
    text = page(with_notation(preset=preset))
    for sign in signs:
        assert any(one in text for one in sign.split("|")), sign


# letters --------------------------------------------------------------------------------------------------------------
SHOWS = {
    "x": "x",
    "target": "t",
    "z": "z1",
    "a": "a1",
    "weight": "W1",
    "bias": "b1",
    "loss": "L",
    "error": "l",
    "rate": "lr",
}


@pytest.mark.parametrize("letter", [letter for letter in LETTERS if letter != "shared_bias"])
def test_letters(letter: str) -> None:
    plain, changed = with_notation("scalar"), with_notation("scalar", **{letter: "q"})
    assert "q" not in re.sub("[a-z]{2,}", "", body_lines(plain))
    assert "q" in re.sub("[a-z]{2,}", "", body_lines(changed))
    if letter == "delta":
        assert lines(changed)["dL/dz2[1]"]["target"]["text"].startswith("q")
        return
    quantities = json.loads(changed.to_json())["quantities"]
    assert quantities[SHOWS[letter]]["latex"].strip("\\").lower().replace("mathbf{", "").startswith("q")


def body_lines(solution: Solution) -> str:
    return "\n".join(
        line for line in page(solution).splitlines() if line.startswith("  ") and (" = " in line or " ≈ " in line)
    )


def test_a_letter_of_the_shared_bias() -> None:
    net = {**NET, "layers": [{"linear": {"out": 2, "weight": [[1, 2], [3, 4]], "bias": 0.5}}]}
    assert "q⁽¹⁾" in page(with_notation("scalar", net, shared_bias="q"))
    assert "q⁽¹⁾" in page(with_notation("scalar", net, bias="q"))


@pytest.mark.parametrize("alias", ["E", "C", "J", "L"])
def test_the_loss_takes_its_errors_along(alias: str) -> None:
    text = body_lines(with_notation("scalar", loss=alias))
    assert f"∂{alias}/∂a⁽²⁾₁" in text and f"{alias}₁ = (1/2)" in text


def test_a_letter_is_only_ever_a_letter() -> None:
    for letter in ("{j}", "a|b", "<q>", "$x$", "%", "\\input"):
        solution = with_notation("scalar", z=letter)
        for format in ("html", "svg", "latex", "markdown"):
            assert "<q>" not in str(solution.print(format))
        assert r"\input" not in solution.to_latex()


# indices ----------------------------------------------------------------------------------------------------------------
def test_index_order() -> None:
    to_from, from_to = with_notation(), with_notation(index_order="from-to")
    assert lines(to_from)["dL/dW1[3,2]"]["target"]["text"] == "∂L/∂w⁽¹⁾₃₂"
    assert lines(from_to)["dL/dW1[3,2]"]["target"]["text"] == "∂L/∂w⁽¹⁾₂₃"
    assert lines(from_to)["dL/dW1[3,2]"]["value"] == lines(to_from)["dL/dW1[3,2]"]["value"]
    assert with_notation(index_order="to-from").to_json() == with_notation(weight="w").to_json() == to_from.to_json()


def test_numbering() -> None:
    target, source = with_notation(numbering="target"), with_notation(numbering="source")
    by_target = {
        "W1[1,1]": "w₁",
        "W1[1,2]": "w₂",
        "W1[2,1]": "w₃",
        "W1[3,2]": "w₆",
        "W2[1,1]": "w₇",
        "W2[1,2]": "w₈",
        "W2[2,3]": "w₁₂",
    }
    by_source = {
        "W1[1,1]": "w₁",
        "W1[1,2]": "w₄",
        "W1[2,1]": "w₂",
        "W1[3,2]": "w₆",
        "W2[1,1]": "w₇",
        "W2[1,2]": "w₉",
        "W2[2,3]": "w₁₂",
    }
    for solution, names in ((target, by_target), (source, by_source)):
        for id, name in names.items():
            assert lines(solution)[f"dL/d{id}"]["target"]["text"] == f"∂L/∂{name}"


@pytest.mark.parametrize("first", [0, 1, 2])
def test_first_layer(first: int) -> None:
    raised = dict(zip("0123", "⁰¹²³", strict=True))
    found = lines(with_notation(first_layer=first))
    assert found["z1[1]"]["target"]["text"] == f"z⁽{raised[str(first)]}⁾₁"
    assert found["a2[2]"]["target"]["text"] == f"a⁽{raised[str(first + 1)]}⁾₂"


# form -------------------------------------------------------------------------------------------------------------------
def test_layout() -> None:
    batch = {**NET, "inputs": [[0.05, 0.1], [0.3, 0.4], [1, 2], [3, 4]], "targets": [[0, 1]] * 4}
    columns, rows = with_notation("matrix", batch), with_notation("matrix", batch, layout="rows")
    assert lines(columns)["z1"]["formula"]["text"] == "W⁽¹⁾ X + b⁽¹⁾"
    assert lines(rows)["z1"]["formula"]["text"] == "X W⁽¹⁾ + b⁽¹⁾"
    assert lines(columns)["dL/dW1"]["formula"]["text"] == "δ⁽¹⁾ Xᵀ"
    assert lines(rows)["dL/dW1"]["formula"]["text"] == "Xᵀ δ⁽¹⁾"
    assert re.search(r"W⁽¹⁾ +3 × 2 ", page(columns)) and re.search(r"W⁽¹⁾ +2 × 3 ", page(rows))
    assert re.search(r"X +2 × 4 ", page(columns)) and re.search(r"X +4 × 2 ", page(rows))
    for solution in (columns, rows):  # the contract does not change
        assert solution["W1"].shape == (3, 2) and solution["x"].shape == (4, 2)


def test_bias_as() -> None:
    plain, weight, threshold = (with_notation("scalar", bias_as=kind) for kind in ("b", "weight", "threshold"))
    assert "+ b⁽¹⁾₁ = 0.15·0.05 + 0.2·0.1 + 0.35 =" in row(plain, "z⁽¹⁾₁").replace("0.10", "0.1")
    assert "+ b⁽¹⁾₁·1 = 0.15·0.05 + 0.2·0.1 + 0.35·1 =" in row(weight, "z⁽¹⁾₁").replace("0.10", "0.1")
    assert "+ b⁽¹⁾₁·(−1) = 0.15·0.05 + 0.2·0.1 + (−0.35)·(−1) =" in row(threshold, "z⁽¹⁾₁").replace("0.10", "0.1")
    for solution in (weight, threshold):
        assert solution["b1"].tolist() == plain["b1"].tolist()
    assert lines(threshold)["b1+[1]"]["value"] == pytest.approx(-lines(plain)["b1+[1]"]["value"])
    assert lines(threshold)["dL/db1[1]"]["value"] == pytest.approx(-lines(plain)["dL/db1[1]"]["value"])


def test_sign_descent() -> None:
    plain, descent = with_notation(), with_notation(sign="descent")
    for index in ("1[1]", "1[3]", "2[1]", "2[2]"):
        assert lines(descent)[f"dL/dz{index}"]["value"] == pytest.approx(-lines(plain)[f"dL/dz{index}"]["value"])
    assert "= −δ⁽²⁾₁·a⁽¹⁾₁ " in page(descent)
    assert lines(descent)["dL/dW2[1,1]"]["value"] == pytest.approx(lines(plain)["dL/dW2[1,1]"]["value"])


def test_log() -> None:
    net = {**NET, "loss": "bce"}
    assert "ln(" in page(with_notation(net=net)) and "log(" not in page(with_notation(net=net))
    assert "log(" in page(with_notation(net=net, log="log")) and "ln(" not in page(with_notation(net=net, log="log"))
    assert "natural logarithm" in conventions(with_notation(net=net, log="log"))


def test_times() -> None:
    assert "w⁽¹⁾₁₁·x₁" in page(with_notation())
    assert "w⁽¹⁾₁₁×x₁" in page(with_notation(times="×")) and "·" not in body_lines(with_notation("scalar", times="×"))
    assert "w⁽¹⁾₁₁ x₁" in page(with_notation(times="")) and r"w_{11}^{(1)}\,x_{1}" in with_notation(times="").to_latex()


def test_numbers_are_never_side_by_side() -> None:
    """Letters may stand side by side for a product; 0.15 0.05 is no product."""
    solution = with_notation("scalar", times="")
    assert re.findall(r"[=≈+−] ?[\d.]+ [\d.]+", body_lines(solution)) == []
    assert re.findall(r"\d\\,\d", solution.to_latex()) == []


def test_d_and_derivative() -> None:
    assert "∂L/∂w⁽¹⁾₁₁" in page(with_notation()) and "∂" not in body_lines(with_notation(d="d"))
    assert "dL/dw⁽¹⁾₁₁" in page(with_notation(d="d"))
    prefix = with_notation(derivative="prefix")
    assert lines(prefix)["dL/dW1[1,1]"]["target"]["text"] == "dw⁽¹⁾₁₁" and "∂L/∂w" not in page(prefix)


@pytest.mark.parametrize(("mark", "shown"), [("+", "w⁽¹⁾₁₁⁺"), ("new", "w⁽¹⁾₁₁^{new}"), ("′", "w⁽¹⁾₁₁^′")])
def test_update_mark(mark: str, shown: str) -> None:
    solution = with_notation(update=mark)
    assert lines(solution)["W1+[1,1]"]["target"]["text"] == shown
    latex = lines(solution)["W1+[1,1]"]["target"]["latex"]
    assert {"+": "(1)+}", "new": r"\mathrm{new}", "′": r"\prime"}[mark] in latex


@pytest.mark.parametrize(
    "switch",
    [{"sign": "descent"}, {"bias_as": "threshold"}, {"preset": "haykin"}, {"preset": "ng"}, {"preset": "rows"}],
)
def test_ids_are_the_same_in_every_notation(switch: dict[str, Any]) -> None:
    """The contract: every quantity has one canonical id, whatever the notation."""

    def ids(solution: Solution) -> set[str]:
        sections = json.loads(solution.to_json())["sections"]
        return {line["id"] for section in sections for step in section["steps"] for line in step["lines"]}

    assert ids(with_notation(**switch)) == ids(with_notation())


# what the page says -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "switch",
    [
        {"index_order": "from-to"},
        {"numbering": "target"},
        {"numbering": "source"},
        {"layout": "rows"},
        {"bias_as": "weight"},
        {"bias_as": "threshold"},
        {"sign": "descent"},
        {"first_layer": 0},
    ],
)
def test_the_conventions_name_what_is_in_force(switch: dict[str, Any]) -> None:
    """What changes the meaning of a symbol is named in the block of conventions, for people and for machines."""
    plain, changed = with_notation(), with_notation(**switch)
    assert conventions(changed) != conventions(plain)


def test_source_and_target_are_told_apart() -> None:
    assert conventions(with_notation(numbering="target")) != conventions(with_notation(numbering="source"))


def test_the_conventions_name_the_letters_they_use() -> None:
    """Sentences of conventions use the notation in force: no ∂E/∂v where the page has ∂L/∂z."""
    text = conventions(with_notation(sign="descent"))
    assert "∂E" not in text and "∂v" not in text


# refusals -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("notation", "words"),
    [
        ({"lyout": "rows"}, ["unknown notation switch 'lyout'", "'layout'"]),
        ({"index_ordr": "to-from"}, ["'index_order'"]),
        ({"layout": "diagonal"}, ["columns, rows"]),
        ({"index_order": "to-form"}, ["'to-from'"]),
        ({"numbering": "sauce"}, ["'source'"]),
        ({"preset": "mazr"}, ["'mazur'"]),
        ("nielson", ["'nielsen'"]),
        ({"first_layer": 7}, ["0, 1, 2"]),
        ({"times": "*"}, ["·, ×"]),
        ({"sign": "up"}, ["gradient, descent"]),
        ({"a": {"b": 1}}, ["a"]),
        ({"z": [1]}, ["z"]),
        (["rows"], []),
    ],
)
def test_unknown_switches(notation: Any, words: list[str]) -> None:
    with pytest.raises(InputError) as refusal:
        solve({**NET, "notation": notation})
    assert "\n" not in str(refusal.value)
    for word in words:
        assert word in str(refusal.value)


def test_every_choice_is_accepted() -> None:
    for switch, choices in CHOICES.items():
        for choice in choices:
            assert all(w.ok for w in with_notation(**{switch: choice}).document.witnesses), (switch, choice)
