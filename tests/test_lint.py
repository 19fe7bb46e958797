"""`derive lint`: what the numbers of an exercise hide, held against marking, by which it would be accepted or not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import validate

import derive
from derive.cli import main
from derive.errors import InputError
from derive.formula import Formula
from derive.homework import ladder
from derive.homework.bench import Bench
from derive.homework.circuit import Circuit
from derive.homework.compute import number
from derive.homework.degenerate import Reason, reasons
from derive.homework.exercise import of_network
from derive.homework.lint import Case, Lint, hides
from derive.homework.lint_report import LintReport, as_written
from derive.homework.linted import Linted, lint
from derive.homework.nearby import Change, Score, Suggestion, changed
from derive.homework.policy import Precision
from derive.homework.printed import FORMATS
from derive.homework.reading import read_number
from derive.language import Words, part
from derive.spec import load

pytestmark = pytest.mark.xdist_group("lint")  # one process looks at what these tests share

PLACES = Precision(None, 4)


def net(**changed: Any) -> dict[str, Any]:
    """A small network in whose numbers nothing is degenerate."""
    return {
        "inputs": [0.7, -0.4],
        "targets": [0.3, 0.8],
        "layers": [
            {"linear": {"out": 2, "weight": [[0.31, -0.52], [0.64, 0.27]], "bias": [0.12, -0.23]}},
            "sigmoid",
            {"linear": {"out": 2, "weight": [[0.45, -0.38], [-0.71, 0.56]], "bias": [0.17, 0.34]}},
            "sigmoid",
        ],
        "loss": "half_squared_error",
        "optimizer": {"sgd": {"lr": 0.3}},
    } | changed


def layers(first: dict[str, Any] | None = None, second: dict[str, Any] | None = None, act: Any = "sigmoid") -> Any:
    plain = net()["layers"]
    one, other = ({"linear": {**plain[i]["linear"], **(new or {})}} for i, new in ((0, first), (2, second)))
    return [one, *(act if isinstance(act, list) else [act]), other, "sigmoid"]


@cache
def looked_at(name: str, only: str = "", **wishes: Any) -> Linted:
    """An example, looked at once for all tests; without suggestions unless they are wished for."""
    return lint(name, **{"suggest": False, **({"only": [only]} if only else {}), **wishes})


def hidden(found: Linted, key: str) -> dict[str, set[str]]:
    """Rule -> where it is made, of the mistakes that are hidden at a step."""
    made: dict[str, set[str]] = {}
    for case in found.hidden:
        if case.key == key:
            made.setdefault(case.rule, set()).add(case.at)
    return made


def alike(found: Linted, key: str) -> list[set[tuple[str, str]]]:
    return [{(case.rule, case.at) for case in twins.cases} for twins in found.look_alikes if twins.key == key]


# a published network --------------------------------------------------------------------------------------------------
def test_a_weight_at_four_decimals_hides_mistakes_in_its_gradient():
    found = looked_at("mazur", "w1+", decimals=4)
    made = hidden(found, "W1+[1,1]")
    assert made["B13"] == made["B14"] == {"dL/da1[1]"} and "da1/dz1[1]" in made["B5"]
    written = {as_written(case.wrong, PLACES) for case in found.hidden} | {as_written(found.hidden[0].right, PLACES)}
    assert written == {"0.1498"}
    assert all(case.at != "W1+[1,1]" for case in found.hidden)  # what is done at the step itself shows


def test_significant_digits_show_what_decimals_hide():
    few, enough = (looked_at("mazur", "dL/dw1", **d) for d in ({"decimals": 4}, {"significant": 4}))
    backward = {
        rule: at for rule, at in hidden(few, "dL/dW1[1,1]").items() if rule.startswith("B") and "dL/da2" not in at
    }
    assert {"B13", "B5", "B4"} <= backward.keys()
    assert enough.hidden == ()


def test_a_factor_of_two_looks_like_the_wrong_input_or_a_forgotten_rate():
    inputs = alike(looked_at("mazur", "dL/dw1", significant=4), "dL/dW1[1,1]")
    assert any({("B8", "dL/da2"), ("B17", "dL/dW1[1,1]")} <= group for group in inputs)
    rate = alike(looked_at("mazur", "w5+", significant=4), "W2+[1,1]")
    assert any({("B8", "dL/da2[1]"), ("O2", "W2+[1,1]")} <= group for group in rate)
    assert looked_at("mazur").degenerate == ("proportional_inputs", "half_rate")


# degenerate data ------------------------------------------------------------------------------------------------------
BATCH = [[0.7, -0.4], [0.2, 0.9]]
DEGENERATE: list[tuple[str, dict[str, Any]]] = [
    ("proportional_inputs", {"inputs": [0.3, 0.6]}),
    ("proportional_inputs", {"inputs": [0.3, -0.3]}),
    ("special_inputs", {"inputs": [1, 0.4]}),
    ("equal_targets", {"targets": [0.3, 0.3]}),
    ("one_sample", {"loss": "mse"}),
    ("mean_of_two", {"loss": "mse"}),
    ("mean_of_two", {"inputs": BATCH, "targets": [[0.3, 0.8], [0.6, 0.1]], "loss": {"half_squared_error": {"reduction": "mean"}}}),
    ("equal_weights", {"layers": layers({"weight": [[0.31, 0.31], [0.64, 0.27]]})}),
    ("symmetric", {"layers": layers({"weight": [[0.31, 0.64], [0.64, 0.27]]})}),
    ("zero_bias", {"layers": layers({"bias": [0, 0.2]})}),
    ("equal_biases", {"layers": layers({"bias": [0.2, 0.2]})}),
    ("one_output", {"targets": [0.3], "layers": layers(second={"out": 1, "weight": [[0.4, -0.3]], "bias": [0.1]})}),
    ("half", {"layers": layers({"weight": [[0.4, 0.7], [0.64, 0.27]], "bias": [0, 0.2]})}),
    ("flat_tanh", {"layers": layers({"weight": [[0.4, 0.7], [0.64, 0.27]], "bias": [0, 0.2]}, act="tanh")}),
    ("all_active", {"layers": layers({"bias": [0.7, 0.8]}, act="relu")}),
    ("all_dead", {"layers": layers({"bias": [-3, -4]}, act="relu")}),
    ("all_kept", {"layers": layers(act=["sigmoid", {"dropout": {"p": 0.25, "mask": [1, 1]}}])}),
    ("half_dropped", {"layers": layers(act=["sigmoid", {"dropout": {"p": 0.5, "mask": [1, 0]}}])}),
    ("plain_norm", {"inputs": BATCH, "targets": [[0.3, 0.8], [0.6, 0.1]], "layers": layers(act=["batch_norm", "sigmoid"])}),
    ("zero_mean", {"inputs": [[0.7, -0.4], [-0.7, 0.4]], "targets": [[0.3, 0.8], [0.6, 0.1]], "layers": layers({"bias": [0, 0]}, act=["batch_norm", "sigmoid"])}),
    ("half_rate", {"optimizer": {"sgd": {"lr": 0.5}}}),
    ("rate_of_one", {"optimizer": {"sgd": {"lr": 1}}}),
    ("adam_first_step", {"optimizer": "adam"}),
    ("first_step", {"optimizer": {"momentum": {"lr": 0.3}}}),
    ("first_step", {"optimizer": {"sgd": {"lr": 0.3, "momentum": 0.9}}}),
    ("equal_betas", {"optimizer": {"adam": {"betas": [0.9, 0.9]}}, "steps": 2}),
    ("plain_decay", {"optimizer": {"sgd": {"lr": 0.3, "weight_decay": 0.1}}}),
    ("plain_decay", {"regularization": {"l2": 0.1}}),
]  # fmt: skip


def test_nothing_is_said_of_sound_numbers():
    found = lint(net(), significant=5, suggest=False)
    assert found.degenerate == () and found.clean and found.warnings == 0


@pytest.mark.parametrize("kind, change", DEGENERATE, ids=[f"{kind}{i}" for i, (kind, _) in enumerate(DEGENERATE)])
def test_degenerate_data_are_named(kind: str, change: dict[str, Any]):
    assert kind in [reason.kind for reason in reasons(circuit_of(net(**change)))]


NOT_SO: list[tuple[str, dict[str, Any]]] = [
    ("one_sample", {"inputs": BATCH, "targets": [[0.3, 0.8], [0.6, 0.1]], "loss": "mse"}),
    ("equal_targets", {"targets": [0], "loss": "cross_entropy", "layers": layers()[:3]}),
    ("adam_first_step", {"optimizer": "adam", "steps": 2}),
    ("first_step", {"optimizer": {"momentum": {"lr": 0.3}}, "steps": 2}),
    ("plain_decay", {"optimizer": {"sgd": {"lr": 0.3, "weight_decay": 0.1, "momentum": 0.9}}}),
    ("plain_decay", {"optimizer": {"adamw": {"weight_decay": 0.1}}}),
    ("all_active", {"layers": layers({"bias": [-0.9, 0.8]}, act="relu")}),
    ("half_dropped", {"layers": layers(act=["sigmoid", {"dropout": {"p": 0.25, "mask": [1, 0]}}])}),
    ("equal_biases", {"layers": layers({"bias": 0.3})}),  # one number for all units
]


@pytest.mark.parametrize("kind, change", NOT_SO, ids=[f"{kind}{i}" for i, (kind, _) in enumerate(NOT_SO)])
def test_what_is_not_degenerate_is_not_named(kind: str, change: dict[str, Any]):
    assert kind not in [reason.kind for reason in reasons(circuit_of(net(**change)))]


def circuit_of(file: dict[str, Any]) -> Circuit:
    return of_network(load(file))


# hidden means accepted ------------------------------------------------------------------------------------------------
numbers = st.integers(-99, 99).map(lambda n: n / 100)


@st.composite
def exercises(draw: st.DrawFn) -> dict[str, Any]:
    def table(rows: int, columns: int) -> list[list[float]]:
        return [[draw(numbers) for _ in range(columns)] for _ in range(rows)]

    act = draw(st.sampled_from(["sigmoid", "tanh", "relu"]))
    made = [{"weight": table(2, 2), "bias": table(1, 2)[0]} for _ in range(2)]
    return net(
        inputs=table(1, 2)[0],
        layers=layers(*made, act=act),
        optimizer={"sgd": {"lr": draw(st.sampled_from([0.1, 0.5, 1]))}},
    )


precisions = st.one_of(st.integers(1, 6).map(Precision), st.integers(1, 6).map(lambda n: Precision(None, n)))


@given(exercises(), precisions)
@settings(max_examples=8, deadline=None)
def test_a_mistake_is_hidden_where_marking_would_take_it_for_right(file: dict[str, Any], precision: Precision):
    circuit = circuit_of(file)
    bench = Bench(circuit, precision)
    right, wrong = bench.run({})
    found = bench.hidden(right, wrong)[:, 0]
    for place, pair in enumerate(bench.pairs):
        slip = bench.slip(place)
        value = number(slip.formula, circuit.floats)
        assert value == pytest.approx(wrong[place, 0], nan_ok=True, rel=1e-12)
        assert right[place, 0] == circuit.floats[pair.key]
        written = read_number(as_written(value, precision)) if np.isfinite(value) else None
        if written is None or (written.value == 0 and precision.significant):
            continue  # no number, or one whose digits do not say how precise it is
        accepted = ladder.close(written, circuit.reference(pair.key), precision.unit(written))
        half = float(written.ulp) / 2
        on_the_edge = any(abs(abs(float(written.value) - x) - half) < 1e-9 * half for x in (right[place, 0], value))
        assert accepted == found[place] or on_the_edge, (
            pair.key,
            slip.rule,
            value,
            right[place, 0],
            as_written(value, precision),
        )


@given(exercises(), precisions)
@settings(max_examples=6, deadline=None)
def test_counting_many_at_once_is_counting_one_by_one(file: dict[str, Any], precision: Precision):
    circuit = circuit_of(file)
    bench = Bench(circuit, precision, ["W1+[1,1]", "W1+[1,2]", "dL/dz1[1]"])
    rows = {"x[1]": np.array([circuit.floats["x[1]"], 0.2, -0.7]), "lr": np.array([circuit.floats["lr"], 1, 0.25])}
    right, wrong = bench.run(rows)
    hides_, alike_ = bench.score(rows)
    alone, _ = bench.run({})
    assert np.allclose(alone[:, 0], right[:, 0], rtol=1e-12)
    for column in range(3):
        hidden = bench.hidden(right, wrong)[:, column]
        assert alike_[column] == len(bench.apart(bench.groups(wrong[:, column], hidden)))
        assert hides_[column] == np.sum(hidden & ~bench.near.never)


def test_a_mistake_is_carried_to_the_step_that_is_asked_for():
    """What is put in for one step, or for all of a quantity, and worked on from there, is what the bench says."""
    circuit = looked_at("mazur").circuit
    bench = Bench(circuit, PLACES, ["W1+[1,1]", "L"])
    _, wrong = bench.run({})
    seen = 0
    for place, pair in enumerate(bench.pairs):
        slip = bench.slip(place)
        made = {key: number(formula, circuit.floats) for key, formula in slip.formulas.items()}
        if pair.key not in made and all(np.isfinite(list(made.values()))):
            assert wrong[place, 0] == pytest.approx(circuit.chain(made)[pair.key], rel=1e-9)
            seen += len(made) > 1
    assert seen > 20


def test_the_measure_for_other_numbers_is_the_count_of_the_page():
    for found in (looked_at("mazur"), lint(net(inputs=[1, 1]), suggest=False)):
        assert hides(found.circuit, found.found.precision) == len(found.hidden)


# what a mistake is hidden by ------------------------------------------------------------------------------------------
def test_a_lost_sign_is_hidden_by_signs_alone():
    found = looked_at("mazur", significant=4).found
    causes = {case.cause for case in found.hidden if case.rule == "B24"}
    assert causes == {"signs"} and all(case.right > 0 for case in found.hidden if case.rule == "B24")
    assert "B24" not in found.unseen  # a negative gradient elsewhere shows it


def test_what_shows_nowhere_is_named():
    found = lint(
        net(layers=layers({"weight": [[0.31, 0.5], [0.5, 0.27]]}, {"weight": [[0.4, -0.3], [-0.3, 0.6]]})),
        suggest=False,
    )
    assert "B14" in found.found.unseen and "F2" not in found.found.unseen  # the weights after the update differ
    assert hidden(found, "z1[1]")["F2"] == {"z1[1]"}


# suggestions ----------------------------------------------------------------------------------------------------------
def rewritten(file: dict[str, Any], changes: tuple[Change, ...]) -> dict[str, Any]:
    """The file with other numbers typed into it."""
    made = json.loads(json.dumps(file))
    for change in changes:
        name, _, index = change.key.rstrip("]").partition("[")
        places = [int(i) - 1 for i in index.split(",")] if index else []
        value = float(change.new)
        if name == "lr":
            made["optimizer"]["sgd"]["lr"] = value
        elif name in ("x", "t"):
            made["inputs" if name == "x" else "targets"][places[0]] = value
        else:
            linear = made["layers"][{"1": 0, "2": 2}[name[1]]]["linear"]
            if name[0] == "W":
                linear["weight"][places[0]][places[1]] = value
            else:
                linear["bias"][places[0]] = value
    return made


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": [1, 2]},
        {"optimizer": {"sgd": {"lr": 1}}, "inputs": [0.5, 0.25]},
        {"layers": layers({"weight": [[0.5, 0.5], [0.5, 0.5]], "bias": [0, 0]}, act="relu")},
        {"targets": [0.5, 0.5], "layers": layers(second={"weight": [[1, 0], [0, 1]]})},
    ],
)
def test_suggested_numbers_really_hide_less(change: dict[str, Any]):
    file = net(**change)
    found = lint(file)
    suggested = found.suggestion
    assert suggested is not None and suggested.kind == "found"
    totals = [sum(suggested.before), *(sum(one.score) for one in suggested.changes)]
    assert totals == sorted(set(totals), reverse=True)
    again = lint(rewritten(file, suggested.changes), suggest=False)
    assert Score(len(again.hidden), len(again.look_alikes), len(again.degenerate)) == suggested.after
    assert sum(suggested.before) == found.warnings > again.warnings == sum(suggested.after)


def test_changed_numbers_make_another_exercise():
    circuit = circuit_of(net())
    other = changed(circuit, {"x[1]": Fraction(3, 10), "W2[2,1]": Fraction(-1, 2), "lr": Fraction(1, 5)})
    plain = net(
        inputs=[0.3, -0.4],
        layers=layers(second={"weight": [[0.45, -0.38], [-0.5, 0.56]]}),
        optimizer={"sgd": {"lr": 0.2}},
    )
    assert other.floats == circuit_of(plain).floats and circuit.floats["x[1]"] == 0.7


def test_steps_of_the_authors_own_and_those_that_are_asked_for():
    file = net(inputs=[0.3, 0.6], check={"significant": 4, "steps": {"miss": "a2[1] - t[1]"}, "ask": ["miss", "W1+"]})
    found = lint(file)
    assert found.asked and found.found.steps == 5
    assert found.suggestion is not None and sum(found.suggestion.after) < sum(found.suggestion.before)


def test_drawn_numbers_are_left_to_their_seed():
    file = net(inputs={"randn": [1, 2]}, targets=[[1, 0]], seed=3, optimizer={"sgd": {"lr": 0.5}})
    for layer in file["layers"]:
        if isinstance(layer, dict):
            layer["linear"] = {"out": 2}
    del file["optimizer"]
    found = lint(file, significant=1)
    assert found.suggestion is not None and found.suggestion.kind == "drawn"


# the page -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name, lang", [("mazur", "en"), ("mazur", "zh"), ("softmax_classifier", "en")])
def test_every_format_of_every_page(name: str, lang: str):
    found = looked_at(name, lang=lang)
    pages = {format: found.print(format) for format in FORMATS}
    assert pages["html"].startswith("<!DOCTYPE html>") and "\\documentclass" in pages["latex"]
    assert [format for format, page in pages.items() if found.name not in page.replace("\\-", "-")] == []
    assert [format for format, page in pages.items() if "None" in page] == []
    assert lint(name, lang=lang, suggest=False).print("html") == pages["html"], "another page at another time"


def test_both_numbers_stand_in_the_table():
    page = looked_at("mazur", suggest=True).print("text")
    assert re.search(r"w1\+ .*0\.149781 +0\.150219", page)
    assert "Hidden mistakes: 6." in page and "The learning rate is ½" in page


COUNTS = {
    "type": "object",
    "required": ["hidden", "look_alikes", "degenerate"],
    "additionalProperties": {"type": "integer"},
}
CASE = {
    "type": "object",
    "required": ["id", "rule", "at", "formula", "right", "wrong", "written", "cause"],
    "properties": {
        "cause": {"enum": ["numbers", "signs", "formula"]},
        "right": {"type": "number"},
        "wrong": {"type": "number"},
    },
}
SCHEMA = {
    "type": "object",
    "properties": {
        "schema": {"const": "derive-lint/1"},
        "precision": {"required": ["significant", "decimals"]},
        "clean": {"type": "boolean"},
        "hidden": {"type": "array", "minItems": 1, "items": CASE},
        "look_alikes": {"type": "array", "minItems": 1, "items": {"required": ["id", "label", "written", "rules", "cause"], "properties": {"mistakes": {"items": CASE}}}},
        "degenerate": {"type": "array", "minItems": 1, "items": {"required": ["kind", "about", "message"]}},
        "alone": {"type": "array", "minItems": 1, "items": {"required": ["id", "mistakes", "hidden", "look_alikes"]}},
        "suggestion": {"required": ["kind", "before", "after", "changes"], "properties": {"before": COUNTS, "after": COUNTS, "changes": {"minItems": 1}}},
    },
}  # fmt: skip


def test_the_record_for_machines():
    found = looked_at("mazur", suggest=True)
    data = json.loads(found.to_json())
    validate(data, SCHEMA | {"required": list(SCHEMA["properties"])})
    assert data["warnings"] == found.warnings and data["hidden"][0]["formula"]
    assert [one["id"] for one in data["suggestion"]["changes"]] == [c.key for c in found.suggestion.changes]  # type: ignore[union-attr]


def pages() -> Iterator[Linted]:
    """Pages on which all sentences stand."""
    yield looked_at("mazur", "w1+", decimals=4)
    yield lint(net(), significant=5, suggest=False)
    found = looked_at("softmax_classifier", lang="en")
    kinds = [key.rpartition(".")[2] for key in part("en_lint") if key.startswith("lint.reason.")]
    data = tuple(Reason(kind, ("x", "x[1]"), {"name": "adam"}) for kind in kinds)
    many = found.found.hidden * 100
    cases = tuple(Case(c.key, f"{c.rule}", c.at, c.formula, c.right, c.wrong, c.cause) for c in many)
    places = tuple(
        Case(k, "B3", k, e.formula, 1.0, found.circuit.floats[k], "numbers")
        for k, e in found.circuit.entries.items()
        if e.formula is not None
    )
    causes = tuple(found.found.twins[0].__class__("L", places[:2], cause) for cause in ("numbers", "signs", "formula"))
    for kind in ("found", "none", "drawn", "large"):
        suggested = Suggestion(
            kind, Score(1, 1, 1), Score(0, 0, 0), (Change("x[1]", Fraction(1), Fraction(3, 2), Score(0, 0, 0)),)
        )
        yield with_found(
            found, degenerate=data, hidden=cases + places * 10, twins=causes, unseen=("B1",), suggested=suggested
        )


def with_found(one: Linted, **changed: Any) -> Linted:
    from dataclasses import replace

    return replace(one, found=replace(one.found, **changed))


def test_every_sentence_is_reached(monkeypatch: pytest.MonkeyPatch):
    used: set[str] = set()
    template = Words.template

    def recorded(self: Words, key: Any) -> str:
        used.add(key)
        return template(self, key)

    monkeypatch.setattr(Words, "template", recorded)
    monkeypatch.setattr("derive.homework.lint_report.MOST_ROWS", 2)
    for page in pages():
        page.print("text")
    assert set(part("en_lint")) - used == set()


# the command ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        return CliRunner().invoke(main, ["lint", *args])

    return run


def test_warnings_count_where_it_is_strict(command: Any, tmp_path: Path):
    (tmp_path / "sound.yaml").write_text(json.dumps(net(check={"significant": 5})))
    assert command("mazur", "--no-suggest").exit_code == 0
    assert command("mazur", "--no-suggest", "--strict").exit_code == 1
    assert command("sound.yaml", "--strict").exit_code == 0
    assert "Asked for: 5 significant digits." in command("sound.yaml").output
    assert list(tmp_path.iterdir()) == [tmp_path / "sound.yaml"]  # nothing is written that was not asked for


def test_files_are_written_where_they_are_wanted(command: Any, tmp_path: Path):
    assert command("mazur", "--no-suggest", "-f", "html", "-f", "json", "-q").output == ""
    assert {p.name for p in (tmp_path / "output/mazur-lint").iterdir()} == {"lint.html", "lint.json"}
    assert "Wrote a.md" in command("mazur", "--no-suggest", "-o", "a.md").output and (tmp_path / "a.md").is_file()
    assert json.loads(command("mazur", "--no-suggest", "-f", "json", "-o", "-").output)["schema"] == "derive-lint/1"
    assert command("mazur", "--no-suggest", "-o", "-", "--ascii").output.isascii()


@pytest.mark.parametrize(
    "args, message",
    [
        (["nonsense"], "nonsense"),
        (["mazur", "--only", "w99"], "there is no step 'w99'"),
        (["mazur", "--only", "x"], "'x' is given"),
        (["mazur", "--significant", "3", "--decimals", "2"], "either"),
        (["symbols_only"], "numbers"),
        (["mazur", "-o", "a.png"], "no picture"),
        (["mazur", "-f", "html", "-f", "json", "-o", "-"], "one format"),
    ],
)
def test_refusals(command: Any, args: list[str], message: str):
    result = command(*args)
    assert result.exit_code == 2 and message in result.output and "Traceback" not in result.output


def test_from_python():
    found = derive.lint("mazur", decimals=4, suggest=False)
    assert found.suggestion is None and found.warnings == 2 and not found.clean
    assert isinstance(found.found, Lint) and isinstance(found.report, LintReport)
    with pytest.raises(InputError, match="15"):
        derive.lint(net(check={"significant": 20}))


@pytest.mark.parametrize("name", ["batch_norm", "residual", "adam"])
def test_examples(name: str):
    """Every example can be looked at, and its wrong formulas give with 50 digits what they give in floats."""
    found = looked_at(name)
    assert found.document().title.endswith(found.name)
    assert all(isinstance(case.formula, Formula) for case in found.hidden)
