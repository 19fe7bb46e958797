"""Networks that nobody prepared, for the tests of what pages look like: deep, wide, large, named in any way."""

from __future__ import annotations

from functools import cache
from typing import Any

from derive.solution import Solution, solve

HOSTILE = [
    "<script>alert(1)</script>",
    r"\input{/etc/passwd}",
    "$x$",
    "{{ 7*7 }}",
    "]]>",
    "](javascript:alert(1))",
    "``code``",
    '"quote\'s"',
    "a" * 60,
    "<img src=x onerror=alert(1)>",
    r"%&#_^~\end{align*}",
    "|a|b|",
]
SGD = {"sgd": {"lr": 0.1}}


def linear(out: int, **given: Any) -> dict[str, Any]:
    return {"linear": {"out": out, **given}}


def small(name: str, **more: Any) -> dict[str, Any]:
    first = linear(2, weight=[[0.5, -0.3], [0.2, 0.4]], bias=[0.1, 0.3])
    last = linear(1, weight=[[0.7, -0.6]], bias=[0.2])
    layers = [first, "relu", last, "sigmoid"]
    return {"name": name, "inputs": [1, 2], "targets": [1], "layers": layers, "loss": "bce", "optimizer": SGD, **more}


def drawn(name: str, inputs: list[int], targets: list[Any], layers: list[Any], loss: str) -> dict[str, Any]:
    return {
        "name": name,
        "inputs": {"randn": inputs},
        "targets": targets,
        "layers": layers,
        "loss": loss,
        "optimizer": SGD,
        "seed": 3,
    }


NETS: dict[str, dict[str, Any]] = {
    "hostile": small(
        " ".join(HOSTILE),
        labels={
            "W1": [HOSTILE[:2], HOSTILE[2:4]],
            "b1": HOSTILE[4:6],
            "W2": [HOSTILE[6:8]],
            "b2": [HOSTILE[8]],
            "x": HOSTILE[9:11],
            "t": [HOSTILE[11]],
        },
    ),
    "chinese": small("一个中文网络：异或", labels={"W1": [["权重一", "权重二"], ["θ三", "四"]], "b1": ["甲", "乙"]}),
    "long": small(
        "Supercalifragilisticexpialidocious" * 6,
        labels={
            "W1": [
                ["alpha_beta_gamma_delta_epsilon", "the weight from the first input to the second unit"],
                ["w3", "θ4"],
            ],
        },
    ),
    "one": {
        "name": "One",
        "inputs": [2],
        "targets": [1],
        "layers": [linear(1, weight=[[0.5]], bias=[0.1])],
        "loss": "mse",
        "optimizer": SGD,
    },
    "deep": drawn("Deep", [2], [0.8], [*[linear(2), "tanh"] * 11, linear(1)], "mse"),
    "wide": drawn("Wide", [3], [0.2, 0.7], [linear(12), "sigmoid", linear(2), "softplus"], "mse"),
    "batch": drawn("Batch", [8, 3], [[0.1 * i, -0.7] for i in range(8)], [linear(3), "selu", linear(2)], "smooth_l1"),
    "large": drawn("Large", [32, 784], [i % 10 for i in range(32)], [linear(128), "relu", linear(10)], "cross_entropy"),
}


@cache
def solved(name: str, **wishes: Any) -> Solution:
    """An example of derive's, or one of these."""
    return solve(NETS.get(name, name), **wishes)
