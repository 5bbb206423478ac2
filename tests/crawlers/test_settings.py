"""The settings that every crawl gets of Scrapy."""

from __future__ import annotations

from scrapy.settings import Settings

from crawlers.settings import scrapy_settings
from tracker.jurisdictions import Politeness


def test_no_crawl_opens_a_door_through_which_code_runs() -> None:
    settings = Settings(scrapy_settings(Politeness(), replaying=False))
    extensions = {name.rpartition(".")[2] for name in settings.get_component_priority_dict_with_base("EXTENSIONS")}
    assert {"CloseSpider", "AutoThrottle"} <= extensions
    assert not {"TelnetConsole", "RemoteControl"} & extensions
    assert not settings.getbool("REMOTE_CONTROL_ENABLED") and not settings.getbool("TELNETCONSOLE_ENABLED")
    parts = settings.get_component_priority_dict_with_base("DOWNLOADER_MIDDLEWARES")
    assert not any("cookies" in name for name in parts)
