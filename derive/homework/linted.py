"""`derive.lint`: what an exercise hides, to be asked and to be printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from derive import policies
from derive.document import Document
from derive.errors import InputError, nearest
from derive.examples import resolve
from derive.homework import lint_report, policy
from derive.homework.circuit import Circuit
from derive.homework.exercise import of_network
from derive.homework.lint import Case, Lint, Suggestion, Twins
from derive.homework.lint import lint as found_in
from derive.homework.lint_report import LintReport, numbers_of
from derive.homework.policy import Precision
from derive.homework.printed import Printed
from derive.language import Words
from derive.model import Model
from derive.notation import read as read_notation
from derive.spec import Spec, load

MOST_DIGITS = 15  # of a float
ALONE = 400  # entries of an exercise up to which every result is looked at by itself


@dataclass(frozen=True, repr=False)
class Linted(Printed):
    """What an exercise hides. found: all of it · asked: whether only a part of the steps was asked for"""

    spec: Spec
    circuit: Circuit
    found: Lint
    name: str
    asked: bool = False
    lang: str = "en"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    lessons: str | None = None

    stem = "lint"

    def __repr__(self) -> str:
        return f"<Linted {self.name!r}: {self.warnings} warnings>"

    @property
    def clean(self) -> bool:
        """Whether there is nothing to be warned of."""
        return self.found.clean

    @property
    def warnings(self) -> int:
        """How many hidden mistakes, look-alikes and things degenerate there are."""
        return self.found.warnings

    @property
    def hidden(self) -> tuple[Case, ...]:
        """The mistakes that give the right number, though numbers close by would show them."""
        return self.found.invisible

    @property
    def look_alikes(self) -> tuple[Twins, ...]:
        """The mistakes that give one number, though numbers close by would tell them apart."""
        return self.found.ambiguous

    @property
    def degenerate(self) -> tuple[str, ...]:
        """The kinds of degenerate data: `proportional_inputs`, `half_rate` …"""
        return tuple(reason.kind for reason in self.found.degenerate)

    @property
    def suggestion(self) -> Suggestion | None:
        """Other numbers, close by, that show more; None where none were looked for."""
        return self.found.suggested

    # printing ---------------------------------------------------------------------------------------------------------
    @cached_property
    def report(self) -> LintReport:
        numbers = numbers_of(self.found.precision, policies.read(self.spec.numbers, dict(self.numbers)))
        values, notation = self.circuit.values.branch(numbers), read_notation(self.spec.notation, None)
        return LintReport(self.circuit, self.found, self.name, Words(self.lang), notation, values, self.asked)

    def document(self) -> Document:
        """The page. WitnessError where a number on it is not true."""
        return replace(self.report.document, lessons=self.lessons)

    def to_json(self) -> str:
        """JSON, schema derive-lint/1."""
        return lint_report.written(self.report)


def lint(
    net: str | Path | Mapping[str, Any],
    *,
    significant: int | None = None,
    decimals: int | None = None,
    only: Sequence[str] = (),
    suggest: bool = True,
    lang: str = "en",
    lessons: str | None = None,
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Linted:
    """What the numbers of an exercise hide: `derive.lint("net.yaml", decimals=4).hidden`.

    net:     a path, the name of a built-in example, or a mapping like net.yaml
    significant, decimals: the digits that are asked for, in the place of what the file says under `check:`
    only:    ids or labels of the steps that are asked for; none: those of `check: ask`, or all · suggest: whether other numbers are looked for
    lang:    en or zh · lessons: the address of the page on which all lessons stand · numbers: comma, half
    Raises InputError where the file is at fault.
    """
    if significant is not None and decimals is not None:
        raise InputError("give either significant or decimals", file="--decimals")
    stage("read")
    spec = load(resolve(net))
    circuit = of_network(spec)
    asks = policy.read(spec.check)
    precision = asks.precision
    if significant is not None or decimals is not None:
        precision = Precision(significant, decimals)
    if max(precision.significant or 0, precision.decimals or 0) > MOST_DIGITS:
        raise InputError(f"mistakes are worked out with {MOST_DIGITS} digits; ask for no more")
    names = tuple(only) or asks.ask
    asked = None if names is None else keys_of(circuit, names, "--only" if only else "check: ask")
    stage("lint")
    alone = () if asked is not None else results(circuit)
    found = found_in(circuit, precision, asked=asked, suggest=suggest, alone=alone)
    stem = Path(net).stem if isinstance(net, str | Path) and str(net) != "-" else ""
    return Linted(spec, circuit, found, spec.name or spec.id or stem, asked is not None, lang, numbers, lessons)


def keys_of(circuit: Circuit, only: Iterable[str], place: str) -> list[str]:
    """The keys of the steps that are asked for. InputError, at a place, where there is no such step, or it is given."""
    found: dict[str, None] = {}
    for name in only:
        keys = circuit.find(name)
        if keys is None:
            known = [*circuit.nodes, *circuit.quantities.labels.entries]
            raise InputError(f"there is no step '{name}'.{nearest(name, known)}", file=place)
        if all(circuit.entries[key].given for key in keys):
            raise InputError(f"'{name}' is given, not worked out", file=place)
        found |= dict.fromkeys(keys)
    return list(found)


def results(circuit: Circuit) -> list[str]:
    """The ids of the results of the first training step: the gradients of the parameters, and their new values."""
    model = circuit.quantities
    if not isinstance(model, Model) or len(circuit.entries) > ALONE:
        return []
    first = model.iterations[0]
    gradients = [first.gradient[node].id for node in first.parameters if node in first.gradient]
    updated = [first.updated[node].id for node in first.parameters if node in first.updated]
    return [id for id in (*gradients, *updated) if id in circuit.nodes]
