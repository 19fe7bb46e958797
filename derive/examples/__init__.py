"""The built-in examples: network files that ship with derive."""

from __future__ import annotations

from pathlib import Path

from derive.errors import InputError, nearest

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All built-in examples, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """The file of an example."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def resolve(net: str | Path) -> str | Path:
    """A path as it is; the name of an example as the path of its file."""
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
