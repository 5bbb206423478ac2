"""Logs of the long-running parts: one event a line, with what it is about (job, jurisdiction, run).

They go to standard error, as words for a person or as JSON (setting ``log_format``). No secret ever gets into
them: whatever looks like a password in an address, a key or a token is replaced before a line is written,
in messages of libraries and in tracebacks too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from tracker.settings import Settings

HIDDEN = "***"
_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]+)@")
_NAMED = re.compile(
    r"(?i)\b((?:[a-z0-9]+[-_])*(?:api[-_]?key|secret|password|passwd|token|authorization|signature|sig)"
    r"[\"']?\s*[=:]\s*[\"']?(?:bearer |basic )?)([^\s\"'&,;)}\]]+)"
)


def hide(text: str, secrets: Sequence[str] = ()) -> str:
    """The text with every secret in it replaced: the given ones, and what has the shape of one."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _NAMED.sub(rf"\g<1>{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))


def secrets_of(settings: Settings) -> list[str]:
    """The secret values of the settings, for :func:`hide`, the longest first."""
    found = {value.get_secret_value() for _, value in settings if hasattr(value, "get_secret_value")}
    key = settings.home / "secret-key"
    if key.is_file():
        found.add(key.read_text("ascii").strip())
    return sorted((value for value in found if len(value) >= 6), key=len, reverse=True)


class _Hide:
    """A structlog processor that hides secrets in every value."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self.secrets = secrets

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: self._value(value) for key, value in event.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return hide(value, self.secrets)
        if isinstance(value, dict):
            return {key: self._value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(inner) for inner in value]
        return value if isinstance(value, int | float | bool | None) else hide(str(value), self.secrets)


class _StandardError(logging.StreamHandler[Any]):
    """Writes to what standard error is now, not to what it was when logging began."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, _value: Any) -> None:
        pass


def configure(settings: Settings, *, debug: bool = False) -> None:
    """Send our logs and those of libraries to standard error in the chosen format."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Hide(secrets_of(settings)),
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        # Not the library's own tracebacks: they print every local variable, and take seconds over large ones.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if debug else logging.WARNING)
    for name in ("tracker", "alerts", "crawlers"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.INFO)
