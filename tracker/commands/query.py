"""Commands that read the database: search, show, changes, sql, export, quality; and analysts' own notes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from tracker import console

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values, safe to open in a spreadsheet.")]
State = Annotated[str, typer.Option(help="Postal codes, with commas.")]
Session = Annotated[str, typer.Option(help="Sessions, with commas.")]
Chamber = Annotated[str, typer.Option(help="upper, lower or legislature.")]
Class = Annotated[str, typer.Option("--class", help="Kinds, such as bill or resolution, with commas.")]
Subject = Annotated[list[str] | None, typer.Option(help="Words of a subject heading; may be repeated.")]
Sponsor = Annotated[list[str] | None, typer.Option(help="Words of a sponsor's name; may be repeated.")]
Stage = Annotated[str, typer.Option(help="Stages such as in_committee, with commas.")]
Strategy = Annotated[str, typer.Option(help="Strategies of the playbook, with commas.")]
MinScore = Annotated[float | None, typer.Option(min=0, max=1, help="Tags from this score, applied or not.")]
Since = Annotated[str, typer.Option(help="Latest action on or after this day (YYYY-MM-DD).")]
Until = Annotated[str, typer.Option(help="Latest action on or before this day.")]
SeenSince = Annotated[str, typer.Option(help="First seen by us on or after this day (UTC).")]
SeenUntil = Annotated[str, typer.Option(help="First seen by us on or before this day (UTC).")]
ChangedSince = Annotated[str, typer.Option(help="Last changed on or after this day (UTC).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (search, show, changes, sql, export, quality, note, watch):
        app.command()(command)


def search(
    query: Annotated[str, typer.Argument(help='Words, "a phrase", OR, -not, prefix*, HB 12.')] = "",
    state: State = "",
    session: Session = "",
    chamber: Chamber = "",
    class_: Class = "",
    subject: Subject = None,
    sponsor: Sponsor = None,
    stage: Stage = "",
    strategy: Strategy = "",
    min_score: MinScore = None,
    since: Since = "",
    until: Until = "",
    seen_since: SeenSince = "",
    seen_until: SeenUntil = "",
    changed_since: ChangedSince = "",
    newest: Annotated[bool, typer.Option("--newest", help="Newest first instead of best first.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many bills.")] = 20,
    offset: Annotated[int, typer.Option(help="Leave out so many.")] = 0,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Find bills by words and filters."""
    from dataclasses import replace

    from tracker.db import reading
    from tracker.search import QueryError
    from tracker.search import search as find
    from tracker.search_index import catch_up

    asked = replace(
        _query(query, state, session, chamber, class_, subject, sponsor, stage, strategy, min_score, since, until,
               seen_since, seen_until, changed_since),
        sort="newest" if newest else "ranked",
        limit=limit,
        offset=offset,
    )  # fmt: skip
    engine = console.open_database()
    catch_up(engine)
    try:
        with reading(engine) as connection:
            results = find(connection, asked)
    except QueryError as error:
        console.fail(str(error))
    rows = [hit.as_row() for hit in results.hits]
    if results.note:
        console.note(results.note)
    if as_csv:
        _print_csv(rows)
    elif as_json:
        console.emit(rows)
    else:
        for row in rows:
            tags = "".join(f"  [{name} {score:.2f}]" for name, score in row["tags"].items())
            typer.echo(
                console.printable(
                    f"{row['key']}  {row['marked_title']}\n    {row['stage']}  {row['latest_action_date'] or '?'}"
                    f"  {row['latest_action']}{tags}"
                )
            )
            if row["snippet"]:
                typer.echo(console.printable(f"    {row['snippet_field']}: … {row['snippet']} …"))
        console.note(f"{len(rows)} of {results.total:,}{'' if results.counted else '+'} bills")


def show(
    key: Annotated[str, typer.Argument(help="KEY such as tx/89R/HB 120.")],
    as_of: Annotated[str, typer.Option(help="As we knew it at the end of this day (UTC), or at an ISO moment.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Why each strategy was or was not applied.")] = False,
    as_json: Json = False,
) -> None:
    """One bill: where it stands, its history, its tags and the very words that show them."""
    from tracker.db import reading
    from tracker.history import NoBill, read_bill

    moment = _moment(as_of) if as_of else None
    engine = console.open_database()
    try:
        with reading(engine) as connection:
            bill = read_bill(connection, key, moment)
    except NoBill as error:
        console.fail(str(error))
    if explain:
        bill["explanation"] = _explanation(engine, bill["id"])
    if as_json:
        console.emit(bill)
        return
    typer.echo(console.printable(_text(bill)))


def _explanation(engine: Any, bill_id: int) -> dict[str, Any]:
    from tracker.classify import Classifier
    from tracker.db import reading
    from tracker.tagging import read_bills

    with reading(engine) as connection:
        content = read_bills(connection, [bill_id])[0].content
    return Classifier.load().explain(content)


def _text(bill: dict[str, Any]) -> str:
    lines = [
        f"{bill['key']}  {bill['title']}",
        f"  stage     {bill['stage']}" + (f" since {bill['stage_date']}" if bill["stage_date"] else ""),
        f"  latest    {bill['latest_action_date'] or '?'}  {bill['latest_action']}",
        f"  page      {bill['url']}",
        f"  seen      first {bill['first_seen']:%Y-%m-%d}, last changed {bill['last_changed']:%Y-%m-%d}",
    ]
    if "as_of" in bill:
        lines.append(f"  as of     {bill['as_of']:%Y-%m-%d %H:%M} UTC ({', '.join(bill['without_history'])}: as now)")
    if bill["vanished"]:
        lines.append(f"  vanished  from its source, {bill['vanished']:%Y-%m-%d}")
    sponsors = [s["name"] for s in bill["sponsorships"]]
    if sponsors:
        more = f" and {len(sponsors) - 5} more" if len(sponsors) > 5 else ""
        lines.append(f"  sponsors  {', '.join(sponsors[:5])}{more}")
    applied = [tag for tag in bill["tags"] if tag["applied"]]
    lines.append("tags" if applied else "tags: none")
    for tag in applied:
        lines.append(f"  {tag['strategy']}  {tag['score']:.2f}")
        lines += [
            f"    “{quote['quote']}”  ({quote['field']} {quote['start']}-{quote['end']})" for quote in tag["evidence"]
        ]
    for name, why in bill.get("explanation", {}).items():
        lines.append(f"  why {name}: {why}")
    for noted in bill["notes"]:
        stance = f" [{noted['stance']}]" if noted["stance"] else ""
        lines.append(f"  note by {noted['author']}{stance}: {noted['note']}")
    if bill["watch_lists"]:
        lines.append(f"  watched   {', '.join(bill['watch_lists'])}")
    lines.append("history")
    for action in bill["actions"]:
        late = "  (posted late)" if action["late"] else ""
        classes = ", ".join(action["classification"]) or "?"
        lines.append(f"  {action['date']}  {action['chamber'] or '-':<11} {action['description']}  [{classes}]{late}")
    for hearing in bill["hearings"]:
        lines.append(f"  hearing {hearing['date']} {hearing['time']} {hearing['committee']} {hearing['status']}")
    lines.append("versions")
    for version in bill["versions"]:
        read = version["texts"][-1] if version["texts"] else None
        state = "not fetched"
        if read:
            state = (
                f"{read['words']:,} words" if read["status"] == "ok" else f"no text: {read['reason'] or read['status']}"
            )
        lines.append(f"  {version['date'] or '?'!s:<10}  {version['note']}  {state}")
    return "\n".join([*lines, *([] if bill["versions"] else ["  none"])])


def changes(
    after: Annotated[int, typer.Option("--after", min=0, help="Only events with a higher sequence number.")] = 0,
    state: State = "",
    kind: Annotated[str, typer.Option(help="Kinds of events, such as stage or tag_gained, with commas.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """What happened, in the order in which we saw it. Keep the last ``seq`` and go on from there."""
    from tracker.db import reading
    from tracker.events import EventKind
    from tracker.history import read_changes

    kinds = _list(kind)
    unknown = set(kinds) - {k.value for k in EventKind}
    if unknown:
        console.fail(f"{sorted(unknown)[0]!r} is no kind of event; they are {', '.join(EventKind)}")
    codes = [code.lower() for code in _list(state)]
    with reading(console.open_database()) as connection:
        rows = read_changes(connection, after=after, codes=codes, kinds=kinds, limit=limit)
    if as_json:
        console.emit(rows)
    else:
        console.table([{**row, "after": str(row["after"] or "")[:90]} for row in rows], ["seq", "kind", "key", "after"])


def sql(
    statement: Annotated[str, typer.Argument(help="A query of the views, such as SELECT * FROM v_bills LIMIT 5.")],
    max_rows: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many rows.")] = 10_000,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="At most so long.")] = 5.0,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Ask the views in SQL: read-only, with limits. docs/querying.md describes them."""
    from tracker import readonly

    settings = console.load_settings()
    engine = console.open_database(settings)
    key = "" if engine.dialect.name == "sqlite" else settings.signing_key()
    try:
        answer = readonly.run(engine, statement, password_key=key, max_rows=max_rows, seconds=seconds)
    except readonly.SqlError as error:
        console.fail(str(error))
    rows = answer.as_dicts()
    if as_csv:
        _print_csv(rows)
    elif as_json:
        console.emit(rows)
    else:
        console.table(rows)
    if answer.cut:
        console.note(f"only the first {len(rows):,} rows are shown: --max-rows takes more, or export")


def export(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="csv, jsonl, parquet or sqlite.")],
    path: Annotated[Path, typer.Argument(help="File to write (.gz packs csv and jsonl); a folder for parquet.")],
    query: Annotated[str, typer.Option(help="Words, as in search.")] = "",
    state: State = "",
    session: Session = "",
    chamber: Chamber = "",
    class_: Class = "",
    subject: Subject = None,
    sponsor: Sponsor = None,
    stage: Stage = "",
    strategy: Strategy = "",
    min_score: MinScore = None,
    since: Since = "",
    until: Until = "",
    seen_since: SeenSince = "",
    seen_until: SeenUntil = "",
    changed_since: ChangedSince = "",
    as_json: Json = False,
) -> None:
    """Take bills out, all or by filter, with a manifest beside the file."""
    from dataclasses import asdict

    from tracker.export import ExportError
    from tracker.export import export as write
    from tracker.search import QueryError

    asked = _query(query, state, session, chamber, class_, subject, sponsor, stage, strategy, min_score, since, until,
                   seen_since, seen_until, changed_since)  # fmt: skip
    engine = console.open_database()
    try:
        with console.progress("exporting", quiet=as_json) as update:
            manifest = write(engine, format_, path, asked, now=dt.datetime.now(dt.UTC), progress=update)
    except (ExportError, QueryError) as error:
        console.fail(str(error))
    if as_json:
        console.emit(asdict(manifest))
    else:
        counts = ", ".join(f"{count:,} {name}" for name, count in manifest.counts.items() if count)
        typer.echo(f"{path}: {counts or 'nothing matched'}")


def quality(
    codes: Annotated[list[str] | None, typer.Argument(metavar="CODE…", help="Postal codes; all if none.")] = None,
    as_json: Json = False,
) -> None:
    """What is missing or not understood, per session. Ends with 1 when something needs a look."""
    from tracker.quality import report

    rows = report(
        console.open_database(), now=dt.datetime.now(dt.UTC), codes=[code.lower() for code in codes or []] or None
    )
    if as_json:
        console.emit(rows)
    else:
        names = ["jurisdiction", "session", "bills", "without_actions", "without_sponsors", "without_text",
                 "unreadable_text", "unknown_actions", "proof", "freshness"]  # fmt: skip
        console.table(rows, names)
        for row in rows:
            for problem in row["problems"]:
                console.note(f"{row['jurisdiction']} {row['session']}: {problem}")
    raise typer.Exit(console.NEEDS_A_LOOK if any(row["problems"] for row in rows) else console.DONE)


def note(
    key: Annotated[str, typer.Argument(help="KEY such as tx/89R/HB 120.")],
    words: Annotated[str, typer.Argument(help="The note.")] = "",
    stance: Annotated[str, typer.Option(help="support, oppose, neutral or watch.")] = "",
    author: Annotated[str, typer.Option(envvar="USER", help="Who says so.")] = "analyst",
    remove: Annotated[int, typer.Option(help="Take back the note of this number instead.")] = 0,
) -> None:
    """Put a note or a stance on a bill. Crawls never touch it, and exports carry it."""
    from tracker import notes
    from tracker.db import writing
    from tracker.history import NoBill

    now = dt.datetime.now(dt.UTC)
    try:
        with writing(console.open_database()) as connection:
            if remove:
                if not notes.remove_note(connection, remove, now=now):
                    console.fail(f"there is no note {remove}")
                return
            number = notes.add_note(connection, key, author=author, note=words, stance=stance, now=now)
    except (NoBill, notes.NoteError) as error:
        console.fail(str(error))
    typer.echo(f"note {number} is on {key}")


def watch(
    key: Annotated[str, typer.Argument(help="KEY such as tx/89R/HB 120.")],
    watch_list: Annotated[str, typer.Argument(help="Name of the list.")],
    author: Annotated[str, typer.Option(envvar="USER", help="Who says so.")] = "analyst",
    remove: Annotated[bool, typer.Option("--remove", help="Take it off the list.")] = False,
) -> None:
    """Put a bill on a watch list, or take it off."""
    from tracker import notes
    from tracker.db import writing
    from tracker.history import NoBill

    now = dt.datetime.now(dt.UTC)
    try:
        with writing(console.open_database()) as connection:
            if remove:
                done = notes.unwatch(connection, key, watch_list, now=now)
            else:
                done = notes.watch(connection, key, watch_list, by=author, now=now)
    except (NoBill, notes.NoteError) as error:
        console.fail(str(error))
    if remove:
        typer.echo(f"{key} is off {watch_list}" if done else f"{key} was not on {watch_list}")
    else:
        typer.echo(f"{key} is on {watch_list}" if done else f"{key} was on {watch_list} already")


def _query(
    text: str,
    state: str,
    session: str,
    chamber: str,
    class_: str,
    subject: list[str] | None,
    sponsor: list[str] | None,
    stage: str,
    strategy: str,
    min_score: float | None,
    since: str,
    until: str,
    seen_since: str,
    seen_until: str,
    changed_since: str,
) -> Any:
    from tracker.search_sql import Query
    from tracker.vocabulary import Stage as Stages

    stages = _list(stage)
    for name in stages:
        if name not in set(Stages):
            console.fail(f"{name!r} is no stage; they are {', '.join(Stages)}")
    return Query(
        text=text,
        states=tuple(code.lower() for code in _list(state)),
        sessions=_list(session),
        chambers=_list(chamber),
        classifications=_list(class_),
        subjects=tuple(subject or ()),
        sponsors=tuple(sponsor or ()),
        stages=stages,
        strategies=_list(strategy),
        min_score=min_score,
        action_since=_day(since, "--since"),
        action_until=_day(until, "--until"),
        seen_since=_day(seen_since, "--seen-since"),
        seen_until=_day(seen_until, "--seen-until"),
        changed_since=_day(changed_since, "--changed-since"),
    )


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _day(value: str, option: str) -> dt.date | None:
    if not value:
        return None
    try:
        return dt.date.fromisoformat(value.strip())
    except ValueError:
        console.fail(f"{option} {value!r} is not a day such as 2026-01-31")


def _moment(value: str) -> dt.datetime:
    from tracker.history import end_of

    try:
        if len(value.strip()) == 10:
            return end_of(dt.date.fromisoformat(value.strip()))
        moment = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        console.fail(f"--as-of {value!r} is neither a day such as 2026-01-31 nor an ISO moment")
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _print_csv(rows: list[dict[str, Any]]) -> None:
    import sys

    from tracker import spreadsheet

    sys.stdout.write(spreadsheet.text(rows))
