"""XML and HTML as sites publish them: no entities resolved, namespaces not asked for, encodings as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree
from parsel import Selector

from crawlers.tables import decode

# A parser that resolves nothing: a bill's data need no entities, and a bomb is made of them.
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
)


def parse(body: bytes) -> Any:
    """The root element. Raises ValueError."""
    try:
        return etree.fromstring(body.strip(), _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"broken XML: {error}") from error


def named(root: Any, *names: str) -> Iterator[Any]:
    """Elements of these local names, wherever they are and whatever their namespace."""
    yield from root.iter(*(f"{{*}}{name}" for name in names))


def text(element: Any, *path: str) -> str:
    """The text of a child (of a child …) by local names, in single spaces; "" where there is none."""
    found = element.find("/".join(f"{{*}}{name}" for name in path))
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def page(body: bytes) -> Selector:
    """A web page, whatever the site says it is."""
    return Selector(text=decode(body).replace("\x00", ""), type="html")


def words(element: Selector) -> str:
    """All text of an element in single spaces; line breaks are blanks."""
    return " ".join(" ".join(element.xpath(".//text()").getall()).split())
