"""Tensors as numbers that are written exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.errors import InputError

Array = np.ndarray[Any, Any]


def numbers(tensor: Any, what: str) -> Array:
    """A tensor's numbers in float64; of a float32, those of its shortest decimal. Whole numbers stay whole.

    what: what an error calls it
    """
    if hasattr(tensor, "detach"):
        if tensor.is_complex() or tensor.is_sparse or tensor.is_quantized:
            raise InputError(f"{what}: not a tensor of real numbers", file="from_torch")
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point() and str(tensor.dtype) not in ("torch.float32", "torch.float64"):
            tensor = tensor.float()
        tensor = tensor.numpy()
    found = np.asarray(tensor)
    if found.dtype.kind in "iub":
        return found.astype(int)
    if found.dtype.kind != "f":
        raise InputError(f"{what}: not a tensor of real numbers", file="from_torch")
    if not np.isfinite(found).all():
        raise InputError(f"{what}: NaN or infinity", file="from_torch")
    if found.dtype == np.float64:
        return found
    shortest = [float(str(x)) for x in found.astype(np.float32).ravel()]
    return np.array(shortest, dtype=float).reshape(found.shape)


def number(value: Any, what: str) -> float | int:
    """A single number, of a tensor too."""
    found = numbers(value, what)
    if found.size != 1:
        raise InputError(f"{what}: expected one number", file="from_torch")
    return float(found.item()) if found.dtype.kind == "f" else int(found.item())
