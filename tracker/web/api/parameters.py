"""What the API's parameters mean, and what is wrong with one: errors are Open States' (400, a sentence)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import HTTPException, Path, Query

from tracker import jurisdictions
from tracker.history import end_of
from tracker.jurisdictions import Jurisdiction

# What the database's numbers hold.
MAX_NUMBER = 2**63 - 1
# What is said in the schema and answered with 400 or 404, as Open States does, instead of the framework's 422.
_DATE = {"format": "date-time"}
PageNumber = Annotated[int, Query(description="Page, from 1.", json_schema_extra={"minimum": 1})]
Since = Annotated[str | None, Query(description="ISO date, or date and time (UTC).", json_schema_extra=_DATE)]
AsOf = Annotated[
    str | None,
    Query(
        description="As it was known at the end of this day (UTC), or at an ISO date and time.",
        json_schema_extra=_DATE,
    ),
]
JurisdictionName = Annotated[str | None, Query(description="Name (Ohio), postal code (oh) or OCD id.", max_length=200)]
JurisdictionId = Annotated[str, Path(description="OCD id, postal code or name.", max_length=200)]

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter is wrong; `detail` says which."},
    401: {"description": "The key is not known, or no longer in force."},
    403: {"description": "No key."},
    404: {"description": "There is no such thing, or no such page."},
    429: {"description": "Beyond the key's limits; `Retry-After` says how many seconds to wait."},
}


@dataclass(frozen=True)
class Page:
    """A page of a list: which one, and how many rows are on each."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    def described(self, total: int) -> dict[str, int]:
        """The reply's ``pagination``; 404 for a page beyond the last."""
        last = max(1, -(-total // self.size))
        if not 1 <= self.number <= last:
            raise HTTPException(404, f"invalid page, must be in [1, {last}]")
        return {"per_page": self.size, "page": self.number, "max_page": last, "total_items": total}


def page_of(number: int, size: int, most: int) -> Page:
    """The page asked for; 400 when ``per_page`` is out of range."""
    if not 1 <= size <= most:
        raise HTTPException(400, f"invalid per_page, must be in [1, {most}]")
    return Page(number, size)


def per_page(most: int) -> Any:
    """The parameter ``per_page``, described."""
    return Query(description=f"At most {most}.", json_schema_extra={"minimum": 1, "maximum": most})


def one_of(values: Iterable[str], description: str) -> Any:
    """A parameter that may be repeated, whose values the schema lists; other spellings may be taken, too."""
    return Query(description=description, json_schema_extra={"items": {"type": "string", "enum": list(values)}})


def find_jurisdiction(name: str) -> Jurisdiction | None:
    """The jurisdiction by name, code or OCD id; clients write DC and Puerto Rico as states, too."""
    places = jurisdictions.load()
    name = name.strip().lower().rstrip("/")
    if name.startswith("ocd-jurisdiction/country:us/") and name.endswith("/government"):
        code = name.removesuffix("/government").rsplit(":", 1)[-1]
        if code in places:
            return places[code]
    try:
        return places.get(name)
    except KeyError:
        return None


def as_of_moment(value: str | None) -> dt.datetime | None:
    """``as_of``: a day means its end, as everywhere."""
    if not value:
        return None
    if len(value.strip()) == 10:
        return end_of(moment(value, "as_of").date())
    return moment(value, "as_of")


def moment(value: str, name: str) -> dt.datetime:
    """An ISO date, or date and time (UTC where no offset is given); 400 otherwise."""
    try:
        # A plus sign that was not escaped arrives as a space.
        found = dt.datetime.fromisoformat(value.strip().replace(" ", "T" if value[10:11] == " " else "+"))
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise HTTPException(400, f"{name} must be an ISO date, or date and time, such as 2026-01-31") from None
