"""From one source of a jurisdiction to another and back: what is stored is always what the chosen one says."""

from __future__ import annotations

import datetime as dt
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crawlers import dry_run, health, modules, sample
from crawlers.account import Account
from crawlers.recording import Recording
from tests.crawlers.replies import in_memory
from tracker import crawling, jurisdictions
from tracker.db import reading

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
ARCHIVE = "https://github.com/govbot-data/va-legislation/archive/refs/heads/main.tar.gz"


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("samples")
    sample.write(folder, NOW.date())
    return Recording(folder / "va-day1.warc.gz")


@pytest.fixture(scope="module")
def mirror(official: Recording, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The mirror's archive of the same bills, with titles of its own."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for number in range(1, 10):
            bill = {
                "legislative_session": "sample",
                "identifier": f"HB {number}",
                "title": f"The mirror's title of HB {number}",
                "from_organization": '~{"classification": "lower"}',
                "classification": ["bill"],
                "actions": [
                    {
                        "description": "Prefiled",
                        "date": "2026-10-30",
                        "organization_id": '~{"classification": "lower"}',
                        "classification": [],
                    }
                ],
                "sources": [{"url": "https://lis.virginia.gov/"}],
            }
            body = json.dumps(bill).encode()
            name = f"va-legislation-main/country:us/state:va/sessions/sample/bills/HB{number}/metadata.json"
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return in_memory({ARCHIVE: packed.getvalue()})


def run(engine: Engine, source: str, replies: Recording, folder: Path, day: int) -> tuple[Account, str]:
    """A crawl with all that the data base knows, judged and loaded as `crawl --publish` does it."""
    place = jurisdictions.load()["va"]
    chosen = jurisdictions.load().sources_for("va", source)[0]
    spider = modules.spider(chosen.module)
    assert spider is not None
    out = folder / f"{source}-{day}.jsonl"
    more: dict[str, Any] = {"recording": replies} if source == "lis" else {}
    made = spider(place=place, source=chosen, session="sample", out=out, known=crawling._known(engine, "va"), **more)
    account = dry_run.run(made, replies)
    manifest = account.to_json() | {"recorded_at": "", "replayed": False}
    manifest["verdict"] = health.judge(manifest, {}, None, account.action_counts).to_json()
    crawled = crawling.Crawled(crawling.Plan("va", source, "sample"), out, manifest)
    status, reason, _ = crawling.publish(engine, crawled, now=NOW + dt.timedelta(days=day))
    assert not reason
    return account, status


def title(engine: Engine) -> str:
    with reading(engine) as connection:
        return str(connection.execute(text("SELECT title FROM bill WHERE identifier = 'HB 1'")).scalar_one())


def test_switching_back_reads_again(engine: Engine, official: Recording, mirror: Recording, tmp_path: Path) -> None:
    first, _ = run(engine, "lis", official, tmp_path, 1)
    own = title(engine)
    assert first.bills > 5 and not own.startswith("The mirror's")
    assert run(engine, "lis", official, tmp_path, 2)[1] == "unchanged"
    for day in (3, 5):
        there, status = run(engine, "govbot", mirror, tmp_path, day)
        assert (status, there.bills) == ("published", 9)
        assert title(engine) == "The mirror's title of HB 1"
        assert run(engine, "govbot", mirror, tmp_path, 10 + day)[1] == "unchanged"
        back, status = run(engine, "lis", official, tmp_path, 20 + day)
        assert (status, back.bills, title(engine)) == ("published", first.bills, own)
        assert run(engine, "lis", official, tmp_path, 30 + day)[1] == "unchanged"
