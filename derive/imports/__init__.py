"""Networks from PyTorch: modules with their loss and optimizer, or the weights of a state dict, as network files.

Numbers are exact: a float64 as it is, a float32 as the shortest decimal number that is read as the same float32.
"""

from __future__ import annotations

from typing import Any

from derive.errors import InputError
from derive.imports.file import Net
from derive.imports.modules import layers_of
from derive.imports.numbers import numbers
from derive.imports.training import loss_of, optimizer_of

EXTRA = "needs PyTorch: pip install 'derive-backprop[torch]'"


def from_torch(module: Any, inputs: Any, targets: Any = None, loss: Any = None, optimizer: Any = None) -> Net:
    """The network file of a PyTorch module, as a mapping for `derive.solve`, with `text()` and `save("net.yaml")`.

    module: an nn.Sequential, or any module that applies its children in order · inputs: a tensor (features,) or
    (samples, features) · targets: as the loss takes them · loss: an nn loss, or a function of torch.nn.functional
    optimizer: a torch.optim optimizer over parameters of the module; parameters that are not its own are frozen, and
    what it remembers is taken over
    Linear, the activations, Dropout, BatchNorm1d, LayerNorm, Flatten and Identity are understood, nested as they like.
    Dropout in training mode gets masks of derive's own. Raises InputError for what has no counterpart, by its name.
    """
    x = numbers(inputs, "inputs")
    if x.ndim not in (1, 2):
        raise InputError(
            f"inputs: expected (features,) or (samples, features), not {tuple(x.shape)}", file="from_torch"
        )
    found = layers_of(module, inputs)
    net = Net(name=type(module).__name__, inputs=x.tolist())
    if targets is not None:
        t = numbers(targets, "targets")
        net["targets"] = t.tolist() if t.ndim else [t.item()]
    net["layers"] = found.layers
    if found.mode == "eval":
        net["mode"] = "eval"
    if loss is not None:
        net["loss"] = loss_of(loss)
    if optimizer is not None:
        net |= optimizer_of(optimizer, found.parameters)
    else:
        frozen = [id for id, parameter in found.parameters.items() if not parameter.requires_grad]
        net |= {"frozen": frozen} if frozen else {}
    return net


__all__ = ["EXTRA", "Net", "from_torch"]
