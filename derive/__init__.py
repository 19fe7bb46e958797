"""derive: the mathematics of small neural networks, worked line by line and checked.

>>> import derive
>>> derive.solve("mazur")["w5+"].round(6)
np.float64(0.358916)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derive.version import __version__

if TYPE_CHECKING:
    from derive.exports import export
    from derive.homework.checked import check
    from derive.homework.linted import lint
    from derive.imports import from_torch
    from derive.long_training import train
    from derive.solution import InputError, Solution, WitnessError, solve, study
    from derive.teaching import explain, explain_all

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
]


def __getattr__(name: str) -> Any:
    # imported when first used, so that `derive --help` does not pay for NumPy
    if name in ("solve", "study", "Solution", "InputError", "WitnessError"):
        from derive import solution

        return getattr(solution, name)
    if name == "train":
        from derive.long_training import train

        return train
    if name == "check":
        from derive.homework.checked import check

        return check
    if name == "lint":
        from derive.homework.linted import lint

        return lint
    if name in ("export", "from_torch"):
        from importlib import import_module

        return getattr(import_module("derive.exports" if name == "export" else "derive.imports"), name)
    if name in ("explain", "explain_all"):
        from derive import teaching

        return getattr(teaching, name)
    raise AttributeError(f"module 'derive' has no attribute {name!r}")
