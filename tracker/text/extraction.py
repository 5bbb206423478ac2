"""What an extraction gives back, and the limits it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "image_only", "blocked", "empty", "unsupported", "too_large", "timeout", "crashed", "garbled"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one document: bytes for sizes, seconds for times, pages for PDFs."""

    body: int = 64 << 20
    unpacked: int = 128 << 20
    markup: int = 24 << 20
    text: int = 20 << 20
    pages: int = 3000
    seconds: float = 60.0
    memory: int = 2 << 30
    documents_per_worker: int = 200


@dataclass(frozen=True, slots=True)
class Extraction:
    """The text of one version document, or the named reason why there is none.

    `text` is the law as it would be if enacted: struck words are out, paragraphs stand apart by a
    blank line, NFC. `struck` holds (position in `text` where the words stood, the words); `added` holds
    (start, end) spans of `text` marked as new law; all in Unicode code points. `media_type` is what the
    bytes are, whatever the server called them. `reason` is one sentence, empty when `status` is "ok".
    """

    text: str = ""
    struck: tuple[tuple[int, str], ...] = ()
    added: tuple[tuple[int, int], ...] = ()
    status: Status = "ok"
    reason: str = ""
    extractor: str = ""
    media_type: str = ""


class Refused(Exception):
    """A document that gives no text, with the status and the sentence that says why."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status: Status = status
        self.reason = reason
