"""An assignment made ready for marking: the network of a file as single numbers, and how strictly it is marked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from derive import checks
from derive.derivation import Form, Wishes, tell
from derive.document import Document
from derive.errors import nearest
from derive.examples import resolve
from derive.homework import conventions, policy
from derive.homework.circuit import Circuit
from derive.homework.exercise import Exercise, of_network, without_network
from derive.homework.marked import Marked
from derive.homework.marking import Alternative, Marker
from derive.homework.policy import Policy
from derive.homework.reading import read_number
from derive.homework.submission import Submission
from derive.language import Words
from derive.model import Model
from derive.notation import Notation
from derive.notation import read as read_notation
from derive.numerals import Policy as Numbers
from derive.options import mapping, sequence
from derive.solution import finished
from derive.source import Item
from derive.spec import Given, Spec, check, folder_of, tree

MOST_WRITTEN_OUT = 800  # numbers of a worked solution that is written entry by entry, to stand beside a student's


@dataclass(frozen=True, eq=False)
class Assignment:
    """What marks all submissions to one network file; made once for a whole class.

    name: its title, or its id, or where the file is · pages: worked solutions, as they are asked for
    """

    spec: Spec | None
    circuit: Circuit
    marker: Marker
    name: str
    numbers: Item | None = None
    pages: dict[tuple[Numbers, str], Document] = field(default_factory=dict)

    @property
    def original(self) -> Assignment:
        """What has the steps that are answered: this, which has no variants."""
        return self

    @classmethod
    def load(cls, net: Given) -> Assignment:
        """The assignment of a path, `-`, the name of a built-in example, or a mapping like net.yaml.

        Raises InputError where the file is at fault, or has no numbers to mark by.
        """
        given = resolve(net)
        stem = Path(net).stem if isinstance(net, str | Path) and str(net) != "-" else ""
        return cls.read(tree(given), folder_of(given), stem)

    @classmethod
    def read(cls, item: Item, folder: Path, name: str = "") -> Assignment:
        """The assignment of what stands in a file, with a network or without one; folder: of the weights beside it."""
        if exercise := without_network(item):
            return cls.made(None, exercise, name)
        return cls.of(check(item, folder), name)

    @classmethod
    def of(cls, spec: Spec, name: str = "") -> Assignment:
        """The assignment of a checked network file. name: where that has neither a title nor an id"""
        return cls.made(spec, Exercise(spec.name, spec.id, of_network(spec), spec.check, spec.numbers), name)

    @classmethod
    def made(cls, spec: Spec | None, exercise: Exercise, name: str) -> Assignment:
        found = policy.read(exercise.check)
        found = replace(found, weights=weights(exercise, found), ask=asked(exercise, found))
        others = tuple(
            Alternative(other.about, other.name, lambda spec=other.spec: of_network(spec))  # type: ignore[misc]
            for other in (conventions.others(spec) if spec else ())
        )
        marker = Marker(exercise.circuit, found, read_number, exercise.id, others)
        return cls(spec, exercise.circuit, marker, exercise.name or exercise.id or name, exercise.numbers)

    @property
    def policy(self) -> Policy:
        return self.marker.policy

    @cached_property
    def notation(self) -> Notation:
        return read_notation(self.spec.notation if self.spec else None, None)

    def mark(self, submission: Submission) -> Marked:
        """The marks of one submission. InputError where it is for another assignment, or answers a step twice."""
        return self.marker.mark(submission)

    def marking(self, submission: Submission) -> tuple[Assignment, Marked]:
        """This, and the marks of a submission: where there are variants, each has an assignment of its own."""
        return self, self.mark(submission)

    def circuit_for(self, marked: Marked) -> Circuit:
        """The circuit by which a submission was marked: that of the convention it follows."""
        for other in self.marker.alternatives:
            if other.name == marked.convention:
                return other.circuit
        return self.circuit

    def worked(self, numbers: Numbers, words: Words) -> Document | None:
        """The worked solution that its witnesses agree on, entry by entry where that is not too long.

        None where there is no network: then there are the right numbers alone.
        """
        key = numbers, words.language
        if key not in self.pages:
            model = self.circuit.quantities
            if not isinstance(model, Model):
                return None
            form: Form = "scalar" if len(self.circuit.entries) <= MOST_WRITTEN_OUT else "auto"
            wishes = Wishes(form=form, backward=bool(model.gradient))
            document, _ = tell(model, numbers, self.notation, words, wishes)
            found = finished(document, model, checks.report(model, document), "normal", ())
            self.pages[key] = found.document
        return self.pages[key]


def weights(exercise: Exercise, found: Policy) -> dict[str, float]:
    """Points by entry: those given for an entry hold over those given for all of its quantity."""
    made: dict[str, float] = {}
    if not found.weights or exercise.check is None:
        return made
    circuit, items = exercise.circuit, mapping(mapping(exercise.check)["weights"])
    keys = {name: circuit.find(name) for name in found.weights}
    for name, entries in keys.items():
        if entries is None:
            known = [*circuit.nodes, *circuit.quantities.labels.entries]
            raise items[name].at_key().error(f"there is no step '{name}'.{nearest(name, known)}")
    for name, entries in sorted(keys.items(), key=lambda pair: -len(pair[1] or ())):
        made |= dict.fromkeys(entries or (), found.weights[name])
    return made


def asked(exercise: Exercise, found: Policy) -> tuple[str, ...] | None:
    """The entries that are asked for."""
    if found.ask is None or exercise.check is None:
        return None
    items = sequence(mapping(exercise.check)["ask"])
    made: dict[str, None] = {}
    for name, item in zip(found.ask, items, strict=True):
        entries = exercise.circuit.find(name)
        if entries is None:
            known = [*exercise.circuit.nodes, *exercise.circuit.quantities.labels.entries]
            raise item.error(f"there is no step '{name}'.{nearest(name, known)}")
        made |= dict.fromkeys(entries)
    return tuple(made)
