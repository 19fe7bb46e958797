"""Activations, losses and penalties as PyTorch calls, by the names of the file."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from derive.errors import InputError
from derive.graph import Node, topological
from derive.model import Model
from derive.ops.vector import Fused
from derive.options import Choice

ACTIVATIONS = {
    "identity": "{}",
    "sigmoid": "torch.sigmoid({})",
    "tanh": "torch.tanh({})",
    "relu": "torch.relu({})",
    "softmax": "torch.softmax({}, dim=1)",
    "log_softmax": "torch.log_softmax({}, dim=1)",
}
FUNCTIONAL = ("leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "hardtanh")
LOSSES = {
    "mse": "mse_loss",
    "l1": "l1_loss",
    "huber": "huber_loss",
    "smooth_l1": "smooth_l1_loss",
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits",
    "cross_entropy": "cross_entropy",
    "nll": "nll_loss",
    "kl_div": "kl_div",
    "hinge_embedding": "hinge_embedding_loss",
}
CLASSES = "classes"


def missing(choice: Choice, what: str) -> InputError:
    """What PyTorch has nothing of the kind for."""
    return choice.item.error(f"PyTorch has no {what}")


def plain(value: Any) -> str:
    """An option as Python writes it."""
    if isinstance(value, Fraction):
        return repr(float(value))
    if isinstance(value, tuple):
        return f"({', '.join(map(plain, value))})"
    return repr(value)


def arguments(options: Mapping[str, Any]) -> str:
    """Keyword arguments, with the comma before them; lists of numbers as tensors."""
    texts = {
        name: f"torch.tensor([{', '.join(map(plain, value))}])" if isinstance(value, tuple) else plain(value)
        for name, value in options.items()
        if value != ()
    }
    return "".join(f", {name}={text}" for name, text in texts.items())


def activation(choice: Choice, source: str) -> str:
    """The call of an activation."""
    if choice.name in ACTIVATIONS:
        return ACTIVATIONS[choice.name].format(source)
    if choice.name not in FUNCTIONAL:
        raise missing(choice, f"activation '{choice.name}'")
    return f"F.{choice.name}({source}{arguments(choice.options)})"


def scores(model: Model) -> Node | None:
    """What a fused loss is computed from, in the place of the output."""
    run = model.iterations[0].forward
    assert run.loss is not None
    return next((n.inputs[0] for n in topological(run.loss.each, known={run.output}) if isinstance(n.op, Fused)), None)


def classes(model: Model) -> list[int] | None:
    """The class of each sample, where the targets of the file are classes."""
    loss, t = model.spec.loss, model.t
    if loss is None or t is None or model.encoding != "classes":
        return None
    value = model.given[t].value
    return [int(np.argmax(row)) if row.any() else int(loss.in_force["ignore_index"]) for row in value]


def loss(model: Model, output: str, from_scores: str | None) -> str:
    """The loss of the data as PyTorch computes it."""
    choice = model.spec.loss
    assert choice is not None
    options, name = dict(choice.in_force), choice.name
    reduction = options["reduction"]
    samples = model.x.shape[0]
    if name == "half_squared_error":
        return f"((t - {output}) ** 2).sum() / {2 * samples if reduction == 'mean' else 2}"
    if name not in LOSSES:
        raise missing(choice, f"loss '{name}'")
    by_class = model.encoding == "classes"
    if name == "nll" and not by_class:
        weight = f" * torch.tensor([{', '.join(map(plain, options['weight']))}])" if options["weight"] else ""
        return f"-(t{weight} * {output}).sum()" + (f" / {samples}" if reduction == "mean" else "")
    if name == "bce" and from_scores is not None:
        name = "bce_with_logits"
    if name in ("cross_entropy", "nll") and not by_class:
        options.pop("ignore_index")
    target = CLASSES if by_class and name in ("cross_entropy", "nll") else "t"
    return f"F.{LOSSES[name]}({from_scores or output}, {target}{arguments(options)})"


def penalty(choice: Choice, weights: str, every: str) -> str:
    """A penalty, over the weights or over all parameters of linear layers."""
    options = choice.in_force
    chosen = every if options["bias"] else weights
    half = " / 2" if options.get("half") else ""
    squares, sizes = f"sum((p**2).sum() for p in {chosen})", f"sum(p.abs().sum() for p in {chosen})"
    match choice.name:
        case "l1":
            return f"{plain(options['lambda'])} * {sizes}"
        case "l2":
            share = " / len(x)" if options["per_sample"] else ""
            return f"{plain(options['lambda'])} * {squares}{half}{share}"
        case "l2_norm":
            return f"{plain(options['lambda'])} * {squares}.sqrt()"
        case "elastic_net":
            return f"{plain(options['l1'])} * {sizes} + {plain(options['l2'])} * {squares}{half}"
    raise missing(choice, f"penalty '{choice.name}'")
