"""Reads files of bills: JSONL of BillRecords, Open States scraper JSON, plain or gzip, a folder or tar of them.

Yields one raw JSON text a bill, so that an unchanged bill is recognised by its bytes before it is parsed.
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

MAX_LINE = 32 * 1024 * 1024
MAX_FILE = 8 * 1024 * 1024 * 1024
MAX_MEMBER = 64 * 1024 * 1024


class FileError(ValueError):
    """A file that cannot be read as bills; names the file."""


# Exports for reading: they leave out what no column has, so they do not load again.
_TABLES = (b"SQLite format 3\0", b"PAR1", b"key,ocd_id,")
_OURS = "To move bills between databases use `billtracker export jsonl`."


def read(path: Path) -> Iterator[bytes]:
    """Each bill's raw JSON in the file, folder or archive. Raises :class:`FileError`; what was yielded
    before the damage stays good.
    """
    try:
        if path.is_dir():
            inside = [inner for inner in sorted(path.rglob("*.json*")) if _is_bill_file(inner.name)]
            if not inside:
                raise FileError(f"{path} holds no files of bills (*.jsonl, bill_*.json). {_OURS}")
            for inner in inside:
                yield from read(inner)
        elif path.name.endswith((".tar.gz", ".tgz", ".tar")):
            yield from _tar(path)
        elif path.name.endswith(".gz"):
            with gzip.open(path, "rb") as packed:
                yield from _lines(packed, path)
        else:
            with path.open("rb") as file:
                yield from _lines(file, path)
    except FileNotFoundError:
        raise FileError(f"{path} does not exist") from None
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise FileError(f"{path} is damaged or unreadable: {error}") from error


# What a run leaves in the folder of records: bills, manifest, and what a crawl that died had been told or noted.
KEPT = re.compile(r"\.(jsonl|run\.json|known\.json|history\.json|tmp|lock)$")


def clean(folder: Path, days: int, now: dt.datetime) -> int:
    """Delete what crawls left in the folder of records more than ``days`` days ago; returns how many files.

    Zero days keeps all. Files of other names, folders and links are left alone.
    """
    before = now.timestamp() - days * 86_400
    gone = 0
    for file in folder.iterdir() if days and folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if KEPT.search(file.name) and file.is_file() and not file.is_symlink() and file.stat().st_mtime < before:
                file.unlink()
                gone += 1
    return gone


def _is_bill_file(name: str) -> bool:
    stem = Path(name).name
    if stem.startswith((".", "_")):
        return False
    return stem.endswith((".jsonl", ".jsonl.gz")) or (stem.startswith("bill_") and stem.endswith(".json"))


def _tar(path: Path) -> Iterator[bytes]:
    # A stream ("r|*") holds one member at a time and never touches the file system with a member's name.
    try:
        archive = tarfile.open(path, "r|*")  # noqa: SIM115 — closed below
    except TypeError as error:
        # The library asks a gzip header that ends too soon for its next byte.
        raise tarfile.ReadError("the file ends too soon") from error
    with archive:
        for member in archive:
            if not member.isfile() or not _is_bill_file(member.name):
                continue
            if member.size > MAX_MEMBER:
                raise FileError(f"{path}: {member.name} is larger than {MAX_MEMBER >> 20} MiB")
            file = archive.extractfile(member)
            if file is None:
                continue
            if member.name.endswith(".json"):
                yield file.read()
            elif member.name.endswith(".gz"):
                with gzip.open(file, "rb") as unpacked:
                    yield from _lines(unpacked, path)
            else:
                yield from _lines(file, path)


def _lines(file: IO[bytes] | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    """The lines of a JSONL file; a file that holds one pretty-printed object is yielded whole."""
    total = 0
    first = file.readline(MAX_LINE + 1)
    if first.startswith(_TABLES):
        raise FileError(f"{path} is a table, not records of bills. {_OURS}")
    if path.suffix == ".json" or first.strip() in (b"{", b"["):
        rest = file.read(MAX_MEMBER)
        yield first + rest
        return
    line = first
    while line:
        total += len(line)
        if len(line) > MAX_LINE or total > MAX_FILE:
            raise FileError(f"{path} has a line over {MAX_LINE >> 20} MiB or is over {MAX_FILE >> 30} GiB")
        if line.strip():
            yield line
        line = file.readline(MAX_LINE + 1)
