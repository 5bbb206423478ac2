"""A real SMTP server for the tests, whose answers can be set."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller


class Server:
    """Keeps what it is sent; answers the recipients named in ``answers``, and all mails, with the given words."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.answers: dict[str, str] = {}
        self.connections = 0
        self.sender = ""
        self.cut_after_data = 0
        self.data_answer = "250 taken"

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, sender: str, _options: Any) -> str:
        if self.sender:
            return self.sender
        envelope.mail_from = sender
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:
        if to in self.answers:
            return self.answers[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos[0], envelope.content))
        if self.cut_after_data:
            # Taken, and then the line goes dead before the answer.
            self.cut_after_data -= 1
            server.transport.close()
        return self.data_answer


@contextmanager
def smtp_server() -> Iterator[tuple[Server, str]]:
    """A running server and its address."""
    handler = Server()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()
