"""What the data say that a source brings is what its crawler fills: no more on the samples here, and no less."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crawlers import dry_run, modules, recordings
from crawlers import sample as bundled
from crawlers.account import COUNTED
from crawlers.recording import Recording
from tests.crawlers import test_mirrors
from tests.crawlers.jurisdictions import test_ca, test_nd, test_nm, test_ny, test_or, test_wa
from tests.crawlers.replies import crawl, real
from tracker import jurisdictions

FOLDER = Path(__file__).parent / "recordings"
FIELDS = set(COUNTED) - {"title"}
SCHEDULE = b'Hearing Date/Time,Bill,Committee\r\n"11/28 2:00:PM","HB 1001","House Education"\r\n'
CALENDAR = test_nm.calendar(("2/3/2025", "8:30 AM", "Room 317", ("HB 1",)))
SITES: dict[str, Callable[[], Mapping[str, Any]]] = {
    "ca": lambda: {test_ca.DUMP: test_ca.dump()},
    "nd": lambda: {test_nd.BILLS: test_nd.bills(test_nd.bill()), test_nd.SCHEDULE: SCHEDULE},
    "nm": lambda: {
        test_nm.ONE: test_nm.bill_page(*test_nm.ACTIONS),
        f"{test_nm.SITE}/Entity/House/Committee_Calendar": CALENDAR,
    },
    "ny": lambda: {
        f"{test_ny.API}/bills/2025/S7?view=default": test_ny.reply(test_ny.bill()),
        f"{test_ny.API}/agendas/2026/3/Higher%20Education": test_ny.agenda(),
    },
    "or": lambda: test_or.site(test_or.whole()),
    "us": lambda: {"https://www.govinfo.gov/bulkdata/BILLSTATUS/119/hr/BILLSTATUS-119hr7.xml": US},
    "wa": lambda: {
        url: body.replace(b"<LegalTitle />", b"<LegalTitle>AN ACT Relating to made-up matters</LegalTitle>")
        for url, body in test_wa.site().items()
    },
}
US = b"""<billStatus><bill><type>HR</type><number>7</number><congress>119</congress><title>Made-up</title>
<policyArea><name>Education</name></policyArea>
<relatedBills><item><type>S</type><number>8</number><congress>119</congress></item></relatedBills>
<textVersions><item><type>Introduced in House</type><date>2025-01-09T05:00:00Z</date>
<formats><item><url>https://www.govinfo.gov/content/pkg/x.xml</url></item></formats></item></textVersions>
</bill></billStatus>"""
SESSIONS = {
    "us": "119",
    "ca": "20252026",
    "nd": "69",
    "nm": "2025",
    "ny": "2025-2026",
    "or": "2025R1",
    "wa": "2025-2026",
}


def filled(counts: Mapping[str, int]) -> set[str]:
    return {name for name in FIELDS if counts.get(name)}


def on_samples(code: str, folder: Path) -> set[str]:
    """The fields that a state's own crawler fills on the samples in these tests."""
    spider = modules.spider(code)
    assert spider is not None
    found: set[str] = set()
    for golden in (FOLDER / code).glob("*.golden.json"):
        found |= filled(json.loads(golden.read_text("utf-8"))["fields"])
    if code in SITES:
        live = code == "wa"
        account, _ = crawl(spider, code, SITES[code](), folder / "o.jsonl", session=SESSIONS[code], live=live)
        found |= filled(account.fields)
    if code in ("va", "us"):
        bundled.write(folder / "sample", dt.date(2026, 2, 20))
        for file in (folder / "sample").glob(f"{code}-*"):
            recording = Recording(file)
            made = spider(
                place=jurisdictions.load()[code],
                source=jurisdictions.load()[code].sources[0],
                session=recordings.session_of(code, recording),
                out=folder / "o.jsonl",
                recording=recording,
            )
            found |= filled(dry_run.run(made).fields)
    return found


@pytest.mark.parametrize("code", sorted(modules.official()))
def test_a_source_brings_what_the_data_say(code: str, tmp_path: Path) -> None:
    assert on_samples(code, tmp_path) == set(jurisdictions.load().sources_for(code)[0].brings)


def test_mirrors_bring_what_the_data_say(tmp_path: Path) -> None:
    places = jurisdictions.load()
    stale = [test_mirrors.bill(1, "a")]
    first, _ = test_mirrors.ask(test_mirrors.site(stale, stale, "w1"), tmp_path / "a.jsonl")
    assert filled(first.fields) <= set(places.sources_for("va", "legiscan")[0].brings)


def test_every_source_says_what_it_brings() -> None:
    places = jurisdictions.load()
    assert [(code, s.name) for code in places for s in places.sources_for(code) if "actions" not in s.brings] == []


def test_real_replies_fill_nothing_else(shared: Path, tmp_path: Path) -> None:
    for file in sorted((shared / "recordings").glob("*.warc.gz")):
        code = file.name[:2]
        if code in modules.official():
            account, _ = real(Recording(file), code, tmp_path / "o.jsonl")
            assert filled(account.fields) <= set(jurisdictions.load().sources_for(code)[0].brings), file.name
