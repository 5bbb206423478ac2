"""The commands `tag`, `evaluate`, `train` and `playbook check`; `register` adds them to the main command
line.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from tracker.classify import Classifier
    from tracker.playbook import Playbook

MAX_LINE = 50_000_000

PlaybookOption = Annotated[Path | None, typer.Option("--playbook", help="Playbook file, if not the one in use.")]
playbook_app = typer.Typer(help="Check a playbook.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`; `playbook_app` is added as the group `playbook`."""
    app.command()(tag)
    app.command()(evaluate)
    app.command()(train)
    app.add_typer(playbook_app, name="playbook")


def tag(
    file: Annotated[str, typer.Argument(help="JSON lines of bills, or - for standard input.")],
    playbook: PlaybookOption = None,
    processes: Annotated[
        int, typer.Option(min=0, help="Processes that read long inputs; 0 is one for each core, at most four.")
    ] = 0,
) -> None:
    """Tag bills without a database: one JSON line out for each line in, in the same order.

    A line that is not a bill is answered by an object with `error`; the exit code is then 1.
    """
    from tracker.classify import BillError, ModelError, Pool

    numbers: deque[tuple[int, bool]] = deque()
    bad = 0
    try:
        pool = Pool(_playbook(playbook), processes)
    except ModelError as error:
        _stop(str(error))
    with pool:
        for answer in pool.answers(_bills(file, numbers)):
            number, is_json = numbers.popleft()
            if isinstance(answer, BillError):
                bad += 1
                answer = {"error": f"Line {number}: {answer if is_json else 'The line is not JSON.'}"}
            # ASCII, so that half a surrogate pair in a text cannot break the stream
            sys.stdout.write(json.dumps(answer, ensure_ascii=True) + "\n")
    sys.stdout.flush()
    if bad:
        typer.echo(f"{bad} lines were not bills; their answers say why.", err=True)
        raise typer.Exit(1)


def _bills(file: str, numbers: deque[tuple[int, bool]]) -> Iterator[Any]:
    """What each line holds (nothing where it is no JSON); its number, and whether it is, go into `numbers`."""
    for number, line in _lines(file):
        try:
            given, is_json = json.loads(line), True
        except (ValueError, RecursionError):
            given, is_json = None, False
        numbers.append((number, is_json))
        yield given


def evaluate(
    gold: Annotated[Path | None, typer.Argument(help="Labelled bills, JSON lines (.gz too).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    recall: Annotated[
        bool, typer.Option("--recall", help="The share of bills missed, from the samples that were read.")
    ] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="What the model in use reached on bills of states it had not seen.")
    ] = False,
    playbook: PlaybookOption = None,
) -> None:
    """Precision, recall and F1 per strategy on labelled bills, with intervals; or the estimated share missed."""
    if [recall, unseen, gold is not None].count(True) != 1:
        _stop(
            "Give a file of labelled bills, or --recall for the estimate from bills drawn at random, or --unseen for"
            " what the model reached when it was made."
        )
    if recall:
        _recall(as_json)
        return
    from tracker.classify import BillError, GoldError, render
    from tracker.classify import evaluate as measure

    if gold is None:
        _unseen(playbook, as_json)
        return
    classifier = _classifier(playbook)
    try:
        report = measure(gold, classifier)
    except (GoldError, BillError) as error:
        _stop(str(error))
    typer.echo(json.dumps(report) if as_json else render(report))


def _unseen(playbook: Path | None, as_json: bool) -> None:
    from tracker.classify import render
    from tracker.classify.evaluation import unseen
    from tracker.classify.model import FOLDER

    name = _playbook(playbook).name
    report = unseen(FOLDER / name)
    if report is None:
        _stop(f"No trained model of '{name}' says how good it was; 'billtracker train' makes one.")
    typer.echo(json.dumps(report) if as_json else render(report))


def _recall(as_json: bool) -> None:
    from tracker import console, sampling

    found = sampling.recall(console.open_database())
    if as_json:
        console.emit(found.to_json())
        return
    for stratum in found.read:
        typer.echo(
            f"{stratum:<8}{found.population[stratum]:>9,} bills {found.read[stratum]:>6,} read "
            f"{found.relevant[stratum]:>6,} relevant"
        )
    if found.missed is None:
        typer.echo("Too little was read to say what is missed: 'billtracker sample' lists the bills to read.")
    else:
        typer.echo(
            f"Of all relevant bills {found.missed:.1%} are missed "
            f"(95 % interval {found.missed_low:.1%} to {found.missed_high:.1%})."
        )


def train(
    gold: Annotated[list[Path], typer.Argument(help="Labelled bills to learn from.")],
    frozen: Annotated[Path, typer.Option("--frozen", help="Labelled bills the verdict is made on.")],
    playbook: PlaybookOption = None,
    folder: Annotated[Path | None, typer.Option("--models", help="Folder of the models, if not our own.")] = None,
) -> None:
    """Make a new model; it is refused where it is worse on the frozen set than the one in use."""
    from tracker.classify import BillError, GoldError, ModelError, render
    from tracker.classify import train as make
    from tracker.classify.gold import load
    from tracker.classify.model import FOLDER

    loaded = _playbook(playbook)
    group = loaded.strategy[0].group
    judged = [s.key for s in loaded.strategy if s.group == group]
    try:
        bills = [bill for path in gold for bill in load(path)]
        outcome = make(bills, load(frozen), loaded, (folder or FOLDER) / loaded.name, judged)
    except (GoldError, ModelError, BillError) as error:
        _stop(str(error))
    for label, value in outcome.f1.items():
        before = "" if outcome.before is None else f"  before {outcome.before.get(label, 0.0):.3f}"
        typer.echo(f"{label:<16}{value:.3f}{before}")
    typer.echo(f"\n{render(outcome.report)}\n\n{outcome.reason}")
    if not outcome.accepted:
        raise typer.Exit(1)


@playbook_app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Playbook file (default: the one in use).")] = None,
) -> None:
    """Read a playbook and say whether it can be used."""
    from tracker.classify.model import FOLDER

    loaded = _playbook(file)
    cues = sum(len(s.cues) for s in loaded.strategy) + len(loaded.topic.cues)
    kind = "a trained model" if (FOLDER / loaded.name / "model.json").is_file() else "cues only"
    typer.echo(f"{loaded.title}: {len(loaded.strategy)} strategies, {cues} cues, tagged by {kind}, hash {loaded.hash}.")


def _lines(file: str) -> Iterator[tuple[int, str]]:
    if file == "-":
        stream = sys.stdin.buffer
    else:
        try:
            stream = Path(file).open("rb")  # noqa: SIM115
        except OSError as error:
            _stop(f"{file} cannot be read ({error.strerror}); give JSON lines, or - for standard input.")
    with stream:
        for number, raw in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), 1):
            if raw.strip():
                yield number, raw.decode("utf-8", "replace")


def _playbook(path: Path | None) -> Playbook:
    from tracker import playbook

    try:
        return playbook.load(path)
    except playbook.PlaybookError as error:
        _stop(str(error))


def _classifier(path: Path | None) -> Classifier:
    from tracker.classify import Classifier, ModelError

    try:
        return Classifier.load(_playbook(path))
    except ModelError as error:
        _stop(str(error))


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
