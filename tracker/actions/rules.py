"""Rules that turn the text of an action into classes: loading, checking, matching.

A file holds ``[[rule]]`` tables. Rules are tried in order, the state's file first, then ``general.toml``;
every rule that matches adds its classes, until one with ``stop = true`` ends the search. Keys:

``match``     regex, searched without regard to case
``classes``   words of ``ActionClass``; may be empty where the rule only stops or is dull
``unless``    regex; the rule does not match a text in which this is found
``chamber``   the rule holds only for actions of this chamber
``dull``      the action is housekeeping that no reader wants to hear of
``stop``      no later rule is tried
``examples``  texts the rule must match (a test checks)
``not``       texts the rule must not match

A text that no rule knows yields the empty tuple: unknown is never guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tracker.vocabulary import ACTION_CLASSES, CHAMBERS

FOLDER = Path(__file__).parent
#: No sense is found past this many characters; bounds the work on pasted-in texts.
MAX_LENGTH = 600

_KEYS = frozenset({"match", "classes", "unless", "chamber", "dull", "stop", "examples", "not"})
_CLASSES = frozenset(ACTION_CLASSES)
_ORDER = {name: place for place, name in enumerate(ACTION_CLASSES)}
_SPACE = re.compile(r"\s+")
# A quantified group that itself ends in an open quantifier: (a+)+ and its like.
_NESTED = re.compile(r"[*+]\)[*+{]")
_PLACE = re.compile(r"[a-z]{2}")
# Some sources write the date before each text.
_DATED = re.compile(r"^\d{1,2}/\d{1,2}/\d{2,4} ")
_NUMBER = re.compile(r"\b[0-9]+\b")


class ActionRuleError(ValueError):
    """A rule file is wrong: names the file, the rule and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of knowledge about the words of legislatures."""

    name: str
    match: re.Pattern[str]
    classes: tuple[str, ...]
    unless: re.Pattern[str] | None = None
    chamber: str = ""
    dull: bool = False
    stop: bool = False
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()

    def matches(self, text: str, chamber: str = "") -> bool:
        """Whether the rule speaks about this (tidied) text."""
        if self.chamber and self.chamber != chamber:
            return False
        return bool(self.match.search(text)) and not (self.unless and self.unless.search(text))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules that hold for one jurisdiction, in order."""

    rules: tuple[Rule, ...]

    def apply(self, text: str, chamber: str = "") -> tuple[tuple[str, ...], bool]:
        """The classes of a text in the order of a bill's life, and whether a dull rule matched."""
        text = tidy(text)
        found: set[str] = set()
        dull = False
        for rule in self.rules:
            if rule.matches(text, chamber):
                found.update(rule.classes)
                dull = dull or rule.dull
                if rule.stop:
                    break
        return tuple(sorted(found, key=_ORDER.__getitem__)), dull


def tidy(text: str) -> str:
    """One line, single spaces, bounded length, no date before it."""
    return _DATED.sub("", _SPACE.sub(" ", text[: MAX_LENGTH * 2]).strip()[:MAX_LENGTH])


def _number(found: re.Match[str]) -> str:
    digits = found.group()
    return "2000" if len(digits) == 4 and digits.startswith("20") else "0"


def _pattern(value: Any, where: str, key: str) -> re.Pattern[str]:
    if not isinstance(value, str) or not value:
        raise ActionRuleError(f"{where}: {key} must be a regex in quotes")
    if _NESTED.search(value):
        raise ActionRuleError(f"{where}: {key} repeats a repetition, which can take for ever: {value!r}")
    try:
        return re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ActionRuleError(f"{where}: {key} is not a regex: {error}") from error


def _texts(value: Any, where: str, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ActionRuleError(f"{where}: {key} must be a list of texts")
    return tuple(value)


def _flag(value: Any, where: str, key: str) -> bool:
    if not isinstance(value, bool):
        raise ActionRuleError(f"{where}: {key} must be true or false")
    return value


def _rule(raw: Any, where: str) -> Rule:
    if not isinstance(raw, Mapping):
        raise ActionRuleError(f"{where}: must be a table")
    for key in raw:
        if key not in _KEYS:
            raise ActionRuleError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(_KEYS))}")
    for key in ("match", "classes"):
        if key not in raw:
            raise ActionRuleError(f"{where}: {key} is missing")
    classes = _texts(raw["classes"], where, "classes")
    for name in classes:
        if name not in _CLASSES:
            raise ActionRuleError(f"{where}: {name!r} is not an action class")
    chamber = raw.get("chamber", "")
    if chamber and chamber not in CHAMBERS:
        raise ActionRuleError(f"{where}: {chamber!r} is not a chamber; known are {', '.join(CHAMBERS)}")
    return Rule(
        name=where,
        match=_pattern(raw["match"], where, "match"),
        classes=classes,
        unless=_pattern(raw["unless"], where, "unless") if "unless" in raw else None,
        chamber=chamber,
        dull=_flag(raw.get("dull", False), where, "dull"),
        stop=_flag(raw.get("stop", False), where, "stop"),
        examples=_texts(raw.get("examples", []), where, "examples"),
        counter_examples=_texts(raw.get("not", []), where, "not"),
    )


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read and check one file; errors name the file and the rule (counted from 1, with its regex)."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ActionRuleError(f"{path.name}: not readable as TOML: {error}") from error
    extra = sorted(set(raw) - {"rule"})
    if extra:
        raise ActionRuleError(f"{path.name}: unknown key {extra[0]!r}; only [[rule]] tables are known")
    tables = raw.get("rule", [])
    if not isinstance(tables, list):
        raise ActionRuleError(f"{path.name}: rules are written [[rule]]")
    rules = []
    for number, table in enumerate(tables, 1):
        match = table.get("match", "") if isinstance(table, Mapping) else ""
        rules.append(_rule(table, f"{path.name}, rule {number} ({str(match)[:60]})"))
    return tuple(rules)


@lru_cache(maxsize=1)
def _general() -> tuple[Rule, ...]:
    return load_rules(FOLDER / "general.toml")


@lru_cache(maxsize=128)
def rules_for(jurisdiction: str) -> RuleSet:
    """The rules of a jurisdiction ("va"): its own first, then the general ones."""
    path = FOLDER / f"{jurisdiction}.toml"
    own = load_rules(path) if _PLACE.fullmatch(jurisdiction) and path.is_file() else ()
    return RuleSet(own + _general())


@lru_cache(maxsize=1 << 17)
def _apply_plain(jurisdiction: str, description: str, chamber: str) -> tuple[tuple[str, ...], bool]:
    return rules_for(jurisdiction).apply(description, chamber)


@lru_cache(maxsize=1 << 17)
def _apply(jurisdiction: str, description: str, chamber: str) -> tuple[tuple[str, ...], bool]:
    # Texts that differ in roll calls, page numbers and dates only are one text to the rules.
    return _apply_plain(jurisdiction, _NUMBER.sub(_number, description[: MAX_LENGTH * 2]), chamber)


@lru_cache(maxsize=128)
def _asks_chamber(jurisdiction: str) -> bool:
    return any(rule.chamber for rule in rules_for(jurisdiction).rules)


def classify_action(jurisdiction: str, description: str, chamber: str = "") -> tuple[str, ...]:
    """Classes of an action by its text; empty where no rule knows it."""
    return _apply(jurisdiction, description, chamber if _asks_chamber(jurisdiction) else "")[0]


def is_dull(jurisdiction: str, description: str, classes: Sequence[str] = ()) -> bool:
    """Housekeeping: a dull rule matched and nothing but sponsorship happened by the classes known."""
    given, dull = _apply(jurisdiction, description, "")
    return dull and not ({*given, *classes} - {"sponsorship"})
