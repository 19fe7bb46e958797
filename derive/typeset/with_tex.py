"""TeX engines: pdfLaTeX, and XeLaTeX, which has letters beyond the Latin ones."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from derive.errors import InputError
from derive.typeset.base import Engine, on_path, run

MOST = 4  # runs, until the lengths of tables and the numbers of pages stay as they are
#: No file of anybody's is read or written, no time is asked for, and a line of the log is not broken.
ENVIRONMENT = {
    "openin_any": "p",
    "openout_any": "p",
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "max_print_line": "1000",
}
XELATEX = "% !TEX program = xelatex"  # the first line of a document that needs it
LACKING = re.compile(r"Missing character: There is no (\S+)")


class WithXelatex(Engine):
    name, reads = "xelatex", "latex"

    def missing(self) -> str:
        found = on_path([self.name])
        return (
            "" if found else f"{self.name} is not on PATH; `pip install 'derive-backprop[pdf]'` makes PDFs without TeX"
        )

    def pdf(self, source: str, fonts: object = ()) -> bytes:
        if not self.sets(source):
            raise InputError(f"{self.name} lacks letters of this text; --pdf-engine xelatex has them", file="-f pdf")
        with tempfile.TemporaryDirectory(prefix="derive-") as name:
            folder = Path(name)
            (folder / "solution.tex").write_text(source, encoding="utf-8")
            log = self.log(folder)
            if lacking := "".join(dict.fromkeys(LACKING.findall(log))):
                raise InputError(f"{self.name} has no font with the letters {lacking}", file="-f pdf")
            if not (folder / "solution.pdf").exists():
                raise InputError(f"{self.name}: {first(log)}", file="-f pdf")
            return (folder / "solution.pdf").read_bytes()

    def log(self, folder: Path) -> str:
        """The log of the last run, when the document is as it stays."""
        program = on_path([self.name])
        assert program
        command = [program, "-interaction=batchmode", "-halt-on-error", "-no-shell-escape", "solution.tex"]
        before = ""
        for _ in range(MOST):
            code = run(command, folder, ENVIRONMENT)
            log = (folder / "solution.log").read_text(encoding="utf-8", errors="replace")
            if code:
                raise InputError(f"{self.name}: {first(log)}", file="-f pdf")
            kept = "".join(
                path.read_text(encoding="utf-8", errors="replace")
                for path in sorted(folder.iterdir())
                if path.suffix in (".aux", ".toc", ".out")
            )
            if kept == before:
                break
            before = kept
        return log


class WithPdflatex(WithXelatex):
    name = "pdflatex"

    def sets(self, source: str) -> bool:
        return not source.startswith(XELATEX)


def first(log: str) -> str:
    """The first error in a log, with the line it is on, on one line."""
    error, line = re.search(r"^! *(.*)", log, re.MULTILINE), re.search(r"^l\.(\d+)", log, re.MULTILINE)
    where = f" (line {line[1]} of what -f latex gives)" if line else ""
    return (error[1] if error else "it stopped without saying why") + where
