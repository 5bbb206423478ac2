"""Takes a finished mail away: to an SMTP server, or to a file in the outbox folder."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

_SECONDS = 30


class Outcome(NamedTuple):
    """What became of one mail: accepted, deferred (try later), failed (do not) or unknown."""

    state: str
    error: str = ""
    file: str = ""


class Transport(Protocol):
    """A way out. ``repeatable``: sending the same mail again leaves one mail, not two."""

    repeatable: bool

    def send(self, mail: bytes, sender: str, to: str, name: str) -> Outcome:
        """Send one mail; never raises for what a server or disk may do."""
        ...


class TransportError(ValueError):
    """A mail server's address that cannot be used; the message is one sentence."""


class Files:
    """Writes ``name.eml`` into a folder: first beside it, then in one step into its place."""

    repeatable = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, mail: bytes, sender: str, to: str, name: str) -> Outcome:
        """Write the mail; the same name again gives the same file."""
        path = self.folder / f"{name}.eml"
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(mail)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            return Outcome("deferred", f"cannot write {path}: {error.strerror or error}")
        return Outcome("accepted", file=str(path))


class Smtp:
    """An SMTP server: ``smtps://`` is TLS from the start; ``smtp://`` turns to TLS where it is offered.

    A password is never sent in the clear.
    """

    repeatable = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise TransportError("smtp_url has a port that is not a number") from error
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise TransportError("smtp_url must look like smtp://user:password@host:587 or smtps://…")
        self.tls = parts.scheme == "smtps"
        self.host = parts.hostname
        self.port = port or (465 if self.tls else 587 if parts.username else 25)
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")

    def send(self, mail: bytes, sender: str, to: str, name: str) -> Outcome:
        """Give the mail to the server. After its body went out without an answer the outcome is unknown."""
        handed_over = False
        try:
            with self._connect() as server:
                if not self.tls and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                if self.user:
                    if not self.tls and not isinstance(server.sock, ssl.SSLSocket):
                        return Outcome("deferred", "the mail server offers no TLS, so no password is sent")
                    server.login(self.user, self.password)
                for code, answer in (server.mail(sender), server.rcpt(to)):
                    if code not in (250, 251):
                        return _refused(code, answer)
                handed_over = True
                code, answer = server.data(mail)
                handed_over = False
                return Outcome("accepted") if code == 250 else _refused(code, answer)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            state = "unknown" if handed_over else "deferred"
            return Outcome(state, f"{type(error).__name__}: {error}"[:300])

    @contextlib.contextmanager
    def _connect(self) -> Iterator[smtplib.SMTP]:
        if self.tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            yield server
        finally:
            # What the server says to our good-bye changes nothing about the mail.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()


def _refused(code: int, answer: bytes | str) -> Outcome:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    # 535 and its like are about our login, not about the reader's address.
    lasting = 500 <= code < 600 and code not in (530, 534, 535, 538)
    return Outcome("failed" if lasting else "deferred", f"{code} {words}"[:300])
