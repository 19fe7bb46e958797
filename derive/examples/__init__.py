"""The built-in examples: network files that ship with derive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from derive.errors import InputError, nearest

if TYPE_CHECKING:
    from derive.spec import Given

FOLDER = Path(__file__).parent
N = TypeVar("N", bound="Given")


def names() -> list[str]:
    """All built-in examples, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """The file of an example."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def resolve(net: N) -> N | Path:
    """The name of an example as the path of its file; a path, or what was read already, as it is."""
    if not isinstance(net, str | Path):
        return net
    try:
        if str(net) == "-" or (str(net) and Path(net).exists()):
            return net
    except OSError:  # a name too long to be one
        return net
    if not str(net):
        raise InputError("the name of the network file is empty")
    if str(net) in names():
        return FOLDER / f"{net}.yaml"
    if Path(str(net)).suffix or "/" in str(net):
        return net
    raise InputError(f"no such file, and no built-in example of that name.{nearest(str(net), names())}", file=str(net))
