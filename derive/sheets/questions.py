"""What a sheet asks for: steps by id, label, pattern or group, in the order of computation, numbered."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_lowercase

from derive.errors import InputError, nearest
from derive.formula import Name
from derive.graph import Node
from derive.homework.circuit import STEP, Circuit, Entry
from derive.homework.reading import MAX_ANSWERS
from derive.ids import after, base, derivative, is_after

#: What can be asked for together, by name. `all` is everything that is worked out.
GROUPS = ("forward", "loss", "gradients", "updates", "slopes", "errors", "after", "all")
#: What is asked for where nothing is said; of a study or a sheet of formulas, everything.
USUAL = ("forward", "loss", "gradients", "updates", STEP)
ROLES = {
    "slope": "slopes",
    "error": "errors",
    "gradient": "gradients",
    "loss": "loss",
    "penalty": "loss",
    "updated": "updates",
    "state": "updates",
    "hyper": "updates",
    STEP: STEP,
}
LARGEST_POWER = 300  # of ten, of a number that answers can hold
_TYPED = re.compile(r"[^\W\d_][\w/+@.,\[\]]*")


@dataclass(frozen=True)
class Asked:
    """What is asked for, and what is given to go on with.

    keys: of the entries that are asked for, in the order of computation
    given: ids of the intermediate results that are given, likewise
    """

    keys: tuple[str, ...]
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asking:
    """One question: the entries of one quantity. number: from 1 · parts: (letter, key); of a single one without a letter"""

    number: int
    node: Node
    parts: tuple[tuple[str, str], ...]


def group(entry: Entry) -> str:
    """The group of what is worked out; "" of what nobody is asked for: other names of numbers, and gradients of inputs."""
    role, id = entry.node.role, entry.node.id
    if entry.given or role == "parameter" or (role == "state" and isinstance(entry.formula, Name)):
        return ""
    if role == "gradient":
        return "" if base(id) == "dL/dx" else "gradients"
    if role == "running":
        return "updates"
    if is_after(id) and role != "updated":
        return "after"
    return ROLES.get(role, "forward")


def asked(circuit: Circuit, wanted: Sequence[str] | None, *, values: bool = False, file: str = "--ask") -> Asked:
    """The entries behind what is wanted: ids, entries, labels, patterns with *, groups, a group at a step (`loss@2`).

    wanted: None for the usual ones · values: whether intermediate results are given, which then are not asked for
    unless by name · file: the place that errors name
    Raises InputError, with the nearest name, where there is no such step, and where more is asked than can be answered.
    """
    named: set[str] = set()
    found: set[str] = set()
    if wanted is None:
        found = set(usual(circuit))
    for name in wanted or ():
        keys = in_group(circuit, name) or matching(circuit, name)
        if not keys:
            keys = by_name(circuit, name, file)
            named |= set(keys)
        found |= set(keys)
    order = circuit.order
    keys = sorted(found, key=order.__getitem__)
    given: list[str] = []
    if values:
        given, keys = split(circuit, keys, named)
    if not keys:
        raise InputError("nothing is left to be asked for", file=file)
    if len(keys) > MAX_ANSWERS:
        raise InputError(f"{len(keys):,} numbers are asked for; at most {MAX_ANSWERS:,} can be answered", file=file)
    for key in keys:
        size = circuit.decimal(key).adjusted() if circuit.decimal(key) else 0
        if abs(size) > LARGEST_POWER:
            raise InputError(f"'{key}' is about 1e{size}, which no answer can be; ask for other steps", file=file)
    return Asked(tuple(keys), tuple(given))


def usual(circuit: Circuit) -> list[str]:
    """What is asked for where nothing is said."""
    of_network = "L" in circuit.nodes or "W1" in circuit.nodes
    return [key for key, entry in circuit.entries.items() if (g := group(entry)) and (g in USUAL or not of_network)]


def in_group(circuit: Circuit, name: str) -> list[str]:
    """The keys of a group, `gradients`, or of a group at a training step, `gradients@2`."""
    plain, at, step = name.partition("@")
    if plain not in GROUPS or (at and not step.isdecimal()):
        return []
    steps = [(key, entry) for key, entry in circuit.entries.items() if not at or entry.step == int(step)]
    if plain == "all":
        return [key for key, entry in steps if not entry.given and entry.node.role != "parameter"]
    return [key for key, entry in steps if group(entry) == plain]


def matching(circuit: Circuit, pattern: str) -> list[str]:
    """The keys of what is worked out whose id, entry or label fits a pattern with *."""
    if "*" not in pattern:
        return []
    fits = re.compile(".*".join(map(re.escape, pattern.split("*")))).fullmatch
    return [
        key
        for key, entry in circuit.entries.items()
        if not entry.given and any(map(fits, (key, entry.node.id, circuit.label(key))))
    ]


def by_name(circuit: Circuit, name: str, file: str) -> list[str]:
    """The keys of a step; of a parameter, its gradient and its update."""
    keys = circuit.find(name) if "*" not in name else None
    if keys is None:
        known = [*circuit.nodes, *circuit.quantities.labels.entries, *GROUPS]
        raise InputError(f"there is no step '{name}'.{nearest(name, known)}", file=file)
    found = [key for key in keys if not circuit.entries[key].given]
    if not found:
        found = [key for given in keys for key in belonging(circuit, circuit.entries[given])]
    if not found:
        raise InputError(f"'{name}' is given, not worked out", file=file)
    return found


def belonging(circuit: Circuit, parameter: Entry) -> Iterator[str]:
    """The keys of a parameter's gradient and of its value after the update."""
    for id in (derivative("L", parameter.node.id), after(parameter.node.id)):
        if parameter.node.role == "parameter" and id in circuit.nodes:
            yield circuit.array(circuit.nodes[id])[parameter.row, parameter.column].key


# intermediate results ---------------------------------------------------------------------------------------------------
def split(circuit: Circuit, keys: Iterable[str], named: set[str]) -> tuple[list[str], list[str]]:
    """(ids that are given to go on with, keys that are still asked for).

    Given is what each layer passes on, and what comes back to it, as far as something that is asked for is computed from
    it. What is the same number as a given one, or its opposite, is not asked; what is asked by name is not given.
    """
    keys = list(keys)
    shown = {abs(circuit.floats[key]) for key in named} - {0.0}
    needed = {parent for key in keys for parent in circuit.entries[key].parents}
    given: list[str] = []
    told: set[str] = set()
    numbers: set[float] = set()
    for id in checkpoints(circuit):
        own = {name.key for name in circuit.array(circuit.nodes[id]).ravel()}
        sizes = {abs(circuit.floats[key]) for key in own} - {0.0}
        if own & needed and not own & named and not alike(sizes, shown):
            given.append(id)
            told |= own
            numbers |= sizes
    return given, [key for key in keys if key not in told and not alike({abs(circuit.floats[key])}, numbers)]


def alike(some: set[float], others: set[float]) -> bool:
    """Whether a number of some is one of the others, noise of floats aside."""
    return any(math.isclose(one, other, rel_tol=1e-12) for one in some for other in others)


def checkpoints(circuit: Circuit) -> Iterator[str]:
    """What the layers hand on: their outputs, but the last ones', and the gradients of their weighted sums."""
    passed_on = {parent for e in circuit.entries.values() if group(e) == "forward" for parent in e.parents}
    taken = {circuit.entries[key].node.id for key in passed_on}
    weighted = {node.id for node in circuit.nodes.values() if node.role == "preactivation"}
    fed = {circuit.entries[p].node.id for e in circuit.entries.values() if e.node.id in weighted for p in e.parents}
    for node in circuit.nodes.values():
        forward = group(circuit.entries[circuit.array(node)[0, 0].key]) == "forward"
        if (forward and node.id in taken & fed) or (node.role == "gradient" and node.id.startswith("dL/dz")):
            yield node.id


# numbering --------------------------------------------------------------------------------------------------------------
def numbered(circuit: Circuit, keys: Iterable[str]) -> tuple[Asking, ...]:
    """The questions, one for each quantity, numbered from 1; their entries (a), (b), …"""
    made = []
    for number, (id, same) in enumerate(groupby(keys, key=lambda key: circuit.entries[key].node.id), start=1):
        entries = list(same)
        letters = [""] if len(entries) == 1 else map(letter, range(len(entries)))
        made.append(Asking(number, circuit.nodes[id], tuple(zip(letters, entries, strict=False))))
    return tuple(made)


def letter(place: int) -> str:
    """a, b, …, z, aa, ab, …"""
    before, last = divmod(place, len(ascii_lowercase))
    return (letter(before - 1) if before else "") + ascii_lowercase[last]


def typed(circuit: Circuit, key: str) -> str:
    """What answers call an entry: the author's name for it where that is easily typed and means nothing else, or its id."""
    label = circuit.label(key)
    return label if _TYPED.fullmatch(label) and circuit.find(label) == (key,) else key


def shortest(circuit: Circuit, keys: Iterable[str]) -> list[str]:
    """The entries as `check: ask:` names them: whole quantities where all their entries are among them."""
    kept = set(keys)
    found: dict[str, None] = {}
    for key in circuit.keys:
        if key in kept:
            node = circuit.entries[key].node
            whole = all(name.key in kept for name in circuit.array(node).ravel())
            found[node.id if whole and circuit.find(node.id) else key] = None
    return list(found)


__all__ = ["GROUPS", "Asked", "Asking", "asked", "numbered", "shortest", "typed"]
