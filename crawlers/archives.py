"""Archives as states publish them, read member by member, with limits: nothing is unpacked to disk."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

# One member; the largest real one known is California's history table with some 300 MB.
MAX_MEMBER = 512 * 1024 * 1024
MAX_MEMBERS = 200_000
_CHUNK = 1 << 20


def members(source: bytes | Path, pattern: str, *, limit: int = MAX_MEMBER) -> Iterator[tuple[str, bytes]]:
    """(name, body) of a zip file's members whose names match. Names are only read, never used as paths.

    Raises ValueError when the archive is damaged, or a member is larger than ``limit`` says (its own
    statement of size is not believed).
    """
    wanted = re.compile(pattern)
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            if len(archive.infolist()) > MAX_MEMBERS:
                raise ValueError(f"the archive has more than {MAX_MEMBERS:,} members")
            for member in archive.infolist():
                if not member.is_dir() and wanted.search(member.filename):
                    with archive.open(member) as file:
                        yield member.filename, _read(file, member.filename, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"the archive is damaged: {error}") from error


class Archive:
    """A zip file whose members are read by name, when they are needed."""

    def __init__(self, source: bytes | io.RawIOBase) -> None:
        """Raises ValueError when it is no zip file."""
        try:
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            self._zip = zipfile.ZipFile(cast(IO[bytes], file))
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise ValueError(f"the archive is damaged: {error}") from error
        self._names = {name.rpartition("/")[2].upper(): name for name in self._zip.namelist()}
        self._starts = sorted(member.header_offset for member in self._zip.infolist())

    def span(self, name: str) -> tuple[int, int]:
        """Where a member lies in the file: from its header to the next one's. ValueError when it is missing."""
        if name not in self:
            raise ValueError(f"{name[:80]} is not in the archive")
        start = self._zip.getinfo(self._names[name.upper()]).header_offset
        after = bisect_right(self._starts, start)
        return start, self._starts[after] if after < len(self._starts) else self._zip.start_dir

    def __contains__(self, name: str) -> bool:
        return name.upper() in self._names

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """A member's bytes, by its name in any case. Raises ValueError when it is missing, damaged or too big."""
        found = self._names.get(name.upper())
        if found is None:
            raise ValueError(f"{name[:80]} is not in the archive")
        try:
            with self._zip.open(found) as file:
                return _read(file, found, limit)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"{name[:80]} is damaged: {error}") from error


def _read(file: IO[bytes], name: str, limit: int) -> bytes:
    parts, size = [], 0
    while part := file.read(_CHUNK):
        size += len(part)
        if size > limit:
            raise ValueError(f"{name[:80]} is larger than {limit >> 20} MiB")
        parts.append(part)
    return b"".join(parts)
