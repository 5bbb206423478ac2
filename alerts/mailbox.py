"""Fetches what came back to the bounce mailbox: an mbox file, a Maildir folder, or an IMAP folder.

Only reads: the mailbox stays as it was. What was seen before is known by its content, not by a flag.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import imaplib
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from alerts.bounces import MAX_BYTES, messages_in

LOOK_BACK = dt.timedelta(days=14)
MAX_MESSAGES = 10_000
_SECONDS = 30
_LOCAL = ("127.0.0.1", "localhost", "::1")


class MailboxError(RuntimeError):
    """The mailbox cannot be read; the message is one sentence without the password."""


def messages(place: str, *, now: dt.datetime) -> Iterator[bytes]:
    """The raw messages at a path or an ``imaps://user:password@host/FOLDER`` address, of the last two weeks there."""
    if "://" not in place:
        try:
            yield from messages_in(Path(place))
        except OSError as error:
            raise MailboxError(str(error)) from error
        return
    try:
        yield from _imap(place, now)
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"the bounce mailbox at {urlsplit(place).hostname} cannot be read: {error}"[:300]) from error


def _imap(url: str, now: dt.datetime) -> Iterator[bytes]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("imaps", "imap") or not host:
        raise MailboxError("bounce_mailbox must be a path or look like imaps://user:password@host/INBOX")
    if parts.scheme == "imap" and host not in _LOCAL:
        raise MailboxError("bounce_mailbox must be imaps://: a password is never sent in the clear")
    if parts.scheme == "imaps":
        context = ssl.create_default_context()
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=context, timeout=_SECONDS)
    else:
        box = imaplib.IMAP4(host, parts.port or 143, timeout=_SECONDS)
    try:
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        status, _ = box.select(unquote(parts.path.strip("/")) or "INBOX", readonly=True)
        if status != "OK":
            raise MailboxError(f"there is no folder {parts.path.strip('/')!r} in the bounce mailbox")
        _, found = box.search(None, "SINCE", f"{now - LOOK_BACK:%d-%b-%Y}")
        for number in (found[0] or b"").split()[-MAX_MESSAGES:]:
            _, data = box.fetch(number.decode(), f"(BODY.PEEK[]<0.{MAX_BYTES + 1}>)")
            for piece in data:
                if isinstance(piece, tuple):
                    yield piece[1]
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            box.logout()
