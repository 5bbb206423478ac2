"""What was seen is not asked for again: by the next crawl when nothing changed, or after a crawl was killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.crawlers.test_politeness import ROOT, crawl

BILLS = 160


class Site:
    """Bills with a stamp each; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, request: Request) -> Response:
        path = request.path.rpartition("/")[2]
        self.asked[path] += 1
        if path == "list":
            data: Any = [{"id": n, "stamp": f"v{n}"} for n in range(1, BILLS + 1)]
        else:
            data = {"number": f"HB{path}", "title": f"A made-up bill number {path}"}
        return Response(json.dumps(data), content_type="application/json")


@pytest.fixture
def site() -> Iterator[tuple[Site, str]]:
    made = Site()
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        server.expect_request("/robots.txt").respond_with_data("")
        server.expect_request(re.compile("^/made/")).respond_with_handler(made)
        yield made, server.url_for("/made")


@pytest.mark.slow
def test_an_unchanged_site_is_asked_almost_nothing(site: tuple[Site, str], tmp_path: Path) -> None:
    made, url = site
    scenario = {"name": "made", "url": url, "politeness": {"delay": 0.0, "concurrency": 4}}
    first = crawl([scenario], tmp_path)["manifests"]["made"]
    assert (first["bills"], first["complete"]) == (BILLS, True)
    made.asked.clear()
    again = crawl([{**scenario, "known": first["validators"]}], tmp_path)["manifests"]["made"]
    # The list, and one bill, since this list shows no action. The site here does not count robots.txt.
    assert made.asked.pop("list") == 1 and made.asked.total() == 1
    assert again["requests"] <= 0.02 * first["requests"]
    assert (again["bills"], again["present_count"], again["complete"]) == (0, BILLS, True)
    assert (tmp_path / "made.jsonl").read_text() == ""


def test_a_killed_crawl_goes_on_where_it_was(site: tuple[Site, str], tmp_path: Path) -> None:
    made, url = site
    scenario = {"name": "made", "url": url, "resume": True, "politeness": {"delay": 0.02}}
    arguments = json.dumps({"folder": str(tmp_path), "scenarios": [scenario]})
    command = [sys.executable, "-m", "tests.crawlers.legislature", arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(made.asked) < 40 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    out, journal = tmp_path / "made.jsonl", tmp_path / "made.journal.jsonl"
    written = out.read_bytes().count(b"\n")
    assert 30 < written < BILLS and journal.exists()
    with out.open("ab") as file:
        file.write(b'{"jurisdiction": "va", "half a line')
    fast = {**scenario, "politeness": {"delay": 0.0, "concurrency": 4}}
    manifest = crawl([fast], tmp_path)["manifests"]["made"]
    assert (manifest["bills"], manifest["complete"], manifest["rejected"]) == (BILLS, True, [])
    assert manifest["resumed"] == written
    identifiers = [json.loads(line)["identifier"] for line in out.read_text().splitlines()]
    assert len(identifiers) == len(set(identifiers)) == BILLS
    # Whatever was under way when it died is asked twice, nothing else.
    assert sum(times - 1 for path, times in made.asked.items() if path != "list") <= 2
    # Every bill's, the list's, and the moment at which the crawl began.
    assert len(manifest["validators"]) == BILLS + 2
    assert not journal.exists()
