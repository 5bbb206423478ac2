"""The policy playbook: what is looked for in bills, as data that policy staff can read and change.

A playbook is a TOML file: a few names, one `[topic]` (what makes a bill in scope at all) and one
`[[strategy]]` for each strategy. `docs/playbook.md` describes every field. Nothing about a policy field
is in code.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

DEFAULT = Path(__file__).with_name("playbooks") / "cte.toml"
MAX_BYTES = 1_000_000

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Cue = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=120)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Share = Annotated[float, Field(gt=0, lt=1)]


class PlaybookError(ValueError):
    """A playbook that cannot be used; the message is one sentence naming file, strategy and field."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    name: Words
    definition: Words
    source: Words
    threshold: Share = 0.5
    cues: tuple[Cue, ...] = Field(min_length=1)
    exclusions: tuple[Cue, ...] = ()
    examples: tuple[Words, ...] = Field(min_length=1)
    counterexamples: tuple[Words, ...] = ()

    @field_validator("cues", "exclusions")
    @classmethod
    def _star_only_at_the_end(cls, cues: tuple[str, ...]) -> tuple[str, ...]:
        for cue in cues:
            if "*" in cue[:-1]:
                raise ValueError(f"the cue {cue!r} has a * that is not at its end")
            if not any(letter.isalnum() for letter in cue):
                raise ValueError(f"the cue {cue!r} has no letter or digit")
        if len(set(cues)) < len(cues):
            raise ValueError(f"the cue {next(c for c in cues if cues.count(c) > 1)!r} is there twice")
        return cues


class Topic(_Entry):
    """What makes a bill in scope. `digest_threshold` is the lower score at which the digest already
    shows a bill.
    """

    digest_threshold: Share = 0.25


class Strategy(_Entry):
    """One strategy of the playbook; `key` names it in tags, `group` is the heading it stands under."""

    key: Key
    group: Words


class Playbook(BaseModel):
    """A whole playbook. `name` also chooses the trained model, where there is one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Key
    title: Words
    source: Words
    topic: Topic
    strategy: tuple[Strategy, ...] = Field(min_length=1, max_length=40)

    @field_validator("strategy")
    @classmethod
    def _keys_differ(cls, strategies: tuple[Strategy, ...]) -> tuple[Strategy, ...]:
        keys = [s.key for s in strategies]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"the key {key!r} is used by two strategies")
            if key == "in_scope":
                raise ValueError("the key 'in_scope' is kept for the topic")
        return strategies

    @property
    def strategies(self) -> dict[str, Strategy]:
        """The strategies by key, in the file's order."""
        return {s.key: s for s in self.strategy}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change with any field (not with comments or layout)."""
        whole = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(whole.encode()).hexdigest()[:12]


def load(path: Path | None = None) -> Playbook:
    """Read and check a playbook file (default: the one the service ships).

    Raises PlaybookError with one sentence: file, place in it, what is wrong.
    """
    path = DEFAULT if path is None else Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PlaybookError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if len(raw) > MAX_BYTES:
        raise PlaybookError(f"{path}: is larger than {MAX_BYTES:,} bytes, so it is not a playbook.")
    return _read(path, raw)


@lru_cache(maxsize=4)
def _read(path: Path, raw: bytes) -> Playbook:
    # Pages and feeds ask for the playbook all the time; reading TOML takes milliseconds.
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PlaybookError(f"{path}: is not UTF-8 text (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(f"{path}: is not valid TOML: {error}.") from error
    return parse(data, str(path))


def parse(data: dict[str, Any], name: str = "playbook") -> Playbook:
    """Check a playbook that is already a mapping; `name` stands for the file in errors."""
    try:
        return Playbook.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise PlaybookError(f"{name}: {_place(first['loc'], data)}{_reason(first)}.") from error


def _place(location: tuple[int | str, ...], data: dict[str, Any]) -> str:
    parts = list(location)
    if not parts:
        return ""
    where = ""
    if parts[0] == "strategy" and len(parts) > 1 and isinstance(parts[1], int):
        number = parts[1]
        entry = data["strategy"][number]
        key = entry.get("key") if isinstance(entry, dict) else None
        where = f"strategy {key!r}" if isinstance(key, str) else f"strategy number {number + 1}"
        parts = parts[2:]
    elif parts[0] == "topic":
        where, parts = "topic", parts[1:]
    field = ""
    if parts:
        field = f"field '{parts[0]}'" + (
            f", item {parts[1] + 1}" if len(parts) > 1 and isinstance(parts[1], int) else ""
        )
    return ", ".join(p for p in (where, field) if p) + ": "


def _reason(error: Any) -> str:
    kind, given = error["type"], error.get("input")
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return "is not a field of a playbook; remove it or check its spelling"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"{given!r} must be lower-case letters, digits and underscores, starting with a letter"
    message = str(error["msg"])
    shown = repr(given)
    return f"{message[0].lower()}{message[1:]} (given: {shown if len(shown) < 60 else shown[:57] + '…'})"
