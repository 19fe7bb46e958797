"""The engines by name, and which of them is taken where none is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from derive.errors import InputError, nearest
from derive.typeset.base import Engine

#: name -> `module:class`, imported when it is wanted; in this order the first is taken that is there.
ENGINES = {
    "typst": "with_typst:WithTypst",
    "xelatex": "with_tex:WithXelatex",
    "pdflatex": "with_tex:WithPdflatex",
    "chromium": "with_browser:WithChromium",
}
Source = Callable[[Engine, Sequence[str]], str]


def named(name: str) -> Engine:
    """The engine with a name of `ENGINES`; InputError names the nearest."""
    if name not in ENGINES:
        raise InputError(f"unknown engine '{name}'.{nearest(name, ENGINES)}")
    module, kind = ENGINES[name].split(":")
    found: Callable[[], Engine] = getattr(import_module(f"derive.typeset.{module}"), kind)
    return found()


def typeset(source: Source, name: str | None = None, fonts: Sequence[Path] = ()) -> bytes:
    """A PDF.

    source: gives the text for an engine, which is told the families of fonts to use
    name: of the engine; None is the first that is installed and can set this text
    fonts: files or folders of fonts to be tried before all others
    Raises InputError where no engine is there, or none of its fonts has the letters.
    """
    if lost := [font for font in fonts if not font.exists()]:
        raise InputError("there is no such font", file=str(lost[0]))
    for tried in map(named, ENGINES if name is None else (name,)):
        if missing := tried.missing():
            if name is not None:
                raise InputError(missing, file="--pdf-engine")
            continue
        written = source(tried, tried.families(fonts))
        if tried.sets(written) or name is not None:
            return tried.pdf(written, fonts)
    raise InputError(
        "nothing here makes PDFs of this: `pip install 'derive-backprop[pdf]'` does, or xelatex or Chromium on PATH",
        file="-f pdf",
    )
