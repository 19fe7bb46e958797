"""From and to PyTorch and NumPy: its random numbers, programs that hold themselves against a page, networks from modules."""

from __future__ import annotations

import ast
import io
import json
import pickle
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import derive
from derive import examples
from derive.build import build
from derive.cli import main
from derive.derivation.conventions import drawn_sentences
from derive.errors import InputError
from derive.generators import Torch
from derive.imports.file import Net
from derive.initializers import initializers
from derive.language import Words, part
from derive.ops.activations import activations
from derive.schema import schema
from derive.spec import load

CASES = Path(__file__).parent / "cases" / "torch"
MODEL: dict[str, Any] = {
    "seed": 66,
    "init": {"generator": "torch"},
    "inputs": {"randn": [5, 3], "seed": 66},
    "targets": [0, 1, 1, 0, 1],
    "layers": [
        {"linear": {"out": 3, "init": "xavier_normal", "bias": "zeros"}},
        "sigmoid",
        {"linear": {"out": 2, "init": {"kaiming_normal": {"nonlinearity": "relu"}}, "bias": "zeros"}},
        "relu",
        {"linear": {"out": 2}},
        "softmax",
    ],
    "loss": "cross_entropy",
}
ROWS = [[0.5, -1.2], [1.5, 0.3], [-0.7, 0.8]]
LAYERS: list[Any] = [{"linear": {"out": 3}}, "tanh", {"linear": {"out": 2}}]


def cases(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CASES / name).read_text(encoding="utf-8"))
    return found


def net(**other: Any) -> dict[str, Any]:
    plain = {"inputs": ROWS, "targets": [[0.2, 0.7], [0.5, 0.1], [0.3, 0.6]], "seed": 3, "layers": LAYERS}
    return {**plain, "loss": "mse", "optimizer": {"sgd": {"lr": 0.1}}, **other}


def numbers(file: dict[str, Any]) -> dict[str, Any]:
    return {node.id: value for node, value in build(load(file)).numbers().items() if node.id}


# random numbers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("case", "order"), [("interleaved_init", "layer_by_layer"), ("init_after_all_layers", "after_all_layers")]
)
def test_the_model_of_pytorch_is_reproduced_bit_for_bit(case: str, order: str) -> None:
    want = cases("01_model_3322.json")[case]
    found = numbers({**MODEL, "init": {"generator": "torch", "order": order}})
    assert found["x"].tolist() == want["input"]
    for k, name in enumerate(("linear1", "linear2", "out"), 1):
        assert found[f"W{k}"].tolist() == want["params"][f"{name}.weight"]
        assert found[f"b{k}"][0].tolist() == want["params"][f"{name}.bias"]
    assert float(found["L"][0, 0]) == pytest.approx(want["loss_mean"], rel=1e-14)


@pytest.mark.parametrize("kind", ["xavier_normal", "xavier_uniform", "kaiming_normal", "kaiming_uniform"])
def test_initializers_draw_what_pytorch_draws(kind: str) -> None:
    want = cases("07_init.json")["draws"][f"{kind}_ (2,3) float32 seed 66"]
    assert initializers[kind](Torch(66), (2, 3)).tolist() == want


def test_a_linear_layer_is_pytorchs() -> None:
    want = cases("07_init.json")["draws"]["nn.Linear(3,2) seed 66"]
    found = numbers(
        {"seed": 66, "init": {"generator": "torch"}, "inputs": [1, 2, 3], "layers": [{"linear": {"out": 2}}]}
    )
    assert found["W1"].tolist() == want["weight"] and found["b1"][0].tolist() == want["bias"]


def test_weights_that_are_given_take_nothing_from_the_others() -> None:
    """nn.Linear draws its default numbers whether they are replaced or not."""
    layers = [dict(MODEL["layers"][0]), *MODEL["layers"][1:]]
    layers[0] = {"linear": {"out": 3, "weight": [[1, 2, 3]] * 3, "bias": 0}}
    plain = [{"linear": {"out": 3}}, *MODEL["layers"][1:]]
    assert numbers({**MODEL, "layers": layers})["W3"].tolist() == numbers({**MODEL, "layers": plain})["W3"].tolist()


def test_inputs_first_and_last_and_in_float64() -> None:
    first = numbers({**MODEL, "inputs": {"randn": [5, 3]}, "init": {"generator": "torch", "inputs": "first"}})
    assert first["x"].tolist() == cases("01_model_3322.json")["interleaved_init"]["input"]
    last = numbers({**MODEL, "inputs": {"randn": [5, 3]}})
    assert last["x"].tolist() != first["x"].tolist() and last["W1"].tolist() != first["W1"].tolist()
    double = numbers({**MODEL, "init": {"generator": "torch", "dtype": "float64"}})["W3"]
    assert not np.array_equal(double, double.astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 80), st.floats(-5, 5), st.floats(0.01, 5))
def test_drawn_numbers_are_float32s_in_their_range(seed: int, count: int, low: float, width: float) -> None:
    uniform = Torch(seed).uniform(low, low + width, (count,))
    assert np.array_equal(uniform, uniform.astype(np.float32)) and (np.float32(low) <= uniform).all()
    assert (uniform <= np.float32(low + width)).all()
    assert np.array_equal(Torch(seed).normal(0, 1, (count,)), Torch(seed % 2**32).normal(0, 1, (count,)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(1, 5), st.integers(0, 1)), min_size=1, max_size=8))
def test_masks_do_not_depend_on_when_they_are_asked_for(seed: int, asked: list[tuple[int, int]]) -> None:
    shapes: list[tuple[int, ...]] = [(2, 3), (4, 1)]
    one, p = Torch(seed), Fraction(3, 10)
    for step, place in asked:
        assert np.array_equal(one.mask(step, place, shapes, p), Torch(seed).mask(step, place, shapes, p))


def test_moments_of_many_normal_numbers() -> None:
    found = Torch(7).normal(2, 3, (100_000,))
    assert found.mean() == pytest.approx(2, abs=0.05) and found.std() == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"init": {"generator": "tensorflow"}}, "expected one of"),
        ({"init": {"order": "after_all_layers"}}, "order is PyTorch's"),
        ({"init": {"seed": 3}}, "no option 'seed'"),
        ({"inputs": {"size": [5, 3], "seed": 1}}, "nothing is drawn"),
        ({"layers": [{"linear": {"out": 2, "bias": "shared"}}]}, "no bias that units share"),
        ({"layers": [{"linear": {"out": 2, "bias": "xavier_normal"}}]}, "for matrices in PyTorch"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as refusal:
        build(load({**MODEL, **given}))
    assert problem in str(refusal.value)


def test_batches_of_different_sizes_have_no_masks_of_pytorch() -> None:
    layers = [{"linear": {"out": 2}}, "dropout"]
    file = {**MODEL, "layers": layers, "optimizer": "sgd"}
    with pytest.raises(InputError, match="drop_last"):
        derive.train(file, steps=2, batch_size=2)


def test_the_schema_knows_how_numbers_are_drawn() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(MODEL)
    assert not validator.is_valid({**MODEL, "init": {"generator": "mt19937"}})


# programs -----------------------------------------------------------------------------------------------------------------
NORMS = ["batch_norm", "relu", {"dropout": {"p": 0.3}}, {"linear": {"out": 3}}, "layer_norm"]
KINK = {  # 0.1·3 − 0.3 is 0, but not in float64
    "inputs": [3],
    "targets": [1, 0],
    "layers": [{"linear": {"out": 2, "weight": [[0.1], [0.5]], "bias": [-0.3, 0]}}, "relu"],
    "loss": "mse",
    "optimizer": "sgd",
}
HOSTILE = net(
    name="''' \"\"\" \\ # %s\u4e2d {x} $x$ </script>", labels={"W1": [["w'", '"""'], ["\\", "#x"], ["{y}", "z)"]]}
)
PROGRAMS: dict[str, Any] = {
    **{name: name for name in examples.names() if name != "symbols_only"},
    "kink": KINK,
    "hostile": HOSTILE,
    "drawn": MODEL,
    "norms": net(
        layers=[{"linear": {"out": 3}}, *NORMS, {"residual": [{"linear": {"out": 3}}, "gelu"]}, {"linear": {"out": 2}}],
        optimizer={"rmsprop": {"centered": True, "momentum": 0.5}},
        steps=2,
    ),
    "eval": net(layers=[{"linear": {"out": 3}}, *NORMS, {"linear": {"out": 2}}], mode="eval"),
    "softplus": net(loss={"bce_with_logits": {"pos_weight": [2, 3], "weight": [1, 2]}}, layers=[*LAYERS, "softplus"]),
    "slopes": net(layers=[{"linear": {"out": 2}}, {"leaky_relu": {"negative_slope": 0.2}}, "leaky_relu"]),
    "classes": net(
        targets=[0, 1, 1],
        loss={"cross_entropy": {"weight": [0.3, 2], "label_smoothing": 0.1}},
        regularization={"elastic_net": {"l1": 0.1, "l2": 0.2}},
    ),
    "ema": net(optimizer={"momentum": {"form": "ema", "maximize": True}}, steps=2, frozen=["W1"]),
    "hat": net(optimizer={"adamw": {"eps_form": "hat", "amsgrad": True}}, steps=2),
    "scheduled": net(optimizer={"adam": {"lr": 0.1}}, schedule={"step_lr": {"step_size": 1}}, steps=2),
    "state": net(optimizer={"adam": {"lr": 0.1}}, state={"m": 0.1, "v": 0.2, "step": 4}),
    "forward": {"inputs": [1, 2], "seed": 0, "layers": [{"linear": {"out": 2}}, "softmax"]},
    "no layers": {"inputs": [[0.5, 1.0]], "targets": [[0, 1]], "layers": [], "loss": "mse"},
}


def run_alone(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "imported"}
    exec(compile(text, "<program>", "exec"), space)
    return space


@pytest.fixture(scope="module")
def programs() -> dict[str, str]:
    return {}


@pytest.mark.parametrize("name", PROGRAMS)
def test_numpy_works_every_number_of_the_page_again(name: str, programs: dict[str, str]) -> None:
    text = programs[name] = derive.export(PROGRAMS[name], lang="zh" if name == "hostile" else "en")
    space = run_alone(text)
    assert space["wrong"] == {} and space["numbers"] >= 2
    assert {"L", "z1"} & set(space["results"]) or name == "no layers"


def test_every_quantity_of_the_page_is_there(programs: dict[str, str]) -> None:
    text = programs.get("adam") or derive.export("adam")
    quantities = derive.solve("adam", level="full").document.quantities
    roles = ("preactivation", "activation", "loss", "gradient", "updated", "state")
    computed = {id for id, quantity in quantities.items() if quantity.role in roles and "@0" not in id and id != "L+"}
    assert len(computed) > 20 and computed <= set(run_alone(text)["page"])


def test_texts_of_a_file_stand_in_remarks_alone() -> None:
    text = derive.export(HOSTILE)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    without = "".join(token.string for token in tokens if token.type != tokenize.COMMENT)
    assert "\u4e2d" in text and "script" not in without and "\u4e2d" not in without
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls <= {"tanh", "abs", "print"}
    with pytest.raises(InputError):
        derive.export({**HOSTILE, "name": "x\nimport os"})


@pytest.mark.parametrize("to", ["numpy", "torch"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_wrong_number_is_found(tmp_path: Path, to: str, lang: Any) -> None:
    if to == "torch":
        pytest.importorskip("torch")
    text = derive.export("mazur", to, lang=lang)
    program = tmp_path / f"net_{to}.py"
    outcomes = []
    for content in (text, text.replace('"L": 0.29837', '"L": 0.29838')):
        program.write_text(content, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(program)], capture_output=True, text=True, encoding="utf-8", timeout=60
        )
        outcomes.append((done.returncode, done.stdout.splitlines()[-1]))
    numbers = {"numpy": 54, "torch": 46}[to]
    found = [(0, f"all {numbers} numbers agree"), (1, "these differ from the page: L by up to 1e-05")]
    assert outcomes == found


@pytest.mark.parametrize("name", list(activations))
def test_every_activation_has_a_program_in_pytorch(torch: Any, name: str) -> None:
    """Or a refusal that names it. A new activation is entered in derive/exports/torch_calls.py."""
    try:
        text = derive.export(net(layers=[{"linear": {"out": 2}}, name]), "torch")
    except InputError as refusal:
        assert f"PyTorch has no activation '{name}'" in str(refusal)
        assert not hasattr(torch.nn.functional, name)
    else:
        assert run_alone(text)["wrong"] == {}


def test_what_has_no_program_is_refused() -> None:
    for file, to, problem in (
        ("symbols_only", "numpy", "numbers are missing"),
        (net(numbers={"round_as_you_go": True, "decimals": 4}), "numpy", "calculates in full"),
        (net(update="layerwise"), "torch", "no layerwise update"),
        ("mazur", "jax", "no export to 'jax'"),
    ):
        with pytest.raises(InputError) as refusal:
            derive.export(file, to)
        assert problem in str(refusal.value)


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch, its defaults restored."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    yield torch
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_torch_works_the_numbers_of_the_page_again(torch: Any, name: str) -> None:
    space = run_alone(derive.export(PROGRAMS[name], "torch"))
    assert space["wrong"] == {} and space["numbers"] >= 2
    assert name in ("forward", "no layers") or any(id.startswith("dL/dW") for id in space["page"])


# from PyTorch -------------------------------------------------------------------------------------------------------------
def test_pytorch_draws_the_same(torch: Any) -> None:
    for dtype, exact in (("float32", True), ("float64", False)):
        torch.set_default_dtype(getattr(torch, dtype))
        for seed in (0, 66, 2**40 + 1):
            torch.manual_seed(seed)
            own = Torch(seed, dtype)  # type: ignore[arg-type]
            for count in [*range(1, 41), 64, 100]:
                pairs = [
                    (torch.randn(count), own.normal(0, 1, (count,))),
                    (torch.empty(count).uniform_(-0.3, 1.7), own.uniform(-0.3, 1.7, (count,))),
                    (torch.empty(count, 2).normal_(0.3, 1.7), own.normal(0.3, 1.7, (count, 2))),
                ]
                for want, found in pairs:
                    tolerance = 0 if exact else 1e-15
                    assert np.allclose(found, want.double().numpy(), rtol=0, atol=tolerance)
            shapes: list[tuple[int, ...]] = [(3, 5), (2, 7)]
            for step, place in ((1, 0), (1, 1), (2, 0)):
                kept = torch.nn.functional.dropout(torch.ones(*shapes[place]), 0.3) > 0
                assert np.array_equal(own.mask(step, place, shapes, Fraction(3, 10)), kept.double().numpy())


def modules(torch: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    nn, optim = torch.nn, torch.optim
    x, t = torch.rand(5, 3) - 0.5, torch.rand(5, 2)
    inner = nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.2), nn.Identity())
    module = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.Tanh(), inner, nn.Linear(3, 2, bias=False))
    yield (
        module,
        (x, torch.tensor([0, 1, 1, 0, 1])),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01),
    )
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 2))
    module[0].bias.requires_grad_(False)
    yield module, (x, t), nn.HuberLoss(delta=0.3), optim.Adam(module[1:].parameters(), lr=0.01)
    module = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())
    yield module, (x, t), torch.nn.functional.binary_cross_entropy, optim.NAdam(module.parameters())
    module = nn.Linear(3, 2)
    yield module, (x[0], t[0]), nn.MSELoss(), None


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-4), ("float64", 1e-10)])
def test_modules_give_what_pytorch_gives(torch: Any, dtype: str, tolerance: float, tmp_path: Path) -> None:
    torch.set_default_dtype(getattr(torch, dtype))
    torch.manual_seed(1)
    for module, (x, t), loss, optimizer in modules(torch):
        if optimizer is not None:  # a step before, so that there is something to remember
            loss(module(x), t).backward()
            optimizer.step()
            module.zero_grad()
        file = derive.from_torch(module, x, t, loss, optimizer)
        (path,) = file.save(tmp_path / "net.yaml")
        solution = derive.solve(path)
        names = parameters_of(module, x)
        value = loss(module(x), t)
        value.backward()
        assert float(solution["L"]) == pytest.approx(value.item(), rel=tolerance)
        for id, parameter in names.items():
            if parameter.grad is not None:
                close(solution[f"dL/d{id}"], parameter.grad, tolerance)
        if optimizer is not None:
            optimizer.step()
            for id, parameter in names.items():
                if id not in file.get("frozen", []):
                    close(solution[f"{id}+"], parameter, tolerance)


def close(found: Any, want: Any, tolerance: float) -> None:
    want = want.detach().double().numpy()
    assert np.allclose(np.reshape(found, want.shape), want, rtol=tolerance, atol=tolerance * 0.1)


def parameters_of(module: Any, x: Any) -> dict[str, Any]:
    from derive.imports.modules import layers_of

    return layers_of(module, x).parameters


def test_modules_that_derive_has_not_are_named(torch: Any) -> None:
    nn = torch.nn

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: Any) -> Any:
            return self.two(torch.relu(self.one(x)))

    twice, x = nn.Linear(3, 3), torch.rand(2, 3)
    for module, problem in (
        (Odd(), "its forward is not its children"),
        (nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.PReLU())), "1.0 (PReLU)"),
        (nn.Sequential(twice, twice), "stands twice"),
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, momentum=None)), "momentum=None"),
        (nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=0)), "not along the units"),
    ):
        with pytest.raises(InputError) as refusal:
            derive.from_torch(module, x)
        assert problem in str(refusal.value)
    module = nn.Linear(3, 1)
    for loss, optimizer in (
        (nn.CosineEmbeddingLoss(), None),
        (nn.MSELoss(reduction="none"), None),
        (nn.MSELoss(), torch.optim.LBFGS(module.parameters())),
    ):
        with pytest.raises(InputError):
            derive.from_torch(module, x, torch.rand(2, 1), loss, optimizer)


# files and commands -------------------------------------------------------------------------------------------------------
@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=2),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=20),
)
def test_a_network_reads_back_as_it_was_written(weights: list[float], name: str) -> None:
    found = Net(name=name, inputs=[1.0, 2.0], layers=[{"linear": {"weight": [weights], "bias": False}}, "softmax"])
    from derive.source import parse

    item = parse(found.text(("a remark",)), "net.yaml")
    assert item.value["name"].value == name or not name
    row = item.value["layers"].value[0].value["linear"].value["weight"].value[0].value
    assert [float(part.value.exact) for part in row] == weights


def test_many_weights_go_beside_the_file(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    layers = [
        {"linear": {"weight": random.normal(size=(700, 2)).tolist(), "bias": random.normal(size=700).tolist()}},
        {"layer_norm": {"weight": [2.0] * 700, "bias": [0.5] * 700}},
        {"linear": {"weight": random.normal(size=(1, 700)).tolist(), "bias": False}},
    ]
    file = Net(inputs=[[1.0, 2.0]], layers=layers)
    packed, path = file.save(tmp_path / "net.yaml")
    assert packed.name == "net-weights.npz" and path.stat().st_size < 300
    model = build(load(path))
    for id, value in (
        ("W1", layers[0]["linear"]["weight"]),
        ("gamma1", [[2.0] * 700]),
        ("W2", layers[2]["linear"]["weight"]),
    ):
        assert next(tensor.value.tolist() for node, tensor in model.given.items() if node.id == id) == value


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """derive in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args, **options: CliRunner().invoke(main, list(args), **options)


def test_export_on_the_command_line(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("export", "mazur")
    assert done.exit_code == 0 and "output/mazur/net_numpy.py" in done.output
    text = (tmp_path / "output/mazur/net_numpy.py").read_text(encoding="utf-8")
    shown = run("export", "-", "-o", "-", input=examples.text("mazur"))
    assert shown.exit_code == 0 and shown.output == text
    refused = run("export", "symbols_only", "-o", "x.py")
    assert refused.exit_code == 2 and len(refused.output.splitlines()) == 1 and not (tmp_path / "x.py").exists()
    (tmp_path / "net.yaml").write_text(examples.text("mazur"), encoding="utf-8")
    assert run("export", "net.yaml", "-o", "net.yaml").exit_code == 2


def test_without_pytorch_it_says_so(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = run("from-torch", "model.pt")
    assert done.exit_code == 2 and "derive-backprop[torch]" in done.output and len(done.output.splitlines()) == 1


class Evil:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("open('pwned', 'w').close()",)


def test_weights_on_the_command_line(torch: Any, run: Callable[..., Result], tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    torch.save(module.state_dict(), "model.pt")
    torch.save(module, "whole.pt")
    torch.save({"weights": Evil()}, "evil.pt")
    Path("pickle.pt").write_bytes(pickle.dumps(Evil()))
    Path("junk.pt").write_bytes(b"junk")
    for file in ("whole.pt", "evil.pt", "pickle.pt", "junk.pt", "none.pt"):
        done = run("from-torch", file)
        assert done.exit_code == 2 and len(done.output.splitlines()) == 1 and done.output.startswith(file)
    assert not (tmp_path / "pwned").exists()
    options = ("--inputs", "[[1, 2, 3], [0, 1, 0]]", "--targets", "[0, 1]", "--loss", "cross_entropy")
    done = run("from-torch", "model.pt", "--activation", "relu", *options, "--optimizer", "adam", "--lr", "0.1")
    assert done.exit_code == 0 and done.output == "Wrote model.yaml.\n"
    model = build(load("model.yaml"))
    shown = [stage.name for layer in model.forward.layers for stage in layer.stages]
    assert shown == ["batch_norm", "relu"]
    weight = next(tensor.value for node, tensor in model.given.items() if node.id == "W1")
    assert np.array_equal(weight.astype(np.float32), module[0].weight.detach().numpy())
    for wrong in (("--layers", "linear,relu"), ("--activation", "sigmoyd"), ("--inputs", "hi"), ("--inputs", "[1, 2]")):
        done = run("from-torch", "model.pt", "-o", "other.yaml", *wrong)
        assert done.exit_code == 2 and not (tmp_path / "other.yaml").exists()
    told = run("from-torch", "model.pt", "-o", "-", "--lang", "zh")
    assert told.exit_code == 0 and told.output.count("有待填写") == 3 and "mode: eval" in told.output


# sentences ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_names_the_generator(lang: str) -> None:
    file = {**net(), "init": {"generator": "torch"}, "seed": 66, "layers": [{"linear": {"out": 2}}, "dropout"]}
    said = str(derive.solve(file, lang=lang).print("markdown"))
    assert said.count(Words(lang).plain("drawing.torch")) == 2 and "66" in said
    said = str(derive.solve({**net(), "layers": [{"linear": {"out": 2}}]}, lang=lang).print("markdown"))
    assert Words(lang).plain("drawing.numpy") in said


def test_every_sentence_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    look_up = Words.template

    def recorded(self: Words, key: Any) -> str:
        used.add(key)
        return look_up(self, key)

    monkeypatch.setattr(Words, "template", recorded)
    for init in ({"generator": "torch", "order": "after_all_layers"}, {"generator": "torch", "inputs": "first"}, {}):
        seed = {} if init else {"seed": 1}
        file = {"seed": 1, "init": init, "inputs": {"randn": [2], **seed}, "layers": [{"linear": {"out": 1}}]}
        used |= {str(sentence.key) for sentence in drawn_sentences(build(load(file)))}
        used.add(f"drawing.{init.get('generator', 'numpy')}")
    used |= {str(sentence.key) for sentence in drawn_sentences(build(load({**MODEL, "inputs": {"randn": [5, 3]}})))}
    for file, to in (("mazur", "torch"), (PROGRAMS["scheduled"], "torch"), ("batch_norm", "numpy")):
        derive.export(file, to)
    for file in (PROGRAMS["norms"], KINK):
        derive.export(file)
    told = {
        f"from_torch.{key}" for key in ("exact", "activations", "mode", "inputs", "targets", "loss")
    }  # on the command line
    assert set(part("en_export")) - used - told == set()


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("cookie", ["coding: unicode_escape", "vim: set fileencoding=utf-7 :", "coding: nosuch"])
def test_a_title_is_not_the_encoding_of_a_program(kind: str, cookie: str) -> None:
    net = {"name": cookie, "inputs": [1, 2], "layers": [{"linear": {"out": 1, "weight": [[1, 2]], "bias": [0.5]}}]}
    net["labels"] = {"W1": "w\\u000aopen('gone','w')#"}
    program = derive.export(net, kind).encode("utf-8")
    assert tokenize.detect_encoding(io.BytesIO(program).readline)[0] == "utf-8"
    compile(program, "program", "exec")
