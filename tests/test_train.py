"""derive train: the generated programs, long training, checkpoints, and what becomes of it on the page."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from derive import examples, reference
from derive.build import build
from derive.checks.updates import plain
from derive.cli import main
from derive.errors import InputError, WitnessError
from derive.examples import resolve
from derive.long_training import train
from derive.losses import losses
from derive.model import Model
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.printers.data import Data
from derive.solution import Solution, solve
from derive.spec import load
from derive.training import checkpoint
from derive.training.loop import Mark, Trainer, recorded
from derive.training.program import Kind, Program, step_graph

KINDS: tuple[Kind, ...] = ("scalar", "numpy")
OPTIMIZERS = [name for name in optimizers if name != "nesterov"]


def net_of(activation: Any = "tanh", loss: Any = "half_squared_error", **more: Any) -> dict[str, Any]:
    layers = [
        {"linear": {"out": 2, "weight": [[1, -1], [0.5, 2]], "bias": 0.1}},
        activation,
        {"linear": {"out": 2, "weight": [[1, 2], [3, 0.5]], "bias": [0, 1]}},
        activation,
    ]
    net = {"inputs": [[0.5, -1], [1, 2]], "targets": [[0.25, 0.5], [1, 0]], "loss": loss, "layers": layers}
    return {**net, "optimizer": {"sgd": {"lr": 0.1}}, **more}


def model_of(net: Any, steps: int = 1) -> Model:
    return build(replace(load(resolve(net) if isinstance(net, str) else net), steps=steps))


def off(net: Any, steps: int = 3) -> float:
    """The largest relative error of one step of every kind of program, over some worked steps."""
    model = model_of(net, steps)
    numbers = model.numbers()
    worst = 0.0
    for kind in KINDS:
        trainer = Trainer(model, kind=kind)
        for safe in (False, True):
            values = trainer.start
            for iteration in model.iterations:
                t = model.steps_before + iteration.number
                graph = trainer.graph(values, t)
                values, _, loss, _ = trainer.program(graph, until=False, safe=safe).run(values, t, t)
                assert iteration.forward.loss is not None
                known = float(numbers[iteration.forward.loss.total][0, 0])
                worst = max(worst, abs(loss - known) / max(abs(known), 1e-300))
                for parameter, updated in iteration.updated.items():
                    found = values[parameter.id.partition("@")[0]]
                    scale = max(np.abs(numbers[updated]).max(), 1e-3)
                    worst = max(worst, np.abs(found - numbers[updated]).max() / scale)
    return worst


# programs -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name in activations if name != "log_softmax"])
def test_every_activation(name: str) -> None:
    assert off(net_of(name)) < 1e-12


@pytest.mark.parametrize("name", list(losses))
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_loss(name: str, reduction: str) -> None:
    classes = {"cross_entropy": [1, 0], "nll": [1, 0], "hinge_embedding": [[1, -1], [1, 1]]}
    end = {"targets": classes[name]} if name in classes else {}
    layer = {"nll": "log_softmax", "kl_div": "log_softmax", "cross_entropy": "identity"}.get(name, "sigmoid")
    assert off(net_of(layer, {name: {"reduction": reduction}}, **end)) < 1e-12


@pytest.mark.parametrize("options", [
    {"cross_entropy": {"label_smoothing": 0.1}}, {"cross_entropy": {"weight": [1, 2]}},
    {"bce_with_logits": {"pos_weight": [1, 2]}}, {"bce_with_logits": {"weight": [1, 2]}},
])  # fmt: skip
def test_options_of_losses(options: dict[str, Any]) -> None:
    assert off(net_of("identity", options, **({"targets": [1, 0]} if "cross_entropy" in options else {}))) < 1e-12


def test_fused_ends() -> None:
    assert off(net_of("softmax", "cross_entropy", targets=[1, 0])) < 1e-12
    assert off(net_of("sigmoid", "bce")) < 1e-12


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name: str) -> None:
    assert off(net_of(optimizer=name), steps=6) < 1e-12
    assert off(net_of(optimizer={name: {"lr": 0.05, "maximize": True}}, update="layerwise", frozen=["W1"])) < 1e-12


@pytest.mark.parametrize("optimizer", [
    {"sgd": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}},
    {"sgd": {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}}, {"adam": {"amsgrad": True, "eps_form": "hat"}},
    {"adam": {"eps_form": "inside"}}, {"rmsprop": {"centered": True, "momentum": 0.5}}, {"asgd": {"t0": 2}},
    {"radam": {"betas": [0.9, 0.5]}}, {"adagrad": {"lr_decay": 0.1}}, {"momentum": {"form": "classical"}},
    {"nadam": {"decoupled_weight_decay": True, "weight_decay": 0.1}},
])  # fmt: skip
def test_options_of_optimizers(optimizer: dict[str, Any]) -> None:
    assert off(net_of(optimizer=optimizer), steps=8) < 1e-12


def test_examples_and_a_given_state() -> None:
    for name in examples.names():
        if name != "symbols_only":
            assert off(name) < 1e-12
    state = {"m": 0.1, "v": {"W1": [[0.1, 0.2], [0.3, 0.4]]}, "step": 5}
    assert off(net_of(optimizer="adam", state=state)) < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_random_networks(seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 6, random.integers(2, 5)).tolist()
    samples = int(random.integers(1, 5))
    layers: list[Any] = []
    for size in sizes[1:]:
        bias = random.choice(["own", "shared", "none"])
        given = {"own": {}, "shared": {"bias": "shared"}, "none": {"bias": False}}[bias]
        layers += [{"linear": {"out": size, **given}}, str(random.choice(["tanh", "sigmoid", "silu", "softplus"]))]
    net = {"inputs": {"randn": [samples, sizes[0]]}, "seed": seed, "layers": layers, "loss": "mse"}
    net["targets"] = random.random((samples, sizes[-1])).round(3).tolist()
    assert off({**net, "optimizer": {"sgd": {"lr": 0.3, "momentum": 0.5}}}, steps=4) < 1e-12


def test_the_source_is_plain_python() -> None:
    trainer = Trainer(model_of("mazur"))
    source = trainer.program(trainer.graph(trainer.start, 1), until=False, safe=False).source
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert source.count("exp(") == 4
    assert "# forward" in source and "# backward" in source and "# what the next step starts from" in source
    hostile = net_of(name="__import__('os')", labels={"W1": [["a;b", "import os"], ["x)", '"']]})
    model = model_of(hostile)
    text = Program(step_graph(model, 1, {}), "scalar").source
    assert "import" not in text and ";" not in text and "os" not in text.split()


@pytest.mark.parametrize("kind", KINDS)
def test_huge_scores_do_not_overflow(kind: Kind) -> None:
    for end in (net_of("identity", "cross_entropy", targets=[1, 0]), net_of("identity", "bce_with_logits")):
        net = {**end, "inputs": [[500, -1000], [1000, 2000]], "optimizer": {"sgd": {"lr": 1e-9}}}
        course = Trainer(model_of(net), kind=kind).train(3)
        assert course.stopped == "" and math.isfinite(course.loss_after)
    saturated = {**net_of("sigmoid"), "inputs": [[500, -1000], [-1000, 2000]]}  # e to the 2500 is beyond floats
    course = Trainer(model_of(saturated), kind=kind).train(3)
    assert math.isfinite(course.loss_after)


# numbers that others have printed -------------------------------------------------------------------------------------------
def test_mazur_after_10000_steps() -> None:
    found = train("mazur", steps=10_000)
    assert float(found["L+@10000"]) == pytest.approx(3.510187782978859e-05, rel=1e-12)
    assert float(found["L+"]) == float(found["L+@10000"])
    assert float(found["L@10000"]) == pytest.approx(3.510854812251261e-05, rel=1e-12)
    assert found["W2+@10000"].shape == (2, 2)


def test_mazur_layer_by_layer() -> None:
    net = {**mazur(), "update": "layerwise"}
    found = train(net, steps=10_000)
    assert found["a2+@10000"].round(10).tolist() == [0.0159121963, 0.9840657345]
    assert round(float(train(net, steps=1)["L+"]), 9) == 0.291027924
    assert round(float(train("mazur", steps=1)["L+"]), 9) == 0.291027774


def mazur() -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(examples.text("mazur"))
    return found


TRASK = {
    "inputs": [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]],
    "targets": [[0], [0], [1], [1]],
    "layers": [{"linear": {"out": 1, "weight": [[-0.16595599, 0.44064899, -0.99977125]], "bias": False}}, "sigmoid"],
    "loss": {"half_squared_error": {"reduction": "sum"}},
    "optimizer": {"sgd": {"lr": 1}},
}


def test_eleven_lines() -> None:
    """https://iamtrask.github.io/2015/07/12/basic-python-network/, after 10,000 steps of the first listing."""
    found = train(TRASK, steps=10_000)
    printed = [0.00966449, 0.00786506, 0.99358898, 0.99211957]
    assert found["a1@10000"].ravel().round(8).tolist() == printed


# against references ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_of_the_reference(name: str) -> None:
    model = model_of(net_of(optimizer={name: {"lr": 0.05}}))
    trainer = Trainer(model)
    choice = model.spec.optimizer
    assert choice is not None
    options = plain(choice.in_force)
    lr = options.pop("lr")
    place = Mark(trainer.start, 0)
    theta = {id: trainer.start[id] for id in ("W1", "b1", "W2", "b2")}
    memory: dict[str, Any] = {id: {} for id in theta}
    for t in range(1, 21):
        gradient = gradients(theta)
        for id in theta:
            theta[id], memory[id] = reference.step(name, theta[id], gradient[id], memory[id], t, lr, options)
        place = trainer.advance(place, t)[0]
        for id in theta:
            assert np.abs(place.numbers[id] - theta[id]).max() < 1e-10


def gradients(theta: dict[str, Any]) -> dict[str, Any]:
    """Of `net_of()`, in plain NumPy."""
    x, t = np.array([[0.5, -1], [1, 2]]), np.array([[0.25, 0.5], [1, 0]])
    a1 = np.tanh(x @ theta["W1"].T + theta["b1"])
    a2 = np.tanh(a1 @ theta["W2"].T + theta["b2"])
    d2 = (a2 - t) * (1 - a2**2)
    d1 = d2 @ theta["W2"] * (1 - a1**2)
    return {"W1": d1.T @ x, "b1": d1.sum(keepdims=True), "W2": d2.T @ a1, "b2": d2.sum(axis=0, keepdims=True)}


# what makes it stop -----------------------------------------------------------------------------------------------------------
def test_until() -> None:
    found = train("mazur", steps=10_000, until=0.01)
    course = found.course
    assert course is not None
    assert course.stopped == "until"
    assert course.loss_after <= 0.01 < course.losses[course.made]
    assert float(found["L+"]) == pytest.approx(float(train("mazur", steps=course.made)["L+"]), rel=1e-14)
    for net in ("mazur", net_of(optimizer={"sgd": {"lr": 0.1, "momentum": 0.9}})):
        with pytest.raises(InputError, match="before the first step"):
            train(net, steps=5, until=100)


@pytest.mark.parametrize("kind", KINDS)
def test_divergence_is_told_and_what_was_there_is_kept(kind: Kind) -> None:
    net = net_of("identity", "mse", optimizer={"sgd": {"lr": 1}})
    course = Trainer(model_of(net), kind=kind).train(5000)
    assert course.stopped == "diverged"
    assert course.culprit == "L" and course.at == course.made + 2
    assert math.isfinite(course.loss_after)
    assert all(np.isfinite(value).all() for value in course.end.values())
    shown = train(net, steps=5000)
    assert "not finite" in str(shown.print("text"))


def test_divergence_of_a_parameter() -> None:
    net = {"inputs": [1], "targets": [0], "loss": "l1", "optimizer": {"sgd": {"lr": 1e308, "maximize": True}}}
    course = Trainer(model_of({**net, "layers": [{"linear": {"out": 1, "weight": [[1]], "bias": False}}]})).train(9)
    assert (course.stopped, course.culprit, course.at, course.made) == ("diverged", "W1", 2, 1)


def interrupted(step: int) -> Any:
    def progress(made: int, planned: int) -> None:
        if made == step:
            raise KeyboardInterrupt

    return progress


def test_an_interrupt_keeps_what_is_there() -> None:
    found = train("mazur", steps=900, progress=interrupted(300))
    assert found.course is not None
    assert (found.course.stopped, found.course.made) == ("interrupted", 300)
    assert float(found["L+"]) == float(train("mazur", steps=300)["L+"])


def test_an_interrupt_in_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.cli.output.Progress.steps", lambda self, made, planned: interrupted(7)(made, planned))
    done = CliRunner().invoke(main, ["train", "mazur", "--steps", "20", "-o", str(tmp_path / "page")])
    assert done.exit_code == 130
    assert "step 7 of 20" in done.output
    assert (tmp_path / "page" / "solution.html").exists()


def test_conditions_of_the_step_turn_where_they_should() -> None:
    net = net_of(optimizer={"asgd": {"t0": 50}})
    trainer = Trainer(model_of(net))
    once = trainer.advance(Mark(trainer.start, 0), 120)[0]
    place = Mark(trainer.start, 0)
    for t in range(1, 121):
        place = trainer.advance(place, t)[0]
    assert all((once.numbers[id] == place.numbers[id]).all() for id in once.numbers)


class Halving:
    """A schedule that listens: half the rate after ten steps, told every loss."""

    def __init__(self) -> None:
        self.told: dict[int, float] = {}

    def rate(self, step: int) -> float:
        return 0.5 if step <= 10 else 0.25

    def tell(self, step: int, loss: float) -> None:
        self.told[step] = loss


@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_gives_the_rates_and_hears_the_losses(kind: Kind) -> None:
    halving = Halving()
    course = Trainer(model_of("mazur"), schedule=halving, kind=kind).train(20)
    slow = {**mazur(), "optimizer": {"sgd": {"lr": 0.25}}}
    first = Trainer(model_of("mazur"), kind=kind).train(10)
    second = Trainer(model_of(slow), kind=kind)
    end = second.advance(Mark(first.end, 0), 10)[0].numbers
    assert all((course.end[id] == end[id]).all() for id in end)
    assert halving.told == pytest.approx(course.losses, rel=1e-14)


# checkpoints -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [{"sgd": {"lr": 0.1, "momentum": 0.9}}, *OPTIMIZERS])
def test_half_and_half_is_the_whole(name: Any, tmp_path: Path) -> None:
    model = model_of(net_of(optimizer=name))
    whole = Trainer(model).train(100)
    half = Trainer(model).train(50)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(checkpoint.save(half))
    again = build(replace(model.spec, start=checkpoint.load(path, model)))
    rest = Trainer(again).train(50)
    assert rest.steps_before == 50
    assert all((rest.end[id] == whole.end[id]).all() for id in whole.end)
    assert rest.loss_after == whole.loss_after


def test_the_command_goes_on(tmp_path: Path) -> None:
    run = CliRunner()
    folder = str(tmp_path / "page")
    assert run.invoke(main, ["train", "mazur", "--steps", "500", "-o", folder]).exit_code == 0
    file = str(tmp_path / "page" / "checkpoint.npz")
    done = run.invoke(main, ["train", "mazur", "--epochs", "500", "--resume", file, "-o", folder, "-f", "json"])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "page" / "solution.json").read_text(encoding="utf-8"))["quantities"]
    whole = train("mazur", steps=1000)
    assert found["L+@500"]["value"] == float(whole["L+@1000"])
    assert found["W1+@500"]["value"] == whole["W1+@1000"].tolist()


def damaged(tmp_path: Path, **change: Any) -> Path:
    model = model_of(net_of(optimizer="adam"))
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(checkpoint.save(Trainer(model).train(3)))
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    arrays |= change
    np.savez(path, allow_pickle=True, **{key: value for key, value in arrays.items() if value is not None})
    return path


@pytest.mark.parametrize(("change", "problem"), [
    ({"W1": np.zeros((3, 3))}, "has shape"),
    ({"W1": None}, "missing"),
    ({"m.W1": None}, "missing"),
    ({"W9": np.zeros((2, 2))}, "belongs to nothing"),
    ({"W1": np.full((2, 2), np.nan)}, "NaN"),
    ({"W1": np.array([["a", "b"], ["c", "d"]])}, "float64"),
    ({"W1": np.array([[{}, 1], [2, 3]], dtype=object)}, "not a readable"),
    ({"steps": np.array(-1)}, "damaged"),
    ({"steps": np.array([1, 2])}, "damaged"),
    ({"steps": np.array(10**17)}, "damaged"),
    ({"steps": None}, "no checkpoint"),
    ({"optimizer": np.frombuffer(b"sgd", dtype=np.uint8)}, "not of the optimizer adam"),
])  # fmt: skip
def test_damaged_checkpoints(change: dict[str, Any], problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem):
        train(net_of(optimizer="adam"), steps=3, resume=damaged(tmp_path, **change))


def test_foreign_files_are_no_checkpoints(tmp_path: Path) -> None:
    good = damaged(tmp_path).read_bytes()
    path = tmp_path / "x.npz"
    for content in (b"", b"not a zip", good[:200], good[:-30], good.replace(b"NUMPY", b"NUMPX")):
        path.write_bytes(content)
        with pytest.raises(InputError):
            train(net_of(optimizer="adam"), steps=3, resume=path)
    for place in (tmp_path / "nowhere.npz", tmp_path):
        with pytest.raises(InputError, match=r"no such file|this is no file"):
            train("mazur", steps=3, resume=place)


# batches ---------------------------------------------------------------------------------------------------------------------
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((7, 3)).round(2), RANDOM.random((7, 2)).round(2)
W = [[0.1, 0.2, 0.3], [0.4, -0.5, 0.6]]
BATCHED = {
    "inputs": X.tolist(),
    "targets": Y.tolist(),
    "layers": [{"linear": {"out": 2, "weight": W, "bias": [0.1, 0.2]}}, "sigmoid"],
    "loss": "mse",
    "optimizer": {"sgd": {"lr": 0.5, "momentum": 0.9}},
    "batch_size": 3,
}


@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_against_plain_numpy(drop_last: bool) -> None:
    found = train({**BATCHED, "drop_last": drop_last}, epochs=5)
    w, b, vw, vb = np.array(W), np.array([0.1, 0.2]), np.zeros((2, 3)), np.zeros(2)
    losses = []
    for start in (0, 3, 6)[: 2 if drop_last else 3] * 5:
        x, t = X[start : start + 3], Y[start : start + 3]
        a = 1 / (1 + np.exp(-(x @ w.T + b)))
        losses.append(((a - t) ** 2).mean())
        d = 2 * (a - t) / a.size * a * (1 - a)
        vw, vb = 0.9 * vw + d.T @ x, 0.9 * vb + d.sum(axis=0)
        w, b = w - 0.5 * vw, b - 0.5 * vb
    assert found.course is not None
    n = found.course.made
    assert n == len(losses)
    assert np.abs(found[f"W1+@{n}"] - w).max() < 1e-14
    assert [float(found[f"L@{s}" if s > 1 else "L"]) for s in range(1, n + 1)] == pytest.approx(losses, rel=1e-13)
    assert float(found["L+"]) == pytest.approx(((1 / (1 + np.exp(-(X @ w.T + b))) - Y) ** 2).mean(), rel=1e-13)


def test_batches_of_classes_and_of_one() -> None:
    net = {**BATCHED, "loss": {"cross_entropy": {"weight": [1, 2]}}, "targets": [0, 1, 1, 0, 1, 0, 0]}
    found = train(net, epochs=3, batch_size=1)
    assert found.course is not None
    assert found.course.made == 21
    assert found["a1@21"].shape == (1, 2)
    whole = train(net, epochs=3, batch_size=100)
    assert whole.course is not None
    assert (whole.course.made, whole.course.batches.several) == (3, False)


def test_batches_go_on_where_they_stopped(tmp_path: Path) -> None:
    half = train(BATCHED, steps=10)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(half.beside()["checkpoint.npz"])
    rest, whole = train(BATCHED, steps=10, resume=path).course, train(BATCHED, steps=20).course
    assert rest is not None and whole is not None
    assert all((rest.end[id] == whole.end[id]).all() for id in whole.end)


@pytest.mark.parametrize("change", [{"batch_size": 0}, {"batch_size": 1.5}, {"drop_last": "no"}])
def test_refused_batches(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        train({**BATCHED, **change}, steps=3)
    with pytest.raises(InputError):
        train(BATCHED, steps=3, batch_size=0)


# the page ---------------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def page() -> Solution:
    return train("mazur", steps=2500, worked=2)


def test_the_page_has_a_section(page: Solution) -> None:
    ids = [section.id for section in page.document.sections]
    assert ids.index("training") == ids.index("summary") - 1
    assert "step2" in ids
    text = str(page.print("text"))
    assert "After 2,500 steps the loss has fallen from 0.2984 to" in text
    for format in ("html", "latex", "markdown", "json"):
        assert "training" in str(page.print(format)).lower()
    table = next(b for s in page.document.sections for b in s.blocks if getattr(b, "id", "") == "training/L")
    assert 10 < len(table.rows) <= 25  # type: ignore[union-attr]


def test_the_ids_of_the_json(page: Solution) -> None:
    found = Data(page.document).all()["quantities"]
    worked = Data(solve({**mazur(), "steps": 2}).document).all()["quantities"]
    assert {id for id in worked if id not in found} == set()
    same = {id for id in worked if found[id]["value"] == worked[id]["value"]}
    assert set(worked) - same == {"L+"}
    for id in ("L@3", "L@2500", "W1@2500", "dL/dW1@2500", "W1+@2500", "z1@2500", "a1@2500", "L+@2500"):
        assert id in found
    assert {f"L@{s}" for s in recorded(2500) if s > 1} <= set(found)
    adam = train(net_of(optimizer="adam"), steps=4).document.quantities
    assert adam["m.W1@4"].shape == (2, 2)


def test_the_witnesses_see_a_wrong_program(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {witness.name: witness for witness in train("xor", steps=40).document.witnesses}
    assert names["program"].compared and names["last_step"].compared
    source = Program.source.func  # type: ignore[attr-defined]
    monkeypatch.setattr(Program, "source", property(lambda self: source(self).replace("1.0 -", "1.001 -")))
    with pytest.raises(WitnessError, match="program"):
        train("mazur", steps=40)


def test_worked_steps_end_where_training_does() -> None:
    assert len(train("mazur", steps=3, worked=10).model.iterations) == 3
    reached = train("mazur", steps=1000, until=0.29, worked=50)
    assert reached.course is not None
    assert len(reached.model.iterations) == reached.course.made < 50


# refusals ---------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("arguments", [
    [], ["--steps", "0"], ["--steps", "100000001"], ["--steps", "2", "--epochs", "2"], ["--steps", "2", "--until", "x"],
    ["--steps", "2", "--until", "nan"], ["--steps", "2", "--worked", "1001"], ["--steps", "2", "--resume", "no.npz"],
    ["--steps", "2", "--round-as-you-go"],
])  # fmt: skip
def test_refused_on_the_command_line(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["train", "mazur", *arguments])
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("change", "problem"), [
    ({"loss": None}, "needs a loss"), ({"optimizer": None}, "needs an optimizer"), ({"targets": None}, "needs numbers"),
    ({"frozen": ["W1", "b1", "W2", "b2"]}, "nothing to train"),
])  # fmt: skip
def test_refused_networks(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        train({**net_of(), **change}, steps=3)


@pytest.mark.parametrize("wishes", [
    {}, {"steps": 0}, {"steps": 1, "epochs": 1}, {"steps": 10**9}, {"steps": 1, "worked": 0}, {"steps": 1, "until": math.inf}
])  # fmt: skip
def test_refused_wishes(wishes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        train("mazur", **wishes)


def test_an_argument_at_a_kink() -> None:
    """0.5·1 − 0.3·2 + 0.1 is 0, but not in floats: the page and the program may take different sides there."""
    layers = [
        {"linear": {"out": 2, "weight": [[0.5, -0.3], [0.2, 0.4]], "bias": [0.1, 0]}},
        "relu",
        {"linear": {"out": 1, "weight": [[0.7, -0.6]], "bias": [0.2]}},
        "sigmoid",
    ]
    net = {"inputs": [[1, 2], [3, 4]], "targets": [[1], [0]], "layers": layers, "loss": "bce"}
    solution = train({**net, "optimizer": {"sgd": {"lr": 0.1}}}, steps=7)
    assert "rounding decides the side" in solution.to_html()


def test_a_parameter_that_cancels_and_a_schedule_that_listens() -> None:
    layers = [{"linear": {"out": 1, "weight": [[2, 1]], "bias": 0.1}}]
    net = {"inputs": [[1, 2]], "targets": [[0.5]], "layers": layers, "loss": "huber"}
    assert train({**net, "optimizer": {"adagrad": {"lr": 0.1}}}, steps=300).course is not None
    schedule = {"reduce_on_plateau": {"patience": 1, "factor": 0.5}}
    solution = train({**net, "optimizer": {"sgd": {"lr": 0.1}}, "schedule": schedule}, steps=300, worked=3)
    assert solution["L+"] < solution["L"]
