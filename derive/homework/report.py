"""What is told about a marked submission: from the marks to a document.

How much is told is for the lecturer to say (`REVEAL`): below `all` no right value of any step is given, but what a
wrong step should have been by the student's own earlier numbers; `first` does so for the first error alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from derive.checks.printed import printed
from derive.document import Amount, Beside, Block, Cell, Code, Document, Line, Say, Section, Step, Table, say
from derive.errors import WitnessError, printable
from derive.formula import Name
from derive.homework.assignment import Assignment
from derive.homework.circuit import Circuit
from derive.homework.marked import WRONG, Found, Mark, Marked
from derive.homework.mistakes import mistakes
from derive.homework.own import Own
from derive.homework.told import FormulaTold, listed
from derive.homework.worked import solution
from derive.language import Words
from derive.lessons import topics
from derive.lines import rounding
from derive.numerals import Policy as Numbers
from derive.spelling import Style
from derive.values import Values

#: How much is told, from the least to the most.
REVEAL = ("none", "first", "steps", "all")
#: Verdict -> (its sign, what kind of mark it is).
SIGNS = {
    **dict.fromkeys(("correct", "correct_rounding", "over_precise", "other_convention"), ("✓", "right")),
    **dict.fromkeys(("truncated", "low_precision", "last_digit", "other_form"), ("≈", "near")),
    "follow_through": ("↪", "follow"),
    **dict.fromkeys(("undecided", "too_coarse", "unreadable"), ("?", "open")),
    "blank": ("–", "open"),
    **dict.fromkeys(WRONG, ("✗", "wrong")),
}
#: Verdicts whose credit is said where it is not all of the points.
PARTIAL = (
    "over_precise",
    "truncated",
    "other_convention",
    "low_precision",
    "last_digit",
    "other_form",
    "follow_through",
)
MOST_NAMED = 6  # unwritten steps that are named
NEAR = 20  # units of the last place up to which it is said how far off a number is
MOST_TEXT = 80  # letters of what could not be read, of a name
MOST_WORKING = 20_000


def verdict(code: str) -> Say:
    """A verdict in words, with its sign before it."""
    return say("check.verdict", sign=SIGNS[code][0], verdict=say(f"verdict.{code}"))


def titled(rule: str) -> Say:
    """A rule by its id and its title."""
    return say("check.titled", rule=rule, title=say(f"mistake_title.{rule}"))


def same(name: str, symbol: Name) -> bool:
    """Whether a name is but its symbol, typed: h1, dL_dW2; one with brackets is what the student has to look for."""
    typed, shown = (re.sub(r"[\W_]", "", text.replace("∂", "d")) for text in (name, symbol.symbol.text))
    return typed == shown and "[" not in name


def judged(mark: Mark) -> Say:
    """The verdict on an answer in words; where the number is right, that it is the formula that is wrong."""
    if mark.formula_verdict in WRONG and mark.value_verdict and SIGNS[mark.value_verdict][1] in ("right", "near"):
        return say("check.verdict", sign=SIGNS[mark.verdict][0], verdict=say("check.formula_alone"))
    return verdict(mark.verdict)


def points(number: float) -> str:
    """Points with two decimals at most."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def one_line(text: str, most: int = MOST_TEXT) -> str:
    """A student's text on one line; what does not print is shown as its escape."""
    shown = printable(text.strip())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


@dataclass(frozen=True)
class Report:
    """One marked submission, as it is told.

    values: the right numbers, in a branch of their own · worked: the worked solution, where all is revealed
    """

    assignment: Assignment
    marked: Marked
    reveal: str
    words: Words
    values: Values
    worked: Document | None = None

    @cached_property
    def circuit(self) -> Circuit:
        return self.assignment.circuit_for(self.marked)

    @cached_property
    def own(self) -> Own:
        marks = {mark.key: mark for mark in self.marked.marks if mark.key}
        return Own(self.circuit, marks, self.values, self.assignment.notation)

    @cached_property
    def formulas(self) -> FormulaTold:
        return FormulaTold(self.circuit, self.own, everything=self.reveal == "all")

    @cached_property
    def first(self) -> Mark | None:
        """The first step that is wrong itself."""
        return next((mark for mark in self.marked.marks if mark.key and mark.key == self.marked.first_error), None)

    @cached_property
    def typed(self) -> Mapping[str, str]:
        """What the student calls the steps."""
        found = ((self.circuit.find(answer.step), answer.step) for answer in self.marked.submission.answers)
        return {keys[0]: one_line(step) for keys, step in found if keys is not None and len(keys) == 1}

    def told(self, mark: Mark) -> bool:
        """Whether the verdict on a step may be said."""
        if self.reveal in ("steps", "all") or self.first is None:
            return self.reveal != "none"
        order = self.circuit.order
        return self.reveal == "first" and (not mark.key or order[mark.key] <= order[self.first.key])

    # the document -----------------------------------------------------------------------------------------------------
    def document(self) -> Document:
        """All that is told. Raises WitnessError where a printed line is not true."""
        sections = [section for section in self.sections() if section.blocks]
        document = Document(
            title=self.title(),
            sections=tuple(sections),
            values=self.values,
            style=self.style(),
            language=self.words.language,
            summary=tuple(self.summary()),
            student=True,
            conventions=tuple(self.conventions()),
        )
        witness = printed(document)
        if not witness.ok:
            raise WitnessError(f"a line of the report is off by {witness.max_rel:.3g}")
        if self.worked is None:
            whole = self.reveal == "all" and self.assignment.spec is None
            if not whole:
                return document
            beside, witnesses = self.beside(), (witness,) if witness.compared else ()
            return replace(document, marks=beside, witnesses=witnesses, sections=(*sections, *self.working()))
        return replace(
            document,
            sections=(*sections, *self.worked.sections, *self.working()),
            witnesses=(*self.worked.witnesses, witness) if witness.compared else self.worked.witnesses,
            conventions=(*document.conventions, *(c for c in self.worked.conventions if c not in document.conventions)),
            conventions_in_force=self.worked.conventions_in_force,
            quantities=self.worked.quantities,
            marks=self.beside(),
        )

    def title(self) -> str:
        name = self.assignment.name
        return self.words.plain("check.title", name=name) if name else self.words.plain("check.untitled")

    def sections(self) -> Iterator[Section]:
        yield Section("unread", say("section.check.unread"), tuple(self.unread()))
        if self.first is not None and self.reveal != "none":
            yield Section("first", say("section.check.first"), tuple(self.first_error(self.first)))
        if self.reveal != "none":
            yield Section("steps", say("section.check.steps"), tuple(self.steps()))
        if self.reveal == "all" and self.assignment.spec is None:
            yield Section("solution", say("section.check.solution"), tuple(solution(self.circuit, self.own.reader)))

    def style(self) -> Style:
        notation, numbers = self.assignment.notation, self.values.policy
        return Style(
            notation.times,
            notation.log,
            numbers.comma,
            columns=notation.layout == "columns",
            given=self.words.plain("page.if"),
            otherwise=self.words.plain("page.else"),
        )

    def summary(self) -> Iterator[Say]:
        """Who, how many points, where the first error is."""
        marked, submission = self.marked, self.marked.submission
        student, name = one_line(submission.student), one_line(submission.name)
        if who := f"{name} ({student})" if name and student else name or student:
            yield say("check.student", student=who)
        if marked.variant:
            yield say("check.variant", variant=one_line(marked.variant))
        yield say("check.points", earned=points(marked.earned), most=points(marked.most))
        if marked.follow_through:
            yield say("check.follow_through", points=points(marked.follow_through))
        if self.reveal != "none":
            yield self.verdict_on_all()
        if marked.convention:
            yield say("check.convention", name=marked.convention, what=self.followed(marked.convention))
        for flag in marked.flags:
            yield say(f"check.flag.{flag}", flag=one_line(flag), other=one_line(marked.other))

    def followed(self, convention: str) -> Say:
        """What another convention says; of a loss that is summed or averaged, that it is."""
        last = convention.rpartition("_")[2]
        return say(f"check.followed.{last if last in ('sum', 'mean') else convention}")

    def verdict_on_all(self) -> Say:
        if all(mark.verdict == "blank" for mark in self.marked.marks):
            return say("sheet.nothing")
        if self.first is not None:
            return say("check.first_error", step=self.step(self.first))
        blank = sum(mark.verdict == "blank" for mark in self.marked.marks)
        if blank and self.marked.right:
            return say("check.right_so_far", count=blank)
        return say("check.all_right" if self.marked.right else "check.no_error")

    def step(self, mark: Mark) -> Cell:
        """A step by its symbol and its name."""
        if not mark.key:
            return one_line(mark.label)
        symbol, name = self.circuit.entries[mark.key].name, self.typed.get(mark.key, mark.label)
        return symbol if same(name, symbol) else say("check.step", symbol=symbol, name=name)

    def read(self, mark: Mark) -> Cell:
        """The number as it was understood, or what was written."""
        if mark.read is not None:
            return Amount(self.own.name(mark.key))
        return one_line(mark.raw) if mark.formula is None else mark.formula

    # what could not be read -------------------------------------------------------------------------------------------
    def unread(self) -> Iterator[Block]:
        rows = tuple(
            (self.step(mark), one_line(mark.raw), one_line(mark.problem, 300))
            for mark in self.marked.marks
            if mark.verdict == "unreadable"
        )
        if rows:
            yield say("check.unread")
            header = (say("table.check.step"), say("table.check.raw"), say("table.check.problem"))
            yield Table("unread/table", say("table.check.unread"), header, rows, broken=True)

    # the first error --------------------------------------------------------------------------------------------------
    def first_error(self, mark: Mark) -> Iterator[Block]:
        """What was read, what it should have been, and which mistakes give what was written."""
        both = mark.read is not None and mark.formula is not None
        key = "check.read_both" if both else "check.read"
        yield say(key, step=self.step(mark), value=self.read(mark), formula=mark.formula)
        formula_wrong = mark.formula_verdict in WRONG
        if mark.value_verdict in WRONG:
            yield from self.wrong_number(mark, hidden=formula_wrong and self.reveal != "all")
        elif mark.value_verdict and SIGNS[mark.value_verdict][1] in ("right", "near"):
            yield say("check.number_right")
        if formula_wrong:
            told = self.of_number(mark) if mark.value_verdict in WRONG else []
            left = [found for found in self.reasons(mark.formula_found) if found not in told]
            rules = (self.mistake_in_formula(i, found, mark) for i, found in enumerate(left))
            yield from self.formulas.wrong(mark, tuple(rules))
        elif mark.formula_verdict == "correct":
            yield say("check.formula_right")

    def wrong_number(self, mark: Mark, *, hidden: bool) -> Iterator[Block]:
        """What a number should have been, and what gives what was written. hidden: without the right formula"""
        yield Step("first/own", self.expectation(mark), tuple(self.distance(mark)), self.due(mark, hidden))
        window = [key for key in mark.window if not isinstance(self.circuit.entries[key].formula, Name)]
        if window:
            named = window[:MOST_NAMED]
            more = ", …" if len(window) > len(named) else ""
            steps = ", ".join(self.circuit.label(key) for key in named) + more
            yield say("check.window", steps=steps)
        substeps = tuple(self.mistake(i, found, mark) for i, found in enumerate(self.of_number(mark)))
        if substeps:
            several = "check.mistakes" if len(substeps) > 1 else "check.mistake"
            yield Step("first/mistakes", say(several), substeps=substeps)
        else:
            yield say("check.unexplained")

    def due(self, mark: Mark, hidden: bool) -> tuple[Line, ...]:
        """The line that gives what a step should have been; none where own numbers before it give no number."""
        return () if mark.own is None else (self.own.expected(mark, hidden),)

    def expectation(self, mark: Mark) -> Say:
        if self.circuit.entries[mark.key].given:
            return say("check.given")
        return say("check.own" if mark.depends else "check.from_task")

    def distance(self, mark: Mark) -> Iterator[Say]:
        """How far off the number is, in units of its last place, where it is close."""
        if mark.ulps_own is not None and mark.ulps_own < NEAR:
            yield say("check.distance", ulps=f"{mark.ulps_own:.1f}")

    def reasons(self, found: Iterable[Found]) -> list[Found]:
        """The mistakes that fit, each rule once at each step."""
        return list({(one.rule, one.at): one for one in found}.values())

    def of_number(self, mark: Mark) -> list[Found]:
        """The mistakes that give a number; where a formula beside it says which of them was made, those alone.

        One that may have been made at the step itself is not told again of the steps that lead to it.
        """
        everything, in_formula = self.reasons(mark.found), self.reasons(mark.formula_found)
        here = {found.rule for found in everything if found.at == mark.key}
        everything = [found for found in everything if found.at == mark.key or found.rule not in here]
        return [found for found in everything if found in in_formula] or everything

    def lesson(self, mark: Mark) -> tuple[Found | None, str]:
        """The first of the mistakes that has a lesson in which what is right is derived, and its topic."""
        for found in mark.found:
            rule = mistakes.rules.get(found.rule)
            if rule is not None and rule.lesson in topics():
                return found, rule.lesson
        return None, ""

    def mistake(self, number: int, found: Found, mark: Mark) -> Step:
        """A mistake by its sentence, and its formula with the student's numbers."""
        line = self.own.giving(f"wrong:{number}", found, mark) if self.may_show(found) else None
        why = []
        if found.at != mark.key and found.rule != "MISREAD":
            why.append(say("check.at", step=self.circuit.entries[found.at].name))
        if line is None and found.formula is not None and self.may_show(found):
            why.append(say("check.formula", formula=found.formula))
        if line is not None and not self.own.near(line.target, mark):
            why.append(say("check.rounding"))
        title, (first, topic) = self.sentence(found, mark), self.lesson(mark)
        title = replace(title, lesson=topic) if found == first else title
        return Step(f"first/mistakes/{number + 1}", title, tuple(why), () if line is None else (line,))

    def mistake_in_formula(self, number: int, found: Found, mark: Mark) -> Step:
        """A mistake that makes a formula what it is: at the step itself the formula stands above already."""
        why = []
        if found.at != mark.key:
            why.append(say("check.at", step=self.circuit.entries[found.at].name))
        title, (first, topic) = self.sentence(found, mark), self.lesson(mark)
        title = replace(title, lesson=topic) if found == first else title
        return Step(f"first/formula/mistakes/{number + 1}", title, tuple(why))

    def may_show(self, found: Found) -> bool:
        """Whether the formula may be shown: a line that was copied is named only if the student has written it."""
        copied = found.rule == "X4" and isinstance(found.formula, Name)
        return not copied or self.reveal == "all" or self.own.written(found.formula.key)  # type: ignore[union-attr]

    def sentence(self, found: Found, mark: Mark) -> Say:
        """What a rule says of itself."""
        return say("check.rule", rule=found.rule, sentence=Say(f"mistake.{found.rule}", self.arguments(found, mark)))

    def arguments(self, found: Found, mark: Mark) -> dict[str, Cell]:
        """What may stand in a rule's sentence: its id, the step it was made at, and what it found out."""
        at = self.circuit.entries.get(found.at)
        made: dict[str, Cell] = {"rule": found.rule, "at": one_line(found.at) if at is None else at.name}
        for key, value in found.args.items():
            made[key] = str(value)
            if isinstance(value, Fraction):
                made[key] = self.own.exactly(f"{key}:{found.rule}:{found.at}", value)
        if isinstance(power := found.args.get("power"), int):
            made["factor"] = self.own.exactly(f"factor:{found.at}", Fraction(10) ** power)
        if found.rule == "X3" and mark.read is not None:
            meant = int(str(found.args["digits"])) * mark.read.ulp * (-1 if mark.read.value < 0 else 1)
            made["digits"] = self.own.like(f"digits:{found.args['digits']}", mark.read, meant)
        return made

    # all steps --------------------------------------------------------------------------------------------------------
    def steps(self) -> Iterator[Block]:
        keys = ("step", "yours", "verdict", "points", "remark")
        rows = tuple(self.row(mark) for mark in self.marked.marks)
        if rows:
            header = tuple(say(f"table.check.{key}") for key in keys)
            yield Table("steps/table", say("table.check.steps"), header, rows, broken=True)
        if any(not self.told(mark) for mark in self.marked.marks):
            yield say("check.held_back")

    def row(self, mark: Mark) -> tuple[Cell, ...]:
        if not self.told(mark):
            return (self.step(mark), self.read(mark), "", "", "")
        earned = say("check.of", earned=points(mark.credit * mark.weight), most=points(mark.weight))
        return (self.step(mark), self.read(mark), judged(mark), earned, self.remark(mark))

    def remark(self, mark: Mark) -> Cell:
        """What else there is to say of a step, in one cell."""
        found = list(self.remarks(mark))
        if not found:
            return ""
        joined = found[0]
        for other in found[1:]:
            joined = say("check.and", first=joined, second=other)
        return joined

    def remarks(self, mark: Mark) -> Iterator[Say]:
        due, right, number = None, None, mark.value_verdict or mark.verdict
        if (
            mark.value_verdict in WRONG
            and mark.own is not None
            and (self.reveal in ("steps", "all") or mark is self.first)
        ):
            due = self.own.amount(f"expected:{mark.key}", mark.own)
            yield say("check.expected" if mark.depends else "check.expected_task", value=due)
        if self.reveal == "all" and mark.exact is not None and number not in ("correct", "unreadable"):
            right = self.own.amount(f"right:{mark.key}", mark.exact)
        if right and not (due and self.values.numeral(due.name) == self.values.numeral(right.name)):
            yield say("check.right", value=right)
        if mark.formula is not None:
            yield self.formulas.remark(mark)
        if mark.verdict in WRONG and mark.found:
            yield say("check.rules", rules=listed([titled(rule) for rule in dict.fromkeys(f.rule for f in mark.found)]))
        for note in mark.notes:
            yield say(f"check.note.{note}", note=one_line(note))

    # beside the worked solution ---------------------------------------------------------------------------------------
    def beside(self) -> dict[str, Beside]:
        """What the student has written, for the lines of the worked solution."""
        found = {}
        for mark in self.marked.marks:
            if mark.key and (mark.read is not None or mark.formula is not None or mark.raw):
                told = {"value": self.read(mark), "verdict": judged(mark)}
                named = say("check.beside_named", step=self.step(mark), **told)
                found[mark.key] = Beside(SIGNS[mark.verdict][1], say("check.beside", **told), named)
        return found

    def working(self) -> Iterator[Section]:
        """The student's own notes, as they are."""
        text = "\n".join(one_line(line, 1_000) for line in self.marked.submission.working[:MOST_WORKING].splitlines())
        if text.strip():
            yield Section("working", say("section.check.working"), (Code(text, ""),))

    # conventions ------------------------------------------------------------------------------------------------------
    def conventions(self) -> Iterator[Say]:
        policy, marks = self.assignment.policy, self.marked.marks
        kind = "significant" if policy.precision.decimals is None else "decimals"
        yield say(
            f"check.precision.{kind}",
            digits=str(policy.precision.decimals if kind == "decimals" else policy.precision.significant),
        )
        yield say("check.half_unit")
        yield say("check.own_values")
        for code in PARTIAL:
            if policy.credit[code] != 1 and any(mark.verdict == code for mark in marks):
                yield say("check.credit", verdict=say(f"verdict.{code}"), credit=points(policy.credit[code]))
        if self.marked.follow_through or "follow_through_capped" in self.marked.flags:
            yield say("check.share", percent=points(100 * policy.follow_through.max_share))
        yield rounding(self.values.policy)


def numbers_of(assignment: Assignment, marked: Marked, numbers: Numbers) -> Numbers:
    """How numbers are shown: at least as precisely as they are asked for, and with a comma where the student has one."""
    precision = assignment.policy.precision
    digits = max(numbers.significant, precision.significant or 0)
    return replace(numbers, significant=digits, as_you_go=False, comma=numbers.comma or marked.submission.comma)
