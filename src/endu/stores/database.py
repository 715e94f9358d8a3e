"""The registry's and the directory's databases: one engine, and migrations up to this code."""

from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pysqlite3 import dbapi2

from endu.announcements import CannotRun
from endu.stores.schema import directory, registry
from endu.stores.sqlite import connect

Which = Literal["registry", "directory"]

METADATA = {"registry": registry, "directory": directory}

_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseTooNew(CannotRun):
    """The file was written by a later Endu. The message says so, and what to do."""


def migrate(path: Path, which: Which) -> None:
    """Makes the file, or brings it up to this code; nothing where it is there already.

    Each step is one transaction: killed anywhere, the next call goes on from the last whole one.
    Raises DatabaseTooNew.
    """
    engine = engine_of(path)
    try:
        with engine.connect() as connection:
            _upgrade(connection, _scripts(which), path)
    finally:
        engine.dispose()


def engine_of(path: Path) -> sa.Engine:
    """One connection, for whichever single thread uses it at a time."""
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: connect(path),
        module=dbapi2,
        poolclass=sa.pool.StaticPool,
    )
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    """`connect` leaves BEGIN to us, so that a migration's DDL is in the transaction too."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _scripts(which: Which) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("version_locations", str(_MIGRATIONS / which))
    config.set_main_option("path_separator", "newline")
    return ScriptDirectory.from_config(config)


def _upgrade(connection: sa.Connection, scripts: ScriptDirectory, path: Path) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    there = set(MigrationContext.configure(connection).get_current_heads())
    connection.rollback()
    if not there <= known:
        raise DatabaseTooNew(
            f"{path} was written by a later version of Endu than this one. "
            "Install that version again, or restore a backup made with this one."
        )
    if there == set(scripts.get_heads()):
        return

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("heads", revision)

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection=connection, transactional_ddl=True, transaction_per_migration=True
        )
        environment.run_migrations()
