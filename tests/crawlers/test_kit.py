"""The kit in a copy of the checkout: a new crawler begins with a test that says what is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from crawlers import dry_run, kit
from crawlers.kit import KitError, kind_of, looks, new_state, target_of
from crawlers.recording import Recording
from crawlers.scrubbing import scrub
from tracker import jurisdictions

ROOT = Path(__file__).resolve().parents[2]
BILLS = [{"id": 1, "number": "HB0001", "title": "A made-up bill on apprenticeships"}]


class Checkout:
    """A copy of what the kit writes to, with the commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        skip = shutil.ignore_patterns("__pycache__", "*.npz", "*.onnx")
        for name in ("crawlers", "tracker", "migrations"):
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
        shutil.copy(ROOT / "alembic.ini", folder)
        (folder / "tests/crawlers").mkdir(parents=True)

    def run(self, *arguments: str, code: int = 0) -> Any:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BILLTRACKER_")}
        environment |= {"PYTHONPATH": str(self.folder), "BILLTRACKER_HOME": str(self.folder / "var")}
        command = [sys.executable, "-m", "tracker.cli", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=90
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def site() -> Iterator[HTTPServer]:
    """A legislature on this machine that lists a bill and minds its robots.txt."""
    server = HTTPServer(host="127.0.0.1")
    server.start()
    server.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /private\n")
    server.expect_request("/api/2026/bills").respond_with_json(
        {"items": BILLS}, headers={"Set-Cookie": "session=secret", "ETag": '"1"'}
    )
    server.expect_request("/private/bills").respond_with_json(BILLS)
    yield server
    server.stop()


@pytest.mark.slow
def test_a_new_crawler_from_the_first_request_to_the_first_record(checkout: Checkout, site: HTTPServer) -> None:
    made = checkout.run("new-state", "ok", "--url", site.url_for("/api/2026/bills"), "--json")
    assert (made["jurisdiction"], made["kind"]) == ("ok", "api")
    module, _, recording = (checkout.folder / file for file in made["files"])
    assert '"number": "HB0001"' in module.read_text()
    assert "ok" in jurisdictions.read(checkout.folder / "tracker/jurisdictions.toml")
    assert site.log[0][0].headers["User-Agent"].startswith("billtracker/")
    (report,) = checkout.run("check", "ok", "--session", "2026", "--json", code=1)
    assert "say in crawlers/jurisdictions/ok.py where the fields are" in report["reason"]
    text = module.read_text()
    start, end = text.index("        raise ValueError"), text.index("        return {")
    module.write_text((text[:start] + text[end:]).replace('entry["url"]', '"https://www.oklegislature.gov/"'))
    (report,) = checkout.run("check", "ok", "--session", "2026", "--json", code=1)
    assert (report["bills"], report["would_store"]["new"]) == (1, 1)
    assert {"field": "title", "filled": 1, "of": 1, "example": BILLS[0]["title"]} in report["fields"]
    assert [row["what"] for row in report["odd"]] == ["no actions"]
    assert report["verdict"]["publish"]
    assert b"secret" not in recording.read_bytes() and Recording(recording).urls()


@pytest.mark.slow
def test_a_refusal_is_shown_and_leaves_nothing_behind(checkout: Checkout, site: HTTPServer) -> None:
    says = checkout.run("new-state", "nv", "--url", site.url_for("/private/bills"), code=2)
    assert "Forbidden by robots.txt" in says and "Save a reply by hand" in says
    assert not (checkout.folder / "crawlers/jurisdictions/nv.py").exists()
    assert not list((checkout.folder / "tests/crawlers").rglob("nv*.gz"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (json.dumps({"items": BILLS}), "api"),
        ("Bill_id|Title\nHB1|A made-up bill\n", "bulk"),
        ("<!DOCTYPE html><html><body><a href='/bill/1'>HB 1</a></body></html>", "detail"),
    ],
)
def test_what_is_begun_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: str, kind: str
) -> None:
    root = tmp_path / "root"
    shutil.copytree(ROOT / "crawlers/templates", root / "crawlers/templates")
    for folder in ("crawlers/jurisdictions", "tracker", "tests/crawlers"):
        (root / folder).mkdir(parents=True)
    shutil.copy(ROOT / "tracker/jurisdictions.toml", root / "tracker")
    (tmp_path / "reply").write_text(reply)
    monkeypatch.setattr(kit, "ROOT", root)
    made = kit.new_state("ok", "https://www.oklegislature.gov/2026/bills", "", tmp_path / "reply")
    assert made["kind"] == kind
    places = jurisdictions.read(root / "tracker/jurisdictions.toml")
    assert [source.module for source in places["ok"].sources] == ["ok"] and len(places) == 56
    space: dict[str, Any] = {}
    exec(compile((root / made["files"][0]).read_text(), "ok.py", "exec"), space)
    recording = Recording(root / made["files"][2])
    place = places["ok"]
    session, source = place.sessions[-1].identifier, place.sources[0]
    out = tmp_path / "o.jsonl"
    spider = space["Spider"](place=place, source=source, session=session, out=out, recording=recording)
    account = dry_run.run(spider)
    said = [row["problem"] for row in account.rejected]
    assert any("say in crawlers/jurisdictions/ok.py where the fields" in problem for problem in said) or (
        # A list of pages: the pages are not in the recording yet.
        kind == "detail" and account.bills == 0
    )


def test_a_recording_of_replies_saved_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    (tmp_path / "tests/crawlers").mkdir(parents=True)
    reply = tmp_path / "page.html"
    reply.write_text("<html><body>HB 1</body></html>")
    url = "https://www.oklegislature.gov/bill?key=0123456789&n=1"
    made = kit.add_recording("ok", "by-hand", {url: reply})
    assert Recording(tmp_path / made["file"]).urls() == [scrub(url)]
    assert "0123" not in scrub(url) and scrub(url).endswith("&n=1")
    with pytest.raises(KitError, match="is there already"):
        kit.add_recording("ok", "by-hand", {url: reply})


@pytest.mark.parametrize(
    ("code", "url", "says"),
    [
        ("zz", "https://x.test/", "no jurisdiction"),
        ("va", "https://x.test/", "has a crawler or a source already"),
        ("nv", "file:///etc/passwd", "no http or https address"),
        ("nv", "https://localhost/bills", "cannot be entered"),
    ],
)
def test_wrong_use_is_one_sentence(code: str, url: str, says: str) -> None:
    with pytest.raises(KitError, match=says):
        new_state(code, url)
    with pytest.raises(KitError, match="letters, digits"):
        target_of("va", "../x")


def test_first_replies_tell_their_kind() -> None:
    assert kind_of(b'\xef\xbb\xbf{"a": 1}') == "api"
    assert kind_of(b"<!DOCTYPE html><html>") == "detail"
    assert kind_of(b"Bill_id,Title\r\n") == "bulk"
    assert '"""' not in looks(b'{"items": [{"t": "\\"\\"\\" \\u0007"}]}')
    assert looks(bytes(range(256)))
