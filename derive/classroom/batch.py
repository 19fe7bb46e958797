"""A whole class: every submission marked, a page for each student, `grades.csv`, and what the class as a whole did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from derive import examples, source
from derive.classroom import grades, report, roster
from derive.classroom.clusters import flagged
from derive.classroom.engines import Engine, engine, settled
from derive.classroom.entries import MOST_BYTES, Refused
from derive.classroom.folder import Batch, Handed, discover
from derive.classroom.gradebook import filled, opened
from derive.classroom.killable import Limits
from derive.classroom.naming import Owner, cleaned, slug
from derive.classroom.record import Record, record
from derive.classroom.roster import Roster
from derive.classroom.task import Plain, file_task, preparation, submission_task
from derive.document import Document
from derive.errors import InputError
from derive.files import Earlier, Results
from derive.homework.manifest import LIMITS, name_in
from derive.printers import FORMATS
from derive.version import __version__

GRADER = "derive.classroom.grading:grader"
SUMMARIES = {"html": "summary.html", "latex": "summary.tex", "markdown": "summary.md", "text": "summary.txt"}


@dataclass(frozen=True)
class Class:
    """A class that is marked. document: the report about it · files: what was written, but for the pages · earlier: what was not"""

    records: tuple[Record, ...]
    document: Document
    files: tuple[Path, ...]
    earlier: Earlier

    @property
    def code(self) -> int:
        """The exit code: 1 if something could not be read."""
        return int(any(record.status == "unreadable" for record in self.records))


@dataclass(frozen=True)
class Piece:
    """A submission on its way. task: what marks it, made when its turn comes; Refused where it is not read"""

    source: str
    owner: Owner
    task: Callable[[], Plain]


def check_class(
    net: str | Path,
    folder: str | Path,
    output: str | Path,
    *,
    jobs: int | None = None,
    executor: str = "processes",
    roster_file: str | Path | None = None,
    id_regex: str | None = None,
    gradebook: str | Path | None = None,
    column: str | None = None,
    reveal: str | None = None,
    formats: Sequence[str] = ("html",),
    lang: str = "en",
    lessons: str | None = None,
    numbers: Mapping[str, Any] | None = None,
    per_step: bool = False,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] = lambda made, planned: None,
    grader: str = GRADER,
) -> Class:
    """Marks a folder, a zip archive or a table of submissions and writes what comes of it into the folder `output`.

    jobs: how many at a time · executor: who does it, see `engines` · roster_file: who should have handed in
    id_regex: where in a path the student's id stands
    gradebook: the CSV of Canvas or Moodle, which is written again with the grades, and is the roster where there is no other
    column: of the gradebook; default the name of the network file, or the id of the exercise that has variants · reveal: how much the pages tell, as for `derive.check`
    formats, lang, lessons, numbers: of the pages, as for `derive.check` · per_step: a column for every step in grades.csv · limits: of each submission
    progress: told how many are done, of how many · grader: `module:function` that makes the network ready
    InputError where the network, the roster or the folder is at fault; a submission at fault is a record that says so.
    """
    given = network(net)
    name = name_in(given["text"], Path(net).stem if str(net) != "-" else "network")
    book = opened(gradebook, column or name, asked=column is not None) if gradebook is not None else None
    known = book.roster if book is not None else None
    known = roster.read(roster_file) if roster_file is not None else known
    options = {"formats": list(formats), "reveal": reveal, "lang": lang, "lessons": lessons, "numbers": numbers or {}}
    prepared = preparation(grader, given, options)
    results = Results(Path(output))
    with (
        discover(Path(folder), id_regex) as batch,
        engine(executor, jobs, prepared, limits or Limits()) as workers,
    ):
        steps = agreed(workers.ready())
        desk = Desk(results, known, tuple(pieces(batch, workers, known)), progress)
        for i, answer in workers.answers(desk.tasks()):
            desk.file(i, answer)
        records = tuple(flagged(desk.complete()))
    entered = filled(book, records, known or book.roster) if book is not None else None
    document = report.document(records, steps, batch.left_out, lang, name, entered)
    made: dict[str, str | bytes] = {"grades.csv": grades.table(records, steps if per_step else ())}
    made |= {"gradebook.csv": entered.text} if entered is not None else {}
    made |= {SUMMARIES[name]: FORMATS[name].print(document) for name in SUMMARIES if name in ("markdown", *formats)}
    for name, content in made.items():
        results.write(name, content)
    return Class(records, document, tuple(Path(output) / name for name in made), results.finish())


def network(net: str | Path) -> dict[str, str]:
    """The network file as it travels: its text, its name, and the folder of the weights beside it."""
    path = examples.resolve(net)
    text, name = source.load(path, LIMITS.size)
    return {"text": text, "name": name, "folder": str(Path("." if str(net) == "-" else path).parent.absolute())}


def agreed(first: Plain) -> tuple[tuple[str, str], ...]:
    """The steps of the network a worker has made ready; InputError where it could not, or is another derive."""
    if code := first.get("problem"):
        detail = first["detail"]
        raise InputError(detail if code == "unreadable" else f"the network was not made ready: {code} {detail}".strip())
    if first["version"] != __version__:
        raise InputError(f"the workers have derive {first['version']}, this is {__version__}", file="--executor")
    return tuple((key, label) for key, label in first["steps"])


def pieces(batch: Batch, workers: Engine, known: Roster | None) -> Iterator[Piece]:
    """Every submission, those of a table by themselves; whose it is as the roster has it."""
    for handed in batch.handed:
        if not handed.table:
            owner = enrolled(handed.owner, known)
            yield Piece(handed.source, owner, partial(whole, handed, owner.student))
            continue
        try:
            listed = settled(workers.submit(whole(handed)))
        except Refused as refused:
            raise InputError(refused.code.replace("_", " "), file=handed.source) from None
        if "problem" in listed:
            raise InputError(listed["detail"] or listed["problem"], file="" if listed["detail"] else handed.source)
        for one in listed["submissions"]:
            owner = enrolled(Owner(cleaned(one["student"]), cleaned(one["name"])), known)
            yield Piece(handed.source, owner, partial(submission_task, one, owner.student))


def whole(handed: Handed, owner: str = "") -> dict[str, Any]:
    """The task of a file. owner: whose it is, as the roster has it"""
    return file_task(handed.source, handed.read(), table=handed.table, owner=owner)


def enrolled(owner: Owner, known: Roster | None) -> Owner:
    """The owner under the id, and with the name, that the roster has for it."""
    student = known.find(owner.student) if known is not None else None
    return owner if student is None else replace(owner, student=student.id, name=student.name or owner.name)


class Desk:
    """Where submissions wait and marked ones are filed: pages go to the folder at once, rows are kept."""

    def __init__(
        self, results: Results, known: Roster | None, pieces: tuple[Piece, ...], progress: Callable[[int, int], None]
    ) -> None:
        self.results, self.known, self.pieces, self.progress = results, known, pieces, progress
        self.often = Counter(piece.owner.student for piece in pieces)
        self.filed: dict[int, Record] = {}
        self.bytes = 0

    def tasks(self) -> Iterator[tuple[int, Plain]]:
        """The task of every submission that is read."""
        for i, piece in enumerate(self.pieces):
            try:
                task = piece.task()
                self.bytes += len(task.get("data", ""))
                if self.bytes * 3 // 4 > MOST_BYTES:
                    raise Refused("too_much")
            except Refused as refused:
                self.file(i, {"problem": refused.code})
                continue
            yield i, task

    def file(self, i: int, answer: Plain) -> None:
        """Files what came of a submission."""
        made = self.record(self.pieces[i], answer)
        for suffix, content in made.files.items():
            self.results.write(f"{self.name(made)}.{suffix}", content)
        self.filed[i] = replace(made, files={})
        self.progress(len(self.filed), len(self.pieces))

    def name(self, made: Record) -> str:
        """What the files about a submission are called."""
        return slug(made.student, made.source if self.often[made.student] > 1 else "")

    def record(self, piece: Piece, answer: Plain) -> Record:
        """The row of a submission: whose it is says the platform, not the file."""
        owner = piece.owner
        given = answer.get("record") or {"problem": answer["problem"], "detail": answer.get("detail", "")}
        inner = cleaned(given.get("student", ""))
        flags = [*given.get("flags", ())]
        if inner and enrolled(Owner(inner), self.known).student != owner.student:
            flags.append("id_mismatch")
        flags += ["late"] if owner.late else []
        flags += ["duplicate_id"] if self.often[owner.student] > 1 else []
        flags += ["not_in_roster"] if self.known is not None and self.known.find(owner.student) is None else []
        named = owner.name or cleaned(given.get("name", ""))
        whose = {"student": owner.student, "name": named, "source": piece.source, "flags": list(dict.fromkeys(flags))}
        return record({**given, **whose})

    def complete(self) -> list[Record]:
        """All rows, those of students who handed in nothing too, in the order of ids."""
        handed = {made.student for made in self.filed.values()}
        missing = [] if self.known is None else [one for one in self.known.students if one.id not in handed]
        absent = [Record(one.id, one.name, problem="not_submitted") for one in missing]
        return sorted([*self.filed.values(), *absent], key=lambda made: (made.student, made.source))
