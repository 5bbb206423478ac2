"""Keeps keys out of everything that is written down: recordings, accounts, logs, what is known of addresses."""

from __future__ import annotations

import logging
import re

_KEY_IN_URL = re.compile(r"(?i)([?&](?:key|apikey|api_key|token|access_token|op_key)=)[^&#\s>]+")


def scrub(text: str) -> str:
    """An address, or a text with addresses in it, without the keys."""
    return _KEY_IN_URL.sub(r"\1KEY", text)


class ScrubFilter(logging.Filter):
    """Takes keys out of log lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), ()
        return True
