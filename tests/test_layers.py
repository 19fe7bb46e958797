"""Dropout, normalizations, residual blocks and penalties against PyTorch's numbers and a plain-NumPy reference."""

from __future__ import annotations

import importlib
import json
import math
import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from reference.layers import solve as by_hand

from derive.build import build
from derive.document import Step
from derive.errors import InputError
from derive.long_training import train
from derive.model import Model
from derive.penalties import penalties
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
    reference, model = by_hand(net), build(load(net))
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


@settings(QUICK, max_examples=30)
@given(networks())
def test_every_quantity_equals_the_reference(net: dict[str, Any]) -> None:
    with np.errstate(all="ignore"):
        sizes = [np.abs(value).max() for value in by_hand(net).values()]
    assume(all(size < 1e6 for size in sizes))  # also false of what is not finite
    compare(net)


# whole pages --------------------------------------------------------------------------------------------------------------
FIRST = linear([[0.5, -0.3], [0.2, 0.4]], [0.1, 0])
LAST = linear([[0.7, -0.6]], [0.2])
BATCH: dict[str, Any] = {
    "inputs": [[1, 2], [-1, 0.5], [0.3, -2]],
    "targets": [[1], [0], [1]],
    "loss": "mse",
    "optimizer": SGD,
}
SINGLE: dict[str, Any] = {"inputs": [1, 2], "targets": [1], "loss": "mse", "optimizer": SGD}
EVERYTHING: dict[str, Any] = {
    **BATCH,
    "inputs": [[1, 2], [-1, 0.5]],
    "targets": [[1], [0]],
    "layers": [
        FIRST,
        {"batch_norm": {"weight": [1, 2], "momentum": 0.3}},
        {"dropout": {"p": 0.4}},
        {"residual": ["tanh", "layer_norm"]},
        LAST,
    ],
    "regularization": {"l2": {"lambda": 0.1, "half": True}, "l1": 0.02},
    "seed": 1,
}


def between(*layers: Any, net: dict[str, Any] = BATCH, **more: Any) -> dict[str, Any]:
    """Layers between two linear ones of two units and one."""
    return {**net, "layers": [FIRST, *layers, LAST], **more}


@pytest.mark.parametrize("how", [
    {"notation": "mazur", "form": "scalar"}, {"notation": "nielsen", "form": "matrix"}, {"notation": "ng", "exact": True},
    {"notation": "d2l", "form": "matrix"}, {"notation": "bishop", "round_as_you_go": True, "significant": 3},
    {"notation": "haykin", "form": "matrix"}, {"notation": "rows", "lang": "zh", "form": "both", "level": "full"},
], ids=str)  # fmt: skip
def test_a_network_with_everything_is_printed_in_every_format(how: dict[str, Any]) -> None:
    solution = well_solved(EVERYTHING, **how)
    pages = {name: str(solution.print(name)) for name in ("html", "latex", "markdown", "text", "json")}
    assert set(json.loads(pages["json"])["quantities"]) == set(solution.document.quantities)
    for page in pages.values():
        assert page and "Traceback" not in page
    if "round_as_you_go" not in how:
        close(solution["dL/dW1"], by_hand(drawn_masks_given(EVERYTHING, solution))["dL/dW1"])


def drawn_masks_given(net: dict[str, Any], solution: Solution) -> dict[str, Any]:
    """The same network with the mask that was drawn written down."""
    layers = list(net["layers"])
    layers[2] = {"dropout": {"p": 0.4, "mask": solution["mask1"].tolist()}}
    return {**net, "layers": layers}


@pytest.mark.parametrize("form", ["scalar", "matrix"])
@pytest.mark.parametrize("inputs", [2, {"size": [3, 2]}], ids=["sample", "batch"])
def test_a_network_without_numbers(inputs: Any, form: str) -> None:
    norm = "layer_norm" if inputs == 2 else "batch_norm"
    full: Any = {"linear": {"out": 2}}
    layers = [norm, full, "dropout", {"residual": [full, "layer_norm", "tanh"]}, {"linear": {"out": 1}}]
    net = {"inputs": inputs, "layers": layers, "loss": "mse", "optimizer": SGD, "regularization": {"l2_norm": 0.5}}
    solution = well_solved(net, form=form)
    assert solution.document.quantities["dL/dgamma0"].shape == (2,)
    with pytest.raises(KeyError, match="symbolic"):
        solution["dL/dgamma0"]


def reasons(solution: Solution) -> list[Any]:
    """The keys of all reasons."""
    return [why.key for section in solution.document.sections for step in steps_of(section) for why in step.why]


def steps_of(section: Any) -> list[Any]:
    return [part for part in section.blocks if isinstance(part, Step)]


def test_rounding_as_one_goes_gives_no_second_formula() -> None:
    """The condensed gradient of rounded numbers would be another number than the long one."""
    net = between("batch_norm")
    said = "through.condensed"
    assert said in reasons(well_solved(net))
    assert said not in reasons(well_solved(net, round_as_you_go=True, significant=3))


def test_only_some_lines_and_labels_and_frozen_parameters() -> None:
    net = {**EVERYTHING, "frozen": ["gamma1"], "labels": {"gamma1": ["g1", "g2"]}}
    solution = well_solved(net, only=["dL/dg1"])
    close(solution["dL/dg1"], solution["dL/dgamma1"][0])
    assert "gamma1+" not in solution.document.quantities and "beta1+" in solution.document.quantities
    assert "Forward pass" not in str(solution.print("text"))


def test_the_optimizer_remembers_gamma() -> None:
    net = between("batch_norm", optimizer={"sgd": {"lr": 0.1, "momentum": 0.9}}, steps=2)
    solution = well_solved(net)
    first, second = solution["dL/dgamma1"], solution["dL/dgamma1@2"]
    close(solution["gamma1+@2"], 1 - 0.1 * first - 0.1 * (0.9 * first + second))
    given = between("batch_norm", optimizer={"adam": {"lr": 0.1}}, state={"m": {"gamma1": [0.1, 0.2]}, "step": 3})
    close(well_solved(given)["m.gamma1"], 0.9 * np.array([0.1, 0.2]) + 0.1 * first)


# edges --------------------------------------------------------------------------------------------------------------------
def values_of(net: dict[str, Any]) -> dict[str, Any]:
    """The numbers, after they were compared with the reference."""
    return {node.id: value for node, value in compare(net).numbers().items() if node.id}


def test_equal_units_stay_equal_over_several_steps() -> None:
    """Whose mean is one of them but for the last of 150 digits: nothing is trained on that digit."""
    first = {"linear": {"out": 3, "weight": [[0.4], [1], [1]], "bias": 0.25}}
    second = {"linear": {"out": 2, "weight": [[-0.6, 0.5, 1], [1.1, 0.3, 0]], "bias": [0.1, 0.1]}}
    third = {"linear": {"out": 2, "weight": [[-0.58, 1.37], [1, -0.72]], "bias": 0.25}}
    last = {"linear": {"out": 2, "weight": [[0.8, 0.4], [0, -1.3]], "bias": [0, -1]}}
    net = {
        "inputs": [0],
        "targets": [1.6, -0.2],
        "layers": [first, {"layer_norm": {"elementwise_affine": False}}, second, third, last],
        "loss": "half_squared_error",
        "regularization": {"elastic_net": {"l1": 0.1, "l2": 0.05, "bias": True, "half": True}},
        "optimizer": {"nadam": {"lr": 0.01}},
        "steps": 3,
    }
    found = solve(net)
    assert not found["n1@2"].any() and not found["n1@3"].any()
    assert found["W2+@2"][1, 2] == 0 and found["dL/dW2@3"][1, 2] == 0


def test_one_unit_alone_is_normalized_to_zero() -> None:
    values = values_of({**BATCH, "layers": [FIRST, LAST, {"layer_norm": {"weight": [3], "bias": [0.5]}}]})
    assert not values["n2"].any() and not values["dL/dW1"].any() and not values["dL/dW2"].any()
    assert (values["y2"] == 0.5).all()


def test_a_unit_that_is_always_the_same() -> None:
    """A column of variance 0 stays 0, and eps keeps its gradient finite."""
    values = values_of(between("batch_norm", inputs=[[1, 2], [1, 2], [1, 2]]))
    assert not values["n1"].any() and not values["var1"].any()
    close(values["running_var1+"], [[0.9, 0.9]])


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
def test_a_dead_relu_before_a_norm(norm: str) -> None:
    dead = linear([[0.5, -0.3], [0.2, 0.4]], [-100, -100])
    solution = well_solved({**BATCH, "layers": [dead, "relu", norm, LAST]})
    assert not solution["n1"].any() and not solution["dL/dW1"].any()


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
@pytest.mark.parametrize("size", [1e-100, 1e100])
def test_huge_and_tiny_numbers(norm: str, size: float) -> None:
    inputs = [[size, 2 * size], [-size, 0.5 * size], [0.3 * size, -2 * size]]
    solution = well_solved({**BATCH, "inputs": inputs, "layers": [norm, LAST]})
    if size > 1:  # what counts is the shape: eps is nothing beside the variance
        x = np.array(BATCH["inputs"])
        axis = 0 if norm == "batch_norm" else 1
        close(solution["n0"], (x - x.mean(axis, keepdims=True)) / x.std(axis, keepdims=True))


def test_dropping_nothing_and_dropping_everything() -> None:
    kept = values_of(between({"dropout": {"p": 0, "mask": [1, 1]}}))
    assert (kept["drop1"] == kept["z1"]).all()
    gone = values_of(between({"dropout": {"p": 1, "mask": [0, 0]}}))
    assert not gone["drop1"].any() and not gone["dL/dW1"].any() and gone["dL/db2"].any()
    drawn = build(load(between({"dropout": {"p": 1}}))).numbers()
    assert all(not value.any() for node, value in drawn.items() if node.id == "mask1")


def test_one_row_of_a_mask_is_for_all_samples() -> None:
    every = values_of(between({"dropout": {"mask": [[1, 0]] * 3}}))
    for mask in ([1, 0], [[1, 0]]):
        assert (values_of(between({"dropout": {"mask": mask}}))["drop1"] == every["drop1"]).all()
    alone = values_of(between({"dropout": {"mask": [0, 1]}}, net=SINGLE))
    assert alone["drop1"][0, 0] == 0 and alone["drop1"][0, 1] == 2 * alone["z1"][0, 1]


def test_the_slope_of_a_norm_of_nothing_is_zero() -> None:
    net = {**SINGLE, "layers": [linear([[0, 0]], [0.5])], "regularization": {"l2_norm": 1}}
    solution = well_solved(net)
    close(solution["dL/dW1"], [[-1, -2]])
    close(solution["penalty"], 0)


def test_networks_of_layers_without_weights() -> None:
    net = {"inputs": [[1, 2], [3, 5]], "targets": [[0, 1], [1, 1]], "layers": ["batch_norm"], "loss": "mse"}
    solution = well_solved(net)
    close(solution["dL/dgamma0"], by_hand(net)["dL/dgamma0"][0])


def test_blocks_within_blocks() -> None:
    inner: Any = ["tanh"]
    for _ in range(10):
        inner = [{"residual": inner}]
    values = values_of(between(*inner))
    close(values["s1.10"], 10 * values["z1"] + np.tanh(values["z1"]))


# what is refused ----------------------------------------------------------------------------------------------------------
HEAD = "inputs: [[1, 2], [-1, 0.5], [0.3, -2]]\ntargets: [[1], [0], [1]]\nloss: mse\noptimizer: {sgd: {lr: 0.1}}\n"
LINES = (
    "layers:\n  - linear: {out: 2, weight: [[0.5, -0.3], [0.2, 0.4]], bias: [0.1, 0]}\n"
    "  - %s\n  - linear: {out: 1, weight: [[0.7, -0.6]], bias: [0.2]}\n"
)


def refusal(folder: Path, text: str, **arrays: Any) -> str:
    """What is said of a file, in one line that begins with the file and a line of it."""
    if arrays:
        np.savez(folder / "p.npz", **arrays)
    (folder / "net.yaml").write_text(text, encoding="utf-8")
    with chdir(folder), pytest.raises(InputError) as refused:
        solve("net.yaml")
    message = str(refused.value)
    assert "\n" not in message and re.match(r"net\.yaml:\d+:\d+: ", message), message
    return message.partition("net.yaml:")[2]


@pytest.mark.parametrize("layer,said", [
    ("batch_norm: {eps: -1}", "7:23: layers[1].batch_norm.eps: batch_norm: eps must not be negative"),
    ("layer_norm: {eps: -1}", "eps must not be negative"),
    ("layer_norm: {momentum: 0.1}", "layer_norm has no option 'momentum'"),
    ("batch_norm: {gamma: [1, 2]}", "batch_norm has no option 'gamma'"),
    ("batch_norm: {weight: [1, 2, 3]}", "weight has 3 numbers, but there are 2 units"),
    ("batch_norm: {running_mean: [1]}", "running_mean has 1 numbers"),
    ("batch_norm: {running_var: [1, -1]}", "running_var must not be negative"),
    ("batch_norm: {affine: false, weight: [1, 2]}", "weight is given, but there are no γ and β"),
    ("layer_norm: {elementwise_affine: false, bias: [1, 2]}", "bias is given, but there are no γ and β"),
    ("batch_norm: {weight: []}", "7:26: layers[1].batch_norm.weight: an empty list"),
    ("batch_norm: 3", "expected the options of batch_norm"),
    ("dropout: {p: 1.5}", "p must be from 0 to 1"),
    ("dropout: {p: -0.1}", "p must be from 0 to 1"),
    ("dropout: {q: 1}", "dropout has no option 'q'. Its options are p, mask."),
    ("dropout: 0.5", "expected the options of dropout"),
    ("dropout: {mask: [2, 0]}", "layers[1].dropout.mask: a mask is made of 1 (kept) and 0 (dropped)"),
    ("dropout: {mask: [0.5, 1]}", "a mask is made of 1"),
    ("dropout: {p: 1, mask: [1, 0]}", "with p: 1 nothing is kept"),
    ("dropout: {mask: [1, 0, 1]}", "must have a row of 2 for each of the 3 samples"),
    ("dropout: {mask: [[1, 0], [0, 1]]}", "must have a row of 2 for each of the 3 samples"),
    ("dropout: {mask: [[1, 0], [1], [0, 1]]}", "must have a row of 2 for each of the 3 samples"),
    ("dropout: {mask: [[1], [0]]}", "must have a row of 2 for each of the 3 samples, or one row for all of them"),
    ("dropout: {mask: []}", "an empty list"),
    ("dropuot", "Did you mean 'dropout'?"),
    ("xyzzy", "unknown layer 'xyzzy'. `derive list` names all there are."),
    ("linear", "linear needs its size, as in {linear: {out: 2}}"),
    ("linear: 2", "linear needs its size, as in {linear: {out: 2}}"),
    ("linear: {width: 2}", "linear has no option 'width'. Its options are out, "),
    ("residual: []", "an empty block"),
    ("residual", "residual needs the layers of its block"),
    ("residual: {tanh: {}}", "residual needs the layers of its block"),
    ("residual: ", "residual needs the layers of its block"),
    ("residual: [linear: {out: 3, weight: [[1, 2], [1, 2], [3, 4]]}]", "the block turns 2 values into 3"),
    ("residual: " + "[residual: " * 25 + "[tanh]" + "]" * 25, "levels deep"),
])  # fmt: skip
def test_a_layer_that_is_refused(layer: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, HEAD + LINES % layer)


@pytest.mark.parametrize("inputs", ["[1, 2]", "[[1, 2]]"])
def test_batch_norm_in_training_needs_a_batch(inputs: str, tmp_path: Path) -> None:
    text = f"inputs: {inputs}\ntargets: {'[1]' if inputs == '[1, 2]' else '[[1]]'}\nloss: mse\n" + LINES % "batch_norm"
    assert "needs more than one sample: give a batch, or mode: eval" in refusal(tmp_path, text)
    (tmp_path / "net.yaml").write_text(text + "mode: eval\n")
    close(well_solved(tmp_path / "net.yaml")["n1"].ravel(), np.array([0, 1.0]) / np.sqrt(1 + 1e-5))


@pytest.mark.parametrize("layer", ["batch_norm: {eps: 0}", "layer_norm: {eps: 0}"])
def test_dividing_by_no_variance(layer: str, tmp_path: Path) -> None:
    close(well_solved(between({layer.split(":")[0]: {"eps": 0}}))["n1"].sum(), 0)
    text = f"inputs: [[1, 1], [1, 1]]\ntargets: [[1, 0], [0, 1]]\nloss: mse\nlayers: [{{{layer}}}]\n"
    assert "the variance is 0 or tiny; give a larger eps" in refusal(tmp_path, text)


@pytest.mark.parametrize("line,said", [
    ("regularization: {l3: 1}", "9:18: regularization.l3: unknown penalty 'l3'. There are l1, l2, "),
    ("regularization: {l2: -1}", "9:22: regularization.l2: l2: lambda must not be negative"),
    ("regularization: {elastic_net: {l1: 1, l2: -2}}", "must not be negative"),
    ("regularization: {elastic_net: {l1: 1}}", "elastic_net needs l2"),
    ("regularization: {elastic_net: 1}", "elastic_net needs l1 and l2"),
    ("regularization: {l2: {half: true}}", "l2 needs lambda"),
    ("regularization: {l2: {lambda: 1, halff: true}}", "Did you mean 'half'?"),
    ("regularization: {l2_norm: {lambda: 1, half: true}}", "l2_norm has no option 'half'"),
    ("regularization: {l1: 1, elastic_net: {l1: 1, l2: 1}}", "give each penalty once"),
    ("regularization: {l2: 1, ridge: 1}", "give each penalty once"),
    ("regularization: {l2: 1, l2: 1}", "duplicate key"),
    ("regularization: {}", "no penalty is given"),
    ("regularization: l2", "expected {name: value}"),
    ("mode: trian", "9:7: mode: expected one of train, eval. Did you mean 'train'?"),
    ("frozen: [running_mean1]", "'running_mean1' is not a parameter"),
    ("frozen: [gamma7]", "'gamma7' is not a parameter"),
    ("labels: {gamma1: [a]}", "1 labels for the 2 entries of gamma1"),
    ("update: layerwise", "layerwise is for linear layers and activations alone"),
])  # fmt: skip
def test_a_line_that_is_refused(line: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, HEAD + LINES % "batch_norm" + line + "\n")


def test_penalties_need_a_loss_and_weights(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("inputs: [1, 2]\nlayers: [tanh]\nregularization: {l2: 1}\n")
    with chdir(tmp_path), pytest.raises(InputError, match=r"net\.yaml:3:1: .*there is no loss"):
        load("net.yaml")
    text = "inputs: [1, 2]\ntargets: [1, 2]\nloss: mse\nlayers: [layer_norm]\nregularization: {l2: 1}\n"
    assert "there are no weights to penalize" in refusal(tmp_path, text)


# a file of parameters -----------------------------------------------------------------------------------------------------
def test_parameters_and_running_statistics_from_a_file(tmp_path: Path) -> None:
    options = {"weight": [2, 3], "bias": [1, -1], "running_mean": [0.5, 0.25], "running_var": [2, 4]}
    ids = {"weight": "gamma1", "bias": "beta1"}
    np.savez(tmp_path / "p.npz", **{ids.get(name, name + "1"): np.array(v, float) for name, v in options.items()})
    (tmp_path / "net.yaml").write_text(HEAD + LINES % "batch_norm" + "parameters: p.npz\n")
    solution = well_solved(tmp_path / "net.yaml")
    reference = by_hand(between({"batch_norm": options}))
    for id in ("y1", "dL/dgamma1", "running_mean1+", "running_var1+", "gamma1+"):
        close(solution[id], reference[id].reshape(solution[id].shape), what=id)


@pytest.mark.parametrize("layer,arrays,said", [
    ("batch_norm", {"gamma1": [1.0, 2, 3]}, "the array gamma1 has 3 numbers for 2 units"),
    ("batch_norm", {"running_var1": [1.0, -1]}, "the array running_var1 must not be negative"),
    ("batch_norm: {weight: [1, 2]}", {"gamma1": [1.0, 2]}, "given here and in the file of parameters"),
    ("batch_norm: {affine: false}", {"gamma1": [1.0, 2]}, "array 'gamma1' belongs to nothing"),
    ("layer_norm", {"running_mean1": [1.0, 2]}, "array 'running_mean1' belongs to nothing"),
    ("dropout", {"mask1": [1.0, 0]}, "array 'mask1' belongs to nothing"),
])  # fmt: skip
def test_a_file_of_parameters_that_is_refused(layer: str, arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, HEAD + LINES % layer + "parameters: p.npz\n", **arrays)


# training -----------------------------------------------------------------------------------------------------------------
def trained_net(*, dropout: bool = True, **more: Any) -> dict[str, Any]:
    """Weights and masks are drawn."""
    maybe: list[Any] = [{"dropout": {"p": 0.4}}] if dropout else []
    layers = [
        {"linear": {"out": 3}},
        "batch_norm",
        "tanh",
        *maybe,
        {"linear": {"out": 2}},
        *maybe,
        {"linear": {"out": 1}},
    ]
    net = {**BATCH, "inputs": [*BATCH["inputs"], [0.2, 0.9]], "targets": [[1], [0], [1], [0.5]], "seed": 4}
    return {**net, "layers": layers, "optimizer": {"sgd": {"lr": 0.05, "momentum": 0.9}}, **more}


def ends(solution: Solution) -> dict[str, Any]:
    assert solution.course is not None
    return dict(solution.course.end)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_training_goes_on_where_it_stopped(batch_size: int | None, tmp_path: Path) -> None:
    net = trained_net()
    at_once = ends(train(net, steps=30, batch_size=batch_size))
    first = train(net, steps=10, batch_size=batch_size)
    (tmp_path / "checkpoint.npz").write_bytes(first.beside()["checkpoint.npz"])
    then = ends(train(net, steps=20, batch_size=batch_size, resume=tmp_path / "checkpoint.npz"))
    assert set(at_once) == set(then) >= {"gamma1", "running_mean1", "running_var1"}
    for id, value in at_once.items():
        close(then[id], value, 1e-12, id)
    assert not np.array_equal(at_once["running_var1"], ends(first)["running_var1"])


def test_a_checkpoint_with_a_negative_variance_is_refused(tmp_path: Path) -> None:
    net = trained_net()
    (tmp_path / "good.npz").write_bytes(train(net, steps=1).beside()["checkpoint.npz"])
    with np.load(tmp_path / "good.npz") as arrays:
        np.savez(tmp_path / "bad.npz", **{**arrays, "running_var1": -arrays["running_var1"]})
    with pytest.raises(InputError, match="running_var1' must not be negative"):
        train(net, steps=1, resume=tmp_path / "bad.npz")


def test_worked_steps_are_those_of_training() -> None:
    net = trained_net(steps=5)
    model = build(load(net))
    worked = {node.id: value for node, value in model.numbers().items() if node.id}
    end = ends(train(net, steps=5))
    for id in ("W1", "gamma1", "beta1", "running_mean1", "running_var1", "b3"):
        close(end[id], worked[f"{id}+@5"], 1e-12, id)
    masks = [worked["mask1" if step == 1 else f"mask1@{step}"].tolist() for step in range(1, 6)]
    assert all(one != other for i, one in enumerate(masks) for other in masks[:i])


def drawn(**more: Any) -> dict[str, Any]:
    dropout = more.pop("dropout", True)
    numbers = build(load(trained_net(dropout=dropout, steps=2, **more))).numbers()
    return {node.id: value.tolist() for node, value in numbers.items() if node.id}


def test_masks_depend_on_the_seed_alone() -> None:
    one, again, other, without = drawn(), drawn(optimizer=SGD), drawn(seed=5), drawn(dropout=False)
    for id in ("mask1", "mask1@2", "mask2"):
        assert one[id] == again[id]
    assert one["mask1"] != other["mask1"] and one["mask1"] != one["mask1@2"]
    assert all(one[id] == without[id] for id in ("W1", "b1", "W2", "b2", "W3", "b3"))


def test_a_last_batch_of_one_is_refused_by_batch_norm() -> None:
    with pytest.raises(InputError, match="needs more than one sample"):
        train(trained_net(), steps=4, batch_size=3)
    assert train(trained_net(drop_last=True), steps=4, batch_size=3).course is not None


# PyTorch itself, where it is installed ------------------------------------------------------------------------------------
def test_three_steps_of_torch() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    random = np.random.default_rng(66)
    x, t = random.normal(size=(4, 3)).round(3), random.normal(size=(4, 2)).round(3)
    mask = np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1], [1, 1, 1, 0]])
    p, lr = 0.4, 0.1

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm0 = nn.LayerNorm(3)
            self.one, self.norm1 = nn.Linear(3, 4), nn.BatchNorm1d(4, momentum=0.3)
            self.two, self.norm2 = nn.Linear(4, 4), nn.BatchNorm1d(4)
            self.norm22, self.three = nn.LayerNorm(4, eps=1e-3), nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            a = torch.tanh(self.norm1(self.one(self.norm0(x)))) * torch.tensor(mask) / (1 - p)
            return self.three(self.norm22(self.norm2(self.two(a))) + a)

    torch.manual_seed(66)
    torch.set_num_threads(1)
    net = Net().double()
    full = [
        {"linear": {"out": m.out_features, "weight": m.weight.detach().numpy().tolist(), "bias": m.bias.tolist()}}
        for m in (net.one, net.two, net.three)
    ]
    block = [full[1], "batch_norm", {"layer_norm": {"eps": 0.001}}]
    behind = [{"batch_norm": {"momentum": 0.3}}, "tanh", {"dropout": {"p": p, "mask": mask.tolist()}}]
    ours = {
        "inputs": x.tolist(),
        "targets": t.tolist(),
        "layers": ["layer_norm", full[0], *behind, {"residual": block}, full[2]],
        "loss": "mse",
        "optimizer": {"sgd": {"lr": lr}},
        "regularization": {"l1": 0.01, "l2": {"lambda": 0.1, "half": True, "bias": True}},
        "steps": 3,
    }
    values = {node.id: value for node, value in build(load(ours)).numbers().items() if node.id}
    places = {"norm0": "0", "one": "1", "norm1": "1", "two": "2", "norm2": "2", "norm22": "2.2", "three": "3"}
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for at in ("", "@2", "@3"):
        optimizer.zero_grad()
        linears = (net.one, net.two, net.three)
        penalty = 0.01 * sum(m.weight.abs().sum() for m in linears)
        penalty = penalty + 0.05 * sum((m.weight**2).sum() + (m.bias**2).sum() for m in linears)
        loss = nn.functional.mse_loss(net(torch.tensor(x)), torch.tensor(t)) + penalty
        loss.backward()
        close(values[f"L{at}"].item(), loss.item())
        for name, parameter in net.named_parameters():
            module, kind = name.split(".")
            id = ({"weight": "W", "bias": "b"} if "norm" not in module else {"weight": "gamma", "bias": "beta"})[kind]
            want = parameter.grad.numpy()
            close(values[f"dL/d{id}{places[module]}{at}"].reshape(want.shape), want, what=name + at, terms=1)
        optimizer.step()
        for module in ("norm1", "norm2"):
            for kind in ("running_mean", "running_var"):
                want = getattr(getattr(net, module), kind).numpy()
                close(values[f"{kind}{places[module]}+{at}"][0], want, what=module + at)


def test_the_penalty_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    source = next(code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "def log_square" in code)
    for own in ("_entries", "_aliases"):
        monkeypatch.setattr(penalties, own, dict(getattr(penalties, own)))
    exec(source, vars(importlib.import_module("derive.penalties")).copy())
    net = {**SINGLE, "layers": [linear([[0.5, -2]], [0.5])], "loss": "mse", "optimizer": SGD}
    alone = well_solved({**net, "regularization": {"log_square": 0.1}})
    close(alone["penalty"], 0.1 * (math.log(1.25) + math.log(5)))
    assert "λ_{log}" not in str(alone.print("text"))
    beside = well_solved({**net, "regularization": {"log_square": 0.1, "l1": 0.2}})
    close(beside["penalty"], 0.1 * (math.log(1.25) + math.log(5)) + 0.2 * 2.5)
    assert "λ_{log}" in str(beside.print("text"))
