"""The command line: every command and option, exit codes, where files go, and what the README promises."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

import derive
from derive import examples, source
from derive.cli import main, pages
from derive.cli.options import FORMAT_NAMES, NOTATIONS
from derive.cli.output import SUFFIXES
from derive.errors import InputError
from derive.examples import resolve
from derive.initializers import initializers
from derive.losses import losses
from derive.notation import PRESETS
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import parameters
from derive.printers import FORMATS, PAGES, Format
from derive.schedules import schedules
from derive.schema import schema
from derive.site.build import Built
from derive.solution import solve

ROOT = Path(__file__).parent.parent
PUBLISHED = sorted((ROOT / "tests" / "cases" / "published").glob("*.yaml"))
NET = """inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}
  - relu
  - linear: {out: 1, weight: [[0.7, -0.6]], bias: [0.2]}
  - sigmoid
loss: bce
optimizer: {sgd: {lr: 0.1}}
labels: {W2: [[v1, v2]]}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """derive in an empty folder that has net.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DERIVE_DEBUG", raising=False)
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    return lambda *args, **options: CliRunner().invoke(main, [str(arg) for arg in args], **options)


def process(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """derive as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **options.pop("env", {})}
    command = [sys.executable, "-c", "from derive.cli import main; main(prog_name='derive')", *args]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=120, **options
    )


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"net.yaml"}


# where it goes --------------------------------------------------------------------------------------------------------
def test_the_default_is_a_page_in_output(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("backprop", "mazur")
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == {"output/mazur/solution.html"}
    page = (tmp_path / "output/mazur/solution.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    assert "0.2984" in done.output and "output/mazur/solution.html" in done.output and len(done.output.splitlines()) < 8


@pytest.mark.parametrize("format", [name for name in FORMAT_NAMES if not FORMATS[name].several])
def test_every_format(run: Callable[..., Result], tmp_path: Path, format: str) -> None:
    done = run("backprop", "net.yaml", "-f", format)
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == {f"output/net/{FORMATS[format].file}"}
    data = (tmp_path / "output/net" / FORMATS[format].file).read_bytes()
    start = {
        "html": b"<!DOCTYPE html>",
        "latex": b"\\documentclass",
        "markdown": b"# ",
        "json": b"{",
        "svg": b"<svg",
        "png": b"\x89PNG",
        "pdf": b"%PDF",
        "docx": b"PK",
        "typst": b"#set document",
        "diagram-pdf": b"%PDF",
        "tikz": b"%",
    }.get(format, b"Backpropagation")
    assert data.startswith(start)


def test_formats_of_the_command_line_are_those_there_are() -> None:
    assert set(FORMAT_NAMES) == set(FORMATS) and set(NOTATIONS) == set(PRESETS)
    assert pages.FORMATS == PAGES
    assert {SUFFIXES[Path(FORMATS[name].file).suffix] for name in PAGES} == {*PAGES}


def test_several_formats_in_a_folder(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("backprop", "net.yaml", "-f", "latex", "-f", "json", "-f", "text", "-f", "json", "-o", "there/deep")
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == {"there/deep/solution.tex", "there/deep/solution.json", "there/deep/solution.txt"}


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.html", "<!DOCTYPE"),
        ("a.tex", "\\documentclass"),
        ("a.md", "# "),
        ("a.txt", "Back"),
        ("a.json", "{"),
        ("a.svg", "<svg"),
    ],
)
def test_a_suffix_names_the_format(run: Callable[..., Result], tmp_path: Path, name: str, start: str) -> None:
    assert run("backprop", "net.yaml", "-o", f"to/{name}").exit_code == 0
    assert files(tmp_path) == {f"to/{name}"}
    assert (tmp_path / "to" / name).read_text(encoding="utf-8").startswith(start)


def test_a_format_wins_over_a_suffix(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("backprop", "net.yaml", "-f", "latex", "-o", "notes.txt").exit_code == 0
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8").startswith("\\documentclass")


@pytest.mark.parametrize("output", ["-", "one.html"])
def test_two_formats_need_a_folder(run: Callable[..., Result], tmp_path: Path, output: str) -> None:
    done = run("backprop", "net.yaml", "-f", "html", "-f", "json", "-o", output)
    assert done.exit_code == 2 and "format" in done.output
    assert files(tmp_path) == set()


@pytest.mark.parametrize("format", ["text", "json", "html", "latex", "markdown", "svg"])
def test_standard_output(run: Callable[..., Result], tmp_path: Path, format: str) -> None:
    done = run("backprop", "net.yaml", "-f", format, "-o", "-")
    assert done.exit_code == 0
    assert done.stdout == solve(str(tmp_path / "net.yaml")).print(format)
    assert files(tmp_path) == set()


def test_standard_output_is_text_by_default_and_may_be_bytes(run: Callable[..., Result]) -> None:
    assert run("backprop", "net.yaml", "-o", "-").stdout.startswith("Backpropagation")
    assert run("backprop", "net.yaml", "-f", "png", "-o", "-").stdout_bytes.startswith(b"\x89PNG")


def test_standard_input(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("backprop", "-", input=NET).exit_code == 0
    assert files(tmp_path) == {"output/network/solution.html"}
    wrong = run("backprop", "-", input=NET.replace("relu", "rellu"))
    assert wrong.exit_code == 2 and "<stdin>:5:5" in wrong.output and "'relu'" in wrong.output


# whole or not at all ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "code"), [(InputError("too much"), 2), (RuntimeError("a bug"), 3), (KeyboardInterrupt(), 130)]
)
def test_nothing_is_written_when_a_later_format_fails(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def broken(self: Format, document: Any) -> str:
        if self.file == "solution.json":
            raise error
        return printed(self, document)

    printed = Format.print
    monkeypatch.setattr(Format, "print", broken)
    done = run("backprop", "net.yaml", "-f", "html", "-f", "json", "-o", "there")
    assert done.exit_code == code
    assert files(tmp_path) == set()
    assert len(done.output.strip().splitlines()) == 1 and "Traceback" not in done.output


def test_a_place_that_cannot_be_written(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "there/solution.json").mkdir(parents=True)
    (tmp_path / "file").write_text("kept")
    for output in ("there", "file/net.html"):
        done = run("backprop", "net.yaml", "-f", "json", "-o", output)
        assert done.exit_code == 2 and "cannot be written" in done.output
    assert files(tmp_path) == {"file"} and (tmp_path / "file").read_text() == "kept"


def test_a_file_is_replaced_whole(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("x" * 10**6)
    assert run("backprop", "net.yaml", "-o", "a.json").exit_code == 0
    json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert files(tmp_path) == {"a.json"}


# exit codes -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NET.replace("sigmoid", "sigmoyd"), ["net.yaml:7:5: layers[3]: unknown layer 'sigmoyd'", "'sigmoid'"]),
        (NET.replace("[1, 2]", "[1, 2, 3]"), ["net.yaml:4:", "takes 2 inputs", "has 3"]),
        (NET.replace("loss: bce", "los: bce"), ["net.yaml:8:1", "'loss'"]),
        (NET.replace("loss: bce\n", ""), ["needs a loss", "derive forward"]),
        ("layers: [", ["net.yaml:", "not valid YAML"]),
        ("", ["net.yaml"]),
    ],
)
def test_the_input_is_at_fault(run: Callable[..., Result], tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    done = run("backprop", "net.yaml")
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
    for word in words:
        assert word in done.output
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    "args",
    [
        ["backprop", "mazr"],
        ["backprop", "no.yaml"],
        ["backprop", "."],
        ["bakprop", "mazur"],
        ["backprop"],
        ["backprop", "mazur", "--form", "x"],
        ["backprop", "mazur", "--significant", "0"],
        ["backprop", "mazur", "--decimals", "31"],
        ["backprop", "mazur", "-f", "doc"],
        ["backprop", "mazur", "--lang", "fr"],
        ["backprop", "mazur", "--notation", "mazr"],
        ["backprop", "mazur", "--only", "w55"],
        ["backprop", "mazur", "--what"],
        ["init", "mazr"],
    ],
)
def test_wrong_arguments(run: Callable[..., Result], tmp_path: Path, args: list[str]) -> None:
    done = run(*args)
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["backprop", "mazr"], "'mazur'"),
        (["bakprop", "mazur"], "'backprop'"),
        (["backprop", "mazur", "--only", "dL/dW3"], "'dL/dW"),
        (["init", "xorr"], "'xor'"),
        (["backprop", "mazur", "--only", "w55"], "'w5'"),
    ],
)
def test_wrong_arguments_get_the_nearest_name(run: Callable[..., Result], args: list[str], hint: str) -> None:
    assert hint in run(*args).output


def test_witnesses_that_disagree(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slope that is wrong by a thousandth: nothing is written, the exit code is 3."""
    good = activations["tanh"]
    op = replace(good(), slopes=(good().slopes[0] + derive.formula.formula("0.001"),))
    monkeypatch.setitem(activations._entries, "tanh", lambda: op)
    done = run("backprop", "regression", "-f", "html", "-f", "json")
    assert done.exit_code == 3
    assert "witnesses disagree, nothing was written" in done.output and len(done.output.strip().splitlines()) == 1
    assert files(tmp_path) == set()
    assert run("backprop", "regression", "-o", "-").stdout == ""
    monkeypatch.undo()


def test_a_wrong_forward_formula_is_noticed(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The slope is right for tanh, but the function is another: the differences notice."""
    monkeypatch.chdir(tmp_path)
    good = activations["tanh"]
    op = replace(good(), body=good().body * derive.formula.formula("1.001"))
    monkeypatch.setitem(activations._entries, "tanh", lambda: op)
    assert run("backprop", "regression").exit_code == 3


def test_an_interruption(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("derive.solution.solve", interrupted)
    done = run("backprop", "mazur")
    assert done.exit_code == 130
    assert done.output.strip() == "interrupted"
    assert files(tmp_path) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interruption_of_a_process(tmp_path: Path) -> None:
    code = "from derive.cli import main; print('about to start', flush=True); main()"
    command = [sys.executable, "-c", code, "backprop", "-"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdout is not None and child.stdout.readline()
        time.sleep(0.5)  # it waits for the file
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert b"Traceback" not in err and files(tmp_path) == set()


def test_a_bug_is_one_line(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.solution.build", lambda spec: 1 / 0)
    done = run("backprop", "mazur")
    assert done.exit_code == 3 and "ZeroDivisionError" in done.output and len(done.output.strip().splitlines()) == 1
    monkeypatch.setenv("DERIVE_DEBUG", "1")
    assert isinstance(run("backprop", "mazur").exception, ZeroDivisionError)


def test_processes() -> None:
    assert process("--version").stdout.strip() == f"derive {derive.__version__}"
    done = process("backprop", "-", "-f", "json", "-o", "-", input=NET)
    assert done.returncode == 0 and json.loads(done.stdout)["schema"] == "derive-solution/1" and done.stderr == ""
    assert process("backprop", "nothing.yaml").returncode == 2


def test_a_closed_pipe(tmp_path: Path) -> None:
    command = f"{sys.executable} -m derive.cli backprop mazur -f html -o - | head -c 10"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    assert done.stdout == b"<!DOCTYPE " and b"Traceback" not in done.stderr and b"Exception" not in done.stderr


# options ----------------------------------------------------------------------------------------------------------------
def printed(run: Callable[..., Result], *args: str, net: str = "mazur", command: str = "backprop") -> str:
    done = run(command, net, "-o", "-", *args)
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_forward(run: Callable[..., Result], tmp_path: Path) -> None:
    text = printed(run, command="forward")
    assert "Eₜₒₜₐₗ =" in text and "δ" not in text and "⁺" not in text
    data = json.loads(printed(run, "-f", "json", command="forward"))
    assert "L" in data["quantities"] and not [
        id for id in data["quantities"] if id.startswith("dL") or id.endswith("+")
    ]
    (tmp_path / "net.yaml").write_text(NET.replace("loss: bce\n", ""), encoding="utf-8")
    assert "a⁽²⁾₁" in printed(run, net="net.yaml", command="forward")


def test_form(run: Callable[..., Result]) -> None:
    scalar, matrix, both, auto = (
        printed(run, "--form", form, net="regression") for form in ("scalar", "matrix", "both", "auto")
    )
    assert scalar == auto and "z⁽¹⁾_{1,1}" in scalar and "  Z⁽¹⁾ =" not in scalar
    assert "  Z⁽¹⁾ =" in matrix and "z⁽¹⁾_{1,1} =" not in matrix
    assert "  Z⁽¹⁾ =" in both and "z⁽¹⁾_{1,1} =" in both


@pytest.mark.parametrize("net", examples.names())
@pytest.mark.parametrize("form", ["matrix", "both"])
def test_every_example_in_every_form(run: Callable[..., Result], net: str, form: str) -> None:
    assert printed(run, "--form", form, net=net)


def test_only(run: Callable[..., Result]) -> None:
    def ids(*wanted: str) -> set[str]:
        data = json.loads(printed(run, "-f", "json", "--only", ",".join(wanted)))
        return {line["id"] for section in data["sections"] for step in section["steps"] for line in step["lines"]}

    assert ids("w5") == {"dL/dW2[1,1]", "W2+[1,1]"}
    assert ids("dL/dz2") == {"dL/dz2[1]", "dL/dz2[2]"}
    assert ids("dL/dw5", " L ") == {"dL/dW2[1,1]", "L"}
    assert ids("W2[1,1]") == ids("w5")
    assert ids("z1[2]") == {"z1[2]"}
    assert ids("b1") == {"dL/db1"}
    text = printed(run, "--only", "w5+")
    assert "w₅⁺ =" in text and "w₆⁺ =" not in text


def test_level(run: Callable[..., Result]) -> None:
    brief, normal, full = (printed(run, "-f", "html", "--level", level) for level in ("brief", "normal", "full"))
    assert len(brief) < len(normal)
    assert brief.count('class="why"') == 0 < normal.count('class="why"')
    folds = [len(re.findall("<details(?![^>]* open)", page)) for page in (normal, full)]
    assert folds[0] > 0 == folds[1]
    for page in (brief, normal, full):  # every weight and every bias has its gradient, whatever the level
        assert page.count("<tr><td><math>") >= 10


def test_notation_lang_and_rounding(run: Callable[..., Result]) -> None:
    assert "dz^{[2]}" in printed(run, "--notation", "ng")
    assert "前向" in printed(run, "--lang", "zh")
    assert "≈ 0.593269992" in printed(run, "--significant", "9") and "≈ 0.593 " in printed(
        run, "--decimals", "3"
    ).replace("\n", " ")
    assert "151/400" in printed(run, "--exact") and "0,3775" in printed(run, "--comma")
    assert "as on paper" in printed(run, "--round-as-you-go").replace("\n", " ")
    data = json.loads(printed(run, "-f", "json", "--decimals", "2", "--round-as-you-go"))
    assert data["conventions"]["numbers"] == {"decimals": 2, "exact": False, "round_as_you_go": True, "half": "even"}


def test_the_command_line_wins_over_the_file(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET + "notation: ng\nnumbers: {decimals: 2}\n", encoding="utf-8")
    assert "z^{[1]}₁" in printed(run, net="net.yaml")
    text = printed(run, "--notation", "nielsen", "--significant", "7", net="net.yaml")
    assert "z²₁" in text and "7 significant" in text


def test_ascii(run: Callable[..., Result]) -> None:
    assert printed(run, "--ascii").isascii() and printed(run, "--ascii", "--lang", "zh").isascii()
    assert run("backprop", "net.yaml", "--ascii").output.isascii()


def test_quiet_and_open(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    assert run("backprop", "net.yaml", "-q").output == "" and opened == []
    assert run("backprop", "net.yaml", "--open", "--quiet", "-f", "text", "-f", "html").exit_code == 0
    assert [Path(path).as_posix() for path in opened] == ["output/net/solution.txt"]


def test_help(run: Callable[..., Result]) -> None:
    for args in ([], ["backprop"], ["forward"], ["init"], ["list"], ["schema"]):
        for flag in ("-h", "--help"):
            done = run(*args, flag)
            assert done.exit_code == 0 and "Usage:" in done.output
    text = run("backprop", "-h").output
    for option in (
        "--format",
        "--output",
        "--form",
        "--only",
        "--level",
        "--notation",
        "--significant",
        "--decimals",
        "--exact",
        "--round-as-you-go",
        "--lang",
        "--open",
        "--quiet",
    ):
        assert option in text


# the other commands -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", examples.names())
def test_init(run: Callable[..., Result], tmp_path: Path, name: str) -> None:
    done = run("init", name)
    assert done.exit_code == 0 and f"derive backprop {name}.yaml" in done.output
    assert (tmp_path / f"{name}.yaml").read_text(encoding="utf-8") == examples.text(name)
    (tmp_path / f"{name}.yaml").write_text("mine")
    again = run("init", name)
    assert again.exit_code == 2 and "already exists" in again.output
    assert (tmp_path / f"{name}.yaml").read_text() == "mine"
    assert run("init", name, "-o", "other.yaml").exit_code == 0 and run("backprop", "other.yaml", "-q").exit_code == 0
    assert run("init", name, "-o", "-").stdout == examples.text(name)


def test_init_has_a_default(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("init").exit_code == 0 and files(tmp_path) == {"mazur.yaml"}


def test_list_names_everything(run: Callable[..., Result]) -> None:
    named = set(re.findall(r"^  (\S+)", run("list").output, flags=re.MULTILINE))
    for table in (activations, losses, optimizers, initializers, PRESETS, examples.names()):
        assert named >= set(table)
    assert "linear" in named


# the schema -------------------------------------------------------------------------------------------------------------
def plain(item: source.Item) -> Any:
    """A file as an editor's YAML 1.2 reader sees it: a fraction is text, everything else what it looks like."""
    match item.value:
        case dict() as entries:
            return {key: plain(value) for key, value in entries.items()}
        case list() as parts:
            return [plain(part) for part in parts]
        case source.Number(text=text, exact=exact):
            return text if "/" in text else int(exact) if exact.denominator == 1 else float(exact)
        case value:
            return value


@pytest.fixture(scope="module")
def validator() -> Any:
    found = schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def problems(validator: Any, net: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(net)]


def test_schema_command(run: Callable[..., Result]) -> None:
    done = run("schema")
    assert done.exit_code == 0 and json.loads(done.output) == json.loads(json.dumps(schema()))


@pytest.mark.parametrize("name", examples.names())
def test_the_schema_accepts_the_examples(validator: Any, name: str) -> None:
    assert problems(validator, plain(source.parse(examples.text(name), name))) == []


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_the_schema_accepts_what_was_published(validator: Any, path: Path) -> None:
    item = source.read(path)
    assert isinstance(item.value, dict)
    if path.stem != "keras_bce_with_logits_weight":  # what derive itself refuses
        assert problems(validator, plain(item.value["net"])) == []


@pytest.mark.parametrize(
    "typo",
    [
        {"input": [1]},
        {"layers": ["sigmoyd"]},
        {"layers": [{"linear": {"outputs": 2}}]},
        {"layers": [{"linear": {"out": 0}}]},
        {"loss": "msee"},
        {"loss": {"huber": {"dleta": 1}}},
        {"loss": {"mse": {"reduction": "avg"}}},
        {"optimizer": {"sgd": {"rate": 1}}},
        {"notation": "mazr"},
        {"notation": {"layuot": "rows"}},
        {"notation": {"layout": "row"}},
        {"numbers": {"significant": 0}},
        {"numbers": {"half": "odd"}},
        {"numbers": {"digits": 4}},
        {"inputs": {"normal": [2, 3]}},
        {"steps": 0},
        {"seed": "one"},
        {"layers": "relu"},
        {"frozen": "b1"},
        {"layers": [{"leaky_relu": {"slope": 0.1}}]},
        {"layers": [{"linear": {"out": 2, "init": "xavier"}}]},
        {"inputs": [["a"]]},
    ],
)
def test_the_schema_refuses_typos(validator: Any, typo: dict[str, Any]) -> None:
    net = {"inputs": [1, 2], "targets": [1], "layers": [{"linear": {"out": 1}}], "loss": "mse"}
    assert problems(validator, net) == []
    assert problems(validator, {**net, **typo}) != []
    with pytest.raises(InputError):  # and so does derive
        solve({**net, **typo})


def test_the_schema_needs_layers(validator: Any) -> None:
    assert problems(validator, {"inputs": [1]}) != []


@pytest.mark.parametrize(
    "net",
    [
        {"layers": [{"Linear": {"out": 1}}, "ReLU"]},
        {"layers": [{"linear": {"out": 1, "weight": [[0.3, -2]], "bias": "shared"}}]},
        {"numbers": {"comma": True}},
        {"layers": [{"linear": {"out": 1, "init": {"normal": {"std": 0.1}}}}]},
        {"notation": {"η": "lr", "times": "×", "first_layer": 0}},
        {"loss": {"mse": None}},
        {"layers": [{"linear": {"out": 1, "weight": "xavier_uniform", "bias": "zeros"}}]},
        {"inputs": {"rand": [4, 2]}},
        {"labels": {"W1": [["u", "v"]]}},
        {"optimizer": "sgd"},
        {"notation": {"numbering": "source", "preset": "mazur"}},
        {"frozen": ["b1"]},
        {"notation": {"index_order": "from-to"}},
        {"layers": ["relu", {"softplus": {"beta": 2}}]},
        {"notation": {"times": None}},
    ],
)
def test_the_schema_accepts_what_derive_accepts(validator: Any, net: dict[str, Any]) -> None:
    whole = {"inputs": [1, 2], "layers": [{"linear": {"out": 1}}], "seed": 1, **net}
    solve(whole, backward=False)
    assert problems(validator, whole) == []


# completion -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = process(env={"_DERIVE_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0 and "_DERIVE_COMPLETE" in done.stdout and "derive" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("derive ba", {"backprop"}),
        ("derive backprop ma", {"mazur"}),
        ("derive backprop mazur --for", {"--form", "--format"}),
        ("derive backprop mazur --notation n", {"nielsen", "ng"}),
        ("derive backprop mazur --lang ", {"en", "zh"}),
        ("derive init x", {"xor"}),
    ],
)
def test_completion(line: str, found: set[str]) -> None:
    words = line.split(" ")
    environment = {"_DERIVE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    offered = {row.partition(",")[2] for row in process(env=environment).stdout.splitlines()}
    assert found <= offered
    assert all(word.startswith(words[-1]) for word in offered)


# the README ---------------------------------------------------------------------------------------------------------------
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def a_small_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the book one of few lessons: tests/test_lessons.py has the whole."""
    few = {"network": ["neuron"], "optimizers": ["adam"]}
    monkeypatch.setattr("derive.teaching.by_chapter", lambda: few)


def a_small_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the documentation site one page: tests/test_site.py builds it."""
    monkeypatch.setattr("derive.site.build.build", lambda site, **_: Built({"index.html": b""}, 1))


def block(language: str, holding: str) -> str:
    return next(text for kind, text in BLOCKS if kind == language and holding in text)


def test_the_readme_installs_in_its_first_blocks() -> None:
    first, second = [text for kind, text in BLOCKS if kind == "bash"][:2]
    assert "-m venv" in first and "pip install" in first and "derive backprop mazur" in first
    assert "-m venv" in second and "pytest" in second
    for text in (first, second):
        assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode == 0


def test_the_network_of_the_readme(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "my-net.yaml").write_text(block("yaml", "# my-net.yaml"), encoding="utf-8")
    assert run("backprop", "my-net.yaml").exit_code == 0
    assert files(tmp_path) == {"my-net.yaml", "output/my-net/solution.html"}
    solution = solve("my-net.yaml")
    hidden = max(0, 0.5 * 1 - 0.3 * 2 + 0.1), max(0, 0.2 * 1 + 0.4 * 2)
    score = 0.7 * hidden[0] - 0.6 * hidden[1] + 0.2
    p = 1 / (1 + np.exp(-score))
    assert float(solution["L"]) == pytest.approx(-np.log(p))
    assert solution["dL/dW2"].tolist()[0] == pytest.approx([(p - 1) * hidden[0], (p - 1) * hidden[1]], abs=1e-12)


def test_the_commands_of_the_readme(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_small_book(monkeypatch)
    a_small_site(monkeypatch)
    (tmp_path / "my-net.yaml").write_text(block("yaml", "# my-net.yaml"), encoding="utf-8")
    (tmp_path / "net.yaml").write_text(Path(resolve("mazur")).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "notes.md").write_text(block("markdown", "derive: net.yaml"), encoding="utf-8")
    (tmp_path / "submissions").mkdir()
    answers = block("yaml", "# answers.yaml")
    for path in (tmp_path / "answers.yaml", tmp_path / "submissions" / "s1234567.yaml"):
        path.write_text(answers, encoding="utf-8")
    (tmp_path / "roster.csv").write_text("student_id,name\ns1234567,Ada\n", encoding="utf-8")
    commands = [
        shlex.split(line, comments=True)[1:]
        for _, text in BLOCKS
        for line in text.splitlines()
        if line.startswith("derive ")
    ]
    commands += [found.split()[1:] for found in re.findall(r"`(derive [^`]+)`", README)]
    assert len(commands) >= 6
    for args in commands:
        done = run(
            *args, *(["-h"] if args in (["check"], ["lint"], ["optimizer"], ["ema"], ["weave"], ["worksheet"]) else [])
        )  # named in the text
        assert done.exit_code == 0, f"derive {' '.join(args)}: {done.output}"
    assert "notes.tex" in files(tmp_path)


def test_the_options_of_the_readme_exist(run: Callable[..., Result]) -> None:
    commands = (
        "backprop",
        "train",
        "explain",
        "optimizer",
        "ema",
        "schedule",
        "batches",
        "check",
        "lint",
        "schema",
        "weave",
        "worksheet",
    )
    commands = (*commands, "export", "from-torch", "site")
    text = "--dist of pytest"
    text += "".join(run(command, "-h").output for command in commands)
    own = (parameters(entry[name]) for entry in (optimizers, schedules) for name in entry)  # of the entries themselves
    text += " ".join(f"--{option.replace('_', '-')}" for options in own for option in options)
    options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", README))
    assert len(options) > 6
    assert {option for option in options if option not in text} == set()


def test_the_tables_of_the_readme_are_true() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", README, flags=re.MULTILINE))
    assert {name.strip() for name in rows["activations"].split(",")} == set(activations)
    assert {name.strip() for name in rows["losses"].split(",")} == set(losses)
    assert set(re.findall(r"`(?:--notation )?([a-z0-9]+)`", rows["notation"])) == set(PRESETS)
    assert set(re.findall(r"`(?:-f )?([a-z-]+)`", rows["formats"])) == set(FORMATS)


def test_the_python_of_the_readme(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_small_book(monkeypatch)
    space: dict[str, Any] = {}
    exec(block("python", "import derive\n"), space)
    assert space["solution"]["dL/dW2"].shape == (2, 2)
    assert files(tmp_path) == {"output/net/solution.html", "output/net/solution.tex"}
    for name in re.findall(r'"([^"]+)"', block("python", "import derive\n").partition("also")[2].partition("\n")[0]):
        assert space["solution"][name].shape == ()


def test_the_activation_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "_entries", dict(activations._entries))
    monkeypatch.setattr(activations, "_aliases", dict(activations._aliases))
    exec(block("python", "def softsign"), vars(importlib.import_module("derive.ops.activations")).copy())
    solution = solve(
        {
            "inputs": [1],
            "targets": [1],
            "loss": "mse",
            "layers": [{"linear": {"out": 1, "weight": [[-2]], "bias": [0.5]}}, "softsign"],
        }
    )
    assert float(solution["a1"][0]) == pytest.approx(-1.5 / 2.5)
    assert float(solution["da1/dz1"][0]) == pytest.approx(1 / 2.5**2)


def test_the_files_of_the_readme_exist() -> None:
    for path in re.findall(r"\]\(((?!https?:)[^)#]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`(derive/[\w./]+|tests/[\w./]+)`", README):
        assert (ROOT / path).exists(), path


# doctests -----------------------------------------------------------------------------------------------------------------
def test_doctests() -> None:
    tried = 0
    for module in pkgutil.walk_packages(derive.__path__, "derive."):
        if module.name in ("derive.fonts.build",):
            continue
        found = importlib.import_module(module.name)
        if ">>>" not in Path(found.__file__ or "").read_text(encoding="utf-8"):
            continue  # looking through all its functions would find nothing
        done = doctest.testmod(found)
        assert done.failed == 0, module.name
        tried += done.attempted
    assert doctest.testmod(derive).failed == 0
    assert tried >= 1


def test_without_a_command_there_is_help(run: Callable[..., Result]) -> None:
    done = run()
    assert done.exit_code == 0 and done.output == run("--help").output
    done = run("frobnicate")
    assert done.exit_code == 2 and "(see derive --help)" in done.output.replace("main", "derive")
