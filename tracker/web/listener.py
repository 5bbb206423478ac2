"""The socket that the web app listens on."""

from __future__ import annotations

import socket


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, IPv6 where the host is written so; port 0 takes a free one. Raises OSError.

    Connections send what they have at once. The server sends a reply's head and body one after the other, and the
    event loop asks for no delay only on sockets that it made: else each reply on a kept connection waits 40 ms for
    the reader's acknowledgement of the head. Accepted connections inherit the listener's option.
    """
    made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
