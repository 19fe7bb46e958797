"""derive: the mathematics of small neural networks, worked line by line and checked.

>>> import derive
>>> derive.solve("mazur")["w5+"].round(6)
np.float64(0.358916)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from derive.version import __version__

if TYPE_CHECKING:
    from derive.homework.checked import check
    from derive.homework.linted import lint
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
    "lint",
    "solve",
    "study",
    "train",
    "weave",
    "worksheet",
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
    if name == "worksheet":
        from derive.sheets.sheet import worksheet

        return worksheet
    if name in ("explain", "explain_all"):
        from derive import teaching

        return getattr(teaching, name)
    if name == "weave":
        from derive.weaving import weave

        return weave
    raise AttributeError(f"module 'derive' has no attribute {name!r}")
