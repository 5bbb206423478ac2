"""A crawl against a legislature that misbehaves in every known way: what it asks is kept, what it refuses is shown."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.crawlers.certificates import chain

ROOT = Path(__file__).resolve().parents[2]
SHELL = "<!DOCTYPE html><html><body>You need to enable JavaScript to run this app.</body></html>"
BLOCKED = "<html><head><title>Request Rejected</title></head><body>Your support ID is 1</body></html>"
ROBOTS = "User-agent: billtracker\nDisallow: /denied/\n\nUser-agent: *\nDisallow: /\n"
CLOSED = "User-agent: *\nCrawl-delay: 0.7\n"


def bills(number: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": n, **more} for n in range(1, number + 1)]


def bomb() -> bytes:
    """Ten gigabytes of zeros in ten megabytes: gzip members, one after the other."""
    return gzip.compress(bytes(100 << 20), 6) * 100


@dataclass
class Legislature:
    """The site: what it answers by path, and when it was asked what."""

    bomb: bytes
    asked: dict[str, list[tuple[float, str, dict[str, str]]]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, request: Request) -> Response:
        name, _, rest = request.path.strip("/").partition("/")
        self.asked[name].append((time.monotonic(), rest, dict(request.headers)))
        answer = getattr(self, name.replace("-", "_"), None)
        return (answer(rest, request) if answer else None) or self.ordinary(rest)

    def ordinary(self, rest: str, number: int = 3) -> Response:
        if rest == "list":
            return self.json(bills(number))
        at = int(rest.partition("/")[2])
        return self.json({"number": f"HB{at:04d}", "title": f"A made-up bill number {at}"})

    def json(self, data: Any, **more: Any) -> Response:
        return Response(json.dumps(data), content_type="application/json", **more)

    def unchanged(self, rest: str, request: Request) -> Response | None:
        if rest == "list":
            return None
        return Response(status=304) if request.headers.get("If-None-Match") == '"v1"' else Response(status=500)

    def waits(self, rest: str, request: Request) -> Response | None:
        first = len(self.asked["waits"]) == 2
        return Response("later", status=429, headers={"Retry-After": "1"}) if first else None

    def waits_long(self, rest: str, request: Request) -> Response | None:
        return Response("later", status=429, headers={"Retry-After": "3600"}) if rest != "list" else None

    def off_host(self, rest: str, request: Request) -> Response | None:
        there = f"http://localhost:{request.host.partition(':')[2]}/elsewhere"
        return Response(status=302, headers={"Location": there}) if rest == "bill/1" else None

    def empty(self, rest: str, request: Request) -> Response | None:
        return Response("error", status=500) if rest == "list" else None

    def truncated(self, rest: str, request: Request) -> Response | None:
        return Response('{"number": "HB00', content_type="application/json") if rest == "bill/2" else None

    def shell(self, rest: str, request: Request) -> Response | None:
        return Response(SHELL, content_type="text/html") if rest != "list" else self.ordinary("list", 30)

    def blocked(self, rest: str, request: Request) -> Response | None:
        return Response(BLOCKED, content_type="text/html")

    def forbidden(self, rest: str, request: Request) -> Response | None:
        return Response("no", status=403) if rest != "list" else self.ordinary("list", 30)

    def explodes(self, rest: str, request: Request) -> Response | None:
        return Response(self.bomb, headers={"Content-Encoding": "gzip"}) if rest == "bill/1" else None

    def large(self, rest: str, request: Request) -> Response | None:
        return Response(b"[" + b" " * (3 << 20) + b"]") if rest == "bill/1" else None

    def moved(self, rest: str, request: Request) -> Response | None:
        return self.json({"measure": {"no": 1}}) if rest != "list" else None

    def moved_list(self, rest: str, request: Request) -> Response | None:
        return self.json({"measures": []}) if rest == "list" else None

    def hangs(self, rest: str, request: Request) -> Response | None:
        if rest == "bill/1":
            time.sleep(0.8)
        return None


@dataclass
class Crawls:
    site: Legislature
    manifests: dict[str, dict[str, Any]]
    memory: int
    folder: Path

    def paths(self, name: str) -> list[str]:
        return [path for _, path, _ in self.site.asked[name]]

    def kinds(self, name: str) -> set[str]:
        return {issue["kind"] for issue in self.manifests[name]["issues"]}


def crawl(scenarios: list[dict[str, Any]], folder: Path, **environment: str) -> dict[str, Any]:
    """Run the scenarios in a process of their own."""
    arguments = json.dumps({"folder": str(folder), "scenarios": scenarios})
    contact = {"BILLTRACKER_CONTACT": "https://example.org/crawler", "BILLTRACKER_HOME": str(folder / "var")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.crawlers.legislature", arguments],
        cwd=ROOT,
        env={**os.environ, **contact, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawls]:
    folder = tmp_path_factory.mktemp("crawls")
    site = Legislature(bomb())
    servers = [HTTPServer(host="127.0.0.1", threaded=True) for _ in range(3)]
    for server, robots in zip(servers, (ROBOTS, None, CLOSED), strict=True):
        server.start()
        answer = Response(robots, status=200) if robots else Response("down", status=503)
        server.expect_request("/robots.txt").respond_with_response(answer)
        server.expect_request(re.compile("^/.+/")).respond_with_handler(site)
    open_site, closed, slow = (server.url_for("").rstrip("/") for server in servers)
    quiet = f"{dt.time(0):%H:%M}-23:59"
    stamp = {"stamp": "", "etag": '"v1"', "last_modified": "", "body_hash": "x"}
    known = {f"{open_site}/unchanged/bill/{n}": {**stamp, "bill": f"2026/HB {n}"} for n in (1, 2, 3)}
    scenarios: list[dict[str, Any]] = [
        {"name": "usual"},
        {"name": "spaced", "politeness": {"delay": 0.25}},
        {"name": "unchanged", "known": known},
        {"name": "waits"},
        {"name": "waits-long"},
        {"name": "off-host"},
        {"name": "denied"},
        {"name": "empty", "empty": [500]},
        {"name": "truncated"},
        {"name": "shell"},
        {"name": "blocked"},
        {"name": "forbidden"},
        {"name": "explodes", "politeness": {"max_mb": 64}},
        {"name": "large", "politeness": {"max_mb": 1}},
        {"name": "counted", "queries": 2},
        {"name": "moved"},
        {"name": "moved-list"},
        {"name": "hangs", "politeness": {"timeout": 0.3}},
        {"name": "quiet", "politeness": {"quiet_hours": quiet}},
    ]
    for scenario in scenarios:
        scenario["url"] = f"{open_site}/{scenario['name']}"
    scenarios.append({"name": "closed", "url": f"{closed}/closed"})
    scenarios.append({"name": "slowly", "url": f"{slow}/slowly"})
    found = crawl(scenarios, folder)
    yield Crawls(site, found["manifests"], found["memory"], folder)
    for server in servers:
        server.stop()


def test_a_crawl_says_who_it_is_and_takes_what_is_there(crawls: Crawls) -> None:
    manifest = crawls.manifests["usual"]
    assert (manifest["outcome"], manifest["complete"], manifest["bills"]) == ("ok", True, 3)
    agents = {headers["User-Agent"] for asked in crawls.site.asked.values() for _, _, headers in asked}
    assert len(agents) == 1
    assert agents.pop().startswith("billtracker/") and "https://example.org/crawler" in str(
        crawls.site.asked["usual"][0][2]["User-Agent"]
    )


def test_the_delay_is_the_least_time_between_two_requests(crawls: Crawls) -> None:
    times = [at for at, _, _ in crawls.site.asked["spaced"]]
    # 0.25 s thrice, less what a busy machine may delay the first one's arrival.
    assert len(times) == 4 and times[-1] - times[0] >= 0.5


def test_a_longer_crawl_delay_in_robots_txt_counts(crawls: Crawls) -> None:
    times = [at for at, _, _ in crawls.site.asked["slowly"]]
    assert len(times) == 4 and times[-1] - times[1] >= 0.8
    assert "robots" in crawls.kinds("slowly")


def test_304_means_that_the_bill_is_there_as_it_was(crawls: Crawls) -> None:
    manifest = crawls.manifests["unchanged"]
    assert (manifest["bills"], manifest["not_modified"], manifest["complete"]) == (0, 3, True)
    assert manifest["present"] == ["2026/HB 1", "2026/HB 2", "2026/HB 3"]


def test_retry_after_is_kept(crawls: Crawls) -> None:
    times = [at for at, _, _ in crawls.site.asked["waits"]]
    assert crawls.manifests["waits"]["bills"] == 3 and times[2] - times[1] >= 0.95
    assert "waited" in crawls.kinds("waits")


def test_a_site_that_asks_for_an_hour_is_left_alone(crawls: Crawls) -> None:
    manifest = crawls.manifests["waits-long"]
    assert len(crawls.paths("waits-long")) <= 3
    assert manifest["outcome"] == "failed" and "left alone for 3,600 s" in manifest["reason"]


def test_another_host_is_never_asked(crawls: Crawls) -> None:
    assert "off_host" in crawls.kinds("off-host") and "elsewhere" not in crawls.site.asked
    assert crawls.manifests["off-host"]["bills"] == 2 and not crawls.manifests["off-host"]["complete"]


@pytest.mark.parametrize(
    ("name", "says"), [("denied", "Forbidden by robots.txt"), ("closed", "Forbidden by robots.txt")]
)
def test_what_robots_txt_denies_is_not_asked(crawls: Crawls, name: str, says: str) -> None:
    assert crawls.paths(name) == []
    assert crawls.manifests[name]["outcome"] == "failed" and says in crawls.manifests[name]["reason"]
    assert "robots" in crawls.kinds(name)


def test_500_for_nothing_there_is_nothing_there(crawls: Crawls) -> None:
    assert crawls.paths("empty") == ["list"]
    assert (crawls.manifests["empty"]["outcome"], crawls.manifests["empty"]["bills"]) == ("ok", 0)


def test_truncated_json_costs_one_bill(crawls: Crawls) -> None:
    manifest = crawls.manifests["truncated"]
    assert (manifest["bills"], manifest["rejected_count"]) == (2, 1)
    assert not any("bill/2" in url for url in manifest["validators"])


@pytest.mark.parametrize(
    ("name", "says"),
    [("shell", "JavaScript shell"), ("forbidden", "status 403"), ("blocked", "firewall")],
)
def test_a_refusal_is_shown_and_ends_the_crawl(crawls: Crawls, name: str, says: str) -> None:
    manifest = crawls.manifests[name]
    assert manifest["outcome"] == "failed" and says in manifest["reason"]
    assert "refused" in crawls.kinds(name) and len(crawls.paths(name)) < 12
    assert (crawls.folder / f"{name}.jsonl").read_text() == ""


@pytest.mark.parametrize("name", ["explodes", "large"])
def test_a_reply_beyond_the_limit_costs_one_bill(crawls: Crawls, name: str) -> None:
    assert (crawls.manifests[name]["bills"], crawls.manifests[name]["complete"]) == (2, False)
    assert crawls.memory < 700 << 20


@pytest.mark.parametrize(("name", "says"), [("moved", "none of 3 records"), ("moved-list", "the list cannot be read")])
def test_a_moved_layout_fails_the_crawl(crawls: Crawls, name: str, says: str) -> None:
    assert crawls.manifests[name]["outcome"] == "failed" and says in crawls.manifests[name]["reason"]


def test_a_reply_that_does_not_come_in_time_costs_one_bill(crawls: Crawls) -> None:
    assert crawls.manifests["hangs"]["bills"] == 2 and "no_reply" in crawls.kinds("hangs")


def test_a_share_of_queries_is_never_exceeded(crawls: Crawls) -> None:
    manifest = crawls.manifests["counted"]
    assert (len(crawls.paths("counted")), manifest["queries"], manifest["bills"]) == (2, 2, 1)
    assert not manifest["complete"] and "its share of 2 queries is used" in manifest["stopped"]
    assert crawls.manifests["usual"]["queries"] == 4


def test_quiet_hours_are_kept_while_a_crawl_runs(crawls: Crawls) -> None:
    assert crawls.paths("quiet") == []
    assert "asks not to be crawled" in crawls.manifests["quiet"]["reason"]


@pytest.mark.parametrize("mended", ["", ".", "var/certificates"])
def test_certificates_are_verified_with_the_intermediates_that_we_ship(tmp_path: Path, mended: str) -> None:
    files = chain(tmp_path / "made")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.site, files.key)
    if mended:
        (tmp_path / mended).mkdir(parents=True, exist_ok=True)
        (tmp_path / mended / "127.0.0.1.pem").write_bytes(files.intermediate.read_bytes())
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        server.expect_request("/robots.txt").respond_with_data("")
        server.expect_request("/tls/list").respond_with_json([{"id": 1}])
        server.expect_request("/tls/bill/1").respond_with_json({"number": "HB1", "title": "A made-up bill"})
        scenario = {"name": "tls", "url": server.url_for("/tls"), "politeness": {"delay": 0.0}}
        (tmp_path / "temporary").mkdir()
        found = crawl([scenario], tmp_path, SSL_CERT_FILE=str(files.root), TMPDIR=str(tmp_path / "temporary"))
    manifest = found["manifests"]["tls"]
    assert (manifest["outcome"], manifest["bills"]) == (("ok", 1) if mended else ("failed", 0))
    assert mended or ("put that into" in manifest["reason"] and "/127.0.0.1.pem" in manifest["reason"])
    bundles = list((tmp_path / "var" / "certificates" / "bundles").glob("*"))
    assert len(bundles) == bool(mended) and not list((tmp_path / "temporary").iterdir()), "no more is left"
