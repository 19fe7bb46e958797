"""`derive batches`: how many updates an epoch has, and the same update with batches of every size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derive import formula as fm
from derive.checks.errors import Errors
from derive.checks.printed import printed
from derive.document import Block, Figure, Form, Line, Say, Section, Step, Table, Witness, say
from derive.errors import nearest
from derive.figures.chart import Axis, Chart, Curve
from derive.formula import Formula, Name, Partial, Symbol, formula
from derive.graph import Node, leaf
from derive.language import Words
from derive.numerals import Policy
from derive.options import mapping, text, whole
from derive.source import Item
from derive.studies.base import Desk, Study
from derive.studies.calculation import Calculation
from derive.studies.samples import COUNT, EPOCHS, Samples, descents, enumerated, way
from derive.tensor import Tensor

MOST = 10**12
NEEDED = ("samples", "batch_size", "epochs")
KEYS = ("name", *NEEDED, "drop_last", "numbers")
COUNTS = ("samples", "batch_size", "epochs", "quotient", "rest", "iterations", "last_batch", "updates", "seen")
ROLES = {
    **dict.fromkeys(COUNTS, "count"),
    **dict.fromkeys(("w", "w_full", "w_one", "w_mini"), "parameter"),
    **dict.fromkeys(("g", "g_one", "g_mini", "gbar_mini", "gbar", "total"), "gradient"),
    **dict.fromkeys(("variance", "variance_batch", "variance_drawn", "squares"), "variance"),
    "x": "input",
    "y": "target",
}
LETTERS = {
    **{id: Symbol(letter) for id, letter in zip(COUNTS, ("N", "B", "E", "q", "r", "I", "", "U", "S"), strict=True)},
    "last_batch": Symbol("B", sub="I"),
    **dict.fromkeys(("w_full", "w_one", "w_mini"), Symbol("w")),
    **dict.fromkeys(("g_one", "g_mini"), Symbol("g")),
    **dict.fromkeys(("gbar_mini", "gbar"), Symbol("ḡ")),
    "total": Symbol("G"),
    "squares": Symbol("Q"),
    "lr": Symbol("η"),
    "variance": Symbol("σ", sup="2"),
    "variance_batch": Symbol("σ", sub="b", sup="2"),
    "variance_drawn": Symbol("σ̃", sub="b", sup="2"),
}


@dataclass(frozen=True)
class Cut:
    """A checked file of `derive batches`, with what is counted of it."""

    samples: int
    batch: int
    epochs: int
    drop_last: bool
    name: str = ""

    @property
    def iterations(self) -> int:
        return self.samples // self.batch if self.drop_last else -(-self.samples // self.batch)

    @property
    def last(self) -> int:
        return self.batch if self.drop_last else self.samples - (self.iterations - 1) * self.batch

    @property
    def per_epoch(self) -> int:
        """Samples whose gradients an epoch uses."""
        return self.iterations * self.batch if self.drop_last else self.samples

    def counts(self) -> dict[str, int]:
        rest = self.samples % self.batch
        found = (self.samples, self.batch, self.epochs, self.samples // self.batch, rest, self.iterations, self.last)
        return dict(zip(COUNTS, (*found, self.epochs * self.iterations, self.epochs * self.per_epoch), strict=True))


def read(item: Item) -> Cut:
    """The file, or what the command line says in its place."""
    given = {key: value for key, value in mapping(item).items() if value.value is not None}
    for key, value in given.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{nearest(key, KEYS)}")
    if missing := [key for key in NEEDED if key not in given]:
        raise item.error(f"samples, batch_size and epochs have to be given; missing: {', '.join(missing)}")
    samples, batch, epochs = (whole(given[key], 1, MOST) for key in NEEDED)
    drop_last = given["drop_last"].value if "drop_last" in given else False
    if not isinstance(drop_last, bool):
        raise given["drop_last"].error("expected true or false")
    if drop_last and batch > samples:
        raise given["batch_size"].error(
            f"a batch of {batch:,} is never full with {samples:,} samples: with drop_last there is no iteration at all"
        )
    return Cut(samples, batch, epochs, drop_last, text(given["name"]) if "name" in given else "")


def study(item: Item, policy: Policy, words: Words) -> Study:
    """The worked study of a file of `derive batches`."""
    cut = read(item)
    samples = Samples(cut.batch if 1 < cut.batch < COUNT else 2, cut.drop_last)
    given = dict(samples.given)
    nodes: list[Node] = []
    for id, count in cut.counts().items():
        nodes.append(leaf((1, 1), id, "count"))
        given[nodes[-1]] = Tensor.of([[Fraction(count)]], [[str(count)]])  # written out, however many digits
    calculation = Calculation((*nodes, *samples.ends), given, letters=LETTERS)
    desk = Desk(calculation, policy, words)
    page = Page(desk, cut, samples)
    sections = [
        Section("givens", say("section.givens"), (page.givens(),)),
        Section("counts", say("section.counts"), tuple(page.counts())),
        Section("rule", say("section.batch_rule"), tuple(page.rule())),
        Section("gradients", say("section.sample_gradients"), tuple(page.gradients())),
        Section("full", say("section.full_batch"), tuple(page.full())),
        Section("one", say("section.one_sample"), tuple(page.epoch("one"))),
        Section("mini", say("section.mini_batch"), tuple(page.epoch("mini"))),
        Section("noise", say("section.noise"), tuple(page.noise())),
        Section("compare", say("section.side_by_side"), tuple(page.compared())),
    ]
    document = desk.document(
        cut.name or words.plain("title.batches"),
        sections,
        desk.quantities(ROLES),
        summary=(say("batches.summary", iterations=f"{cut.iterations:,}", updates=f"{cut.epochs * cut.iterations:,}"),),
        conventions=(say("convention.batches.dropped" if cut.drop_last else "convention.batches.kept"),),
        in_force={"drop_last": cut.drop_last},
    )
    found = (counted(desk, cut), descents(desk, samples), enumerated(desk, samples), printed(document))
    return Study(document, calculation, found)


# the page -----------------------------------------------------------------------------------------------------------------
class Page:
    """What stands on the page of one cut."""

    def __init__(self, desk: Desk, cut: Cut, samples: Samples) -> None:
        self.desk, self.cut, self.small = desk, cut, samples
        self.N, self.B, self.E, self.q, self.r, self.I = map(desk.name, COUNTS[:6])
        self.w, self.x, self.y = (
            desk.defined(id, Symbol(id), desk.name(f"{id}@{0 if id == 'w' else 1}")) for id in ("w", "x", "y")
        )

    def givens(self) -> Table:
        rows = [(say(f"given.{id}"), self.desk.name(id), self.desk.amount(id)) for id in NEEDED]
        header = (say("table.role"), say("table.symbol"), say("table.value"))
        return Table("givens", say("table.givens"), header, tuple(rows))

    def step(self, id: str, title: Say, **lines: Formula) -> Step:
        """One line for each quantity of a step."""
        return Step(id, title, (), tuple(Line(self.desk.name(of), (Form(f),)) for of, f in lines.items()))

    def counts(self) -> Iterator[Block]:
        """The division, and all that follows from it."""
        cut, q, r = self.cut, self.q, self.r
        yield say("batches.intro", N=self.N, B=self.B)
        division = {"quotient": fm.floor(self.N / self.B), "rest": self.N - q * self.B, "samples": q * self.B + r}
        yield self.step("counts/division", say("step.division"), **division)
        kind = "divides" if cut.samples % cut.batch == 0 else "dropped" if cut.drop_last else "rest"
        left = {"rest": self.desk.amount("rest"), "ratio": self.N / self.B}
        yield say(f"batches.{kind}", **({} if kind == "divides" else left))
        rounded = fm.floor(self.N / self.B) if cut.drop_last else fm.ceil(self.N / self.B)
        yield self.step("counts/iterations", say("step.iterations"), iterations=rounded)
        last = self.B if cut.drop_last else self.N - (self.I - 1) * self.B
        yield self.step("counts/last", say("step.last_batch"), last_batch=last)
        yield self.step("counts/updates", say("step.updates"), updates=self.E * self.I)
        yield self.step(
            "counts/seen", say("step.seen"), seen=self.E * self.I * self.B if cut.drop_last else self.E * self.N
        )

    def rule(self) -> Iterator[Block]:
        """The update all three have in common, and the data set on which they are worked."""
        mean = self.desk.defined("mean", Symbol("ḡ"), self.desk.name("gbar"))
        new = self.desk.defined("new", Symbol("w", mark="+"), self.desk.name("w_full@1"))
        yield say("batches.rule")
        yield Step(
            "rule",
            say("step.one_update"),
            (),
            (Line(new, (Form(self.w - self.desk.name("lr") * mean),), has_value=False),),
        )
        yield say("batches.sizes", n=self.N, b=self.B)
        demo = {"n": self.desk.name("n"), "b": self.desk.name("b"), "samples": str(COUNT), "size": str(self.small.size)}
        start = {"w": self.desk.name("w@0"), "lr": self.desk.name("lr"), "rate": self.desk.amount("lr")}
        yield say("batches.example", **demo, **start)
        if self.small.size != self.cut.batch:
            yield say("batches.other_size", batch=self.desk.amount("batch_size"))

    def gradients(self) -> Iterator[Block]:
        """The derivative of one sample's loss, and its value for every sample at the start."""
        guess = self.desk.defined("guess", Symbol("ŷ"), self.w * self.x)
        error = self.desk.defined("loss", Symbol("ℓ"), fm.power(self.w * self.x - self.y, formula(2)))
        slope = self.desk.defined("slope", Partial(Symbol("ℓ"), Symbol("w")), self.desk.name("g@1"))
        inner = 2 * (self.w * self.x - self.y) * self.x
        lines = (
            Line(guess, (Form(self.w * self.x),), has_value=False),
            Line(error, (Form(fm.power(guess - self.y, formula(2))),), has_value=False),
            Line(slope, (Form(2 * (guess - self.y) * self.x), Form(inner)), has_value=False),
        )
        yield Step("gradients/rule", say("step.sample_gradient"), (), lines)
        start = tuple(line for i in range(1, COUNT + 1) for line in self.line(f"g@{i}", "gradients/all"))
        yield self.data()
        yield Step("gradients/all", say("step.all_gradients", w=self.desk.name("w@0")), (), start)

    def data(self) -> Table:
        names = [Name(letter, (), Symbol(letter)) for letter in ("x", "y")]
        rows = tuple((str(i), self.desk.amount(f"x@{i}"), self.desk.amount(f"y@{i}")) for i in range(1, COUNT + 1))
        return Table("data", say("table.data"), (Name("i", (), Symbol("i")), *names), rows)

    def line(self, id: str, home: str) -> tuple[Line, ...]:
        self.desk.values.home[id] = home
        return self.desk.lines(id)

    def full(self) -> Iterator[Block]:
        """All samples, one update."""
        yield say("batches.full", w=self.desk.name("w@0"))
        lines = [line for id in ("total", "gbar", "w_full@1") for line in self.line(id, "full/1")]
        yield Step("full/1", say("step.update_all", number="1"), (), tuple(lines))

    def epoch(self, way: str) -> Iterator[Block]:
        """One update for each batch."""
        sample = {"g": Name("g", (), Symbol("g", sub="i")), "i": Name("i", (), Symbol("i"))}
        yield say(f"batches.{way}", **sample, w=self.w)
        size = 1 if way == "one" else self.small.size
        for k, batch in enumerate(self.small.batches(size), 1):
            home = f"{way}/{k}"
            ids = [f"g_{way}@{i}" for i in batch] + ([f"gbar_{way}@{k}"] if size > 1 else []) + [f"w_{way}@{k}"]
            lines = tuple(line for id in ids for line in self.line(id, home))
            update = {"number": str(k), "samples": ", ".join(map(str, batch))}
            title = say("step.update_one", **update) if len(batch) == 1 else say("step.update_few", **update)
            yield Step(home, title, (), lines)

    # noise ------------------------------------------------------------------------------------------------------------
    def noise(self) -> Iterator[Block]:
        """How far the gradients of single samples and of batches scatter around the full gradient."""
        yield say("batches.noise", w=self.desk.name("w@0"), mean=self.desk.name("gbar"))
        one = [line for id in ("squares", "variance") for line in self.line(id, "noise/one")]
        yield Step("noise/one", say("step.variance_one"), (), tuple(one))
        n, b = self.desk.name("n"), self.desk.name("b")
        yield say("batches.averaged", b=b, n=n, factor=(n - b) / (n - 1))
        lines = (*self.line("variance_batch", "noise/replaced"), *self.line("variance_drawn", "noise/replaced"))
        yield Step("noise/batch", say("step.variance_batch", b=str(self.small.size)), (), lines)
        ordered, sets = COUNT**self.small.size, math.comb(COUNT, self.small.size)
        yield say("batches.enumerated", ordered=f"{ordered:,}", sets=f"{sets:,}")
        yield say("batches.root", root=fm.sqrt(b), b=b)

    def compared(self) -> Iterator[Block]:
        """The three on the numbers given, and on the small data set."""
        yield self.table()
        yield say("batches.compared")
        yield self.picture()
        yield say("batches.picture", w=self.w, n=str(COUNT))

    # side by side -----------------------------------------------------------------------------------------------------
    def table(self) -> Table:
        """What each of the three costs with the user's numbers."""
        cut, variance = self.cut, self.desk.name("variance")
        ways: tuple[tuple[str, int, int, int, Formula], ...] = (
            ("full", cut.samples, 1, cut.samples, formula(0)),
            ("one", 1, cut.samples, cut.samples, variance),
            ("mini", min(cut.batch, cut.samples), cut.iterations, cut.per_epoch, self.mini_noise(variance)),
        )
        columns = [(size, updates, updates * cut.epochs, cost, noise) for _, size, updates, cost, noise in ways]
        keys = ("per_update", "per_epoch", "in_all", "cost", "variance")
        rows = tuple(
            (say(f"table.{key}"), *(cell if isinstance(cell, Formula) else str(cell) for cell in row))
            for key, row in zip(keys, zip(*columns, strict=True), strict=True)
        )
        header = ("", *(say(f"batches.way.{name}") for name, *_ in ways))
        return Table("compare", say("table.batches"), header, rows)

    def mini_noise(self, variance: Name) -> Formula:
        """The variance of a mini-batch drawn without replacement."""
        if self.cut.batch >= self.cut.samples:
            return formula(0)
        return variance if self.cut.batch == 1 else variance / self.B * ((self.N - self.B) / (self.N - 1))

    def picture(self) -> Figure:
        """The parameter over the samples seen."""
        words = self.desk.words
        curves = [
            Curve(
                words.plain(f"batches.way.{name}"),
                tuple((float(seen), float(w)) for seen, w in way(self.small.batches(size), EPOCHS)),
            )
            for name, size in (("full", COUNT), ("one", 1), ("mini", self.small.size))
        ]
        chart = Chart(words.plain("figure.descents"), Axis(words.plain("figure.seen")), Axis("w"), tuple(curves))
        return Figure("descents", say("figure.descents"), chart)


# witnesses ----------------------------------------------------------------------------------------------------------------
def counted(desk: Desk, cut: Cut) -> Witness:
    """The counts, from where every batch begins."""
    stop = cut.samples - cut.batch + 1 if cut.drop_last else cut.samples
    firsts, errors = range(0, stop, cut.batch), Errors()
    last = min(cut.batch, cut.samples - firsts[-1])
    seen = firsts[-1] + last
    for id, count in {
        "iterations": len(firsts),
        "last_batch": last,
        "updates": len(firsts) * cut.epochs,
        "seen": seen * cut.epochs,
    }.items():
        errors.compare(float(desk.values.floats[id][0, 0]), float(count), float(count))
    return errors.witness("cuts", "iterations", 0.0)
