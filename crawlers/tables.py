"""Delimited files as states publish them (any encoding, ragged rows, header names in changing case), and the parts of
a record that every source has in much the same way."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

_NAME = re.compile(r"[^a-z0-9]")
csv.field_size_limit(16 * 1024 * 1024)
# A row of a table; what is longer is many rows whose beginnings nobody recognised.
MAX_ROW = 1024 * 1024


def decode(body: bytes) -> str:
    """Text of a file: by its byte-order mark, else UTF-8, else the Windows code page that never fails."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def rows(body: bytes, need: Sequence[str], *, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Rows as mappings of folded header names (lower case letters and digits) to stripped values.

    Raises ValueError when a column of ``need`` is missing: then the layout has changed.
    """
    text = decode(body).replace("\x00", "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [_NAME.sub("", name.lower()) for name in next(reader)]
    except StopIteration:
        raise ValueError("the file is empty") from None
    except csv.Error as error:
        raise ValueError(f"the header cannot be read: {error}") from error
    missing = [name for name in need if name not in header]
    if missing:
        raise ValueError(f"no column {missing[0]!r}; there are {', '.join(header)[:200]}")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(row):
            yield dict(zip(header, (value.strip() for value in row), strict=False))


def plain(markup: str) -> str:
    """The text of a fragment of HTML."""
    from selectolax.lexbor import LexborHTMLParser

    if "<" not in markup and "&" not in markup:
        return " ".join(markup.split())
    body = LexborHTMLParser(markup).body
    return " ".join(body.text(separator=" ").split()) if body else ""


MEDIA_TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "pdf": "application/pdf",
    "xml": "text/xml",
    "txt": "text/plain",
    "rtf": "application/rtf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def version(note: str, date: str, address: str, *endings: str) -> dict[str, Any]:
    """A version that a site keeps in several forms under one address: one link an ending."""
    links = [{"url": f"{address}.{end}", "media_type": MEDIA_TYPES.get(end, "")} for end in endings]
    return {"note": note, "date": date[:10], "links": links}


def file(note: str, site: str, path: str, date: str = "") -> dict[str, Any]:
    """A version or document of one file, by its path on a site or from another file."""
    url = urljoin(site if site.count("/") > 2 else f"{site}/", path)
    # "…/HB0001.pdf", or "…/text/pdf/".
    kind = MEDIA_TYPES.get(re.split(r"[./]", url.rstrip("/"))[-1].lower(), "")
    return {"note": note, "date": date[:10], "links": [{"url": url, "media_type": kind}]}


def forms(note: str, date: str, site: str, *paths: str | None) -> dict[str, Any]:
    """A version that a site keeps in several files, by their paths; a path that is missing is left out."""
    return {"note": note, "date": date[:10], "links": [at for p in paths if p for at in file("", site, p)["links"]]}


def each(said: Mapping[str, Any], name: str, field: str) -> list[Any]:
    """A field of all entries of a list that may be null or missing."""
    return [entry[field] for entry in said.get(name) or ()]


def sponsors(
    names: Sequence[str], committee: str = "", cosponsors: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Members in the site's order, the first of them the prime sponsor; without any, the committee that sponsors.

    Where the site tells who only joins (``cosponsors``), all the others are sponsors.
    """
    if committee and not names:
        return [{"name": committee, "classification": "sponsor", "entity_type": "organization"}]
    if cosponsors is not None:
        both = ((names, "sponsor"), (cosponsors, "cosponsor"))
        return [
            {"name": n, "primary": kind == "sponsor", "classification": kind} for group, kind in both for n in group
        ]
    return [
        {"name": name, "primary": not at, "classification": "cosponsor" if at else "sponsor"}
        for at, name in enumerate(names)
    ]


def quoted_rows(body: bytes, columns: Sequence[str], quote: str = "`") -> Iterator[dict[str, str]]:
    """Rows of a database dump without header: tabs between fields, texts in backticks, ``NULL`` for nothing.

    Each line is decoded by itself, since a dump may hold single lines in another encoding. Whether a row is whole
    is told by its tabs, not by its quotes: texts hold backticks of their own and run over several lines. A row
    that stays too short or gets too long costs itself.
    """
    lines = [decode(line).replace("\x00", "").rstrip("\r") for line in body.split(b"\n")]
    widths = Counter(line.count("\t") for line in lines if line)
    width = widths.most_common(1)[0][0] if widths else 0
    for row in _whole(lines, width, quote):
        values = (_unquoted(value.strip(), quote) for value in row.split("\t"))
        yield dict(zip(columns, values, strict=False))


def _whole(lines: Sequence[str], width: int, quote: str) -> Iterator[str]:
    """Lines put together to rows of ``width`` tabs."""
    pending = ""
    for line in (*lines, "\t" * width):
        if line.count("\t") == width:
            if pending.strip() and pending.count("\t") == width:
                yield pending
            pending = line
        else:
            pending = f"{pending} {line}" if pending else line
        last = pending.rpartition("\t")[2].strip()
        is_open = last.startswith(quote) and (len(last) == 1 or not last.endswith(quote))
        if pending.count("\t") > width:
            pending = ""
        elif pending.count("\t") == width and not is_open:
            if pending.strip():
                yield pending
            pending = ""


def _unquoted(value: str, quote: str) -> str:
    if value == "NULL":
        return ""
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] == quote else value


def mended_rows(
    body: bytes, need: Sequence[str], begins: str, *, delimiter: str = ","
) -> tuple[list[dict[str, str]], int]:
    """Rows of a file in which quotes are not always doubled and texts run over several lines, and how many are lost.

    A row begins with a line that matches ``begins`` and goes on to the next one, so that a broken row costs only
    itself. A row with a wrong number of fields is divided at commas without a blank behind them instead, if that
    makes it whole.
    """
    lines = decode(body).replace("\x00", "").splitlines()
    header = [_NAME.sub("", name.lower()) for name in next(csv.reader(lines[:1], delimiter=delimiter), [])]
    missing = [name for name in need if name not in header]
    if missing:
        raise ValueError(f"no column {missing[0]!r}; there are {', '.join(header)[:200]}")
    start = re.compile(begins)
    whole: list[list[str]] = []
    for line in lines[1:]:
        if start.match(line) or not whole:
            whole.append([line])
        elif line.strip():
            whole[-1].append(line)
    made = [dict(zip(header, values, strict=True)) for row in whole if (values := _fields(row, len(header), delimiter))]
    return made, len(whole) - len(made)


def _fields(lines: Sequence[str], width: int, delimiter: str) -> list[str]:
    """A row's values, if there are as many as there should be."""
    line = " ".join(lines)
    if len(line) > MAX_ROW:
        return []
    values = next(csv.reader([line], delimiter=delimiter), [])
    if len(values) != width:
        values = [value.strip(' "') for value in re.split(f"{re.escape(delimiter)}(?! )", line)]
    return [value.strip() for value in values] if len(values) == width else []
