"""`endu keys …`: API keys, shown once, revoked for good."""

from typing import Annotated, Literal

import typer

from endu.cli.operator import Operator, for_operator
from endu.cli.tables import facts, table
from endu.organizations.keyring import Scope

app = typer.Typer(help="API keys of an organization.", no_args_is_help=True)


@app.command("create")
@for_operator
def create(
    operator: Operator,
    kind: Annotated[
        Literal["secret", "publishable", "import"],
        typer.Option(help="Who will hold it; import keys may back-date."),
    ] = "secret",
    name: Annotated[str, typer.Option(help="To know it by.")] = "",
    scopes: Annotated[
        list[Scope] | None, typer.Option("--scope", help="What a secret key may do; default: all.")
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option("--origin", help="The only web origins that a publishable key serves."),
    ] = None,
) -> None:
    """Make a key. It is shown this once: only its hash is kept."""
    body = {"kind": kind, "name": name, "scopes": scopes, "origins": origins}
    made = operator.ask("POST", "/keys", body={k: v for k, v in body.items() if v is not None})
    operator.show(made, facts(made))


@app.command("list")
@for_operator
def list_(operator: Operator) -> None:
    """The organization's keys, oldest first, revoked ones too."""
    keys = list(operator.pages("/keys"))
    columns = ["key_id", "kind", "name", "hint", "scopes", "created_at", "revoked_at"]
    operator.show(keys, table(keys, columns))


@app.command("revoke")
@for_operator
def revoke(
    operator: Operator, key_id: Annotated[str, typer.Argument(help="From the list.")]
) -> None:
    """Make a key useless, for every later request."""
    done = operator.ask("DELETE", f"/keys/{key_id}")
    operator.show(done, facts(done))
