"""`endu event-types …`: which event types exist, and their schemas."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import facts, table
from endu.event_types.event_type import SchemaMode

app = typer.Typer(help="Event types and their schemas.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Such as ITEM_PURCHASED.")]


@app.command("list")
@for_operator
def list_(operator: Operator) -> None:
    """Every registration, global ones first."""
    types = list(operator.pages("/event-types"))
    columns = ["event_id", "event_type", "event_display_name", "is_global", "is_current"]
    operator.show(types, table(types, columns))


@app.command("create")
@for_operator
def create(
    operator: Operator,
    event_type: Name,
    display_name: Annotated[str | None, typer.Option(help="For people; default: the name.")] = None,
    schema: Annotated[
        Path | None, typer.Option(help="A JSON file with the event_data_schema.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option(help="Register the name anew; the former registration stays.")
    ] = False,
) -> None:
    """Register an event type: uppercase words joined by underscores, 50 characters at most."""
    made = operator.ask(
        "POST", "/events/create/eventid", body=registration(
            event_type, display_name, read_schema(schema) if schema else {}, overwrite
        ),
    )  # fmt: skip
    operator.show(made, facts(made))


@app.command("schema")
@for_operator
def schema(
    operator: Operator,
    event_type: Name,
    file: Annotated[Path, typer.Argument(help="A JSON file with the event_data_schema.")],
    mode: Annotated[SchemaMode, typer.Option(help="What an event that violates it meets.")] = (
        SchemaMode.FLAG
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many recent events violate it.")
    ] = False,
) -> None:
    """Put a new version of an event type's schema in force."""
    event_id = id_of(operator, event_type)
    body = {"event_data_schema": read_schema(file), "mode": mode, "dry_run": dry_run}
    answer = operator.ask("PUT", f"/event-types/{event_id}/schema", body=body)
    operator.show(answer, facts(answer))


def registration(
    event_type: str, display_name: str | None, schema: dict[str, Any], overwrite: bool
) -> dict[str, Any]:
    """The body of seed 002."""
    return {
        "event_type": event_type,
        "event_display_name": display_name or event_type.replace("_", " ").title(),
        "event_data_schema": schema,
        "confirm_overwrite": overwrite,
    }


def id_of(operator: Operator, event_type: str) -> str:
    """The id of the registration that new events of the name belong to."""
    for each in operator.pages("/event-types"):
        if each["is_current"] and each["event_type"] == event_type:
            return str(each["event_id"])
    raise Stop(f"{event_type} is not registered; see `endu event-types list`.")


def read_schema(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as mistake:
        raise Stop(f"The schema {path} cannot be read: {mistake}.", USAGE) from mistake
