"""PDF work happens in warm children; a hung or killed child is replaced and the document named."""

from __future__ import annotations

import os
import re
import signal
import zlib

from tests.tracker.text.samples import pdf
from tracker.text import Limits, extract, workers

ONE = pdf([[(90, 700, "Section 1. The credit is 500 dollars.")]])


def read(body: bytes, limits: Limits = Limits()) -> str:  # noqa: B008
    return extract(body, jurisdiction="zz", media_type="", limits=limits).status


def test_one_process_serves_many_documents() -> None:
    read(ONE)
    first = workers._idle[-1].process.pid
    assert [read(ONE) for _ in range(30)] == ["ok"] * 30
    assert workers._idle[-1].process.pid == first


def test_a_worker_retires_after_its_documents() -> None:
    workers.close()
    read(ONE, Limits(documents_per_worker=1))
    assert workers._idle == []


def test_a_dead_worker_is_replaced() -> None:
    read(ONE)
    process = workers._idle[-1].process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read(ONE) == "ok"
    assert workers._idle[-1].process.pid != process.pid


def test_a_slow_document_times_out_and_the_next_is_read() -> None:
    long = pdf([[(90, 700 - n * 0.01, "Section 1. The credit is 500 dollars.") for n in range(3000)]] * 40)
    assert read(long, Limits(seconds=0.2)) == "timeout"
    assert read(ONE) == "ok"


def test_a_bomb_inside_a_pdf_ends_the_worker_and_not_us() -> None:
    packed = zlib.compress(b"(a) Tj " * (200_000_000 // 7), 9)
    at = re.search(rb"<</Length \d+>>\nstream\n.*?\nendstream", ONE, re.S)
    assert at is not None and len(packed) < 1_000_000
    stream = b"<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (len(packed), packed)
    bomb = ONE[: at.start()] + stream + ONE[at.end() :]
    found = extract(bomb, jurisdiction="zz", media_type="", limits=Limits(memory=256 << 20, seconds=10))
    assert found.status in ("crashed", "timeout", "garbled") and found.reason and not found.text
    assert read(ONE) == "ok"


def test_too_many_pages() -> None:
    many = pdf([[(90, 700, "Section 1.")]] * 12)
    assert read(many, Limits(pages=10)) == "too_large"
