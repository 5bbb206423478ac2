"""How quickly the API, the feeds and the SQL page answer, over a loaded database.

    python benchmarks/api.py DATABASE-URL [CLIENTS] [ROUNDS]

Starts the whole app on a local port in a process of its own and asks each question ROUNDS times by CLIENTS
programs at once. The database is brought to the newest schema and its search index up to date first.
"""

from __future__ import annotations

import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tracker.api_keys import add_key
from tracker.db import make_engine, upgrade, writing
from tracker.search_index import catch_up

QUESTIONS = {
    "jurisdictions": "/jurisdictions?include=legislative_sessions",
    "one bill, every part": "{bill}?include=actions&include=sponsorships&include=versions&include=tags&include=sources",
    "one bill as of a day": "{bill}?include=actions&include=tags&as_of={day}",
    "a state, newest first": "/bills?jurisdiction={state}&per_page=20",
    "a state with its history": "/bills?jurisdiction={state}&per_page=20&include=actions&include=sponsorships",
    "a state, page 200": "/bills?jurisdiction={state}&per_page=20&page=200",
    "a state, by sponsor": "/bills?jurisdiction={state}&sponsor=smith",
    "a state, by subject": "/bills?jurisdiction={state}&subject=Education",
    "words": "/bills?q=apprentice*",
    "a common word": "/bills?q=education&per_page=20",
    "a number": "/bills?q=HB 12",
    "a strategy": "/bills?strategy=tax_credits&per_page=20",
    "a score": "/bills?strategy=tax_credits&min_score=0.3&per_page=20",
    "changes": "/changes?after=1000&limit=100",
    "meetings": "/events?jurisdiction={state}&include=agenda",
    "calendar": "/feeds/hearings.ics?state={state}",
    "feed of a search": "/feeds/search.atom?q=education",
    "feed of everything": "/feeds/search.atom",
    "feed of a strategy": "/feeds/strategy/tax_credits.atom",
    "SQL: bills by stage": "/sql?sql=SELECT stage, count(*) FROM v_bills GROUP BY stage",
}


def main() -> None:
    url, clients, rounds = sys.argv[1], int((sys.argv[2:3] or ["8"])[0]), int((sys.argv[3:4] or ["40"])[0])
    engine = make_engine(url)
    upgrade(engine)
    catch_up(engine)
    with writing(engine) as connection:
        key = add_key(
            connection,
            f"benchmark {time.time():.0f}",
            per_minute=10**6,
            per_day=10**9,
            now=dt.datetime.now(dt.UTC),
        )
    with tempfile.TemporaryDirectory() as home:
        program = (
            "import uvicorn; from tracker.settings import Settings; from tracker.web.application import create_app;"
            f"uvicorn.run(create_app(Settings(home={home!r}, database_url={url!r})), port=8797, log_level='warning')"
        )
        with subprocess.Popen([sys.executable, "-c", program]) as process:
            try:
                ask_all(key, clients, rounds)
            finally:
                process.terminate()


def ask_all(key: str, clients: int, rounds: int) -> None:
    web = httpx.Client(base_url="http://127.0.0.1:8797", headers={"X-API-KEY": key}, timeout=60)
    for _ in range(300):
        try:
            web.get("/healthz")
            break
        except httpx.TransportError:
            time.sleep(0.2)
    largest = "SELECT jurisdiction FROM v_freshness ORDER BY bills DESC LIMIT 1"
    state = web.get("/sql", params={"sql": largest, "format": "json"}).raise_for_status().json()[0]["jurisdiction"]
    newest = web.get("/bills", params={"jurisdiction": state}).raise_for_status().json()["results"][0]
    values = {"bill": f"/bills/{newest['id']}", "day": newest["updated_at"][:10], "state": state}
    print(f"{'question':<28}{'p50 ms':>9}{'p95 ms':>9}{'bytes':>10}")
    for name, address in QUESTIONS.items():
        address = address.format(**values)
        size = len(web.get(address).raise_for_status().content)

        def ask(_: int, address: str = address) -> float:
            begun = time.perf_counter()
            web.get(address).raise_for_status()
            return (time.perf_counter() - begun) * 1000

        with ThreadPoolExecutor(clients) as pool:
            times = sorted(pool.map(ask, range(rounds)))
        print(f"{name:<28}{statistics.median(times):>9.1f}{times[int(len(times) * 0.95) - 1]:>9.1f}{size:>10,}")


if __name__ == "__main__":
    main()
