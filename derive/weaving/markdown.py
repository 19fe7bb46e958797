"""Markers in Markdown are comments, `<!-- derive: … -->`; those in code or in other comments are text.

What is code is for a parser to say: every comment that may be a marker is given a number, and is one if the parser
finds that number among the HTML of the document. A marker on a line of its own begins or ends a block; one in a
paragraph stands around what is put into a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from derive.weaving.markers import BEGIN, DEFAULTS, END, Marker, Source
from derive.weaving.near import meant, refusal

ENDING = f"<!-- {END} -->"

MARKER = re.compile(
    rf"<!--(?:\s*(?P<kind>{DEFAULTS}|{BEGIN}|{END}(?=\s|-->)))?(?P<words>.*?)(?:-->|(?=<!--)|\Z)", re.DOTALL
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NUMBER = re.compile(r"<!--derive(\d+) [\sx>]*(?:-->|(?=<!--)|\Z)")
_INDENTS = re.compile(r"(!!!|\?\?\?\+?|===\+?!?) ")  # what MkDocs has before paragraphs that are indented, and no code
_RAW = re.compile(r"\s*<(pre|script|style|textarea)\b", re.IGNORECASE)


def markers(source: Source) -> list[Marker]:
    """The markers of a text, in order."""
    text = source.text
    candidates = [comment for comment in MARKER.finditer(text) if comment["kind"] or meant(comment["words"])]
    if not candidates:
        return []
    found = dict(places(numbered(text, candidates)))
    return [marker(source, candidates[number], inside) for number, inside in sorted(found.items())]


def numbered(text: str, candidates: list[re.Match[str]]) -> str:
    """The text with every candidate as a comment of as many lines that holds its number."""
    parts, last = [], 0
    for number, candidate in enumerate(candidates):
        end = "-->" if closed(candidate) else ""
        inner = re.sub(r"[^\s>]", "x", candidate[0][4:].removesuffix("-->"))
        parts += [text[last : candidate.start()], f"<!--derive{number} {inner}{end}"]
        last = candidate.end()
    return "".join([*parts, text[last:]]).removeprefix("\ufeff")


def closed(candidate: re.Match[str]) -> bool:
    return candidate[0].endswith("-->")


def places(text: str, paragraphs: Iterator[int] | None = None) -> Iterator[tuple[int, int | None]]:
    """(number, paragraph) of the comments that are comments; None for the paragraph where they are HTML of their own.

    paragraphs: gives every paragraph a number of its own
    """
    from markdown_it import MarkdownIt

    paragraphs, before = paragraphs or count(), ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block" and not _RAW.match(token.content):
            yield from ((number, None) for number in numbers(token.content))
        if token.type == "code_block" and _INDENTS.match(before):
            yield from places(token.content, paragraphs)
        if token.type == "inline":
            before, paragraph = token.content, next(paragraphs)
            found = [child.content for child in token.children or () if child.type == "html_inline"]
            yield from ((number, paragraph) for html in found for number in numbers(html))


def numbers(html: str) -> Iterator[int]:
    for comment in _COMMENT.findall(html):
        if match := _NUMBER.match(comment):
            yield int(match[1])


def marker(source: Source, candidate: re.Match[str], inside: int | None) -> Marker:
    """A candidate that is a marker; one outside of paragraphs needs a line for itself."""
    text, start, end = source.text, candidate.start(), candidate.end()
    if not candidate["kind"]:
        raise refusal(source, meant(candidate["words"]) or "", start)
    if not closed(candidate):
        raise source.error("this comment does not end: there is no --> after it", start)
    before = text[text.rfind("\n", 0, start) + 1 : start].removeprefix("\ufeff")
    after = text[end:].partition("\n")[0]
    if inside is None and (after.strip() or not re.fullmatch(r"[\s>]*(?:(?:[-+*]|\d{1,9}[.)])[\s>]+)*", before)):
        raise source.error(
            "Markdown is not read beside a marker here; give it a line of its own, or a word before it", start
        )
    prefix = re.sub(r"[^\s>]", " ", before)
    return Marker(candidate["kind"], start, end, candidate["words"], candidate.start("words"), inside, prefix)
