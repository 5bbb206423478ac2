"""The pages that a mail's links lead to, and the sign-up. Looking (GET) changes nothing: scanners follow every link."""

from fastapi import APIRouter

from alerts.pages import issues, joining, leaving, preferences, style

router = APIRouter(include_in_schema=False)
for part in (style, leaving, joining, preferences, issues):
    router.include_router(part.router)

__all__ = ["router"]
