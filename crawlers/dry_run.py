"""Runs a spider on a recording in this process, without Scrapy's engine: for checks, tests and fuzzing.

What the engine adds (delays, robots, retries) is left out; everything a spider does with replies is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from scrapy import Request
from scrapy.exceptions import CloseSpider, DropItem, IgnoreRequest
from twisted.python.failure import Failure

from crawlers.account import Account, RecordPipeline
from crawlers.conditional import ConditionalMiddleware
from crawlers.recording import Recording
from crawlers.spider import BillSpider

MAX_REQUESTS = 100_000


def run(spider: BillSpider, site: Recording | None = None) -> Account:
    """Feed a spider its recording; records go to ``spider.out`` as in a real crawl.

    ``site``: replies for a spider without a recording of its own, which asks as it would ask the site.
    """
    replies = site or spider.recording
    pipeline = RecordPipeline()
    conditional = ConditionalMiddleware()
    conditional.opened(spider)
    pipeline.opened(spider)
    waiting: list[Request] = []

    def take(made: Iterable[Any] | None) -> None:
        for item in made or ():
            if isinstance(item, Request):
                waiting.append(item)
                continue
            with suppress(DropItem):
                pipeline.process_item(item)

    async def start() -> None:
        async for item in spider.start():
            take([item])

    try:
        asyncio.run(start())
        while waiting and spider.account.requests < MAX_REQUESTS:
            request = waiting.pop(0)
            take(_answer(spider, conditional, request, replies))
    except CloseSpider:
        pass
    finally:
        pipeline.closed(spider)
    return spider.account


def _answer(
    spider: BillSpider, conditional: ConditionalMiddleware, request: Request, replies: Recording | None
) -> Iterable[Any] | None:
    conditional.process_request(request)
    reply = replies.response(request) if replies else None
    if reply is None:
        spider.account.issue("not_recorded", "", request.url[:300])
        failure: Any = Failure(IgnoreRequest("not in the recording"))  # type: ignore[no-untyped-call]
        failure.request = request
        made: Iterable[Any] | None = request.errback(failure) if request.errback else None
        return made
    reply = conditional.process_response(request, reply)
    assert request.callback is not None
    answered: Iterable[Any] | None = request.callback(reply, **request.cb_kwargs)
    return answered
