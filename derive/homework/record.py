"""A marked submission for readers that are machines: schema `derive-check/1`."""

from __future__ import annotations

import json
import math
from typing import Any

from derive.dialects.text import Text
from derive.formula import Formula
from derive.homework.marked import WRONG, Found, Mark
from derive.homework.own import numeral
from derive.homework.report import Report
from derive.printers.data import Plain
from derive.spelling import spell

SCHEMA = "derive-check/1"


class Record:
    """A report as plain dictionaries."""

    def __init__(self, report: Report) -> None:
        self.report, self.marked = report, report.marked
        self.plain = Plain(report.document(), Text(report.style()))

    def all(self) -> dict[str, Any]:
        """Everything the level lets be known; a verdict that is not told is null."""
        marked, report = self.marked, self.report
        told = report.reveal != "none"
        marks = [m for m in marked.marks if told or m.verdict == "unreadable"]
        return {
            "schema": SCHEMA,
            "student": marked.submission.student,
            "name": marked.submission.name,
            "assignment": report.assignment.marker.id or report.assignment.name,
            "reveal": report.reveal,
            "totals": {"earned": marked.earned, "follow_through": marked.follow_through, "max": marked.most},
            "first_error": marked.first_error if told else None,
            "convention": marked.convention or None,
            "flags": list(marked.flags),
            **({"variant": marked.variant, "variant_of_other": marked.other or None} if marked.variant else {}),
            "steps": [self.step(mark) for mark in marks],
        }

    def step(self, mark: Mark) -> dict[str, Any]:
        """One answer; what it should have been only as far as it may be known."""
        report = self.report
        told, everything = report.told(mark), report.reveal == "all"
        own = everything or (mark.verdict in WRONG and told)
        found: dict[str, Any] = {
            "id": mark.key or mark.label,
            "label": mark.label,
            "weight": mark.weight,
            "read": self.read(mark),
            "raw": mark.raw,
            "verdict": mark.verdict if told else None,
            "credit": mark.credit if told else None,
            "exact": finite(mark.exact) if everything else None,
            "own": finite(mark.own) if own else None,
            "ulp_error_exact": finite(mark.ulps_exact) if everything else None,
            "ulp_error_own": finite(mark.ulps_own) if own else None,
            "depends_on_own": list(mark.depends) if told else [],
            "diagnosis": list(dict.fromkeys(f.rule for f in mark.found)) if told else [],
            "message": self.message(mark) if told else "",
        }
        if mark.formula is not None:
            found["formula"] = self.spelled(mark.formula)
            found["value_verdict"] = (mark.value_verdict or None) if told else None
            found["formula_verdict"] = mark.formula_verdict if told else None
            found |= self.compared(mark) if told else {}
        if told and mark.found:
            found["mistakes"] = [self.mistake(f) for f in mark.found if report.may_show(f)]
        if told and mark.window:
            found["window"] = list(mark.window)
        if told and mark.notes:
            found["notes"] = list(mark.notes)
        return found

    def compared(self, mark: Mark) -> dict[str, Any]:
        """How equal a formula is to the right one, and where and how it differs."""
        assert mark.equality is not None
        made: dict[str, Any] = {"formula_level": mark.equality.level}
        if mark.hints:
            made["hints"] = [
                {"kind": hint.kind, **{k: self.argument(v) for k, v in hint.args.items()}} for hint in mark.hints
            ]
        if point := mark.equality.counterexample:
            at = {key: point.at[key] for key in self.report.formulas.shown_at(mark)}
            made["counterexample"] = {"at": at, "gives": point.student, "should_be": point.right}
        return made

    def argument(self, value: object) -> str:
        return self.spelled(value) if isinstance(value, Formula) else str(value)

    def mistake(self, found: Found) -> dict[str, Any]:
        formula = None if found.formula is None else self.spelled(found.formula)
        return {"rule": found.rule, "at": found.at, "formula": formula}

    def spelled(self, f: Formula) -> str:
        return spell(f, self.plain.dialect)

    def read(self, mark: Mark) -> str | None:
        """The number as it was understood."""
        if mark.read is None:
            return None
        shown = numeral(mark.read)
        return mark.read.text.strip() if shown is None else str(shown)

    def message(self, mark: Mark) -> str:
        """The verdict and what there is to say of it, as one text."""
        if mark.problem:
            return mark.problem
        remark = self.report.remark(mark)
        said = self.plain.cell(remark) if remark else ""
        word = self.report.words.plain(f"verdict.{mark.verdict}")
        return f"{word}: {said}" if said else word


def finite(value: float | None) -> float | None:
    """A number JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


def written(report: Report) -> str:
    """The JSON text."""
    return json.dumps(Record(report).all(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
