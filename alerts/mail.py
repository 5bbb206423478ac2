"""Builds the mail of one issue: the same issue gives the same bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from tracker.cleaning import clean

# A link of usual length in List-Unsubscribe would be folded into encoded words, which no mail program follows.
_ONE_LINE = SMTP.clone(max_line_length=900)


def sender_of(mail_from: str) -> tuple[str, str]:
    """Name and address of the sender in the settings."""
    name, address = parseaddr(clean(mail_from))
    return clean(name), address or "digest@localhost"


def domain_of(mail_from: str) -> str:
    """The sender's domain."""
    return sender_of(mail_from)[1].rpartition("@")[2] or "localhost"


def message_id(issue: int, subscriber: int, planned_at: dt.datetime, mail_from: str, key: str) -> str:
    """The Message-ID of an issue for a reader: always the same, and nobody else can guess it.

    So a second copy is known as one, and a delivery report that names it is about a mail of ours. The moment
    keeps it unique when a database starts anew.
    """
    words = f"{issue}:{subscriber}:{planned_at.astimezone(dt.UTC):%Y%m%d%H%M%S%f}"
    digest = hmac.new(b"message-id/" + key.encode(), words.encode(), hashlib.sha256).hexdigest()
    return f"<digest.{issue}.{digest[:32]}@{domain_of(mail_from)}>"


def build(
    *,
    mail_from: str,
    to: str,
    subject: str,
    html: str,
    text: str,
    identifier: str,
    planned_at: dt.datetime,
    unsubscribe: str = "",
    unsubscribe_mail: str = "",
) -> bytes:
    """The whole mail, ready for a server. ``unsubscribe``: the one-click link (RFC 8058), where there is one."""
    name, address = sender_of(mail_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = clean(subject)
    mail["Date"] = format_datetime(planned_at.astimezone(dt.UTC))
    mail["Message-ID"] = identifier
    if unsubscribe:
        mail["List-Id"] = f"Bill digest <bill-digest.{domain_of(mail_from)}>"
        mail["List-Unsubscribe"] = ", ".join(f"<{way}>" for way in (unsubscribe, unsubscribe_mail) if way)
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail["Precedence"] = "bulk"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary("part-" + hashlib.sha256(identifier.encode()).hexdigest()[:32])
    return mail.as_bytes(policy=_ONE_LINE)
