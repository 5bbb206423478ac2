"""Tells the admins that something needs them: by mail, and as a file where mail is what is broken."""

from __future__ import annotations

import datetime as dt
import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from alerts.mail import domain_of, sender_of
from alerts.transport import Files, Smtp, TransportError
from tracker.cleaning import clean
from tracker.settings import Settings


def alert(settings: Settings, subject: str, words: str, *, now: dt.datetime) -> list[str]:
    """Send the admins a short mail; returns one line for each that went out or was written.

    Goes past the outbox, which may be what is stopped. The file in ``outbox/`` is written in any case, so that
    the alert is there even when nobody is named in ``admins`` or the server is down.
    """
    done = []
    for to in settings.admins or ["admins@localhost"]:
        mail = _mail(settings, to, subject, words, now)
        stem = hashlib.sha256(mail).hexdigest()[:8]
        outcome = Files(settings.outbox).send(mail, "", to, f"alert-{now:%Y-%m-%d}-{stem}")
        done.append(outcome.file or outcome.error)
        url = settings.smtp_url.get_secret_value()
        if url and settings.admins:
            try:
                way = Smtp(url)
            except TransportError as error:
                done.append(str(error))
                continue
            done.append(f"{to}: {way.send(mail, sender_of(settings.mail_from)[1], to, stem).state}")
            way.close()
    return done


def _mail(settings: Settings, to: str, subject: str, words: str, now: dt.datetime) -> bytes:
    name, address = sender_of(settings.mail_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = clean(f"billtracker: {subject}")
    mail["Date"] = format_datetime(now.astimezone(dt.UTC))
    digest = hashlib.sha256(f"{to} {subject} {now.isoformat()}".encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<alert.{digest}@{domain_of(settings.mail_from)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{clean(words)}\n")
    return mail.as_bytes()
