"""Parquet for analysts' own tools: a folder with one file a view, typed columns."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from tracker.export_parts import ExportError, Manifest, Progress, batches, in_place, view_rows
from tracker.view_columns import VIEWS

# Runs and freshness are about the service, not about bills.
TABLES = tuple(view for view in VIEWS if "bill_id" in VIEWS[view][1])
_TYPES = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us", tz="UTC"),
}


def write_parquet(
    connection: Connection, path: Path, ids: list[int], manifest: Manifest, progress: Progress
) -> list[Path]:
    """One file a view in the folder ``path``: bills.parquet, actions.parquet …"""
    if path.is_file():
        raise ExportError(f"{path} is a file: a parquet export is a folder of tables")
    path.mkdir(parents=True, exist_ok=True)
    files = []
    for at, view in enumerate(TABLES):
        file = path / f"{view.removeprefix('v_')}.parquet"
        with in_place(file) as partial:
            manifest.counts[file.stem] = _write(connection, view, ids, partial)
        files.append(file)
        progress((at + 1) * len(ids) // len(TABLES), len(ids))
    return files


def _write(connection: Connection, view: str, ids: list[int], path: Path) -> int:
    columns = VIEWS[view][1]
    schema = pa.schema([(name, _type(name, kind)) for name, (kind, _) in columns.items()])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _groups(connection, view, ids):
            data = {
                name: pa.array([_value(row[name], kind, name) for row in rows], schema.field(name).type)
                for name, (kind, _) in columns.items()
            }
            writer.write_table(pa.table(data, schema))
            count += len(rows)
    return count


def _groups(connection: Connection, view: str, ids: list[int]) -> Iterator[list[dict[str, Any]]]:
    # Long texts in small groups, the rest in groups that compress well.
    size, enough = (100, 200) if view == "v_texts" else (1_000, 20_000)
    waiting: list[dict[str, Any]] = []
    for part in batches(ids, size):
        waiting += view_rows(connection, view, part)
        if len(waiting) >= enough:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _type(name: str, kind: str) -> Any:
    if kind == "json":
        # A bill's and an action's classes are lists of words; events' contents are as various as events.
        return pa.list_(pa.string()) if name == "classification" else pa.string()
    return _TYPES[kind]


def _value(value: Any, kind: str, name: str) -> Any:
    if value is None:
        return None
    match kind:
        case "bool":
            return bool(value)
        case "date":
            return dt.date.fromisoformat(value)
        case "moment":
            return dt.datetime.fromisoformat(value)
        case "json" if name == "classification":
            return json.loads(value)
    return value
