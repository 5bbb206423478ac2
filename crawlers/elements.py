"""XML and HTML as sites publish them: no entities resolved, namespaces not asked for, encodings as they come."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from lxml import etree
from parsel import Selector

from crawlers.tables import decode

# A parser that resolves nothing: a bill's data need no entities, and a bomb is made of them.
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
)


# Bytes that XML forbids, found in texts pasted from Word; a file with zero bytes is UTF-16 and left alone.
_FORBIDDEN = bytes(set(range(32)) - {9, 10, 13})
_TO_BLANKS = bytes.maketrans(_FORBIDDEN, b" " * len(_FORBIDDEN))


def parse(body: bytes) -> Any:
    """The root element. Raises ValueError."""
    try:
        return etree.fromstring(_allowed(body), _PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"broken XML: {error}") from error


def each(body: bytes, name: str) -> Iterator[Any]:
    """Elements of a local name one after the other, each gone when the next comes: for files too big for a tree.

    Raises ValueError where the XML breaks, after the elements before.
    """
    options: dict[str, Any] = {"resolve_entities": False, "no_network": True, "remove_comments": True}
    try:
        for _, element in etree.iterparse(io.BytesIO(_allowed(body)), tag=f"{{*}}{name}", **options):
            yield element
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise ValueError(f"broken XML: {error}") from error


def _allowed(body: bytes) -> bytes:
    return body if b"\x00" in body[:100] else body.strip().translate(_TO_BLANKS)


def named(root: Any, *names: str) -> Iterator[Any]:
    """Elements of these local names, wherever they are and whatever their namespace."""
    yield from root.iter(*(f"{{*}}{name}" for name in names))


def text(element: Any, *path: str) -> str:
    """The text of a child (of a child …) by local names, in single spaces; "" where there is none.

    Without names, the element's own.
    """
    found = element.find("/".join(f"{{*}}{name}" for name in path)) if path else element
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def texts(root: Any, *names: str) -> list[str]:
    """The texts of all elements of these local names, wherever they are; empty ones are left out."""
    return [words for item in named(root, *names) if (words := text(item))]


def first(root: Any, *names: str) -> str:
    """The first text of an element of these names; "" where there is none."""
    return next(iter(texts(root, *names)), "")


def page(body: bytes) -> Selector:
    """A web page, whatever the site says it is."""
    return Selector(text=decode(body).replace("\x00", ""), type="html")


def words(element: Selector) -> str:
    """All text of an element in single spaces; line breaks are blanks."""
    return " ".join(" ".join(element.xpath(".//text()").getall()).split())
