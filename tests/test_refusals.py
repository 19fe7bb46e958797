"""What a network file can say that must not be believed: exit 2, one line, and where."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from derive import solve
from derive.cli import main

NET = """inputs: [1, 2]
targets: [1]
layers:
  - linear: {out: 1, weight: [[1, 2]], bias: [0]}
loss: mse
"""
NO_WEIGHTS = NET.replace(", weight: [[1, 2]], bias: [0]", "")


def solved(text: str, *options: str) -> Result:
    Path("net.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["backprop", "net.yaml", *options])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(done: Result, place: str, says: str) -> None:
    assert done.exit_code == 2, done.output
    assert done.output.count("\n") == 1
    assert done.output.startswith(place) and says in done.output
    assert not Path("output").exists()


@pytest.mark.parametrize(
    ("line", "place", "says"),
    [
        ("labels: {W1: [[w5, w_5]]}", "net.yaml:6:14:", "W1[1,1] and W1[1,2] would have the same symbol"),
        ("labels: {W1: [[x1, x2]]}", "net.yaml:6:14:", "the same symbol"),
        ("labels: {b1: {}}", "net.yaml:6:14:", "labels are texts"),
        ('notation: {L: ""}', "net.yaml:6:15:", "an empty letter"),
        ("notation: {x: t}", "net.yaml:6:11:", "t[1] would have the same symbol"),
        ("frozen: [1]", "net.yaml:6:10:", "'1' is not a parameter"),
        ("frozen: [[W1]]", "net.yaml:6:10:", "expected a text"),
        ("id: {a: [b]}", "net.yaml:6:5:", "expected a text"),
    ],
)
def test_names(line: str, place: str, says: str) -> None:
    refused(solved(NET + line + "\n"), place, says)


@pytest.mark.parametrize(("weight", "target"), [("2", "1"), ("-2", "0"), ("-2", "1")])
def test_bce_needs_probabilities(weight: str, target: str) -> None:
    net = f"inputs: [1]\ntargets: [{target}]\nlayers:\n  - linear: {{out: 1, weight: {weight}, bias: 0}}\nloss: bce\n"
    refused(solved(net), "net.yaml:5:7:", "bce needs outputs from 0 to 1")


def test_bce_of_a_tiny_probability() -> None:
    net = {
        "inputs": [1],
        "targets": [1],
        "layers": [{"linear": {"out": 1, "weight": 1e-300, "bias": 0}}],
        "loss": "bce",
    }
    assert float(solve(net)["L"]) == pytest.approx(300 * np.log(10))


@pytest.mark.parametrize("beta", [10**7, 10**11, 10**300])
def test_softplus_as_steep_as_you_like(beta: int) -> None:
    layer = {"linear": {"out": 2, "weight": [[1, 2], [1, -1]], "bias": [0, 0]}}
    net = {"inputs": [0.5, -1], "targets": [1, 0], "layers": [layer, {"softplus": {"beta": beta}}], "loss": "mse"}
    assert np.isfinite(solve(net)["L"])


def test_numbers_too_large_to_be_drawn() -> None:
    net = NO_WEIGHTS.replace("{out: 1}", "{out: 1, init: {kaiming_normal: {a: 1e300}}}") + "seed: 1\n"
    refused(solved(net), "net.yaml:4:", "not finite")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"W11": [[1.0, 2.0]]}, "'W11' belongs to nothing in this network. Did you mean 'W1'?"),
        ({}, "holds no arrays"),
        ({"x": [[1.0, 2.0]]}, "given here and as array x"),
    ],
)
def test_arrays_without_a_place(arrays: dict[str, list[list[float]]], says: str) -> None:
    np.savez("w.npz", **{key: np.array(value) for key, value in arrays.items()})
    done = solved(NO_WEIGHTS + "parameters: w.npz\n")
    assert done.exit_code == 2 and says in done.output and done.output.count("\n") == 1


def test_a_weight_given_twice() -> None:
    np.savez("w.npz", W1=np.array([[1.0, 2.0]]))
    refused(solved(NET + "parameters: w.npz\n"), "net.yaml:4:22:", "given here and in the file of parameters")


def test_damaged_archives() -> None:
    np.savez_compressed("w.npz", W1=np.arange(20.0).reshape(1, 20), b1=np.ones(1))
    good = Path("w.npz").read_bytes()
    net = NO_WEIGHTS.replace("[1, 2]", str(list(range(20)))) + "parameters: w.npz\n"
    random = np.random.default_rng(7)
    for place in random.integers(0, len(good), 80).tolist():
        Path("w.npz").write_bytes(good[:place] + bytes([good[place] ^ 0x5A]) + good[place + 1 :])
        done = solved(net, "-o", "page.html", "-q")
        assert done.exit_code in (0, 2) and done.output.count("\n") <= 1, done.output


def test_a_link_to_itself() -> None:
    Path("w.npz").symlink_to("w.npz")
    refused(solved(NO_WEIGHTS + "parameters: w.npz\n"), "net.yaml:6:13:", "w.npz is not a readable .npz file")


@pytest.mark.parametrize(
    ("place", "says"), [("notes.odt", "no format has the suffix .odt"), ("net.yaml", "suffix .yaml")]
)
def test_files_that_are_not_written(place: str, says: str) -> None:
    assert says in solved(NET, "-o", place).output
    assert Path("net.yaml").read_text(encoding="utf-8") == NET


def test_the_network_file_is_not_overwritten() -> None:
    Path("net.txt").write_text(NET, encoding="utf-8")
    done = CliRunner().invoke(main, ["backprop", "net.txt", "-o", "net.txt"])
    assert done.exit_code == 2 and "the network file itself" in done.output
    assert Path("net.txt").read_text(encoding="utf-8") == NET


def test_nothing_is_written_where_one_file_cannot_be() -> None:
    Path("d/solution.tex").mkdir(parents=True)
    done = solved(NET, "-f", "html", "-f", "latex", "-o", "d")
    assert done.exit_code == 2 and not Path("d/solution.html").exists()


@pytest.mark.parametrize("args", [["--form", "x"], ["--onyl", "w5"], ["--significant", "0"]])
def test_wrong_options_in_one_line(args: list[str]) -> None:
    done = solved(NET, *args)
    assert done.exit_code == 2 and done.output.count("\n") == 1 and "--help" in done.output


@pytest.mark.parametrize("given", ["t", "x", "t,x"])
def test_only_what_is_given(given: str) -> None:
    refused(solved(NET, "--only", given), "--only: there is no line about", given.replace(",", ", "))


def test_a_folder_with_a_dot() -> None:
    assert solved(NET, "-o", "v1.2/").exit_code == 0
    assert Path("v1.2/solution.html").is_file()


@pytest.mark.parametrize("name", ["x" * 300 + ".yaml", ""])
def test_names_of_no_file(name: str) -> None:
    done = CliRunner().invoke(main, ["backprop", name])
    assert done.exit_code == 2 and done.output.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="closes a stream with the shell")
@pytest.mark.parametrize(("net", "code"), [("none.yaml", 2), ("net.yaml", 0)])
def test_without_standard_error(net: str, code: int) -> None:
    Path("net.yaml").write_text(NET, encoding="utf-8")
    root = Path(__file__).parent.parent
    command = f'"{sys.executable}" -m derive.cli backprop {net} -o page.html 2>&-'
    done = subprocess.run(["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL)
    assert done.returncode == code
