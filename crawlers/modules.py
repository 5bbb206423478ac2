"""Finds crawlers by name: a file in ``jurisdictions/`` or ``mirrors/`` is all that a new one takes."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import cast

import crawlers.jurisdictions
import crawlers.mirrors
from crawlers.base import BillSpider

_PACKAGES = (crawlers.jurisdictions, crawlers.mirrors)


@cache
def spider(name: str) -> type[BillSpider] | None:
    """The spider of a module such as ``va`` or ``govbot``; None where there is none."""
    for package in _PACKAGES:
        if any(module.name == name for module in pkgutil.iter_modules(package.__path__)):
            module = importlib.import_module(f"{package.__name__}.{name}")
            return cast(type[BillSpider], module.Spider)
    return None


def official() -> tuple[str, ...]:
    """Codes of the jurisdictions that have a module of their own."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(crawlers.jurisdictions.__path__)))
