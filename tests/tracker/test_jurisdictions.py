"""The data file is whole and true to what we know; its errors name jurisdiction and field."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import string
from pathlib import Path

import pytest

from tracker.jurisdictions import PATH, JurisdictionError, load, read

PLACES = load()
STATES = [
    "al",
    "ak",
    "az",
    "ar",
    "ca",
    "co",
    "ct",
    "de",
    "fl",
    "ga",
    "hi",
    "id",
    "il",
    "in",
    "ia",
    "ks",
    "ky",
    "la",
    "me",
    "md",
    "ma",
    "mi",
    "mn",
    "ms",
    "mo",
    "mt",
    "ne",
    "nv",
    "nh",
    "nj",
    "nm",
    "ny",
    "nc",
    "nd",
    "oh",
    "ok",
    "or",
    "pa",
    "ri",
    "sc",
    "sd",
    "tn",
    "tx",
    "ut",
    "vt",
    "va",
    "wa",
    "wv",
    "wi",
    "wy",
]
STARTERS = ["va", "us", "wa", "or", "ca", "nm", "ny", "md", "nd", "nj", "pa", "tx", "il", "mn"]


def test_all_fifty_six_are_there() -> None:
    assert sorted(PLACES) == sorted([*STATES, "dc", "pr", "gu", "vi", "mp", "us"])


@pytest.mark.parametrize("code", PLACES)
def test_each_has_a_session_in_2025_and_2026(code: str) -> None:
    years = {
        year
        for session in PLACES[code].sessions
        for period in session.sittings
        for year in range(period.start.year, period.end.year + 1)
    }
    # Four legislatures meet in odd years only; North Dakota met for three days in January 2026.
    assert {2025} if code in {"mt", "nv", "tx"} else {2025, 2026} <= years


@pytest.mark.parametrize("code", PLACES)
def test_each_has_a_source_and_official_ones_come_first(code: str) -> None:
    sources = PLACES.sources_for(code)
    assert "govbot" in [source.name for source in sources]
    kinds = [source.kind for source in sources]
    assert kinds == sorted(kinds, key=["official", "mirror"].index)
    assert "official" in kinds or code not in STARTERS
    for source in sources:
        host = re.match(r"\w+://([^/]+)/", source.url)
        assert host and host[1] in source.hosts
        assert "{code}" not in source.url


def test_mirrors_cover_what_they_cover() -> None:
    covered = {name: sum(name in [s.name for s in PLACES.sources_for(c)] for c in PLACES) for name in PLACES.mirrors}
    assert covered == {"govbot": 56, "legiscan": 52, "openstates": 53}


def test_one_line_of_settings_picks_another_source() -> None:
    assert [source.name for source in PLACES.sources_for("va", "legiscan")][:2] == ["legiscan", "lis"]
    with pytest.raises(KeyError, match="lis, govbot, legiscan, openstates"):
        PLACES.sources_for("va", "nowhere")


def test_a_jurisdiction_by_code_name_or_id() -> None:
    for name in ("tx", "TX", "Texas", "texas", "ocd-jurisdiction/country:us/state:tx/government"):
        assert PLACES.get(name).code == "tx"
    assert PLACES.get("dc").ocd_id == "ocd-jurisdiction/country:us/district:dc/government"
    assert PLACES.get("pr").ocd_id == "ocd-jurisdiction/country:us/territory:pr/government"
    assert PLACES.get("us").ocd_id == "ocd-jurisdiction/country:us/government"
    with pytest.raises(KeyError, match=r"did you mean tx \(Texas\)"):
        PLACES.get("Texsa")


def test_unicameral_ones() -> None:
    assert {code for code in PLACES if PLACES[code].unicameral} == {"ne", "dc", "gu", "vi"}
    assert PLACES["ne"].chamber_name("legislature") == "Legislature"
    assert PLACES["va"].chamber_name("lower") == "House of Delegates"
    assert PLACES["va"].chamber_name("executive") == "Governor"
    assert PLACES["us"].chamber_name("executive") == "President"


@pytest.mark.parametrize(
    ("code", "day", "session"),
    [
        ("va", "2026-02-01", "2026"),
        ("va", "2025-12-01", "2026"),  # prefiled
        ("va", "2025-10-01", "2025"),
        ("va", "2020-01-23", "2020"),
        ("va", "1999-01-01", "2020"),
        ("us", "2026-11-24", "119"),
        ("tx", "2025-08-01", "89R"),  # a called session is not the regular one
        ("tx", "2026-11-24", "90R"),
        ("ca", "2026-02-01", "20252026"),
        ("ny", "2024-02-01", "2023-2024"),
    ],
)
def test_session_for_a_day(code: str, day: str, session: str) -> None:
    assert PLACES.session_for(code, dt.date.fromisoformat(day)).identifier == session


@pytest.mark.parametrize(
    ("code", "day", "state"),
    [
        ("wa", "2026-02-10", "sitting"),
        ("wa", "2025-08-10", "adjourned"),  # between the two sittings of one biennium
        ("mt", "2026-02-10", "adjourned"),
        ("us", "2026-11-24", "sitting"),
        ("tx", "2025-08-01", "sitting"),  # called session
        ("va", "2026-04-01", "adjourned"),
        ("va", "2031-04-01", "unknown"),
        ("va", "1999-04-01", "unknown"),
    ],
)
def test_sitting(code: str, day: str, state: str) -> None:
    assert PLACES.sitting(code, dt.date.fromisoformat(day)) == state


def test_signatures_are_awaited_after_adjournment() -> None:
    assert not PLACES.awaits_signatures("nm", dt.date(2026, 2, 19))
    assert PLACES.awaits_signatures("nm", dt.date(2026, 2, 20))
    assert PLACES.awaits_signatures("nm", dt.date(2026, 3, 11))
    assert not PLACES.awaits_signatures("nm", dt.date(2026, 3, 12))
    assert PLACES.awaits_signatures("wa", dt.date(2025, 5, 10))
    active = PLACES.active_sessions("tx", dt.date(2025, 8, 10))
    assert [session.identifier for session in active] == ["891"]


@pytest.mark.parametrize(
    ("code", "session", "identifier", "url"),
    [
        ("va", "2026", "HB 1", "https://lis.virginia.gov/bill-details/20261/HB1"),
        ("us", "119", "HJRES 7", "https://www.congress.gov/bill/119th-congress/house-joint-resolution/7"),
        (
            "ca",
            "20252026",
            "AB 1",
            "https://leginfo.legislature.ca.gov/faces/billNavClient.xhtml?bill_id=202520260AB1",
        ),
        (
            "nm",
            "2026",
            "SJM 3",
            "https://www.nmlegis.gov/Legislation/Legislation?chamber=S&legType=JM&legNo=3&year=26",
        ),
        ("mn", "2025-2026", "HF 12", "https://www.revisor.mn.gov/bills/94/2025/0/HF/12/"),
        ("md", "2026", "HB 1", "https://mgaleg.maryland.gov/mgawebsite/Legislation/Details/HB0001?ys=2026RS"),
        ("co", "2026A", "HB 26-1001", "https://leg.colorado.gov/bills/HB26-1001"),
        ("nj", "222", "A 1000", "https://www.njleg.state.nj.us/bill-search/2026/A1000"),
        ("az", "57th-2nd-regular", "HB 2001", ""),  # its pages are numbered otherwise
        ("va", "2026", "no number", ""),
        ("va", "1619", "HB 1", ""),
    ],
)
def test_bill_pages(code: str, session: str, identifier: str, url: str) -> None:
    assert PLACES.bill_url(code, session, identifier) == url


def test_every_bill_page_is_an_address_on_a_known_site() -> None:
    for code, place in PLACES.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(place.bill_page) if name}
        url = PLACES.bill_url(code, place.sessions[-1].identifier, "HB 7")
        assert bool(url) == bool(fields)
        assert re.match(r"https?://[\w.-]+/\S+$", url) or not url


def test_politeness_by_host() -> None:
    politeness, clock = PLACES.politeness_for("gc.nh.gov")
    assert clock == "nh" and politeness.quiet_hours is not None
    assert politeness.quiet_hours.covers(dt.time(12)) and not politeness.quiet_hours.covers(dt.time(22))
    assert PLACES.politeness_for("ndlegis.gov")[0].delay >= 12
    assert PLACES.politeness_for("www.kslegislature.gov")[0].delay >= 3
    assert PLACES.politeness_for("documents.house.mo.gov")[0].delay >= 20
    assert PLACES.politeness_for("ilga.gov")[0].delay == 10 > PLACES.politeness_for("ftp.ilga.gov")[0].delay
    assert PLACES.politeness_for("unheard-of.example")[0].delay >= 2


def test_sessions_of_the_corpus_are_known(shared: Path) -> None:
    """Every (jurisdiction, session) of the real bills, and nearly every action falls near its dates."""
    outside = total = 0
    with gzip.open(shared / "corpus" / "bills-2025-2026.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % 20:
                continue
            bill = json.loads(line)
            code = bill["jurisdiction"]
            session = PLACES.session(code, bill["legislative_session"])
            assert session is not None, (code, bill["legislative_session"])
            first = session.prefile or session.start
            last = PLACES.signatures_until(code, session)
            for action in bill.get("actions", ()):
                total += 1
                day = dt.date.fromisoformat(action["date"][:10])
                outside += not first - dt.timedelta(days=60) <= day <= last
    assert total > 20_000
    # Oklahoma and Hawaii list the first year's actions again under the second year's session.
    assert outside / total < 0.09


TEXAS_CLOCK = '[tx]\nname = "Texas"\ndivision = "ocd-division/country:us/state:tx"\ntime_zone = "America/Chicago"'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            TEXAS_CLOCK,
            TEXAS_CLOCK.replace("America", "Texas"),
            r"^tx: time_zone: 'Texas/Chicago' is not an IANA",
        ),
        (
            "start = 2025-01-14, end = 2025-06-02",
            "start = 2025-07-14, end = 2025-06-02",
            r"^tx: sessions\.\d: ends",
        ),
        (
            'quiet_hours = "06:00-21:00"',
            'quiet_hours = "day"',
            r"^nh: politeness\.quiet_hours: .*HH:MM-HH:MM",
        ),
        ('name = "Texas"\n', "", r"^tx: name: Field required"),
        ('name = "Texas"\n', 'name = "Texas"\nflower = "bluebonnet"\n', r"^tx: flower: Extra inputs"),
        ('covers = ["*"]', 'covers = ["xx"]', r"^mirrors\.govbot: covers: 'xx' is not a jurisdiction"),
        ("[tx]", "[tx", r"^jurisdictions\.toml cannot be read"),
    ],
)
def test_errors_name_jurisdiction_and_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = PATH.read_text("utf-8")
    assert old in text
    broken = tmp_path / "jurisdictions.toml"
    broken.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(JurisdictionError, match=message):
        read(broken)
