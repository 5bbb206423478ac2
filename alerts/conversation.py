"""An SMTP conversation whose replies have bounds: a server may be slow, endless or out of step, and never holds us.

The standard library waits for each piece of a reply anew and reads as many lines as come. Here a whole reply has
one deadline and a number of lines, and a server that speaks before it is asked is left.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from typing import Any

_LINES = 200


class _Replies:
    """Reads a socket by lines, within a deadline and a number of lines that :meth:`begin` sets."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.waiting = sock, b""
        self.until, self.lines = 0.0, 0

    def begin(self, seconds: float) -> None:
        """A reply is expected."""
        self.until, self.lines = time.monotonic() + seconds, _LINES

    def readline(self, most: int) -> bytes:
        """A line with its end, or ``most`` bytes of it; what is there when the server closes."""
        self.lines -= 1
        if self.lines < 0:
            raise OSError(f"the mail server's reply has more than {_LINES} lines")
        while b"\n" not in self.waiting and len(self.waiting) < most:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the mail server's reply did not end in time")
            self.sock.settimeout(left)
            got = self.sock.recv(8192)
            if not got:
                break
            self.waiting += got
        end = min(self.waiting.find(b"\n") + 1 or most, most)
        line, self.waiting = self.waiting[:end], self.waiting[end:]
        return line

    def close(self) -> None:
        """The socket is closed by who opened it."""


class Conversation(smtplib.SMTP):
    """``seconds`` bounds each reply and each sending."""

    def __init__(self, host: str, port: int, *, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(host, port, timeout=seconds)

    def getreply(self) -> tuple[int, bytes]:
        """The server's reply; raises ``SMTPServerDisconnected`` where it does not end."""
        return self._reply(self.seconds)

    def _reply(self, seconds: float) -> tuple[int, bytes]:
        assert self.sock is not None
        if self.file is None:
            self.file: Any = _Replies(self.sock)
        self.file.begin(seconds)
        reply = super().getreply()
        self.sock.settimeout(self.seconds)
        return reply

    def last_reply(self, seconds: float) -> tuple[int, bytes]:
        """The reply to a whole mail, which a server may take longer for: it looks for spam and viruses then."""
        return self._reply(seconds)

    def send(self, s: Any) -> None:
        """Send; raises ``SMTPServerDisconnected`` when the server has said more than it was asked."""
        if self.file is not None and self.file.waiting:
            # Its next reply would be taken for the answer to another question.
            self.close()
            raise smtplib.SMTPServerDisconnected("the mail server spoke out of turn")
        super().send(s)


class SecureConversation(Conversation, smtplib.SMTP_SSL):
    """The same, in TLS from the first byte."""

    def __init__(self, host: str, port: int, *, seconds: float, context: ssl.SSLContext) -> None:
        self.seconds = seconds
        smtplib.SMTP_SSL.__init__(self, host, port, timeout=seconds, context=context)
