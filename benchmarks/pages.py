"""Time of every page over the corpus with 8 clients at once (see corpus_database.py).

    python benchmarks/pages.py DATABASE-URL BILLS.jsonl.gz TEXTS.jsonl.gz

Starts ``billtracker serve`` and asks it, each client one request after another without a pause, for bills,
searches and other pages drawn by chance, so that few are asked twice. Prints median and 95th percentile in
milliseconds of each kind of page; ends with 1 when the 95th percentile of all is above 200 ms.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote, urlencode

from corpus_database import build
from sqlalchemy import Engine, text

from tracker.cleaning import bill_path
from tracker.db import reading

CLIENTS = 8
REQUESTS = 80
LIMIT_MS = 200.0
WORDS = ["school", "tax", "credit", "apprenticeship", "teacher", "grant", "workforce", "college", "license", "energy",
         "water", "court", "health", "insurance", "vehicle", "budget", "election", "housing", "training"]  # fmt: skip
STATES = ["nj", "mn", "ms", "tn", "ok", "hi", "wv", "mi", "oh", "fl"]
STRATEGIES = ["incentives", "tax_credits", "flexibility", "agency_funding", "agency_rules", "executive_call"]


def addresses(engine: Engine) -> dict[str, list[str]]:
    """Addresses of each kind of page."""
    with reading(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT b.jurisdiction, s.identifier, b.identifier, max(t.id), count(DISTINCT t.version_id)"
                " FROM bill b JOIN session s ON s.id = b.session_id LEFT JOIN bill_text t ON t.bill_id = b.id"
                " WHERE b.id % 17 = 3 GROUP BY b.id, b.jurisdiction, s.identifier, b.identifier"
            )
        ).all()
        quotes = connection.execute(text("SELECT quote FROM tag_evidence ORDER BY id LIMIT 200")).scalars().all()
    chance = random.Random(1)  # noqa: S311
    searches = [
        [
            ("q", " ".join(chance.sample(WORDS, chance.randint(1, 2)))),
            *([("state", chance.choice(STATES))] * (n % 3 == 0)),
        ]
        for n in range(300)
    ]
    runs = [" ".join(q.split()[:8]) for q in quotes if len(q.split()) > 8]
    return {
        "home": ["/"],
        "search": ["/search?" + urlencode(pairs) for pairs in searches],
        "phrase": ["/search?" + urlencode({"q": f'"{a} {b}"'}) for a in WORDS for b in WORDS[:8]],
        "browse": [f"/search?state={s}&strategy={k}" for s in STATES for k in STRATEGIES],
        "bill": [bill_path(*row[:3]) for row in rows],
        "text": [f"{bill_path(*row[:3])}/text/{row[3]}" for row in rows if row[3]],
        "compare": [f"{bill_path(*row[:3])}/compare" for row in rows if row[4] > 1],
        "strategy": [f"/strategies/{key}" for key in STRATEGIES] + ["/strategies"],
        "spread": ["/spread?q=" + quote(f'"{run}"') for run in runs],
        "freshness": ["/freshness"],
    }


# What a day of readers asks for, out of a hundred.
SHARES = {"home": 8, "search": 22, "phrase": 6, "browse": 8, "bill": 34, "text": 6, "compare": 4, "strategy": 6,
          "spread": 3, "freshness": 3}  # fmt: skip


def client(port: int, number: int, pages: dict[str, list[str]], times: dict[str, list[float]]) -> None:
    """One reader in a hurry."""
    chance = random.Random(number)  # noqa: S311
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kinds = [kind for kind in SHARES if pages[kind]]
    for _ in range(REQUESTS):
        kind = chance.choices(kinds, [SHARES[k] for k in kinds])[0]
        address = chance.choice(pages[kind])
        start = time.perf_counter()
        connection.request("GET", address)
        reply = connection.getresponse()
        reply.read()
        if reply.status not in (200, 400):
            raise RuntimeError(f"{reply.status} for {address}")
        times[kind].append((time.perf_counter() - start) * 1000)


def main() -> int:
    """Run it, print a table and one JSON object."""
    engine = build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    pages = addresses(engine)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    times: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as home:
        settings = {"BILLTRACKER_HOME": home, "BILLTRACKER_DATABASE_URL": sys.argv[1]}
        command = [str(Path(sys.executable).with_name("billtracker")), "serve", "--port", str(port)]
        server = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(300):
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            client(port, 99, {kind: some[:1] for kind, some in pages.items()}, defaultdict(list))
            threads = [threading.Thread(target=client, args=(port, n, pages, times)) for n in range(CLIENTS)]
            start = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.perf_counter() - start
        finally:
            server.terminate()
            server.wait(20)
    every = [one for some in times.values() for one in some]
    result = {kind: _figures(some) for kind, some in times.items()}
    for kind, some in result.items():
        print(f"{kind:<12}{some['requests']:>6}{some['median_ms']:>9.1f}{some['p95_ms']:>9.1f}", file=sys.stderr)
    whole = _figures(every)
    print(
        json.dumps({"clients": CLIENTS, "per_second": round(len(every) / took, 1), **whole, "pages": result}, indent=2)
    )
    return int(whole["p95_ms"] > LIMIT_MS)


def _figures(times: list[float]) -> dict[str, float]:
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return {"requests": len(times), "median_ms": round(statistics.median(times), 1), "p95_ms": round(p95, 1)}


if __name__ == "__main__":
    sys.exit(main())
