"""What monitors and Prometheus are told, over a real port."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import Engine

from tests.tracker.analysts import fill
from tests.tracker.web.conftest import Serve

TOKEN = "a-token-for-the-scraper"


def test_monitors_hear_of_silence(sqlite: Engine, serve: Serve) -> None:
    address = serve(sqlite)
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/healthz/service").status_code == 200, "a new installation is not silent"
    fill(sqlite)  # Its last crawl was long ago.
    reply = httpx.get(f"{address}/healthz/service")
    assert reply.status_code == 503 and reply.json()["problems"] == 1
    assert reply.headers["cache-control"] == "no-store"


def test_metrics_are_for_who_has_the_token(engine: Engine, serve: Serve) -> None:
    fill(engine)
    address = serve(engine, metrics_token=SecretStr(TOKEN))
    assert httpx.get(f"{address}/metrics").status_code == 401
    assert httpx.get(f"{address}/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    reply = httpx.get(f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = dict(line.rsplit(" ", 1) for line in reply.text.splitlines() if not line.startswith("#"))
    assert float(lines['billtracker_bills{jurisdiction="tx"}']) == 2
    assert float(lines["billtracker_event_seq"]) > 5
    assert len(list(text_string_to_metric_families(reply.text))) >= 10


def test_there_are_no_metrics_without_a_token(sqlite: Engine, serve: Serve) -> None:
    address = serve(sqlite)
    assert httpx.get(f"{address}/metrics").status_code == 404
    assert httpx.get(f"{address}/metrics", headers={"Authorization": "Bearer x"}).status_code == 404
