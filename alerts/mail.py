"""Builds the mail of one issue: the same issue gives the same bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from tracker.cleaning import clean


def sender_of(mail_from: str) -> tuple[str, str]:
    """Name and address of the sender in the settings."""
    name, address = parseaddr(clean(mail_from))
    return clean(name), address or "digest@localhost"


def message_id(issue: int, subscriber: int, planned_at: dt.datetime, mail_from: str) -> str:
    """The Message-ID of an issue for a reader; the moment keeps it unique when a database starts anew."""
    domain = sender_of(mail_from)[1].rpartition("@")[2] or "localhost"
    return f"<digest.{issue}.{subscriber}.{planned_at:%Y%m%d%H%M%S}@{domain}>"


def build(
    *,
    mail_from: str,
    to: str,
    subject: str,
    html: str,
    text: str,
    identifier: str,
    planned_at: dt.datetime,
    unsubscribe: str,
) -> bytes:
    """The whole mail, ready for a server."""
    name, address = sender_of(mail_from)
    domain = address.rpartition("@")[2] or "localhost"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = clean(subject)
    mail["Date"] = format_datetime(planned_at.astimezone(dt.UTC))
    mail["Message-ID"] = identifier
    mail["List-Id"] = f"Bill digest <bill-digest.{domain}>"
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary("part-" + hashlib.sha256(identifier.encode()).hexdigest()[:32])
    return mail.as_bytes()
