"""The files of a zip archive, read where they are: nothing is ever extracted, so no name can lead anywhere."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from derive.classroom.entries import MOST_BYTES, MOST_FILES, MOST_OF_ONE, Entry, Refused, checked, refused
from derive.errors import InputError

MOST_RATIO = 100  # of a file's size to its packed size …
SMALL = 2**16  # … where it is larger than this
MOST_LISTED = 8 * 2**20  # bytes of the archive's own list of its files
_END = struct.Struct("<4s4H2LH")  # the record at the end of an archive
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, if it is one and of a bearable size; else InputError."""
    file = str(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"larger than {MOST_BYTES // 2**20} MiB", file=file)
        if listed(path) > MOST_LISTED:
            raise InputError(f"more than {MOST_FILES:,} files", file=file)
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", file=file) from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        raise InputError("not a readable zip archive", file=file) from None
    if len(archive.infolist()) > MOST_FILES:
        archive.close()
        raise InputError(f"more than {MOST_FILES:,} files", file=file)
    return archive


def listed(path: Path) -> int:
    """How many bytes the archive's list of files has, before a million entries are made of it."""
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 2**16 - _END.size))
        end = stream.read()
    place = end.rfind(b"PK\x05\x06")
    if place < 0:
        raise zipfile.BadZipFile
    return int(_END.unpack_from(end, place)[5])


def walk(archive: zipfile.ZipFile) -> Iterator[Entry]:
    """All files in the order of their names; those with names or contents that cannot be honest are refused."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    spelled = Counter(info.filename.casefold() for info in files)
    for info in sorted(files, key=lambda info: (info.filename, info.header_offset)):
        parts = tuple(part for part in info.filename.split("/") if part)
        code = "same_name" if spelled[info.filename.casefold()] > 1 else problem(info)
        yield refused(parts or ("?",), code) if code else Entry(parts, partial(contents, archive, info))


def problem(info: zipfile.ZipInfo) -> str:
    """Why an entry is refused, or "" if it is not."""
    name = info.orig_filename  # zipfile cuts names at a NUL
    steps = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":" or {"..", ".", ""} & set(steps):
        return "bad_path"
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "not_a_file"
    if info.flag_bits & 0x1 or info.compress_type not in _PACKED:
        return "packing"
    if info.file_size > MOST_OF_ONE:
        return "too_large"
    if info.file_size > SMALL and info.file_size > MOST_RATIO * info.compress_size:
        return "bomb"
    return ""


def contents(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry, never more than it may have, whatever its header says."""
    try:
        with archive.open(info) as stream:
            return checked(stream.read(MOST_OF_ONE + 1))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise Refused("packing") from None
