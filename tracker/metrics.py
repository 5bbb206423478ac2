"""The service in numbers, for Prometheus: read from the database at each scrape, so every process tells the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, func, select

from tracker import freshness, jobs, pulse, signs
from tracker.db import reading
from tracker.models.bills import BillEventRow, BillTextRow
from tracker.models.readers import DeliveryRow, SubscriberRow
from tracker.models.tags import TagRow

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATES = ("fresh", "quiet", "stale", "failing", "unseen")


def text(engine: Engine, *, now: dt.datetime, hours: float = pulse.NO_RUN_HOURS) -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Service(engine, now, hours))
    return generate_latest(registry)


class _Service(Collector):
    def __init__(self, engine: Engine, now: dt.datetime, hours: float) -> None:
        self.engine, self.now, self.hours = engine, now, hours

    def collect(self) -> Iterator[Metric]:
        yield from self._jurisdictions()
        yield from self._jobs()
        with reading(self.engine) as connection:
            yield from self._stored(connection)
        found = pulse.take(self.engine, now=self.now, hours=self.hours)
        yield GaugeMetricFamily(
            "billtracker_problems", "Sentences that `billtracker health` has about silence.", len(found["problems"])
        )

    def _jurisdictions(self) -> Iterator[Metric]:
        bills = GaugeMetricFamily("billtracker_bills", "Bills stored.", labels=["jurisdiction"])
        age = GaugeMetricFamily(
            "billtracker_last_good_run_age_seconds", "Since the last published crawl.", labels=["jurisdiction"]
        )
        change = GaugeMetricFamily(
            "billtracker_last_real_change_age_seconds", "Since something changed.", labels=["jurisdiction"]
        )
        failures = GaugeMetricFamily(
            "billtracker_crawl_failures", "Crawls in a row that brought nothing usable.", labels=["jurisdiction"]
        )
        state = GaugeMetricFamily(
            "billtracker_jurisdiction_state", "1 for the state a jurisdiction is in.", labels=["jurisdiction", "state"]
        )
        for row in freshness.survey(self.engine, now=self.now):
            code, fresh = row["code"], row["freshness"]
            if fresh["state"] == "unseen":
                continue
            bills.add_metric([code], fresh["bills"])
            failures.add_metric([code], fresh["failures"])
            for metric, moment in ((age, fresh["last_good_run"]), (change, fresh["last_real_change"])):
                if moment:
                    metric.add_metric([code], self._age(dt.datetime.fromisoformat(moment)))
            for name in _STATES:
                state.add_metric([code, name], float(fresh["state"] == name))
        yield from (bills, age, change, failures, state)

    def _jobs(self) -> Iterator[Metric]:
        seconds = GaugeMetricFamily("billtracker_job_seconds", "How long the last run took.", labels=["job"])
        ended = GaugeMetricFamily("billtracker_job_age_seconds", "Since the last run ended.", labels=["job"])
        status = GaugeMetricFamily("billtracker_job_status", "1 for how the last run ended.", labels=["job", "status"])
        for name, run in sorted(jobs.latest(self.engine).items()):
            status.add_metric([name, run.status], 1)
            if run.finished_at:
                ended.add_metric([name], self._age(run.finished_at))
            if run.seconds is not None:
                seconds.add_metric([name], run.seconds)
        yield from (seconds, ended, status)
        beat = signs.last(self.engine)
        if beat is not None:
            yield GaugeMetricFamily(
                "billtracker_clock_age_seconds", "Since the clock's last sign of life.", self._age(beat.seen_at)
            )

    def _stored(self, connection: Connection) -> Iterator[Metric]:
        newest = connection.execute(select(func.max(BillEventRow.seq))).scalar() or 0
        yield GaugeMetricFamily("billtracker_event_seq", "The newest event's sequence number.", newest)
        readers = connection.execute(select(func.count()).select_from(SubscriberRow)).scalar_one()
        yield GaugeMetricFamily("billtracker_readers", "Subscribers.", readers)
        tags = GaugeMetricFamily("billtracker_tags", "Current tags that are applied.", labels=["strategy"])
        for strategy, count in connection.execute(
            select(TagRow.strategy, func.count())
            .where(TagRow.applied, TagRow.removed_at.is_(None))
            .group_by(TagRow.strategy)
        ):
            tags.add_metric([strategy], count)
        mails = GaugeMetricFamily("billtracker_deliveries", "Mails by their state.", labels=["state"])
        for name, count in connection.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)):
            mails.add_metric([name], count)
        texts = GaugeMetricFamily("billtracker_texts", "Version texts by how they could be read.", labels=["status"])
        for name, count in connection.execute(select(BillTextRow.status, func.count()).group_by(BillTextRow.status)):
            texts.add_metric([name], count)
        yield from (tags, mails, texts)

    def _age(self, moment: dt.datetime) -> float:
        return max(0.0, (self.now - moment).total_seconds())
