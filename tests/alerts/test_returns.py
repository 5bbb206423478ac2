"""What comes back to the bounce mailbox, and what follows: classes, waits, stops, and forged reports."""

from __future__ import annotations

import datetime as dt
import mailbox
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from alerts import subscriptions
from alerts.mailbox import MailboxError, messages
from alerts.returns import Returned, take_in
from alerts.sending import send
from alerts.tokens import Links
from tests.alerts.data import NOW, bill, load, reader, settings
from tests.alerts.test_bounces import report
from tracker.db import reading
from tracker.models.readers import DeliveryRow

HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(days=7)


def newest(engine: Engine) -> Any:
    with reading(engine) as connection:
        return connection.execute(select(DeliveryRow).order_by(DeliveryRow.id.desc()).limit(1)).one()


def bounce(
    engine: Engine, status: str, *, to: str = "ann@example.org", action: str = "failed", note: str = ""
) -> bytes:
    fields = f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}"
    return report(fields + f"\nDiagnostic-Code: smtp; {note}", original=f"Message-ID: {newest(engine).message_id}")


def complaint(engine: Engine, to: str = "") -> bytes:
    fields = "Feedback-Type: abuse\nVersion: 1" + (f"\nOriginal-Rcpt-To: {to}" if to else "")
    return report(fields, kind="feedback-report", original=f"Message-ID: {newest(engine).message_id}")


@pytest.fixture
def sent(engine: Engine, tmp_path: Path) -> Engine:
    load(engine, [bill("HB 1")])
    reader(engine)
    assert len(send(engine, settings(tmp_path), now=NOW).mails) == 1
    return engine


def test_a_hard_bounce_stops_and_counts_once(sent: Engine, tmp_path: Path) -> None:
    chosen, raw = settings(tmp_path), bounce(sent, "5.1.1")
    assert take_in(sent, chosen, [raw, raw], now=NOW + HOUR) == Returned(messages=2, hard=1, known=1)
    assert subscriptions.find(sent, "ann@example.org").suppressed == "no such address"
    assert send(sent, chosen, now=NOW + WEEK).mails == []


@pytest.mark.parametrize("to", ["ann@example.org", ""])
def test_a_complaint_stops_even_where_the_address_is_hidden(sent: Engine, tmp_path: Path, to: str) -> None:
    chosen = settings(tmp_path)
    assert take_in(sent, chosen, [complaint(sent, to)], now=NOW).complaints == 1
    assert subscriptions.find(sent, "ann@example.org").suppressed == "complaint"
    assert send(sent, chosen, now=NOW + WEEK).mails == []


def test_a_soft_bounce_sends_the_same_mail_later_and_the_seventh_stops(sent: Engine, tmp_path: Path) -> None:
    chosen, now, waits = settings(tmp_path), NOW, []
    for n in range(1, 8):
        take_in(sent, chosen, [bounce(sent, "4.2.2", note=f"mailbox full {n}")], now=now)
        row = newest(sent)
        if n == 7:
            break
        assert row.state == "deferred"
        assert send(sent, chosen, now=row.next_attempt_at - HOUR).mails == []
        waits.append((row.next_attempt_at - now) / HOUR)
        now = row.next_attempt_at
        assert len(send(sent, chosen, now=now).mails) == 1
    assert waits == [2, 4, 8, 16, 32, 64]
    assert subscriptions.find(sent, "ann@example.org").suppressed == "bounced too often"


def test_a_good_mail_between_starts_the_count_anew(sent: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    take_in(sent, chosen, [bounce(sent, "4.2.2")], now=NOW)
    send(sent, chosen, now=NOW + WEEK)
    send(sent, chosen, now=NOW + 2 * WEEK)
    take_in(sent, chosen, [bounce(sent, "4.2.2")], now=NOW + 2 * WEEK + HOUR)
    assert newest(sent).next_attempt_at - NOW == 2 * WEEK + 3 * HOUR


def test_a_delay_notice_waits_but_sends_nothing_again(sent: Engine, tmp_path: Path) -> None:
    take_in(sent, settings(tmp_path), [bounce(sent, "4.4.1", action="delayed")], now=NOW)
    assert newest(sent).state == "accepted"


def test_forged_reports_do_nothing(sent: Engine, tmp_path: Path) -> None:
    good = newest(sent).message_id.encode()
    guessed = bounce(sent, "5.1.1").replace(good, b"<digest.1.00000000000000000000000000000000@localhost>")
    other = bounce(sent, "5.1.1", to="eve@example.org")
    assert take_in(sent, settings(tmp_path), [guessed, other], now=NOW).strange == 2
    assert not subscriptions.find(sent, "ann@example.org").suppressed


def test_a_mail_can_unsubscribe(sent: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    token = Links("", "k" * 32).unsubscribe(subscriptions.find(sent, "ann@example.org")).rpartition("/")[2]
    mails = [f"Subject: unsubscribe {t}\r\n\r\n".encode() for t in (token + "x", token)]
    assert take_in(sent, chosen, mails, now=NOW).unsubscribed == 1
    assert subscriptions.find(sent, "ann@example.org").suppressed == "unsubscribed"


def test_headers_offer_the_mail_way_only_where_it_is_read(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    chosen = settings(tmp_path, bounce_address="bounce@example.org", bounce_mailbox=SecretStr("x.mbox"))
    mail = Path(send(sqlite, chosen, now=NOW).mails[0]["file"]).read_bytes()
    assert b", <mailto:bounce@example.org?subject=unsubscribe%20" in mail


# ---------------------------------------------------------------- mailboxes


def test_a_mailbox_file_is_read_again_and_again(sent: Engine, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "back.mbox")
    box.add(bounce(sent, "5.1.1"))
    box.close()
    place = str(tmp_path / "back.mbox")
    assert take_in(sent, settings(tmp_path), messages(place, now=NOW), now=NOW).hard == 1
    assert take_in(sent, settings(tmp_path), messages(place, now=NOW), now=NOW).known == 1
    with pytest.raises(MailboxError, match="there is no mailbox"):
        list(messages(str(tmp_path / "none"), now=NOW))


class Imap(socketserver.StreamRequestHandler):
    """Speaks as much IMAP4rev1 as a reader of one folder needs; notes what it is asked."""

    mails: tuple[bytes, ...] = ()
    asked: list[str] = []  # noqa: RUF012

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            type(self).asked.append(command)
            self.wfile.write(self.answer(command) + f"{tag} {self.verdict(command)}\r\n".encode())

    def verdict(self, command: str) -> str:
        return "NO wrong password" if command.startswith("LOGIN") and "secret" not in command else "OK done"

    def answer(self, command: str) -> bytes:
        word = command.split()[0]
        if word == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if word == "EXAMINE":
            return f"* {len(self.mails)} EXISTS\r\n".encode()
        if word == "SEARCH":
            return b"* SEARCH " + b" ".join(str(n + 1).encode() for n in range(len(self.mails))) + b"\r\n"
        if word == "FETCH":
            number = int(command.split()[1])
            mail = self.mails[number - 1]
            return f"* {number} FETCH (BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + b")\r\n"
        return b"* BYE\r\n" if word == "LOGOUT" else b""


@pytest.fixture
def imap() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Imap) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_an_imap_folder_is_read_and_left_as_it_was(sent: Engine, tmp_path: Path, imap: str) -> None:
    Imap.mails, Imap.asked = (b"Subject: hello\r\n\r\nhello\r\n", bounce(sent, "5.1.1")), []
    found = take_in(sent, settings(tmp_path), messages(f"imap://bob:secret@{imap}/Bounces", now=NOW), now=NOW)
    assert (found.messages, found.hard) == (2, 1)
    words = " ".join(Imap.asked)
    assert "EXAMINE Bounces" in words and "SINCE 17-Feb-2025" in words and "BODY.PEEK[]" in words
    assert not any(verb in words for verb in ("SELECT", "STORE", "EXPUNGE"))


def test_an_imap_password_is_neither_shown_nor_sent_in_the_clear(imap: str) -> None:
    with pytest.raises(MailboxError, match="cannot be read") as wrong:
        list(messages(f"imap://bob:hunter2@{imap}/INBOX", now=NOW))
    assert "hunter2" not in str(wrong.value)
    with pytest.raises(MailboxError, match="never sent in the clear"):
        list(messages("imap://bob:hunter2@mail.example.org/INBOX", now=NOW))
