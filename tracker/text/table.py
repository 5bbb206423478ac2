"""The table (jurisdiction, media type) → extractor, read from `recipes.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Any, Literal

KINDS = ("html", "xml", "pdf", "word")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one jurisdiction's documents of one kind become text.

    `layout`: "flow" (the markup has paragraphs) or "lines" (printed lines to be joined again).
    `keep`: CSS selectors of the parts that hold the text (none found: the whole body).
    `drop`: parts to leave out. `struck`, `added`: parts that are deleted or new law.
    `blocks`: further elements that stand on a line of their own. `apart`: elements with a space after
    them. `quoted`: elements in quotation marks. `underline`: whether underlining means new law.
    `numbers`: where margin numbers stand ("both": each twice; "sparse": not every line has
    one). `lines`: expressions of whole lines that are page furniture;
    `skip`: expressions found in paragraphs that are no law (how to read the print, status lists).
    `begin`, `end`: the text starts with the first paragraph that matches the one and stops before the
    first that matches the other. `brackets`: what deleted words stand in. `capitals`: whether words in
    capitals inside ordinary sentences are new law. `drawn`: whether a PDF draws strikes and underlines
    as lines. `indent`: whether an indented line starts a paragraph.
    `strikes`: one sentence on how deleted words are seen, or that they cannot be.
    """

    name: str
    kind: str
    layout: Literal["flow", "lines"] = "flow"
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    underline: bool = False
    numbers: Literal["none", "left", "right", "both", "sparse"] = "none"
    lines: tuple[re.Pattern[str], ...] = ()
    skip: tuple[re.Pattern[str], ...] = ()
    begin: re.Pattern[str] | None = None
    end: re.Pattern[str] | None = None
    brackets: Literal["", "[]", "(())"] = ""
    capitals: bool = False
    drawn: bool = False
    indent: bool = True
    strikes: str = ""
    jurisdictions: tuple[str, ...] = field(default=())


_TUPLES = frozenset({"keep", "drop", "struck", "added", "blocks", "apart", "quoted", "jurisdictions"})
_KNOWN = frozenset(f.name for f in fields(Recipe)) - {"name", "kind"} | {"kinds"}


def _recipe(row: dict[str, Any], jurisdiction: str, kind: str, common: dict[str, Any]) -> Recipe:
    values: dict[str, Any] = {**common, **row}
    for key in ("lines", "drop"):
        values[key] = [*common.get(key, []), *row.get(key, [])]
    unknown = set(values) - _KNOWN
    if unknown:
        raise ValueError(f"recipes.toml: {jurisdiction}/{kind} has unknown keys {sorted(unknown)}.")
    values.pop("kinds", None)
    for key in ("lines", "skip"):
        values[key] = tuple(re.compile(p) for p in values.get(key, ()))
    for key in ("begin", "end"):
        if key in values:
            values[key] = re.compile(values[key])
    for key in _TUPLES & set(values):
        values[key] = tuple(values[key])
    return Recipe(name=f"{jurisdiction}/{kind}", kind=kind, **values)


@cache
def recipes() -> dict[tuple[str, str], Recipe]:
    """Every row of the table by (jurisdiction, kind); jurisdiction "*" is the row for all the others."""
    data = tomllib.loads(resources.files("tracker.text").joinpath("recipes.toml").read_text("utf-8"))
    common = data["common"]
    table: dict[tuple[str, str], Recipe] = {}
    for row in data["recipe"]:
        for jurisdiction in row["jurisdictions"]:
            for kind in row["kinds"]:
                key = (jurisdiction, kind)
                if key in table:
                    raise ValueError(f"recipes.toml: {jurisdiction}/{kind} stands there twice.")
                table[key] = _recipe(row, jurisdiction, kind, common[kind])
    return table


def recipe(jurisdiction: str, kind: str) -> Recipe:
    """The row for a jurisdiction ("tx") and a kind of document ("html", "xml", "pdf", "word")."""
    table = recipes()
    return table.get((jurisdiction.lower(), kind)) or table[("*", kind)]
