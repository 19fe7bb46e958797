"""JSON, schema `derive-solution/1`: full float64 values by canonical id, and every line in three spellings."""

from __future__ import annotations

import json
import math
from typing import Any

from derive.dialects.latex import Latex
from derive.dialects.python import Python
from derive.dialects.text import Text
from derive.document import Block, Book, Document, Line, Question, Section, Step, behind, steps_of
from derive.formula import Formula, entry
from derive.ids import plain
from derive.printers.common import Printer
from derive.spelling import spell
from derive.values import as_fraction


class Plain(Printer):
    """Sentences as plain text."""

    def escape(self, text: str) -> str:
        return text

    def inline(self, mathematics: str) -> str:
        return mathematics


class Data:
    """A document as plain dictionaries."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = Plain(document, Text(document.style))
        self.latex = Plain(document, Latex(document.style))
        self.python = Python()

    def all(self) -> dict[str, Any]:
        document = self.document
        return {
            "schema": "derive-solution/1",
            **({"topic": document.topic} if document.topic else {}),
            "name": document.title,
            "language": document.language,
            "conventions": dict(document.conventions_in_force),
            "quantities": {id: self.quantity(id) for id in document.quantities},
            "sections": [self.section(section) for section in document.sections],
            "lessons": list(behind(document)),
            "witnesses": [self.witness(i) for i in range(len(document.witnesses))],
        }

    def quantity(self, id: str) -> dict[str, Any]:
        q = self.document.quantities[id]
        value = None if q.value is None else q.value.tolist()
        found = {"role": q.role, "shape": list(q.shape), "value": value, "latex": spell(q.symbol, self.latex.dialect)}
        return found if q.labels is None else {**found, "labels": q.labels}

    def section(self, section: Section) -> dict[str, Any]:
        blocks = [block for block in section.blocks if not isinstance(block, Question)]
        steps = [self.step(step) for block in blocks for step in self.steps(block)]
        found = {"id": section.id, "title": self.text.say(section.title), "steps": steps}
        questions = [self.question(block) for block in section.blocks if isinstance(block, Question)]
        return {**found, "questions": questions} if questions else found

    def steps(self, block: Block) -> list[Step]:
        return list(steps_of(block))

    def question(self, question: Question) -> dict[str, Any]:
        """What is asked for, without any answer."""
        parts: list[dict[str, Any]] = []
        for part, line in zip(question.parts, question.lines, strict=True):
            named = {
                "step": part.typed,
                "letter": part.letter,
                "id": entry(plain(line.target.id)[1], line.target.index),
            }
            formula = self.formula(line.forms[-1].formula) if line.forms else None
            parts.append({**named, "latex": self.latex.target(line), "formula": formula})
        found = {"number": question.number, "title": self.text.say(question.title), "points": question.points}
        return {**found, "hints": list(map(self.text.say, question.why)), "parts": parts}

    def step(self, step: Step) -> dict[str, Any]:
        return {
            "id": step.id,
            "title": self.text.say(step.title),
            "why": " ".join(map(self.text.say, step.why)),
            "uses": list(step.uses),
            "lines": [self.line(line) for line in step.lines],
            "lessons": list(dict.fromkeys(say.lesson for say in (step.title, *step.why) if say.lesson)),
        }

    def line(self, line: Line) -> dict[str, Any]:
        values = self.document.values
        numeric = line.has_value and not values.symbolic
        forms = [self.formula(form.formula) for form in line.forms]
        formula = line.forms[-1].formula if line.forms else None
        factor, id = plain(line.target.id)
        found: dict[str, Any] = {
            "id": entry(id, line.target.index),
            "target": {"latex": self.latex.target(line), "text": self.text.target(line)},
            "forms": forms[:-1],
            "formula": forms[-1] if forms else None,
            "numbers": {"latex": spell(formula, self.latex.dialect, self.latex.show)} if numeric and formula else None,
            "value": numbers(values.value(line.target)) if numeric else None,
            "printed": spell(line.target, self.text.dialect, self.text.show) if numeric else None,
        }
        if factor != 1:  # what this notation shows is a multiple of the quantity
            found["factor"] = factor
        if line.condition is not None:
            found["condition"] = self.text.condition(line)
        return found

    def formula(self, f: Formula) -> dict[str, str]:
        return {
            "latex": spell(f, self.latex.dialect),
            "text": spell(f, self.text.dialect),
            "python": spell(f, self.python),
        }

    def witness(self, i: int) -> dict[str, Any]:
        w = self.document.witnesses[i]
        names = {
            "differences": "central differences, 50 digits",
            "differences_float": "central differences",
            "differences_part": "central differences of a layer's part of the loss",
            "sympy": "SymPy",
            "reference": "optimizer steps in plain NumPy",
            "recursion": "recursion against the closed form, 50 digits",
            "function": "central differences of the function, 50 digits",
            "closed_form": "averages as sums over all values, 50 digits",
            "enumeration": "all batches of the small data set",
            "cuts": "samples cut into batches by counting",
            "losses": "updates from differences of the batch losses",
            "program": "the training program, step by step",
            "last_step": "the training program's last step",
            "lesson": "equalities of the lesson, 50 digits",
            "sympy_derivative": "SymPy's derivative of the expression",
            "mistakes": "common mistakes, both sides worked out",
            "lines": "printed formulas, 50 digits",
            "lines_float": "printed formulas, float64",
            "rounded_lines": "printed lines, rounded",
        }
        found = {
            "name": names[w.name],
            "quantity": w.quantity,
            "compared": w.compared,
            "max_abs": w.max_abs,
            "max_rel": w.max_rel,
            "tolerance": w.tolerance,
            "ok": w.ok,
        }
        return found if w.note is None else {**found, "note": self.text.say(w.note)}


def numbers(value: Any) -> Any:
    """float64 numbers, nested as the value is."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [numbers(entry) for entry in value]
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else str(as_fraction(value))


def page(document: Document) -> str:
    return written(Data(document).all())


def book(document: Book) -> str:
    """Schema `derive-lessons/1`: every lesson is a solution, under its topic."""
    chapters = [
        {
            "id": chapter.id,
            "title": Plain(document, Text(document.style)).say(chapter.title),
            "lessons": [Data(lesson).all() for lesson in chapter.lessons],
        }
        for chapter in document.chapters
    ]
    head = {"schema": "derive-lessons/1", "name": document.title, "language": document.language}
    return written({**head, "chapters": chapters})


def written(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
