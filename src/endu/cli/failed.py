"""`endu failed …`: events that were refused, kept whole, and sent through again."""

from itertools import islice
from typing import Annotated

import typer

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import facts, table

app = typer.Typer(help="Refused events, and their replay.", no_args_is_help=True)

OfReason = Annotated[str | None, typer.Option("--reason", help="Such as UNKNOWN_EVENT_TYPE.")]


@app.command("list")
@for_operator
def list_(
    operator: Operator,
    reason: OfReason = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
) -> None:
    """Refused events and why."""
    asked = {"fresh": True, **({"reason": reason} if reason else {})}
    items = list(islice(operator.pages("/failed-events", asked), limit))
    columns = ["failed_event_id", "received_at", "reason", "text"]
    operator.show(items, table(items, columns))


@app.command("replay")
@for_operator
def replay(
    operator: Operator,
    ids: Annotated[list[str] | None, typer.Argument(help="Which; or --reason.")] = None,
    reason: OfReason = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many would pass.")
    ] = False,
) -> None:
    """Send refused events through again. What passed once does not pass twice."""
    if bool(ids) == bool(reason):
        raise Stop("Say which to replay: either their ids or --reason.", USAGE)
    which = {"ids": ids} if ids else {"reason": reason}
    answer = operator.ask("POST", "/failed-events/replay", body={**which, "dry_run": dry_run})
    operator.show(answer, facts(answer))
