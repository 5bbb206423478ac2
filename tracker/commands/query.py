"""Commands that read the database: show, changes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tracker import console

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(show)
    app.command()(changes)


def show(
    key: Annotated[str, typer.Argument(help="KEY such as tx/89R/HB 120.")],
    explain: Annotated[bool, typer.Option("--explain", help="Why each strategy was or was not applied.")] = False,
    as_json: Json = False,
) -> None:
    """One bill: where it stands, its history, its tags and the very words that show them."""
    from tracker.bill_page import read_bill
    from tracker.db import reading

    engine = console.open_database()
    try:
        with reading(engine) as connection:
            bill = read_bill(connection, key)
    except KeyError as error:
        console.fail(str(error.args[0]))
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
    sponsors = [s["name"] for s in bill["sponsorships"]]
    if sponsors:
        more = f" and {len(sponsors) - 5} more" if len(sponsors) > 5 else ""
        lines.append(f"  sponsors  {', '.join(sponsors[:5])}{more}")
    applied = [tag for tag in bill["tags"] if tag["applied"]]
    lines.append("tags" if applied else "tags: none")
    for tag in applied:
        lines.append(f"  {tag['strategy']}  {tag['score']:.2f}")
        lines += [
            f"    “{quote['quote']}”  ({quote['field']} {quote['start']}–{quote['end']})" for quote in tag["evidence"]
        ]
    for name, why in bill.get("explanation", {}).items():
        lines.append(f"  why {name}: {why}")
    lines.append("history")
    for action in bill["actions"]:
        late = "  (posted late)" if action["late"] else ""
        classes = ", ".join(action["classification"]) or "?"
        lines.append(f"  {action['date']}  {action['chamber'] or '-':<11} {action['description']}  [{classes}]{late}")
    for hearing in bill["hearings"]:
        lines.append(f"  hearing {hearing['date']} {hearing['time']} {hearing['committee']} {hearing['status']}")
    lines.append("versions")
    lines += [f"  {v['date'] or '?':<10}  {v['note']}  {v['text']}" for v in bill["versions"]] or ["  none"]
    return "\n".join(lines)


def changes(
    after: Annotated[int, typer.Option("--after", min=0, help="Only events with a higher sequence number.")] = 0,
    state: Annotated[str, typer.Option(help="Postal codes, with commas.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: Json = False,
) -> None:
    """What happened, in the order in which we saw it. Keep the last ``seq`` and go on from there."""
    from tracker.bill_page import read_changes
    from tracker.db import reading

    codes = [code.strip().lower() for code in state.split(",") if code.strip()]
    with reading(console.open_database()) as connection:
        rows = read_changes(connection, after=after, codes=codes, limit=limit)
    if as_json:
        console.emit(rows)
    else:
        console.table([{**row, "after": str(row["after"] or "")[:90]} for row in rows], ["seq", "kind", "key", "after"])
