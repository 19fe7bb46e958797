"""Networks at the edge of what is sensible: each is solved with every witness agreeing, or refused in one line."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from derive.errors import InputError
from derive.ops.activations import activations
from derive.ops.base import Elementwise
from derive.solution import Solution, solve

HALF = "half_squared_error"
LONGEST = 15  # seconds one of these networks may take


@pytest.fixture(autouse=True)
def no_endless_work() -> Iterator[None]:
    """A network that takes for ever fails, and the next one gets its turn."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"not solved in {LONGEST} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


SGD = {"sgd": {"lr": 0.1}}


def linear(weight: Any, bias: Any = False) -> dict[str, Any]:
    return {"linear": {"out": len(weight), "weight": weight, "bias": bias}}


def solved(net: dict[str, Any], **how: Any) -> Solution:
    """The solution, with witnesses that all agree and numbers that are numbers; worked once where tests look at it again."""
    return found(json.dumps(net), tuple(how.items()))


@lru_cache(maxsize=64)
def found(net: str, how: tuple[tuple[str, Any], ...]) -> Solution:
    solution = solve(json.loads(net), **dict(how))
    assert solution.document.witnesses
    assert all(w.ok for w in solution.document.witnesses)
    for id, quantity in solution.document.quantities.items():
        if quantity.value is not None:
            assert np.isfinite(quantity.value).all(), id
            assert np.shape(quantity.value) == quantity.shape, id
    return solution


def refused(net: dict[str, Any], **how: Any) -> str:
    with pytest.raises(InputError) as refusal:
        solve(net, **how)
    message = str(refusal.value)
    assert message and "\n" not in message
    return message


def solved_or_refused(net: dict[str, Any]) -> Solution | None:
    try:
        return solved(net)
    except InputError as error:
        message = str(error)
    assert message and "\n" not in message
    return None


def close(got: Any, want: Any) -> None:
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=1e-12, atol=1e-300)


# sizes ------------------------------------------------------------


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu", "gelu"])
def test_30_layers_of_one_unit(activation: str) -> None:
    net = {
        "inputs": [0.5],
        "targets": [1],
        "layers": [linear([[1.25]], [0.125]), activation] * 30,
        "loss": HALF,
        "optimizer": SGD,
    }
    solution = solved(net)
    a, by_hand = 0.5, [0.5]
    value = {
        "identity": lambda z: z,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": np.tanh,
        "relu": lambda z: max(z, 0),
    }
    if activation in value:
        for _ in range(30):
            a = value[activation](1.25 * a + 0.125)
            by_hand.append(float(a))
        for k in (1, 15, 30):
            close(solution[f"a{k}"], [by_hand[k]])
    product = 1.0
    for k in range(30, 0, -1):
        product *= float(solution[f"da{k}/dz{k}"][0]) * (1.25 if k < 30 else 1)
    assert solution["dL/db1"][0] == pytest.approx(product * (float(solution["a30"][0]) - 1), rel=1e-9)


def test_18_layers_in_a_row_of_three_units() -> None:
    random = np.random.default_rng(3)
    weights = [np.round(random.normal(0, 0.7, (3, 3)), 3).tolist() for _ in range(18)]
    layers = [part for W in weights for part in (linear(W, [0.1, 0, -0.1]), "tanh")]
    solution = solved({"inputs": [0.5, -1, 2], "targets": [0, 1, 0], "layers": layers, "loss": "mse", "optimizer": SGD})
    assert solution["dL/dW1"].shape == (3, 3)


def test_only_activations_many_in_a_row() -> None:
    net = {"inputs": [0.5, -1], "targets": [0, 1], "layers": ["tanh", "sigmoid", "tanh", "softplus"], "loss": "mse"}
    solution = solved(net)
    close(solution["a0.4"], np.log1p(np.exp(np.tanh(1 / (1 + np.exp(-np.tanh([0.5, -1])))))))


@pytest.mark.parametrize("k", [0, 1, 2])
def test_an_activation_before_the_first_layer(k: int) -> None:
    layers = [*["tanh", "relu"][:k], linear([[1, 2]], [0.5])]
    solution = solved({"inputs": [0.5, -1], "targets": [1], "layers": layers, "loss": HALF, "optimizer": SGD})
    x = np.array([0.5, -1])
    first = [x, np.tanh(x), np.maximum(np.tanh(x), 0)][k]
    close(solution["z1"], [first @ [1, 2] + 0.5])
    close(solution["dL/dW1"], [(solution["z1"][0] - 1) * first])


@pytest.mark.parametrize(
    "loss", ["mse", "half_squared_error", "l1", "huber", "smooth_l1", "bce", "bce_with_logits", "kl_div"]
)
def test_one_unit_and_a_batch_of_one(loss: str) -> None:
    """A list and a batch of one row have the same numbers, in other shapes; L[1] is L where there is one output."""
    net = {
        "inputs": [0.5],
        "targets": [0.25],
        "layers": [linear([[2]], [0.125]), "sigmoid"],
        "loss": loss,
        "optimizer": SGD,
    }
    single, batch = solved(net), solved({**net, "inputs": [[0.5]], "targets": [[0.25]]})
    for id in ("x", "t", "z1", "a1", "dL/dz1"):
        assert single[id].shape == (1,) and batch[id].shape == (1, 1)
        close(batch[id][0], single[id])
    for id in ("W1", "b1", "L", "dL/dW1", "dL/db1", "W1+", "b1+", "L+"):
        assert single[id].shape == batch[id].shape
        close(single[id], batch[id])
    assert single["L[1]"] == single["l[1]"] == single["L"]


@pytest.mark.parametrize("last", ["softmax", "log_softmax"])
def test_softmax_of_one_unit(last: str) -> None:
    """Always 1: nothing can be learnt."""
    layers = [linear([[2]], [0.125]), last]
    solution = solved({"inputs": [0.5], "targets": [0.25], "layers": layers, "loss": HALF, "optimizer": SGD})
    close(solution["a1"], [1 if last == "softmax" else 0])
    close(solution["dL/dW1"], [[0]])
    close(solution["W1+"], [[2]])


def test_cross_entropy_of_one_class() -> None:
    solution = solved(
        {"inputs": [0.5], "targets": [0], "layers": [linear([[2]], [1]), "softmax"], "loss": "cross_entropy"}
    )
    assert solution["L"] == 0 and solution["dL/dW1"] == 0


def test_everything_frozen() -> None:
    """Gradients, and no update; the loss after it is the loss."""
    net = {"inputs": [1, 2], "targets": [1], "layers": [linear([[1, 2]], [0.5])], "loss": HALF, "optimizer": SGD}
    solution = solved({**net, "frozen": ["W1", "b1"]})
    close(solution["dL/dW1"], [[4.5, 9]])
    assert "W1+" not in solution.document.quantities
    assert solution["L+"] == solution["L"]


@pytest.mark.parametrize("lr", [0, 1e-300, 1e6])
def test_any_learning_rate(lr: float) -> None:
    net = {
        "inputs": [1, 2],
        "targets": [1],
        "layers": [linear([[1, 2]], [0.5])],
        "loss": HALF,
        "optimizer": {"sgd": {"lr": lr}},
    }
    close(solved(net)["W1+"], [[1 - lr * 4.5, 2 - lr * 9]])


# kinks ------------------------------------------------------------


def test_dead_relus() -> None:
    layers = [linear([[-1, -1], [-2, -1]], [-1, -1]), "relu", linear([[1, 1]], [0.5])]
    solution = solved(
        {"inputs": [[1, 2], [3, 4]], "targets": [[1], [1]], "layers": layers, "loss": HALF, "optimizer": SGD}
    )
    close(solution["a1"], np.zeros((2, 2)))
    close(solution["dL/dW1"], np.zeros((2, 2)))
    close(solution["W1+"], solution["W1"])
    close(solution["dL/db2"], [-1])


SLOPE_AT_0 = {
    "relu": 0,
    "leaky_relu": 0.01,
    "elu": 1,
    "selu": 1.0507009873554805 * 1.6732632423543772,
    "hardtanh": 1,
    "softplus": 0.5,
}


@pytest.mark.parametrize("activation", SLOPE_AT_0)
def test_exactly_at_the_kink(activation: str) -> None:
    layers = [linear([[1, -1], [1, 1]], [0, -2]), activation]
    solution = solved({"inputs": [1, 1], "targets": [3, 5], "layers": layers, "loss": HALF, "optimizer": SGD})
    close(solution["z1"], [0, 0])
    close(solution["da1/dz1"], [SLOPE_AT_0[activation]] * 2)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
def test_at_the_kink_in_decimals_but_not_in_binary(activation: str) -> None:
    """0.1·3 − 0.3 is 0 on paper and 5.6e−17 in float64; the solution on paper is the one that is printed."""
    layers = [linear([[3, -1]], [0]), activation, linear([[2]], [0])]
    solution = solved({"inputs": [0.1, 0.3], "targets": [1], "layers": layers, "loss": HALF, "optimizer": SGD})
    assert abs(solution["z1"][0]) < 1e-15
    close(solution["da1/dz1"], [SLOPE_AT_0[activation]])


@pytest.mark.parametrize("z,slope", [(-1, 0), (1, 0), (0.999, 1)])
def test_hardtanh_at_its_ends(z: float, slope: float) -> None:
    net = {"inputs": [1], "targets": [3], "layers": [linear([[z]], [0]), "hardtanh"], "loss": HALF, "optimizer": SGD}
    close(solved(net)["da1/dz1"], [slope])


@pytest.mark.parametrize("loss,slope", [("l1", 0), ("huber", 0), ("smooth_l1", 0), ("mse", 0)])
def test_a_loss_that_is_already_0(loss: str, slope: float) -> None:
    solution = solved(
        {"inputs": [2], "targets": [2.5], "layers": [linear([[1]], [0.5])], "loss": loss, "optimizer": SGD}
    )
    assert solution["L"] == 0
    close(solution["dL/dz1"], [slope])


@pytest.mark.parametrize(
    "loss,slope",
    [({"huber": {"delta": 0.5}}, 0.5), ({"smooth_l1": {"beta": 0.5}}, 1), ({"hinge_embedding": {"margin": 2.5}}, 1)],
)
def test_exactly_where_a_loss_changes(loss: Any, slope: float) -> None:
    """Output − target is δ (β); of the hinge, margin = output where t = −1."""
    hinge = "hinge_embedding" in loss
    solution = solved(
        {
            "inputs": [2],
            "targets": [-1 if hinge else 2],
            "layers": [linear([[1]], [0.5])],
            "loss": loss,
            "optimizer": SGD,
        }
    )
    close(solution["dL/dz1"], [-1 if hinge else slope])


# saturation ------------------------------------------------------------


@pytest.mark.parametrize("size", [40, 120, 800, 1e4])
@pytest.mark.parametrize("activation", list(activations))
def test_saturated(activation: str, size: float) -> None:
    layers = [linear([[1, 0], [0, 1]], [0, 0]), activation]
    solution = solved(
        {
            "inputs": [size, -size],
            "targets": [0.5, 0.25],
            "layers": layers,
            "loss": HALF,
            "optimizer": {"sgd": {"lr": 1e-9}},
        }
    )
    limits = {
        "sigmoid": [1, 0],
        "tanh": [1, -1],
        "relu": [size, 0],
        "softmax": [1, 0],
        "silu": [size, 0],
        "gelu": [size, 0],
        "softplus": [size, 0],
        "elu": [size, -1],
        "hardtanh": [1, -1],
        "log_softmax": [0, -2 * size],
    }
    if activation in limits:
        np.testing.assert_allclose(solution["a1"], limits[activation], rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("size", [20, 40, 120, 800, 1e4])
@pytest.mark.parametrize(
    "last,loss,targets",
    [
        ("sigmoid", "bce", [0, 1]),
        ("sigmoid", "bce", [1, 0]),
        ("sigmoid", "bce", [0.5, 0.25]),
        (None, "bce_with_logits", [0, 1]),
        (None, "bce_with_logits", [1, 0]),
        ("softmax", "cross_entropy", [0, 1]),
        ("softmax", "cross_entropy", [1, 0]),
        ("softmax", "cross_entropy", [0.5, 0.5]),
        (None, "cross_entropy", [0, 1]),
        ("log_softmax", "nll", [0, 1]),
    ],
)
def test_sure_and_wrong(last: str | None, loss: str, targets: list[float], size: float) -> None:
    """Scores ±size: the loss is finite, computed from the scores."""
    layers = [linear([[1, 0], [0, 1]], [0, 0]), *([last] if last else [])]
    solution = solved({"inputs": [size, -size], "targets": targets, "layers": layers, "loss": loss, "optimizer": SGD})
    s, t = np.array([size, -size]), np.array(targets)
    if "bce" in loss:
        want = np.mean(np.logaddexp(0, s) - t * s)
    else:
        want = np.sum(t * (np.logaddexp(*s) - s))
    assert solution["L"] == pytest.approx(want, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("inputs,targets", [([0, 0.5], [1, 0]), ([0.5, 1], [1, 0])])
@pytest.mark.parametrize("loss", ["bce"])
def test_a_probability_of_0_for_what_happened(inputs: Any, targets: Any, loss: str) -> None:
    assert "bce_with_logits" in refused({"inputs": inputs, "targets": targets, "layers": [], "loss": loss})


def test_softmax_output_under_bce_that_underflows() -> None:
    """p = 0 in float64, not on paper: refused or right, but not a crash."""
    layers = [linear([[1], [-1]], [0, 0]), "softmax"]
    solved_or_refused({"inputs": [500], "targets": [0, 1], "layers": layers, "loss": "bce"})


# zeros, huge and tiny numbers ------------------------------------------------------------


@pytest.mark.parametrize("activation", list(activations))
@pytest.mark.parametrize(
    "loss", ["mse", HALF, "l1", "huber", "smooth_l1", "bce_with_logits", "cross_entropy", "kl_div"]
)
def test_zeros_everywhere(activation: str, loss: str) -> None:
    layers = [linear([[0, 0], [0, 0]], [0, 0]), activation, linear([[0, 0], [0, 0]], 0)]
    solution = solved({"inputs": [0, 0], "targets": [0, 0], "layers": layers, "loss": loss, "optimizer": SGD})
    close(solution["dL/dW1"], np.zeros((2, 2)))


def test_zeros_in_a_batch_with_softmax() -> None:
    """The gradients of the biases cancel exactly on paper, and to rounding in float64."""
    layers = [linear([[0, 0], [0, 0], [0, 0]], [0, 0, 0]), "softmax"]
    inputs = [[0.5, -1.2], [-0.3, 1.1], [0.8, -0.6]]
    solution = solved(
        {"inputs": inputs, "targets": [0, 1, 2], "layers": layers, "loss": "cross_entropy", "optimizer": SGD}
    )
    np.testing.assert_allclose(solution["dL/db1"], 0, atol=1e-16)


def test_one_bias_for_all_scores_has_no_gradient() -> None:
    """Softmax does not see what is added to all scores: Σ(p − t) is 0 on paper, and 1e−17 in float64."""
    layers = [linear([[0.3, 0.4], [-0.1, 0.2], [0.7, 0.1]], 0.1), "softmax"]
    solution = solved(
        {"inputs": [0.426, 0.5], "targets": [1], "layers": layers, "loss": "cross_entropy", "optimizer": SGD}
    )
    assert abs(solution["dL/db1"]) < 1e-15


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-30, 1e30, 1e100, 1e150])
@pytest.mark.parametrize(
    "activation", ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "softmax"]
)
def test_huge_and_tiny_inputs(activation: str, size: float) -> None:
    layers = [linear([[1, 0.5], [-0.5, 1]], [0, 0]), activation]
    solved_or_refused(
        {"inputs": [size, -size], "targets": [1, 0], "layers": layers, "loss": HALF, "optimizer": {"sgd": {"lr": 1e-3}}}
    )


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1e12, 1e100])
def test_huge_and_tiny_weights(size: float) -> None:
    layers = [linear([[size, -size], [size, size]], [size, 0]), "tanh", linear([[1, 1]], [0])]
    solved_or_refused({"inputs": [1, 2], "targets": [1], "layers": layers, "loss": "mse", "optimizer": SGD})


def test_huge_and_tiny_together() -> None:
    layers = [linear([[1e200, 0], [0, 1e-200]], [0, 0]), linear([[1e-200, 1e200]], [0])]
    solution = solved({"inputs": [1, 1], "targets": [1], "layers": layers, "loss": HALF})
    close(solution["z2"], [2])
    close(solution["dL/dz2"], [1])


@pytest.mark.parametrize("numbers", [{"inputs": [1e200, 1]}, {"inputs": [1e308, 1e308]}, {"targets": [1e300]}])
def test_what_overflows_is_refused(numbers: dict[str, Any]) -> None:
    net = {"inputs": [1, 1], "targets": [1], "layers": [linear([[2, 3]], [0])], "loss": HALF, "optimizer": SGD}
    assert "too large" in refused({**net, **numbers})


def test_numbers_beyond_float64_are_refused(tmp_path: Any) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        "inputs: [1e400, 1]\ntargets: [1]\nlayers: [{linear: {out: 1, weight: [[1, 2]]}}]\nloss: mse\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as refusal:
        solve(file)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "digits",
    [
        {"significant": 1},
        {"significant": 30},
        {"decimals": 0},
        {"decimals": 12},
        {"round_as_you_go": True, "decimals": 4},
        {"exact": True},
    ],
    ids=str,
)
def test_any_rounding(digits: dict[str, Any]) -> None:
    layers = [linear([[0.15, 0.2], [0.25, 0.3]], 0.35), "sigmoid", linear([[0.4, 0.45], [0.5, 0.55]], 0.6), "sigmoid"]
    net = {
        "inputs": [0.05, 0.1],
        "targets": [0.01, 0.99],
        "layers": layers,
        "loss": HALF,
        "optimizer": {"sgd": {"lr": 0.5}},
    }
    solution = solved(net, **digits)
    assert solution["L"] == pytest.approx(0.298371109, abs=2e-4 if "round_as_you_go" in digits else 1e-9)


# labels ------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [
        ["权重一", "权重二"],
        ["w₁", "w′"],
        ["<b>&amp;", '"quoted"'],
        ["a\\frac{1}{2}$x$", "%#_^~{}"],
        ["W2", "dL"],
        ["+", "w+"],
        ["[1,2]", "W1[1,1]x"],
        ["a b c", "`*_markdown_*`"],
        ["1", "2.5"],
        ["🙂", "é"],
        ["L", "x"],
        ["x" * 500, "y"],
        ["{0}", "%s"],
        ["α", "∂L/∂w"],
    ],
    ids=lambda labels: ascii(labels[0][:12]),
)
def test_odd_labels(labels: list[str]) -> None:
    """They name their entry, unless they are refused; ids keep their meaning."""
    net = {"inputs": [1, 2], "targets": [1], "layers": [linear([[3, 4]], [0.5])], "loss": HALF, "optimizer": SGD}
    solution = solved_or_refused({**net, "labels": {"W1": [labels], "b1": ["偏置"]}})
    if solution is None:
        return
    assert solution["x"].shape == (2,) and solution["L"] == 55.125
    for label, value in zip(labels, [3, 4], strict=True):
        if label not in solution.document.quantities:
            assert solution[label] == value
    assert solution["偏置"] == 0.5


@pytest.mark.parametrize(
    "labels",
    [
        ["w", "w"],
        ["", "w"],
        ["a\nb", "w"],
        ["a\u202eb", "w"],
        ["a\u200bb", "w"],
        ["x" * 501, "w"],
        ["w"],
        ["a", "b", "c"],
    ],
    ids=lambda labels: ascii(labels[0][:12]),
)
def test_refused_labels(labels: list[str]) -> None:
    refused(
        {
            "inputs": [1, 2],
            "targets": [1],
            "layers": [linear([[3, 4]], [0.5])],
            "loss": HALF,
            "labels": {"W1": [labels]},
        }
    )


@pytest.mark.parametrize(
    "labels", [{"W9": [["a"]]}, {"W1": {"a": "b"}}, {"W1": None}, {"W1": [[None, "a"]]}, ["w"]], ids=str
)
def test_labels_of_nothing(labels: Any) -> None:
    refused({"inputs": [1, 2], "targets": [1], "layers": [linear([[3, 4]], [0.5])], "loss": HALF, "labels": labels})


@pytest.mark.parametrize("name", ["一个网络", "<script>alert(1)</script>", "\\end{document}", "x" * 500, "  ", "#*_`|"])
def test_odd_titles(name: str) -> None:
    net = {"name": name, "inputs": [1, 2], "targets": [1], "layers": [linear([[3, 4]], [0.5])], "loss": HALF}
    solved_or_refused(net)


# numbers missing ------------------------------------------------------------

SYMBOLIC: dict[str, dict[str, Any]] = {
    "nothing given": {
        "inputs": 2,
        "layers": [{"linear": {"out": 2}}, "sigmoid", {"linear": {"out": 1}}],
        "loss": HALF,
        "optimizer": SGD,
    },
    "in and out": {"layers": [{"linear": {"in": 2, "out": 2}}, "relu"], "loss": "mse", "optimizer": SGD},
    "no bias": {"inputs": 2, "layers": [{"linear": {"out": 2, "bias": False}}, "tanh"], "loss": HALF},
    "shared bias": {"inputs": 2, "layers": [{"linear": {"out": 2, "bias": "shared"}}, "tanh"], "loss": HALF},
    "weights missing": {
        "inputs": [1, 2],
        "targets": [1],
        "layers": [{"linear": {"out": 1}}, "sigmoid"],
        "loss": HALF,
        "optimizer": SGD,
    },
    "bias missing": {
        "inputs": [1, 2],
        "targets": [1],
        "layers": [{"linear": {"out": 1, "weight": [[1, 2]]}}],
        "loss": HALF,
    },
    "targets missing": {"inputs": [1, 2], "layers": [linear([[1, 2]], [1])], "loss": HALF, "optimizer": SGD},
    "inputs missing": {"targets": [1], "layers": [linear([[1, 2]], [1])], "loss": HALF, "optimizer": SGD},
    "a batch": {
        "inputs": {"size": [3, 2]},
        "layers": [{"linear": {"out": 2}}, "softmax"],
        "loss": "cross_entropy",
        "optimizer": SGD,
    },
    "no layers": {"inputs": 2, "layers": [], "loss": HALF},
    "an activation": {"inputs": 2, "layers": ["sigmoid"], "loss": "mse"},
    "classes": {"inputs": 2, "layers": [{"linear": {"out": 3}}, "softmax"], "loss": "cross_entropy", "targets": [1]},
    "bce": {"inputs": 2, "layers": [{"linear": {"out": 3}}, "sigmoid"], "loss": "bce", "optimizer": SGD},
    "options": {
        "inputs": 2,
        "layers": [{"linear": {"out": 2}}],
        "loss": {"cross_entropy": {"label_smoothing": 0.1, "weight": [1, 2]}},
    },
    "deep": {"inputs": 2, "layers": [{"linear": {"out": 2}}, "gelu"] * 10, "loss": "huber", "optimizer": SGD},
}


@pytest.mark.parametrize("form", ["scalar", "matrix", "both"])
@pytest.mark.parametrize("name", SYMBOLIC)
def test_symbolic(name: str, form: str) -> None:
    """Everything numeric may be left out: the solution is in symbols, and every quantity is there without a number."""
    solution = solved(SYMBOLIC[name], form=form)
    ids = solution.document.quantities
    assert "L" in ids and ids["L"].value is None
    assert any(id.startswith("dL/d") for id in ids)
    with pytest.raises(KeyError, match="symbolic"):
        solution["L"]
    assert any(section.blocks for section in solution.document.sections)


def test_a_symbolic_network_without_a_size_is_refused() -> None:
    assert "inputs" in refused({"layers": [{"linear": {"out": 2}}], "loss": HALF})


def test_a_symbolic_forward_pass() -> None:
    solution = solve({"inputs": 2, "layers": [{"linear": {"out": 2}}, "sigmoid"]}, backward=False)
    assert set(solution.document.quantities) == {"x", "W1", "b1", "z1", "a1"}


@pytest.mark.parametrize("activation", [name for name in activations if isinstance(activations[name](), Elementwise)])
def test_every_symbolic_activation(activation: str) -> None:
    solved({"inputs": 2, "layers": [{"linear": {"out": 2}}, activation], "loss": HALF, "optimizer": SGD})


# what is not a network ------------------------------------------------------------

GOOD: dict[str, Any] = {
    "inputs": [1, 2],
    "targets": [1],
    "layers": [linear([[3, 4]], [0.5])],
    "loss": HALF,
    "optimizer": SGD,
}


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": []},
        {"inputs": [[]]},
        {"inputs": [[1, 2], [3]]},
        {"inputs": "two"},
        {"inputs": [1, 2, 3]},
        {"inputs": 0},
        {"inputs": [None, 1]},
        {"inputs": [True, 1]},
        {"inputs": [[[1, 2]]]},
        {"targets": [1, 2]},
        {"targets": []},
        {"targets": "one"},
        {"targets": [[1], [2]]},
        {"targets": {"a": 1}},
        {"layers": None},
        {"layers": "sigmoid"},
        {"layers": [None]},
        {"layers": [{}]},
        {"layers": ["sigmoyd"]},
        {"layers": [{"linear": {}}]},
        {"layers": [{"linear": {"out": 0}}]},
        {"layers": [{"linear": {"out": 1.5}}]},
        {"layers": [{"linear": None}]},
        {"layers": [{"linear": {"out": 2, "weight": [[1, 2]]}}]},
        {"layers": [{"linear": {"out": 1, "weight": [[1, 2, 3]]}}]},
        {"layers": [{"linear": {"out": 1, "weight": []}}]},
        {"layers": [{"linear": {"out": 1, "weight": [[1, 2]], "bias": [1, 2]}}]},
        {"layers": [{"linear": {"out": 1, "weight": [[1, 2]], "bias": []}}]},
        {"loss": None},
        {"loss": "mze"},
        {"loss": []},
        {"loss": {"mse": {"reduction": "max"}}},
        {"loss": {"huber": {"delta": 0}}},
        {"loss": {"huber": {"delta": -1}}},
        {"loss": {"cross_entropy": {"weight": [1, 2]}}},
        {"loss": {"cross_entropy": {"label_smoothing": 2}}},
        {"optimizer": "sdg"},
        {"optimizer": {"sgd": {"lr": -1}}},
        {"optimizer": {"sgd": {"lr": "fast"}}},
        {"frozen": ["W7"]},
        {"frozen": "W1"},
        {"frozen": [["W1"]]},
        {"steps": 0},
        {"steps": "many"},
        {"seed": -1},
        {"numbers": {"significant": 0}},
        {"numbers": {"significant": "all"}},
        {"notation": "unheard-of"},
        {"unknown": 1},
        {"layers": [{"linear": {"out": 10**9}}]},
        {"inputs": {"randn": [10**9, 10**9]}},
        {"layers": ["relu"] * 1000},
        {"loss": "cross_entropy", "targets": [1]},
        {"loss": "cross_entropy", "targets": [-1]},
        {"loss": "cross_entropy", "targets": [0.5]},
        {"loss": "hinge_embedding", "targets": [0]},
        {"loss": "bce_with_logits", "targets": [2]},
        {"loss": "nll", "targets": ["a"]},
        {"layers": [{"linear": {"out": 1}}], "parameters": "../weights.npz"},
        {"layers": [{"linear": {"out": 1}}], "parameters": "missing.npz"},
        {"layers": [{"softplus": {"beta": 0}}], "targets": [1, 1]},
        {"layers": [{"leaky_relu": {"slope": 0}}]},
        {"layers": [{"hardtanh": {"min_val": 2}}], "targets": [1, 1]},
        {"layers": [{"linear": {"out": 1, "init": "normal"}, "relu": {}}]},
        {"layers": [{"linear": {"out": 1, "init": {"normal": {"std": -1}}}}], "seed": 1},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_nonsense_is_refused_in_one_line(change: dict[str, Any]) -> None:
    refused({**GOOD, **change})


def test_the_network_that_nonsense_is_made_of_is_good() -> None:
    assert solved(GOOD)["L"] == 55.125


@pytest.mark.xdist_group("forms")  # one process solves what these tests share
@pytest.mark.parametrize("form", ["scalar", "matrix", "both"])
@pytest.mark.parametrize("loss", ["mse", HALF, "l1", "bce", "cross_entropy"])
@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("samples", [0, 1, 3])
def test_every_form(form: str, loss: str, units: int, samples: int) -> None:
    """One sample (0), a batch of one and of three; one output and two: the same numbers in every form."""
    random = np.random.default_rng(units)
    inputs, targets = random.normal(size=(max(samples, 1), 2)).round(2), np.eye(2)[[0, 1, 0]][: max(samples, 1), :units]
    layers = [
        linear([[0.5, -0.25]] * 2, 0.25),
        "tanh",
        linear([[1, 0.5], [0.25, -1]][:units], [0.5, -0.5][:units]),
        "sigmoid",
    ]
    x, t = (inputs.tolist(), targets.tolist()) if samples else (inputs[0].tolist(), targets[0].tolist())
    net = {"inputs": x, "targets": t, "layers": layers, "loss": loss, "optimizer": SGD}
    if loss == "cross_entropy" and units == 1:
        net["targets"] = [0] * max(samples, 1)
    solution, other = solved(net, form=form), solved(net, form="scalar")
    for id in ("L", "dL/dW1", "dL/db1", "W2+", "L+"):
        close(solution[id], other[id])
