"""Random networks: every quantity as tests/reference/mlp.py computes it the long way; all witnesses agree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from reference.mlp import ACTIVATIONS, ELEMENTWISE
from reference.mlp import solve as by_hand

from derive.errors import InputError
from derive.losses import losses
from derive.ops.activations import activations
from derive.solution import solve

EXAMPLES = 6  # networks per loss
TOLERANCE = 1e-9
VECTOR = ("softmax", "log_softmax")
CLASSES = ("cross_entropy", "nll")
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "leaky_relu": [{}, {"negative_slope": 0.2}],
    "elu": [{}, {"alpha": 0.5}],
    "gelu": [{}, {"approximate": "tanh"}],
    "softplus": [{}, {"beta": 2, "threshold": 3}],
    "hardtanh": [{}, {"min_val": -2, "max_val": 0.5}],
}


def decimal(random: np.random.Generator, *shape: int) -> Any:
    """Numbers as one types them, with four decimals: ties at kinks are as good as excluded."""
    return np.round(random.normal(size=shape), 4).tolist()


def shares(random: np.random.Generator, samples: int, units: int) -> Any:
    """Rows of probabilities that sum to one as they are written."""
    cuts = np.sort(random.integers(0, 101, (samples, units - 1)), axis=1)
    return (np.diff(np.c_[np.zeros(samples, int), cuts, np.full(samples, 100)], axis=1) / 100).tolist()


def targets_for(
    loss: str, options: dict[str, Any], random: np.random.Generator, samples: int, units: int, pick: Any
) -> Any:
    if loss in CLASSES:
        if units > 1 and pick(st.booleans()):
            return shares(random, samples, units)
        classes = random.integers(0, units, samples).tolist()
        if "ignore_index" in options and "label_smoothing" not in options:
            classes[1:] = [options["ignore_index"] if random.random() < 0.5 else c for c in classes[1:]]
        return classes
    if loss == "hinge_embedding":
        return random.choice([-1, 1], (samples, units)).tolist()
    if loss in ("bce", "bce_with_logits"):
        return (random.integers(0, 5, (samples, units)) / 4).tolist()
    if loss == "kl_div":
        rows = shares(random, samples, units)
        return decimal(random, samples, units) if options.get("log_target") else rows
    return decimal(random, samples, units)


def options_for(loss: str, random: np.random.Generator, units: int, pick: Any) -> dict[str, Any]:
    def weights() -> list[float]:
        return (random.integers(1, 8, units) / 4).tolist()

    options: dict[str, Any] = {}
    reductions = ["mean", "sum", "batchmean"] if loss == "kl_div" else ["mean", "sum"]
    if pick(st.booleans()):
        options["reduction"] = pick(st.sampled_from(reductions))
    if loss in (*CLASSES, "bce", "bce_with_logits") and pick(st.booleans()):
        options["weight"] = weights()
    if loss == "bce_with_logits" and pick(st.booleans()):
        options["pos_weight"] = weights()
    if loss == "cross_entropy" and pick(st.booleans()):
        options["label_smoothing"] = pick(st.sampled_from([0.1, 0.25]))
    if loss in CLASSES and pick(st.booleans()):
        options["ignore_index"] = -1
    if loss == "kl_div" and pick(st.booleans()):
        options["log_target"] = True
    for name, of in (("delta", "huber"), ("beta", "smooth_l1"), ("margin", "hinge_embedding")):
        if loss == of and pick(st.booleans()):
            options[name] = pick(st.sampled_from([0.5, 2, 3]))
    return options


@st.composite
def networks(draw: Any, loss: str) -> dict[str, Any]:
    """A net.yaml with every number given."""

    def activation(names: list[str]) -> Any:
        name = draw(st.sampled_from(names))
        options = draw(st.sampled_from(OPTIONS.get(name, [{}])))
        return {name: options} if options else name

    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    single = draw(st.booleans())
    samples = 1 if single else draw(st.integers(1, 4))
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    layers: list[Any] = [activation(list(activations))] if draw(st.integers(0, 7)) == 0 else []
    parameters = []
    for k, (before, after) in enumerate(pairwise(widths), 1):
        kind = draw(st.sampled_from(["list", "list", "shared", "none"]))
        bias = {"list": decimal(random, after), "shared": decimal(random, 1)[0], "none": False}[kind]
        layers.append({"linear": {"out": after, "weight": decimal(random, after, before), "bias": bias}})
        parameters += [f"W{k}"] + ([f"b{k}"] if kind != "none" else [])
        if k == len(widths) - 1 and loss == "bce":
            layers.append(draw(st.sampled_from(["sigmoid", "softmax"] if after > 1 else ["sigmoid"])))
        elif draw(st.integers(0, 5)):
            layers += [activation(list(activations)) for _ in range(1 + (draw(st.integers(0, 9)) == 0))]
    units = widths[-1]
    options = options_for(loss, random, units, draw)
    inputs, targets = decimal(random, samples, widths[0]), targets_for(loss, options, random, samples, units, draw)
    if single:
        inputs, targets = inputs[0], targets[0] if isinstance(targets[0], list) else targets
    net = {"inputs": inputs, "targets": targets, "layers": layers, "loss": {loss: options} if options else loss}
    if draw(st.integers(0, 4)):
        net["optimizer"] = {"sgd": {"lr": draw(st.sampled_from([0.01] if loss == "bce" else [0.01, 0.1, 0.5]))}}
        net["frozen"] = draw(st.lists(st.sampled_from(parameters), max_size=2, unique=True))
    return net


def absent(id: str, net: dict[str, Any], reference: dict[str, Any]) -> bool:
    """Whether derive has a reason not to file what the reference computes."""
    kinds = [layer if isinstance(layer, str) else next(iter(layer)) for layer in net["layers"]]
    loss = net["loss"] if isinstance(net["loss"], str) else next(iter(net["loss"]))
    last = [name for name in reference if name[0] in "az" and name[-1] != "+"][-1]
    if id.startswith(("dL/dx", "dL/da0", "da0")):
        return True  # before the first parameter no gradient is wanted
    if (kinds[-1], loss) in (("softmax", "cross_entropy"), ("sigmoid", "bce")) and id == f"dL/d{last}":
        return True  # fused
    if id in ("l", "l+") and np.size(reference["l"]) == 1:
        return True  # it is L itself
    return id.endswith("+") and np.array_equal(reference[id], reference[id[:-1]])  # nothing before it was updated


@pytest.mark.parametrize("loss", list(losses))
def test_every_quantity_equals_the_reference(loss: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks(loss))
    def check(net: dict[str, Any]) -> None:
        compare(net)

    check()


def compare(net: dict[str, Any]) -> None:
    reference, solution = by_hand(net), solve(net)
    assert solution.document.witnesses and all(w.ok for w in solution.document.witnesses)
    ours = solution.document.quantities
    frozen = {f"{id}+" for id in net.get("frozen", [])}
    assert not frozen & set(ours)
    for id, value in reference.items():
        if id not in ours:
            assert id in frozen or absent(id, net, reference), f"{id} is missing"
            continue
        got, want = solution[id], np.asarray(value, float)
        if id in ("l", "l+"):  # the losses of a single output are a column here, a list there
            got, want = got.ravel(), want.ravel()
        assert got.shape == want.shape, id
        np.testing.assert_allclose(
            got, want, rtol=TOLERANCE, atol=TOLERANCE * max(1e-3, np.max(np.abs(want), initial=0)), err_msg=id
        )
    scores = [name for name in reference if name[0] in "xaz" and name[-1] != "+"][-1]
    if "p" in ours:  # the probabilities that the loss makes of scores
        p, slope = ACTIVATIONS["softmax" if "cross_entropy" in str(net["loss"]) else "sigmoid"](
            np.atleast_2d(reference[scores])
        )
        np.testing.assert_allclose(np.atleast_2d(solution["p"]), p, rtol=TOLERANCE)
        if f"dp/d{scores}" in ours:
            np.testing.assert_allclose(
                solution[f"dp/d{scores}"], slope.reshape(solution[f"dp/d{scores}"].shape), rtol=TOLERANCE, atol=1e-12
            )
    extra = {id for id in ours if id not in reference} - {"lr", "weight", "pos_weight", "p", "p+", "u", f"dp/d{scores}"}
    assert not extra, f"not in the reference: {extra}"


def test_every_activation_and_loss_is_in_the_reference() -> None:
    assert set(activations) == set(ACTIVATIONS)
    assert set(losses) == {*ELEMENTWISE, *CLASSES}


@pytest.mark.parametrize("loss", list(losses))
@pytest.mark.parametrize("activation", list(activations))
def test_every_output_activation_under_every_loss(activation: str, loss: str) -> None:
    """A 2-3-2 network; bce of outputs that are no probabilities is left out."""
    if loss == "bce" and activation not in ("sigmoid", "softmax"):
        return
    random = np.random.default_rng(len(activation) * 100 + len(loss))
    layers = [
        {"linear": {"out": 3, "weight": decimal(random, 3, 2), "bias": decimal(random, 3)}},
        activation,
        {"linear": {"out": 2, "weight": decimal(random, 2, 3), "bias": decimal(random, 1)[0]}},
        activation,
    ]
    targets = targets_for(loss, {}, random, 1, 2, lambda _: True)[0]
    net = {
        "inputs": decimal(random, 2),
        "targets": targets,
        "layers": layers,
        "loss": loss,
        "optimizer": {"sgd": {"lr": 0.1}},
    }
    if loss == "bce" and activation == "sigmoid":
        net["layers"][1] = "tanh"
    compare(net)


IDENTITY = [{"linear": {"out": 3, "weight": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "bias": [0, 0, 0]}}]
SCORES = {
    "inputs": [[2, -1, 0.5], [0.3, 0.1, -2.2], [-1.5, 4, 1]],
    "layers": IDENTITY,
    "optimizer": {"sgd": {"lr": 0.1}},
}
WEIGHT = [0.25, 1.5, 3]


@pytest.mark.parametrize(
    "targets,loss",
    [
        ([0, -100, 1], "cross_entropy"),
        ([0, -100, 1], {"cross_entropy": {"weight": WEIGHT}}),
        ([0, 7, 1], {"cross_entropy": {"weight": WEIGHT, "ignore_index": 7}}),
        ([0, 2, 1], {"cross_entropy": {"ignore_index": 2, "reduction": "sum"}}),
        ([0, 2, 1], {"cross_entropy": {"label_smoothing": 1}}),
        ([[1, 0, 0], [0.5, 0.25, 0.25], [0, 0, 1]], {"cross_entropy": {"weight": WEIGHT, "label_smoothing": 0.1}}),
        ([[0.2, 0.2, 0.2], [0.5, 0.25, 0.25], [1, 1, 0]], "cross_entropy"),
        ([[0.2, 0.2, 0.2], [0.5, 0.25, 0.25], [1, 1, 0]], {"cross_entropy": {"label_smoothing": 0.1}}),
        ([0, -100, 1], {"nll": {"weight": WEIGHT}}),
        ([[0.5, 0.25, 0.25], [0, 0, 0], [1, 1, 0]], "nll"),
        ([[0, 1, 1], [0.5, 0, 1], [1, 1, 0]], {"bce_with_logits": {"weight": WEIGHT}}),
        ([[0, 1, 1], [0.5, 0, 1], [1, 1, 0]], {"bce_with_logits": {"pos_weight": WEIGHT}}),
        (
            [[0, 1, 1], [0.5, 0, 1], [1, 1, 0]],
            {"bce_with_logits": {"weight": WEIGHT, "pos_weight": [2, 1, 0.5], "reduction": "sum"}},
        ),
        ([[0, 0.25, 0.75], [0.5, 0, 0.5], [1, 0, 0]], {"kl_div": {"reduction": "batchmean"}}),
    ],
    ids=str,
)
@pytest.mark.parametrize("last", [None, "softmax", "log_softmax"])
def test_options_of_the_losses_of_classes(targets: Any, loss: Any, last: str | None) -> None:
    compare({**SCORES, "targets": targets, "loss": loss, "layers": [*IDENTITY, *([last] if last else [])]})


@pytest.mark.parametrize("ignore", [-100, 7])
def test_smoothing_with_an_ignored_sample_is_refused(ignore: int) -> None:
    """PyTorch smooths no target of an ignored sample; derive refuses, rather than doing it otherwise."""
    options = {"label_smoothing": 0.1, "ignore_index": ignore}
    with pytest.raises(InputError, match="label_smoothing"):
        solve({**SCORES, "targets": [0, ignore, 1], "loss": {"cross_entropy": options}})
    compare({**SCORES, "targets": [0, 2, 1], "loss": {"cross_entropy": options}})  # nobody is ignored


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_weighted_bce_of_probabilities(samples: int) -> None:
    layers = [
        {"linear": {"out": 3, "weight": [[0.5, -0.25], [1, 0.75], [-0.5, 0.3]], "bias": [0.1, 0.2, -0.3]}},
        "sigmoid",
    ]
    inputs, targets = [[1, 2], [-1, 0.5], [0.25, -2]], [[0, 1, 1], [0.5, 0, 1], [1, 1, 0]]
    compare(
        {
            "inputs": inputs[:samples],
            "targets": targets[:samples],
            "layers": layers,
            "loss": {"bce": {"weight": WEIGHT}},
        }
    )
    layers[-1] = "softmax"  # not fused
    compare(
        {
            "inputs": inputs[:samples],
            "targets": targets[:samples],
            "layers": layers,
            "loss": {"bce": {"weight": WEIGHT}},
        }
    )
