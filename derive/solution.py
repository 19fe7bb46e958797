"""A network solved: model, document and the witnesses' report; numbers by id or label; printed in any format."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from derive import checks, passes, policies
from derive.build import build
from derive.derivation import Wishes, tell
from derive.document import Book, Document, Witness
from derive.errors import Diverged, InputError, WitnessError, nearest
from derive.examples import resolve
from derive.language import Words
from derive.lessons import topics
from derive.model import Model, at_random
from derive.notation import Notation
from derive.notation import read as read_notation
from derive.numerals import Policy
from derive.options import mapping
from derive.pointers import pointed
from derive.printers import FORMATS
from derive.source import Item
from derive.spec import Spec, load, tree
from derive.tensor import Floats
from derive.values import Quantities

if TYPE_CHECKING:
    from derive.training.loop import Course

TRIES = 50  # random numbers to check a symbolic solution with: how often others are tried


@dataclass(frozen=True)
class Solution:
    """A worked solution that its witnesses agree on.

    `solution["dL/dW2"]` is a float64 array in the shape of the contract, `solution["w5"]` the number with that label.
    """

    document: Document
    model: Quantities
    course: Course | None = None

    def __getitem__(self, name: str) -> Floats:
        """The value of a canonical id, of one entry (`W2[1,2]`), or of a label. KeyError names the nearest id."""
        found = self.find(name)
        if found is None:
            known = [*self.document.quantities, *self.model.labels.entries, *self.model.labels.whole]
            raise KeyError(f"no quantity '{name}'.{nearest(name, known)}")
        id, index = found
        value = self.document.quantities[id].value
        if value is None:
            raise KeyError(f"'{name}' has no number: the solution is symbolic")
        entry: Floats = np.asarray(value[tuple(i - 1 for i in index)] if index else value)
        return entry

    def find(self, name: str) -> tuple[str, tuple[int, ...]] | None:
        """(id, index) behind an id, an entry or a label, also inside d…/d… and with + after it."""
        quantities = self.document.quantities
        match = re.fullmatch(r"(?P<id>.+?)\[(?P<index>\d{1,9}(?:,\d{1,9})*)\]", name)
        id, index = (match["id"], tuple(map(int, match["index"].split(",")))) if match else (name, ())
        if id not in quantities and not match:
            id, index = self.model.labels.find(name)
        id = id if id in quantities else id.removesuffix("@1")
        if id == "l" and "l" not in quantities:
            id = "L"
        if id == "L" and index:  # L[1] is the loss of output 1, the loss itself where there is but one
            id, index = ("l", index) if "l" in quantities else ("L", () if index == (1,) else index)
        if id not in quantities:
            return None
        shape = quantities[id].shape
        fits = not index or (len(index) == len(shape) and all(1 <= i <= n for i, n in zip(index, shape, strict=True)))
        return (id, index) if fits else None

    def named(self, name: str) -> tuple[str, tuple[int, ...]]:
        """The same, or an InputError that names the nearest."""
        found = self.find(name)
        if found is None:
            known = [*self.document.quantities, *self.model.labels.entries, *self.model.labels.whole]
            raise InputError(f"there is no quantity '{name}'.{nearest(name, known)}", file="--only")
        return found

    # printing -------------------------------------------------------------------------------------------------------
    def linked(self, lessons: str) -> Solution:
        """The same, with links to the lessons on the page at this address: what `derive explain --all` writes."""
        return replace(self, document=replace(self.document, lessons=lessons))

    def print(self, format: str, **how: Any) -> str | bytes:
        """The solution in one of the formats of `derive.printers.FORMATS`.

        how: for pdf, `engine` (typst, xelatex, pdflatex or chromium) and `fonts` (files or folders for Typst)
        """
        if format not in FORMATS:
            raise InputError(f"unknown format '{format}'.{nearest(format, FORMATS)}")
        return FORMATS[format].print(self.document, **how)

    def to_html(self) -> str:
        """One self-contained page."""
        return str(self.print("html"))

    def to_latex(self) -> str:
        """A LaTeX document."""
        return str(self.print("latex"))

    def to_pdf(self, engine: str | None = None, fonts: Sequence[str | Path] = ()) -> bytes:
        """A PDF.

        engine: typst, xelatex, pdflatex or chromium; None is the first that is there
        fonts: files or folders of fonts that Typst tries first
        """
        return bytes(self.print("pdf", engine=engine, fonts=fonts))  # type: ignore[arg-type]

    def to_docx(self) -> bytes:
        """A document of Word, with equations that can be edited."""
        return bytes(self.print("docx"))  # type: ignore[arg-type]

    def to_markdown(self) -> str:
        """Markdown as GitHub renders it."""
        return str(self.print("markdown"))

    def to_json(self) -> str:
        """JSON, schema derive-solution/1."""
        return str(self.print("json"))

    def save(self, folder: str | Path, formats: Sequence[str] = ("html",)) -> list[Path]:
        """Writes the files into a folder, each whole or not at all, and says which."""
        printed = {
            Path(folder) / FORMATS[name].name(of_all=isinstance(self.document, Book)): self.print(name)
            for name in formats
        }
        for path, content in printed.items():
            write(path, content)
        return list(printed)

    def beside(self) -> dict[str, bytes]:
        """Files that belong beside a page, by name: where training stopped."""
        if self.course is None:
            return {}
        from derive.training import checkpoint

        return {checkpoint.FILE: checkpoint.save(self.course)}

    def _repr_html_(self) -> str:
        return framed(self.to_html())


def framed(page: str) -> str:
    """A page inside that of a notebook: a frame keeps the two styles apart."""
    from html import escape

    return f'<iframe srcdoc="{escape(page)}" style="width:100%;height:40rem;border:0"></iframe>'


def kept(spec: Spec) -> Model:
    """The model of a file; where training diverges after its first step, with the steps before that."""
    model = build(spec)
    if spec.steps == 1 or model.missing:
        return model
    try:
        model.numbers()
        return model
    except Diverged as error:
        steps = error.step if error.after else error.step - 1
        if not steps:
            raise
    shorter = replace(build(replace(spec, steps=steps)), diverged=steps + 1)
    try:
        shorter.numbers()
    except Diverged:
        return replace(shorter, after=None)
    return shorter


def completed(model: Model) -> Model:
    """A model with numbers everywhere: random ones, where the file has none, that suit its functions."""
    if not model.missing:
        return model
    for seed in range(TRIES):
        tried = at_random(model, seed)
        try:
            tried.numbers()
        except InputError:
            continue
        return tried
    raise model.spec.item.error("no numbers were found at which this network can be checked")


def write(path: Path, content: str | bytes) -> None:
    """A file, whole or not at all: written beside its place and moved there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".derive-")
    except OSError as error:
        raise InputError(f"cannot be written: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(f"cannot be written: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def umask() -> int:
    """The mask for new files; Python can only ask for it by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def solve(
    net: str | Path | Mapping[str, Any],
    *,
    form: str = "auto",
    level: str = "normal",
    lang: str = "en",
    notation: str | None = None,
    backward: bool = True,
    only: Sequence[str] = (),
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Solution:
    """The worked solution of a network: a path, `-`, the name of a built-in example, or a mapping like net.yaml.

    form: scalar, matrix, both, or auto · level: brief, normal, full · lang: en or zh · notation: a preset
    only: ids or labels, to keep their lines alone · stage: told what is being done, for a progress display
    numbers: significant, decimals, exact, round_as_you_go, half, comma: in the place of the file's own
    Raises InputError where the file is at fault, WitnessError where an independent check disagrees.
    """
    stage("read")
    spec = load(resolve(net) if not isinstance(net, Mapping) else net)
    if backward and spec.loss is None:
        raise spec.item.error("backprop needs a loss; `derive forward` does without")
    model = completed(kept(spec))
    page = Page(spec, policies.read(spec.numbers, numbers), read_notation(spec.notation, notation), Words(lang), stage)
    return page.solution(model, Wishes(form, level, backward), only)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Page:
    """What a solution is made with, beside its model."""

    spec: Spec
    policy: Policy
    notation: Notation
    words: Words
    stage: Callable[[str], None]

    def solution(self, model: Model, wishes: Wishes, only: Sequence[str], course: Course | None = None) -> Solution:
        """The document, witnessed and cut to what was asked for."""
        self.stage("derive")
        document, _ = tell(model, self.policy, self.notation, self.words, wishes, course)
        self.stage("check")
        return finished(document, model, checks.report(model, document, course), wishes.level, only, course)


def finished(
    document: Document,
    model: Quantities,
    witnesses: Sequence[Witness],
    level: str,
    only: Sequence[str],
    course: Course | None = None,
) -> Solution:
    """The solution, if its witnesses agree, as much of it as is wanted."""
    if wrong := [w for w in witnesses if not w.ok]:
        worst = wrong[0]
        raise WitnessError(
            f"{worst.name} disagrees on {worst.quantity}: relative error {worst.max_rel:.3g}, "
            f"allowed {worst.tolerance:.3g}"
        )
    document = replace(document, witnesses=tuple(witnesses))
    solution = Solution(document if document.topic else pointed(document, topics()), model, course)
    passed = passes.LEVELS[level](solution.document)
    if only:
        passed = passes.select(passed, [solution.named(name) for name in only])
        if not passed.sections:
            raise InputError(f"there is no line about {', '.join(only)} at this level", file="--only")
    return replace(solution, document=passed)


def study(
    kind: str,
    given: str | Path | Mapping[str, Any] | Item,
    *,
    level: str = "normal",
    lang: str = "en",
    only: Sequence[str] = (),
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Solution:
    """A worked study of training mathematics: a file's path, or a mapping of the same form.

    kind: optimizer, ema, schedule, batches · the other arguments are those of `solve`
    """
    from importlib import import_module

    stage("read")
    item = given if isinstance(given, Item) else tree(given)
    top = mapping(item)
    policy = policies.read(top.get("numbers"), numbers)
    stage("derive")
    found = import_module(f"derive.studies.{kind}").study(item, policy, Words(lang))
    stage("check")
    return finished(found.document, found.calculation, found.witnesses, level, only)


__all__ = ["InputError", "Solution", "WitnessError", "solve", "study"]
