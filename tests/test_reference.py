"""The reference networks against PyTorch, published numbers, and differences of their own loss."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from records import recorded
from reference.mlp import ACTIVATIONS, ELEMENTWISE, entry, solve

CASES = Path(__file__).parent / "cases"


def torch_json(name):
    return json.loads((CASES / "torch" / name).read_text(encoding="utf-8"))


def close(got, want, tolerance=1e-12):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def linear(weight, bias=False):
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


# ---------------------------------------------------------------------------------------------------------------- activations

OPTIONS = {
    "leaky_relu_0.01": ("leaky_relu", {}),
    "leaky_relu_0.2": ("leaky_relu", {"negative_slope": 0.2}),
    "elu_1.0": ("elu", {}),
    "elu_0.5": ("elu", {"alpha": 0.5}),
    "gelu_exact": ("gelu", {}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "softplus_beta1": ("softplus", {}),
    "softplus_beta2_threshold20": ("softplus", {"beta": 2, "threshold": 20}),
    "hardtanh": ("hardtanh", {}),
    "hardtanh_-2_2": ("hardtanh", {"min_val": -2, "max_val": 2}),
}
ACTIVATION_DATA = torch_json("02_activations.json")


@pytest.mark.parametrize("name", ACTIVATION_DATA["elementwise"])
def test_elementwise_activation(name):
    function, options = OPTIONS.get(name, (name, {}))
    value, slope = ACTIVATIONS[function](np.array([ACTIVATION_DATA["points"]]), **options)
    close(value[0], ACTIVATION_DATA["elementwise"][name]["value"])
    close(slope[0], ACTIVATION_DATA["elementwise"][name]["derivative"])


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
@pytest.mark.parametrize("name", ACTIVATION_DATA["vector"])
def test_vector_activation(function, name):
    data = ACTIVATION_DATA["vector"][name]
    value, jacobian = ACTIVATIONS[function](np.array([data["x"]]))
    close(value[0], data[function])
    close(jacobian[0], data[f"{function}_jacobian"])


# --------------------------------------------------------------------------------------------------------------------- losses

LOSS_DATA = torch_json("03_losses.json")["cases"]
LOSS_OPTIONS = ("weight", "pos_weight", "label_smoothing", "ignore_index", "delta", "beta", "margin")


def loss_name(case):
    known = sorted([*ELEMENTWISE, "cross_entropy", "nll"], key=len, reverse=True)
    case = case.replace("bce_logits", "bce_with_logits")
    return next(name for name in known if case.startswith(name))


@pytest.mark.parametrize(
    "case,reduction",
    [(case, r) for case in LOSS_DATA for r in ("mean", "sum", "none", "batchmean") if r in LOSS_DATA[case]],
)
def test_loss(case, reduction):
    data = LOSS_DATA[case]
    options = {key: data[key] for key in LOSS_OPTIONS if key in data}
    if "log_target" in data:
        options["log_target"] = True
    targets = next(data[key] for key in ("target", "target_index", "target_prob", "log_target") if key in data)
    options["reduction"] = "sum" if reduction == "none" else reduction
    answer = solve({"inputs": data["input"], "targets": targets, "layers": [], "loss": {loss_name(case): options}})
    close(answer["l" if reduction == "none" else "L"], data[reduction]["value"])
    close(answer["dL/dx"], data[reduction]["grad_of_sum" if reduction == "none" else "grad"])


def test_softmax_then_cross_entropy_is_cross_entropy_of_the_scores():
    data = LOSS_DATA["cross_entropy_index_weight_smooth0.1"]
    net = {"inputs": data["input"], "targets": data["target_index"], "layers": ["softmax"]}
    net["loss"] = {"cross_entropy": {"weight": data["weight"], "label_smoothing": data["label_smoothing"]}}
    answer = solve(net)
    close(answer["L"], data["mean"]["value"])
    close(answer["dL/dx"], data["mean"]["grad"])


def test_half_squared_error_sums_unless_told_otherwise():
    net = {"inputs": [[1, 2], [3, 5]], "targets": [[0, 0], [0, 1]], "layers": [], "loss": "half_squared_error"}
    close(solve(net)["L"], 15)
    close(solve({**net, "loss": {"half_squared_error": {"reduction": "mean"}}})["L"], 7.5)


def test_a_probability_0_of_what_happened_has_no_loss():
    for inputs, targets in (([0.0, 0.5], [1, 0]), ([0.5, 1.0], [1, 0])):
        with pytest.raises(ValueError):
            solve({"inputs": inputs, "targets": targets, "layers": [], "loss": "bce"})
    certain = solve({"inputs": [1.0, 0.0], "targets": [1, 0], "layers": [], "loss": "bce"})
    close(certain["L"], 0)
    close(certain["dL/dx"], [-0.5, 0.5])


# ------------------------------------------------------------------------------------------------------------------- networks


def test_linear_layer():
    data = torch_json("06_layers.json")["cases"]["linear"]
    upstream = np.array(data["upstream"])
    # half the squared error has the slope output - target, so this target makes it the wanted upstream gradient
    net = {
        "inputs": data["input"],
        "targets": (np.array(data["output"]) - upstream).tolist(),
        "layers": [linear(data["weight"], data["bias"])],
    }
    answer = solve({**net, "loss": "half_squared_error"})
    close(answer["z1"], data["output"])
    for id, name in (("W1", "weight"), ("b1", "bias"), ("x", "input")):
        close(answer[f"dL/d{id}"], data["grads"][name])


@pytest.mark.parametrize("start", ["interleaved_init", "init_after_all_layers"])
def test_model_3322(start):
    data = torch_json("01_model_3322.json")[start]
    p, names = data["params"], ["linear1", "linear2", "out"]
    layers = [
        part
        for name, f in zip(names, ["sigmoid", "relu", "softmax"])
        for part in (linear(p[f"{name}.weight"], p[f"{name}.bias"]), f)
    ]
    answer = solve({"inputs": data["input"], "targets": data["targets"], "layers": layers, "loss": "cross_entropy"})
    for id, value in data["forward"].items():
        close(answer[id], value)
    close(answer["l"], data["loss_per_sample"])
    close(answer["L"], data["loss_mean"])
    grads = data["grads_of_mean_loss"]
    for k, name in enumerate(names, 1):
        close(answer[f"dL/dW{k}"], grads[f"{name}.weight"])
        close(answer[f"dL/db{k}"], grads[f"{name}.bias"])
    for id in ("z1", "a1", "z2", "a2", "z3"):
        close(answer[f"dL/d{id}"], grads[id])
    close(answer["dL/dx"], grads["input"])


MLPS = {
    "tanh_mse_4-5-3": ("tanh", None, "mse"),
    "relu_bce_2-8-8-1": ("relu", "sigmoid", "bce"),
    "gelu_ce_6-4-4-3": ("gelu", "softmax", "cross_entropy"),
}


def mlp_net(name, weights, biases, from_scores=False):
    data = torch_json("09_mlps.json")[name]
    hidden, output, loss = MLPS[name]
    if from_scores:
        output, loss = None, {"bce": "bce_with_logits"}.get(loss, loss)
    layers = []
    for k, (weight, bias) in enumerate(zip(weights, biases)):
        layers.append(linear(weight, bias))
        if k < len(weights) - 1:
            layers.append(hidden)
        elif output:
            layers.append(output)
    return {
        "inputs": data["x"],
        "targets": data["target"],
        "layers": layers,
        "loss": loss,
        "optimizer": {"sgd": {"lr": 0.1}},
    }


@pytest.mark.parametrize("from_scores", [False, True])
@pytest.mark.parametrize("name", MLPS)
def test_mlp(name, from_scores):
    data = torch_json("09_mlps.json")[name]
    answer = solve(mlp_net(name, data["W"], data["b"], from_scores))
    close(answer["L"], data["loss"], 1e-10)
    close(answer["dL/dx"], data["grads"]["x"], 1e-10)
    for k in range(1, len(data["W"]) + 1):
        close(answer[f"z{k}"], data["z"][k - 1], 1e-10)
        if f"a{k}" in answer:
            close(answer[f"a{k}"], data["a"][k - 1], 1e-10)
        for id, key in ((f"W{k}", "W"), (f"b{k}", "b"), (f"z{k}", "z")):
            close(answer[f"dL/d{id}"], data["grads"][key][k - 1], 1e-10)


@pytest.mark.parametrize("name", MLPS)
def test_mlp_trained_three_steps(name):
    data = torch_json("09_mlps.json")[name]
    weights, biases, after = data["W"], data["b"], data["sgd_lr0.1"]
    for step in range(3):
        answer = solve(mlp_net(name, weights, biases, from_scores=True))
        close(answer["L"], after["losses"][step], 1e-10)
        if step < 2:
            close(answer["L+"], after["losses"][step + 1], 1e-10)
        weights = [answer[f"W{k}+"].tolist() for k in range(1, len(weights) + 1)]
        biases = [answer[f"b{k}+"].tolist() for k in range(1, len(biases) + 1)]
    for got, want in [*zip(weights, after["W_after3"]), *zip(biases, after["b_after3"])]:
        close(got, want, 1e-10)


# ----------------------------------------------------------------------------------------------- gradients against differences

LOSSES = {
    "mse": {},
    "half_squared_error": {"reduction": "mean"},
    "l1": {"reduction": "sum"},
    "huber": {"delta": 0.7},
    "smooth_l1": {"beta": 0.6},
    "bce": {"weight": [0.5, 2.0, 1.5]},
    "bce_with_logits": {"pos_weight": [2.0, 0.5, 1.0]},
    "cross_entropy": {"weight": [0.2, 1.5, 3.0], "label_smoothing": 0.1},
    "nll": {"weight": [0.2, 1.5, 3.0]},
    "kl_div": {"reduction": "batchmean"},
    "hinge_embedding": {"margin": 3.0},
}


def random_net(activation, loss, single, shared, seed=7):
    rng = np.random.default_rng(seed)
    samples = 1 if single else 4
    last = {"bce": ["sigmoid"], "nll": ["log_softmax"], "kl_div": ["log_softmax"]}.get(loss, [])
    if loss in ("cross_entropy", "nll"):
        targets = rng.integers(0, 3, samples)
    elif loss == "hinge_embedding":
        targets = rng.choice([-1, 1], (samples, 3))
    elif loss in ("mse", "half_squared_error", "l1", "huber", "smooth_l1"):
        targets = rng.normal(size=(samples, 3))
    else:
        targets = rng.dirichlet([1, 1, 1], samples)
    if single and targets.ndim == 2:
        targets = targets[0]
    inputs = rng.normal(size=(samples, 2))
    bias = (lambda n: float(rng.normal())) if shared else (lambda n: rng.normal(size=n).tolist())
    layers = [
        linear(rng.normal(size=(4, 2)).tolist(), bias(4)),
        activation,
        linear(rng.normal(size=(3, 4)).tolist(), bias(3)),
        *last,
    ]
    return {
        "inputs": (inputs[0] if single else inputs).tolist(),
        "targets": targets.tolist(),
        "layers": layers,
        "loss": {loss: LOSSES[loss]},
    }


@pytest.mark.parametrize("single,shared", [(False, False), (True, True)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_the_slopes_of_the_loss(activation, loss, single, shared):
    net = random_net(activation, loss, single, shared)
    answer = solve(net)
    step = 1e-6

    def difference(change):
        losses = []
        for sign in (1, -1):
            other = json.loads(json.dumps(net))
            change(other, sign * step)
            losses.append(float(solve(other)["L"]))
        return (losses[0] - losses[1]) / (2 * step)

    def bump(array, index, by):
        for i in index[:-1]:
            array = array[i]
        array[index[-1]] += by

    places = [(answer["dL/dx"], lambda n: (n, "inputs"))]
    for k, at in ((1, 0), (2, 2)):
        places += [
            (answer[f"dL/d{p}{k}"], lambda n, at=at, key=key: (n["layers"][at]["linear"], key))
            for p, key in (("W", "weight"), ("b", "bias"))
        ]
    for grad, where in places:
        for index in np.ndindex(grad.shape):
            numeric = difference(lambda n, by: bump(where(n)[0], (where(n)[1], *index), by))
            assert grad[index] == pytest.approx(numeric, rel=2e-6, abs=2e-8)


# --------------------------------------------------------------------------------------------------------------------- shapes


def test_ids_and_shapes():
    net = {
        "inputs": [1, 2],
        "targets": [1],
        "layers": ["tanh", linear([[1, 2], [3, 4], [5, 6]], 0.5), "relu", "sigmoid"],
    }
    net |= {"loss": "cross_entropy", "optimizer": {"sgd": {"lr": 0.1}}, "frozen": ["b1"]}
    answer = solve(net)
    shapes = {
        "x": (2,),
        "t": (3,),
        "l": (),
        "L": (),
        "a0": (2,),
        "z1": (3,),
        "a1": (3,),
        "a1.2": (3,),
        "W1": (3, 2),
        "b1": (),
        "dL/db1": (),
        "W1+": (3, 2),
    }
    shapes |= {
        "dL/dx": (2,),
        "dL/da0": (2,),
        "da0/dx": (2,),
        "da1/dz1": (3,),
        "da1.2/da1": (3,),
        "dL/da1.2": (3,),
        "z1+": (3,),
        "L+": (),
    }
    assert {id: np.shape(answer[id]) for id in shapes} == shapes
    assert "b1+" not in answer
    assert entry(answer, "W1[2,1]") == 3
    batch = solve({**net, "inputs": [[1, 2], [3, 4]], "targets": [1, 0]})
    assert batch["da1/dz1"].shape == (2, 3) and batch["l"].shape == (2,)
    vector = solve({**net, "layers": [*net["layers"][:-1], "softmax"], "inputs": [[1, 2], [3, 4]], "targets": [1, 0]})
    assert vector["da1.2/da1"].shape == (2, 3, 3)


# ------------------------------------------------------------------------------------------------------------ published examples


def agrees(value, row):
    """Whether the printed digits are those of the value."""
    value = Decimal(value * row.get("factor", 1))
    printed = Decimal(row["printed"])
    unit = Decimal(1).scaleb(printed.as_tuple().exponent)
    float_error = 4 * Decimal(2) ** -52 * max(abs(value), abs(printed))
    if row.get("rounding") == "truncated":
        away = abs(value) - abs(printed)
        return -float_error <= away < unit + float_error and (value >= 0) == (printed >= 0)
    return abs(value - printed) <= max(unit / 2, float_error) * (1 + Decimal("1e-9"))


PUBLISHED = {path.stem: recorded(path) for path in sorted((CASES / "published").glob("*.yaml"))}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published(name):
    case = PUBLISHED[name]
    answer = solve(case["net"])
    assert case["command"] in ("backprop", "forward") and case["source"]["title"] and case["source"]["url"]
    assert case["expect"]
    for row in [*case["expect"], *case.get("author_chain", [])]:
        assert agrees(entry(answer, row["id"]), row), (
            f"{row['name']}: {entry(answer, row['id'])!r}, printed {row['printed']}"
        )
    for row in case.get("wrong", []):
        assert not agrees(entry(answer, row["id"]), row), f"{row['name']} is right: {entry(answer, row['id'])!r}"


def test_published_cases_are_well_formed():
    for name, case in PUBLISHED.items():
        assert set(case) <= {
            "source",
            "note",
            "needs",
            "net",
            "command",
            "expect",
            "wrong",
            "author_chain",
            "skipped",
        }, name
        asks_for_input = any("dL/dx" in row["id"] or "dL/da0" in row["id"] for row in case["expect"])
        layerless = not any("linear" in layer for layer in case["net"]["layers"])
        assert case.get("needs") == ("gradient_of_input" if asks_for_input or layerless else None), name
        if case["command"] == "forward":
            assert not any(row["id"].startswith("d") or "+" in row["id"] for row in case["expect"]), name
