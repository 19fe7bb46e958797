"""The reader of `net.yaml`: what it keeps, what it refuses, and that nothing hostile is slow or gets through."""

from __future__ import annotations

import io
import pathlib
import re
import subprocess
import sys
import time
from fractions import Fraction
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import InputError
from derive.source import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Item, Limits, Number, parse, read

LITERAL = Limits(size=1000, depth=3, values=16, literal=True)
NET = """\
name: two-layer net   # a comment
layers:
  - linear:
      weight: [[0.10, 1/3], [-2e-3, \u22122/7]]
      bias: "0"
  - sigmoid
frozen: yes
"""


@pytest.fixture(params=["default", "pure"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test that asks for it runs with PyYAML's C parser, where there is one, and with its pure Python parser."""
    if request.param == "pure":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return str(request.param)


def at(item: Item, *steps: str | int) -> Item:
    value: Any = item
    for step in steps:
        value = value.value[step]
    assert isinstance(value, Item)
    return value


def plain(item: Item) -> Any:
    """The values alone, numbers as their text in a tuple."""
    if isinstance(item.value, dict):
        return {key: plain(child) for key, child in item.value.items()}
    if isinstance(item.value, list):
        return [plain(child) for child in item.value]
    return (item.value.text,) if isinstance(item.value, Number) else item.value


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "net.yaml")
    message = str(caught.value)
    assert message.isprintable() and len(message) < 600
    return message


def test_literal_scalars_stay_the_texts_they_are(loader: str) -> None:
    written = "a: 0.10\nb: [012, 1_000, no, null, ~, '', 2024-01-01, 1:30, nan]\nnull: \"a\\tb\"\nlong: " + "x" * 600
    assert plain(parse(written, "a.yaml", LITERAL)) == {
        "a": "0.10",
        "b": ["012", "1_000", "no", None, None, "", "2024-01-01", "1:30", "nan"],
        "null": "a\tb",
        "long": "x" * 600,
    }


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: [[[1]]]", "nested more than 3 levels"),
        ("[" + "1," * 16 + "]", "more than 16 values"),
        ("a: " + "1" * 998, "larger than"),
        ("a: !!int 1", "tags"),
        ("a: &b 1", "anchors"),
        ("a: {<<: {b: 1}}", "merge keys"),
        ("a: 1\na: 2", "duplicate key"),
    ],
)
def test_limits_and_literals_refuse_what_a_network_refuses(loader: str, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(text, "a.yaml", LITERAL)


def test_a_network_keeps_values_literals_and_places(loader: str) -> None:
    root = parse(NET, "net.yaml")
    assert plain(root) == {
        "name": "two-layer net",
        "layers": [
            {"linear": {"weight": [[("0.10",), ("1/3",)], [("-2e-3",), ("\u22122/7",)]], "bias": "0"}},
            "sigmoid",
        ],
        "frozen": "yes",
    }
    weight = at(root, "layers", 0, "linear", "weight")
    assert (weight.path, weight.line, weight.column) == ("layers[0].linear.weight", 4, 15)
    assert (weight.key_line, weight.key_column) == (4, 7)
    entry = at(weight, 0, 1)
    assert (entry.path, entry.line, entry.column) == ("layers[0].linear.weight[0][1]", 4, 23)
    assert (entry.key_line, entry.key_column) == (4, 23)
    assert (root.path, root.line, root.column, root.file) == ("", 1, 1, "net.yaml")
    assert str(at(root, "layers", 1).error("unknown layer")) == "net.yaml:6:5: layers[1]: unknown layer"


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.0", "0"),
        ("3", "3"),
        ("+3", "3"),
        ("0.10", "1/10"),
        (".5", "1/2"),
        ("5.", "5"),
        ("-.5", "-1/2"),
        ("1e-3", "1/1000"),
        ("1E+3", "1000"),
        ("5.e1", "50"),
        ("-2e-3", "-1/500"),
        ("1/3", "1/3"),
        ("-2/7", "-2/7"),
        ("+4/6", "2/3"),
        ("\u22121.5", "-3/2"),
        ("\u22122/7", "-2/7"),
        ("1e\u22123", "1/1000"),
        ("0/5", "0"),
        ("0e9", "0"),
    ],
)
def test_numbers(loader: str, text: str, exact: str) -> None:
    assert at(parse(f"a: {text}", "f"), "a").value == Number(text, Fraction(exact))


def test_a_number_rounds_once_to_float() -> None:
    for text in ("0.1", "5e-324", "1.7976931348623157e308", "123456789.123456789e-30"):
        number = at(parse(f"[{text}]", "f"), 0).value
        assert isinstance(number, Number) and float(number) == float(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("tRUE", "tRUE"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("'3'", "3"),
        ('"1/3"', "1/3"),
        ("'true'", "true"),
        ("''", ""),
        ("'.nan'", ".nan"),
        ("'<<'", "<<"),
        ("|-\n 3", "3"),
        (">-\n a\n b", "a b"),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("1e", "1e"),
        ("01/02/2024", "01/02/2024"),
        ("1.5/2", "1.5/2"),
        ("1 / 3", "1 / 3"),
        (".", "."),
        ("-e3", "-e3"),
        ("\u0663", "\u0663"),
        ("1,5", "1,5"),
        ("info", "info"),
        ("nano", "nano"),
        ("0x", "0x"),
        ("3D", "3D"),
        ("caf\u00e9 \u2200x \U0001f600", "caf\u00e9 \u2200x \U0001f600"),
    ],
)
def test_other_scalars(loader: str, text: str, value: object) -> None:
    found = at(parse(f"a: {text}", "f"), "a").value
    assert found == value and type(found) is type(value)


def test_keys_are_their_text() -> None:
    assert list(plain(parse("1: a\ntrue: b\nnull: c\n1.0: d\n~: e\n.nan: f\n'<<': g", "f"))) == [
        "1",
        "true",
        "null",
        "1.0",
        "~",
        ".nan",
        "<<",
    ]


def test_line_endings_byte_order_mark_and_limits() -> None:
    assert at(parse("\ufeffa: 1\r\nb: 2\rc: 3", "f"), "c").line == 3
    assert at(parse("\ufeffa: 1", "f"), "a").column == 4
    parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f")
    assert len(at(parse("a: " + "x" * 500, "f"), "a").value) == 500  # type: ignore[arg-type]
    parse("a: 1\n" + "#" * (MAX_BYTES - 5), "f")


REFUSED = {
    "empty": ("", "1:1: the file is empty"),
    "comment only": ("# nothing\n", "1:1: the file is empty"),
    "marker only": ("---\n", "1:1: the file is empty"),
    "two documents": ("a: 1\n---\nb: 2", "2:1: a second YAML document"),
    "anchor": ("a: &x 1", "1:4: a: YAML anchors"),
    "anchor on a list": ("a: &x [1]", "1:4: a: YAML anchors"),
    "anchor on a key": ("&x a: 1", "1:1: YAML anchors"),
    "alias": ("a: *x", "1:4: a: YAML aliases"),
    "alias as a key": ("*x : 1", "1:1: YAML aliases"),
    "tag": ("a: !!python/object/apply:os.system [ls]", "1:4: a: YAML tags"),
    "own tag": ("a: !x 1", "1:4: a: YAML tags"),
    "bare tag": ("a: ! 1", "1:4: a: YAML tags"),
    "standard tag": ("a: !!str 1", "1:4: a: YAML tags"),
    "tag on a key": ("!!str a: 1", "1:1: YAML tags"),
    "merge": ("a:\n  <<: {b: 1}", "2:3: a: YAML merge keys"),
    "directive": ("%YAML 1.1\n---\na: yes", "1:1: YAML directives"),
    "directive after a bare return": ("# x\r%TAG ! tag:x,1:\r---\ra: 1", "2:1: YAML directives"),
    "duplicate": ("a: 1\nb: 2\n'a': 3", "3:1: duplicate key 'a', first on line 1"),
    "list key": ("[a]: 1", "1:1: a key must be text"),
    "mapping key": ("a: {{x}}", "1:5: a: a key must be text"),
    "missing key": ("? \n: 1", ": a key is missing"),
    "empty key": ("'': 1", "1:1: a key is missing"),
    "division by zero": ("a: 1/0", "1:4: a: '1/0' divides by zero"),
    "division by zeros": ("a: 0/000", "divides by zero"),
    "hex": ("a: 0x1F", "1:4: a: '0x1F' is not a plain decimal number"),
    "octal": ("a: 0o17", "not a plain decimal"),
    "leading zero": ("a: 007", "not a plain decimal"),
    "leading zeros": ("a: -00.5e3", "not a plain decimal"),
    "underscore": ("a: 1_000", "not a plain decimal"),
    "too many digits": ("a: " + "9" * 401, "number out of range"),
    "too many digits for an int": ("a: " + "9" * 200_000, "number out of range"),
    "small by digits": ("a: 0." + "0" * 390 + "1", "number out of range"),
    "overflow": ("a: 1.8e308", "number out of range"),
    "underflow": ("a: 2e-324", "number out of range"),
    "exponent": ("a: 1e999", "1:4: a: number out of range: '1e999'"),
    "monster exponent": ("a: [1e999999999]", "1:5: a[0]: number out of range"),
    "monster negative exponent": ("a: -1e-999999999", "number out of range"),
    "zero with a monster exponent": ("a: 0e999999999999999999999", "number out of range"),
    "exponent of 10,000 digits": ("a: 1e" + "9" * 10_000, "number out of range"),
    "long text": ("a: " + "x" * 501, "1:4: a: text of 501 characters"),
    "long key": ("? " + "k" * 501 + "\n: 1", "1:3: text of 501 characters"),
    "nested": ("[" * 31 + "]" * 31, "1:31: "),
    "many values": ("[" + "0," * MAX_VALUES + "0]", "more than 50000 values"),
    "large": ("a" * (MAX_BYTES + 1), "1:1: the file is larger than 256 KiB"),
    "large in bytes": ("\u20ac" * (MAX_BYTES // 2), "1:1: the file is larger than 256 KiB"),
    "unclosed list": ("a: [1, 2", "2:1: not valid YAML: did not find expected ',' or ']', while"),
    "unclosed quote": ('a: "x', "not valid YAML: found unexpected end of stream"),
    "two colons": ("a: b: c", "1:5: not valid YAML: mapping values are not allowed"),
    "tab": ("a:\n\tb: 1", "2:1: a tab cannot stand here"),
    "bad escape": (r'a: "\q"', "not valid YAML: "),
    "control": ("a: 1\nb: x\x00y", "2:5: U+0000 (null) is not allowed"),
    "next line": ("a: x\x85b: 1", "1:5: U+0085 is not allowed"),
    "line separator": ("a: 1 # x\u2028b: 2", "U+2028 (line separator)"),
    "bidi in a comment": ("a: 1 # \u202e", "1:8: U+202E (right-to-left override)"),
    "second byte order mark": ("\ufeff\ufeffa: 1", "1:1: U+FEFF"),
    "lone surrogate": ("a: \ud800", "1:4: U+D800 is not allowed"),
    "line break in text": ("a: |\n  x\n  y\n", "1:4: a: the text contains U+000A (line break)"),
}
NOT_FINITE = [
    ".nan",
    ".NaN",
    "nan",
    "NaN",
    ".inf",
    "-.inf",
    "+.INF",
    "inf",
    "-inf",
    "\u2212inf",
    "Infinity",
    "-infinity",
]
INVISIBLE = (
    [0, 7, 9, 0x1B, 0x7F, 0x85, 0xAD, 0x61C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029]
    + [0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x3164]
    + [0xE000, 0xF8FF, 0xFDD0, 0xFEFF, 0xFFF9, 0xFFFE, 0xFFFF, 0x1FFFE, 0xE0001, 0xE0041, 0xF0000, 0x10FFFD, 0x10FFFF]
)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(loader: str, name: str) -> None:
    text, expected = REFUSED[name]
    message = refusal(text)
    if not message.startswith("net.yaml:") or expected not in message:
        # The two parsers word some syntax errors differently; the place and the kind are the same.
        assert loader == "pure" and "not valid YAML" in expected and re.match(r"net\.yaml:\d+:\d+: not valid", message)


@pytest.mark.parametrize("text", NOT_FINITE)
def test_not_finite(text: str) -> None:
    assert refusal(f"a: [{text}]") == f"net.yaml:1:5: a[0]: '{text}' is not a finite number"


@pytest.mark.parametrize("code", INVISIBLE, ids=lambda code: f"U+{code:04X}")
@pytest.mark.parametrize("form", ['a: "x{}y"', '"x{}y": a', "a: [x{}y]", "x{}y: a"])
def test_invisible_characters_are_named(code: int, form: str) -> None:
    assert f"U+{code:04X}" in refusal(form.format(chr(code)))
    if '"' in form and not 0xD800 <= code <= 0xDFFF:
        assert f"U+{code:04X}" in refusal(form.format(f"\\U{code:08X}"))


@pytest.mark.parametrize("escape", [r"\ud800", r"\U00110000", r"\UFFFFFFFF", r"\xzz"])
def test_impossible_escapes(loader: str, escape: str) -> None:
    refusal(f'a: "{escape}"')


def fill(unit: str, head: str = "", tail: str = "") -> str:
    return head + unit * ((MAX_BYTES - len(head) - len(tail)) // len(unit)) + tail


HOSTILE = {
    **{f"many {unit!r}": fill(unit) for unit in ["[", "{", "{a: ", "- ", "? ", ": ", "a: ", "&a ", "*a ", "! ", "|\n"]},
    **{f"many {unit!r}": fill(unit) for unit in ["'", '"', "%", "\t", " ", "\n", "#\n", "---\n", "...\n", ",", "\\"]},
    "brackets on lines": fill("[\n"),
    "deep indents": "".join(" " * depth + "a:\n" for depth in range(700)),
    "20,000 numbers": "[" + ", ".join(f"0.{n:05d}" for n in range(20_000)) + "]",
    "long powers": "[" + ",".join(["1e-300"] * 36_000) + "]",
    "zeros": fill("0,", "[", "]"),
    "fractions": "[" + ",".join(f"1/{n}" for n in range(1, 30_000)) + "]",
    "keys": "".join(f"k{n}:\n" for n in range(30_000)),
    "long paths": "".join(" " * d + "k" * 490 + ":\n" for d in range(28)) + " " * 28 + "[" + "1," * 49_000 + "]",
    "small maps": fill("{a: 1},", "[", "]"),
    "huge plain": fill("x", "a: "),
    "huge number": fill("9", "a: "),
    "huge near-number": fill("9", "a: ", "x"),
    "huge quoted": fill("x", 'a: "', '"'),
    "huge key": fill("k", "", ": 1"),
    "huge escapes": fill(r"\u0041", 'a: "', '"'),
    "huge block": fill("  x\n", "a: |\n"),
    "huge folds": fill("  x\n\n", "a: >\n"),
    "tag directives": "".join(f"%TAG !{n}! b\n" for n in range(17_000)),
    "bomb": "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_quick(name: str) -> None:
    start = time.process_time()
    try:
        parse(HOSTILE[name], "net.yaml")
    except InputError as error:
        assert str(error).isprintable() and len(str(error)) < 600
    assert time.process_time() - start < 2  # well under 1 s on an idle machine


@pytest.mark.parametrize("pure", [False, True])
def test_any_text_gives_a_tree_or_one_line(pure: bool) -> None:
    pieces = st.sampled_from(
        list("[]{},:-?&*!|>'\"%@`#\\ \t\n\r~<.0123456789eE/+_ax") + ["- ", ": ", "<<", "---\n", "\n  "]
    )
    texts = st.one_of(st.text(), st.lists(pieces, max_size=60).map("".join), st.text(st.characters(codec=None)))

    @settings(max_examples=400, deadline=None)
    @given(texts)
    def check(text: str) -> None:
        try:
            item = parse(text, "net.yaml")
        except InputError as error:
            assert str(error).isprintable()
        else:
            assert isinstance(item, Item)

    with pytest.MonkeyPatch.context() as patch:
        if pure:
            patch.delattr(yaml, "CSafeLoader", raising=False)
        check()


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_tree_or_one_line(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        try:
            read("-")
        except InputError as error:
            assert str(error).isprintable() and str(error).startswith("<stdin>")


def test_read(tmp_path: pathlib.Path) -> None:
    net = tmp_path / "net.yaml"

    def told(path: str | pathlib.Path = net) -> str:
        with pytest.raises(InputError) as caught:
            read(path)
        return str(InputError(caught.value.problem, line=caught.value.line, column=caught.value.column))

    assert told() == "no such file"
    assert told(tmp_path) == "this is a folder, not a file"
    assert told("bad\0name").startswith("cannot be read")
    assert told(tmp_path / ("x" * 5000)).startswith("cannot be read")
    net.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert plain(read(net)) == plain(read(str(net))) == {"a": ("1",)}
    assert read(net).file == str(net)
    net.write_bytes("a: 1\nb: \u00e9\u00e9".encode() + b"\xff")
    assert told() == "2:6: not UTF-8 text (byte 0xFF); save the file as UTF-8"
    net.write_bytes("a: 1".encode("utf-16"))
    assert "not UTF-8" in told()
    net.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 256 KiB" in told()
    net.write_bytes(b"#" * (MAX_BYTES - 1) + "\u00e9".encode())
    assert "larger than 256 KiB" in told()


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="not a readable"):
        read("-")


def test_yaml_is_imported_only_when_needed() -> None:
    code = "import sys, derive.source; sys.exit('yaml' in sys.modules)"
    root = pathlib.Path(__file__).resolve().parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
