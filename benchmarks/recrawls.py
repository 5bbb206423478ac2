"""What a crawl of an unchanged site asks, for every official source: requests, bytes, records.

    python benchmarks/recrawls.py [--bills 2000] [--json]

Runs each crawler twice on a made-up site of so many bills in the official form (tests/crawlers/sites.py). A site that
gives validators answers 304, the others send the same bytes again. No record is no event; a re-crawl that gives any,
or misses a bill, ends the benchmark.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from crawlers import dry_run, modules
from crawlers.account import Account
from crawlers.recording import Recording
from tests.crawlers import sites
from tests.crawlers.jurisdictions import test_ca
from tracker import jurisdictions


def of(code: str, bills: int) -> tuple[Recording, str]:
    """A site and the session to crawl there."""
    validated = {"etag", "last-modified"} & set(jurisdictions.load().sources_for(code)[0].conditional)
    if code == "ca":  # its made-up dump holds three bills, and much that nobody reads
        return test_ca.Ranges(test_ca.big(**{"BILL_VERSION_TBL_9.lob": test_ca.CAML}), validates=True), "20252026"
    if code == "ny":
        return sites.Live(sites.ny(25_500), etags=False), "2025-2026"
    make, session = sites.FEW[code] if code in sites.FEW else sites.SITES[code][:2]
    return sites.Live(make(bills), etags=bool(validated)), session


def crawl(code: str, site: Recording, session: str, out: Path, known: Any = None) -> Account:
    """One crawl, as it would be live."""
    spider, place = modules.spider(code), jurisdictions.load()[code]
    assert spider is not None
    made = spider(place=place, source=place.sources[0], session=session, out=out, known=known)
    return dry_run.run(made, site)


def measure(code: str, bills: int, folder: Path) -> dict[str, Any]:
    """A source's row. Raises RuntimeError when the unchanged site gave a record."""
    site, session = of(code, bills)
    first = crawl(code, site, session, folder / "a.jsonl")
    again = crawl(code, site, session, folder / "b.jsonl", first.validators)
    if first.outcome != "ok" or again.bills or again.outcome not in ("ok", "unchanged"):
        raise RuntimeError(f"{code}: {first.outcome} {first.reason}, then {again.outcome} with {again.bills} records")
    if again.outcome == "ok" and again.complete and len(again.present) != first.bills:
        raise RuntimeError(f"{code}: {len(again.present)} of {first.bills} bills are there")
    return {
        "source": code,
        "bills": first.bills,
        "requests": first.requests,
        "again": again.requests,
        "share": f"{again.requests / first.requests:.2%}",
        "MB": f"{first.bytes / 1e6:.2f}",
        "MB again": f"{again.bytes / 1e6:.2f}",
        "records": again.bills,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bills", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for code in sorted(modules.official()):
            rows.append(measure(code, options.bills, Path(folder)))
            if not options.json:
                print(("| " + " | ".join(str(value) for value in rows[-1].values()) + " |"), flush=True)
    if options.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
