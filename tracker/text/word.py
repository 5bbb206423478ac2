"""Word documents: .docx through mammoth (struck words kept as such), RTF through striprtf.

Runs in the child process.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from tracker.text import markup
from tracker.text.extraction import Limits, Refused
from tracker.text.marks import clean
from tracker.text.table import Recipe

# Underlining means new law in bill texts; mammoth forgets it unless told.
_STYLES = "u => ins\nstrike => s\nall-caps => span.caps"


def docx(body: bytes, recipe: Recipe, limits: Limits) -> list[str]:
    """Paragraphs with marks of a .docx; raises Refused."""
    import mammoth

    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for item in archive.infolist():
                # The sizes a zip declares may lie: count what really comes out.
                with archive.open(item) as stream:
                    while chunk := stream.read(1 << 20):
                        total += len(chunk)
                        if total > limits.unpacked:
                            raise Refused(
                                "too_large",
                                f"The Word document unpacks to more than {limits.unpacked} bytes.",
                            )
                        if b"<!ENTITY" in chunk:
                            raise Refused("unsupported", "The Word document declares XML entities, which are refused.")
        result: Any = mammoth.convert_to_html(
            io.BytesIO(body), style_map=_STYLES, convert_image=mammoth.images.img_element(lambda image: {})
        )
    except Refused:
        raise
    except Exception as error:  # mammoth and zipfile raise anything on hostile input
        raise Refused("garbled", f"The Word document cannot be read ({type(error).__name__}).") from None
    return markup.flow(markup.render(markup.parse_html(str(result.value), limits), recipe))


_RTF_STRIKE = re.compile(rb"\\strike(?:d1?)?(?![0-9a-z])|\\striked?1(?!\d)")


def rtf(body: bytes, limits: Limits) -> list[str]:
    """Paragraphs of an RTF document.

    Raises Refused, also when it strikes words, which striprtf would keep as law.
    """
    from striprtf.striprtf import rtf_to_text

    if _RTF_STRIKE.search(body):
        raise Refused("unsupported", "The RTF strikes words, and struck words cannot be told from law in RTF.")
    read: Any = rtf_to_text
    try:
        text = str(read(body.decode("cp1252", "replace"), errors="ignore"))
    except Exception as error:
        raise Refused("garbled", f"The RTF cannot be read ({type(error).__name__}).") from None
    if len(text) > limits.text:
        raise Refused("too_large", f"The RTF has more than {limits.text} characters.")
    return [p for p in re.split(r"\n+", clean(text)) if p.strip()]
