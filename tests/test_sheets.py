"""Worksheets: what is asked for, that nothing gives it away, and that the key is what `derive check` calls right."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import derive
from derive import examples
from derive.cli import main
from derive.errors import InputError
from derive.files import LIST, fill, sum_of
from derive.homework import reading
from derive.homework.checked import Checked, check
from derive.language import LANGUAGES, Words, part
from derive.sheets.questions import letter
from derive.sheets.sheet import FORMATS, PAGES, Worksheet, worksheet
from derive.source import Item, Number, parse, read, written

FIRST = {"linear": {"out": 2, "weight": [[0.51, -0.32], [0.23, 0.44]], "bias": [0.13, 0]}}
LAST = {"linear": {"out": 1, "weight": [[0.71, -0.62]], "bias": [0.25]}}
NET: dict[str, Any] = {
    "inputs": [1.1, 2.3],
    "targets": [1],
    "layers": [FIRST, "tanh", LAST, "sigmoid"],
    "loss": "bce",
    "optimizer": {"sgd": {"lr": 0.1}},
}
ODD = {
    **NET,
    "name": "<script>alert(1)</script> & \\input{x} $ _ 练习",
    "labels": {"W1": [["w_%&#", "<b>"], ["权重", "a|b"]], "W2": [["$x$", "θ"]]},
}
SHEET = {"given": {"x1": 1.3, "w": 0.57}, "steps": {"h1": "tanh(w*x1)", "h2": "tanh(w*h1)"}}
AVERAGE = {"beta": 0.9, "values": [2.7, 1.1, 3.3], "correct": True}
DESCENT = {"optimizer": {"adam": {"lr": 0.02}}, "gradients": [4, 3.5, 3]}
NETS: dict[str, Any] = {
    **{name: name for name in examples.names() if name != "symbols_only"},
    "odd": ODD,
    "adam, two steps": {**NET, "optimizer": "adam", "steps": 2},
    "forward": {key: NET[key] for key in ("inputs", "layers")},
    "own steps": {**NET, "check": {"steps": {"exp_z": "exp(-z2[1])"}, "weights": {"L": 2.5, "W1+": 0}}},
    "sheet": SHEET,
    "average": AVERAGE,
    "descent": DESCENT,
}
ALL_HINTS = "steps,formulas,values"


def ids(found: Worksheet) -> list[str]:
    """What is asked for, by quantities."""
    return list(dict.fromkeys(found.assignment.circuit.entries[key].node.id for key in found.asked.keys))


def marked(found: Worksheet, text: str, kind: str = "yaml") -> Checked:
    (submission,) = reading.parse(text, "answers", kind)
    return check(found.assignment, submission)


@pytest.fixture(scope="module")
def mazur() -> Worksheet:
    return worksheet("mazur")


# what is asked for --------------------------------------------------------------------------------------------------------
def test_what_is_asked_for_by_itself(mazur: Worksheet) -> None:
    gradients = ["dL/da2", "dL/dz2", "dL/db2", "dL/dW2", "dL/da1", "dL/dz1", "dL/db1", "dL/dW1"]
    assert ids(mazur) == ["z1", "a1", "z2", "a2", "L", *gradients, "W1+", "W2+"]
    assert len(mazur.rows) == 35 and len(mazur.questions) == 15 and mazur.most == 35


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (["L", "z1"], ["z1", "L"]),
        ("dL/dW2[1,2],z1", ["z1", "dL/dW2"]),
        (["w5"], ["dL/dW2", "W2+"]),
        (["w5+"], ["W2+"]),
        (["loss", "updates"], ["L", "W1+", "W2+"]),
        (["z*"], ["z1", "z2", "z1+", "z2+"]),
        (["slopes"], ["da2/dz2", "da1/dz1"]),
        (["errors"], ["l"]),
        (["after"], ["z1+", "a1+", "z2+", "a2+", "l+", "L+"]),
    ],
)
def test_asking(ask: Any, found: list[str]) -> None:
    assert ids(worksheet("mazur", ask=ask)) == found


def test_all_and_steps() -> None:
    everything = worksheet({**NET, "steps": 2}, ask="all")
    assert not any(everything.assignment.circuit.entries[key].given for key in everything.asked.keys)
    second = worksheet({**NET, "steps": 2}, ask="gradients@2")
    assert all(id.endswith("@2") and id.startswith("dL/d") for id in ids(second)) and len(ids(second)) == 7


def test_the_file_says_what_is_asked_for() -> None:
    assert ids(worksheet({**NET, "check": {"ask": ["a1", "L"]}})) == ["a1", "L"]


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"ask": ["dL/dW33"]}, ["--ask: there is no step 'dL/dW33'", "'dL/dW"]),
        ({"ask": ["gradient"]}, ["'gradients'"]),
        ({"ask": ["x"]}, ["'x' is given"]),
        ({"ask": ["q*"]}, ["there is no step 'q*'"]),
        ({"ask": []}, ["nothing is left"]),
        ({"ask": ["slopes@3"]}, ["'slopes@3'"]),
        ({"hints": "formula"}, ["--hints: unknown hint 'formula'", "'formulas'"]),
        ({"significant": 3, "decimals": 2}, ["either significant or decimals"]),
        ({"net": "symbols_only"}, ["where all numbers are given"]),
    ],
)
def test_errors(wishes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        worksheet(**{"net": "mazur", **wishes})
    for word in words:
        assert word in str(error.value)


def test_numbers_that_no_answer_can_hold_are_not_asked_for() -> None:
    far = {**NET, "inputs": [1e6, 0], "layers": [FIRST, "softplus", LAST, "sigmoid"]}
    far["layers"][0] = {"linear": {"out": 1, "weight": [[-0.9, 0]], "bias": [0]}}
    far["layers"][2] = {"linear": {"out": 1, "weight": [[0.5]], "bias": [0.25]}}
    with pytest.raises(InputError, match=r"'a1\[1\]' is about 1e-\d+, which no answer can be"):
        worksheet(far)
    assert ids(worksheet(far, ask=["z1", "L"])) == ["z1", "L"]


def test_letters() -> None:
    assert [letter(i) for i in (0, 25, 26, 27, 52, 702)] == ["a", "z", "aa", "ab", "ba", "aaa"]


# nothing gives it away ------------------------------------------------------------------------------------------------------
SEARCHED = [
    *((name, "none") for name in ("mazur", "batch_norm", "odd", "forward", "sheet", "average", "descent")),
    *((name, ALL_HINTS) for name in ("mazur", "residual", "softmax_classifier", "own steps")),
]


@pytest.mark.parametrize(("name", "hints"), SEARCHED)
def test_no_page_gives_an_answer_away(name: str, hints: str) -> None:
    found = worksheet(NETS[name], hints=hints, significant=6)
    circuit = found.assignment.circuit
    known = {abs(value) for key, value in circuit.floats.items() if circuit.entries[key].given}
    secret = {text.lstrip("-") for key, text in found.numbers.items() if abs(circuit.floats[key]) not in known}
    secret = {text for text in secret if len(text.replace(".", "").lstrip("0")) >= 6}
    assert secret
    pages = {format: str(found.print("problem", format)) for format in FORMATS}
    pages |= {"yaml": found.answers, "csv": found.csv, "table": found.table, "exercise": found.exercise}
    for format, page in pages.items():
        seen = re.sub(r"base64,[^)]*", "", page)
        assert [number for number in secret if number in seen or number[:-1] in seen] == [], format


def test_the_problem_does_not_hold_the_answers(mazur: Worksheet) -> None:
    for key in mazur.asked.keys:
        with pytest.raises(KeyError):
            mazur.problem.values.value(mazur.assignment.circuit.entries[key].name)
    assert mazur.problem.witnesses == () and set(mazur.problem.quantities) == {"x", "t", "W1", "b1", "W2", "b2", "lr"}


def test_hints(mazur: Worksheet) -> None:
    plain = str(mazur.print("problem", "text"))
    assert "  (a) netₕ₁ = ______" in plain and "w₁·i₁" not in plain
    helped = worksheet("mazur", hints=ALL_HINTS)
    text = str(helped.print("problem", "text"))
    assert "netₕ₁ = w₁·i₁ + w₂·i₂ + b₁" in text and "Computed from: W₁, i, b₁." in text
    assert "out₁            [0.59327; 0.59688]" in re.sub(r"out₁ +\[", "out₁            [", text)
    assert helped.asked.given == ("a1", "dL/dz2", "dL/dz1") and not {"a1", "dL/dz2", "dL/dz1"} & set(ids(helped))
    named = worksheet("mazur", ask=["dL/dz2", "dL/dW1"], hints="values")
    assert named.asked.given == ("dL/dz1",)


def test_what_equals_a_given_result_is_not_asked_for() -> None:
    found = worksheet(NET, hints="values")  # of one sample, the gradient of a bias is that of its weighted sum
    assert not {"dL/db1", "dL/db2"} & set(ids(found)) and "dL/dW1" in ids(found)


def test_cases_are_not_decided_by_a_hint() -> None:
    text = str(
        worksheet({**NET, "layers": [FIRST, "relu", LAST, "sigmoid"]}, hints="formulas").print("problem", "text")
    )
    assert re.search(r"a⁽¹⁾₁ = .*(max|if)", text)


# answers --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NETS)
def test_the_key_is_right(name: str) -> None:
    found = worksheet(NETS[name])
    blank, filled = marked(found, found.answers), marked(found, found.filled())
    assert {mark.verdict for mark in blank.marks} == {"blank"} and blank.earned == 0
    assert filled.earned == filled.most == found.most == blank.most
    assert {mark.verdict for mark in filled.marks} <= {"correct"} and len(filled.marks) == len(found.rows)
    if not found.beside:  # the exercise marks the same
        again = check({} | plain(parse(found.exercise, "exercise.yaml")), reading.parse(found.filled(), "a", "yaml")[0])
        assert again.earned == again.most == found.most


@settings(
    max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
@given(data=st.data())
def test_the_key_is_right_at_every_precision(data: st.DataObject) -> None:
    """Random networks: what the key says earns everything, however it is rounded and written."""
    widths = data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    number = st.integers(-2000, 2000).map(lambda n: n / 1000) | st.sampled_from([1e-7, 31000.0, 0.0])
    layers: list[Any] = []
    for before, after in zip(widths, widths[1:], strict=False):
        rows = [[data.draw(number) for _ in range(before)] for _ in range(after)]
        layers += [{"linear": {"out": after, "weight": rows, "bias": [data.draw(number) for _ in range(after)]}}]
        layers.append(data.draw(st.sampled_from(["tanh", "relu", "softplus", "identity"])))
    inputs = [data.draw(st.integers(-9, 9)) for _ in range(widths[0])]
    net = {"inputs": inputs, "targets": [0.5] * widths[-1], "layers": layers, "loss": "mse", "optimizer": "sgd"}
    kind = data.draw(st.sampled_from(["significant", "decimals"]))
    try:
        found = worksheet(net, **{kind: data.draw(st.integers(1, 8))}, comma=data.draw(st.booleans()))
    except InputError as error:
        assert "which no answer can be" in str(error)
        return
    done = marked(found, found.filled())
    assert done.earned == done.most, [(m.key, m.raw, m.verdict) for m in done.marks if m.credit < 1]


def test_other_files_for_answers(mazur: Worksheet) -> None:
    rows = list(csv.reader(io.StringIO(mazur.csv)))
    assert rows[0] == ["step", "value", "formula"] and len(rows) == 36
    for kind, text in (
        ("csv", mazur.csv),
        ("markdown", mazur.table),
        ("markdown", str(mazur.print(format="markdown"))),
    ):
        (submission,) = reading.parse(text, "answers", kind)
        assert [answer.step for answer in submission.answers] == [row.typed for row in mazur.rows]
        assert {mark.verdict for mark in marked(mazur, text, kind).marks} == {"blank"}
    assert "Nothing is answered yet." in marked(mazur, mazur.answers).print("text")


def test_odd_names_everywhere() -> None:
    found = worksheet(ODD)
    assert "<script>alert" not in str(found.print("problem", "html")) and "<b>" not in str(found.print("key", "html"))
    assert r"\input{x}" not in str(found.print("problem", "latex"))
    for kind, text in (("yaml", found.filled()), ("markdown", str(found.print("problem", "markdown")))):
        (submission,) = reading.parse(text, "answers", kind)
        assert [answer.step for answer in submission.answers] == [row.typed for row in found.rows]


def test_wishes_stand_in_the_exercise() -> None:
    found = worksheet("mazur", title="Week 3", notation="ng", decimals=5, variant="07", comma=True, lang="zh")
    exercise = plain(parse(found.exercise, "exercise.yaml"))
    assert (exercise["name"], exercise["notation"], exercise["id"]) == ("Week 3", "ng", "mazur-07")
    assert exercise["check"]["decimals"] == 5 and 'decimal: ","' in found.answers and "0,59327" in found.filled()
    assert "Week 3 · 07" in found.problem.title and "姓名" in str(found.print("problem", "text"))
    assert found.comma and "z^{[1]}" in str(found.print("problem", "text"))


# files ----------------------------------------------------------------------------------------------------------------------
def plain(item: Item) -> Any:
    """A tree as Python has it, numbers as they are written."""
    if isinstance(item.value, dict):
        return {key: plain(part) for key, part in item.value.items()}
    if isinstance(item.value, list):
        return [plain(part) for part in item.value]
    if isinstance(item.value, Number):
        return int(item.value.text) if re.fullmatch(r"-?\d+", item.value.text) else float(item.value)
    return item.value


def texts(item: Item) -> Any:
    """A tree with the texts of its numbers."""
    if isinstance(item.value, dict):
        return {key: texts(part) for key, part in item.value.items()}
    if isinstance(item.value, list):
        return [texts(part) for part in item.value]
    return ("number", item.value.text) if isinstance(item.value, Number) else item.value


@pytest.mark.parametrize("name", examples.names())
def test_a_file_written_again_is_the_same(name: str) -> None:
    item = read(examples.FOLDER / f"{name}.yaml")
    assert texts(parse(written(item), "again")) == texts(item)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=12), max_size=6))
def test_texts_written_again_are_the_same(words: list[str]) -> None:
    place = parse("a: 1", "x")
    listed = Item({"a": Item([Item(word, *place_of(place)) for word in words], *place_of(place))}, *place_of(place))
    try:
        expected = texts(parse(written(listed), "again"))
    except InputError as error:
        assert "not allowed" in str(error)  # letters that nobody sees, which no file may hold
        return
    assert expected == texts(listed)


def place_of(item: Item) -> tuple[Any, ...]:
    return item.line, item.column, item.path, item.file, item.key_line, item.key_column


def test_weights_beside_the_file_go_with_it(tmp_path: Path) -> None:
    import numpy as np

    np.savez(tmp_path / "w.npz", W1=np.array([[0.5, -0.25]]), b1=np.array([0.1]))
    text = "inputs: [1, 2]\ntargets: [1]\nparameters: w.npz\nlayers: [{linear: {out: 1}}]\nloss: mse\n"
    (tmp_path / "net.yaml").write_text(text)
    worksheet(tmp_path / "net.yaml").save(tmp_path / "out")
    assert ids(worksheet(tmp_path / "out" / "exercise.yaml"))[:2] == ["z1", "L"]


# the command ----------------------------------------------------------------------------------------------------------------
@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


def test_the_command(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("worksheet", "mazur", "--ask", "z1,dL/dw5", "-f", "markdown", "-f", "text", "--ascii")
    assert done.exit_code == 0 and "Numbers asked for: 3. Questions: 2. Points in all: 3." in done.output
    folder = tmp_path / "output" / "mazur-worksheet"
    pages = {f"{what}{suffix}" for what in PAGES for suffix in (".md", ".txt")}
    assert {path.name for path in folder.iterdir()} == pages | {
        "answers.yaml",
        "files.sha256",
        "answers.csv",
        "answers.md",
        "exercise.yaml",
    }
    assert (folder / "problem.txt").read_text(encoding="utf-8").isascii()
    filled = (folder / "answers.yaml").read_text(encoding="utf-8").replace("dL/dw5: ~", "dL/dw5: 0.0822")
    (tmp_path / "mine.yaml").write_text(filled, encoding="utf-8")
    done = run("check", folder / "exercise.yaml", "mine.yaml", "-o", "-")
    assert done.exit_code == 0 and "1 of 3 points" in done.output


def test_one_file_is_the_problem_alone(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("worksheet", "mazur", "-o", "hw.md").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["hw.md"] and "derive:begin" in (
        tmp_path / "hw.md"
    ).read_text()
    assert run("worksheet", "mazur", "-o", "-").stdout.startswith("A 2-2-2 sigmoid network")


def test_files_that_are_read_are_not_written_over(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "exercise.yaml").write_text(examples.text("mazur"))
    done = run("worksheet", "exercise.yaml", "-o", ".")
    assert done.exit_code == 2 and "to be read" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["exercise.yaml"]


# sentences ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_reached(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    look_up = Words.template

    def recorded(self: Words, key: Any) -> str:
        seen.add(str(key))
        return look_up(self, key)

    monkeypatch.setattr(Words, "template", recorded)
    small = {"residual": [{"linear": {"out": 1, "weight": [[0.5]], "bias": [0.1]}}, "batch_norm"]}
    net = {"inputs": [[0.5], [1.5]], "targets": [[1], [0]], "layers": [small, "tanh"], "loss": "mse", "steps": 2}
    nets = [{**net, "optimizer": "momentum", "regularization": {"l2": 0.1}}, SHEET]
    for net in nets:
        found = worksheet(net, ask=None if net is SHEET else ["all"], lang=language, decimals=3, hints="steps")
        for what in PAGES:
            found.print(what, "text")
        found.print("problem", "markdown")
        assert found.answers
    for page in ("problem", "key"):
        worksheet("mazur", hints="values", lang=language).print(page, "text")
    assert CliRunner().invoke(main, ["worksheet", "mazur", "-o", "-", "--lang", language]).exit_code == 0
    command = {"sheet.count", "sheet.hidden", "sheet.nothing"}  # said elsewhere
    assert {key for key in part(f"{language}_sheet") if not key.endswith(".other")} - seen == command


def test_in_python(tmp_path: Path) -> None:
    made = derive.worksheet("mazur", ask=["z1"]).save(tmp_path / "week3", ["html"])
    assert {path.name for path in made} >= {"problem.html", "key.html", "solution.html", "exercise.yaml"}


# folders ----------------------------------------------------------------------------------------------------------------
def test_answers_that_were_filled_in_are_not_written_over(tmp_path: Path) -> None:
    sheet = derive.worksheet("mazur", ask=["z1"])
    sheet.save(tmp_path, ["text"])
    sheet.save(tmp_path, ["text"])  # as derive left it
    answers = tmp_path / "answers.yaml"
    answers.write_text(answers.read_text(encoding="utf-8").replace("~", "0.378", 1), encoding="utf-8")
    with pytest.raises(InputError, match="was changed since derive wrote it"):
        derive.worksheet("mazur", ask=["a1"]).save(tmp_path, ["markdown"])
    assert "0.378" in answers.read_text(encoding="utf-8") and not (tmp_path / "problem.md").exists()
    answers.unlink()
    derive.worksheet("mazur", ask=["a1"]).save(tmp_path, ["markdown"])
    assert (tmp_path / "problem.md").exists() and not (tmp_path / "problem.txt").exists()  # of the other exercise


def test_sums_of_somebody_else_remove_nothing(tmp_path: Path) -> None:
    own = tmp_path / "thesis.txt"
    own.write_bytes(b"years of work")
    (tmp_path / LIST).write_text(f"{sum_of(b'years of work')}  thesis.txt\n", encoding="utf-8")
    assert not fill(tmp_path, {"a.tex": "a"}).removed and own.exists()
    assert fill(tmp_path, {"b.tex": "b"}).removed == ("a.tex",)


def test_nothing_is_written_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "out" / "lessons").symlink_to(tmp_path / "else")
    with pytest.raises(InputError, match="behind a link"):
        fill(tmp_path / "out", {"lessons/a.html": "x"})
    assert not any((tmp_path / "else").iterdir())


def test_how_many_samples_stand_in_an_index_is_told() -> None:
    problem = str(derive.worksheet("batch_3322", hints="formulas").print("problem", "text"))
    assert "In an index with a comma the first number is the sample" in " ".join(problem.split())


def test_blanks_are_told_where_all_else_is_right() -> None:
    sheet = derive.worksheet("mazur", ask=["z1", "a1"])
    found = derive.check(sheet.assignment, {"z1[1]": "0.378"})
    assert "What is answered is right. Left blank: 3." in found.print("text")
