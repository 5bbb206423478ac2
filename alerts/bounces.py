"""Reads what mail servers send back: delivery reports (RFC 3464) and complaints (RFC 5965).

Only machine-readable reports count; a person's reply or an absence note says nothing about the address.
A report can be forged, so a caller acts on it only when ``message_id`` is one that we gave out and
``recipient`` is whom we sent it to.
"""

from __future__ import annotations

import datetime as dt
import email
import hashlib
import mailbox
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from pathlib import Path

# A report quotes at most our own mail, which stays under 100 KB for each part.
MAX_BYTES = 1_000_000
MAX_RECIPIENTS = 50
FIRST_WAIT = dt.timedelta(hours=2)
LONGEST_WAIT = dt.timedelta(hours=64)
SOFT_LIMIT = 7

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,200}>")
_ADDRESS = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,190}")
# Permanent by number, but about the moment or about us, not about the address: full mailbox (5.2.2),
# message too large (5.2.3, 5.3.4), policy and reputation (5.7.*).
_NOT_THE_ADDRESS = {("2", "2"), ("2", "3"), ("3", "4")}


class Kind(StrEnum):
    """What a report means for the address."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


@dataclass(frozen=True)
class Bounce:
    """One recipient in one report. ``report`` is the SHA-256 of the report, so that it is counted once.

    ``final``: the server gave up; else it says that it is still trying.
    """

    kind: Kind
    recipient: str
    message_id: str
    status: str
    diagnostic: str
    report: str
    final: bool = True


@dataclass(frozen=True)
class Step:
    """What to do now: stop mailing for good, or wait this long before the next attempt."""

    stop: bool
    wait: dt.timedelta


def next_step(kind: Kind, softs: int) -> Step:
    """What follows from a report. ``softs``: soft bounces in a row, this one included (at least 1).

    One hard bounce or complaint stops at once. Soft ones wait 2 hours, doubled each time up to 64; the
    seventh in a row stops.
    """
    if kind is not Kind.SOFT or softs >= SOFT_LIMIT:
        return Step(True, dt.timedelta(0))
    return Step(False, min(FIRST_WAIT * 2 ** max(softs - 1, 0), LONGEST_WAIT))


def read(raw: bytes) -> list[Bounce]:
    """The bounces that one message reports; none for anything that is not a report or is over a megabyte."""
    if len(raw) > MAX_BYTES:
        return []
    message = email.message_from_bytes(raw)
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return []
    digest = hashlib.sha256(raw).hexdigest()
    message_id = _original_id(message)
    for part in _parts(message):
        if part.get_content_type() == "message/delivery-status":
            return _deliveries(part, message_id, digest)
        if part.get_content_type() == "message/feedback-report":
            return _complaints(part, message_id, digest)
    return []


def kind_of(answer: str) -> Kind:
    """What a server's answer during the talk means for the address ("550 5.1.1 no such user" is hard)."""
    return _kind(_status(answer))


def from_folder(path: Path) -> Iterator[Bounce]:
    """The bounces in an mbox file or a Maildir folder (:func:`messages_in`)."""
    for raw in messages_in(path):
        yield from read(raw)


def messages_in(path: Path) -> Iterator[bytes]:
    """The messages of an mbox file or a Maildir folder; reads only, so that a second reading finds the same.

    Raises ``FileNotFoundError`` when there is no such mailbox.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no mailbox at {path}")
    box: mailbox.Maildir | mailbox.mbox = (
        mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
    )
    try:
        for key in box.iterkeys():
            with box.get_file(key) as file:
                raw = file.read(MAX_BYTES + 1)
            yield raw
    finally:
        box.close()


def _parts(message: Message) -> list[Message]:
    """The direct parts only: a report inside a report is a quotation."""
    payload = message.get_payload()
    return [p for p in payload if isinstance(p, Message)] if isinstance(payload, list) else []


def _deliveries(part: Message, message_id: str, digest: str) -> list[Bounce]:
    found = []
    for block in _parts(part)[: MAX_RECIPIENTS + 1]:
        recipient = _address(_value(block, "Original-Recipient")) or _address(_value(block, "Final-Recipient"))
        action = _value(block, "Action").lower()
        if not recipient or action not in ("failed", "delayed"):
            continue
        diagnostic = _value(block, "Diagnostic-Code")
        status = _status(_value(block, "Status")) or _status(diagnostic)
        kind = _kind(status) if action == "failed" else Kind.SOFT
        found.append(Bounce(kind, recipient, message_id, ".".join(status), diagnostic, digest, action == "failed"))
    return found


def _complaints(part: Message, message_id: str, digest: str) -> list[Bounce]:
    fields = _report_fields(part)
    if _value(fields, "Feedback-Type").lower() not in ("abuse", "fraud", "opt-out"):
        return []
    recipient = _address(_value(fields, "Original-Rcpt-To"))
    return [Bounce(Kind.COMPLAINT, recipient, message_id, "", _value(fields, "Feedback-Type"), digest)]


def _report_fields(part: Message) -> Message:
    """The header-like lines of a feedback report, which parsers keep as text or as an inner message."""
    inner = _parts(part)
    if inner:
        return inner[0]
    body = part.get_payload(decode=True)
    return email.message_from_bytes(body if isinstance(body, bytes) else b"")


def _original_id(message: Message) -> str:
    for part in _parts(message):
        kind = part.get_content_type()
        if kind == "message/rfc822":
            quoted: list[Message] = _parts(part)
        elif kind == "text/rfc822-headers":
            body = part.get_payload(decode=True)
            quoted = [email.message_from_bytes(body if isinstance(body, bytes) else b"")]
        else:
            continue
        for original in quoted:
            found = _MESSAGE_ID.search(_value(original, "Message-ID"))
            if found:
                return found.group()
    return ""


def _kind(status: tuple[str, ...]) -> Kind:
    """Hard only for what surely is about the address; a report without a class is soft."""
    if not status or status[0] != "5":
        return Kind.SOFT
    return Kind.SOFT if status[1] == "7" or status[1:] in _NOT_THE_ADDRESS else Kind.HARD


def _status(text: str) -> tuple[str, ...]:
    found = _STATUS.search(text)
    return found.groups() if found else ()


def _address(text: str) -> str:
    found = _ADDRESS.search(text)
    return found.group().lower() if found else ""


def _value(fields: Message, name: str) -> str:
    """A field on one line, without control characters, cut at 500 characters."""
    text = " ".join(str(fields.get(name, "")).split())[:500]
    return "".join(c for c in text if c.isprintable())
