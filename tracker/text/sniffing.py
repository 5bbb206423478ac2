"""What the bytes are, and their characters: the declared media type and charset are only hints."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib

from tracker.text.extraction import Limits, Refused

HTML, XML, PDF, TEXT = "text/html", "application/xml", "application/pdf", "text/plain"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
RTF, DOC, ZIP = "application/rtf", "application/msword", "application/zip"

# (first bytes, what they are)
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", RTF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOC),
    (b"\xffWPC", "application/vnd.wordperfect"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
)
_TAG = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|div|table|p|pre|span|font|center|style|script)\b", re.I
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.I)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A UTF-8 byte-order mark that was read as windows-1252 and written as UTF-8 again.
_TWICE_ENCODED_BOM = "\u00ef\u00bb\u00bf"


def unpack(body: bytes, limits: Limits) -> bytes:
    """Gzip taken off (twice at most), refused by size while it is being read."""
    for _ in range(2):
        if not body.startswith(b"\x1f\x8b\x08"):
            break
        reader = zlib.decompressobj(wbits=31)
        try:
            out = reader.decompress(body, limits.unpacked + 1)
        except zlib.error as error:
            raise Refused("garbled", f"The gzip stream is broken: {error}.") from None
        if len(out) > limits.unpacked:
            raise Refused("too_large", f"The document unpacks to more than {limits.unpacked} bytes.")
        body = out
    return body


def media_type(body: bytes) -> str:
    """The media type the bytes show; text/plain when nothing else fits."""
    head = body[:4096]
    if b"%PDF-" in head[:1024]:
        return PDF
    for first, kind in MAGIC:
        if head.startswith(first):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _zipped(body)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[1:2] == b"\x00":
        head = body[:8192].replace(b"\x00", b"")
    head = head.removeprefix(codecs.BOM_UTF8)
    start = head.lstrip()[:200].lower()
    if _TAG.search(head):
        xml = start.startswith(b"<?xml") and b"<html" not in head.lower() and b"<!doctype html" not in head.lower()
        return XML if xml else HTML
    if b"<?xml" in start[:40]:
        return XML
    return TEXT


def _zipped(body: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return DOCX if "word/document.xml" in archive.namelist() else ZIP
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, OverflowError, KeyError):
        return ZIP


def decode(body: bytes) -> str:
    """Characters of a text, HTML or XML body, with UTF-8 that was encoded twice put right."""
    return _mend(_decode(body))


# What each byte 80-BF looks like after it was read as windows-1252 (latin-1 where that has a hole).
_BYTE = {b: bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(0x80, 0x100)}
_TAIL = {char: byte for byte, char in _BYTE.items() if byte < 0xC0} | {chr(b): b for b in range(0x80, 0xC0)}
_TWICE = re.compile(
    "[\u00c2-\u00df][{0}]|[\u00e0-\u00ef][{0}]{{2}}|[\u00f0-\u00f4][{0}]{{3}}".format(re.escape("".join(_TAIL)))
)


def _mend(text: str) -> str:
    def once(found: re.Match[str]) -> str:
        word = found.group()
        try:
            return bytes([ord(word[0]), *(_TAIL[c] for c in word[1:])]).decode("utf-8")
        except UnicodeDecodeError:
            return word

    return _TWICE.sub(once, text)


def _decode(body: bytes) -> str:
    """By byte-order mark; as UTF-8 if it is; by the declared charset; as windows-1252."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace").lstrip("\ufeff")
    if body[:2].isascii() and body[1:2] == b"\x00":
        return body.decode("utf-16-le", "replace")
    if body[:1] == b"\x00" and body[1:2] != b"\x00":
        return body.decode("utf-16-be", "replace")
    try:
        return body.decode("utf-8").removeprefix(_TWICE_ENCODED_BOM)
    except UnicodeDecodeError:
        pass
    found = _DECLARED.search(body[:4096])
    name = found.group(1).decode("ascii") if found else "cp1252"
    try:
        known = codecs.lookup(name).name
        if not codecs.lookup(name)._is_text_encoding:
            known = "cp1252"
    except LookupError:
        known = "cp1252"
    # Browsers read latin-1 as windows-1252, and a body that said UTF-8 has just shown that it is not.
    if known in {"iso8859-1", "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-7"}:
        known = "cp1252"
    return body.decode(known, "replace")


def garbled(text: str) -> bool:
    """Whether decoded text is noise: many replacement characters or controls, few letters."""
    sample = text[:20000]
    if len(sample) < 20:
        return False
    bad = sum(1 for c in sample if c == "\ufffd" or (c < " " and c not in "\t\r\n\f"))
    return bad > len(sample) * 0.02
