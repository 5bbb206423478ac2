"""HTML and XML to paragraphs or printed lines, by a recipe."""

from __future__ import annotations

import re
from typing import Any, cast

from lxml import etree, html
from lxml.cssselect import CSSSelector

from tracker.text.extraction import Limits, Refused
from tracker.text.lines import Line, Page
from tracker.text.marks import ADDED, ADDED_END, STRUCK, STRUCK_END, clean
from tracker.text.table import Recipe

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_NEVER = frozenset(
    [
        "script",
        "style",
        "noscript",
        "head",
        "title",
        "template",
        "svg",
        "math",
        "object",
        "iframe",
        "select",
        "option",
        "input",
        "button",
        "textarea",
        "nav",
        "audio",
        "video",
        "canvas",
        "map",
        "meta",
        "link",
    ]
)
_STRUCK_TAGS = frozenset({"s", "strike", "del"})
_ADDED_TAGS = frozenset({"ins"})
_CLASS = re.compile(r"^\s*(?:[A-Za-z][\w-]*)?\.([\w-]+)\s*$")
_STRIKE = re.compile(r"text-decoration[\w-]*\s*:[^;]*line-through", re.I)
_UNDER = re.compile(r"text-decoration[\w-]*\s*:[^;]*underline", re.I)
_GONE = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.I)
_UPPER = re.compile(r"text-transform\s*:\s*uppercase", re.I)
_SPACE = re.compile(r"[ \t\r\n\f]+")

LINE, PARAGRAPH = "\ufde0", "\ufde1"  # noncharacters: a line's end, a paragraph's end
GAP = PARAGRAPH + LINE + PARAGRAPH  # a paragraph's end that printed lines do not run over
_APART = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "section", "main", "header", "table", "dl", "hr"])


def parse_html(text: str, limits: Limits) -> Any:
    """The tree of an HTML page; raises Refused when there is none or it is too large."""
    if len(text) > limits.markup:
        raise Refused("too_large", f"The page has more than {limits.markup} characters.")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", clean(text), count=1)
    if not text.strip():
        raise Refused("empty", "The document is empty.")
    try:
        parser = html.HTMLParser(
            encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
        )
        tree = html.document_fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise Refused("empty", f"The page has no content ({type(error).__name__}).") from None
    return tree


def parse_xml(text: str, limits: Limits) -> Any:
    """The tree of an XML document, without entities, network or DTD; entity declarations are refused."""
    if len(text) > limits.markup:
        raise Refused("too_large", f"The XML has more than {limits.markup} characters.")
    if "<!ENTITY" in text:
        raise Refused("unsupported", "The XML declares entities, which are refused.")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", clean(text), count=1)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        recover=True,
    )
    try:
        tree = etree.fromstring(text.encode("utf-8", "ignore"), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Refused("garbled", f"The XML cannot be parsed ({type(error).__name__}).") from None
    if tree is None:
        raise Refused("empty", "The XML has no element.")
    for element in tree.iter("{*}*"):
        # Recipes speak of local names; which namespace a state puts them in is of no use to a reader.
        name = element.tag.rpartition("}")[2].strip(":").rpartition(":")[2]
        try:
            element.tag = name
        except ValueError:
            element.tag = "unnamed"  # A damaged file may have names that no file can be given.
    return tree


class Styles:
    """What the page's own style sheet says of each class: struck, underlined, hidden, upper case."""

    def __init__(self, tree: Any) -> None:
        self.classes: dict[str, set[str]] = {}
        for sheet in tree.iter("style"):
            for rule in (sheet.text_content() or "")[:2_000_000].split("}"):
                selectors, _, rules = rule.rpartition("{")
                found = self._of(rules) if len(selectors) < 5_000 and len(rules) < 5_000 else set()
                if found:
                    for one in selectors.split(","):
                        if match := _CLASS.match(one.rpartition("*/")[2].replace("<!--", "")):
                            self.classes.setdefault(match.group(1), set()).update(found)

    @staticmethod
    def _of(rules: str) -> set[str]:
        pairs = (("struck", _STRIKE), ("underlined", _UNDER), ("hidden", _GONE), ("upper", _UPPER))
        return {name for name, pattern in pairs if pattern.search(rules)}

    def of(self, element: Any) -> set[str]:
        found: set[str] = set()
        for name in (element.get("class") or "").split():
            found |= self.classes.get(name, set())
        style = element.get("style")
        return found | self._of(style) if style else found


def _select(tree: Any, selectors: tuple[str, ...]) -> list[Any]:
    found: list[Any] = []
    for css in selectors:
        found += cast(list[Any], CSSSelector(css)(tree))
    return found


def render(tree: Any, recipe: Recipe, *, xml: bool = False) -> str:
    """The tree as one string with marks, LINE and PARAGRAPH signs."""
    styles = None if xml else Styles(tree)
    roots = _select(tree, recipe.keep)
    held = set(roots)
    roots = [r for r in roots if not any(a in held for a in r.iterancestors())] or [tree]
    order = {node: n for n, node in enumerate(tree.iter())}
    roots.sort(key=lambda node: order.get(node, 0))
    dropped = set(_select(tree, recipe.drop))
    struck = set(_select(tree, recipe.struck))
    added = set(_select(tree, recipe.added))
    edges = dict.fromkeys(_select(tree, recipe.apart), ("", " "))
    edges |= dict.fromkeys(_select(tree, recipe.quoted), ("“", "”"))
    blocks = set(_select(tree, recipe.blocks))
    out: list[str] = []
    for root in roots:
        _walk(root, recipe, styles, (dropped, struck, added, blocks), edges, out)
        out.append(PARAGRAPH)
    return "".join(out)


def _walk(
    root: Any,
    recipe: Recipe,
    styles: Styles | None,
    sets: tuple[set[Any], set[Any], set[Any], set[Any]],
    edges: dict[Any, tuple[str, str]],
    out: list[str],
) -> None:
    dropped, struck, added, blocks = sets
    stack: list[tuple[Any, str, bool, bool]] = [
        (root, "", False, False)
    ]  # (element or "", closing text, in pre, upper)
    while stack:
        node, closing, pre, upper = stack.pop()
        if node is None:
            out.append(closing)
            continue
        if isinstance(node, str):
            out.append(_content(node, pre, upper))
            continue
        if not isinstance(node.tag, str):
            continue
        tag = node.tag.rpartition("}")[2].lower()
        found = styles.of(node) if styles else set()
        if "hidden" in found and next(node.iterancestors(*_STRUCK_TAGS), None) is not None:
            found = found - {"hidden"}  # Mississippi hides what it strikes: deleted words all the same
        hidden = node in dropped or "hidden" in found or (styles is not None and tag in _NEVER)
        if hidden:
            if tag in _BLOCKS and tag != "head":
                out.append(PARAGRAPH)
            continue
        if tag == "br" and styles:
            out.append(LINE)
            continue
        opening, end = edges.get(node, ("", ""))
        if node in struck or "struck" in found or (styles and tag in _STRUCK_TAGS):
            opening, end = STRUCK + opening, end + STRUCK_END
        elif (
            node in added
            or (styles and tag in _ADDED_TAGS)
            or (recipe.underline and ("underlined" in found or tag == "u"))
        ):
            opening, end = ADDED + opening, end + ADDED_END
        if (styles and tag in _BLOCKS) or node in blocks:
            sign = GAP if tag in _APART else PARAGRAPH
            opening, end = sign + opening, end + sign
        elif styles and tag in ("td", "th"):
            end += " "
        pre = pre or (tag in ("pre", "xmp") and styles is not None)
        upper = upper or "upper" in found
        if opening:
            out.append(opening)
        inner: list[tuple[Any, str, bool, bool]] = []
        if node.text:
            inner.append((node.text, "", pre, upper))
        for child in node:
            inner.append((child, "", pre, upper))
            if child.tail:
                inner.append((child.tail, "", pre, upper))
        inner.append((None, end, pre, upper))
        stack.extend(reversed(inner))


def _content(text: str, pre: bool, upper: bool) -> str:
    text = clean(text)
    if upper:
        text = text.upper()
    if pre:
        return text.replace("\r\n", LINE).replace("\n", LINE).replace("\r", LINE)
    return _SPACE.sub(" ", text)


def flow(rendered: str) -> list[str]:
    """Paragraphs of a rendered page; a line break inside a paragraph is a space, two are a new paragraph."""
    text = re.sub(rf"{LINE}\s*(?:{LINE}\s*)+", PARAGRAPH, rendered)
    return [p for p in text.replace(LINE, " ").split(PARAGRAPH) if p.strip()]


def lines(rendered: str) -> list[Page]:
    """One page of printed lines; blank lines are gaps, the left edge is the number of leading spaces."""
    page: Page = []
    for block in rendered.split(PARAGRAPH):
        if not block.strip() and LINE not in block:
            continue
        for raw in block.split(LINE):
            left = len(raw) - len(raw.lstrip(" \u00a0\t"))
            page.append(Line(raw.rstrip(), left=left * 7.0))
    return [page]
