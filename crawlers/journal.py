"""Lets a killed crawl go on where it was: what is done is noted as it is done, beside the records.

A line a document: its address and what the site said of its freshness. The records file itself holds the bills.
Both are appended to by the crawl that goes on, and the journal is gone once a crawl has ended by itself.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

# What a crawl saw yesterday is not what the site says today.
MAX_AGE = 20 * 3600


class Journal:
    """The journal of the crawl that writes ``out``. ``done`` are the documents of a crawl that was killed."""

    def __init__(self, out: Path, *, resume: bool) -> None:
        self.out, self.path = out, out.with_suffix(".journal.jsonl")
        self.done: dict[str, dict[str, str]] = {}
        self.file: IO[str] | None = None
        if resume:
            # Held as long as the process lives, however it ends.
            self.lock = out.with_suffix(".lock").open("w")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RuntimeError(f"another crawl is writing {out.name}") from error
        if resume and self._young():
            self.done = {entry["url"]: entry["said"] for entry in _lines(self.path)}
        else:
            self.path.unlink(missing_ok=True)
            out.unlink(missing_ok=True)
        if not self.done:
            out.unlink(missing_ok=True)

    def _young(self) -> bool:
        try:
            return time.time() - self.path.stat().st_mtime < MAX_AGE
        except OSError:
            return False

    def records(self) -> Iterator[dict[str, Any]]:
        """The bills that the killed crawl wrote; half a line at the end is cut off."""
        if self.done and self.out.exists():
            whole = self.out.read_bytes().rpartition(b"\n")[0]
            self.out.write_bytes(whole + b"\n" if whole else b"")
            yield from _lines(self.out)

    def note(self, url: str, said: dict[str, str]) -> None:
        """A document is done: its bill is written."""
        if self.file is None:
            self.file = self.path.open("a", encoding="utf-8", buffering=1)
        self.file.write(json.dumps({"url": url, "said": said}) + "\n")

    def close(self) -> None:
        """The crawl ended by itself: there is nothing to go on with."""
        if self.file is not None:
            self.file.close()
        self.path.unlink(missing_ok=True)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("r", encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                # The line at which the crawl was killed.
                return
