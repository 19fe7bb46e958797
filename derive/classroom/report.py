"""What the class as a whole did, as a document: what could not be read first, then the steps, the mistakes, the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from statistics import mean, median

from derive.classroom.clusters import CLUSTER, clusters
from derive.classroom.folder import LeftOut
from derive.classroom.gradebook import Gradebook
from derive.classroom.record import STATUSES, Record
from derive.classroom.recount import recount
from derive.document import Block, Cell, Document, Figure, Say, Section, Table, say
from derive.errors import WitnessError
from derive.figures.chart import Axis, Chart, Curve
from derive.homework.report import titled
from derive.language import Words
from derive.numerals import Policy
from derive.spelling import Style
from derive.studies.calculation import Calculation
from derive.values import Values

#: Verdicts that say that a step is right, or as good as right.
RIGHT = ("correct", "correct_rounding", "over_precise", "truncated", "other_convention", "low_precision", "last_digit")
SHOWN = 60  # characters of anybody's text in a cell
LONG = ("detail", "written", "steps_of", "students", "flag", "files")  # columns of sentences and lists
FEW = 5  # files of one kind that are named


def document(
    records: Sequence[Record],
    steps: Sequence[tuple[str, str]],
    left_out: Sequence[LeftOut],
    lang: str,
    name: str,
    gradebook: Gradebook | None = None,
) -> Document:
    """The report about a class.

    steps: (key, label) of what could be answered, in the order of computation · left_out: files that are nobody's
    name: of the assignment · gradebook: that was filled, if one was
    """
    words = Words(lang)
    report = Report(tuple(records), tuple(steps), tuple(left_out), words, gradebook)
    witness = recount(report.records, report.counts)
    if not witness.ok:
        raise WitnessError(f"the report and grades.csv count differently, by {witness.max_abs:g}")
    sections = [Section(id, say(f"class.section.{id}"), tuple(blocks)) for id, blocks in report.sections()]
    return Document(
        title=words.plain("class.title", name=name),
        sections=tuple(section for section in sections if section.blocks),
        values=Values(Calculation((), {}), Policy()),
        style=Style(),
        language=lang,
        summary=tuple(report.summary()),
        witnesses=(witness,),
    )


class Report:
    """The records of a class, counted."""

    def __init__(
        self,
        records: tuple[Record, ...],
        steps: tuple[tuple[str, str], ...],
        left_out: tuple[LeftOut, ...],
        words: Words,
        gradebook: Gradebook | None,
    ) -> None:
        self.records, self.left_out, self.words, self.gradebook = records, left_out, words, gradebook
        self.read = [record for record in records if not record.problem]
        self.statuses = Counter(record.status for record in records)
        answered = {step.key for record in self.read for step in record.steps}
        self.steps = [(key, label) for key, label in steps if key in answered]
        self.firsts = Counter(record.first_error for record in self.read if record.first_error)

    @cached_property
    def counts(self) -> dict[str, Counter[str]]:
        """How often each step got each verdict."""
        found: dict[str, Counter[str]] = {key: Counter() for key, _ in self.steps}
        for record in self.read:
            for step in record.steps:
                if step.key in found:
                    found[step.key][step.verdict] += 1
        return found

    def summary(self) -> Iterator[Say]:
        """The whole in two sentences."""
        missing, unread = self.statuses["not_submitted"], self.statuses["unreadable"]
        handed = len(self.records) - missing
        yield say(
            "class.summary",
            handed=str(handed),
            read=str(len(self.read)),
            review=str(self.statuses["needs_review"]),
            unread=str(unread),
            missing=str(missing),
        )
        if not self.read:
            yield say("class.nobody")
        elif not self.firsts:
            yield say("class.faultless")
        else:
            key, count = max(self.firsts.items(), key=lambda item: item[1])  # of equals the first in order of ids
            yield say(
                "class.hardest", step=dict(self.steps).get(key) or key, count=str(count), read=str(len(self.read))
            )

    def sections(self) -> Iterator[tuple[str, list[Block]]]:
        """Every section by its id; empty ones are left out."""
        yield "unreadable", self.unreadable()
        yield "overview", self.overview()
        yield "steps", self.course()
        yield "mistakes", self.mistakes()
        yield "clusters", self.clusters()
        yield "review", self.review()
        yield "missing", self.missing()
        yield "gradebook", self.grades()
        yield "left_out", self.passed_over()

    # the sections -----------------------------------------------------------------------------------------------------
    def unreadable(self) -> list[Block]:
        rows = [
            (cut(one.student), cut(one.name), cut(one.source), say(f"class.problem.{one.problem}"), one.detail)
            for one in self.records
            if one.status == "unreadable"
        ]
        answers = []
        for one in self.read:
            unread = [step for step in one.steps if step.verdict == "unreadable"]
            if unread:
                texts = ", ".join(f"{step.key or step.label}: {cut(step.raw, 20)}" for step in unread[:3])
                more = ", …" if len(unread) > 3 else ""
                answers.append((cut(one.student), cut(one.source), len(unread), len(one.steps), texts + more))
        return [
            *table("unreadable", ("student", "name", "file", "why", "detail"), rows),
            *table("unread_answers", ("student", "file", "unread", "answers", "written"), answers),
        ]

    def overview(self) -> list[Block]:
        rows = [(say(f"class.status.{status}"), self.statuses[status]) for status in STATUSES if self.statuses[status]]
        percents = [record.percent for record in self.read]
        most = {record.most for record in self.read}
        numbers = [f"{size(percents):.1f}" for size in (mean, median, min, max)] if percents else []
        return [
            *table("statuses", ("status", "count"), rows),
            *table("points", ("mean", "median", "least", "most"), [tuple(numbers)] if numbers else []),
            *([say("class.uneven", least=f"{min(most):g}", most=f"{max(most):g}")] if len(most) > 1 else []),
        ]

    def course(self) -> list[Block]:
        """The steps, with the step at which each first error was made."""
        rows: list[tuple[Cell, ...]] = []
        shares: list[float] = []
        for number, (key, label) in enumerate(self.steps, 1):
            count = self.counts[key]
            answered = count.total() - count["blank"] - count["unreadable"]
            right = sum(count[verdict] for verdict in RIGHT)
            shares.append(100 * right / answered if answered else 0.0)
            cells = [answered, right, count["follow_through"], self.firsts[key], count["blank"], count["unreadable"]]
            rows.append((number, key, label if label != key else "", *cells, f"{shares[-1]:.0f}"))
        header = (
            "number",
            "step",
            "label",
            "answered",
            "right",
            "follow_through",
            "first",
            "blank",
            "unread",
            "success",
        )
        firsts = [float(self.firsts[key]) for key, _ in self.steps]
        figures = [*self.bars("success", shares), *(self.bars("first", firsts) if self.firsts else [])]
        return [*table("steps", header, rows), *figures]

    def bars(self, id: str, heights: Sequence[float]) -> list[Block]:
        """A bar for each step, at its number in the table."""
        if not heights:
            return []
        title = say(f"class.figure.{id}")
        points = [(number - 0.5, height) for number, height in enumerate(heights, 1)]
        outline = [(0.5, 0.0), *points, (len(heights) + 0.5, heights[-1]), (len(heights) + 0.5, 0.0)]
        label = self.words.plain(f"class.figure.{id}_axis")
        axes = Axis(self.words.plain("class.figure.step_axis")), Axis(label)
        heading = self.words.plain(f"class.figure.{id}")
        return [Figure(id, title, Chart(heading, *axes, (Curve(label, tuple(outline), "steps"),)))]

    def mistakes(self) -> list[Block]:
        """Which mistakes were made, by how many students, and where; the most frequent first."""
        students: Counter[str] = Counter()
        places: dict[str, Counter[str]] = {}
        for record in self.read:
            students.update(record.misconceptions)
            for step in record.steps:
                for rule in dict.fromkeys(step.found):
                    places.setdefault(rule, Counter())[step.key] += 1
        order = {key: place for place, (key, _) in enumerate(self.steps)}
        rows = []
        for rule in sorted(students, key=lambda rule: (-students[rule], rule)):
            where = sorted(places[rule], key=lambda key: order.get(key, len(order)))
            rows.append((titled(rule), students[rule], ", ".join(f"{key} ({places[rule][key]})" for key in where)))
        return table("mistakes", ("mistake", "students", "steps_of"), rows)

    def clusters(self) -> list[Block]:
        """Equal wrong values that nothing explains, for the lecturer to name."""
        rows = [
            (one.key, cut(one.written), len(one.students), cut(", ".join(one.students), 4 * SHOWN))
            for one in clusters(self.read)
        ]
        return table("clusters", ("step", "value", "count", "students"), rows, least=str(CLUSTER))

    def review(self) -> list[Block]:
        """What a person should look at, and why; that somebody was late alone is no reason."""
        rows = []
        for one in self.records:
            if one.status == "needs_review":
                flags = [flag for flag in (*one.flags, *reasons(one)) if flag != "late"]
                rows += [
                    (cut(one.student), cut(one.source), say(f"class.flag.{flag}", flag=flag, other=cut(one.other)))
                    for flag in flags
                ]
        return table("review", ("student", "file", "flag"), rows)

    def missing(self) -> list[Block]:
        late = [(cut(one.student), cut(one.name), cut(one.source)) for one in self.read if "late" in one.flags]
        rows = [(cut(one.student), cut(one.name)) for one in self.records if one.status == "not_submitted"]
        return [
            *table("late", ("student", "name", "file"), late),
            *table("missing", ("student", "name"), rows),
        ]

    def grades(self) -> list[Block]:
        """What was entered into the gradebook, and what was not."""
        if self.gradebook is None:
            return []
        kind, count = "new" if self.gradebook.new else "old", str(self.gradebook.entered)
        rows = [(cut(one.student), cut(one.name), cut(one.source)) for one in self.gradebook.absent]
        return [
            say(f"class.gradebook.{kind}", count=count, column=cut(self.gradebook.column)),
            say("class.gradebook.left"),
            *table("gradebook", ("student", "name", "file"), rows),
        ]

    def passed_over(self) -> list[Block]:
        """The files by what they are; of many alike only the first few."""
        files: dict[str, list[str]] = {}
        for one in self.left_out:
            files.setdefault(one.code, []).append(cut(one.source))
        rows = [
            (say(f"class.problem.{code}"), len(names), ", ".join(names[:FEW]) + ", …" * (len(names) > FEW))
            for code, names in files.items()
        ]
        return table("left_out", ("why", "count", "files"), rows)


def reasons(record: Record) -> list[str]:
    """What in the answers themselves is for a person to decide."""
    undecided = any(step.verdict == "undecided" for step in record.steps)
    return ["undecided"] * undecided + ["guarded"] * any(step.guarded for step in record.steps)


def table(id: str, columns: Sequence[str], rows: Sequence[tuple[Cell, ...]], **args: str) -> list[Block]:
    """A table, if there is anything in it; in lines where sentences or lists stand in its last column."""
    header = tuple(say(f"class.table.{column}") for column in columns)
    return (
        [Table(id, say(f"class.table.{id}", **args), header, tuple(rows), broken=columns[-1] in LONG)] if rows else []
    )


def cut(text: str, most: int = SHOWN) -> str:
    """Anybody's text, no longer than it may be."""
    return text if len(text) <= most else text[: most - 1] + "…"
