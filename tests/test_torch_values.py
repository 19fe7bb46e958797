"""PyTorch's float64 numbers (tests/cases/torch) against derive's: activations, losses, initializers, whole networks."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.errors import InputError
from derive.initializers import gain, initializers
from derive.solution import Solution, solve

FORWARD, GRADIENT = 1e-12, 1e-10  # relative errors
ROUNDING = 4e-16  # of numbers of size 1, which PyTorch's own have as well


def torch_json(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "cases" / "torch" / name
    return dict(json.loads(path.read_text(encoding="utf-8")))


def close(got: Any, want: Any, relative: float) -> None:
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=relative, atol=ROUNDING)


def well_solved(net: dict[str, Any]) -> Solution:
    solution = solve(net)
    assert solution.document.witnesses and all(w.ok for w in solution.document.witnesses)
    return solution


def linear(weight: Any, bias: Any = False) -> dict[str, Any]:
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


# activations ------------------------------------------------------------

ACTIVATIONS = torch_json("02_activations.json")
OPTIONS: dict[str, Any] = {
    "leaky_relu_0.01": "leaky_relu",
    "leaky_relu_0.2": {"leaky_relu": {"negative_slope": 0.2}},
    "elu_1.0": "elu",
    "elu_0.5": {"elu": {"alpha": 0.5}},
    "gelu_exact": "gelu",
    "gelu_tanh": {"gelu": {"approximate": "tanh"}},
    "softplus_beta1": "softplus",
    "softplus_beta2_threshold20": {"softplus": {"beta": 2, "threshold": 20}},
    "hardtanh_-2_2": {"hardtanh": {"min_val": -2, "max_val": 2}},
}


@pytest.mark.parametrize("name", ACTIVATIONS["elementwise"])
def test_elementwise_activation(name: str) -> None:
    """Value and slope at every point; with targets 0 the loss sends a back, so dL/dx = a · slope."""
    points, data = ACTIVATIONS["points"], ACTIVATIONS["elementwise"][name]
    net = {"inputs": points, "targets": [0] * len(points), "loss": "half_squared_error"}
    solution = well_solved({**net, "layers": [OPTIONS.get(name, name)]})
    close(solution["a0"], data["value"], FORWARD)
    close(solution["da0/dx"], data["derivative"], GRADIENT)
    close(solution["dL/dx"], np.multiply(data["value"], data["derivative"]), GRADIENT)


@pytest.mark.parametrize("name", ACTIVATIONS["elementwise"])
def test_elementwise_activation_after_a_layer(name: str) -> None:
    """The same of z = 1·x, a batch of one feature: the slope has the shape of z."""
    points, data = ACTIVATIONS["points"], ACTIVATIONS["elementwise"][name]
    columns = [[p] for p in points]
    layers = [linear([[1]]), OPTIONS.get(name, name)]
    solution = well_solved(
        {"inputs": columns, "targets": [[0]] * len(points), "loss": "half_squared_error", "layers": layers}
    )
    close(solution["a1"][:, 0], data["value"], FORWARD)
    close(solution["da1/dz1"], np.reshape(data["derivative"], (-1, 1)), GRADIENT)


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("name", ACTIVATIONS["vector"])
def test_vector_activation(function: str, name: str) -> None:
    """The value, and every row of the Jacobian: targets one short of the output at i make dL/da = eᵢ, dL/dx = row i."""
    data = ACTIVATIONS["vector"][name]
    net = {"inputs": data["x"], "layers": [function], "loss": "half_squared_error"}
    value = well_solved({**net, "targets": [0] * len(data["x"])})["a0"]
    close(value, data[function], FORWARD)
    for i, row in enumerate(data[f"{function}_jacobian"]):
        close(well_solved({**net, "targets": (value - np.eye(len(value))[i]).tolist()})["dL/dx"], row, GRADIENT)


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS["vector"] if name != "points15"])
def test_jacobian(function: str, name: str) -> None:
    """da1/dz1 after a layer that passes its inputs on; with a batch one Jacobian per sample."""
    data = ACTIVATIONS["vector"][name]
    n = len(data["x"])
    net = {"layers": [linear(np.eye(n, dtype=int).tolist()), function], "loss": "half_squared_error"}
    targets = [0.5, 0.25, 1, -1][:n]
    close(
        well_solved({**net, "inputs": data["x"], "targets": targets})["da1/dz1"], data[f"{function}_jacobian"], GRADIENT
    )
    batch = well_solved({**net, "inputs": [data["x"]] * 2, "targets": [targets] * 2})
    close(batch["da1/dz1"], [data[f"{function}_jacobian"]] * 2, GRADIENT)


# losses ------------------------------------------------------------

LOSSES = torch_json("03_losses.json")["cases"]
LOSS_NAMES = (
    "cross_entropy",
    "nll",
    "bce_logits",
    "bce",
    "mse",
    "l1",
    "huber",
    "smooth_l1",
    "kl_div",
    "hinge_embedding",
)
LOSS_OPTIONS = ("weight", "pos_weight", "label_smoothing", "ignore_index", "delta", "beta", "margin")
TARGETS = ("target", "target_index", "target_prob", "log_target")
REDUCTIONS = [(case, r) for case in LOSSES for r in ("mean", "sum", "none", "batchmean") if r in LOSSES[case]]


def loss_of(case: str) -> tuple[str, dict[str, Any], list[Any]]:
    """(name, options, targets) of a case."""
    data = LOSSES[case]
    name = next(name for name in LOSS_NAMES if case.startswith(name))
    options = {key: data[key] for key in LOSS_OPTIONS if key in data}
    if "log_target" in data:
        options["log_target"] = True
    return name.replace("bce_logits", "bce_with_logits"), options, next(data[key] for key in TARGETS if key in data)


def weight_per_sample(case: str) -> bool:
    return isinstance(LOSSES[case].get("weight", [0])[0], list)


@pytest.mark.parametrize("case,reduction", [(c, r) for c, r in REDUCTIONS if not weight_per_sample(c)])
def test_loss(case: str, reduction: str) -> None:
    """Of the inputs themselves, without layers: the loss and its gradient by the inputs."""
    name, options, targets = loss_of(case)
    options["reduction"] = "sum" if reduction == "none" else reduction
    net = {"inputs": LOSSES[case]["input"], "targets": targets, "layers": [], "loss": {name: options}}
    solution, data = well_solved(net), LOSSES[case][reduction]
    close(solution["l" if reduction == "none" else "L"], data["value"], FORWARD)
    close(solution["dL/dx"], data["grad_of_sum" if reduction == "none" else "grad"], GRADIENT)


@pytest.mark.parametrize("case", [case for case in LOSSES if weight_per_sample(case)])
def test_loss_with_a_weight_per_sample(case: str) -> None:
    """derive takes one weight per output: refused as a matrix, and equal to PyTorch's sample by sample."""
    data, (name, options, targets) = LOSSES[case], loss_of(case)
    net = {"inputs": data["input"], "targets": targets, "layers": [], "loss": {name: options}}
    with pytest.raises(InputError, match="weight"):
        solve(net)
    rows = zip(data["input"], targets, data["weight"], data["sum"]["grad"], strict=True)
    value = 0.0
    for x, t, weight, gradient in rows:
        solution = well_solved(
            {"inputs": x, "targets": t, "layers": [], "loss": {name: {"weight": weight, "reduction": "sum"}}}
        )
        value += float(solution["L"])
        close(solution["dL/dx"], gradient, GRADIENT)
    close(value, data["sum"]["value"], FORWARD)


@pytest.mark.parametrize("case", [case for case in LOSSES if case.startswith("cross_entropy")])
def test_cross_entropy_after_softmax_is_that_of_the_scores(case: str) -> None:
    name, options, targets = loss_of(case)
    net = {"inputs": LOSSES[case]["input"], "targets": targets, "layers": ["softmax"], "loss": {name: options}}
    solution, data = well_solved(net), LOSSES[case]["mean"]
    close(solution["L"], data["value"], FORWARD)
    close(solution["dL/dx"], data["grad"], GRADIENT)


@pytest.mark.parametrize("case", ["nll", "nll_weight"])
def test_log_softmax_then_nll_is_cross_entropy(case: str) -> None:
    _, options, targets = loss_of(case)
    scores = LOSSES["cross_entropy_index"]["input"]
    net = {"inputs": scores, "targets": targets, "layers": ["log_softmax"], "loss": {"nll": options}}
    solution, data = well_solved(net), LOSSES["cross_entropy_index" + case.removeprefix("nll")]["mean"]
    close(solution["L"], data["value"], FORWARD)
    close(solution["dL/dx"], data["grad"], GRADIENT)


@pytest.mark.parametrize("inputs,targets", [([0.0, 0.5], [1, 0]), ([0.5, 1.0], [1, 0]), ([[0.5], [0.0]], [[1], [0.5]])])
def test_the_bce_of_a_probability_0_for_what_happened_is_refused(inputs: Any, targets: Any) -> None:
    """PyTorch cuts the logarithm off at −100 here; derive says which loss to take instead."""
    with pytest.raises(InputError) as refusal:
        solve({"inputs": inputs, "targets": targets, "layers": [], "loss": "bce"})
    assert "bce_with_logits" in str(refusal.value) and "\n" not in str(refusal.value)


def test_the_bce_of_certainty_has_no_derivative() -> None:
    """PyTorch cuts its gradient off; derive says that there is none, and what to use instead."""
    with pytest.raises(InputError, match="bce_with_logits"):
        solve({"inputs": [1.0, 0.0], "targets": [1, 0], "layers": [], "loss": {"bce": {"reduction": "sum"}}})


# networks ------------------------------------------------------------


def test_linear_layer() -> None:
    data = torch_json("06_layers.json")["cases"]["linear"]
    # half the squared error has the slope output − target, so this target makes it the wanted upstream gradient
    targets = (np.array(data["output"]) - np.array(data["upstream"])).tolist()
    layers = [linear(data["weight"], data["bias"])]
    solution = well_solved(
        {"inputs": data["input"], "targets": targets, "layers": layers, "loss": "half_squared_error"}
    )
    close(solution["z1"], data["output"], FORWARD)
    close(solution["dL/dz1"], data["upstream"], GRADIENT)
    close(solution["dL/dW1"], data["grads"]["weight"], GRADIENT)
    close(solution["dL/db1"], data["grads"]["bias"], GRADIENT)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("start", ["interleaved_init", "init_after_all_layers"])
def test_model_3322(start: str, reduction: str) -> None:
    data = torch_json("01_model_3322.json")[start]
    p, names = data["params"], ["linear1", "linear2", "out"]
    layers = [
        part
        for name, f in zip(names, ["sigmoid", "relu", "softmax"], strict=True)
        for part in (linear(p[f"{name}.weight"], p[f"{name}.bias"]), f)
    ]
    loss = {"cross_entropy": {"reduction": reduction}}
    solution = well_solved({"inputs": data["input"], "targets": data["targets"], "layers": layers, "loss": loss})
    for id, value in data["forward"].items():
        close(solution[id], value, FORWARD)
    close(solution["l"], data["loss_per_sample"], FORWARD)
    close(solution["L"], data[f"loss_{reduction}"], FORWARD)
    times = 1 if reduction == "mean" else len(data["input"])
    grads = data["grads_of_mean_loss"]
    for k, name in enumerate(names, 1):
        close(solution[f"dL/dW{k}"], np.multiply(grads[f"{name}.weight"], times), GRADIENT)
        close(solution[f"dL/db{k}"], np.multiply(grads[f"{name}.bias"], times), GRADIENT)
    for id in ("z1", "a1", "z2", "a2", "z3"):
        close(solution[f"dL/d{id}"], np.multiply(grads[id], times), GRADIENT)


MLPS = {
    "tanh_mse_4-5-3": ("tanh", "identity", "mse"),
    "relu_bce_2-8-8-1": ("relu", "sigmoid", "bce"),
    "gelu_ce_6-4-4-3": ("gelu", "softmax", "cross_entropy"),
}
MLP_DATA = torch_json("09_mlps.json")


def mlp(name: str, weights: Any, biases: Any, *, scores: bool) -> dict[str, Any]:
    """The network; with `scores` without its last activation, under the loss that takes scores."""
    hidden, output, loss = MLPS[name]
    layers: list[Any] = []
    for weight, bias in zip(weights, biases, strict=True):
        layers += [linear(weight, bias), hidden]
    layers = layers[:-1] if scores else [*layers[:-1], output]
    loss = {"bce": "bce_with_logits"}.get(loss, loss) if scores else loss
    data = MLP_DATA[name]
    return {
        "inputs": data["x"],
        "targets": data["target"],
        "layers": layers,
        "loss": loss,
        "optimizer": {"sgd": {"lr": 0.1}},
    }


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("name", MLPS)
def test_mlp(name: str, scores: bool) -> None:
    data = MLP_DATA[name]
    solution = well_solved(mlp(name, data["W"], data["b"], scores=scores))
    depth = len(data["W"])
    close(solution["L"], data["loss"], FORWARD)
    for k in range(1, depth + 1):
        close(solution[f"z{k}"], data["z"][k - 1], FORWARD)
        if k < depth or not scores:
            close(solution[f"a{k}"], data["a"][k - 1], FORWARD)
        for id, key in ((f"W{k}", "W"), (f"b{k}", "b"), (f"z{k}", "z")):
            close(solution[f"dL/d{id}"], data["grads"][key][k - 1], GRADIENT)
        for id, key in ((f"W{k}", "W"), (f"b{k}", "b")):
            close(
                solution[f"{id}+"], np.subtract(data[key][k - 1], np.multiply(0.1, data["grads"][key][k - 1])), FORWARD
            )
    close(solution["L+"], data["sgd_lr0.1"]["losses"][1], FORWARD)


@pytest.mark.parametrize("name", MLPS)
def test_mlp_trained_three_steps(name: str) -> None:
    data = MLP_DATA[name]
    weights, biases, after = data["W"], data["b"], data["sgd_lr0.1"]
    for step in range(3):
        solution = well_solved(mlp(name, weights, biases, scores=False))
        close(solution["L"], after["losses"][step], GRADIENT)
        weights = [solution[f"W{k}+"].tolist() for k in range(1, len(weights) + 1)]
        biases = [solution[f"b{k}+"].tolist() for k in range(1, len(biases) + 1)]
    for got, want in [*zip(weights, after["W_after3"], strict=True), *zip(biases, after["b_after3"], strict=True)]:
        close(got, want, GRADIENT)


# initializers ------------------------------------------------------------

INIT = torch_json("07_init.json")
ROWS = [pytest.param(row, id=f"{row['fan_in']}-{row['fan_out']}") for row in INIT["linear_table"]]
NONLINEARITIES: dict[str, tuple[str, Fraction]] = {
    "relu": ("relu", Fraction(0)),
    "linear": ("linear", Fraction(0)),
    "tanh": ("tanh", Fraction(0)),
    "selu": ("selu", Fraction(0)),
    "leaky_relu_0.01": ("leaky_relu", Fraction("0.01")),
    "leaky_relu_0.2": ("leaky_relu", Fraction("0.2")),
}


class Asked:
    """A generator that notes what it is asked for: (mean, std) or (low, high), and the shape."""

    def normal(self, mean: float, std: float, shape: tuple[int, int]) -> Any:
        self.mean, self.std, self.shape = mean, std, shape
        return np.zeros(shape)

    def uniform(self, low: float, high: float, shape: tuple[int, int]) -> Any:
        self.low, self.high, self.shape = low, high, shape
        return np.zeros(shape)


def asked(name: str, shape: tuple[int, int], **options: Any) -> Asked:
    random = Asked()
    assert initializers[name](random, shape, **options).shape == shape == random.shape
    return random


def draws(kind: str, row: dict[str, Any], want: dict[str, float], **options: Any) -> None:
    shape = (row["fan_out"], row["fan_in"])
    normal = asked(f"{kind}_normal", shape, **options)
    assert normal.mean == 0 and normal.std == pytest.approx(want["normal_std"], rel=1e-14)
    uniform = asked(f"{kind}_uniform", shape, **options)
    assert -uniform.low == uniform.high == pytest.approx(want["uniform_bound"], rel=1e-14)


@pytest.mark.parametrize("name", INIT["gains"])
def test_gain(name: str) -> None:
    function, _, option = name.rstrip(")").partition("(")
    slope = {"": 0.01, "0.01 default": 0.01, "0.2": 0.2, "sqrt5": math.sqrt(5)}[option]
    assert gain(function, slope) == pytest.approx(INIT["gains"][name], rel=1e-15)


@pytest.mark.parametrize("row", ROWS)
def test_xavier(row: dict[str, Any]) -> None:
    for name in ("linear", "tanh", "relu"):
        want = row[f"xavier_gain_{name}"]
        draws("xavier", row, want, gain=Fraction(want["gain"]))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("row", ROWS)
def test_kaiming(row: dict[str, Any], mode: str) -> None:
    for name, (nonlinearity, a) in NONLINEARITIES.items():
        draws("kaiming", row, row[f"kaiming_{mode}_{name}"], mode=mode, nonlinearity=nonlinearity, a=a)
    if mode == "fan_in":  # PyTorch's defaults: leaky_relu with a = 0, which is relu
        draws("kaiming", row, row["kaiming_fan_in_relu"])


@pytest.mark.parametrize("row", ROWS)
def test_default(row: dict[str, Any]) -> None:
    bound = asked("default", (row["fan_out"], row["fan_in"]))
    assert -bound.low == bound.high == pytest.approx(row["nn_Linear_default"]["weight_uniform_bound"], rel=1e-14)


def drawn(layer: dict[str, Any], features: int, before: list[Any] | None = None) -> Solution:
    """The parameters of a network that ends in this layer, drawn with a seed."""
    return solve(
        {"inputs": {"rand": [features]}, "seed": 66, "layers": [*(before or []), {"linear": layer}]}, backward=False
    )


CHECKS: dict[str, tuple[str, dict[str, Any]]] = {
    "xavier_normal_": ("xavier_normal", {}),
    "xavier_uniform_": ("xavier_uniform", {}),
    "kaiming_normal_ default(leaky_relu a=0, fan_in)": ("kaiming_normal", {}),
    "kaiming_uniform_ relu fan_out": ("kaiming_uniform", {"nonlinearity": "relu", "mode": "fan_out"}),
}


@pytest.mark.parametrize("name", INIT["check"])
def test_spread_of_large_samples(name: str) -> None:
    """(400, 300) weights have PyTorch's standard deviation and mean 0, and stay within their bounds."""
    function, options = CHECKS[name]
    W = initializers[function](np.random.default_rng(66), (400, 300), **options)
    std = INIT["check"][name]["theory_std"]
    assert W.shape == (400, 300)
    assert W.std() == pytest.approx(std, rel=0.015)
    assert abs(W.mean()) < 5 * std / math.sqrt(W.size)
    if "uniform" in name:
        assert 0.999 < np.abs(W).max() / (math.sqrt(3) * std) <= 1


@pytest.mark.parametrize(
    "init,std",
    [
        ("xavier_normal", math.sqrt(2 / 90)),
        ("xavier_uniform", math.sqrt(2 / 90)),
        ("kaiming_normal", math.sqrt(2 / 50)),
        ({"normal": {"std": 0.5}}, 0.5),
    ],
    ids=str,
)
def test_drawn_weights_of_a_network(init: Any, std: float) -> None:
    """W is (out, in) = (40, 50), so that fan_in is 50: what a network draws has the spread, and a seed repeats it."""
    W = drawn({"out": 40, "init": init, "bias": "zeros"}, 50)["W1"]
    assert (
        W.shape == (40, 50) and W.std() == pytest.approx(std, rel=0.07) and abs(W.mean()) < 5 * std / math.sqrt(W.size)
    )
    np.testing.assert_array_equal(W, drawn({"out": 40, "init": init, "bias": "zeros"}, 50)["W1"])


@pytest.mark.parametrize("row", ROWS[:4])
def test_default_layer_is_within_its_bounds(row: dict[str, Any]) -> None:
    """Weights and bias of nn.Linear: uniform within ±1/√fan_in."""
    solution = drawn({"out": row["fan_out"]}, row["fan_in"])
    want = row["nn_Linear_default"]
    assert np.abs(solution["W1"]).max() <= want["weight_uniform_bound"]
    assert np.abs(solution["b1"]).max() <= want["bias_uniform_bound"]
    assert len(np.unique(solution["b1"])) >= 0.9 * row["fan_out"]  # drawn numbers are cut to four digits


@pytest.mark.parametrize(
    "layer",
    [
        {"out": 50},
        {"out": 50, "init": "xavier_normal"},
        {"out": 50, "init": "kaiming_uniform"},
        {"out": 50, "bias": "default"},
        {"out": 50, "init": "zeros", "bias": "default"},
    ],
    ids=str,
)
@pytest.mark.parametrize("before", [[], [{"linear": {"out": 400}}, "relu"]], ids=["alone", "after 4-400"])
def test_default_bias_is_within_its_bounds(layer: dict[str, Any], before: list[Any]) -> None:
    """±1/√fan_in of its own layer, whatever the weights are drawn from and whatever was drawn before."""
    k, fan_in = (2, 400) if before else (1, 4)
    bias = np.abs(drawn(layer, 4, before)[f"b{k}"])
    assert bias.shape == (50,)
    assert 0.8 / math.sqrt(fan_in) < bias.max() <= 1 / math.sqrt(fan_in)
