"""Bounces and complaints: classes, matching, mailboxes, and reports that mean harm."""

import datetime as dt
import mailbox
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import bounces
from alerts.bounces import Bounce, Kind

OURS = "<issue-7.reader-3@digest.example>"


def report(fields: str, *, kind: str = "delivery-status", original: str = f"Message-ID: {OURS}") -> bytes:
    lines = [
        "From: mailer-daemon@mx.example",
        "To: bounces@digest.example",
        "Subject: Undelivered mail",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Your mail could not be delivered.",
        "--b",
        f"Content-Type: message/{kind}",
        "",
        *fields.strip().splitlines(),
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        *original.splitlines(),
        "Subject: CTE bills",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def failed(status: str, action: str = "failed", code: str = "smtp; 550 no") -> bytes:
    return report(
        "Reporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; Ann@Example.org\nAction: {action}\n"
        f"Status: {status}\nDiagnostic-Code: {code}"
    )


@pytest.mark.parametrize(
    ("status", "action", "kind"),
    [
        ("5.1.1", "failed", Kind.HARD),
        ("5.1.10", "failed", Kind.HARD),
        ("5.4.4", "failed", Kind.HARD),
        ("5.2.1", "failed", Kind.HARD),
        ("5.2.2", "failed", Kind.SOFT),
        ("5.3.4", "failed", Kind.SOFT),
        ("5.7.1", "failed", Kind.SOFT),
        ("4.4.1", "failed", Kind.SOFT),
        ("5.1.1", "delayed", Kind.SOFT),
        ("4.2.2", "delayed", Kind.SOFT),
        ("nonsense", "failed", Kind.SOFT),
    ],
)
def test_classes(status: str, action: str, kind: Kind) -> None:
    (found,) = bounces.read(failed(status, action))
    assert (found.kind, found.recipient, found.message_id) == (kind, "ann@example.org", OURS)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", ""])
def test_good_news_is_no_bounce(action: str) -> None:
    assert bounces.read(failed("2.0.0", action)) == []


def test_status_may_stand_in_the_diagnostic_only() -> None:
    (found,) = bounces.read(failed("", code="smtp; 550 5.1.1 user unknown"))
    assert (found.kind, found.status) == (Kind.HARD, "5.1.1")


def test_each_recipient_of_a_report_is_one_bounce() -> None:
    many = "Reporting-MTA: dns; mx\n\n" + "\n\n".join(
        f"Final-Recipient: rfc822; r{i}@example.org\nAction: failed\nStatus: {s}"
        for i, s in enumerate(("5.1.1", "4.2.0"))
    )
    assert [(b.recipient, b.kind) for b in bounces.read(report(many))] == [
        ("r0@example.org", Kind.HARD),
        ("r1@example.org", Kind.SOFT),
    ]


@pytest.mark.parametrize(
    ("feedback", "kinds"),
    [("abuse", [Kind.COMPLAINT]), ("fraud", [Kind.COMPLAINT]), ("not-spam", []), ("", [])],
)
def test_complaints(feedback: str, kinds: list[Kind]) -> None:
    fields = f"Feedback-Type: {feedback}\nVersion: 1\nOriginal-Rcpt-To: ann@example.org"
    found = bounces.read(report(fields, kind="feedback-report"))
    assert [b.kind for b in found] == kinds
    assert all(b.recipient == "ann@example.org" and b.message_id == OURS for b in found)


def test_a_persons_mail_is_no_report() -> None:
    assert bounces.read(b"From: ann@example.org\r\nSubject: Re: 5.1.1\r\n\r\nAction: failed\r\n") == []
    quoted = b"Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n" + failed("5.1.1") + b"\r\n--q--\r\n"
    assert bounces.read(quoted) == []


def test_too_large_is_left_alone() -> None:
    assert len(bounces.read(failed("5.1.1"))) == 1
    assert bounces.read(failed("5.1.1") + b"x" * bounces.MAX_BYTES) == []


def test_what_is_kept_has_no_line_breaks() -> None:
    (found,) = bounces.read(failed("5.1.1", code="smtp; 550 no\n such\x1b[31m\n\tuser " + "y" * 9000))
    assert found.diagnostic.isprintable() and len(found.diagnostic) <= 500


def test_next_step_waits_longer_and_then_stops() -> None:
    hours = [bounces.next_step(Kind.SOFT, n).wait / dt.timedelta(hours=1) for n in range(1, 7)]
    assert hours == [2, 4, 8, 16, 32, 64]
    assert [bounces.next_step(Kind.SOFT, n).stop for n in (1, 6, 7)] == [False, False, True]
    assert bounces.next_step(Kind.HARD, 1).stop and bounces.next_step(Kind.COMPLAINT, 1).stop


def test_mailboxes_are_read_and_left_as_they_were(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "bounces.mbox")
    folder = mailbox.Maildir(tmp_path / "Maildir")
    for raw in (failed("5.1.1"), b"Subject: hello\r\n\r\nhello\r\n", failed("4.2.2")):
        box.add(raw)
        folder.add(raw)
    box.close()
    folder.close()
    before = (tmp_path / "bounces.mbox").read_bytes()
    for path in (tmp_path / "bounces.mbox", tmp_path / "Maildir"):
        for _ in range(2):
            found: list[Bounce] = list(bounces.from_folder(path))
            assert sorted(b.kind for b in found) == [Kind.HARD, Kind.SOFT]
            assert len({b.report for b in found}) == 2
    assert (tmp_path / "bounces.mbox").read_bytes() == before
    with pytest.raises(FileNotFoundError, match="there is no mailbox"):
        list(bounces.from_folder(tmp_path / "missing"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_reports_never_raise(data: st.DataObject) -> None:
    raw = bytearray(failed("5.1.1"))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
        if not raw:
            break
    for found in bounces.read(bytes(raw)):
        assert found.recipient.isprintable() and found.diagnostic.isprintable()
