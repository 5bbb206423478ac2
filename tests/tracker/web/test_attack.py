"""Attacks on the app as it is served: a real port, and raw requests where a client would be too polite."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import SecretStr
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tests.tracker.web import sites
from tests.tracker.web.conftest import Serve
from tracker.api_keys import add_key
from tracker.db import reading, writing
from tracker.settings import Settings
from tracker.web.application import create_app

PUBLIC = "https://bills.example"
EVIL = "evil.example"
PLACES = {
    "code": "tx", "state": "tx", "jurisdiction": "tx", "session": "89R", "identifier": "HB 12",
    "strategy": "incentives", "bill_id": "tx/89R/HB 12", "jurisdiction_id": "tx",
}  # fmt: skip
SPLITS = (
    "x\r\nSet-Cookie: a=b\r\n\r\n<p>",
    "x\nX-Evil: 1",
    "%0d%0aX-Evil:%201",
    "x\u0120\u560d\u560aX-Evil: 1",
    'a"; x="b',
)
INJECTIONS = (
    "'; DROP TABLE bill; --", "' OR '1'='1", '" OR ""="', "1) UNION SELECT email FROM subscriber --",
    "%' ESCAPE '", "\\",
    "{{7*7}}", "{% include '/etc/passwd' %}", "${7*7}", "#{7*7}", "__class__", "../../../etc/passwd", "%00", "\u202e",
    "1;SELECT pg_sleep(9)", "-1", "9" * 40, "NaN", "[]", "*", '"', "(", "a NEAR/2 b", "title:a", "^a",
)  # fmt: skip


@pytest.fixture
def routes(sqlite: Engine) -> list[APIRoute]:
    """Every address of the app."""
    settings = Settings(database_url=sqlite.url.render_as_string(hide_password=False))  # type: ignore[call-arg]

    def within(routers: Sequence[Any]) -> Iterator[APIRoute]:
        for route in routers:
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                yield from within(route.original_router.routes)

    return list(within(create_app(settings).routes))


@pytest.fixture
def web(sqlite: Engine, serve: Serve) -> Iterator[httpx.Client]:
    """The app over bills of every kind, behind a public address, with a key for the API."""
    sites.fill(sqlite)
    with writing(sqlite) as connection:
        key = add_key(connection, "ana", per_minute=1_000_000, per_day=1_000_000, now=analysts.NOW)
    with httpx.Client(base_url=serve(sqlite, public_url=PUBLIC), headers={"X-API-KEY": key}, timeout=30) as client:
        yield client


def readable(routes: list[APIRoute]) -> list[tuple[str, list[str]]]:
    """Addresses to GET, their places filled, each with its parameters."""
    found = []
    for route in routes:
        if "GET" in (route.methods or ()):
            path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: quote(PLACES.get(m[1], "x"), safe="/"), route.path)
            found.append((path, [field.alias for field in route.dependant.query_params] + ["q", "query"]))
    assert len(found) > 25
    return found


def raw(base: Any, target: str, *headers: str) -> bytes:
    """A request as it is written here, its reply's head."""
    parts = urlsplit(str(base))
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as wire:
        lines = [f"GET {target} HTTP/1.1", *(headers or ("Host: x",)), "Connection: close", "", ""]
        wire.sendall("\r\n".join(lines).encode())
        reply = b""
        while part := wire.recv(65536):
            reply += part
    return reply.partition(b"\r\n\r\n")[0]


def test_no_parameter_and_no_place_splits_a_reply(web: httpx.Client, routes: list[APIRoute]) -> None:
    for path, parameters in readable(routes):
        for split in SPLITS:
            asked = "&".join(f"{name}={quote(split)}" for name in dict.fromkeys(parameters))
            for target in (f"{path}?{asked}", path.rpartition("/")[0] + "/" + quote(split, safe="")):
                head = raw(web.base_url, target)
                assert b"\nset-cookie" not in head.lower() and b"\nx-evil" not in head.lower(), (target, head)


def test_a_download_has_a_plain_name(web: httpx.Client, sqlite: Engine) -> None:
    session = '89"R; filename="x.html'
    analysts.load(sqlite, [analysts.bill("tx", session, "HB 1", "A bill")])
    for path in (f"/downloads/csv/tx/{quote(session, safe='')}.zip", "/sql?sql=SELECT+1&format=csv"):
        reply = web.get(path)
        said = reply.headers.get("content-disposition", "")
        assert (
            re.fullmatch(r"attachment; filename(=\"[\w.-]+\"|\*=utf-8''[\w.%-]+)", said) or reply.status_code == 404
        ), said


def test_what_a_request_calls_us_reaches_no_reply(web: httpx.Client, routes: list[APIRoute]) -> None:
    """A cache in front that keeps one reader's reply for others must not be made to keep an attacker's links."""
    lies = {
        "Host": EVIL, "X-Forwarded-Host": EVIL, "X-Forwarded-Server": EVIL, "X-Forwarded-Proto": "gopher",
        "Forwarded": f"host={EVIL}", "X-Original-URL": f"/{EVIL}", "X-Rewrite-URL": f"/{EVIL}",
        "X-Forwarded-Prefix": f"/{EVIL}", "X-Host": EVIL,
    }  # fmt: skip
    for path, _ in readable(routes):
        if path.startswith("/admin"):
            continue  # They open by the name that the machine is called: see test_pages.test_admins_only.
        for accept in ("text/html", "*/*"):
            for address in (path, f"{path}?include=legislative_sessions"):
                reply = web.get(address, headers={**lies, "Accept": accept})
                told = reply.text + "".join(f"{name}: {value}" for name, value in reply.headers.items())
                assert EVIL not in told and "gopher" not in told, (address, accept)
                honest = web.get(address, headers={"Accept": accept})
                if not re.search(r"/(health|metrics|docs)", path):
                    assert honest.status_code == reply.status_code, address
                    assert not honest.headers["content-type"].startswith("text/html") or honest.text == reply.text, (
                        address
                    )


def test_links_in_the_api_begin_with_the_public_address(web: httpx.Client) -> None:
    found = web.get("/jurisdictions/tx", params={"include": "legislative_sessions"}).json()
    links = [link["url"] for session in found["legislative_sessions"] for link in session["downloads"]]
    assert links and all(link.startswith(f"{PUBLIC}/") for link in links)


def test_nothing_that_is_for_one_is_kept_for_all(web: httpx.Client, routes: list[APIRoute]) -> None:
    for path, _ in readable(routes):
        reply = web.get(path)
        kept = reply.headers.get("cache-control", "")
        if path.startswith(("/admin", "/metrics", "/healthz", "/preferences", "/unsubscribe", "/feedback", "/confirm")):
            assert "no-store" in kept or reply.status_code >= 400, path
        elif "public" in kept:
            assert "set-cookie" not in reply.headers and not path.startswith(("/bills", "/jurisdictions", "/people")), (
                path
            )
        else:
            assert reply.status_code != 200 or {"private", "no-store"} & set(re.split(r"[ ,]+", kept)), path
        if reply.headers.get("content-encoding") == "gzip":
            assert "accept-encoding" in reply.headers["vary"].lower(), path
    bill = "/bills/tx/89R/HB%2012"
    with httpx.Client(base_url=web.base_url, headers={"Accept": "text/html"}) as plain:
        assert "accept" in plain.get(bill).headers["vary"].lower(), "a page for browsers, a record for programs"
    assert "public" not in web.get(bill).headers["cache-control"]


@pytest.mark.slow
def test_no_value_becomes_sql_or_a_template(web: httpx.Client, routes: list[APIRoute], sqlite: Engine) -> None:
    with reading(sqlite) as connection:
        before = connection.execute(text("SELECT count(*) FROM bill")).scalar_one()
    for path, parameters in readable(routes):
        for value in INJECTIONS:
            asked = dict.fromkeys(parameters, value)
            for address, given in ((path, asked), (path.rpartition("/")[0] + "/" + quote(value, safe=""), {})):
                reply = web.get(address, params=given)
                assert reply.status_code < 500 or path == "/healthz/service", (address, value, reply.text[:300])
                assert "root:x:" not in reply.text, address
                if "7*7" in value and "text/html" in reply.headers["content-type"]:
                    assert "{{49" not in reply.text and ">49<" not in reply.text, address
    with reading(sqlite) as connection:
        assert connection.execute(text("SELECT count(*) FROM bill")).scalar_one() == before


def test_get_changes_nothing_and_other_sites_cannot_post(web: httpx.Client, routes: list[APIRoute]) -> None:
    writing_routes = [route for route in routes if set(route.methods or ()) - {"GET", "HEAD", "OPTIONS"}]
    assert writing_routes
    for route in writing_routes:
        path = re.sub(r"\{(\w+)(?::\w+)?\}", "x", route.path)
        method = next(iter(set(route.methods or ()) - {"GET", "HEAD", "OPTIONS"}))
        for lie in (
            {"Origin": f"https://{EVIL}"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},            {"Origin": f"{PUBLIC}.{EVIL}"}, {"Origin": f"https://{EVIL}#bills.example"},
        ):  # fmt: skip
            refused = web.request(method, path, headers=lie, data={"a": "b"})
            assert refused.status_code == 403 and "another site" in refused.text, (path, lie)
        for honest in ({}, {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}):
            assert "another site" not in web.request(method, path, headers=honest, data={"a": "b"}).text, path


def test_keys_cannot_be_guessed(sqlite: Engine, serve: Serve) -> None:
    """A key has 128 bits or more and is compared by its hash; what is nearly one tells nothing."""
    with writing(sqlite) as connection:
        key = add_key(connection, "ana", per_minute=100, per_day=100, now=analysts.NOW)
        stored = " ".join(map(str, connection.execute(text("SELECT * FROM api_key")).one()))
    assert key not in stored and len(set(key)) > 10 and len(key) >= 22
    with httpx.Client(
        base_url=serve(sqlite, metrics_token=SecretStr("m" * 20), admin_key=SecretStr("a" * 20))
    ) as client:
        replies = set()
        guesses = (
            "",
            key[:-1],
            key[:-1] + "x",
            key.swapcase(),
            key + " x",
            "' OR 1=1 --",
            "%",
            "*",
            "\u00e9",
            key[:8],
            "0" * 5000,
        )
        for guess in guesses:
            reply = client.get("/bills", params={"apikey": guess})
            replies.add((reply.status_code, reply.text))
            assert client.get("/metrics", headers={"Authorization": f"Bearer {quote(guess) or 'x'}"}).status_code == 401
            assert client.get("/admin", auth=("admin", guess or "x"), headers={"Forwarded": "for=x"}).status_code == 401
        assert {status for status, _ in replies} == {401, 403} and len(replies) == 2
        assert client.get("/bills", params={"apikey": key, "q": "x"}).status_code != 401
