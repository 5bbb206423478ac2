"""Warm child processes for PDF and Word work: one is lent per document, ended when it hangs,
replaced when it dies."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import IO, Any, cast

from tracker.text.child import LENGTHS
from tracker.text.extraction import Extraction, Limits, Refused


class _Worker:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracker.text.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
        )
        self.served = 0

    def ask(self, header: dict[str, Any], body: bytes, seconds: float) -> dict[str, Any]:
        """The child's reply; raises TimeoutError, or EOFError when the child died."""
        head = json.dumps(header).encode("ascii")
        deadline = time.monotonic() + seconds
        self._send(LENGTHS.pack(len(head), len(body)) + head + body, deadline)
        size, _ = LENGTHS.unpack(self._receive(LENGTHS.size, deadline))
        self.served += 1
        return cast(dict[str, Any], json.loads(self._receive(size, deadline)))

    def _send(self, data: bytes, deadline: float) -> None:
        pipe = cast(IO[bytes], self.process.stdin).fileno()
        os.set_blocking(pipe, False)
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [pipe], [], left)[1]:
                raise TimeoutError
            try:
                view = view[os.write(pipe, view[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise EOFError from None

    def _receive(self, size: int, deadline: float) -> bytes:
        pipe = cast(IO[bytes], self.process.stdout).fileno()
        parts: list[bytes] = []
        while size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            part = os.read(pipe, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


_idle: list[_Worker] = []
_lock = threading.Lock()
_owner = os.getpid()


def _lend() -> _Worker:
    global _owner
    with _lock:
        if _owner != os.getpid():  # after a fork the pipes belong to the parent
            _idle.clear()
            _owner = os.getpid()
        while _idle:
            worker = _idle.pop()
            if worker.process.poll() is None:
                return worker
            worker.end()
    return _Worker()


def read(body: bytes, jurisdiction: str, media: str, limits: Limits) -> Extraction:
    """One document read by a child process.

    Raises Refused with status timeout or crashed when the child fails.
    """
    worker = _lend()
    header = {"jurisdiction": jurisdiction, "media_type": media, "limits": asdict(limits)}
    try:
        reply = worker.ask(header, body, limits.seconds)
    except TimeoutError:
        worker.end()
        raise Refused("timeout", f"Reading the document took longer than {limits.seconds:g} seconds.") from None
    except EOFError:
        worker.end()
        raise Refused("crashed", "The process reading the document died.") from None
    except BaseException:
        worker.end()
        raise
    if worker.served >= limits.documents_per_worker:
        worker.end()
    else:
        with _lock:
            _idle.append(worker)
    return Extraction(
        text=reply["text"],
        struck=tuple((int(at), str(words)) for at, words in reply["struck"]),
        added=tuple((int(a), int(b)) for a, b in reply["added"]),
        status=reply["status"],
        reason=reply["reason"],
        extractor=reply["extractor"],
        media_type=reply["media_type"],
    )


@atexit.register
def close() -> None:
    """End all idle workers."""
    with _lock:
        if _owner == os.getpid():
            while _idle:
                _idle.pop().end()
