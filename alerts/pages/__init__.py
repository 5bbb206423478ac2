"""The pages that a mail's links lead to, and the sign-up. Looking (GET) changes nothing: scanners follow every link."""

from alerts.pages import issues, joining, leaving, preferences, style
from tracker.settings import Settings
from tracker.web.groups import Links, PageGroup


def links(settings: Settings) -> Links:
    """What every page of the site links to: the sign-up and the public archive, where they are open."""
    return Links(
        nav=(("/subscribe", "Digest by mail"),) if settings.open_signup else (),
        foot=(("/archive", "Past digests"),) if settings.public_archive else (),
    )


router = PageGroup(links)
for part in (style, leaving, joining, preferences, issues):
    router.include_router(part.router)

__all__ = ["router"]
