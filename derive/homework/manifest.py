"""One exercise with numbers of its own for every student: the file that says which are whose, and marking by it.

    derive_variants: 1
    network: {id: sheet-3, inputs: [0.05, 0.10], …}             # the exercise they were drawn for
    variants:
      - {number: 1, id: sheet-3-01, numbers: {"x[1]": 0.07, …}}  # what stands in the place of what, by entry
    students: {s1234567: 1}

The numbers themselves are there, so that a variant is the same whatever derive, or NumPy, draws one day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

from derive.errors import InputError, nearest, offered
from derive.homework.assignment import Assignment
from derive.homework.typed import replaced, typed
from derive.options import described, mapping, number, sequence, text, whole
from derive.source import Item, Limits, Number, load, parse, quoted, written
from derive.spec import Spec, check
from derive.version import __version__

KIND = "derive_variants"
VERSION = "1"
LIMITS = Limits(size=4 * 2**20, values=400_000)
MOST_VARIANTS = 2_000
MOST_STUDENTS = 20_000
MOST_SEED = 2**63 - 1
KEPT = 64  # variants that are kept ready for marking at a time
SEED = "seed"  # what stands for numbers that the network draws
#: The keys of the file, and what they say.
MEANINGS = {
    KIND: "The version of this form.",
    "derive": "The version of derive that drew the numbers.",
    "seed": "What they were drawn from, together with the number of each variant.",
    "sha256": "Of the network without `check`, as derive writes it: these variants belong to no other.",
    "sheet": "How the worksheets were asked for: hints, language, notation.",
    "network": "The exercise that they are variants of, as in net.yaml.",
    "variants": "Each with its number, its id and the numbers in the place of those of the exercise, by entry.",
    "students": "Who has which variant, by number.",
}
OPTIONAL = ("derive", "sheet", "students")
OF_VARIANT = ("number", "id", "numbers")


@dataclass(frozen=True)
class Variant:
    """Numbers of somebody's own. id: what `assignment:` in the answers says · numbers: by entry, as they are written"""

    number: int
    id: str
    numbers: Mapping[str, Number]


@dataclass(frozen=True, eq=False)
class Original:
    """The exercise behind the variants, with an id. places: the numbers in it that may be others, by entry."""

    item: Item
    folder: Path

    @classmethod
    def of(cls, item: Item, folder: Path, name: str) -> Original:
        """The exercise in a parsed network file. name: its id, where it has none

        InputError where it is no network, has no numbers, or has them in another file.
        """
        top = mapping(item)
        if "parameters" in top:
            raise top["parameters"].at_key().error("variants need the numbers in the network file itself")
        if "id" not in top or top["id"].value is None:
            item = replace(item, value={**top, "id": replace(item, value=name, path="id")})
        return cls(item, folder)

    @property
    def name(self) -> str:
        return text(mapping(self.item)["id"])

    @cached_property
    def spec(self) -> Spec:
        return check(self.item, self.folder)

    @cached_property
    def assignment(self) -> Assignment:
        return Assignment.of(self.spec)

    @cached_property
    def places(self) -> Mapping[str, Item]:
        return typed(self.spec, self.assignment.circuit)

    @cached_property
    def sum(self) -> str:
        """The SHA-256 of the network without `check`, which may still be changed."""
        rest = {key: part for key, part in mapping(self.item).items() if key != "check"}
        return hashlib.sha256(written(replace(self.item, value=rest)).encode()).hexdigest()

    def id_of(self, number: int) -> str:
        return f"{self.name}-{number:02d}"

    def net(self, variant: Variant) -> str:
        """The network file of a variant."""
        numbers, places = variant.numbers, self.places
        made = replaced(self.item, {id(places[key]): new for key, new in numbers.items() if key in places})
        top = {**mapping(made), "id": replace(made, value=variant.id, path="id")}
        if SEED in numbers:
            top[SEED] = replace(made, value=numbers[SEED], path=SEED)
        return written(replace(made, value=top))

    def exercise(self, variant: Variant) -> Assignment:
        """A variant, ready for marking, from nothing but the text of its file."""
        return Assignment.of(check(parse(self.net(variant), f"{variant.id}.yaml"), self.folder))


@dataclass(frozen=True, eq=False)
class Manifest:
    """The variants of an exercise, and whose they are.

    seed: what they were drawn from · students: id -> number of the variant · sheet: how worksheets were asked for
    """

    original: Original
    seed: int
    variants: tuple[Variant, ...]
    students: Mapping[str, int]
    sheet: Mapping[str, str]
    derive: str = __version__

    @cached_property
    def by_number(self) -> Mapping[int, Variant]:
        return {variant.number: variant for variant in self.variants}

    @cached_property
    def by_id(self) -> Mapping[str, Variant]:
        return {normalize("NFC", variant.id): variant for variant in self.variants}

    @cached_property
    def made(self) -> dict[int, Assignment]:
        """The assignments of the variants that were asked for."""
        return {}

    def net(self, number: int) -> str:
        """The network file of a variant. InputError where there is none with this number."""
        return self.original.net(self.variant(number))

    def variant(self, number: int) -> Variant:
        if number not in self.by_number:
            raise InputError(f"there is no variant {number}: there are {spans(self.by_number)}", file="--variant")
        return self.by_number[number]

    def variant_of(self, student: str) -> Variant:
        """The variant of a student. InputError where nobody of this id has one."""
        if student not in self.students:
            problem = f"no student {quoted(student)} in the manifest.{nearest(student, self.students)}"
            raise InputError(problem, file="--student")
        return self.by_number[self.students[student]]

    def assignment(self, number: int) -> Assignment:
        """The variant of a number, ready for marking; those that were marked last are kept."""
        found = self.made.pop(number, None)
        if found is None:
            found = self.original.exercise(self.variant(number))
        self.made[number] = found
        while len(self.made) > KEPT:
            del self.made[next(iter(self.made))]
        return found

    def text(self) -> str:
        """The file."""
        return written(tree(self.plain(), self.original.item))

    def plain(self) -> dict[str, Any]:
        variants = [
            {"number": variant.number, "id": variant.id, "numbers": dict(variant.numbers)} for variant in self.variants
        ]
        found: dict[str, Any] = {KIND: 1, "derive": self.derive, "seed": self.seed, "sha256": self.original.sum}
        found |= {"sheet": dict(self.sheet)} if self.sheet else {}
        found |= {"network": self.original.item, "variants": variants}
        return found | ({"students": dict(self.students)} if self.students else {})


def spans(numbers: Mapping[int, Variant]) -> str:
    """1 to 30, or all of them where some are left out."""
    found = sorted(numbers)
    whole = found == list(range(found[0], found[-1] + 1))
    return f"{found[0]} to {found[-1]}" if whole else ", ".join(map(str, found[:20]))


def tree(value: Any, place: Item, path: str = "") -> Item:
    """Plain values as a tree; what is one already stays."""
    if isinstance(value, Item):
        return replace(value, path=path)
    if isinstance(value, dict):
        parts: Any = {key: tree(part, place, f"{path}.{key}") for key, part in value.items()}
    elif isinstance(value, list):
        parts = [tree(part, place, f"{path}[{i}]") for i, part in enumerate(value)]
    elif isinstance(value, int):
        parts = Number(str(value), Fraction(value))
    else:
        parts = value
    return replace(place, value=parts, path=path)


# reading ------------------------------------------------------------------------------------------------------------------
def is_manifest(item: Item) -> bool:
    """Whether a file says that it is one."""
    return isinstance(item.value, dict) and KIND in item.value


def parsed(content: str, name: str) -> Item:
    """The tree of a network file, or of a manifest, which may be larger."""
    return parse(content, name, LIMITS if KIND in content else Limits())


def name_in(content: str, otherwise: str) -> str:
    """The id of the exercise in a manifest; of any other file what it is called otherwise."""
    item = parsed(content, "") if KIND in content else None
    if item is None or not is_manifest(item):
        return otherwise
    network = mapping(item).get("network")
    named = mapping(network).get("id") if network is not None else None
    return text(named) if named is not None else otherwise


def opened(path: str | Path) -> Manifest:
    """The manifest at a path; `-` is standard input. InputError where it is none."""
    content, name = load(path, LIMITS.size)
    return read(parse(content, name, LIMITS), Path("." if str(path) == "-" else path).parent)


def read(item: Item, folder: Path) -> Manifest:
    """The manifest in a parsed file; InputError, with its place, for whatever does not fit together."""
    given = mapping(item)
    for key, part in given.items():
        if key not in MEANINGS:
            raise part.at_key().error(f"unknown key {quoted(key)}.{offered(key, MEANINGS, 'Keys of a manifest are')}")
    if missing := [key for key in MEANINGS if key not in given and key not in OPTIONAL]:
        raise item.error(f"'{missing[0]}' is missing")
    if text(given[KIND]) != VERSION:
        raise given[KIND].error(f"this version reads {KIND}: {VERSION}")
    network = mapping(given["network"])
    if "id" not in network:
        raise given["network"].error("the network has no id, by which answers name their variant")
    original = Original.of(given["network"], folder, "")
    if text(given["sha256"]) != original.sum:
        raise given["network"].at_key().error("the network was changed after its variants were drawn (sha256)")
    variants = read_variants(given["variants"], original)
    numbers = {variant.number for variant in variants}
    students = read_students(given["students"], numbers) if "students" in given else {}
    return Manifest(
        original,
        whole(given["seed"], 0, MOST_SEED),
        variants,
        students,
        {key: text(part) for key, part in mapping(given["sheet"]).items()} if "sheet" in given else {},
        text(given["derive"]) if "derive" in given else "",
    )


def read_variants(item: Item, original: Original) -> tuple[Variant, ...]:
    parts = sequence(item)
    if not 1 <= len(parts) <= MOST_VARIANTS:
        raise item.error(f"expected 1 to {MOST_VARIANTS:,} variants")
    found: dict[int, Variant] = {}
    ids: set[str] = {normalize("NFC", original.name)}
    for part in parts:
        variant = read_variant(part, original)
        if variant.number in found:
            raise part.error(f"variant {variant.number} is there twice")
        if (id := normalize("NFC", variant.id)) in ids:
            raise part.error(f"the id {quoted(variant.id)} is there twice")
        found[variant.number] = variant
        ids.add(id)
    return tuple(found.values())


def read_variant(item: Item, original: Original) -> Variant:
    given = mapping(item)
    for key, part in given.items():
        if key not in OF_VARIANT:
            raise part.at_key().error(f"unknown key {quoted(key)}.{offered(key, OF_VARIANT, 'A variant has')}")
    if missing := [key for key in OF_VARIANT if key not in given]:
        raise item.error(f"'{missing[0]}' is missing")
    numbers: dict[str, Number] = {}
    for key, part in mapping(given["numbers"]).items():
        if key == SEED:
            whole(part, 0, MOST_SEED)
        elif key not in original.places:
            known = nearest(key, original.places)
            raise part.at_key().error(f"the network has no number {quoted(key)} that could be another.{known}")
        numbers[key] = number(part)
    return Variant(whole(given["number"], 0, 10**6), text(given["id"]).strip(), numbers)


def read_students(item: Item, numbers: set[int]) -> dict[str, int]:
    given = mapping(item)
    if len(given) > MOST_STUDENTS:
        raise item.error(f"more than {MOST_STUDENTS:,} students")
    found: dict[str, int] = {}
    for student, part in given.items():
        if not isinstance(part.value, Number):
            raise part.error(f"expected the number of a variant, not {described(part)}")
        if (which := whole(part)) not in numbers:
            raise part.error(f"there is no variant {which}")
        if (id := normalize("NFC", student.strip())) in found:
            raise part.at_key().error(f"the student {quoted(id)} is there twice")
        found[id] = which
    return found
