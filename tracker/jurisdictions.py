"""The 56 jurisdictions as data: names, time zones, chambers, sessions, sources and their politeness.

``jurisdictions.toml`` beside this module holds the facts (its head explains each field); this module reads
and checks them once and answers questions about them. An error in the file is one sentence that names the
jurisdiction and the field.

    places = load()
    places.get("tx").name                                # "Texas"
    places.session_for("va", date(2026, 2, 1)).identifier  # "2026"
    places.sitting("mt", date(2026, 2, 1))               # "adjourned"
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from tracker.vocabulary import Chamber

PATH = Path(__file__).with_name("jurisdictions.toml")
#: Days after adjournment in which a governor may still act, where neither session nor state says otherwise.
DEFAULT_SIGNING_DAYS = 45

Sitting = Literal["sitting", "adjourned", "unknown"]
_M = TypeVar("_M", bound=BaseModel)
_SPLIT = re.compile(r"^([A-Z]+) ?(\d+)(.*)$")


class JurisdictionError(ValueError):
    """The data file is wrong: names the jurisdiction, the field and what is wrong there."""


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone") from error
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", value):
        raise ValueError(f"{value!r} is not a host name (lower case, no scheme, no path)")
    return value


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Host = Annotated[str, AfterValidator(_host)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class QuietHours(_Data):
    """Hours in which a site asks not to be crawled, in the jurisdiction's own time."""

    start: dt.time
    end: dt.time

    def covers(self, moment: dt.time) -> bool:
        """Whether ``moment`` (local) is in the quiet hours; a span may run over midnight."""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


def _quiet(value: object) -> object:
    """``"06:00-21:00"`` as written in the file."""
    if isinstance(value, str):
        start, dash, end = value.partition("-")
        if not dash:
            raise ValueError('is written "HH:MM-HH:MM"')
        return {"start": start, "end": end}
    return value


class Politeness(_Data):
    """What a site asks of visitors, and what we take from it at most.

    ``delay`` is seconds between two requests to one host, ``timeout`` seconds for one reply, ``max_mb`` the size of
    one reply unpacked, ``max_hours`` the length of a crawl.
    """

    delay: Annotated[float, Field(ge=0, le=600)] = 1.0
    timeout: Annotated[float, Field(gt=0, le=3600)] = 180.0
    max_mb: Annotated[int, Field(gt=0, le=4096)] = 128
    max_hours: Annotated[float, Field(gt=0, le=24)] = 8.0
    concurrency: Annotated[int, Field(ge=1, le=8)] = 1
    quiet_hours: Annotated[QuietHours | None, BeforeValidator(_quiet)] = None
    robots: str = ""
    terms: str = ""


Brought = Literal["actions", "sponsorships", "versions", "related_bills", "hearings", "abstracts", "subject"]


class Source(_Data):
    """A place to get a jurisdiction's bills from.

    ``kind`` is official or mirror; ``proof`` says how far it is proven: ``live`` after a real crawl,
    ``recorded`` against real replies, ``facts`` against its description only. ``module`` is the crawler
    (``va`` is crawlers/jurisdictions/va.py, ``govbot`` crawlers/mirrors/govbot.py). ``hosts`` is the allow
    list, redirects included. ``empty`` are statuses with which the site says "nothing there".
    ``brings`` are the fields of a record that its crawler fills where the source has them.
    ``requires_key`` names the environment variable that holds the key. ``queries_a_month`` or ``queries_a_day``
    is what the key allows (0: no limit); the count is kept in the database.
    """

    name: _Text
    kind: Literal["official", "mirror"]
    proof: Literal["live", "recorded", "facts"]
    brings: tuple[Brought, ...] = ()
    module: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    url: Annotated[str, StringConstraints(pattern=r"^(https?|ftp)://")]
    hosts: tuple[Host, ...] = Field(min_length=1)
    requires_key: Annotated[str, StringConstraints(pattern=r"^([A-Z][A-Z0-9_]*)?$")] = ""
    bulk: bool = False
    empty: tuple[Annotated[int, Field(ge=400, le=599)], ...] = ()
    conditional: tuple[Literal["etag", "last-modified", "hash", "cursor", "stamp"], ...] = ()
    budget: str = ""
    queries_a_month: Annotated[int, Field(ge=0)] = 0
    queries_a_day: Annotated[int, Field(ge=0)] = 0
    note: str = ""
    politeness: Politeness = Politeness()


class Period(_Data):
    """Days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and self.start <= day <= self.end


def _period(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"start": value[0], "end": value[1]}
    return value


class Session(_Data):
    """A legislative session.

    ``identifier`` is Open States'; ``site`` is what the state's own site calls it (same when empty).
    ``start`` to ``end`` is the session's life; ``meets`` are the days the chambers sit in it (all of it when
    empty). ``crossover`` is the day by which a bill must have passed its first chamber.
    ``dates = "approximate"`` marks days that are scheduled or remembered, not checked.
    """

    identifier: _Text
    name: _Text
    classification: Literal["primary", "special"] = "primary"
    start: dt.date
    end: dt.date
    site: str = ""
    prefile: dt.date | None = None
    meets: tuple[Annotated[Period, BeforeValidator(_period)], ...] = ()
    crossover: dt.date | None = None
    executive_until: dt.date | None = None
    carries_over_to: str = ""
    dates: Literal["known", "approximate"] = "known"

    @model_validator(mode="after")
    def _in_order(self) -> Session:
        if self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        if self.prefile and self.prefile > self.start:
            raise ValueError(f"prefile {self.prefile} is after the start, {self.start}")
        if self.executive_until and self.executive_until < self.sittings[-1].end:
            raise ValueError(f"executive_until {self.executive_until} is before adjournment")
        previous = self.start
        for period in self.meets:
            if period.start < previous or period.end > self.end:
                raise ValueError(f"meets {period.start} to {period.end} is out of order or out of the session")
            previous = period.end
        return self

    @property
    def sittings(self) -> tuple[Period, ...]:
        """The periods in which the chambers sit."""
        return self.meets or (Period(start=self.start, end=self.end),)

    @property
    def site_id(self) -> str:
        """The session as the state's own site spells it."""
        return self.site or self.identifier

    @property
    def year(self) -> int:
        """The year the session began in."""
        return self.start.year


@cache
def _kept_zone(name: str) -> ZoneInfo:
    # The library keeps eight zones and reads the files of others anew; a survey of all states goes through more.
    return ZoneInfo(name)


class Jurisdiction(_Data):
    """One of the 56, with everything the file says about it."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    name: _Text
    division: Annotated[str, StringConstraints(pattern=r"^ocd-division/country:us(/[a-z]+:[a-z]{2})?$")]
    time_zone: Annotated[str, AfterValidator(_zone)]
    chambers: Mapping[Literal["upper", "lower", "legislature"], _Text]
    website: Annotated[str, StringConstraints(pattern=r"^https?://")]
    hosts: tuple[Host, ...] = ()
    politeness: Politeness = Politeness()
    bill_page: str = ""
    signing_days: Annotated[int, Field(ge=0, le=400)] = DEFAULT_SIGNING_DAYS
    sessions: tuple[Session, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Jurisdiction:
        if set(self.chambers) not in ({"upper", "lower"}, {"legislature"}):
            raise ValueError("chambers are upper and lower, or legislature alone")
        seen: set[str] = set()
        for session in self.sessions:
            if session.identifier in seen:
                raise ValueError(f"session {session.identifier!r} is there twice")
            seen.add(session.identifier)
        names = [source.name for source in self.sources]
        if len(names) != len(set(names)):
            raise ValueError("two sources have the same name")
        return self

    @property
    def ocd_id(self) -> str:
        """Open States' id, as ``ocd-jurisdiction/country:us/state:tx/government``."""
        return self.division.replace("ocd-division/", "ocd-jurisdiction/", 1) + "/government"

    @property
    def zone(self) -> ZoneInfo:
        """The capital's time zone."""
        return _kept_zone(self.time_zone)

    @property
    def unicameral(self) -> bool:
        """Nebraska, the District of Columbia, Guam, the Virgin Islands."""
        return "legislature" in self.chambers

    def chamber_name(self, chamber: str) -> str:
        """``upper`` → "Senate"; the executive is "Governor" (President, Mayor); "" for what is not known."""
        if chamber == Chamber.EXECUTIVE:
            return {"us": "President", "dc": "Mayor"}.get(self.code, "Governor")
        if chamber == Chamber.LEGISLATURE and not self.unicameral:
            return "Legislature"
        return dict(self.chambers).get(chamber, "")  # type: ignore[call-overload, no-any-return]

    @cached_property
    def by_identifier(self) -> Mapping[str, Session]:
        """Its sessions by identifier."""
        return {session.identifier: session for session in self.sessions}


class Mirror(_Data):
    """A source that covers many jurisdictions: ``covers`` lists their codes, ``["*"]`` is all 56."""

    covers: tuple[str, ...] = Field(min_length=1)
    codes: Mapping[str, str] = Field(default_factory=dict)
    source: Source

    def source_for(self, code: str) -> Source:
        """The source with ``{code}`` in its address filled in; ``codes`` holds the mirror's own spellings."""
        url = self.source.url.replace("{code}", self.codes.get(code, code))
        return self.source.model_copy(update={"url": url})


class Jurisdictions(Mapping[str, Jurisdiction]):
    """All jurisdictions by code, in the file's order."""

    def __init__(self, places: Mapping[str, Jurisdiction], mirrors: Mapping[str, Mirror]) -> None:
        self._places = dict(places)
        self.mirrors = dict(mirrors)
        self._names: dict[str, str] = {}
        for code, place in self._places.items():
            for name in (code, place.name, place.ocd_id, place.division):
                self._names[name.lower()] = code
        self._hosts: dict[str, tuple[Politeness, str]] = {}
        for code, place in self._places.items():
            for host in place.hosts:
                self._hosts[host] = (place.politeness, code)
        for code, place in self._places.items():
            for source in place.sources:
                for host in source.hosts:
                    self._hosts[host] = (source.politeness, code)
        for mirror in self.mirrors.values():
            for host in mirror.source.hosts:
                self._hosts.setdefault(host, (mirror.source.politeness, ""))

    def __getitem__(self, code: str) -> Jurisdiction:
        return self._places[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def get(self, name: str, default: object = None) -> Jurisdiction:
        """The jurisdiction by code ("tx"), name ("Texas") or OCD id; KeyError is one helpful sentence."""
        code = self._names.get(name.strip().lower())
        if code is not None:
            return self._places[code]
        near = difflib.get_close_matches(name.strip().lower(), self._names, n=1, cutoff=0.6)
        place = self._places[self._names[near[0]]] if near else None
        hint = f"did you mean {place.code} ({place.name})?" if place else "give a postal code such as tx."
        raise KeyError(f"There is no jurisdiction {name[:60]!r}: {hint}")

    def session(self, name: str, identifier: str) -> Session | None:
        """The session by Open States' identifier or by the site's own; None when it is not known."""
        place = self.get(name)
        known = place.by_identifier.get(identifier)
        if known:
            return known
        return next((session for session in place.sessions if session.site == identifier), None)

    def session_for(self, name: str, day: dt.date) -> Session:
        """The regular session a crawl on ``day`` is about.

        The one whose life holds the day; before a session, from its prefile day on, that one; in between the
        latest that has begun; before all that are known, the first.
        """
        regular = [session for session in self.get(name).sessions if session.classification == "primary"]
        regular.sort(key=lambda session: session.start)
        begun = [session for session in regular if (session.prefile or session.start) <= day]
        for session in reversed(begun):
            if session.start <= day <= session.end:
                return session
        return begun[-1] if begun else regular[0]

    def active_sessions(self, name: str, day: dt.date) -> tuple[Session, ...]:
        """Every session worth crawling on ``day``, specials too: from prefile to the last signature."""
        place = self.get(name)
        return tuple(
            session
            for session in place.sessions
            if (session.prefile or session.start) <= day <= self.signatures_until(name, session)
        )

    def signatures_until(self, name: str, session: Session) -> dt.date:
        """The last day on which the executive may still act on the session's bills."""
        if session.executive_until and session.executive_until >= session.end:
            return session.executive_until
        place = self.get(name)
        last = session.sittings[-1].end
        return max(session.end, session.executive_until or last + dt.timedelta(days=place.signing_days))

    def sitting(self, name: str, day: dt.date) -> Sitting:
        """Whether the legislature sits on ``day``; what staleness is judged by.

        ``sitting``: new actions are expected. ``adjourned``: quiet is normal (signatures may still come, see
        :meth:`awaits_signatures`). ``unknown``: the day is outside the years the file knows.
        """
        sessions = self.get(name).sessions
        if any(day in period for session in sessions for period in session.sittings):
            return "sitting"
        first = min(session.start for session in sessions)
        last = max(session.end for session in sessions)
        return "adjourned" if dt.date(first.year, 1, 1) <= day <= dt.date(last.year, 12, 31) else "unknown"

    def awaits_signatures(self, name: str, day: dt.date) -> bool:
        """Whether a sitting is over and the executive may still sign or veto what it passed."""
        place = self.get(name)
        for session in place.sessions:
            for at, period in enumerate(session.sittings):
                until = period.end + dt.timedelta(days=place.signing_days)
                if at == len(session.sittings) - 1 and session.executive_until:
                    until = session.executive_until
                if period.end < day <= until:
                    return True
        return False

    def sources_for(self, name: str, prefer: str = "") -> tuple[Source, ...]:
        """A jurisdiction's sources, best first: official ones, then the mirrors that cover it.

        ``prefer`` (the admin's one line of settings) puts the source of that name first; an unknown one is a
        KeyError that lists what there is.
        """
        place = self.get(name)
        found = [*place.sources]
        found += [m.source_for(place.code) for m in self.mirrors.values() if {"*", place.code} & set(m.covers)]
        if prefer:
            chosen = [source for source in found if source.name == prefer]
            if not chosen:
                names = ", ".join(source.name for source in found)
                raise KeyError(f"{place.name} has no source {prefer[:40]!r}: choose from {names}.")
            found = chosen + [source for source in found if source.name != prefer]
        return tuple(found)

    def politeness_for(self, host: str) -> tuple[Politeness, str]:
        """What ``host`` asks of visitors and the code whose clock its quiet hours use ("" for a mirror).

        A host the file does not know gets the cautious default.
        """
        return self._hosts.get(host.lower(), (Politeness(delay=2.0), ""))

    def bill_url(self, name: str, session: str, identifier: str) -> str:
        """The official page of a bill; "" where the state's addresses cannot be made from the identifier."""
        place = self.get(name)
        parts = _SPLIT.match(identifier)
        known = self.session(place.code, session)
        if not place.bill_page or not parts or (known is None and "{site}" in place.bill_page):
            return ""
        letters, number, suffix = parts[1], parts[2], parts[3].strip()
        compact = f"{letters}{number}{suffix}"
        if re.fullmatch(r"-\d+", suffix):  # "HB 26-1001": the first number is the session's
            number = suffix[1:]
        chamber = {"H": "house", "A": "house", "S": "senate"}.get(letters[:1], "house")
        year = str(known.year) if known else session[:4]
        return place.bill_page.format(
            session=session,
            site=known.site_id if known else session,
            year=year,
            yy=year[2:],
            compact=compact,
            lower=compact.lower(),
            letters=letters,
            kind=_CONGRESS.get(letters, letters.lower()),
            first=letters[:1],
            rest=letters[1:],
            number=number,
            padded=f"{letters}{int(number):04d}",
            chamber=chamber,
        )


_CONGRESS = {
    "HR": "house-bill",
    "S": "senate-bill",
    "HJRES": "house-joint-resolution",
    "SJRES": "senate-joint-resolution",
    "HCONRES": "house-concurrent-resolution",
    "SCONRES": "senate-concurrent-resolution",
    "HRES": "house-resolution",
    "SRES": "senate-resolution",
}


def read(path: Path) -> Jurisdictions:
    """Read and check a data file. Raises :class:`JurisdictionError`."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise JurisdictionError(f"{path.name} cannot be read: {error}") from error
    mirrors: dict[str, Mirror] = {}
    for name, entry in data.pop("mirrors", {}).items():
        if not isinstance(entry, dict):
            raise JurisdictionError(f"{path.name}: mirrors.{name} is not a table")
        own = {field: entry.pop(field) for field in ("covers", "codes") if field in entry}
        source = entry | {"name": name, "kind": "mirror", "module": name}
        mirrors[name] = _checked(Mirror, own | {"source": source}, f"mirrors.{name}")
    places: dict[str, Jurisdiction] = {}
    for code, entry in data.items():
        if not isinstance(entry, dict):
            raise JurisdictionError(f"{path.name}: {code} is not a table")
        places[code] = _checked(Jurisdiction, _inherited(code, entry), code)
    for name, mirror in mirrors.items():
        strange = [code for code in mirror.covers if code != "*" and code not in places]
        if strange:
            raise JurisdictionError(f"mirrors.{name}: covers: {strange[0]!r} is not a jurisdiction")
    return Jurisdictions(places, mirrors)


def _inherited(code: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An official source is polite as the jurisdiction's site is, except where it says otherwise."""
    made = {"code": code, **entry}
    site = dict(entry.get("politeness", {}))
    sources = entry.get("sources", ())
    if isinstance(sources, list):
        made["sources"] = [
            source | {"kind": source.get("kind", "official"), "politeness": site | source.get("politeness", {})}
            if isinstance(source, dict)
            else source
            for source in sources
        ]
    return made


def _checked(model: type[_M], data: object, where: str) -> _M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "entry"
        raise JurisdictionError(f"{where}: {field}: {first['msg'].removeprefix('Value error, ')}") from error


@lru_cache(maxsize=1)
def load() -> Jurisdictions:
    """The jurisdictions of the data file beside this module, read once."""
    return read(PATH)


def get(name: str) -> Jurisdiction:
    """:meth:`Jurisdictions.get` of :func:`load`."""
    return load().get(name)


def session_for(name: str, day: dt.date) -> Session:
    """:meth:`Jurisdictions.session_for` of :func:`load`."""
    return load().session_for(name, day)


def sitting(name: str, day: dt.date) -> Sitting:
    """:meth:`Jurisdictions.sitting` of :func:`load`."""
    return load().sitting(name, day)


def bill_url(name: str, session: str, identifier: str) -> str:
    """:meth:`Jurisdictions.bill_url` of :func:`load`."""
    return load().bill_url(name, session, identifier)


def ocd_id(name: str) -> str:
    """The OCD jurisdiction id of a code or name."""
    return load().get(name).ocd_id
