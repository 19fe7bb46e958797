"""`derive ema`: an exponentially weighted moving average, value by value, and where its weights lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from derive import formula as fm
from derive.algebra import digits
from derive.checks.errors import Errors
from derive.checks.printed import printed
from derive.document import Amount, Block, Cell, Figure, Form, Line, Say, Section, Step, Table, Witness, say
from derive.errors import nearest
from derive.figures.chart import Axis, Chart, Curve
from derive.formula import Formula, Name, Number, Symbol, formula
from derive.graph import Node, leaf
from derive.language import Words
from derive.numerals import Policy
from derive.ops.base import ruled
from derive.options import mapping, number, sequence, text
from derive.source import Item
from derive.source import Number as Written
from derive.studies.base import Desk, Study
from derive.studies.calculation import Calculation
from derive.studies.unrolled import unrolled
from derive.tensor import Tensor
from derive.values import as_fraction

MAX_VALUES = 10_000
WORKED = 10  # values up to which all days are worked in full; of more, the first few and the last
FIRST = 4
UNROLLED = 4  # days up to which an average is written in terms of all values
ADDED = 10  # values that the closed form of the last day writes down; what is older stays together
KEYS = ("name", "beta", "values", "start", "correct", "numbers")
STARTS = ("zero", "first")
ROLES = {"x": "input"}
LETTERS = {
    "beta": Symbol("β"),
    "x": Symbol("x"),
    "s": Symbol("s"),
    "shat": Symbol("ŝ"),
    "sbar": Symbol("s\u0304"),
    "t": Symbol("t"),
}


@dataclass(frozen=True)
class Average:
    """A checked file of `derive ema`.

    zero: whether it starts from s₀ = 0, else from s₁ = x₁ · correct: whether the start-up bias is divided out
    """

    beta: Written
    values: tuple[Written, ...]
    zero: bool
    correct: bool
    name: str = ""


def study(item: Item, policy: Policy, words: Words) -> Study:
    """The worked study of a file of `derive ema`."""
    average = read(item)
    course = walked(average)
    calculation = Calculation(course.ends, course.given, letters=LETTERS)
    desk = Desk(calculation, policy, words)
    page = Page(desk, course)
    sections = [
        Section("givens", say("section.givens"), (page.givens(),)),
        Section("rule", say("section.average"), tuple(page.rule())),
        Section("steps", say("section.days"), tuple(page.worked())),
        Section("closed", say("section.closed"), tuple(page.closed())),
        Section("weights", say("section.weights"), tuple(page.weights())),
        Section("start", say("section.startup"), tuple(page.startup())),
        Section("course", say("section.all_days"), (page.table(), page.picture())),
    ]
    document = desk.document(
        average.name or words.plain("title.ema"),
        sections,
        desk.quantities(ROLES),
        summary=page.summary(),
        conventions=page.conventions(),
        in_force={"start": "zero" if average.zero else "first", "correct": average.correct},
    )
    return Study(document, calculation, (again(desk, course), printed(document)))


def read(item: Item) -> Average:
    """The file, or what the command line says in its place."""
    given = {key: value for key, value in mapping(item).items() if value.value is not None}
    for key, value in given.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{nearest(key, KEYS)}")
    if "beta" not in given:
        raise item.error("there is no beta, the share of the past: such as 0.9")
    beta = number(given["beta"])
    if not 0 <= beta.exact < 1:
        raise given["beta"].error("beta must be at least 0 and less than 1")
    values = given.get("values")
    parts = [] if values is None else [values] if isinstance(values.value, Written) else sequence(values)
    if not parts:
        raise (values or item).error("there are no values to average")
    if len(parts) > MAX_VALUES:
        raise (values or item).error(f"{len(parts):,} values; at most {MAX_VALUES:,} are worked")
    correct = given["correct"].value if "correct" in given else False
    if not isinstance(correct, bool):
        raise given["correct"].error("expected true or false")
    start = given["start"].value if "start" in given else "zero" if correct else "first"
    if start not in STARTS:
        raise given["start"].error(f"expected zero or first.{nearest(str(start), STARTS)}")
    if correct and start == "first":
        raise given["start"].error(
            "the correction belongs to the start at zero: an average that starts at x1 has no bias"
        )
    name = text(given["name"]) if "name" in given else ""
    return Average(beta, tuple(map(number, parts)), start == "zero", correct, name)


# the averages as a graph --------------------------------------------------------------------------------------------------
@dataclass
class Course:
    """The averages as a graph: of day t, x[t − 1], s[t − 1] and, where corrected, shat[t − 1]; `zero` is s₀."""

    average: Average
    beta: Node
    given: dict[Node, Tensor] = field(default_factory=dict)
    x: list[Node] = field(default_factory=list)
    s: list[Node] = field(default_factory=list)
    shat: list[Node] = field(default_factory=list)
    zero: Node | None = None

    @property
    def ends(self) -> tuple[Node, ...]:
        return (self.beta, *self.x, *([self.zero] if self.zero else []), *self.s, *self.shat)

    @property
    def days(self) -> int:
        return len(self.x)


def walked(average: Average) -> Course:
    """All averages, each from the one before."""
    course = Course(average, leaf((1, 1), "beta", "hyper"))
    course.given[course.beta] = one(average.beta)
    beta = Name("beta")
    old = course.zero = leaf((1, 1), "s@0", "state") if average.zero else None
    if old is not None:
        course.given[old] = Tensor.of([[Fraction(0)]], [["0"]])
    for t, value in enumerate(average.values, 1):
        x = leaf((1, 1), f"x@{t}", "input")
        course.given[x] = one(value)
        before, today, now = Name("before"), Name("today"), Name("now")
        if old is None:
            old = ruled(today, {today: x}).named(f"s@{t}", "state")
        else:
            old = ruled(averaged(beta, before, today), {beta: course.beta, before: old, today: x}).named(
                f"s@{t}", "state"
            )
        course.x.append(x)
        course.s.append(old)
        if average.correct:
            corrected = now / (1 - fm.power(beta, formula(t)))
            course.shat.append(ruled(corrected, {now: old, beta: course.beta}).named(f"shat@{t}", "state"))
    return course


def averaged(beta: Formula, before: Formula, today: Formula) -> Formula:
    """The average after a value: a share β of the average before, the rest of today's value."""
    return beta * before + (1 - beta) * today


def one(number: Written) -> Tensor:
    return Tensor.of([[number.exact]], [[number.text]])


# the page -----------------------------------------------------------------------------------------------------------------
class Page:
    """What stands on the page of one average."""

    def __init__(self, desk: Desk, course: Course) -> None:
        self.desk, self.course, self.average = desk, course, course.average
        self.days, self.zero = course.days, course.average.zero
        self.beta = desk.name("beta")
        self.share = 1 - self.beta
        self.t = desk.defined("t", Symbol("t"), formula(self.days))
        self.mu = desk.defined("mu", Symbol("μ"), fm.add(*(desk.name(x.id) for x in course.x)) / formula(self.days))
        self.x_t, self.s_t = self.at("x", "t", self.last("x")), self.at("s", "t", self.last("s"))
        before = f"s@{self.days - 1}"
        self.s_before = self.at("s", "t−1", desk.name(before if before in desk.node else "x@1"))

    def at(self, letter: str, time: str, same: Formula) -> Name:
        """A quantity of any day, in letters; its lines are checked at a day of this page."""
        return self.desk.defined(f"{letter}@{time}", Symbol(LETTERS[letter].base, sub=time), same)

    def last(self, letter: str) -> Name:
        return self.desk.name(f"{letter}@{self.days}")

    def power(self, exponent: Formula | int) -> Formula:
        """β to a power, as it is taught: β⁰ is 1."""
        exponent = formula(exponent)
        return Number(Fraction(1)) if fm.is_number(exponent, 0) else fm.power(self.beta, exponent)

    def summary(self) -> tuple[Say, ...]:
        last = self.desk.amount(f"s@{self.days}")
        if not self.average.correct:
            return (say("ema.summary", count=f"{self.days:,}", last=last),)
        return (
            say(
                "ema.summary_corrected",
                count=f"{self.days:,}",
                last=last,
                corrected=self.desk.amount(f"shat@{self.days}"),
            ),
        )

    def conventions(self) -> tuple[Say, ...]:
        share = say("convention.ema.share", beta=self.beta, share=self.share)
        if self.zero:
            return (say("convention.ema.zero", s=self.desk.name("s@0")), share)
        return (say("convention.ema.first", s=self.desk.name("s@1"), x=self.desk.name("x@1")), share)

    def givens(self) -> Table:
        rows: list[tuple[Cell, ...]] = [(say("given.share"), self.beta, self.desk.amount("beta"))]
        if self.zero:
            rows.append((say("given.start"), self.desk.name("s@0"), self.desk.amount("s@0")))
        if self.days <= WORKED:
            rows += [(say("given.value"), self.desk.name(x.id), self.desk.amount(x.id)) for x in self.course.x]
        header = (say("table.role"), say("table.symbol"), say("table.value"))
        return Table("givens", say("table.givens"), header, tuple(rows))

    def rule(self) -> Iterator[Block]:
        """The idea, and a day in letters."""
        yield say("ema.idea", share=self.beta, rest=self.share)
        rule = averaged(self.beta, self.s_before, self.x_t)
        yield Step("rule", say("step.day"), (), (Line(self.s_t, (Form(rule),), has_value=False),))
        parts = {"old": self.beta * self.s_before, "new": self.share * self.x_t}
        yield say("ema.slip", s=self.s_t, **parts, share=self.beta, rest=self.share)
        if self.zero:
            yield say("ema.start.zero", s=self.desk.name("s@0"))
        else:
            yield say("ema.start.first", s=self.desk.name("s@1"), x=self.desk.name("x@1"))

    def worked(self) -> Iterator[Block]:
        """Every day, or the first ones and the last, line by line."""
        days = range(1, self.days + 1)
        for t in days if self.days <= WORKED else [*days[:FIRST], self.days]:
            if t == self.days and self.days > WORKED:
                yield say("ema.skipped", first=str(FIRST + 1), last=f"{self.days - 1:,}")
            ids = [f"s@{t}", *([f"shat@{t}"] if self.average.correct else [])]
            lines = tuple(line for id in ids for line in self.desk.lines(id))
            self.desk.values.home |= dict.fromkeys(ids, f"days/{t}")
            yield Step(f"days/{t}", say("step.value", number=f"{t:,}"), (), lines)

    # all values at once -----------------------------------------------------------------------------------------------
    def closed(self) -> Iterator[Block]:
        """The recursion put into itself, and the sum it comes to."""
        found = [(t, unrolled(self.desk, "s", t, ("x",))) for t in range(2, min(self.days, UNROLLED) + 1)]
        lines = tuple(Line(self.desk.name(f"s@{t}"), (Form(f),)) for t, f in found if f is not None)
        if lines:
            yield say("ema.unrolled")
            yield Step("closed/unrolled", say("step.unrolled", name=Name("s", (), LETTERS["s"])), (), lines)
        i, t = Name("i", (), Symbol("i")), Name("t", (), Symbol("t"))
        every = fm.grand_total(self.power(t - i) * Name("x@i", (), Symbol("x", sub="i")))
        start, s0 = self.power(t), Name("s@0", (), Symbol("s", sub="0"))
        yield say("ema.closed", s=self.s_t, closed=self.share * every + start * s0, i=i, t=t, share=self.beta)
        if not self.zero:
            yield say("ema.closed_first", s=s0, x=self.desk.name("x@1"))
        yield Step(
            "closed/last",
            say("step.closed", number=f"{self.days:,}"),
            (),
            (Line(self.last("s"), (Form(self.added()),)),),
        )
        if self.days > ADDED:
            yield say("ema.older", s=self.desk.name(f"s@{self.days - ADDED}"))

    def added(self) -> Formula:
        """The last average as a sum over the values, the newest first; older ones stay together in an average."""
        day, oldest = self.days, max(0, self.days - ADDED)
        terms = [self.share * self.power(day - i) * self.desk.name(f"x@{i}") for i in range(day, oldest, -1)]
        start = self.desk.name(f"s@{oldest}" if oldest or self.zero else "x@1")
        return fm.add(*terms, self.power(day - oldest) * start)

    # weights ----------------------------------------------------------------------------------------------------------
    def weights(self) -> Iterator[Block]:
        """How much each value counts, that all weights together are 1, and how far back they reach."""
        yield self.weight_table()
        yield say("ema.sum.telescope")
        ages = (self.power(k) for k in range(3))
        one_by_one, moved = fm.add(*ages), fm.add(*(-self.power(k + 1) for k in range(3)))
        whole = 1 - self.power(self.days)
        last = self.desk.defined(f"W@{self.days}", Symbol("W", sub=str(self.days)), whole)
        three = self.desk.defined("W@3", Symbol("W", sub="3"), 1 - self.power(3))
        forms = (Form(self.share * one_by_one), Form(one_by_one + moved), Form(1 - self.power(3)))
        sums = Line(three, forms, has_value=self.days == 3)
        lines = (sums,) if self.days == 3 else (sums, Line(last, (Form(whole),)))
        yield Step("weights/sum", say("step.weight_sum"), (), lines)
        rest = self.desk.defined("rest", Symbol("β"), self.power(self.days))
        missing = {"power": self.power(self.days), "rest": Amount(rest)}
        yield say("ema.sum.zero", **missing) if self.zero else say("ema.sum.first", **missing, x=self.desk.name("x@1"))
        yield from self.window()

    def weight_table(self) -> Table:
        """The weight of every value in the last average, and what it contributes."""
        rows: list[tuple[Cell, ...]] = []
        for i in range(self.days, 0, -1):
            if self.days > WORKED and FIRST < i <= self.days - WORKED + FIRST:
                rows += [("⋯", "", "", "")] if i == FIRST + 1 else []
                continue
            factor = self.share * self.power(self.days - i)
            whole = self.power(self.days - 1) if i == 1 and not self.zero else factor
            rows.append((self.desk.name(f"x@{i}"), whole, *self.weighed(f"{i}", whole, self.desk.name(f"x@{i}"))))
        if self.zero:
            rows.append(
                (
                    self.desk.name("s@0"),
                    self.power(self.days),
                    *self.weighed("0", self.power(self.days), self.desk.name("s@0")),
                )
            )
        total = self.desk.defined("weights", Symbol("W"), formula(1))
        rows.append((say("table.total"), "", Amount(total), self.desk.amount(f"s@{self.days}")))
        header = (say("table.of"), say("table.weight"), say("table.value"), say("table.contribution"))
        title = say("table.weights" if self.days <= WORKED else "table.weights_some", s=self.last("s"))
        return Table("weights", title, header, tuple(rows))

    def weighed(self, key: str, weight: Formula, of: Name) -> tuple[Amount, Amount]:
        found = self.desk.defined(f"weight@{key}", Symbol("w", sub=key), weight)
        return Amount(found), Amount(self.desk.defined(f"part@{key}", Symbol("p", sub=key), weight * of))

    def window(self) -> Iterator[Block]:
        """1/(1 − β), after which a weight has fallen to about 1/e."""
        n = self.desk.defined("window", Symbol("n"), 1 / self.share)
        fallen = self.desk.defined("fallen", Symbol("r"), fm.power(self.beta, n))
        e = self.desk.defined("e", Symbol("e"), fm.exp(formula(-1)))
        yield say("ema.window", share=self.beta, number=1 / self.share)
        lines = (Line(n, (Form(1 / self.share),)), Line(fallen, (Form(fm.power(self.beta, n)),)))
        yield Step("weights/window", say("step.window"), (), lines)
        compared = {"inverse": fm.exp(formula(-1)), "e": Amount(e), "power": fm.power(self.beta, n)}
        yield say("ema.fallen", **compared, share=self.beta, window=Amount(n))

    # the start --------------------------------------------------------------------------------------------------------
    def startup(self) -> Iterator[Block]:
        """What the start does to the first averages: the bias of a start at 0 and its correction."""
        if not self.zero:
            first = {"s": self.desk.name("s@1"), "x": self.desk.name("x@1")}
            yield say("ema.no_bias", **first, t=self.t, power=self.power(self.t - 1), number=1 / self.share)
            return
        yield say(
            "ema.bias",
            mu=self.mu,
            x=Name("x", (), LETTERS["x"]),
            s=self.s_t,
            mean=Name("sbar@t", (), Symbol("s\u0304", sub="t")),
        )
        yield Step("start/bias", say("step.bias"), (), tuple(self.bias()))
        yield say("ema.biased", s=self.s_t, factor=1 - self.power(self.t), power=self.power(self.t))
        hat = self.at("shat", "t", self.s_t / (1 - self.power(self.t)))
        correction = Line(hat, (Form(self.s_t / (1 - self.power(self.t))),), has_value=False)
        yield Step("start/correction", say("step.correction"), (), (correction,))
        if not self.average.correct:
            yield say("ema.uncorrected")
            return
        again = self.share * self.desk.name("x@1") / self.share
        yield say("ema.corrected", first=again, x=self.desk.name("x@1"))

    def bias(self) -> Iterator[Line]:
        """The expected value of the average, day by day, and of any day by the step from the day before."""
        old: Formula = formula(0)
        for day in range(1, 4):
            mean = self.desk.defined(f"sbar@{day}", Symbol("s\u0304", sub=str(day)), (1 - self.power(day)) * self.mu)
            forms = [self.beta * old + self.share * self.mu, (1 - self.power(day)) * self.mu]
            yield Line(mean, tuple(Form(f) for f in dict.fromkeys(forms)), has_value=False)
            old = (1 - self.power(day)) * self.mu
        before = self.at("sbar", "t−1", (1 - self.power(self.t - 1)) * self.mu)
        mean = self.at("sbar", "t", (1 - self.power(self.t)) * self.mu)
        inner = self.beta - self.power(self.t) + 1 - self.beta
        forms = [
            self.beta * before + self.share * self.mu,
            self.beta * ((1 - self.power(self.t - 1)) * self.mu) + self.share * self.mu,
            inner * self.mu,
            (1 - self.power(self.t)) * self.mu,
        ]
        yield Line(mean, tuple(map(Form, forms)), has_value=False)

    # all days ---------------------------------------------------------------------------------------------------------
    def table(self) -> Table:
        letters = ("x", "s", *(("shat",) if self.average.correct else ()))
        rows: list[tuple[Cell, ...]] = (
            [("0", "", self.desk.amount("s@0"), *("" for _ in letters[2:]))] if self.zero else []
        )
        rows += [
            (f"{t:,}", *(self.desk.amount(f"{letter}@{t}") for letter in letters)) for t in range(1, self.days + 1)
        ]
        header = (Name("t", (), Symbol("t")), *(Name(letter, (), LETTERS[letter]) for letter in letters))
        return Table("course", say("table.averages"), header, tuple(rows), fold=len(rows) > 25)

    def picture(self) -> Figure:
        """The values as dots, the averages as lines."""
        floats, words = self.desk.values.floats, self.desk.words

        def points(nodes: list[Node], first: int = 1) -> tuple[tuple[float, float], ...]:
            return tuple((float(t), float(floats[node.id][0, 0])) for t, node in enumerate(nodes, first))

        before = [] if self.course.zero is None else [self.course.zero]
        curves = [
            Curve(words.plain("figure.values"), points(self.course.x), "dots"),
            Curve("s", points([*before, *self.course.s], 1 - len(before))),
        ]
        if self.course.shat:
            curves.append(Curve("ŝ", points(self.course.shat)))
        chart = Chart(words.plain("figure.average"), Axis("t"), Axis(""), tuple(curves))
        return Figure("average", say("figure.average"), chart)


# witnesses ----------------------------------------------------------------------------------------------------------------
def again(desk: Desk, course: Course) -> Witness:
    """Every average as the weighted sum over all values that it is, with 50 digits, by a loop of its own."""
    mp, errors = digits(), Errors()
    beta = mp.number(course.average.beta.exact)
    values = [mp.number(value.exact) for value in course.average.values]
    scale = max([abs(float(value)) for value in values] + [1e-100])
    for t, node in closed_form_days(course):
        start = 0 if course.average.zero else values[0]
        found, weight = beta**t * start, 1 - beta
        for value in reversed(values[:t]):
            found, weight = found + weight * value, weight * beta
        errors.compare(mp.number(as_fraction(desk.values.arrays[node.id][0, 0])), found, scale)
        if course.shat:
            ours = mp.number(as_fraction(desk.values.arrays[f"shat@{t}"][0, 0]))
            errors.compare(ours, found / (1 - beta**t), scale)
    return errors.witness("closed_form", "s", 1e-30 if not desk.policy.as_you_go else float("inf"))


def closed_form_days(course: Course) -> list[tuple[int, Node]]:
    """All days of few; of many, some spread over all."""
    every = max(1, course.days // 20)
    return [(t, node) for t, node in enumerate(course.s, 1) if t % every == 0 or t <= WORKED or t == course.days]
