"""Pages that are no bill are named, and bills that talk of such things are not."""

from __future__ import annotations

import pytest

from tracker.text import blocked, extract
from tracker.text.signatures import signatures

PAGES = {
    "request rejected": "<html><title>Request Rejected</title>The requested URL was rejected. Support ID: 1</html>",
    "access denied": "<html><title>Access Denied</title>Access Denied. Reference #18.2</html>",
    "cloudflare": "<html><title>Just a moment...</title><div class='cf-browser-verification'></div></html>",
    "captcha": "<html><body>Please show us.<div class='g-recaptcha'></div></body></html>",
    "javascript": "<html><body>You need to enable JavaScript to run this app.<div id='root'></div></body></html>",
    "login": "<html><title>Sign in</title><form><input type='password'></form></html>",
    "maintenance": "<html><body>The site is down for maintenance.</body></html>",
    "not found": "<html><title>404 - Page not found</title><body>Sorry.</body></html>",
    "server error": "<html><title>502 Bad Gateway</title><body>nginx</body></html>",
    "too many requests": "<html><body>Too many requests, slow down.</body></html>",
}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_pages_in_place_of_a_bill(name: str) -> None:
    reason = next(row.reason for row in signatures() if row.name == name)
    assert blocked(PAGES[name].encode()) == reason
    found = extract(PAGES[name].encode(), jurisdiction="tx", media_type="text/html")
    assert (found.status, found.reason, found.text) == ("blocked", reason, "")


def test_a_bill_about_logins_is_a_bill() -> None:
    law = "<p>Section 1. A vendor must not require that users enable JavaScript or log in with a password.</p>"
    body = ("<html><body>" + law * 60 + "</body></html>").encode()
    assert blocked(body) is None
    assert extract(body, jurisdiction="zz", media_type="").status == "ok"


def test_documents_that_are_no_pages_are_never_blocked() -> None:
    assert blocked(b"%PDF-1.4 Access Denied Reference #1") is None
