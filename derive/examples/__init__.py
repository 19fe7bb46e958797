"""The built-in examples: network files that ship with derive."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from derive.errors import InputError, nearest


def names() -> list[str]:
    """All built-in examples, by name."""
    found = (path.name for path in files("derive.examples").iterdir() if path.name.endswith(".yaml"))
    return sorted(name.removesuffix(".yaml") for name in found)


def text(name: str) -> str:
    """The file of an example."""
    return files("derive.examples").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def resolve(net: str | Path) -> str | Path:
    """A path as it is; the name of an example as the path of its file."""
    if str(net) == "-" or Path(net).exists():
        return net
    if str(net) in names():
        return Path(str(files("derive.examples").joinpath(f"{net}.yaml")))
    if Path(str(net)).suffix or "/" in str(net):
        return net
    raise InputError(f"no such file, and no built-in example of that name.{nearest(str(net), names())}", file=str(net))
