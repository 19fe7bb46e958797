"""The witnesses: independent checks of every gradient, every update and every printed formula.

Differences of the forward pass know no rule; SymPy's `diff` knows nothing of the slopes taught here; the optimizers'
reference shares nothing with their formulas; the printed formulas are evaluated from their own Python text. On
disagreement nothing may be printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.checks.differences import differences
from derive.checks.printed import printed
from derive.checks.slopes import slopes
from derive.checks.updates import updates
from derive.document import Document, Witness
from derive.model import Model
from derive.numerals import Policy
from derive.values import Values

if TYPE_CHECKING:
    from derive.training.loop import Course


def report(model: Model, document: Document, course: Course | None = None) -> tuple[Witness, ...]:
    """All witnesses' findings on a document."""
    values = document.values
    full = Values(model, Policy()) if values.policy.as_you_go else values
    found = [*differences(model, full)] if model.gradient else []
    found += slopes(model, full)
    if not values.policy.as_you_go:
        found += updates(model, values)
    if course is not None:
        from derive.checks.programs import programs  # other pages do not pay for the program

        found += programs(model, values, course)
    found.append(printed(document))
    return tuple(found)
