"""Version documents to text: one table of (jurisdiction, media type) → extractor.

Pure: no database, no network, no Scrapy. PDF and Word documents are read in a child process.
"""

from __future__ import annotations

from tracker.text.difference import Change, Hunk, diff
from tracker.text.extraction import Extraction, Limits, Refused, Status
from tracker.text.signatures import blocked

__all__ = ["Change", "Extraction", "Hunk", "Limits", "Status", "blocked", "diff", "extract"]


def extract(
    body: bytes,
    *,
    jurisdiction: str,
    media_type: str,
    url: str = "",
    limits: Limits = Limits(),  # noqa: B008
) -> Extraction:
    """The text of a version document, or the named reason why there is none. Never raises.

    `jurisdiction` is a code ("tx", "us"); `media_type` and `url` are what the server said and only
    break ties: the bytes decide.
    """
    from tracker.text import documents, sniffing, workers

    media = media_type.partition(";")[0].strip().lower()
    try:
        if len(body) > limits.body:
            raise Refused("too_large", f"The document has {len(body)} bytes, more than {limits.body}.")
        if not body.strip():
            raise Refused("empty", "The document is empty.")
        body = sniffing.unpack(body, limits)
        media = sniffing.media_type(body)
        code = "us" if jurisdiction.lower() == "usa" else jurisdiction.lower()
        if media in (sniffing.PDF, sniffing.DOCX, sniffing.RTF):
            return workers.read(body, code, media, limits)
        return documents.read(body, code, media, limits)
    except Refused as refusal:
        return Extraction(status=refusal.status, reason=refusal.reason, media_type=media)
    except MemoryError:
        return Extraction(status="crashed", reason="Reading the document took too much memory.", media_type=media)
    except Exception as error:
        return Extraction(
            status="crashed",
            reason=f"Reading the document failed ({type(error).__name__}).",
            media_type=media,
        )
