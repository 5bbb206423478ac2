"""The process in which PDFs and Word documents are read: frames in on stdin, frames out on stdout.

A frame is two big-endian lengths (JSON header, body) and those bytes. Memory and CPU limits are the
process's own; the parent ends it when a document takes longer than its wall-clock limit.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from tracker.text.extraction import Extraction, Limits, Refused

LENGTHS = struct.Struct(">IQ")


def write_frame(stream: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    head = json.dumps(header).encode("ascii")
    stream.write(LENGTHS.pack(len(head), len(body)) + head)
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head, body = LENGTHS.unpack(lengths)
    return json.loads(stream.read(head)), stream.read(body)


def _bound(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, resource.RLIM_INFINITY))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + limits.seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _answer(header: dict[str, Any], body: bytes) -> Extraction:
    from tracker.text import documents

    media = str(header["media_type"])
    limits = Limits(**header["limits"])
    _bound(limits)
    try:
        return documents.read(body, str(header["jurisdiction"]), media, limits)
    except Refused as refusal:
        return Extraction(status=refusal.status, reason=refusal.reason, media_type=media)
    except MemoryError:
        return Extraction(
            status="crashed", reason="Reading the document takes more memory than allowed.", media_type=media
        )
    except Exception as error:
        return Extraction(
            status="crashed",
            reason=f"Reading the document failed ({type(error).__name__}).",
            media_type=media,
        )


def serve() -> None:
    """Answer frames until stdin closes. Stray prints of libraries go to stderr, never into a frame."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        write_frame(out, asdict(_answer(*frame)))


if __name__ == "__main__":
    serve()
