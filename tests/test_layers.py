"""Dropout, normalizations, residual blocks and penalties against PyTorch's numbers and a plain-NumPy reference."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from reference.layers import solve as by_hand

from derive.build import build
from derive.model import Model
from derive.solution import Solution, solve
from derive.spec import load

TOLERANCE = 1e-9
SGD = {"sgd": {"lr": 0.1}}
HALF = "half_squared_error"


def torch_json(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "cases" / "torch" / name
    return dict(json.loads(path.read_text(encoding="utf-8")))


def close(got: Any, want: Any, tolerance: float = TOLERANCE, what: str = "", terms: float = 0) -> None:
    """Equal up to a relative tolerance; where numbers cancel, up to the rounding of terms of some size."""
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, what
    floor = tolerance * max(1e-3, np.max(np.abs(want), initial=0)) + 1e-12 * terms
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=floor, err_msg=what)


def well_solved(net: Any, **how: Any) -> Solution:
    solution = solve(net, **how)
    assert solution.document.witnesses and all(w.ok for w in solution.document.witnesses)
    return solution


def linear(weight: Any, bias: Any = False) -> dict[str, Any]:
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


# PyTorch's numbers --------------------------------------------------------------------------------------------------------
LAYERS = torch_json("06_layers.json")["cases"]
PENALTIES = torch_json("08_penalties.json")
EXACT = 1e-10


def behind(case: dict[str, Any], layer: Any, output: Any, mode: str = "train", **more: Any) -> Solution:
    """One layer whose output gets the case's upstream gradient: the slope of ½(t − y)² at t = y − upstream."""
    targets = np.array(output) - np.array(case["upstream"])
    net = {"inputs": case["input"], "targets": targets.tolist(), "layers": [layer], "loss": HALF, "mode": mode}
    return well_solved({**net, **more})


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_batch_norm_as_pytorch(mode: str) -> None:
    case = LAYERS["batchnorm1d"]
    now = case[mode]
    options = {"weight": case["gamma"], "bias": case["beta"], "eps": case["eps"], "momentum": case["momentum"]}
    options |= {"running_mean": case["running_mean_before"], "running_var": case["running_var_before"]}
    solution = behind(case, {"batch_norm": options}, now["output"], mode)
    close(solution["y0"], now["output"], EXACT)
    for name, id in (("input", "x"), ("gamma", "gamma0"), ("beta", "beta0")):
        close(solution[f"dL/d{id}"], now["grads"][name], EXACT, name)
    if mode == "eval":
        assert "running_mean0+" not in solution.document.quantities
        return
    for name, id in (("batch_mean", "mean0"), ("batch_var_biased", "var0"), ("xhat", "n0")):
        close(solution[id], now[name], EXACT, name)
    close(solution["running_mean0+"], now["running_mean_after"], EXACT)
    close(solution["running_var0+"], now["running_var_after"], EXACT)


def test_running_statistics_of_a_second_batch_as_pytorch() -> None:
    case = LAYERS["batchnorm1d"]
    after = case["train"]
    options = {"weight": case["gamma"], "bias": case["beta"], "momentum": case["momentum"]}
    options |= {"running_mean": after["running_mean_after"], "running_var": after["running_var_after"]}
    second = {**case, "input": (np.array(case["input"]) + 1).tolist()}
    solution = behind(second, {"BatchNorm1d": options}, after["output"])
    close(solution["running_mean0+"], after["running_mean_after_second_batch_x_plus_1"], EXACT)
    close(solution["running_var0+"], after["running_var_after_second_batch_x_plus_1"], EXACT)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_layer_norm_as_pytorch(mode: str) -> None:
    case = LAYERS["layernorm"]
    options = {"weight": case["gamma"], "bias": case["beta"], "eps": case["eps"]}
    solution = behind(case, {"layer_norm": options}, case["output"], mode)
    close(solution["y0"], case["output"], EXACT)
    for name, id in (("input", "x"), ("gamma", "gamma0"), ("beta", "beta0")):
        close(solution[f"dL/d{id}"], case["grads"][name], EXACT, name)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_dropout_as_pytorch(mode: str) -> None:
    case = LAYERS["dropout_p0.4"]
    output = case[f"{mode}_output"]
    solution = behind(case, {"dropout": {"p": case["p"], "mask": case["mask_kept"]}}, output, mode)
    close(solution["drop0"], output, EXACT)
    close(solution["dL/dx"], case["grads_train"]["input"] if mode == "train" else case["upstream"], EXACT)


REGULARIZATION: dict[str, Any] = {
    "none": None,
    "l1_lambda0.1": {"l1": 0.1},
    "l2_lambda0.1": {"l2": 0.1},
    "l2_half_lambda0.1": {"l2": {"lambda": 0.1, "half": True}},
    "l2_half_over_m_lambda0.1": {"l2": {"lambda": 0.1, "half": True, "per_sample": True}},
    "l2_norm_lambda0.1": {"l2_norm": 0.1},
    "elastic_l1_0.05_l2_0.1": {"elastic_net": {"l1": 0.05, "l2": 0.1}},
}


@pytest.mark.parametrize("name", PENALTIES["cases"])
def test_penalty_as_pytorch(name: str) -> None:
    case = PENALTIES["cases"][name]
    start, loss, penalty = name.split("|")
    net = {
        "inputs": PENALTIES["X"],
        "targets": PENALTIES["y"],
        "layers": [linear([PENALTIES[start]], [PENALTIES["b"]])],
        "loss": {"mse_mean": "mse", "bce_logits_mean": "bce_with_logits"}[loss],
        "optimizer": SGD,
        "regularization": REGULARIZATION[penalty],
    }
    values = {node.id: value for node, value in build(load(net)).numbers().items()}
    close(values["L"].item(), case["loss"], EXACT)
    close(values["dL/dW1"][0], case["grad_w"], EXACT)
    close(values["dL/db1"].item(), case["grad_b"], EXACT)
    close(values["W1+"][0], case["w_after_sgd_lr0.1"], EXACT)
    if penalty != "none":
        close(values["data_loss"].item(), case["data_loss"], EXACT)
        close(values["penalty"].item(), case["penalty"], EXACT)


def test_half_the_squares_are_weight_decay() -> None:
    """½λΣw² takes the step of SGD's own weight decay λ, as PyTorch has it."""
    layers = [linear([PENALTIES["w"]], [PENALTIES["b"]])]
    net = {"inputs": PENALTIES["X"], "targets": PENALTIES["y"], "layers": layers, "loss": "mse", "optimizer": SGD}
    solution = well_solved({**net, "regularization": {"l2": {"lambda": 0.1, "half": True}}})
    close(solution["W1+"][0], PENALTIES["weight_decay_equivalence"]["sgd_weight_decay_0.1"], EXACT)


# random networks against the reference -----------------------------------------------------------------------------------
ACTIVATIONS = ["tanh", "sigmoid", "relu", {"leaky_relu": {"negative_slope": 0.2}}, "silu", "softplus", "softmax"]
#: Not in the reference: options, masks, targets, and what the loss is made of.
OWN = re.compile(r"(?:(?:eps|momentum|chance|mask)[\d.]+|lambda_\w+|lr|[plt]\+?)(?:@\d)?")


@st.composite
def networks(draw: Any) -> dict[str, Any]:
    """A net.yaml with every number given, masks among them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    mode = draw(st.sampled_from(["train", "train", "train", "eval"]))
    samples = draw(st.integers(1, 4))

    def some(*shape: int) -> Any:
        return np.round(random.normal(size=shape), 3).tolist()

    def maybe(options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if random.random() < 0.5}

    def norm(width: int) -> Any:
        weight, bias = some(width), some(width)
        if (samples > 1 or mode == "eval") and random.random() < 0.5:
            affine = {"weight": weight, "bias": bias} if random.random() < 0.8 else {"affine": False}
            running = {"running_mean": some(width), "running_var": np.abs(some(width)).tolist()}
            return {"batch_norm": maybe({"eps": 0.01, "momentum": 0.25, **running}) | maybe(affine)}
        affine = {"weight": weight, "bias": bias} if random.random() < 0.8 else {"elementwise_affine": False}
        return {"layer_norm": maybe({"eps": 0.001}) | maybe(affine)}

    def dropout(width: int) -> Any:
        mask = random.integers(0, 2, (samples, width)) if random.random() < 0.7 else random.integers(0, 2, width)
        return {"dropout": {"p": draw(st.sampled_from([0, 0.25, 0.5, 0.4])), "mask": mask.tolist()}}

    def behind(width: int, depth: int) -> list[Any]:
        """What follows a linear layer."""
        found: list[Any] = []
        for _ in range(draw(st.integers(0, 3))):
            kind = draw(st.sampled_from(["activation", "norm", "norm", "dropout", "residual"]))
            if kind == "activation":
                found.append(ACTIVATIONS[random.integers(len(ACTIVATIONS))])
            elif kind == "residual" and depth < 3:
                found.append({"residual": block(width, depth + 1)})
            else:
                found.append(dropout(width) if kind == "dropout" else norm(width))
        return found

    def block(width: int, depth: int) -> list[Any]:
        """Layers that give as many values as they take."""
        inner = draw(st.integers(1, 3))
        found = behind(width, depth)
        if draw(st.booleans()):
            found += [full(width, inner), *behind(inner, depth), full(inner, width)]
        return found or ["tanh"]

    def full(before: int, after: int) -> dict[str, Any]:
        return linear(some(after, before), some(after) if random.random() < 0.8 else False)

    width = draw(st.integers(1, 4))
    inputs = some(samples, width)
    layers = behind(width, 0) if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        after = draw(st.integers(1, 4))
        layers += [full(width, after), *behind(after, 0)]
        width = after
    single = samples == 1 and draw(st.booleans())
    targets = some(samples, width)
    loss = draw(st.sampled_from(["mse", HALF, "smooth_l1", "bce_with_logits", {"mse": {"reduction": "sum"}}]))
    if loss == "bce_with_logits":
        targets = random.integers(0, 2, (samples, width)).tolist()
    net: dict[str, Any] = {"layers": layers, "loss": loss, "mode": mode, "steps": draw(st.integers(1, 3))}
    net |= {"inputs": inputs[0], "targets": targets[0]} if single else {"inputs": inputs, "targets": targets}
    net["optimizer"] = {"sgd": {"lr": 0.05}}
    kinds: dict[str, Any] = {
        "l1": maybe({"bias": True}) | {"lambda": 0.1},
        "l2": maybe({"bias": True, "half": True, "per_sample": True}) | {"lambda": 0.2},
        "l2_norm": maybe({"bias": True}) | {"lambda": 0.3},
        "elastic_net": maybe({"bias": True, "half": True}) | {"l1": 0.05, "l2": 0.1},
    }
    chosen = draw(st.sampled_from([[], ["l1"], ["l2"], ["l2_norm"], ["elastic_net"], ["l1", "l2"], ["l2_norm", "l2"]]))
    if chosen:
        net["regularization"] = {name: kinds[name] for name in chosen}
    return net


def compare(net: dict[str, Any]) -> Model:
    """Every value, gradient, update and running statistic is in both, and the same."""
    reference = by_hand(net)
    assume(all(np.abs(value).max() < 1e6 for value in reference.values()))  # also false of what is not finite
    model = build(load(net))
    ours = {node.id: value for node, value in model.numbers().items() if node.id}
    steepest = max(np.abs(value).max() for id, value in reference.items() if id.startswith("dL/d"))
    for id, want in reference.items():
        if id in ours:
            close(ours[id], want, what=id, terms=steepest)
        else:  # what no update has changed is not computed again
            assert {"@", "+"} & set(id), f"{id} is missing"
            assert np.array_equal(want, reference[id.partition("@")[0].removesuffix("+")]), f"{id} is missing"
    slopes = {id for id in ours if "/" in id and not id.startswith("dL/d")}
    extra = {id for id in set(ours) - set(reference) - slopes if not OWN.fullmatch(id)}
    assert not extra, f"not in the reference: {extra}"
    return model


QUICK = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@settings(QUICK, max_examples=60)
@given(networks())
def test_every_quantity_equals_the_reference(net: dict[str, Any]) -> None:
    compare(net)
