"""Reads what readers fill in, and shows what they have: wishes to form fields and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData

from alerts.wishes import SubscriptionError, Wishes

_LINES = ("keywords", "bills", "sponsors")
_NUMBERS: tuple[tuple[str, type], ...] = (("weekday", int), ("hour", int), ("daily_cap", int), ("min_score", float))


async def filled_in(request: Request) -> FormData:
    """The form of a request, read before its handler, which may then wait for the database in a thread."""
    return await request.form(max_fields=5_000)


Filled = Annotated[FormData, Depends(filled_in)]


def wishes_of(given: Mapping[str, str], strategies: Sequence[str], before: Wishes | None = None) -> Wishes:
    """Checked wishes of a filled-in form; what it does not ask for stays as ``before``.

    Strategies keep the reader's own order; new ones come last. Raises ``SubscriptionError``.
    """
    before = before or Wishes()
    kept = [key for key in before.strategies if key in strategies]
    values: dict[str, Any] = {"strategies": (*kept, *(key for key in strategies if key not in kept))}
    if "states" in given:
        values["states"] = tuple(given["states"].replace(",", " ").split())
    for name in _LINES:
        if name in given:
            values[name] = tuple(given[name].splitlines())
    if "searches" in given:
        filtered = [s for s in before.searches if not set(s) <= {"name", "text"}]
        plain = [{"text": line.strip()} for line in given["searches"].splitlines() if line.strip()]
        values["searches"] = (*plain, *filtered)
    for name, kind in _NUMBERS:
        if name in given:
            try:
                values[name] = kind(given[name])
            except ValueError as error:
                raise SubscriptionError(f"{name} {given[name][:20]!r} is not a number") from error
    values |= {name: given[name] for name in ("cadence", "timezone") if name in given}
    if "hour" in given:
        values["empty_weeks"] = given.get("empty_weeks") == "yes"
    return dataclasses.replace(before, **values).checked()


def fields_of(wishes: Wishes) -> dict[str, Any]:
    """Wishes as the form shows them."""
    fields: dict[str, Any] = {name: "\n".join(getattr(wishes, name)) for name in _LINES}
    fields["states"] = ", ".join(wishes.states)
    fields["searches"] = "\n".join(s["text"] for s in wishes.searches if set(s) <= {"name", "text"})
    fields["filtered"] = [s["name"] for s in wishes.searches if not set(s) <= {"name", "text"}]
    for name in ("cadence", "timezone", "weekday", "hour", "daily_cap", "min_score", "empty_weeks"):
        fields[name] = getattr(wishes, name)
    return fields
