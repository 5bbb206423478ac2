"""How these pages answer: never cached, never indexed, their address never passed on."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any

from fastapi.responses import HTMLResponse

from alerts.render import environment

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_INLINE = re.compile(r'\sstyle="([^"]*)"')


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as a reply."""
    return HTMLResponse(environment().get_template(template).render(**values), status, headers=PRIVATE)


def message(title: str, *words: str, status: int = 200) -> HTMLResponse:
    """A page with a few sentences."""
    return page("page.html", status, title=title, words=words)


def unknown() -> HTMLResponse:
    """For a link that we did not sign, or that is no longer good."""
    return message(
        "Link not known",
        "This link is not complete or no longer good. Use the link in your newest digest.",
        status=404,
    )


def mail_body(markup: str) -> HTMLResponse:
    """A digest's HTML as a page. Its styles stand in it, so the policy names the hash of each and allows no more."""
    styles = {*_STYLE.findall(markup), *map(html.unescape, _INLINE.findall(markup))}
    hashes = sorted(base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in styles)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    policy = (
        f"default-src 'none'; style-src 'unsafe-hashes' {allowed}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {**PRIVATE, "Content-Security-Policy": policy}
    return HTMLResponse(markup, headers=headers)
