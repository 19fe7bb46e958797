#!/usr/bin/env python3
"""Rebuild latin-modern-math.woff2: a subset of Latin Modern Math, renamed.

    pip install fonttools brotli
    python build.py /path/to/latinmodern-math.otf [-o out.woff2] [--list-missing]

The output is written next to this script unless -o says otherwise. The same
input and the same fontTools and brotli versions give the same bytes (the font's
own time stamps are kept).
"""

import argparse
import copy
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables import otTables

FAMILY = "Derive Math"
POSTSCRIPT = "DeriveMath-Regular"
FEATURES = ["ssty", "dtls"]  # the font's only other feature is aalt, a superset
DEFAULT_OUT = Path(__file__).with_name("latin-modern-math.woff2")


def _span(first, last):
    return set(range(first, last + 1))


def _chars(text):
    return {ord(c) for c in text if not c.isspace()}


def _alphabet(start, holes=None):
    """A 52-letter Mathematical Alphanumeric run; holes: offset -> code point."""
    points = _span(start, start + 51)
    for offset, char in (holes or {}).items():
        points.discard(start + offset)
        points.add(ord(char))
    return points


def _capitals(start, holes):
    """As _alphabet, but A to Z only; holes: letter -> code point."""
    points = _span(start, start + 25)
    for letter, char in holes.items():
        points.discard(start + ord(letter) - ord("A"))
        points.add(ord(char))
    return points


# Wanted characters, by group. Anything the font lacks is dropped, and is shown
# by --list-missing.
GROUPS = {
    "ASCII": _span(0x20, 0x7E),
    "Latin-1 and text punctuation": _chars("¡§©«¬®¯°±²³´µ¶·¸¹»¼½¾¿×÷–—‘’“”†‡•…‰") | {0xA0},
    "spaces": {0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2009, 0x200A, 0x200B, 0x202F, 0x205F},
    "invisible operators": _span(0x2061, 0x2064),
    "Greek": (_span(0x391, 0x3A9) - {0x3A2}) | _span(0x3B1, 0x3C9) | _chars("ϑϕϖϰϱϴϵ"),
    "bold": _alphabet(0x1D400),
    "italic": _alphabet(0x1D434, {33: "ℎ"}),
    "bold italic": _alphabet(0x1D468),
    "script capitals": _capitals(
        0x1D49C, {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"}
    ),
    "bold script capitals": _span(0x1D4D0, 0x1D4E9),
    "double-struck capitals": _capitals(
        0x1D538, {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}
    ),
    "dotless": _chars("ıȷ𝚤𝚥"),
    "Greek bold": _span(0x1D6A8, 0x1D6E1),
    "Greek italic": _span(0x1D6E2, 0x1D71B),
    "Greek bold italic": _span(0x1D71C, 0x1D755),
    "digits bold": _span(0x1D7CE, 0x1D7D7),
    "digit one double-struck": {0x1D7D9},
    "letterlike": _chars("ℏℓ℘ℑℜℵ"),
    "superscripts and subscripts": _chars("⁰ⁱ⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵀ"),
    "fractions": _chars("⁄⅓⅔¼½¾⅛⅜⅝⅞"),
    "operators": _chars("∂∇∆∑∏∐√∛∜∞⊙⊗⊕⊖⊘·⋅×÷±∓−∕∖∗∘∙∫∬∭∮∧∨∩∪⋀⋁⋂⋃⨀⨁⨂⋆⊥⊤∅¬"),
    "relations": _chars("≈=≠≤≥<>≡≢≔≕≜≝∈∉∋∼≃≅∝≪≫≺≻⊂⊃⊆⊇∣∤∥∦⊢⊨"),
    "quantifiers": _chars("∀∃∄∴∵"),
    "arrows": _span(0x2190, 0x2199) | _chars("↦⇐⇑⇒⇓⇔⇕↪↩⇀⇁⇌⟵⟶⟷⟸⟹⟺⟼"),
    "dots": _chars("․‥…⋮⋯⋰⋱⋅"),
    "primes": _chars("′″‴⁗‵‶‷"),
    "accents": _chars("ˆˇˉ˘˙˚˜¨´`¯‾⃗→")
    | {
        0x300,
        0x301,
        0x302,
        0x303,
        0x304,
        0x305,
        0x306,
        0x307,
        0x308,
        0x30A,
        0x30C,
        0x332,
        0x338,
        0x20D6,
        0x20D7,
        0x20DB,
    },
    "fences": _chars("()[]{}|‖∣∥⌊⌋⌈⌉⟨⟩⟦⟧⎰⎱"),
    "fence pieces": _span(0x239B, 0x23AE),
    "horizontal fences": _chars("⏞⏟⏜⏝⎴⎵"),
    "marks": _chars("□■◦•∎✓✗"),
}

# ssty gives each character one drawing for scripts and one for scripts of scripts,
# which triples the outlines. Both are kept for SSTY_BOTH, the first alone for
# SSTY_FIRST; the rest are just scaled down in scripts.
SSTY_BOTH = ["ASCII", "italic", "Greek italic", "dotless", "primes"]
SSTY_FIRST = ["bold", "digits bold"]
SSTY_EXTRA = _chars("ℓℒ∂∇")  # these get both


def wanted():
    return set().union(*GROUPS.values())


def prune_ssty(font):
    """Cut the ssty alternates down to the groups named above."""
    cmap = font.getBestCmap()

    def glyphs(groups, extra=()):
        points = set(extra).union(*(GROUPS[name] for name in groups))
        return {cmap[point] for point in points if point in cmap}

    both, first = glyphs(SSTY_BOTH, SSTY_EXTRA), glyphs(SSTY_FIRST)
    gsub = font["GSUB"].table
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag != "ssty":
            continue
        for index in record.Feature.LookupListIndex:
            for table in gsub.LookupList.Lookup[index].SubTable:
                table = getattr(table, "ExtSubTable", table)
                table.alternates = {
                    glyph: alternates if glyph in both else alternates[:1]
                    for glyph, alternates in table.alternates.items()
                    if glyph in both or glyph in first
                }


def reach_features_by_css(font):
    """List the features under the script DFLT as well as math.

    Chromium does not shape MathML under the script "math", so without this CSS
    cannot turn ssty on there. Neither feature is on unless something asks for it.
    """
    records = font["GSUB"].table.ScriptList.ScriptRecord
    if any(record.ScriptTag == "DFLT" for record in records):
        return
    record = otTables.ScriptRecord()
    record.ScriptTag = "DFLT"
    record.Script = copy.deepcopy(next(r for r in records if r.ScriptTag == "math").Script)
    records.insert(0, record)
    font["GSUB"].table.ScriptList.ScriptCount = len(records)


def rename(font):
    """Give the derived font its own name (the GUST licence asks for it)."""
    names = font["name"]
    version = names.getDebugName(5)
    values = {
        1: FAMILY,
        2: "Regular",
        3: f"{POSTSCRIPT}; subset of Latin Modern Math, {version}",
        4: FAMILY,
        5: version,
        6: POSTSCRIPT,
        16: FAMILY,
        17: "Regular",
        10: "Derived work: a renamed subset of Latin Modern Math "
        "(https://ctan.org/pkg/lm-math). Not maintained by its authors.",
        13: "GUST Font License (LaTeX Project Public License 1.3c or later)",
        14: "http://tug.org/fonts/licenses/GUST-FONT-LICENSE.txt",
    }
    copyright_notice = names.getDebugName(0)
    names.names = []
    for name_id, value in {0: copyright_notice, **values}.items():
        names.setName(value, name_id, 3, 1, 0x409)
    cff = font["CFF "].cff
    cff.fontNames = [POSTSCRIPT]
    cff[0].FullName = FAMILY
    cff[0].FamilyName = FAMILY


def build(source, out):
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = FEATURES
    options.name_IDs = ["*"]
    options.name_legacy = True
    options.notdef_outline = True
    options.hinting = True  # without it rules and arrows show seams on screen
    options.desubroutinize = True
    options.recalc_timestamp = False
    options.drop_tables += ["FFTM"]

    font = TTFont(source, recalcTimestamp=False)
    if "MATH" not in font:
        sys.exit(f"{source}: no MATH table; is this latinmodern-math.otf?")
    have = set(font.getBestCmap())
    missing = sorted(wanted() - have)
    prune_ssty(font)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted() & have)
    subsetter.subset(font)
    reach_features_by_css(font)
    rename(font)
    subset.save_font(font, str(out), options)
    return font, missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="path to latinmodern-math.otf")
    parser.add_argument("-o", "--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--list-missing", action="store_true", help="list wanted characters the font does not have")
    args = parser.parse_args()
    font, missing = build(args.source, args.out)
    print(
        f"{args.out.name}: {args.out.stat().st_size} bytes, "
        f"{len(font.getBestCmap())} characters, {font['maxp'].numGlyphs} glyphs, "
        f"{len(missing)} wanted characters not in the source"
    )
    if args.list_missing:
        for point in missing:
            groups = ", ".join(n for n, s in GROUPS.items() if point in s)
            print(f"  U+{point:04X} {chr(point)} ({groups})")


if __name__ == "__main__":
    main()
