"""CSV that is safe to open in a spreadsheet and comes back exactly.

A cell that a spreadsheet would take for a formula gets an apostrophe before it; so does one that begins with
an apostrophe. Reading takes one apostrophe off again, so nothing is lost.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """A value as a cell: text made safe, lists and objects as JSON, numbers as they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    elif hasattr(value, "isoformat"):
        value = value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """The text that :func:`cell` made safe."""
    return text[1:] if text.startswith("'") else text


def write(file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, heading: bool = True) -> int:
    """Write rows, under a heading of the columns' names; returns how many."""
    writer = csv.writer(file, lineterminator="\r\n")
    if heading:
        writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([cell(row.get(name)) for name in columns])
        count += 1
    return count


def read(file: IO[str]) -> Iterator[dict[str, str]]:
    """The rows of such a file with every cell as it was. Open it with ``newline=""``."""
    csv.field_size_limit(64 * 1024 * 1024)
    reader = csv.reader(file)
    columns = next(reader, [])
    for row in reader:
        yield dict(zip(columns, map(plain_cell, row), strict=True))


def text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV text; the first row names the columns."""
    out = io.StringIO(newline="")
    if rows:
        write(out, list(rows[0]), rows)
    return out.getvalue()
