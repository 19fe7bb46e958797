"""Marking where everybody has numbers of their own: which variant a submission answers, and whether it is another's.

Who has which variant says the manifest. What a student writes into a file decides only where the manifest says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from derive.errors import InputError
from derive.examples import resolve
from derive.homework.assignment import Assignment
from derive.homework.manifest import LIMITS, SEED, Manifest, Variant, is_manifest, parsed, read
from derive.homework.marked import Mark, Marked
from derive.homework.submission import Submission
from derive.source import Item, load
from derive.spec import tree
from derive.tensor import Floats

FEWEST = 3  # answers that are wrong, and right in another variant, from which on that is no accident
SAME = 1e-9  # relative difference of a closed form from the value it is
#: What a person is told: the file names another variant than the manifest · the manifest has none for this student ·
#: what is wrong is right in another variant.
FLAGS = ("variant_mismatch", "variant_unassigned", "variant_of_other")


@dataclass(frozen=True, eq=False)
class Individual:
    """What marks submissions to all variants of an exercise."""

    manifest: Manifest

    @property
    def original(self) -> Assignment:
        return self.manifest.original.assignment

    @property
    def name(self) -> str:
        return self.original.name

    def marking(self, submission: Submission) -> tuple[Assignment, Marked]:
        """The variant that a submission is marked by, and its marks. InputError where no variant is known for it."""
        variant, flags = self.variant(submission)
        assignment = self.manifest.assignment(variant.number)
        own = replace(submission, assignment=variant.id, flags=(*submission.flags, *flags))
        marked = replace(assignment.mark(own), variant=variant.id)
        if other := self.other(variant, marked):
            marked = replace(marked, flags=(*marked.flags, "variant_of_other"), other=other)
        return assignment, marked

    def variant(self, submission: Submission) -> tuple[Variant, tuple[str, ...]]:
        """The variant of a submission, and what is odd about that: by its owner, or else by what it says itself."""
        manifest = self.manifest
        owner = submission.owner or submission.student
        declared = manifest.by_id.get(submission.assignment)
        if owner in manifest.students:
            variant = manifest.by_number[manifest.students[owner]]
            mismatch = submission.assignment not in ("", manifest.original.name, variant.id)
            return variant, ("variant_mismatch",) * mismatch
        if declared is not None:
            return declared, ("variant_unassigned",) * bool(manifest.students and owner)
        said = f"'{submission.assignment}'" if submission.assignment else "nothing"
        example = manifest.variants[0].id
        problem = f"no variant is known for it: `assignment:` says {said}, not one like '{example}'"
        if manifest.students:
            problem += f", and the manifest has none for '{owner}'" if owner else ", and whose it is, is not known"
        raise InputError(problem, file=submission.source)

    # answers of another variant ---------------------------------------------------------------------------------------
    def other(self, own: Variant, marked: Marked) -> str:
        """The id of the variant in which all is right that is wrong in the student's own; "" without one."""
        wrong = [mark for mark in marked.marks if mark.key and mark.read and not fits(mark, mark.exact)]
        if len(wrong) < FEWEST:
            return ""
        for place, variant in enumerate(self.manifest.variants):
            if variant is not own and all(fits(mark, self.right[mark.key][place]) for mark in wrong):
                return variant.id
        return ""

    @cached_property
    def right(self) -> Mapping[str, Floats]:
        """Every number of every variant: a row for each entry."""
        circuit, variants = self.original.circuit, self.manifest.variants
        if any(SEED in variant.numbers for variant in variants):
            columns = [self.manifest.assignment(variant.number).circuit.floats for variant in variants]
            return {key: np.array([column[key] for column in columns]) for key in circuit.entries}
        floats = circuit.floats
        rows = {
            key: np.array([float(v.numbers.get(key, floats[key])) for v in variants])
            for key in self.manifest.original.places
        }
        with np.errstate(all="ignore"):
            found = circuit.runs(rows)
        return {key: np.broadcast_to(value, len(variants)) for key, value in found.items()}


def fits(mark: Mark, right: float | None) -> bool:
    """Whether a written number is a value as well as rounding on the way lets it be."""
    assert mark.read is not None
    return right is not None and abs(mark.read.number - right) <= 1.5 * mark.read.unit + SAME * abs(right)


# what a file gives to be marked by ----------------------------------------------------------------------------------------
def loaded(net: str | Path | Mapping[str, Any]) -> Assignment | Individual:
    """The assignment, or the variants of one, of a path, `-`, the name of a built-in example, or a mapping.

    Raises InputError where the file is at fault, or has no numbers to mark by.
    """
    if isinstance(net, Mapping):
        return of(tree(net), Path("."))
    given = resolve(net)
    content, name = load(given, LIMITS.size)
    stem = Path(net).stem if str(net) != "-" else ""
    return of(parsed(content, name), Path("." if str(given) == "-" else given).parent, stem)


def of(item: Item, folder: Path, name: str = "") -> Assignment | Individual:
    """The same of a parsed file. folder: of the weights beside it · name: where it has neither title nor id"""
    if is_manifest(item):
        return Individual(read(item, folder))
    return Assignment.read(item, folder, name)
