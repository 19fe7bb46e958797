"""A network solved: model, document and the witnesses' report; numbers by id or label; printed in any format."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
from derive.files import deliver, write
from derive.language import Words
from derive.lessons import topics
from derive.model import Model, at_random
from derive.notation import Notation
from derive.notation import read as read_notation
from derive.numerals import Policy
from derive.options import mapping
from derive.pointers import pointed
from derive.printers import FORMATS
from derive.spec import Given, Spec, load, tree
from derive.tensor import Floats
from derive.values import Quantities

if TYPE_CHECKING:
    from derive.figures.axes import Axes
    from derive.figures.chart import Chart
    from derive.training.loop import Course

TRIES = 50  # random numbers to check a symbolic solution with: how often others are tried


@dataclass(frozen=True, repr=False)
class Solution:
    """A worked solution that its witnesses agree on.

    `solution["dL/dW2"]` is a float64 array in the shape of the contract, `solution["w5"]` the number with that label.
    In a notebook it shows itself as the page; `only` makes a part of it, `plot_…` draw on matplotlib's axes.
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

    def named(self, name: str, file: str = "--only") -> tuple[str, tuple[int, ...]]:
        """The same, or an InputError that names the nearest; file: where the name stands."""
        found = self.find(name)
        if found is None:
            known = [*self.document.quantities, *self.model.labels.entries, *self.model.labels.whole]
            raise InputError(f"there is no quantity '{name}'.{nearest(name, known)}", file=file)
        return found

    def only(self, *names: str) -> Solution:
        """The lines about some quantities alone, by ids or labels; of a parameter, those of its gradient and its update.

        Raises InputError for an unknown name, and where no line is about any of them.
        """
        document = passes.select(self.document, [self.named(name) for name in names])
        if not document.sections:
            raise InputError(f"there is no line about {', '.join(names)} at this level", file="--only")
        return replace(self, document=document)

    # printing -------------------------------------------------------------------------------------------------------
    def linked(self, lessons: str) -> Solution:
        """The same, with links to the lessons on the page at this address: what `derive explain --all` writes."""
        return replace(self, document=replace(self.document, lessons=lessons))

    def called(self, net: Given) -> Solution:
        """The same, under the name of the file it comes from, of which letters, digits and . _ + - are kept."""
        if not isinstance(net, (str, Path)) or str(net) == "-":
            return self
        name = re.sub(r"[^\w.+-]+", "-", Path(net).stem).strip("-") or "network"
        return replace(self, document=replace(self.document, called=name))

    def labelled(self, prefix: str) -> Solution:
        """The same, with numbered equations in LaTeX fragments: `prefix:forward-2-z` for `\\ref` and `\\eqref`."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9:._-]*", prefix):
            raise InputError(
                f"'{prefix}' is no prefix of labels: letters, digits, and : . _ - between them", file="--labels"
            )
        return replace(self, document=replace(self.document, prefix=prefix))

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

    def pieces(self, format: str) -> dict[str, str | bytes]:
        """The solution in a format that is several files, by their names."""
        return FORMATS[format].files(self.document)

    def save(self, folder: str | Path, formats: Sequence[str] = ("html",)) -> list[Path]:
        """Writes the files into a folder, each whole or not at all, and says which; a format of several has a folder in it."""
        book = isinstance(self.document, Book)
        places = {name: Path(folder) / FORMATS[name].name(of_all=book) for name in dict.fromkeys(formats)}
        printed = {name: self.pieces(name) if FORMATS[name].several else self.print(name) for name in places}
        for name, content in printed.items():
            deliver(places[name], content)
        return list(places.values())

    def beside(self) -> dict[str, bytes]:
        """Files that belong beside a page, by name: where training stopped."""
        if self.course is None:
            return {}
        from derive.training import checkpoint

        return {checkpoint.FILE: checkpoint.save(self.course)}

    # plotting -------------------------------------------------------------------------------------------------------
    def plot_loss(self, axes: Axes | None = None) -> Axes:
        """The loss over the steps made: of `steps:` in the file, of `derive.train`, or of a study's function.

        axes: matplotlib's, to draw on; None: those of a new figure. Returns the axes drawn on.
        Raises InputError where the solution has no loss, or no numbers.
        """
        from derive import plots

        return drawn(plots.loss(self.document), axes)

    def plot_trajectory(self, *names: str, axes: Axes | None = None) -> Axes:
        """The way of entries over the steps; of two, the one against the other.

        names: ids of entries or labels (`w5`, `W1[2,1]`); without any, every parameter if there are at most 12, or where
        an optimizer descends a function of two variables, its way over the level lines
        Raises InputError for an unknown name, a whole matrix, and where nothing changes.
        """
        from derive import plots

        return drawn(plots.trajectory(self.document, [self.entry(name) for name in names]), axes)

    def plot_gradients(self, axes: Axes | None = None) -> Axes:
        """How large the gradients of the parameters are: layer by layer, or step by step where several are worked."""
        from derive import plots

        return drawn(plots.gradients(self.document), axes)

    def entry(self, name: str) -> tuple[str, tuple[int, ...]]:
        """(id, index) of a single number; of a label that has another one with it, InputError."""
        id, index = self.named(name, file="plot_trajectory")
        if shape := self.document.quantities[id].shape[len(index) :]:
            first = ",".join("1" for _ in shape)
            raise InputError(
                f"this is not one number but {'×'.join(map(str, shape))}: choose an entry, such as {id}[{first}]",
                file=name,
            )
        return id, index

    def __repr__(self) -> str:
        document = self.document
        agreed = sum(witness.compared for witness in document.witnesses)
        return f"<Solution {document.title!r}: {len(document.quantities)} quantities, {agreed:,} comparisons agree>"

    def _repr_html_(self) -> str:
        return framed(self.to_html())


def drawn(chart: Chart, axes: Axes | None) -> Axes:
    """A chart on matplotlib's axes; what draws it is imported when it is wanted."""
    from derive.figures.axes import draw

    return draw(chart, axes)


def framed(page: str) -> str:
    """A page inside that of a notebook: a frame keeps the two styles apart, and is as high as the page, up to a limit."""
    from html import escape

    fit = "this.style.height=Math.min(this.contentDocument.documentElement.scrollHeight+8,720)+'px'"
    return f'<iframe srcdoc="{escape(page)}" onload="{fit}" style="width:100%;height:40rem;border:0"></iframe>'


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


def solve(
    net: Given,
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
    """The worked solution of a network: forward pass, loss, gradient of every parameter, updates, checked.

    net: a path, `-` for standard input, the name of a built-in example, or a mapping like net.yaml
    form: `scalar` every unit by itself, `matrix`, `both`, or `auto`, by size
    level: `brief` lines only, `normal`, or `full`, nothing folded · lang: `en` or `zh`
    notation: a preset in the place of the file's own: standard, mazur, nielsen, ng, d2l, bishop, haykin, rows
    backward: whether to go beyond the loss · only: ids or labels, to keep their lines alone
    stage: told what is being done, for a progress display
    numbers: `significant` digits (4) or `decimals`, `exact` fractions where there are any, `round_as_you_go` like on
    paper, `half` (up, even, down) for ties, decimal `comma`: in the place of the file's own

    Numbers are float64 in PyTorch's shapes: weights (out, in), vectors (units,), batches (samples, units). They have no
    units, angles in radians. The semantics of layers, losses and optimizers are PyTorch's:
    https://docs.pytorch.org/docs/stable/nn.html, https://docs.pytorch.org/docs/stable/optim.html.
    Raises InputError where the file is at fault, WitnessError where an independent check disagrees.
    """
    stage("read")
    spec = load(resolve(net))
    if backward and spec.loss is None:
        raise spec.item.error("backprop needs a loss; `derive forward` does without")
    model = completed(kept(spec))
    page = Page(spec, policies.read(spec.numbers, numbers), read_notation(spec.notation, notation), Words(lang), stage)
    return page.solution(model, Wishes(form, level, backward), only).called(net)  # type: ignore[arg-type]


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
        document = replace(document, asked=policies.asked(self.spec.check))
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
    leveled = replace(solution, document=passes.LEVELS[level](solution.document))
    return leveled.only(*only) if only else leveled


def study(
    kind: str,
    given: Given,
    *,
    level: str = "normal",
    lang: str = "en",
    only: Sequence[str] = (),
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Solution:
    """A worked study of training mathematics without a network: an optimizer, a moving average, a schedule, batches.

    kind: optimizer, ema, schedule, batches
    given: a file's path, or a mapping of the same form, as
    {"optimizer": {"adam": {"lr": 0.1}}, "function": "x^2 + y^2", "start": {"x": 1, "y": 2}, "steps": 10}
    The other arguments, and what is raised, are those of `solve`. Quantities are `theta@t`, `m@t`, `f@t`, … of shape ()
    for one variable, (n,) for n; of a schedule `lr`, one rate for each epoch; of an average `x@t`, `s@t`.
    """
    from importlib import import_module

    stage("read")
    item = tree(given)
    top = mapping(item)
    policy = policies.read(top.get("numbers"), numbers)
    stage("derive")
    found = import_module(f"derive.studies.{kind}").study(item, policy, Words(lang))
    stage("check")
    return finished(found.document, found.calculation, found.witnesses, level, only).called(given)


__all__ = ["InputError", "Solution", "WitnessError", "solve", "study", "write"]
