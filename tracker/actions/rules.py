"""Ordered rules from data files: the text of an action → what it did.

A rule file is TOML: ``general.toml`` for everybody, ``<code>.toml`` for one jurisdiction, tried first. The
head of general.toml explains the fields. Rules are read once, every pattern is compiled at loading, and a
pattern is only tried on texts that hold one of the rule's trigger words (``needs``), which is what makes a
text cost microseconds. An error in a file names the file and the rule.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import ahocorasick
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from tracker.vocabulary import ActionClass

FOLDER = Path(__file__).parent
GENERAL = "general"
#: Real actions are shorter (the longest of half a million has 2,000 characters); the rest is not read.
MAX_TEXT = 1_000

Effect = Literal["", "passed_both", "disagreement", "failed", "revived", "single_chamber"]
Acting = Literal["", "upper", "lower", "legislature", "executive"]

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})


class RuleError(ValueError):
    """A rule file is wrong: names the file, the rule and what is wrong there."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class RuleData(BaseModel):
    """One ``[[rule]]`` as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    needs: tuple[str, ...] = Field(min_length=1)
    match: tuple[str, ...] = Field(min_length=1)
    unless: str = ""
    chamber: tuple[Literal["upper", "lower", "legislature", "executive", ""], ...] = ()
    classes: tuple[ActionClass, ...] = ()
    without: tuple[ActionClass, ...] = ()
    effect: Effect = ""
    by: Acting = ""
    stop: bool = False
    dull: bool = False
    examples: tuple[str, ...] = Field(min_length=1)
    not_: tuple[str, ...] = Field(default=(), alias="not")

    _lists = field_validator("needs", "match", "chamber", "classes", "without", "examples", "not_", mode="before")(
        _as_tuple
    )

    @field_validator("needs")
    @classmethod
    def _lower(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for word in needs:
            if word != word.lower() or len(word) < 2:
                raise ValueError(f"trigger word {word!r} is lower case and at least two characters long")
        return needs


class RuleFile(BaseModel):
    """A whole file: ``words`` are pieces of patterns, used as ``<name>``; ``strip`` is cut off the texts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Mapping[str, str] = Field(default_factory=dict)
    strip: tuple[str, ...] = ()
    general: bool = True
    rule: tuple[RuleData, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled."""

    file: str
    data: RuleData
    at_start: re.Pattern[str] | None
    anywhere: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None

    def matches(self, text: str, chamber: str) -> bool:
        """Whether the normalised ``text`` of an action of ``chamber`` is meant by this rule."""
        if self.data.chamber and chamber not in self.data.chamber:
            return False
        if not (self.at_start and self.at_start.match(text)) and not any(
            pattern.search(text) for pattern in self.anywhere
        ):
            return False
        return not (self.unless and self.unless.search(text))


@dataclass(frozen=True, slots=True)
class Match:
    """What an action did: classes in the vocabulary's order, and what only the stage needs to know.

    ``effect``: passed_both, disagreement, failed, revived, single_chamber; ``by``: the chamber the text names
    as acting; ``dull``: housekeeping that no reader needs; ``rules``: the names of the rules that spoke. A
    text that no rule knows has no rules.
    """

    classes: tuple[str, ...] = ()
    effect: Effect = ""
    by: Acting = ""
    dull: bool = False
    rules: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether any rule knew the text (it may still have no class, as "bill printed")."""
        return bool(self.rules)


UNKNOWN = Match()
_ORDER = {name: at for at, name in enumerate(ActionClass)}


@dataclass(slots=True)
class RuleSet:
    """The rules of one jurisdiction, ready to use."""

    rules: tuple[Rule, ...]
    strip: tuple[re.Pattern[str], ...]
    _triggers: Any = field(init=False)

    def __post_init__(self) -> None:
        bits: dict[str, int] = {}
        for at, rule in enumerate(self.rules):
            for word in rule.data.needs:
                bits[word] = bits.get(word, 0) | 1 << at
        # One pass finds all trigger words; each carries the rules it wakes as a mask in file order.
        self._triggers = ahocorasick.Automaton()
        for word, mask in bits.items():
            self._triggers.add_word(word, mask)
        self._triggers.make_automaton()

    def normalise(self, description: str) -> str:
        """Lower case, single spaces, plain quotes, without the prefixes the files name."""
        text = " ".join(description[:MAX_TEXT].split()).lower()
        if not text.isascii():
            text = text.translate(_QUOTES)
        for pattern in self.strip:
            found = pattern.match(text)
            if found:
                text = text[found.end() :]
        return text

    def candidates(self, text: str) -> Iterator[Rule]:
        """The rules, in order, of which a trigger word is in ``text``."""
        if not self.rules:
            return
        mask = 0
        for _, bits in self._triggers.iter(text):
            mask |= bits
        while mask:
            low = mask & -mask
            yield self.rules[low.bit_length() - 1]
            mask ^= low

    def match(self, description: str, chamber: str = "") -> Match:
        """What the rules say about one action."""
        text = self.normalise(description)
        classes: set[ActionClass] = set()
        without: set[ActionClass] = set()
        spoken: list[str] = []
        effect: Effect = ""
        by: Acting = ""
        dull: bool | None = None
        for rule in self.candidates(text):
            if not rule.matches(text, chamber):
                continue
            data = rule.data
            spoken.append(data.name)
            classes.update(data.classes)
            without.update(data.without)
            effect = effect or data.effect
            by = by or data.by
            dull = data.dull if dull is None else dull and data.dull
            if data.stop:
                break
        if not spoken:
            return UNKNOWN
        kept = sorted(classes - without, key=_ORDER.__getitem__)
        return Match(tuple(str(name) for name in kept), effect, by, bool(dull), tuple(spoken))


def read_file(path: Path, words: Mapping[str, str] | None = None) -> tuple[list[Rule], RuleFile]:
    """Read and check one rule file; ``words`` are those of the general file. Raises :class:`RuleError`."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise RuleError(f"{path.name} cannot be read: {error}") from error
    try:
        data = RuleFile.model_validate(raw)
    except ValidationError as error:
        raise RuleError(f"{path.name}: {_where(raw, error)}") from error
    pieces = {**(words or {}), **data.words}
    rules: list[Rule] = []
    names: set[str] = set()
    for entry in data.rule:
        where = f"{path.name}: rule {entry.name}"
        if entry.name in names:
            raise RuleError(f"{where}: there are two rules of this name")
        names.add(entry.name)
        start, anywhere = _alternatives([_filled(pattern, pieces, where) for pattern in entry.match], where)
        unless = _compiled(_filled(entry.unless, pieces, where), where) if entry.unless else None
        rules.append(Rule(path.stem, entry, start, anywhere, unless))
    return rules, data


def _where(raw: Mapping[str, Any], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    loc = list(first["loc"])
    problem = first["msg"].removeprefix("Value error, ")
    if len(loc) >= 2 and loc[0] == "rule" and isinstance(loc[1], int):
        entry = raw["rule"][loc[1]]
        name = entry.get("name", f"number {loc[1] + 1}") if isinstance(entry, dict) else f"number {loc[1] + 1}"
        return f"rule {name}: {'.'.join(str(part) for part in loc[2:]) or 'entry'}: {problem}"
    return f"{'.'.join(str(part) for part in loc) or 'file'}: {problem}"


_PIECE = re.compile(r"(?<!\?)<([a-z_]+)>")


def _filled(pattern: str, pieces: Mapping[str, str], where: str) -> str:
    def piece(found: re.Match[str]) -> str:
        if found[1] not in pieces:
            raise RuleError(f"{where}: there is no word <{found[1]}>")
        return f"(?:{pieces[found[1]]})"

    return _PIECE.sub(piece, pattern)


def _alternatives(patterns: Sequence[str], where: str) -> tuple[re.Pattern[str] | None, tuple[re.Pattern[str], ...]]:
    """The alternatives bound to the start as one pattern, each other one by itself.

    A pattern of its own lets the engine look for its first letters; one big alternation tries every branch
    at every position of the text, which costs five times as much.
    """
    for pattern in patterns:
        _compiled(pattern, where)
    parts = [part for pattern in patterns for part in _branches(pattern)]
    bound = [part for part in parts if part.startswith("^")]
    free = tuple(_compiled(part, where) for part in parts if not part.startswith("^"))
    return (_compiled("|".join(bound), where) if bound else None), free


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]|[^\\\[()|]+", re.DOTALL)


def _branches(pattern: str) -> list[str]:
    """A pattern cut at the bars that are outside all brackets."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts


# A number in a pattern itself: not a repetition, an escape or a class of characters.
_LITERAL_NUMBER = re.compile(r"(?<![\\{,\d])(?!20)\d{2,}(?![\d,}])")


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    if found := _LITERAL_NUMBER.search(pattern):
        raise RuleError(f"{where}: the number {found[0]} stands in a pattern, but rules see numbers as zeros: use \\d+")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise RuleError(f"{where}: the pattern is wrong: {error}") from error


@lru_cache(maxsize=4)
def _general(folder: Path) -> tuple[tuple[Rule, ...], RuleFile]:
    rules, data = read_file(folder / f"{GENERAL}.toml")
    return tuple(rules), data


def read_rules(jurisdiction: str, folder: Path = FOLDER) -> RuleSet:
    """The jurisdiction's own rules, then the general ones (unless its file says ``general = false``)."""
    general, base = _general(folder)
    own: Sequence[Rule] = ()
    strip = base.strip
    path = folder / f"{jurisdiction}.toml"
    if jurisdiction != GENERAL and path.is_file():
        own, data = read_file(path, base.words)
        strip = (*data.strip, *strip)
        if not data.general:
            general = ()
    where = f"{jurisdiction}: strip"
    return RuleSet((*own, *general), tuple(_compiled(_filled(p, base.words, where), where) for p in strip))


@lru_cache(maxsize=64)
def rules_for(jurisdiction: str) -> RuleSet:
    """:func:`read_rules`, kept."""
    known = re.fullmatch(r"[a-z]{2}", jurisdiction) is not None
    return read_rules(jurisdiction if known else GENERAL)


@lru_cache(maxsize=65_536)
def match_action(jurisdiction: str, description: str, chamber: str = "") -> Match:
    """Everything the rules say about one action; the same texts come back by the thousand, so it is kept."""
    return _match_of_kind(jurisdiction, without_numbers(description), chamber)


@lru_cache(maxsize=65_536)
def _match_of_kind(jurisdiction: str, description: str, chamber: str) -> Match:
    return rules_for(jurisdiction).match(description, chamber)


# Bills, chapters, votes and days: texts that differ in these only are of one kind. Years are told apart, since
# rules know them ("continued to 2027"), and so are single digits ("2nd reading").
_NUMBER = re.compile(r"(?<!\d)(?!20)\d{2,}")


def without_numbers(description: str) -> str:
    """The text with the digits of its longer numbers made 0, which no rule may depend on."""
    return _NUMBER.sub(lambda found: "0" * len(found[0]), description)


EFFECTS: tuple[str, ...] = get_args(Effect)
