"""What training is measured against: the same steps written by hand, by a tape of scalars, and in PyTorch.

The network of the scalar programs is Mazur's, 2-2-2 with sigmoids, its biases fixed; every loop computes the loss of
every step, as one does who wants to see it fall.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
WEIGHTS = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)
SIZES, SAMPLES, LR = (64, 64, 10), 32, 0.1


def by_hand(steps: int) -> float:
    """Mazur's network in plain Python: floats in local variables."""
    exp = math.exp
    w1, w2, w3, w4, w5, w6, w7, w8 = WEIGHTS
    x1, x2, t1, t2, b1, b2, lr = 0.05, 0.10, 0.01, 0.99, 0.35, 0.60, 0.5
    loss = 0.0
    for _ in range(steps):
        h1 = 1.0 / (1.0 + exp(-(w1 * x1 + w2 * x2 + b1)))
        h2 = 1.0 / (1.0 + exp(-(w3 * x1 + w4 * x2 + b1)))
        o1 = 1.0 / (1.0 + exp(-(w5 * h1 + w6 * h2 + b2)))
        o2 = 1.0 / (1.0 + exp(-(w7 * h1 + w8 * h2 + b2)))
        e1 = o1 - t1
        e2 = o2 - t2
        loss = 0.5 * e1 * e1 + 0.5 * e2 * e2
        d1 = e1 * o1 * (1.0 - o1)
        d2 = e2 * o2 * (1.0 - o2)
        g1 = (d1 * w5 + d2 * w7) * h1 * (1.0 - h1)
        g2 = (d1 * w6 + d2 * w8) * h2 * (1.0 - h2)
        w5 -= lr * d1 * h1
        w6 -= lr * d1 * h2
        w7 -= lr * d2 * h1
        w8 -= lr * d2 * h2
        w1 -= lr * g1 * x1
        w2 -= lr * g1 * x2
        w3 -= lr * g2 * x1
        w4 -= lr * g2 * x2
    return loss


class Scalar:
    """A float that remembers how it was made, as in micrograd."""

    __slots__ = ("back", "data", "grad", "parents")

    def __init__(self, data: float, parents: tuple[Scalar, ...] = (), back: Callable[[float], None] | None = None):
        self.data, self.grad, self.parents, self.back = data, 0.0, parents, back

    def __add__(self, other: Scalar | float) -> Scalar:
        right = other if isinstance(other, Scalar) else Scalar(other)

        def back(grad: float) -> None:
            self.grad += grad
            right.grad += grad

        return Scalar(self.data + right.data, (self, right), back)

    def __mul__(self, other: Scalar | float) -> Scalar:
        right = other if isinstance(other, Scalar) else Scalar(other)

        def back(grad: float) -> None:
            self.grad += right.data * grad
            right.grad += self.data * grad

        return Scalar(self.data * right.data, (self, right), back)

    def sigmoid(self) -> Scalar:
        value = 1.0 / (1.0 + math.exp(-self.data))

        def back(grad: float) -> None:
            self.grad += value * (1.0 - value) * grad

        return Scalar(value, (self,), back)

    def backward(self) -> None:
        order: list[Scalar] = []
        seen: set[Scalar] = set()

        def visit(node: Scalar) -> None:
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            if node.back is not None:
                node.back(node.grad)


def by_tape(steps: int) -> float:
    """The same with a tape of scalars."""
    w = [Scalar(value) for value in WEIGHTS]
    loss = Scalar(0.0)
    for _ in range(steps):
        h1 = (w[0] * 0.05 + w[1] * 0.10 + 0.35).sigmoid()
        h2 = (w[2] * 0.05 + w[3] * 0.10 + 0.35).sigmoid()
        o1 = (w[4] * h1 + w[5] * h2 + 0.60).sigmoid()
        o2 = (w[6] * h1 + w[7] * h2 + 0.60).sigmoid()
        e1, e2 = o1 + -0.01, o2 + -0.99
        loss = e1 * e1 * 0.5 + e2 * e2 * 0.5
        for parameter in w:
            parameter.grad = 0.0
        loss.backward()
        for parameter in w:
            parameter.data -= 0.5 * parameter.grad
    return loss.data


def by_torch(steps: int) -> float:
    """The same as one writes it in PyTorch, on one thread."""
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    first, last = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    with torch.no_grad():
        for layer, values, bias in ((first, WEIGHTS[:4], 0.35), (last, WEIGHTS[4:], 0.60)):
            layer.weight.copy_(torch.tensor(values).reshape(2, 2))
            layer.bias.fill_(bias)
            layer.bias.requires_grad_(False)
    model = torch.nn.Sequential(first, torch.nn.Sigmoid(), last, torch.nn.Sigmoid())
    optimizer = torch.optim.SGD([first.weight, last.weight], lr=0.5)
    x, t = torch.tensor([[0.05, 0.10]]), torch.tensor([[0.01, 0.99]])
    loss = torch.tensor(0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((model(x) - t) ** 2).sum() / 2
        loss.backward()
        optimizer.step()
    return loss.item()


def arrays() -> tuple[dict[str, Array], Array, list[int]]:
    """Parameters of the larger network, its inputs and its classes."""
    random = np.random.default_rng(1)
    a, b, c = SIZES
    found = {"W1": random.standard_normal((b, a)) / 8, "b1": np.zeros((1, b))}
    found |= {"W2": random.standard_normal((c, b)) / 8, "b2": np.zeros((1, c))}
    return found, random.standard_normal((SAMPLES, a)), [i % c for i in range(SAMPLES)]


def by_numpy(steps: int) -> float:
    """64-64-10 with ReLU and softmax cross-entropy on a batch, written by hand in NumPy."""
    parameters, x, classes = arrays()
    W1, b1, W2, b2 = (parameters[id].copy() for id in ("W1", "b1", "W2", "b2"))
    y = np.eye(SIZES[-1])[classes]
    loss = 0.0
    for _ in range(steps):
        z1 = x @ W1.T + b1
        a1 = np.maximum(z1, 0.0)
        s = a1 @ W2.T + b2
        s -= s.max(axis=1, keepdims=True)
        e = np.exp(s)
        mass = e.sum(axis=1, keepdims=True)
        loss = float(np.sum(y * (np.log(mass) - s))) / SAMPLES
        ds = (e / mass - y) / SAMPLES
        dz1 = (ds @ W2) * (z1 > 0.0)
        W2 -= LR * (ds.T @ a1)
        b2 -= LR * ds.sum(axis=0, keepdims=True)
        W1 -= LR * (dz1.T @ x)
        b1 -= LR * dz1.sum(axis=0, keepdims=True)
    return loss


def large() -> dict[str, Any]:
    """The same network as a file."""
    parameters, x, classes = arrays()
    layers: list[Any] = []
    for k, out in ((1, SIZES[1]), (2, SIZES[2])):
        weight, bias = parameters[f"W{k}"].tolist(), parameters[f"b{k}"][0].tolist()
        layers += [{"linear": {"out": out, "weight": weight, "bias": bias}}, "relu"]
    net = {"inputs": x.tolist(), "targets": classes, "layers": layers[:-1], "loss": "cross_entropy"}
    return {**net, "optimizer": {"sgd": {"lr": LR}}}


def by_derive(net: Any) -> Callable[[int], float]:
    """The generated program of a network: steps -> the loss of the last one. Made before it is measured."""
    from derive.build import build
    from derive.examples import resolve
    from derive.spec import load
    from derive.training.loop import Trainer
    from derive.training.program import Program, step_graph

    trainer = Trainer(build(load(resolve(net) if isinstance(net, str) else net)))
    program = Program(step_graph(trainer.model, 1, trainer.shapes), trainer.kind)
    program.run(trainer.start, 1, 1)
    return lambda steps: program.run(trainer.start, 1, steps)[2]


def per_step(loop: Callable[[int], float], steps: int) -> Callable[[], float]:
    """A task: the seconds per step of a loop."""

    def task() -> float:
        start = time.perf_counter()
        loop(steps)
        return (time.perf_counter() - start) / steps

    return task
