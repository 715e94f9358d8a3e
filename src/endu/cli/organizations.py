"""`endu organizations …`: on whose behalf events are recorded."""

from typing import Annotated

import typer

from endu.cli.limits import read_changes, show_limits
from endu.cli.operator import Operator, for_operator
from endu.cli.tables import facts, table

app = typer.Typer(help="Organizations and their limits.", no_args_is_help=True)


@app.command("create")
@for_operator
def create(
    operator: Operator, name: Annotated[str, typer.Argument(help="What to call it.")]
) -> None:
    """Make an organization. It starts without keys: see `endu keys create`."""
    made = operator.ask("POST", "/organizations", body={"name": name}, for_organization=False)
    operator.show(made, facts(made))


@app.command("list")
@for_operator
def list_(operator: Operator) -> None:
    """All organizations, oldest first."""
    everyone = list(operator.pages("/organizations", for_organization=False))
    operator.show(everyone, table(everyone, ["organization_id", "name", "created_at"]))


@app.command("limits")
@for_operator
def limits(
    operator: Operator,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE, as often as needed.", metavar="NAME=VALUE"),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Change nothing; say what retention would let go of."),
    ] = False,
) -> None:
    """Show an organization's settings and limits, or change some of them."""
    if changes or dry_run:
        path = f"/organizations/{operator.organization_id}/limits"
        body = {**read_changes(changes or []), "dry_run": dry_run}
        show_limits(operator, operator.ask("PUT", path, body=body))
    else:
        show_limits(operator, operator.ask("GET", "/limits"))
