"""Every command of `endu`, and how they end."""

import sys

import typer

from endu.cli import backup, event_types, events, failed, identities, keys, organizations
from endu.cli.demo.command import demo
from endu.cli.doctor import doctor
from endu.cli.exporting import export
from endu.cli.importing.command import import_
from endu.cli.limits import limits
from endu.cli.operator import warn
from endu.cli.questions.drivers import drivers
from endu.cli.questions.funnel import funnel
from endu.cli.questions.paths import paths
from endu.cli.questions.retention import retention
from endu.cli.questions.sql import sql
from endu.cli.questions.trend import trend
from endu.cli.stop import Stop
from endu.cli.torture import torture
from endu.cli.up import up
from endu.cli.upkeep import rebuild, verify

app = typer.Typer(
    help="Endu: records what people do, works out who they are, and can prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up)
app.add_typer(organizations.app, name="organizations")
app.add_typer(keys.app, name="keys")
app.add_typer(event_types.app, name="event-types")
app.command("record")(events.record)
app.add_typer(events.app, name="events")
app.command("import")(import_)
app.command("export")(export)
app.command("demo")(demo)
app.add_typer(identities.app, name="identities")
app.add_typer(failed.app, name="failed")
app.command("trend")(trend)
app.command("funnel")(funnel)
app.command("retention")(retention)
app.command("paths")(paths)
app.command("drivers")(drivers)
app.command("sql")(sql)
app.command("limits")(limits)
app.command("doctor")(doctor)
app.command("verify")(verify)
app.command("rebuild")(rebuild)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("torture")(torture)


def main() -> None:
    """Exit codes are those of `endu.cli.stop`, 0 where all went well."""
    try:
        app()
    except Stop as stop:
        warn(str(stop))
        sys.exit(stop.exit_code)
