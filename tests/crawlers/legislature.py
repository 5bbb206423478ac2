"""A made-up legislature on this machine and a process that crawls it: ``python -m tests.crawlers.legislature JSON``.

Each scenario is a crawl with a path of its own; all run in one process, as crawls of several sites would.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scrapy.crawler import CrawlerProcess

from crawlers import live, tls
from crawlers.api import ApiSpider
from tracker import jurisdictions
from tracker.jurisdictions import Source


class Spider(ApiSpider):
    """A list with stamps and one document a bill, wherever the scenario's address is."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.documents = {"bill": f"{self.source.url}/bill/{{id}}"}  # type: ignore[misc]

    def listing(self) -> list[str]:
        return [f"{self.source.url}/list"]

    def stamp(self, entry: Mapping[str, Any]) -> str:
        return str(entry.get("stamp", ""))

    def record(self, row: Any) -> dict[str, Any]:
        bill = row["bill"]
        return {"identifier": bill["number"], "title": bill["title"], "sources": [{"url": "https://x.test/"}]}


def source_of(scenario: Mapping[str, Any]) -> Source:
    """The scenario's data entry."""
    return Source.model_validate(
        {
            "name": scenario["name"],
            "kind": "official",
            "proof": "facts",
            "module": "va",
            "url": scenario["url"],
            "hosts": ["127.0.0.1"],
            "empty": scenario.get("empty", ()),
            "politeness": {"delay": 0.02, **scenario.get("politeness", {})},
        }
    )


def main(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run the scenarios; returns each one's manifest by its name, and the most memory used, in bytes."""
    place = jurisdictions.load()["va"]
    folder = Path(arguments["folder"])
    tls.trust(["127.0.0.1"], folder)
    crawlers = {}
    process: CrawlerProcess | None = None
    for scenario in arguments["scenarios"]:
        source = source_of(scenario)
        crawler = live.prepared(Spider, source)
        process = process or live.engine()
        out = folder / f"{source.name}.jsonl"
        more = {"known": scenario.get("known", {}), "resume": scenario.get("resume", False)}
        more["queries"] = scenario.get("queries")
        process.crawl(crawler, place=place, source=source, session="2026", out=out, **more)
        crawlers[source.name] = crawler
    assert process is not None
    process.start()
    manifests = {name: live.account_of(crawler).to_json() for name, crawler in crawlers.items()}
    return {"manifests": manifests, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
