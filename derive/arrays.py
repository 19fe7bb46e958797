"""Weights too many to type: an .npz file of numbers beside the network file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from derive.errors import InputError
from derive.options import text
from derive.source import Item
from derive.tensor import Tensor

MAX_UNPACKED = 32 * 1024 * 1024
MAX_NUMBERS = 4_000_000

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]


def load(item: Item, folder: Path) -> Mapping[str, Tensor]:
    """The arrays of the file an item names: numbers only, never pickled, never outside the network's folder."""
    name = text(item)
    try:
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):
        raise item.error(f"{name} is not a readable .npz file of numbers") from None
    if Path(name).is_absolute() or folder.resolve() not in path.parents:
        raise item.error("must be a file inside the folder of the network file")
    if path.exists() and not path.is_file():
        raise item.error(f"{name} is not a file")
    found = unpacked(path, name, item.error)
    return {key: checked(value, key, item) for key, value in found.items()}


def unpacked(path: Path, name: str, error: Callable[[str], InputError]) -> dict[str, Array]:
    """The arrays in a file, which is not trusted: nothing is unpickled, and little unpacked."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise error(f"unpacks to more than {MAX_UNPACKED // 2**20} MiB")
        with np.load(path, allow_pickle=False) as file:
            return {key: np.asarray(file[key]) for key in file.files}
    except InputError:
        raise
    except FileNotFoundError:
        raise error(f"no such file: {name}") from None
    except Exception:  # a damaged archive can fail anywhere in zlib, zipfile or NumPy
        raise error(f"{name} is not a readable .npz file of numbers") from None


def checked(value: Array, key: str, item: Item) -> Tensor:
    if value.dtype.kind not in "fiu":
        raise item.error(f"array {key} does not hold real numbers")
    if value.ndim > 2 or value.size == 0:
        raise item.error(f"array {key} has shape {value.shape}; expected a vector or a matrix")
    if value.size > MAX_NUMBERS:
        raise item.error(f"array {key} holds more than {MAX_NUMBERS:,} numbers")
    with np.errstate(all="ignore"):
        numbers = np.atleast_2d(value.astype(float))
    if not np.isfinite(numbers).all():
        raise item.error(f"array {key} holds NaN or infinity")
    return Tensor.drawn(numbers)
