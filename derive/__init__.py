"""derive: the mathematics of small neural networks, worked line by line and checked.

>>> import derive
>>> derive.solve("mazur")["w5+"].round(6)
np.float64(0.358916)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from derive.version import __version__

if TYPE_CHECKING:
    from derive.exports import export
    from derive.homework.checked import check
    from derive.homework.linted import lint
    from derive.imports import from_torch
    from derive.long_training import train
    from derive.sheets.sheet import worksheet
    from derive.solution import InputError, Solution, WitnessError, solve, study
    from derive.teaching import explain, explain_all
    from derive.weaving import weave

__all__ = [
    "InputError",
    "Solution",
    "WitnessError",
    "__version__",
    "check",
    "explain",
    "explain_all",
    "export",
    "from_torch",
    "lint",
    "solve",
    "study",
    "train",
    "weave",
    "worksheet",
]


#: Where what is imported when it is first used is defined, so that `derive --help` does not pay for NumPy.
HOMES = {
    "InputError": "solution",
    "Solution": "solution",
    "WitnessError": "solution",
    "check": "homework.checked",
    "explain": "teaching",
    "explain_all": "teaching",
    "export": "exports",
    "from_torch": "imports",
    "lint": "homework.linted",
    "solve": "solution",
    "study": "solution",
    "train": "long_training",
    "weave": "weaving",
    "worksheet": "sheets.sheet",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'derive' has no attribute {name!r}")
    return getattr(import_module(f"derive.{HOMES[name]}"), name)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext derive`: the magics `%derive` and `%%derive`."""
    from derive.notebook import load

    load(shell)
