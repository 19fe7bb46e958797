"""Typst, as the package `typst`: a library with fonts of its own for Latin, Greek, Cyrillic and mathematics."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from derive.errors import InputError
from derive.typeset.base import Engine

UNDATED, DATED = "date: none", "date: datetime(year: 2000, month: 1, day: 1)"
ARCHIVAL: Literal["a-2b"] = "a-2b"  # a standard by which every letter must have a shape, and the document a date
LACKING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
MOST = 8  # letters that are named


class WithTypst(Engine):
    name, reads = "Typst", "typst"

    def missing(self) -> str:
        return "" if find_spec("typst") else "Typst is not installed: `pip install 'derive-backprop[pdf]'` brings it"

    def families(self, fonts: Sequence[Path]) -> list[str]:
        import typst

        if not fonts:
            return []
        with folders(fonts) as paths:
            found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=paths).families()
        if not found:
            raise InputError("there is no font in it that Typst can read", file=str(fonts[0]))
        return list(found)

    def pdf(self, source: str, fonts: Sequence[Path] = ()) -> bytes:
        """Typst leaves out letters that no font has and says nothing; the archival standard refuses them.

        So the text is set by that standard first: with Typst's fonts and those given, and if these do not do, with
        those of the system as well, which take a second to be found. The pages that are kept are those without a date.
        """
        import typst

        with tempfile.TemporaryDirectory(prefix="derive-") as empty, folders(fonts) as paths:
            for alone in (True, False):
                compiler = typst.Compiler(
                    root=empty,
                    font_paths=paths,
                    ignore_system_fonts=alone,
                    package_path=empty,
                    package_cache_path=empty,
                )
                try:
                    compiler.compile(source.replace(UNDATED, DATED, 1).encode(), format="pdf", pdf_standards=ARCHIVAL)
                except typst.TypstError as error:
                    problem = error
                else:
                    pages = compiler.compile(source.encode(), format="pdf")
                    assert isinstance(pages, bytes)
                    return pages
        letters = "".join(dict.fromkeys("".join(LACKING.findall(str(problem.diagnostic)))))
        if not letters:
            raise problem
        shown = letters if len(letters) <= MOST else letters[:MOST] + "…"
        raise InputError(
            f"no font has the letters {shown}: install one that has them (Chinese: fonts-noto-cjk) or name its file with --font",
            file="-f pdf",
        )


@contextmanager
def folders(fonts: Sequence[Path]) -> Iterator[list[str]]:
    """Folders with these fonts: Typst reads whole folders, so a file is copied into one of its own."""
    with tempfile.TemporaryDirectory(prefix="derive-") as folder:
        found = [str(font) for font in fonts if font.is_dir()]
        for i, font in enumerate(font for font in fonts if not font.is_dir()):
            shutil.copy(font, Path(folder) / f"{i}{font.suffix}")
        yield [*found, folder] if fonts else []
