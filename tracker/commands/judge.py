"""Commands that put tags on bills and say why: classify (tag, evaluate … come with the classifier)."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker import console


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from tracker.classify import commands

    commands.register(app)
    app.command()(classify)


def classify(
    everything: Annotated[bool, typer.Option("--all", help="Every bill, not only new and changed ones.")] = False,
    bill: Annotated[str, typer.Option(help="One bill: KEY such as tx/89R/HB 120.")] = "",
    now: Annotated[str | None, typer.Option("--now", help="Pretend that it is this moment (ISO).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")] = False,
) -> None:
    """Tag what is new or changed, with the words that show it."""
    from sqlalchemy import select

    from tracker import tagging
    from tracker.classify import Classifier
    from tracker.db import reading
    from tracker.models.bills import BillRow
    from tracker.records import bill_key, normalise_identifier, ocd_bill_id

    engine = console.open_database()
    ids = None
    if bill:
        parts = bill.split("/", 2)
        if len(parts) != 3:
            console.fail(f"{bill!r} is not a KEY such as tx/89R/HB 120")
        code, session, identifier = parts[0].lower(), parts[1], normalise_identifier(parts[2])
        with reading(engine) as connection:
            ids = list(
                connection.execute(
                    select(BillRow.id).where(BillRow.ocd_id == ocd_bill_id(code, session, identifier))
                ).scalars()
            )
        if not ids:
            console.fail(f"there is no bill {bill_key(code, session, identifier)} in the database")
    classifier = Classifier.load()
    with console.progress("tagging", quiet=as_json) as update:
        report = tagging.tag_bills(
            engine,
            classifier,
            now=console.parse_now(now),
            everything=everything,
            bill_ids=ids,
            progress=lambda done, total: update(done),
        )
    if as_json:
        console.emit(report.__dict__)
    else:
        typer.echo(
            f"{report.bills:,} bills read, {report.in_scope:,} in scope, "
            f"{report.gained:,} tags gained, {report.lost:,} lost"
        )
