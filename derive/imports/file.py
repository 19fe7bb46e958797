"""A network file as a mapping, and its text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

MOST_INLINE = 2_000  # numbers that are still written into the file itself
WORD = re.compile(r"[A-Za-z_][\w.]*\Z", re.ASCII)
NOT_TEXT = ("true", "false", "null", "yes", "no", "on", "off", "nan", "inf")
ARRAYS = {
    "linear": {"weight": "W", "bias": "b"},
    "batch_norm": {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_var"},
    "layer_norm": {"weight": "gamma", "bias": "beta"},
}


class Net(dict[str, Any]):
    """A network as `derive.solve` takes it.

    >>> Net(inputs=[1, 2], layers=["softmax"]).text()
    'inputs: [1, 2]\\nlayers:\\n  - softmax\\n'
    """

    def text(self, remarks: tuple[str, ...] = ()) -> str:
        """The network file, with all numbers in it."""
        return "".join(f"# {remark}\n" for remark in remarks) + "".join(f"{line}\n" for line in lines(self))

    def save(self, path: str | Path, remarks: tuple[str, ...] = ()) -> list[Path]:
        """Writes the file; many parameters go into an .npz file beside it. Says what was written."""
        from derive.solution import write

        path = Path(path)
        arrays: dict[str, Any] = {}
        net = self
        if count(self) > MOST_INLINE:
            net, arrays = apart(self, f"{path.stem}-weights.npz")
        text, written = net.text(remarks), [path]
        if arrays:
            written.insert(0, path.with_name(net["parameters"]))
            packed = io.BytesIO()
            np.savez(packed, **arrays)
            write(written[0], packed.getvalue())
        write(path, text)
        return written


def count(value: Any) -> int:
    """How many numbers there are."""
    if isinstance(value, Mapping):
        return sum(map(count, value.values()))
    return sum(map(count, value)) if isinstance(value, list) else 1


def apart(net: Net, file: str) -> tuple[Net, dict[str, Any]]:
    """The network without its parameters, and these by derive's ids."""
    arrays: dict[str, Any] = {}
    layers, k, norms = [], 0, 0
    for layer in net["layers"]:
        ((name, options),) = layer.items() if isinstance(layer, dict) else ((layer, {}),)
        k, norms = (k + 1, 0) if name == "linear" else (k, norms + (name in ARRAYS))
        number = f"{k}.{norms}" if norms > 1 else str(k)
        held = {
            option: letter for option, letter in ARRAYS.get(name, {}).items() if isinstance(options.get(option), list)
        }
        arrays |= {letter + number: np.array(options[option], dtype=float) for option, letter in held.items()}
        left = {option: value for option, value in options.items() if option not in held}
        if name == "linear":
            left = {"out": len(options["weight"]), **left}
        layers.append({name: left} if left else name)
    for key, id in (("inputs", "x"), ("targets", "t")):
        if isinstance(net.get(key), list) and count(net[key]) > MOST_INLINE and isinstance(net[key][0], list):
            arrays[id] = np.array(net[key], dtype=float)
    given = {key: value for key, value in net.items() if {"inputs": "x", "targets": "t"}.get(key) not in arrays}
    return Net({**given, "layers": layers, "parameters": file}), arrays


def lines(net: Mapping[str, Any]) -> Iterator[str]:
    """The file: a line for every key, and one for every layer."""
    for key, value in net.items():
        if key == "layers" and value:
            yield "layers:"
            yield from (f"  - {flow(layer)[1:-1] if isinstance(layer, dict) else flow(layer)}" for layer in value)
        else:
            yield f"{key}: {flow(value)}"


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return value if WORD.match(value) and value.lower() not in NOT_TEXT else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
