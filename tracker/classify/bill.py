"""One bill as the classifier reads it: checked, with its fields under the names evidence uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIELDS_OF_IDENTITY = ("jurisdiction", "session", "identifier")


class BillError(ValueError):
    """An input that is not a bill; the message is one sentence saying which key is wrong and what it
    should hold.
    """


@dataclass(frozen=True, slots=True)
class Bill:
    """`identity` is given back as it came. `fields` holds what was given of title, abstract:N and text,
    unchanged.
    """

    identity: dict[str, Any]
    title: str
    abstracts: tuple[str, ...]
    subjects: tuple[str, ...]
    text: str

    @property
    def fields(self) -> dict[str, str]:
        named = {"title": self.title, "text": self.text}
        named.update({f"abstract:{number}": abstract for number, abstract in enumerate(self.abstracts)})
        return named


def read(given: Mapping[str, Any]) -> Bill:
    """Check one input of `billtracker tag`: any key may be missing or null.

    Abstracts may be strings or `{"abstract": …}`. Raises BillError for anything else.
    """
    if not isinstance(given, Mapping):
        raise BillError(f"A bill must be a JSON object, not {_kind(given)}.")
    identity: dict[str, Any] = {}
    for key in FIELDS_OF_IDENTITY:
        value = given.get(key, given.get("legislative_session") if key == "session" else None)
        if value is not None and not isinstance(value, str):
            raise BillError(f"'{key}' must be a string, not {_kind(value)}.")
        identity[key] = value
    return Bill(
        identity=identity,
        title=_string(given, "title"),
        abstracts=_strings(given, "abstracts"),
        subjects=_strings(given, "subjects"),
        text=_string(given, "text"),
    )


def _string(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BillError(f"'{key}' must be a string, not {_kind(value)}.")
    return value


def _strings(given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = given.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise BillError(f"'{key}' must be a list of strings, not {_kind(value)}.")
    found = []
    for item in value:
        if isinstance(item, Mapping):
            item = item.get("abstract")
        if item is None:
            item = ""
        if not isinstance(item, str):
            raise BillError(f"'{key}' must hold strings only, not {_kind(item)}.")
        found.append(item)
    return tuple(found)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), type(value).__name__)
