"""Tensors as numbers that are written exactly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from derive.blocks import MAX_PARAMETERS
from derive.errors import InputError

Array = np.ndarray[Any, Any]


def few(tensors: Iterable[Any], file: str) -> None:
    """Refuses more numbers than a network file may have, before any is read: a small file can stand for very many."""
    if sum(tensor.numel() for tensor in tensors) > MAX_PARAMETERS:
        raise InputError(f"more than {MAX_PARAMETERS:,} numbers", file=file)


def numbers(tensor: Any, what: str) -> Array:
    """A tensor's numbers in float64; of a float32, those of its shortest decimal. Whole numbers stay whole.

    what: what an error calls it
    """
    if hasattr(tensor, "detach"):
        tensor = tensor.detach()
        if tensor.is_complex() or tensor.is_quantized or tensor.is_nested or str(tensor.layout) != "torch.strided":
            raise InputError(f"{what}: not a tensor of real numbers", file="from_torch")
        if tensor.is_meta:
            raise InputError(f"{what}: a tensor on the device meta has no numbers", file="from_torch")
        try:
            tensor = tensor.cpu().resolve_neg()
            if tensor.is_floating_point() and str(tensor.dtype) not in ("torch.float32", "torch.float64"):
                tensor = tensor.float()
            tensor = tensor.numpy()
        except (RuntimeError, TypeError):
            raise InputError(f"{what}: PyTorch gives no numbers for {tensor.dtype}", file="from_torch") from None
    found = np.asarray(tensor)
    if not found.size:
        raise InputError(f"{what}: no numbers in it, its shape is {found.shape}", file="from_torch")
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
