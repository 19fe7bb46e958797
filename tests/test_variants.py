"""Variants: numbers of the same kind that are fair, the manifest that says whose they are, and marking by it."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive import examples
from derive.classroom.batch import check_class
from derive.classroom.gradescope import autograder, handed_in_by
from derive.cli import main
from derive.errors import InputError
from derive.files import LIST
from derive.homework.circuit import Circuit
from derive.homework.degenerate import reasons
from derive.homework.exercise import of_network
from derive.homework.individual import Individual, loaded
from derive.homework.lint import hides
from derive.homework.manifest import MEANINGS, Manifest, Original, Variant, opened, read
from derive.homework.policy import Precision
from derive.homework.schema import variants as schema
from derive.sheets.manifest import Variants, variants
from derive.sheets.sheet import worksheet
from derive.sheets.variants import Drawing, Drawn, decimals, fractions, other
from derive.source import Number, parse
from derive.spec import check

SIGMOID = examples.text("mazur")
RELU = """
id: fractions
inputs: [2, 2/3]
targets: [1/2]
layers:
  - linear: {out: 3, weight: [[1/2, 3/4], [-3, 1/3], [1/4, -1/6]], bias: [1/8, 1/2, 1/3]}
  - relu
  - linear: {out: 1, weight: [[2/3, -1/4, 1/2]], bias: [1/6]}
loss: half_squared_error
optimizer: {sgd: {lr: 1/10}}
"""
SOFTMAX = """
id: classes
inputs: [1.5, -0.8]
targets: [2]
layers:
  - linear: {out: 3, weight: [[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]], bias: [0.01, 0.02, 0]}
  - softmax
loss: cross_entropy
optimizer: {sgd: {lr: 0.1}}
check: {decimals: 3}
"""
NETS = {"mazur": SIGMOID, "fractions": RELU, "classes": SOFTMAX}
SEEDS = st.integers(0, 2**40)


def original_of(text: str, name: str = "sheet") -> Original:
    return Original.of(parse(text, "net.yaml"), Path(), name)


@pytest.fixture(scope="module")
def drawings() -> dict[str, Drawing]:
    return {name: Drawing(original_of(text, name)) for name, text in NETS.items()}


def circuit_of(text: str) -> Circuit:
    return of_network(check(parse(text, "variant.yaml"), Path()))


def numbers_of(text: str) -> dict[str, Any]:
    """A network file as PyYAML has it, its fractions as floats: nothing of derive's own reading."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return np.array([plain(part) for part in value])
        return float(Fraction(value)) if isinstance(value, str) else value

    net = yaml.safe_load(text)
    linear = [layer["linear"] for layer in net["layers"] if isinstance(layer, dict)]
    return {
        "x": plain(net["inputs"]),
        "W": [plain(layer["weight"]) for layer in linear],
        "b": [plain(layer["bias"]) for layer in linear],
        "activations": [layer for layer in net["layers"] if isinstance(layer, str)],
    }


def forward(text: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(activation, its inputs, its outputs), layer by layer, in plain NumPy."""
    net = numbers_of(text)
    a = net["x"]
    functions: dict[str, Callable[[Any], Any]] = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0),
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(),
    }
    for W, b, name in zip(net["W"], net["b"], net["activations"], strict=False):
        z = W @ a + b
        a = functions[name](z)
        yield name, z, a


# drawing --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NETS)
@settings(max_examples=2)
@given(seed=SEEDS, number=st.integers(1, 2000))
def test_variants_are_fair(drawings: dict[str, Drawing], name: str, seed: int, number: int) -> None:
    """Every condition, worked out again from the text of the file by other means."""
    drawing = drawings[name]
    found = drawing.draw(seed, number)
    text = drawing.original.net(found.variant)
    policy = drawing.original.assignment.policy
    circuit, before = circuit_of(text), circuit_of(NETS[name])
    assert hides(circuit, policy.precision) == found.hidden <= hides(before, policy.precision)
    assert {reason.kind for reason in reasons(circuit)} <= {reason.kind for reason in reasons(before)}
    for (kind, z, a), (_, old, _) in zip(forward(text), forward(NETS[name]), strict=True):
        if kind == "relu":
            assert ((z > 0) == (old > 0)).all() and (abs(z) > 0.02 * abs(old).max()).all()
        else:
            assert (a * (1 - a) >= 0.05).all()
    if policy.precision.decimals is not None:
        values = [abs(circuit.floats[key]) for key, entry in circuit.entries.items() if not entry.given]
        small = [abs(before.floats[key]) for key, entry in before.entries.items() if not entry.given]
        assert sum(value < 0.0005 for value in values) <= sum(value < 0.0005 for value in small)


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=2)
@given(seed=SEEDS)
def test_numbers_stay_of_their_kind(drawings: dict[str, Drawing], name: str, seed: int) -> None:
    """As many digits, the same sign, about the same size, all different; what is 0 or a class stays."""
    drawing = drawings[name]
    variant = drawing.draw(seed, 7).variant
    assert set(variant.numbers) == set(drawing.free)
    for table in drawing.tables.values():
        assert len({abs(variant.numbers[key].exact) for key in table}) == len(table)
    for key, new in variant.numbers.items():
        old = drawing.places[key]
        assert (new.exact > 0) == (old.exact > 0) and new.exact not in (0, 1, -1)
        assert ("/" in new.text) == ("/" in old.text) and new.text.count(".") == old.text.count(".")
        if "." in old.text:
            assert len(new.text.partition(".")[2]) == len(old.text.partition(".")[2])
        if not key.startswith("t"):
            assert Fraction(1, 2) * abs(old.exact) <= abs(new.exact) + Fraction(1, 10)
            assert abs(new.exact) <= max(2 * abs(old.exact), abs(old.exact) + 4)
    loose = {key for key in drawing.places if key not in drawing.free}
    assert all(drawing.places[key].exact == 0 for key in loose)


@settings(max_examples=40)
@given(
    digits=st.from_regex(r"-?(0|[1-9][0-9]{0,2})(\.[0-9]{1,4})?(e-?[1-5])?", fullmatch=True),
    seed=SEEDS,
    target=st.booleans(),
)
def test_decimals_are_written_as_short(digits: str, seed: int, target: bool) -> None:
    number = Number(digits, Fraction(digits))
    if not number.exact:
        return
    new = other(number, target)(np.random.default_rng(seed))
    assert parse(new.text, "x").value == new
    assert (new.exact > 0) == (number.exact > 0)
    assert len(re.sub("e.*", "", new.text).partition(".")[2]) == len(re.sub("e.*", "", digits).partition(".")[2])
    assert new.text.partition("e")[2] == digits.partition("e")[2]
    if abs(number.exact) < 1:
        assert abs(new.exact) < 1


def test_fractions_stay_small() -> None:
    found = fractions(Fraction(-3, 4))
    assert {number.text for number in found} >= {"-1/2", "-2/3", "-3/4", "-5/6"}
    assert all(number.exact.denominator in range(2, 7) and -1 < number.exact < 0 for number in found)
    near_one = decimals(Number("0.99", Fraction(99, 100)), target=True)
    random = np.random.default_rng(3)
    assert {near_one(random).text for _ in range(60)} == {"0.99", "0.98", "0.97", "0.96", "0.95"}


def test_a_variant_depends_on_nothing_else(drawings: dict[str, Drawing]) -> None:
    """Neither on which others are drawn before it, nor on comments and layout."""
    drawing = drawings["mazur"]
    alone = Drawing(original_of("# a remark\n" + SIGMOID.replace("  - sigmoid", "  -   sigmoid"), "mazur")).draw(5, 3)
    assert [drawing.draw(5, 2), drawing.draw(5, 3)][1] == alone
    assert drawing.draw(6, 3).variant.numbers != alone.variant.numbers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("inputs: [0, 1]\ntargets: [1]\nloss: bce\nlayers: [{linear: {out: 1, weight: [[0, 0]], bias: [0]}}, sigmoid]", "could be others"),
        ("parameters: weights.npz\ninputs: [1]\nlayers: [{linear: {out: 1}}]", "in the network file itself"),
        ("inputs: 2\nlayers: [{linear: {out: 1}}]", "all numbers are given"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as refused:
        Drawing(original_of(text)).draw(0, 1)
    assert str(refused.value).startswith("net.yaml:1:") or "in the network file" in problem


def test_why_no_numbers_were_found_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.sheets.fair.MARGIN", 1000)
    monkeypatch.setattr("derive.sheets.variants.ROUNDS", 2)
    monkeypatch.setattr("derive.sheets.variants.LEAST_ROUNDS", 2)
    with pytest.raises(InputError, match=r"variant 1 in 128 tries: a number is too close to a kink \(128 times\)"):
        Drawing(original_of(RELU)).draw(0, 1)


def test_drawn_numbers_are_drawn_anew() -> None:
    """What comes from a seed comes from another one."""
    text = "inputs: [0.5, -0.3]\ntargets: [0.2]\nseed: 1\nlayers: [{linear: {out: 2}}, tanh, {linear: {out: 1}}]\nloss: mse"
    original = original_of(text, "drawn")
    found = Drawing(original).draw(0, 1)
    assert found.variant.numbers["seed"].exact != 1
    before, after = original.assignment.circuit.floats, original.exercise(found.variant).circuit.floats
    assert before["W1[1,1]"] != after["W1[1,1]"] and after["x[1]"] == float(found.variant.numbers["x[1]"])


# the manifest ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def made() -> Variants:
    """Three variants of an exercise with odd names, of which the forward pass and a gradient are asked for."""
    text = SIGMOID.replace("name: A 2-2-2 sigmoid network", "name: '\"<b>\\ 权重 & $x_1$'\nid: 作业-<1>")
    sheet = worksheet(parse(text, "net.yaml"), ask=["z1", "a1", "z2", "a2", "L", "dL/dW2"])
    return variants(sheet, [1, 2, 3], 4, students=["s1", "s2", "s3", "s4"], wishes={"hints": "none", "lang": "en"})


@pytest.fixture(scope="module")
def file(made: Variants, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("manifest") / "manifest.yaml"
    path.write_text(made.manifest.text(), encoding="utf-8")
    return path


def key(manifest: Manifest, number: int, called: str | None = None, student: str = "") -> str:
    """answers.yaml with the right numbers of a variant."""
    assignment = manifest.assignment(number)
    numbers = {step: f"{assignment.circuit.floats[step]:.6f}" for step in assignment.policy.ask or ()}
    head = {"derive_answers": 1, "assignment": called if called is not None else manifest.variant(number).id}
    return yaml.safe_dump({**head, "student": student, "answers": numbers}, allow_unicode=True)


def test_the_manifest_reads_as_it_was_written(made: Variants, file: Path) -> None:
    again, manifest = opened(file), made.manifest
    assert (again.variants, again.students, again.seed, again.sheet) == (
        manifest.variants, manifest.students, manifest.seed, manifest.sheet,
    )  # fmt: skip
    assert again.students == {"s1": 1, "s2": 2, "s3": 3, "s4": 1}
    assert again.text() == manifest.text()
    assert [again.net(number) for number in (1, 2, 3)] == [manifest.net(number) for number in (1, 2, 3)]
    drawing = Drawing(again.original)
    assert drawing.draw(again.seed, 2).variant == again.variant(2)


def test_every_variant_is_a_network_file(made: Variants) -> None:
    for variant in made.manifest.variants:
        spec = check(parse(made.manifest.net(variant.number), "variant.yaml"), Path())
        assert (spec.id, spec.name) == (f"作业-<1>-{variant.number:02d}", '"<b>\\ 权重 & $x_1$')
        assert spec.labels and spec.notation and spec.frozen and spec.check


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("seed: 4", "seed: -1", "manifest.yaml:3:7: seed: must be at least 0"),
        ("derive_variants: 1", "derive_variants: 2", "manifest.yaml:1:18: derive_variants: this version reads"),
        ("derive_variants: 1", "derive_variants: 1\nsedes: 1", "unknown key 'sedes'"),
        ("number: 2", "number: 1", "variant 1 is there twice"),
        ("id: 作业-<1>-02", "id: 作业-<1>-01", "the id '作业-<1>-01' is there twice"),
        ("'x[1]': ", "'x[9]': ", "the network has no number 'x[9]'"),
        ("'x[1]': ", "'lr': ", "the network has no number 'lr'"),
        ("'x[1]': 0.", "'x[1]': x0.", "expected a number"),
        ("inputs: [0.05", "inputs: [0.06", "the network was changed after its variants were drawn"),
        ("s4: 1", "s4: 4", "there is no variant 4"),
        ("s4: 1", "s4: [1]", "expected the number of a variant, not a list"),
        ("- number: 1", "- nummer: 1\n  number: 1", "unknown key 'nummer'"),
        ("inputs: [0.05", "inputs: &a [0.05", "anchors"),
    ],
)
def test_a_manifest_that_does_not_fit_together_is_refused(file: Path, old: str, new: str, problem: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(InputError) as refused:
        loaded_text(text.replace(old, new, 1))
    assert problem in str(refused.value) and refused.value.line is not None


def loaded_text(text: str) -> Manifest:
    return read(parse(text, "manifest.yaml"), Path())


def test_the_schema_knows_what_is_read(file: Path) -> None:
    """The manifest is valid by its schema; without what it needs, or with more than there is, it is not."""
    manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(manifest) and set(schema()["properties"]) == set(MEANINGS)
    for key in schema()["required"]:
        assert not validator.is_valid({name: part for name, part in manifest.items() if name != key})
    for more in ({"sedes": 1}, {"seed": -1}, {"variants": []}, {"sha256": "x"}, {"students": {"s1": "one"}}):
        assert not validator.is_valid(manifest | more)


@pytest.mark.parametrize("again", ["' s1'", "'s1 '", "'\u00e4'", "'a\u0308'"])
def test_a_student_stands_there_once(file: Path, again: str) -> None:
    content = file.read_text(encoding="utf-8").partition("students:")[0]
    known = "s1: 1, 'a\u0308': 2" if again == "'\u00e4'" else "s1: 1, '\u00e4': 2"
    assert loaded_text(content + f"students: {{{known}}}\n").students == {"s1": 1, "\u00e4": 2}
    with pytest.raises(InputError, match="is there twice") as refusal:
        loaded_text(content + f"students: {{{known}, {again}: 3}}\n")
    assert refusal.value.line and refusal.value.column


def test_how_it_is_marked_may_still_be_changed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    manifest = loaded_text(text.replace("check: {ask", "check: {significant: 2, ask"))
    assert manifest.assignment(1).policy.precision == Precision(2)


# marking --------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def individual(file: Path) -> Individual:
    found = loaded(file)
    assert isinstance(found, Individual)
    return found


def marked(individual: Individual, tmp: Path, text: str) -> Any:
    path = tmp / "answers.yaml"
    path.write_text(text, encoding="utf-8")
    return derive.check(individual, path)  # type: ignore[arg-type]


def test_each_variant_is_marked_by_its_own_numbers(individual: Individual, tmp_path: Path) -> None:
    """The key of every variant is right in it, by its id alone, and wrong in every other."""
    for number in (1, 2, 3):
        found = marked(individual, tmp_path, key(individual.manifest, number))
        assert found.right and found.earned == found.most == 13 and not found.marked.flags
        for another in {1, 2, 3} - {number}:
            text = key(individual.manifest, another, called=individual.manifest.variant(number).id)
            found = marked(individual, tmp_path, text)
            assert not found.right and found.earned <= found.most / 2
            assert found.marked.other == individual.manifest.variant(another).id
            assert "variant_of_other" in found.marked.flags


def test_the_manifest_decides(individual: Individual, tmp_path: Path) -> None:
    """A student who names another variant, or answers it, is marked by the own one."""
    manifest = individual.manifest
    found = marked(individual, tmp_path, key(manifest, 2, student="s2", called=manifest.variant(3).id))
    assert found.right and found.marked.variant == manifest.variant(2).id
    assert found.marked.flags == ("variant_mismatch",)
    found = marked(individual, tmp_path, key(manifest, 3, student="s2"))
    assert not found.right and found.marked.flags[0] == "variant_mismatch" and found.marked.other.endswith("-03")
    assert json.loads(found.to_json())["variant"].endswith("-02")
    for text in (found.print("html"), found.print("text")):
        assert "-02" in text and "-03" in text
    assert "作业-&lt;1&gt;-02" in found.print("html")
    found = marked(individual, tmp_path, key(manifest, 3, student="nobody"))
    assert found.right and found.marked.flags == ("variant_unassigned",)
    for called in ("", "作业-<1>", "作业-<1>-04"):
        with pytest.raises(InputError, match="no variant is known for it"):
            marked(individual, tmp_path, key(manifest, 1, called=called))


def test_an_error_of_ones_own_is_nobody_elses(individual: Individual, tmp_path: Path) -> None:
    text = re.sub(r"a1\[1\]: '0\.\d+'", "a1[1]: '0.1234'", key(individual.manifest, 1))
    found = marked(individual, tmp_path, text)
    assert found.first_error == "a1[1]" and not found.marked.other and not found.marked.flags


@pytest.fixture(scope="module")
def handed_in(individual: Individual, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    manifest = individual.manifest
    texts = {
        "s1": key(manifest, 1, student="s2"),
        "s2": key(manifest, 3, called=manifest.variant(2).id),
        "s3": key(manifest, 3, called=manifest.variant(1).id),
        "s4": key(manifest, 1, called=""),
        "s5": key(manifest, 2),
        "s6": key(manifest, 2, called="another"),
    }
    for student, text in texts.items():
        (folder / f"{student}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_class_is_marked_by_the_manifest(file: Path, handed_in: Path, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("student_id\n" + "\n".join(f"s{n}" for n in range(1, 7)), encoding="utf-8")
    found = check_class(file, handed_in, tmp_path / "out", jobs=1, roster_file=roster, formats=())
    rows = {record.student: record for record in found.records}
    assert {student: row.variant[-3:] for student, row in rows.items()} == {
        "s1": "-01", "s2": "-02", "s3": "-03", "s4": "-01", "s5": "-02", "s6": "",
    }  # fmt: skip
    assert {student: row.percent for student, row in rows.items() if row.percent == 100}.keys() == {
        "s1",
        "s3",
        "s4",
        "s5",
    }
    assert set(rows["s1"].flags) == {"id_mismatch"} and rows["s3"].flags == ("variant_mismatch",)
    assert rows["s2"].flags == ("variant_of_other",) and rows["s2"].other.endswith("-03")
    assert rows["s5"].flags == ("variant_unassigned",) and rows["s5"].status == "needs_review"
    assert rows["s6"].status == "unreadable" and "no variant is known" in rows["s6"].detail
    table = list(csv.DictReader(io.StringIO((tmp_path / "out" / "grades.csv").read_text(encoding="utf-8"))))
    assert [row["variant"][-3:] for row in table] == ["-01", "-02", "-03", "-01", "-02", ""]
    report = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert "作业" in report.splitlines()[0] and "is right in variant" in report


def test_the_autograder_has_the_manifest(file: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(autograder(file))) as archive:
        assert archive.read("net.yaml").decode() == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("users", "owner"),
    [
        ([{"sid": "s2", "email": "a@b", "id": 1}], "s2"),
        ([{"email": "a@b"}], "a@b"),
        ([{"sid": "s1"}, {"sid": "s2"}], ""),
        (["s2"], ""),
        (None, ""),
    ],
)
def test_gradescope_says_whose_it_is(tmp_path: Path, users: Any, owner: str) -> None:
    (tmp_path / "submission").mkdir()
    if users is not None:
        (tmp_path / "submission_metadata.json").write_text(json.dumps({"users": users}), encoding="utf-8")
    assert handed_in_by(tmp_path / "submission") == owner


# the command line -----------------------------------------------------------------------------------------------------
@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(RELU, encoding="utf-8")
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


def test_worksheets_of_variants(run: Callable[..., Result], tmp_path: Path) -> None:
    """A folder for each, the same again from the manifest, and the key of each is right."""
    (tmp_path / "roster.csv").write_text("student_id,name\nu1,A\nu2,B\n", encoding="utf-8")
    ask = ("--ask", "z1,L,dL/dW2", "-f", "markdown")
    done = run("worksheet", "net.yaml", *ask, "--students", "roster.csv", "--seed", 3, "-o", "sheets")
    assert done.exit_code == 0, done.output
    assert "2 variants of fractions, drawn from seed 3." in done.output and "2 students" in done.output
    sheets = tmp_path / "sheets"
    assert sorted(path.name for path in sheets.iterdir()) == [
        "files.sha256",
        "manifest.yaml",
        "variant-01",
        "variant-02",
    ]
    done = run("worksheet", "sheets/manifest.yaml", "--student", "u2", "-f", "markdown", "-o", "again")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (sheets / "variant-02").iterdir()}
    assert {*names, LIST} == {path.name for path in (tmp_path / "again").iterdir()} and "problem.md" in names
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (sheets / "variant-02" / name).read_bytes()
    assert 'assignment: "fractions-02"' in (tmp_path / "again" / "answers.yaml").read_text(encoding="utf-8")
    manifest = opened(sheets / "manifest.yaml")
    (tmp_path / "answers.yaml").write_text(key(manifest, 2), encoding="utf-8")
    assert run("check", "sheets/manifest.yaml", "answers.yaml", "-o", "-").exit_code == 0
    assert run("check", "sheets/variant-02/exercise.yaml", "answers.yaml", "-o", "-").exit_code == 0


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--variants", 0), "0 is not in the range"),
        (("--seed", 1), "--seed needs --variants or --students"),
        (("--variant", 1), "--variant is for a manifest of variants"),
        (("--variants", 2, "--student", "u1"), "--student is for a manifest of variants"),
        (("--variants", 2, "-o", "-"), "variants are many files"),
        (("--students", "none.csv"), "none.csv: cannot be read"),
    ],
)
def test_wrong_commands_are_refused(run: Callable[..., Result], args: tuple[Any, ...], problem: str) -> None:
    done = run("worksheet", "net.yaml", *args)
    assert done.exit_code == 2 and problem in done.output and not Path("output").exists()


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--variant", 9), "there is no variant 9: there are 1 to 3"),
        (("--student", "s22"), "no student 's22' in the manifest. Did you mean 's2'?"),
        (("--variant", 1, "--student", "s2"), "give either --variant or --student"),
        (("--variant", 1, "--lang", "zh"), "--lang: that stands in the manifest"),
        (("--variants", 3), "--variants: that stands in the manifest"),
    ],
)
def test_wrong_wishes_for_a_manifest_are_refused(
    run: Callable[..., Result], file: Path, args: tuple[Any, ...], problem: str
) -> None:
    done = run("worksheet", file, *args)
    assert done.exit_code == 2 and problem in done.output


def test_variants_with_the_same_answers_are_refused(made: Variants, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = worksheet(parse(RELU, "net.yaml"), ask=["z1"])
    drawn: list[Drawn] = []

    def same(self: Drawing, seed: int, number: int) -> Drawn:
        drawn.append(draw(self, seed, 1))
        return replace(drawn[-1], variant=Variant(number, f"fractions-{number:02d}", drawn[-1].variant.numbers))

    draw = Drawing.draw
    monkeypatch.setattr(Drawing, "draw", same)
    with pytest.raises(InputError, match="fractions-01 and fractions-02 have the same answers"):
        variants(sheet, [1, 2], 0)
    assert 0 <= made.shared < made.asked == 13


@pytest.mark.parametrize(
    ("text", "finer", "choices"),
    [
        ("0.3", False, {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"}),
        ("2", False, {"2", "3", "4", "5"}),
        ("2", True, {f"{n / 10:.1f}" for n in range(11, 41) if n % 10} | {"2.0", "3.0", "4.0"}),
        ("3000", False, {f"{n}000" for n in range(1, 7)}),
        ("3000", True, {f"{n}00" for n in range(15, 61)}),
        ("-2e8", False, {"-1e8", "-2e8", "-3e8", "-4e8", "-5e8"}),
    ],
)
def test_what_a_number_may_become(text: str, finer: bool, choices: set[str]) -> None:
    draw = other(Number(text, Fraction(text)), finer=finer)
    random = np.random.default_rng(0)
    found = {draw(random).text for _ in range(400)}
    assert found == choices
