"""Takes a finished mail away: to an SMTP server, or to a file in the outbox folder."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from alerts.conversation import Conversation, SecureConversation

_SECONDS = 30
# A server looks for spam and viruses before it answers for a whole mail; giving up too early would repeat it.
_SECONDS_FOR_A_MAIL = 120
# Many servers close a connection after some hundred mails.
_MAILS_A_CONNECTION = 200
_ABOUT_OUR_LOGIN = (530, 534, 535, 538)


class Outcome(NamedTuple):
    """What became of one mail.

    ``accepted``; ``deferred``: refused for now; ``failed``: refused for good; ``unknown``: handed over whole,
    but no answer came; ``blocked``: the server takes nothing from us now, so no other mail need be tried.
    """

    state: str
    error: str = ""
    file: str = ""


Ready = Callable[[], bool]
WITHDRAWN = Outcome("withdrawn")


def at_once() -> bool:
    """The mail may go."""
    return True


class Transport(Protocol):
    """A way out. ``repeatable``: sending the same mail again leaves one mail, not two."""

    repeatable: bool

    def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
        """Send one mail; never raises for what a server or disk may do.

        ``ready`` is asked before the mail's first byte goes out, and may take its time; what it says no to is
        ``withdrawn``.
        """
        ...

    def close(self) -> None:
        """End the connection, if there is one."""
        ...


class TransportError(ValueError):
    """A mail server's address that cannot be used; the message is one sentence."""


class Files:
    """Writes ``name.eml`` into a folder: first beside it, then in one step into its place."""

    repeatable = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
        """Write the mail; the same name again gives the same file."""
        if not ready():
            return WITHDRAWN
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
            return Outcome("blocked", f"cannot write {path}: {error.strerror or error}")
        return Outcome("accepted", file=str(path))

    def close(self) -> None:
        """Nothing to end."""


class Smtp:
    """An SMTP server: ``smtps://`` is TLS from the start; ``smtp://`` turns to TLS where it is offered.

    One connection carries many mails. A password is never sent in the clear.
    """

    repeatable = False

    def __init__(self, url: str, *, seconds: float = _SECONDS, seconds_for_a_mail: float = _SECONDS_FOR_A_MAIL) -> None:
        self.seconds, self.seconds_for_a_mail = seconds, seconds_for_a_mail
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
        self._server: Conversation | None = None
        self._carried = 0

    def __enter__(self) -> Smtp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
        """Give the mail to the server, on the open connection where it still lives."""
        used = self._carried > 0
        outcome = self._try(mail, sender, to, ready)
        if outcome.state == "blocked" and used:
            # A server may end a long or idle connection at any time; a new one tells whether it is more than that.
            outcome = self._try(mail, sender, to, ready)
        return outcome

    def close(self) -> None:
        """Say good-bye; what the server answers changes nothing about the mails."""
        server, self._server, self._carried = self._server, None, 0
        if server is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """The authorities that we trust: reading them takes as long as many mails, so once, and only for TLS."""
        return ssl.create_default_context()

    def _try(self, mail: bytes, sender: str, to: str, ready: Ready) -> Outcome:
        try:
            server = self._connected()
            code, answer = server.mail(sender)
        except smtplib.SMTPResponseException as error:
            return self._dropped("blocked", f"{error.smtp_code} {_words(error.smtp_error)}")
        except (smtplib.SMTPException, OSError) as error:
            return self._dropped("blocked", f"{type(error).__name__}: {error}")
        if code != 250:
            # Not about the reader: the server refuses us, or asks us to wait.
            return self._dropped("blocked", f"{code} {_words(answer)}")
        handed_over = False
        try:
            code, answer = server.rcpt(to)
            if code not in (250, 251, 252):
                return self._refused(code, answer)
            if not ready():
                return self._withdrawn()
            code, answer = server.docmd("DATA")
            if code != 354:
                return self._refused(code, answer)
            server.send(_dotted(mail))
            handed_over = True
            code, answer = server.last_reply(self.seconds_for_a_mail)
        except (smtplib.SMTPException, OSError) as error:
            return self._dropped("unknown" if handed_over else "deferred", f"{type(error).__name__}: {error}")
        if code != 250:
            return self._refused(code, answer)
        self._carried += 1
        if self._carried >= _MAILS_A_CONNECTION:
            self.close()
        return Outcome("accepted")

    def _connected(self) -> Conversation:
        if self._server is not None:
            return self._server
        if self.tls:
            server: Conversation = SecureConversation(self.host, self.port, seconds=self.seconds, context=self._trusted)
        else:
            server = Conversation(self.host, self.port, seconds=self.seconds)
        self._server = server
        server.ehlo_or_helo_if_needed()
        if not self.tls and server.has_extn("starttls"):
            server.starttls(context=self._trusted)
            server.ehlo()
        if self.user:
            if not self.tls and not isinstance(server.sock, ssl.SSLSocket):
                raise smtplib.SMTPException("the mail server offers no TLS, so no password is sent")
            server.login(self.user, self.password)
        return server

    def _refused(self, code: int, answer: bytes) -> Outcome:
        """The server's no to this mail; the connection goes on unless the server ends it."""
        words = f"{code} {_words(answer)}"[:300]
        if code < 400:
            # No refusal at all: the server is out of step, and what it says next would be about something else.
            return self._dropped("deferred", words)
        if code == 421 or code in _ABOUT_OUR_LOGIN:
            return self._dropped("blocked", words)
        self._reset()
        return Outcome("failed" if 500 <= code < 600 else "deferred", words)

    def _withdrawn(self) -> Outcome:
        """Nothing of the mail has gone out: the server forgets its addresses."""
        self._reset()
        return WITHDRAWN

    def _reset(self) -> None:
        if self._server is not None:
            try:
                self._server.rset()
            except (smtplib.SMTPException, OSError):
                self.close()

    def _dropped(self, state: str, words: str) -> Outcome:
        self.close()
        return Outcome(state, words[:300])


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _dotted(mail: bytes) -> bytes:
    """The mail as DATA wants it: no line begins with a single dot, and the end is marked."""
    body = (b"." if mail.startswith(b".") else b"") + mail.replace(b"\n.", b"\n..")
    return body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n")
