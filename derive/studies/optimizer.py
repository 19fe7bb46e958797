"""`derive optimizer`: an optimizer by itself, step by step, on a function or on given gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from derive import reference
from derive.algebra import FLOATS, UNKNOWN, Value, digits, evaluate
from derive.checks.errors import Errors
from derive.checks.printed import printed
from derive.checks.updates import Begun, plain, stepped
from derive.document import Amount, Block, Cell, Document, Figure, Form, Line, Say, Section, Step, Table, Witness, say
from derive.figures.chart import Axis, Chart, Contours, Curve
from derive.formula import Name, Partial, Symbol
from derive.graph import Node
from derive.language import Words
from derive.numerals import Policy
from derive.optimizers import SINGLE, decay, optimizers, option_name
from derive.source import Item
from derive.studies import forms
from derive.studies.base import Desk, Study
from derive.studies.calculation import Calculation
from derive.studies.descent import Course, Descent, Walk, alternatives, letter_of, read
from derive.studies.unrolled import unrolled

WORKED = 10  # steps up to which all are worked in full; of more, the first few and the last
FIRST = 3
UNROLLED = 4  # steps up to which a remembered value is written in terms of all gradients
MOST_CHECKED = 100  # steps whose gradients are held against differences
SMALLEST = 1e-16  # of the largest value, down to which a logarithmic axis goes
GRID = 41  # points along each side of the region whose level lines are drawn
MOST_TABLES = 12  # variables whose numbers are given over all steps
MOST_NAMED = 4  # variables by each of which the derivative is written down in letters
ROLES = {"theta": "parameter", "g": "gradient", "f": "loss"}


def study(item: Item, policy: Policy, words: Words) -> Study:
    """The worked study of a file of `derive optimizer`."""
    descent = read(item)
    course = Walk(descent).walk()
    letters = {"lr": Symbol("η"), "t": Symbol("t"), "f": Symbol("f")}
    beside = () if policy.as_you_go else forms.parallel(course)
    calculation = Calculation((*course.ends, *beside), course.given, descent.symbols, letters)
    desk = Desk(calculation, policy, words)
    others = [Walk(other).walk() for other in alternatives(descent)]
    sections = [
        Section("givens", say("section.givens"), (givens(desk, course),)),
        Section("rule", say("section.rule"), rule(desk, course)),
        Section("steps", say("section.steps"), tuple(worked(desk, course))),
        Section("unrolled", say("section.unrolled"), () if policy.as_you_go else tuple(in_gradients(desk, course))),
        Section("course", say("section.course"), (*tables(desk, course), *pictures(desk, course, others))),
        Section("compare", say("section.compare"), comparison(desk, course, others)),
    ]
    name = descent.optimizer.name
    document = desk.document(
        descent.name or words.plain("title.optimizer", name=title(name)),
        sections,
        {id: q for id, q in desk.quantities(ROLES).items() if id != "t"},  # the step in letters is not one of these
        summary=summary(desk, course),
        conventions=conventions(course),
        in_force={"optimizer": {name: plain(descent.optimizer.in_force)}},
    )
    return Study(document, calculation, tuple(witnesses(desk, course, document)))


def title(name: str) -> str:
    """An optimizer's name at the head of a page."""
    found = optimizers.title(name)
    return found[:1].upper() + found[1:]


# the parts ----------------------------------------------------------------------------------------------------------------
def givens(desk: Desk, course: Course) -> Table:
    """The options in force, the start, the function."""
    descent = course.descent
    rows: list[tuple[Cell, ...]] = []
    if descent.function is not None:
        rows.append((say("given.function"), Name("f", (), Symbol("f")), descent.function))
    columns = range(len(descent.variables))
    rows += [(say("given.start"), desk.name("theta@0", c), desk.amount("theta@0", c)) for c in columns]
    rows += [(say("given.named", name=option_name(id)), desk.name(id), desk.amount(id)) for id in course.options]
    own = set(letters_of(course))
    for node in course.given:
        if node.role == "state" and node.id in desk.node and letter_of(node) in own and node.id.endswith("@0"):
            rows += [(say("given.state"), desk.name(node.id, c), desk.amount(node.id, c)) for c in range(node.shape[1])]
    if course.steps_before:
        rows.append((say("given.steps_before"), "", f"{course.steps_before:,}"))
    header = (say("table.role"), say("table.symbol"), say("table.value"))
    return Table("givens", say("table.givens"), header, tuple(rows), fold=len(rows) > 20)


def rule(desk: Desk, course: Course) -> tuple[Block, ...]:
    """The lines of any step, in letters."""
    descent = course.descent
    blocks: list[Block] = [say(f"update.{descent.optimizer.name}")]
    if descent.optimizer.name == "sgd" and descent.optimizer.in_force["momentum"]:
        blocks.append(say("update.momentum"))
    several = range(len(descent.variables))
    lines: list[Line] = []
    for node in course.general:
        if letter_of(node) == "g" and descent.function is None:
            continue
        if letter_of(node) == "g":
            lines += [slope_line(desk, node, descent, column) for column in several[:MOST_NAMED]]
        else:
            formula = desk.reader.formula(node, 0, 0)  # with all its cases: which one applies is not said in letters
            lines.append(Line(desk.name(node.id), (Form(formula, numbers=False),), has_value=False))
    if lines:
        blocks.append(Step("rule", say("step.rule"), (), tuple(lines)))
    if len(several) > 1:
        blocks.append(say("optimizer.each", first=headed(desk, "theta", 0)))
    return (*blocks, *(() if desk.policy.as_you_go else forms.blocks(desk, course)))


def slope_line(desk: Desk, node: Node, descent: Descent, column: int) -> Line:
    """g as the partial derivative it is."""
    target, formula = desk.name(node.id, column), desk.reader.formula(node, 0, column)
    partial = Partial(Symbol("f"), descent.symbols[column])
    name = desk.defined(f"df/d{descent.variables[column].id}", partial, target)
    return Line(target, (Form(name, numbers=False), Form(formula, numbers=False)), has_value=False)


def worked(desk: Desk, course: Course) -> Iterator[Block]:
    """Every step, or the first ones and the last, line by line."""
    steps = range(1, course.steps + 1)
    told = steps if course.steps <= WORKED else [*steps[:FIRST], course.steps]
    for t in told:
        if t == course.steps and course.steps > WORKED:
            yield say("optimizer.skipped", first=FIRST + 1, last=course.steps - 1)
        lines = tuple(step_lines(desk, course, t))
        for node in course.lines[t - 1]:
            desk.values.home.setdefault(node.id, f"steps/{t}")
        yield Step(f"steps/{t}", say("step.number", number=t), (), lines, fold=t > FIRST and t != course.steps)
    if course.diverged:
        yield say("iteration.diverged", step=course.diverged)


def step_lines(desk: Desk, course: Course, t: int) -> Iterator[Line]:
    """The lines of one step, variable by variable; then f."""
    nodes = [node for node in course.lines[t - 1] if node.inputs]
    single = [node for node in nodes if node.shape[1] == 1 and len(course.descent.variables) > 1]
    for node in single:
        yield desk.reader.line(node, 0, 0)
    ahead = [node for node in nodes if letter_of(node) == "ahead"]
    for node in ahead:  # the gradient needs the whole point
        yield from (desk.reader.line(node, 0, column) for column in range(node.shape[1]))
    for column in range(len(course.descent.variables)):
        yield from (desk.reader.line(node, 0, column) for node in nodes if node not in (*single, *ahead))
    if course.f:
        yield desk.reader.line(desk.node[f"f@{t}"], 0, 0)


def tables(desk: Desk, course: Course) -> Iterator[Table]:
    """Everything over t, variable by variable; with the first of them, f."""
    columns = range(min(len(course.descent.variables), MOST_TABLES))
    for column in columns:
        yield table(desk, course, column, with_f=column == 0 and bool(course.f))


def table(desk: Desk, course: Course, column: int, *, with_f: bool) -> Table:
    letters = [letter for letter in letters_of(course) if letter not in SINGLE]
    header: list[Cell] = [Name("t", (), Symbol("t"))]
    header += [headed(desk, letter, column) for letter in letters]
    header += [Name("f", (), Symbol("f"))] if with_f else []
    rows: list[tuple[Cell, ...]] = []
    for t in range(course.steps + 1):
        ids = [f"{letter}@{t}" for letter in letters]
        cells: list[Cell] = [
            desk.amount(id, column) if id in desk.node and (t or letter == "theta") else ""
            for id, letter in zip(ids, letters, strict=True)
        ]
        rows.append((str(t), *cells, *([desk.amount(f"f@{t}")] if with_f else [])))
    several = len(course.descent.variables) > 1
    name = headed(desk, "theta", column)
    title = say("table.course.parameter", name=name) if several else say("table.course.steps")
    return Table(f"course/{column + 1}", title, tuple(header), tuple(rows), fold=len(rows) > 25)


def letters_of(course: Course) -> list[str]:
    """What the steps compute, in order."""
    return list(dict.fromkeys(letter_of(node) for nodes in course.lines for node in nodes))


def headed(desk: Desk, letter: str, column: int) -> Name:
    name = desk.reader.naming.entry(
        desk.node[f"{letter}@1" if f"{letter}@1" in desk.node else f"{letter}@2"], 0, column
    )
    assert isinstance(name.symbol, Symbol)
    sub = name.symbol.sub.rpartition(",")[0]
    return Name(letter, (), replace(name.symbol, sub=sub))


def summary(desk: Desk, course: Course) -> tuple[Say, ...]:
    found: list[Say] = []
    if course.f:
        last = desk.amount(f"f@{course.steps}")
        found.append(say("optimizer.summary", steps=course.steps, before=desk.amount("f@0"), after=last))
    if course.diverged:
        found.append(say("iteration.diverged", step=course.diverged))
    return tuple(found)


def conventions(course: Course) -> list[Say]:
    found = [say("convention.optimizer.count")]
    if course.steps_before:
        found.append(say("convention.steps_before", count=f"{course.steps_before:,}"))
    if way := decay(course.general):
        found.append(say(f"convention.decay.{way}"))
    return found


# unrolled -----------------------------------------------------------------------------------------------------------------
def in_gradients(desk: Desk, course: Course) -> Iterator[Block]:
    """What is remembered, in terms of all gradients so far: the recursion put into itself."""
    told = False
    for letter in letters_of(course):
        lines = []
        for t in range(1, min(course.steps, UNROLLED) + 1):
            if f"{letter}@{t}" not in desk.node or letter == "theta" or letter in SINGLE:
                continue
            found = unrolled(desk, letter, t, ("g", "gtilde"))
            if found is not None and t > 1 and recurs(desk, letter):
                lines.append(Line(desk.name(f"{letter}@{t}"), (Form(found),)))
        if lines and not told:
            told = True
            yield say("optimizer.unrolled")
        if lines:
            yield Step(f"unrolled/{letter}", say("step.unrolled", name=headed(desk, letter, 0)), (), tuple(lines))


def recurs(desk: Desk, letter: str) -> bool:
    """Whether a line is written in its own value of the step before."""
    second = desk.node.get(f"{letter}@2")
    return second is not None and any(source.id == f"{letter}@1" for source in second.inputs)


# pictures -----------------------------------------------------------------------------------------------------------------
def pictures(desk: Desk, course: Course, others: Sequence[Course]) -> Iterator[Figure]:
    """The way over the level lines (two variables) or along the curve (one), and f over the steps."""
    if not course.f:
        return
    words, symbols = desk.words, [symbol.text for symbol in course.descent.symbols]
    runs = [course, *others]
    ways = {run.descent.optimizer.name: points(desk, run, course) for run in runs}
    if len(symbols) == 2:
        curves = tuple(Curve(name, tuple(map(tuple, way[:, :2].tolist())), "path") for name, way in ways.items())
        grid = contours(course.descent, np.concatenate([way[:, :2] for way in ways.values()]))
        chart = Chart(words.plain("figure.way"), Axis(symbols[0]), Axis(symbols[1]), curves, grid)
        yield Figure("way", say("figure.way"), chart)
    elif len(symbols) == 1:
        curves = tuple(Curve(name, tuple(map(tuple, way.tolist())), "path") for name, way in ways.items())
        chart = Chart(words.plain("figure.way"), Axis(symbols[0]), Axis("f"), (curve(course.descent, ways), *curves))
        yield Figure("way", say("figure.way"), chart)
    lowest = min(float(way[:, -1].min()) for way in ways.values())
    highest = max(float(way[:, -1].max()) for way in ways.values())
    log = lowest > 0 and highest > 100 * lowest
    least = highest * SMALLEST if log else -np.inf  # what is smaller is as good as 0 beside the rest
    falls = tuple(
        Curve(name, tuple((float(t), float(row[-1]) if row[-1] >= least else np.nan) for t, row in enumerate(way)))
        for name, way in ways.items()
    )
    chart = Chart(words.plain("figure.fall"), Axis("t"), Axis("f", log=log), falls)
    yield Figure("fall", say("figure.fall"), chart)


def points(desk: Desk, run: Course, own: Course) -> Value:
    """The parameters and f after each step, in floats."""
    walk = Calculation((*run.theta, *run.f), run.given, run.descent.symbols).numbers()
    rows = [np.concatenate([walk[theta][0], walk[f][0]]) for theta, f in zip(run.theta, run.f, strict=True)]
    return np.array(rows, dtype=float)


def contours(descent: Descent, way: Value) -> Contours:
    """f on a grid around the way."""
    low, high = way.min(axis=0), way.max(axis=0)
    margin = np.maximum((high - low) * 0.25, 0.1 * max(1e-9, float((high - low).max())) or 0.5)
    xs, ys = (np.linspace(a - m, b + m, GRID) for a, b, m in zip(low, high, margin, strict=True))
    rows = [[height(descent, x, y) for x in xs] for y in ys]
    return Contours(tuple(xs.tolist()), tuple(ys.tolist()), tuple(map(tuple, rows)))


def height(descent: Descent, *at: float) -> float:
    assert descent.function is not None
    with np.errstate(all="ignore"):
        return float(
            evaluate(
                descent.function, dict(zip(descent.variables, map(np.float64, at), strict=True)).__getitem__, FLOATS
            )
        )


def curve(descent: Descent, ways: dict[str, Value]) -> Curve:
    every = np.concatenate([way[:, 0] for way in ways.values()])
    low, high = float(every.min()), float(every.max())
    margin = (high - low) * 0.25 or 0.5
    xs = np.linspace(low - margin, high + margin, 4 * GRID).tolist()
    return Curve("f", tuple((x, height(descent, x)) for x in xs))


def comparison(desk: Desk, course: Course, others: Sequence[Course]) -> tuple[Block, ...]:
    """Where each optimizer is after the last step."""
    if not others or not course.f:
        return ()
    rows: list[tuple[Cell, ...]] = []
    for run in (course, *others):
        name = run.descent.optimizer.name
        end = points(desk, run, course)[-1]
        cells = [shown(desk, f"{name}/{c}", float(value)) for c, value in enumerate(end)]
        rows.append((name, f"{run.steps}", *cells))
    names_ = [Name(symbol.text, (), symbol) for symbol in course.descent.symbols]
    header = (say("table.optimizer"), say("table.steps_done"), *names_, Name("f", (), Symbol("f")))
    return (say("optimizer.compared"), Table("compare", say("table.compare"), header, tuple(rows)))


def shown(desk: Desk, id: str, value: float) -> Amount:
    name = Name(f"compare/{id}", (), Symbol("f"))
    desk.values.define(name, value, UNKNOWN)
    return Amount(name)


# witnesses ----------------------------------------------------------------------------------------------------------------
def witnesses(desk: Desk, course: Course, document: Document) -> Iterator[Witness]:
    """The steps made again by the reference, the gradient by differences, the printed lines by their text."""
    if course.descent.function is not None and course.lines and not desk.policy.as_you_go:
        yield slopes(desk, course)
    if course.lines and course.descent.optimizer.name in reference.KNOWN and not desk.policy.as_you_go:
        yield again(desk, course)
    yield printed(document)


def slopes(desk: Desk, course: Course) -> Witness:
    """∂f/∂x by central differences of the function, with many digits, at every point where it was taken."""
    mp, errors = digits(), Errors()
    assert course.descent.function is not None
    step = mp.number(10) ** -40
    stride = max(1, course.steps // MOST_CHECKED)
    for nodes in (*course.lines[::stride], course.lines[-1]):
        g = next(node for node in nodes if letter_of(node) == "g")
        at = list(np.ravel(desk.values.arrays[g.inputs[0].id]))
        scale = max(1e-30, *(abs(float(x)) for x in np.ravel(desk.values.arrays[g.id])))
        for column in range(0, len(at), max(1, len(at) // MOST_NAMED)):
            up, down = (
                evaluate(
                    course.descent.function, dict(zip(course.descent.variables, moved, strict=True)).__getitem__, mp
                )
                for moved in ([x + (sign * step if i == column else 0) for i, x in enumerate(at)] for sign in (1, -1))
            )
            ours = desk.values.arrays[g.id][0, column]
            here = evaluate(
                course.descent.function, dict(zip(course.descent.variables, at, strict=True)).__getitem__, mp
            )
            if abs(up - 2 * here + down) <= abs(step) * scale * mp.number(10) ** -20:  # else a kink: there is no slope
                errors.compare(ours, (up - down) / (2 * step), scale)
    return errors.witness("function", "g", 1e-12)


def again(desk: Desk, course: Course) -> Witness:
    """Every step by the plain-NumPy reference, from the same gradients."""
    choice, floats = course.descent.optimizer, desk.values.floats
    memory = {
        letter_of(node): np.asarray(floats[node.id], dtype=float)
        for node in course.given
        if node.role == "state" and node.id.endswith("@0") and node.id in floats
    }
    lr = float(choice.in_force["lr"])
    steps = []
    for t, nodes in enumerate(course.lines, 1):
        g = next(node for node in nodes if letter_of(node) == "g")
        steps.append((desk.values.arrays[g.id], lr, floats[f"theta@{t}"]))
    return stepped(choice, Begun(floats["theta@0"], memory, course.steps_before), steps, "theta")
