"""What every format of an export shares: its manifest, rows of the documented views, files put in place at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, text

from tracker.view_columns import VIEWS, plain

BATCH = 500
Progress = Callable[[int, int], None]


class ExportError(ValueError):
    """An export that cannot be made; one sentence."""


@dataclass
class Manifest:
    """What an export holds. ``last_seq`` is the newest event of the snapshot."""

    format: str
    created_at: str
    last_seq: int
    filters: dict[str, Any]
    counts: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)


def batches(ids: Sequence[int], size: int = BATCH) -> Iterator[list[int]]:
    """Ids, some at a time."""
    source = iter(ids)
    while part := list(islice(source, size)):
        yield part


@contextmanager
def in_place(path: Path) -> Iterator[Path]:
    """A path beside the target that takes its place when all went well."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


_ORDER = {
    "v_actions": "ordinal",
    "v_sponsors": "ordinal",
    "v_abstracts": "ordinal",
    "v_versions": "ordinal, version_id, url",
    "v_tags": "strategy, evidence_ordinal",
    "v_evidence": "strategy, tagged, ordinal",
    "v_changes": "seq",
    "v_texts": "text_id",
    "v_subjects": "subject",
    "v_hearings": "date, time, committee",
    "v_related": "related_session, related_identifier, relation_type",
    "v_notes": "created, author",
    "v_watch": "watch_list",
}


def view_rows(connection: Connection, view: str, ids: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a documented view for these bills (or all), the same from either database."""
    columns = VIEWS[view][1]
    names = ", ".join(columns)
    if ids is None:
        rows = connection.execute(text(f"SELECT {names} FROM {view} ORDER BY 1"))
    else:
        order = ", ".join(filter(None, ["bill_id", _ORDER.get(view, "")]))
        rows = connection.execute(
            text(f"SELECT {names} FROM {view} WHERE bill_id IN :ids ORDER BY {order}").bindparams(
                bindparam("ids", expanding=True)
            ),
            {"ids": list(ids)},
        )
    kinds = [(name, kind) for name, (kind, _) in columns.items()]
    for row in rows:
        yield {name: plain(value, kind) for (name, kind), value in zip(kinds, row, strict=True)}
