"""A network solved: model, document and the witnesses' report; numbers by id or label; printed in any format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive import checks, notation, policies
from derive.build import Model, build
from derive.derivation import Wishes, tell
from derive.document import Document
from derive.errors import InputError, WitnessError, nearest
from derive.examples import resolve
from derive.language import Words
from derive.spec import load


@dataclass(frozen=True)
class Solution:
    """A worked solution that its witnesses agree on.

    `solution["dL/dW2"]` is a float64 array in the shape of the contract, `solution["w5"]` the number with that label.
    """

    document: Document
    model: Model

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """The value of a canonical id, of one entry (`W2[1,2]`), or of a label. KeyError names the nearest id."""
        found = self.find(name)
        if found is None:
            known = [*self.document.quantities, *self.model.labels.entries, *self.model.labels.whole]
            raise KeyError(f"no quantity '{name}'.{nearest(name, known)}")
        id, index = found
        value = self.document.quantities[id].value
        if value is None:
            raise KeyError(f"'{name}' has no number: the solution is symbolic")
        entry: NDArray[np.float64] = np.asarray(value[tuple(i - 1 for i in index)] if index else value)
        return entry

    def find(self, name: str) -> tuple[str, tuple[int, ...]] | None:
        """(id, index) behind an id, an entry or a label, also inside d…/d… and with + after it."""
        quantities = self.document.quantities
        match = re.fullmatch(r"(?P<id>.+?)\[(?P<index>\d+(?:,\d+)*)\]", name)
        id, index = (match["id"], tuple(map(int, match["index"].split(",")))) if match else (name, ())
        if id not in quantities and not match:
            id, index = self.model.labels.find(name)
        if id == "L" and index and "l" in quantities:
            id = "l"  # L[1] is the loss of output 1
        if id not in quantities:
            return None
        shape = quantities[id].shape
        fits = not index or (len(index) == len(shape) and all(1 <= i <= n for i, n in zip(index, shape, strict=True)))
        return (id, index) if fits else None


def solve(net: str | Path | Mapping[str, Any], *, form: str = "auto", level: str = "normal", lang: str = "en",
          preset: str | None = None, backward: bool = True, **numbers: Any) -> Solution:
    """The worked solution of a network: a path, `-`, the name of a built-in example, or a mapping like net.yaml.

    form: scalar, matrix, both, or auto · level: brief, normal, full · lang: en or zh · preset: a notation preset
    numbers: significant, decimals, exact, round_as_you_go, half, comma: in the place of the file's own
    Raises InputError where the file is at fault, WitnessError where an independent check disagrees.
    """
    spec = load(resolve(net) if not isinstance(net, Mapping) else net)
    if backward and spec.loss is None:
        raise spec.item.error("backprop needs a loss; `derive forward` does without")
    model = build(spec)
    policy = policies.read(spec.numbers, numbers)
    wishes = Wishes(form, level, backward)  # type: ignore[arg-type]
    document, _ = tell(model, policy, notation.read(spec.notation, preset), Words(lang), wishes)
    witnesses = checks.report(model, document)
    if wrong := [w for w in witnesses if not w.ok]:
        worst = wrong[0]
        raise WitnessError(f"{worst.name} disagrees on {worst.quantity}: relative error {worst.max_rel:.3g}, "
                           f"allowed {worst.tolerance:.3g}")  # fmt: skip
    return Solution(replace(document, witnesses=witnesses), model)


__all__ = ["InputError", "Solution", "WitnessError", "solve"]
