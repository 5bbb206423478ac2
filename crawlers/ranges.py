"""Members of a huge zip file on a site, read without fetching the whole: its directory, then the parts needed.

Each part is a request of its own, told apart by a fragment that is never sent (``…/file.zip#bytes=0-99``), so that
recordings and replays hold the parts like any other replies.
"""

from __future__ import annotations

import io
import re
import struct
from bisect import bisect_right, insort

# The end record with the longest comment there can be, and what a file of more than 65,535 members puts before it.
TAIL = 66_000
_PART = re.compile(r"#bytes=(\d*)-(\d+)$")
_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


class Sparse(io.RawIOBase):
    """A file of which only parts are known; reading anything else is an OSError."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[int, bytes] = {}
        self._starts: list[int] = []
        self.size = self.at = 0

    def add(self, start: int, body: bytes) -> None:
        """Put in a part."""
        if start not in self.parts:
            insort(self._starts, start)
        if len(body) > len(self.parts.get(start, b"")):
            self.parts[start] = body
        self.parts.setdefault(start, body)
        self.size = max(self.size, start + len(body))

    def holds(self, start: int, end: int) -> bool:
        """Whether all bytes from ``start`` up to ``end`` are known."""
        while start < end:
            body = self._from(start)
            if not body:
                return False
            start += len(body)
        return True

    def _from(self, at: int) -> bytes:
        found = bisect_right(self._starts, at) - 1
        start = self._starts[found] if found >= 0 else 0
        return self.parts[start][at - start :] if found >= 0 else b""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = max(0, offset + (0, self.at, self.size)[whence])
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        end = self.size if size < 0 else min(self.size, self.at + size)
        made = []
        while self.at < end:
            body = self._from(self.at)[: end - self.at]
            if not body:
                raise OSError(f"the part at {self.at:,} was not fetched")
            made.append(body)
            self.at += len(body)
        return b"".join(made)


def part(url: str, start: int | None, end: int) -> str:
    """The address of bytes ``start`` to ``end`` (excluded); without a start, of the last ``end`` bytes."""
    return f"{url}#bytes=-{end}" if start is None else f"{url}#bytes={start}-{end - 1}"


def wanted(url: str) -> tuple[int | None, int] | None:
    """What an address of a part asks for, as :func:`part` took it; None for any other address."""
    found = _PART.search(url)
    if found is None:
        return None
    return (int(found[1]), int(found[2]) + 1) if found[1] else (None, int(found[2]))


def header(url: str) -> dict[str, str]:
    """The request header for a part."""
    found = _PART.search(url)
    return {"Range": f"bytes={found[1]}-{found[2]}", "Accept-Encoding": "identity"} if found else {}


def directory(tail: bytes) -> tuple[int, int]:
    """(where the last bytes of a zip file begin, where its directory does). Raises ValueError."""
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        raise ValueError("the end of the zip file is not there")
    if tail[max(0, end - 20) : end].startswith(_LOCATOR):
        end64, (absolute,) = tail.rfind(_END64, 0, end), struct.unpack("<Q", tail[end - 12 : end - 4])
        if end64 < 0 or absolute < end64:
            return _wrong()
        return absolute - end64, struct.unpack("<Q", tail[end64 + 48 : end64 + 56])[0]
    size, offset = struct.unpack("<LL", tail[end + 12 : end + 20])
    return (offset + size - end, offset) if offset + size >= end else _wrong()


def _wrong() -> tuple[int, int]:
    raise ValueError("the end of the zip file makes no sense")
