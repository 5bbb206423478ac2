"""Pages that another package adds to the site, and what it wants linked from every page.

    router = PageGroup(links)           # an entry point of ``billtracker.pages``

A plain ``APIRouter`` does too, when nothing should be linked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from fastapi import APIRouter

from tracker.settings import Settings


class Links(NamedTuple):
    """Addresses and names: in the navigation at the head of a page, and at its foot."""

    nav: tuple[tuple[str, str], ...] = ()
    foot: tuple[tuple[str, str], ...] = ()


class PageGroup(APIRouter):
    """Pages that belong together. ``links`` says what of them an installation with these settings links to."""

    def __init__(self, links: Callable[[Settings], Links]) -> None:
        super().__init__(include_in_schema=False)
        self.links = links


def collected(groups: Iterable[APIRouter], settings: Settings) -> Links:
    """The links of all groups, in the order of the groups."""
    given = [group.links(settings) for group in groups if isinstance(group, PageGroup)]
    return Links(
        tuple(link for links in given for link in links.nav), tuple(link for links in given for link in links.foot)
    )
