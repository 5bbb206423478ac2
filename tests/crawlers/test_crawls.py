"""Spiders on recordings: the bundled sample always, real ones where they are there."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawlers import dry_run, health, modules, recordings, sample
from crawlers.account import Account
from crawlers.recording import Recording, RecordingError
from tests.crawlers.replies import in_memory
from tracker import jurisdictions

TODAY = dt.date(2026, 11, 24)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    sample.write(folder, TODAY)
    return folder


def crawl(recording: Recording, code: str, out: Path, **more: Any) -> tuple[Account, list[dict[str, Any]]]:
    place = jurisdictions.load().get(code)
    spider = modules.spider(code)(  # type: ignore[misc]
        place=place,
        source=jurisdictions.load().sources_for(code)[0],
        session=recordings.session_of(code, recording),
        out=out,
        recording=recording,
        **more,
    )
    account = dry_run.run(spider)
    return account, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_the_sample_is_found_in_the_order_of_its_days(samples: Path) -> None:
    names = [Path(entry["file"]).name for entry in recordings.find(samples)]
    assert names == ["us-day1.warc.gz", "us-day2.warc.gz", "va-day1.warc.gz", "va-day2.warc.gz"]


def test_virginia_fills_every_field(samples: Path, tmp_path: Path) -> None:
    account, bills = crawl(Recording(samples / "va-day2.warc.gz"), "va", tmp_path / "o.jsonl")
    assert (account.outcome, account.complete, account.bills, account.rejected) == ("ok", True, 10, [])
    bill = next(b for b in bills if b["identifier"] == "HB 2")
    assert bill["legislative_session"] == "sample"
    assert bill["actions"][0] == {
        "date": "2026-10-30",
        "description": "Prefiled and ordered printed",
        "chamber": "lower",
    }
    assert bill["hearings"] == [{"date": "2026-11-27", "timezone": "America/New_York", "committee": "Education"}]
    assert bill["sponsorships"] == [{"name": "Blake Sample", "classification": "chief patron"}]
    assert bill["abstracts"][0]["abstract"].startswith("Creates a competitive grant program")
    assert bill["versions"][0]["links"][0]["url"].endswith("/HB2/text/HB2")
    law = next(b for b in bills if b["identifier"] == "SB 5")
    assert law["actions"][-1] == {"date": "2026-11-24", "description": "Approved by Governor", "chamber": "executive"}


def test_congress_reads_both_generations_of_names(tmp_path: Path) -> None:
    old = (
        b"<billStatus><bill><billType>HR</billType><billNumber>7</billNumber><congress>199</congress>"
        b"<originChamber>House</originChamber><title>Made up</title><introducedDate>2026-01-05</introducedDate>"
        b"<actions><item><actionDate>2026-01-05</actionDate><text>Introduced in House</text></item>"
        b"<item><actionDate>2026-01-05</actionDate><text>Introduced in House.</text></item></actions>"
        b"<summaries><billSummaries><item><text>&lt;p&gt;Made &lt;b&gt;up&lt;/b&gt;.&lt;/p&gt;</text></item>"
        b"</billSummaries></summaries></bill></billStatus>"
    )
    url = "https://www.govinfo.gov/bulkdata/BILLSTATUS/199/hr/BILLSTATUS-199hr7.xml"
    account, bills = crawl(in_memory({url: old}), "us", tmp_path / "o.jsonl")
    assert account.rejected == []
    (bill,) = bills
    assert (bill["identifier"], bill["legislative_session"], len(bill["actions"])) == ("HR 7", "199", 1)
    assert bill["abstracts"][0]["abstract"] == "Made up ."


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html><body>Request Rejected</body></html>", "firewall"),
        (b"<html><noscript>You need to enable JavaScript to run this app.</noscript></html>", "JavaScript shell"),
        (b"<html>anything</html>", "a web page came instead of CSV"),
        (b"", "empty"),
        (b"Foo,Bar\n1,2\n", "no column 'billid'"),
    ],
)
def test_a_page_instead_of_a_file_fails_the_crawl_with_its_reason(
    samples: Path, tmp_path: Path, body: bytes, reason: str
) -> None:
    recording = Recording(samples / "va-day1.warc.gz")
    url = next(u for u in recording.urls() if u.endswith("BILLS.CSV"))
    recording.replies[url] = (200, [], body)
    account, bills = crawl(recording, "va", tmp_path / "o.jsonl")
    assert (account.outcome, bills) == ("failed", [])
    assert reason in account.reason


def test_a_missing_side_file_costs_only_itself(samples: Path, tmp_path: Path) -> None:
    recording = Recording(samples / "va-day1.warc.gz")
    url = next(u for u in recording.urls() if u.endswith("Sponsors.csv"))
    del recording.replies[url]
    account, bills = crawl(recording, "va", tmp_path / "o.jsonl")
    assert (account.outcome, len(bills)) == ("ok", 9)
    assert any(kind == "file" for kind, _, _ in account.issues)
    # BILLS.CSV names the patron too.
    assert bills[0]["sponsorships"][0]["name"] == "Avery Sample"


def test_one_bad_row_costs_only_itself(samples: Path, tmp_path: Path) -> None:
    recording = Recording(samples / "va-day1.warc.gz")
    url = next(u for u in recording.urls() if u.endswith("HISTORY.CSV"))
    status, headers, body = recording.replies[url]
    recording.replies[url] = (status, headers, body + b'"HB1","31/31/26","H Something",""\r\n')
    account, bills = crawl(recording, "va", tmp_path / "o.jsonl")
    assert [r["identifier"] for r in account.rejected] == ["HB1"]
    assert len(bills) == 8


def test_an_unchanged_site_gives_nothing_to_load(samples: Path, tmp_path: Path) -> None:
    first, _ = crawl(Recording(samples / "va-day2.warc.gz"), "va", tmp_path / "a.jsonl")
    again, bills = crawl(Recording(samples / "va-day2.warc.gz"), "va", tmp_path / "b.jsonl", known=first.validators)
    assert (again.outcome, bills) == ("unchanged", [])
    full, bills = crawl(
        Recording(samples / "va-day2.warc.gz"), "va", tmp_path / "c.jsonl", known=first.validators, full=True
    )
    assert (full.outcome, len(bills)) == ("ok", 10)


def test_an_entity_bomb_is_a_rejected_record(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    bomb += b"<billStatus><bill><title>&b;</title></bill></billStatus>"
    url = "https://www.govinfo.gov/bulkdata/BILLSTATUS/199/hr/BILLSTATUS-199hr7.xml"
    account, bills = crawl(in_memory({url: bomb}), "us", tmp_path / "o.jsonl")
    assert (len(account.rejected), bills) == (1, [])


def test_the_process_writes_records_and_a_manifest(samples: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "crawlers", "va", "--replay", str(samples / "va-day2.warc.gz")]
    out = tmp_path / "va.jsonl"
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    manifest = json.loads((tmp_path / "va.run.json").read_text())
    assert done.returncode == 0, done.stderr
    assert (manifest["bills"], manifest["complete"], manifest["verdict"]["publish"]) == (10, True, True)
    assert len(out.read_text().splitlines()) == 10


def test_a_file_that_is_no_recording_is_a_failed_run(tmp_path: Path) -> None:
    (tmp_path / "va-x.warc.gz").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RecordingError):
        Recording(tmp_path / "va-x.warc.gz")


@pytest.mark.parametrize(
    ("name", "code", "bills"),
    [("va-2020-01-23", "va", 3125), ("va-2020-01-24", "va", 3126), ("us-billstatus-samples", "us", 21)],
)
def test_real_recordings_are_read_whole(shared: Path, tmp_path: Path, name: str, code: str, bills: int) -> None:
    account, records = crawl(Recording(shared / f"recordings/{name}.warc.gz"), code, tmp_path / "o.jsonl")
    assert (account.outcome, len(records), account.rejected) == ("ok", bills, [])
    assert all(record["title"] and record["actions"] for record in records if code == "us")
    period = health.period_of(jurisdictions.load()[code].sessions, account.session)
    assert health.judge(account.to_json(), {}, period, account.action_counts).publish
