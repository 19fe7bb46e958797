"""Reference of the Python functions, from their own docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import derive
from derive.document import Block, Code, Section, say
from derive.printers.site import Typed
from derive.site.pages import Page, Site, section


def pages(site: Site) -> Iterator[Page]:
    title = site.words.plain("site.reference.title.python")
    sections = [documented(name) for name in derive.__all__ if not name.startswith("__")]
    intro = (say("site.reference.intro.python"),)
    yield Page("reference/python.html", title, site.sheet(title, sections, intro))


def documented(name: str) -> Section:
    found = getattr(derive, name)
    blocks = [*of(found, name), *(members(found) if inspect.isclass(found) else ())]
    return section(name, Typed(f"derive.{name}"), *blocks)


def of(found: Any, name: str) -> Iterator[Block]:
    """The signature and the docstring, as they stand."""
    if not (inspect.isclass(found) and issubclass(found, Exception)):
        yield Code(signature(found, name), "python")
    if doc := inspect.getdoc(found):
        yield Code(doc, "")


def members(of_class: type) -> Iterator[Block]:
    """The public methods and properties that a class defines itself and documents."""
    for name, member in vars(of_class).items():
        function = member.fget if isinstance(member, property) else member
        if name.startswith("_") and name != "__getitem__":
            continue
        if inspect.isfunction(function) and function.__doc__:
            head = name if isinstance(member, property) else signature(function, name)
            yield Code(f"{head}\n{indent(inspect.getdoc(function) or '', '    ')}", "python")


def signature(found: Any, name: str) -> str:
    """A signature as it is written, one argument on a line where there are many."""
    text = unquoted(str(inspect.signature(found)))
    if len(name + text) <= WIDE:
        return name + text
    arguments = [unquoted(str(p)) for p in inspect.signature(found).parameters.values()]
    stars = [p.kind for p in inspect.signature(found).parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in stars:
        arguments.insert(stars.index(inspect.Parameter.KEYWORD_ONLY), "*")
    result = text.rpartition(" -> ")[2] if " -> " in text else "None"
    return f"{name}(\n    " + ",\n    ".join(arguments) + f",\n) -> {result}"


def unquoted(text: str) -> str:
    """A signature whose annotations, which are not evaluated, stand without quotes, and functions as three dots."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", re.sub(r"<[^=]+ at 0x[0-9a-f]+>", "...", text))


WIDE = 88  # columns of a signature on one line
