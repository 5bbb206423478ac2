"""Commands that put tags on bills and take readers' words on them: classify, feedback, sample, playbook diff; tag,
evaluate … are in `tags`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracker import console
from tracker.commands import tags

if TYPE_CHECKING:
    from sqlalchemy import Engine

feedback_app = typer.Typer(help="What readers said of bills and their tags.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tags.register(app)
    tags.playbook_app.command("diff")(playbook_diff)
    app.command()(classify)
    app.command()(sample)
    app.add_typer(feedback_app, name="feedback")


def classify(
    everything: Annotated[bool, typer.Option("--all", help="Every bill, not only new and changed ones.")] = False,
    bill: Annotated[str, typer.Option(help="One bill: KEY such as tx/89R/HB 120.")] = "",
    now: Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """Tag what is new or changed, with the words that show it."""
    from tracker import tagging
    from tracker.classify import Pool

    settings = console.load_settings()
    engine = console.open_database(settings)
    ids = [_bill_id(engine, bill)] if bill else None
    with (
        Pool(processes=settings.tag_processes) as classifier,
        console.progress("tagging", quiet=as_json) as update,
    ):
        report = tagging.tag_bills(
            engine,
            classifier,
            now=console.parse_now(now),
            everything=everything,
            bill_ids=ids,
            progress=update,
        )
    if as_json:
        console.emit(report.__dict__)
    else:
        typer.echo(
            f"{report.bills:,} bills read, {report.in_scope:,} in scope, "
            f"{report.gained:,} tags gained, {report.lost:,} lost"
        )


def _bill_id(engine: Engine, key: str) -> int:
    """The bill's row, or the end of the command."""
    from sqlalchemy import select

    from tracker.db import reading
    from tracker.models.bills import BillRow
    from tracker.records import bill_key, normalise_identifier, ocd_bill_id

    parts = key.split("/", 2)
    if len(parts) != 3:
        console.fail(f"{key!r} is not a KEY such as tx/89R/HB 120")
    code, session, identifier = parts[0].lower(), parts[1], normalise_identifier(parts[2])
    with reading(engine) as connection:
        found = connection.execute(
            select(BillRow.id).where(BillRow.ocd_id == ocd_bill_id(code, session, identifier))
        ).scalar()
    if found is None:
        console.fail(f"there is no bill {bill_key(code, session, identifier)} in the database")
    return int(found)


@feedback_app.command("add")
def add_feedback(
    key: Annotated[str, typer.Argument(help="KEY such as tx/89R/HB 120.")],
    verdict: Annotated[str, typer.Argument(help="relevant, not_relevant, wrong_strategy or missed.")],
    strategy: Annotated[str, typer.Option(help="The strategy it is about; without it, the bill as a whole.")] = "",
    now: Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")] = None,
) -> None:
    """Note what a reader says of a bill: this is also how a drawn bill is marked as read."""
    from tracker import feedback, playbook
    from tracker.db import writing
    from tracker.tagging import IN_SCOPE

    try:
        said = feedback.Verdict.of(verdict)
    except ValueError as error:
        console.fail(str(error))
    known = playbook.load().strategies
    if strategy and strategy not in known:
        console.fail(f"{strategy!r} is no strategy of the playbook; use one of {', '.join(known)}")
    if said is feedback.Verdict.WRONG_STRATEGY and not strategy:
        console.fail("say with --strategy which strategy is wrong")
    engine = console.open_database()
    bill_id = _bill_id(engine, key)
    with writing(engine) as connection:
        feedback.add(connection, bill_id, strategy or IN_SCOPE, said, at=console.parse_now(now))


@feedback_app.command("export")
def export_feedback(
    path: Annotated[Path, typer.Argument(help="File of labelled examples to write (.jsonl or .jsonl.gz).")],
) -> None:
    """Write readers' words as labelled examples, with the texts they were read from, for 'billtracker train'."""
    from tracker import feedback, playbook
    from tracker.classify import gold
    from tracker.db import reading

    engine = console.open_database()
    with reading(engine) as connection:
        count = gold.save(path, feedback.examples(connection, list(playbook.load().strategies)))
    typer.echo(f"{count:,} labelled examples in {path}")


def sample(
    now: Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """Bills drawn at random this week and before that nobody has read yet; draws this week's if need be.

    Read each and answer with 'billtracker feedback add KEY relevant' or 'not_relevant'.
    """
    from tracker import sampling

    engine = console.open_database()
    sampling.draw(engine, now=console.parse_now(now))
    rows = sampling.to_read(engine)
    if as_json:
        console.emit(rows)
        return
    console.table(rows, ["week", "key", "title"])
    console.note(f"{len(rows)} bills to read; answer with: billtracker feedback add KEY relevant|not_relevant")


def playbook_diff(
    file: Annotated[Path, typer.Argument(help="The playbook that may replace the one in use.")],
    limit: Annotated[int, typer.Option(help="Print at most so many bills.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """Bills that would gain or lose a strategy under another playbook, with the reason. Changes nothing."""
    from dataclasses import asdict

    from tracker import playbook
    from tracker.classify import Classifier, ModelError
    from tracker.playbook_diff import compare

    try:
        used, candidate = Classifier.load(), Classifier.load(playbook.load(file))
    except (playbook.PlaybookError, ModelError) as error:
        console.fail(str(error))
    engine = console.open_database()
    with console.progress("comparing", quiet=as_json) as update:
        changes = list(compare(engine, used, candidate, progress=update))
    gained = sum(change.gained for change in changes)
    if as_json:
        console.emit(
            {
                "used": used.version,
                "candidate": candidate.version,
                "gained": gained,
                "lost": len(changes) - gained,
                "changes": [asdict(change) for change in changes],
            }
        )
        return
    for change in changes[:limit]:
        typer.echo(console.printable(_line(change)))
    typer.echo(f"{gained:,} gained, {len(changes) - gained:,} lost; {used.version} against {candidate.version}")


def _line(change: Any) -> str:
    before, after = ("-" if score is None else f"{score:.2f}" for score in (change.before, change.after))
    return (
        f"{'+' if change.gained else '-'} {change.strategy:<16}{change.key}  {change.title[:80]}\n"
        f"    {before} → {after}. {change.why}"
    )
