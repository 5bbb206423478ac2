"""The one Jinja2 environment of the pages. Everything is escaped: what a state wrote is never markup."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tracker.web import presentation
from tracker.web.groups import Links

TEMPLATES = Path(__file__).with_name("templates")
# Address and name of our pages in the head, and of what stands at the foot; page groups add theirs.
NAV = (
    ("/search", "Search"),
    ("/strategies", "Strategies"),
    ("/spread", "Spread"),
    ("/sql", "SQL"),
    ("/freshness", "Freshness"),
)
FOOT = (("/docs", "API"), ("/admin", "For admins"))


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates. A name that a page does not pass is an error, not an empty place."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(presentation.FILTERS)
    made.globals.update(presentation.FUNCTIONS)
    return made


def page(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A template (it extends ``base.html``) filled with ``values``, as a reply to the request."""
    more: Links = request.app.state.links
    links = {"nav": (*NAV, *more.nav), "foot": (*FOOT, *more.foot)}
    return HTMLResponse(environment().get_template(template).render(**links, **values), status, headers=headers)
