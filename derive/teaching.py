"""`derive explain`: a lesson, a derivative, or the whole book as documents that their witnesses agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from derive import derivatives, policies
from derive.board import Board, Claim, Lesson, said
from derive.checks.errors import Errors
from derive.checks.printed import printed
from derive.document import Block, Book, Chapter, Code, Document, Section, Step, Table, Topic, Witness, say
from derive.errors import LISTED, InputError, WitnessError, nearest
from derive.language import Words
from derive.lessons import by_chapter, load, topics
from derive.numerals import Policy
from derive.printers.terminal import Terminal
from derive.solution import Solution, finished
from derive.studies.base import Desk
from derive.studies.calculation import Calculation

WRITINGS = 3  # how often a lesson is written, with other values of its free quantities each time


def explain(
    topic: str,
    *,
    level: str = "normal",
    lang: str = "en",
    only: Sequence[str] = (),
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Solution:
    """The lesson of a topic: where a formula comes from; or a derivative, as in d/dz log(1+exp(-z)), step by step.

    The other arguments are those of `solve`. Raises InputError with the nearest topic for an unknown one, and where a
    derivative cannot be read, WitnessError where an equality is false.
    """
    policy, words = policies.read(None, numbers), Words(lang)
    if policy.as_you_go:
        raise InputError("a lesson is not rounded as one goes; leave that to backprop", file="round_as_you_go")
    more: tuple[Witness, ...] = ()
    if topic in topics():
        stage("derive")
        lesson = load(topic)
        written = [write(topic, lesson, policy, words, seed) for seed in range(WRITINGS)]
    elif derivatives.is_meant(topic):
        stage("derive")
        asked = derivatives.read(topic)
        drawn = derivatives.draws(asked, WRITINGS)
        written = [derivatives.write(asked, at, policy, words) for at in drawn]
        more = tuple(derivatives.by_sympy(asked, drawn))
    else:
        raise InputError(f"there is no topic '{topic}'.{nearest(topic, topics()) or LISTED}", file="derive explain")
    stage("check")
    witnesses = [printed(document) for document, _ in written]
    equal = replace(
        witnesses[0],
        name="lesson",
        max_abs=max(w.max_abs for w in witnesses),
        max_rel=max(w.max_rel for w in witnesses),
        compared=sum(w.compared for w in witnesses),
        ok=all(w.ok for w in witnesses),
    )
    document, board = written[0]
    found = (equal, *more, *mistaken([board for _, board in written]))
    if not all(w.ok for w in found):
        faults = chain(false_steps([d for d, _ in written]), true_mistakes(topic, [b for _, b in written]))
        raise WitnessError(f"the lesson '{topic}', {next(faults)}")
    return finished(document, board.desk.calculation, found, level, only)


def explain_all(
    *,
    level: str = "normal",
    lang: str = "en",
    stage: Callable[[str], None] = lambda name: None,
    progress: Callable[[int, int], None] = lambda made, planned: None,
    **numbers: Any,
) -> Solution:
    """All lessons as one document, chapter by chapter, each of them checked as `explain` checks it.

    progress: is told how many of the lessons are written · the other arguments are those of `solve`
    """
    stage("derive")
    chapters, made, planned = [], 0, len(topics())
    for id, ids in by_chapter().items():
        lessons = []
        for topic in ids:
            progress(made, planned)
            lessons.append(explain(topic, level=level, lang=lang, **numbers).document)
            made += 1
        chapters.append(Chapter(id, say(f"chapter.{id}"), tuple(replace(d, lessons="") for d in lessons)))
    return bound(chapters, policies.read(None, numbers), Words(lang))


def bound(chapters: Sequence[Chapter], policy: Policy, words: Words) -> Solution:
    """The book of some chapters: their conventions said once, all their witnesses together."""
    lessons = [lesson for chapter in chapters for lesson in chapter.lessons]
    conventions = [sentence for lesson in lessons for sentence in lesson.conventions]
    desk = Desk(Calculation((), {}), policy, words)
    book = Book(
        title=words.plain("title.lessons"),
        sections=(),
        values=desk.values,
        style=desk.style,
        language=words.language,
        summary=(say("book.summary", lessons=len(lessons), chapters=len(chapters)),),
        witnesses=tuple(witness for lesson in lessons for witness in lesson.witnesses),
        conventions=tuple(sentence for i, sentence in enumerate(conventions) if sentence not in conventions[:i]),
        chapters=tuple(chapters),
        lessons="",
    )
    return Solution(book, desk.calculation)


def false_steps(documents: Sequence[Document]) -> Iterator[str]:
    """The steps of which an equality is false, by their titles."""
    for document in documents:
        for section, step in steps_in(document.sections):
            witness = printed(replace(document, sections=(replace(section, blocks=(step,)),)))
            if not witness.ok:
                title = " / ".join(map(Terminal(document).say, (section.title, step.title)))
                yield f"{title}: relative error {witness.max_rel:.3g}, allowed {witness.tolerance:.3g}"


def true_mistakes(topic: str, boards: Sequence[Board]) -> Iterator[str]:
    """The mistakes that are none, as they are written."""
    rows = claims(boards)
    claimed = [mistake for mistake in load(topic).mistakes if mistake.claim] if rows else []
    for mistake, row in zip(claimed, rows, strict=True):
        if not any(claim.differ for claim in row):
            yield f"{boards[0].text(mistake.wrong)}: this is no mistake, both sides are equal"


def claims(boards: Sequence[Board]) -> list[tuple[Claim, ...]]:
    """What each mistake takes for equal, in every writing."""
    return list(zip(*(board.claims for board in boards), strict=True))


def mistaken(boards: Sequence[Board]) -> Iterator[Witness]:
    """The common mistakes that can be computed: what they take for equal has to differ, at least somewhere."""
    if rows := claims(boards):
        errors = Errors()
        for row in rows:
            errors.compare(0.0, 0.0 if any(claim.differ for claim in row) else 1.0, 1.0)
        yield errors.witness("mistakes", "page", 0.5)


def write(topic: str, lesson: Lesson, policy: Policy, words: Words, seed: int) -> tuple[Document, Board]:
    """A lesson written once, with its own values of the free quantities."""
    board = Board(words, policy, seed, lesson.study() if lesson.study else None, topic=topic)
    parts: list[tuple[str, Sequence[Block]]] = [("derivation", list(lesson.derivation(board)))]
    if lesson.picture and seed == 0:  # nothing in a chart is checked: one is enough
        parts.append(("picture", list(lesson.picture(board))))
    parts.append(("numbers", list(lesson.numbers(board))))
    reasons = lesson.why if isinstance(lesson.why, tuple) else (lesson.why,)
    parts.append(("why", [say(reason) for reason in reasons]))
    parts.append(("mistakes", list(mistakes(board, lesson))))
    if lesson.network:
        parts.append(("network", [say("lesson.network"), Code(lesson.network.strip())]))
    related = [other for other in lesson.see if other in topics()]  # a test sees to it that none is missing
    if related:
        header = (say("table.topic"), say("table.result"))
        rows = tuple((Topic(other, said(load(other).title)), said(load(other).short)) for other in related)
        parts.append(("see", [Table(f"{topic}/see/topics", say("table.topics"), header, rows)]))
    sections = [Section(f"{topic}/{id}", say(f"section.lesson.{id}"), tuple(blocks)) for id, blocks in parts if blocks]
    document = board.desk.document(words.plain(lesson.title), sections, {}, summary=(said(lesson.short),))
    if not any(line.has_value for _, step in steps_in(sections) for line in step.lines):
        document = replace(document, conventions=())
    return replace(document, topic=topic), board


def steps_in(sections: Sequence[Section]) -> Iterator[tuple[Section, Step]]:
    return ((section, block) for section in sections for block in section.blocks if isinstance(block, Step))


def mistakes(board: Board, lesson: Lesson) -> Iterator[Block]:
    """What is often written, beside what is true."""
    for mistake in lesson.mistakes:
        if mistake.claim:
            board.mistake(*mistake.claim(board))
    if lesson.mistakes:
        header = (say("table.often"), say("table.true"))
        rows = tuple((said(m.wrong), said(m.right)) for m in lesson.mistakes)
        yield Table(f"{board.topic}/mistakes/table", say("table.mistakes"), header, rows)
