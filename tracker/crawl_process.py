"""Runs one of our own crawling processes to its end, and says meanwhile how far it is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Progress = Callable[[int], None]
LOOK_SECONDS = 1.0


def run(
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    hours: float,
    growing: Path,
    progress: Progress | None = None,
) -> int:
    """Run ``python -m crawlers`` with these arguments; returns its exit code. Its words go into ``log``.

    ``progress`` is told, about once a second, how many lines the file ``growing`` has. Raises
    :class:`subprocess.TimeoutExpired` after so many hours; the process is ended then, and by any exception.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + hours * 3600
    lines = _Lines(growing)
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "crawlers", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
        ) as process,
    ):
        try:
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    raise subprocess.TimeoutExpired(process.args, hours * 3600)
                try:
                    code = process.wait(min(LOOK_SECONDS, left))
                    break
                except subprocess.TimeoutExpired:
                    if progress:
                        progress(lines.count())
        except BaseException:
            process.kill()
            raise
    if progress:
        progress(lines.count())
    return code


class _Lines:
    """Counts the lines of a file that grows, without reading any twice; of one that began anew, from its start."""

    def __init__(self, path: Path) -> None:
        self.path, self.at, self.lines = path, 0, 0

    def count(self) -> int:
        try:
            with self.path.open("rb") as file:
                if self.at > self.path.stat().st_size:
                    self.at = self.lines = 0
                file.seek(self.at)
                while part := file.read(1 << 20):
                    self.at += len(part)
                    self.lines += part.count(b"\n")
        except FileNotFoundError:
            pass
        return self.lines
