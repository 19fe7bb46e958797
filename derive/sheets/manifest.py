"""Worksheets with numbers of somebody's own: as many variants as are wanted, and each of them again from the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from derive.document import Say, say
from derive.errors import InputError
from derive.homework.individual import Individual
from derive.homework.manifest import Manifest, Original, Variant
from derive.sheets.sheet import Worksheet, worksheet
from derive.sheets.variants import Drawing, Drawn
from derive.source import parse

FILE = "manifest.yaml"
#: What the manifest keeps of the wishes for worksheets, so that they come out the same again.
KEPT = ("hints", "lang", "form", "comma")


@dataclass(frozen=True)
class Variants:
    """What was drawn. original: the mistakes that the exercise itself hides · shared: answers two variants have in common, at most"""

    manifest: Manifest
    drawn: tuple[Drawn, ...]
    original: int
    asked: int
    shared: int

    def told(self) -> Iterator[Say]:
        """In a few sentences."""
        hidden = [one.hidden for one in self.drawn]
        manifest = self.manifest
        yield say("variants.made", count=str(len(hidden)), name=manifest.original.name, seed=str(manifest.seed))
        if any(hidden) and min(hidden) == max(hidden):
            yield say("variants.hidden_alike", count=str(hidden[0]), original=str(self.original))
        elif any(hidden):
            bounds = {"least": str(min(hidden)), "most": str(max(hidden)), "original": str(self.original)}
            yield say("variants.hidden", **bounds)
        else:
            yield say("variants.nothing_hidden")
        if len(hidden) > 1:
            yield say("variants.shared", asked=str(self.asked), shared=str(self.shared))
        if manifest.students:
            yield say("variants.students", count=str(len(manifest.students)))
            most = max(Counter(manifest.students.values()).values())
            if most > 1:
                yield say("variants.repeated", most=str(most))


def variants(
    sheet: Worksheet,
    numbers: Sequence[int],
    seed: int,
    *,
    students: Sequence[str] = (),
    wishes: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda made, planned: None,
) -> Variants:
    """Variants, by their numbers, of the exercise of a worksheet.

    students: ids, who get them in turn · wishes: for the worksheets · progress: told how many are drawn, of how many
    InputError where no fair numbers are found, or two variants would have the same answers.
    """
    original = Original.of(sheet.item, Path(), sheet.id)
    drawing = Drawing(original)
    drawn = []
    for made, number in enumerate(numbers, 1):
        drawn.append(drawing.draw(seed, number))
        progress(made, len(numbers))
    shared_out = {student: numbers[i % len(numbers)] for i, student in enumerate(students)}
    kept = {key: str(value) for key, value in (wishes or {}).items() if key in KEPT and value}
    manifest = Manifest(original, seed, tuple(one.variant for one in drawn), shared_out, kept)
    asked = tuple(drawing.bench.asked)
    return Variants(manifest, tuple(drawn), drawing.allowed, len(asked), most_shared(manifest, drawing, asked))


def most_shared(manifest: Manifest, drawing: Drawing, asked: Sequence[str]) -> int:
    """How many answers, as they are written, two variants or a variant and the original have in common at most.

    InputError where these are all.
    """
    right = Individual(manifest).right
    own = manifest.original.assignment.circuit.floats
    table = np.array([[*right[key], own[key]] for key in asked], dtype=float)
    shown = drawing.bench.written(table)
    same, most = np.abs, 0
    for place in range(shown.shape[1] - 1):
        later = shown[:, place + 1 :]
        equal = (same(later - shown[:, [place]]) <= 1e-9 * same(later)).sum(axis=0)
        most = max(most, int(equal.max()))
        if most == len(asked):
            other = place + 1 + int(equal.argmax())
            ids = [variant.id for variant in manifest.variants] + [manifest.original.name]
            raise manifest.original.item.error(
                f"{ids[place]} and {ids[other]} have the same answers: ask for fewer variants, or take another --seed"
            )
    return most


def sheet_of(manifest: Manifest, variant: Variant, **wishes: Any) -> Worksheet:
    """The worksheet of a variant, by what the manifest says alone, and so the same again.

    wishes: how the command shows progress, as for `worksheet`
    """
    kept: dict[str, Any] = dict(manifest.sheet)
    if "comma" in kept:
        kept["comma"] = True
    unknown = [key for key in kept if key not in KEPT]
    if unknown:
        raise InputError(f"the manifest asks for '{unknown[0]}', which worksheets do not have", file=FILE)
    numbered = manifest.original.net(Variant(variant.number, manifest.original.name, variant.numbers))
    item = parse(numbered, f"{variant.id}.yaml")
    return worksheet(item, variant=variant.id.removeprefix(f"{manifest.original.name}-"), **kept, **wishes)
