"""Whether a site holds together: every link leads to a page and an anchor of it, and no two pages share a title."""

from __future__ import annotations

import html
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from derive.printers.site import OUTSIDE

LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
ID = re.compile(r'\sid="([^"]*)"')
TITLE = re.compile(r"<title>(.*?)</title>")
HIDDEN = re.compile(r"<script>.*?</script>|<pre>.*?</pre>", re.DOTALL)  # what stands there is no link


def faults(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong, one line each: dead links, ids that stand twice on a page, titles of several pages."""
    pages = {path: HIDDEN.sub("", content.decode("utf-8")) for path, content in files.items() if path.endswith(".html")}
    ids = {path: [html.unescape(id) for id in ID.findall(text)] for path, text in pages.items()}
    anchors = {path: set(found) for path, found in ids.items()}
    found = [fault for path, text in pages.items() for fault in dead(path, text, files, anchors)]
    for path, known in ids.items():
        found += [f"{path}: the id {id} stands {n} times" for id, n in Counter(known).items() if n > 1]
    titles = Counter(
        title for text in pages.values() for title in TITLE.findall(text)[:1]
    )  # diagrams have some as well
    return found + [f"{n} pages are called {title}" for title, n in titles.items() if n > 1]


def dead(path: str, text: str, files: Mapping[str, bytes], anchors: Mapping[str, set[str]]) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    for link in dict.fromkeys(map(html.unescape, LINK.findall(text))):
        if link.startswith(OUTSIDE):
            continue
        where, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(where))) if where else path
        if target not in files:
            yield f"{path}: {link} leads nowhere"
        elif anchor and unquote(anchor) not in anchors.get(target, ()):
            yield f"{path}: {link} has no such anchor"
