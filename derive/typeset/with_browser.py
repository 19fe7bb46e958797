"""A browser of the Chromium family, which prints the web page."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from derive.errors import InputError
from derive.typeset.base import Engine, on_path, run

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "brave-browser",
)
OPTIONS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--no-pdf-header-footer")
DATE = re.compile(rb"(/(?:Creation|Mod)Date \(D:)\d{14}")


class WithChromium(Engine):
    name, reads = "Chromium", "html"

    def missing(self) -> str:
        found = on_path(NAMES)
        return (
            ""
            if found
            else "no browser of the Chromium family is on PATH; `pip install 'derive-backprop[pdf]'` needs none"
        )

    def pdf(self, source: str, fonts: object = ()) -> bytes:
        program = on_path(NAMES)
        assert program
        with tempfile.TemporaryDirectory(prefix="derive-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            page, printed = folder / "solution.html", folder / "solution.pdf"
            page.write_text(source, encoding="utf-8")
            # for root, as in most containers, Chromium has no sandbox; the page is derive's own and loads nothing
            root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            command = [program, *OPTIONS, *root, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={printed}"]
            run([*command, page.as_uri()], folder, {})
            if not printed.exists():
                raise InputError(f"{Path(program).name} printed nothing", file="-f pdf")
            return DATE.sub(rb"\g<1>20000101000000", printed.read_bytes())
