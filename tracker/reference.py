"""Writes the reference pages from the code: settings, commands, tables and views.

    python -m tracker.reference          # docs/configuration.md, docs/commands.md, docs/database.md

``make docs`` runs it; a test fails when a page is not what the code says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import to_jsonable_python
from sqlalchemy import Table

from tracker.events import EventKind
from tracker.settings import Settings
from tracker.view_columns import VIEWS

DOCS = Path(__file__).resolve().parent.parent / "docs"
_HEAD = "<!-- Written by `make docs` from the code; change it there. -->\n"


def configuration() -> str:
    """Every setting: variable, default, meaning."""
    lines = [
        "# Settings",
        _HEAD,
        "`billtracker.toml` in the working folder holds `name = value`; the environment's `BILLTRACKER_NAME` wins.",
        "Lists and tables in the environment are JSON: `BILLTRACKER_ADMINS='[\"ops@example.org\"]'`. A name in the",
        "file that is not in this table is an error, so a slip of the pen shows.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = json.dumps(to_jsonable_python(default)) if not isinstance(default, str | Path) else str(default)
        secret = " Secret: kept out of logs." if field.annotation is SecretStr else ""
        lines.append(
            f"| `BILLTRACKER_{name.upper()}` | {f'`{shown}`' if shown else ''} | {field.description}{secret} |"
        )
    return "\n".join([*lines, ""])


def commands() -> str:
    """Every command with its arguments and options."""
    from typer.main import get_command

    from tracker.cli import build

    lines = [
        "# Commands",
        _HEAD,
        "`billtracker COMMAND --help` says the same. All end with 0 done, 1 done but something needs a look, 2 wrong",
        "use; `--json` prints one JSON value on standard output, what is for people goes to standard error.",
        "",
    ]
    for words, command in _walk(get_command(build()), []):
        lines += [f"## billtracker {' '.join(words)}", "", (command.help or "").strip(), ""]
        rows = [_parameter(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
        if rows:
            lines += ["| | |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _walk(command: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    children = getattr(command, "commands", {})
    if words and (not children or command.invoke_without_command):
        yield words, command
    for name in sorted(children):
        yield from _walk(children[name], [*words, name])


def _parameter(parameter: Any) -> str:
    names = ", ".join(parameter.opts)
    if parameter.param_type_name == "argument":
        names = parameter.metavar or parameter.name.upper()
    elif not parameter.is_flag:
        names += f" {parameter.metavar or 'VALUE'}"
    about = (getattr(parameter, "help", "") or "").replace("|", "\\|")
    return f"| `{names}` | {about} |".replace("|  |", "| |")


def database() -> str:
    """Every view and table with its columns, and the kinds of events."""
    import tracker.models as models

    lines = [
        "# The database",
        _HEAD,
        "Ask the views; the tables' names stay too, but their columns may grow. Nothing is deleted: rows that a source",
        "no longer shows have `removed_at`.",
        "",
        "## Views",
        "",
    ]
    for view, (about, columns) in VIEWS.items():
        lines += [f"### {view}", "", about, "", "| column | kind | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {kind} | {meaning} |" for name, (kind, meaning) in columns.items()]
        lines.append("")
    lines += ["## Tables", ""]
    for mapper in sorted(models.Base.registry.mappers, key=lambda m: m.local_table.key):  # type: ignore[attr-defined]
        table = mapper.local_table
        assert isinstance(table, Table)
        about = " ".join((mapper.class_.__doc__ or "").split())
        lines += [f"### {table.name}", "", about, "", ", ".join(f"`{column.name}`" for column in table.columns), ""]
    lines += ["## Kinds of events", "", ", ".join(f"`{kind.value}`" for kind in EventKind), ""]
    return "\n".join(lines)


PAGES = {"configuration.md": configuration, "commands.md": commands, "database.md": database}

if __name__ == "__main__":
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), "utf-8")
