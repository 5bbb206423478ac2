"""Mail servers that hang, lie, never end or are no mail servers: nothing is lost, nobody waits for ever."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from alerts.sending import Report, deliver, send
from alerts.states import State
from alerts.transport import Outcome, Smtp
from tests.alerts.data import NOW, bill, load, reader, settings
from tests.alerts.servers import Server, smtp_server
from tracker.db import reading
from tracker.models.readers import DeliveryRow

Talk = Callable[["Line"], None]
MAIL = b"Subject: x\r\n\r\nwords\r\n"


class Line:
    """The server's end of one connection: commands in, whatever we like out."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("rb")
        self.taken: list[bytes] = []

    def say(self, words: str) -> None:
        self.sock.sendall(words.encode() + b"\r\n")

    def hear(self) -> bytes:
        line = self.file.readline()
        if not line:
            raise ConnectionResetError
        return line

    def until_data(self, go: str = "354 go") -> None:
        """Be a good server up to the mail itself."""
        self.say("220 here")
        while (line := self.hear()) and not line.upper().startswith(b"DATA"):
            self.say("250 fine")
        self.say(go)

    def body(self) -> None:
        """Read the mail."""
        words = b""
        while (line := self.hear()) != b".\r\n":
            words += line
        self.taken.append(words)

    def stay(self) -> None:
        """Say nothing more until the other side leaves."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65_536):
                pass


@contextlib.contextmanager
def talking(talk: Talk) -> Iterator[tuple[str, list[Line]]]:
    """A listening server that holds this talk with whoever connects."""
    lines: list[Line] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                lines.append(Line(sock))
                with contextlib.suppress(OSError), sock, lines[-1].file:
                    talk(lines[-1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"smtp://127.0.0.1:{listening.getsockname()[1]}", lines
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def hand_over(url: str) -> Outcome:
    """One mail, with little patience."""
    way = Smtp(url, seconds=0.4, seconds_for_a_mail=0.6)
    began = time.monotonic()
    try:
        return way.send(MAIL, "digest@example.org", "ann@example.org", "x")
    finally:
        way.close()
        assert time.monotonic() - began < 5


def silent(line: Line) -> None:
    line.stay()


def no_mail_server(line: Line) -> None:
    line.say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")
    line.stay()


def never_ending(line: Line) -> None:
    line.say("220 here")
    line.hear()
    while True:
        line.say("250-and another thing")


def long_banner(line: Line) -> None:
    line.sock.sendall(b"220-" + b"x" * 1_000_000)
    line.stay()


def drop_by_drop(line: Line) -> None:
    line.say("220 here")
    line.hear()
    for _ in range(1_000):
        line.sock.sendall(b"2")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [silent, no_mail_server, never_ending, long_banner, drop_by_drop])
def test_who_cannot_be_talked_to_takes_nothing_and_no_other_mail_is_tried(talk: Talk) -> None:
    with talking(talk) as (url, _):
        assert hand_over(url).state == "blocked"


def hangs_after_the_mail(line: Line) -> None:
    line.until_data()
    line.body()
    line.stay()


def leaves_after_the_mail(line: Line) -> None:
    line.until_data()
    line.body()


def endless_after_the_mail(line: Line) -> None:
    line.until_data()
    line.body()
    while True:
        line.say("250-still looking for spam")


@pytest.mark.parametrize("talk", [hangs_after_the_mail, leaves_after_the_mail, endless_after_the_mail])
def test_no_answer_to_a_whole_mail_is_unknown_so_the_repeat_is_marked(talk: Talk) -> None:
    with talking(talk) as (url, lines):
        assert hand_over(url).state == "unknown"
        assert lines[0].taken == [MAIL]


def answers_too_early(line: Line) -> None:
    # "Taken" before there was a mail: the answer must not be believed.
    line.until_data(go="354 go\r\n250 taken")
    line.stay()


def answers_data_with_taken(line: Line) -> None:
    line.until_data(go="250 taken")
    line.stay()


@pytest.mark.parametrize("talk", [answers_too_early, answers_data_with_taken])
def test_a_yes_that_comes_before_the_mail_is_not_believed(talk: Talk) -> None:
    with talking(talk) as (url, lines):
        assert hand_over(url).state == "deferred"
        assert lines[0].taken == []


def takes_and_closes(line: Line) -> None:
    line.until_data()
    line.body()
    line.say("250 taken")


def test_a_server_that_closes_after_each_mail_gets_them_all(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    for name in ("ann", "bob", "cid"):
        reader(sqlite, f"{name}@example.org")
    with talking(takes_and_closes) as (url, lines):
        report = send(sqlite, settings(tmp_path, smtp_url=SecretStr(url)), now=NOW)
        assert [m["state"] for m in report.mails] == ["accepted"] * 3 and not report.errors
        assert [len(line.taken) for line in lines if line.taken] == [1, 1, 1]


def test_a_liar_that_hangs_costs_no_mail_and_the_next_run_marks_what_it_repeats(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    for name in ("ann", "bob"):
        reader(sqlite, f"{name}@example.org")
    ours = settings(tmp_path)
    with talking(hangs_after_the_mail) as (url, _):
        way = Smtp(url, seconds=0.4, seconds_for_a_mail=0.3)
        report = send(sqlite, ours, now=NOW, transport=way)
    assert [m["state"] for m in report.mails] == ["unknown", "unknown"]
    later = NOW + dt.timedelta(minutes=30)
    with smtp_server() as (handler, good):
        deliver(sqlite, ours, again := Report(), now=later, transport=Smtp(good))
    assert [m["state"] for m in again.mails] == ["accepted", "accepted"]
    assert [to for to, _ in handler.mails] == ["ann@example.org", "bob@example.org"]
    with reading(sqlite) as connection:
        rows = connection.execute(select(DeliveryRow.state, DeliveryRow.maybe_repeated)).all()
    assert [tuple(row) for row in rows] == [(State.ACCEPTED, True)] * 2


def test_the_address_of_who_left_is_forgotten_before_the_mail_goes(sqlite: Engine, tmp_path: Path) -> None:
    """``ready`` says no after the addresses were named: the connection carries the next mail, to its own reader."""
    handler: Server
    with smtp_server() as (handler, url):
        way = Smtp(url)
        assert way.send(MAIL, "d@example.org", "gone@example.org", "x", ready=lambda: False).state == "withdrawn"
        assert way.send(MAIL, "d@example.org", "ann@example.org", "x").state == "accepted"
        way.close()
    assert [to for to, _ in handler.mails] == ["ann@example.org"] and handler.connections == 1
