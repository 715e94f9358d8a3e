"""A directory database for tests, made from the tables as they stand, without migrations."""

from pathlib import Path

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from endu.stores import schema
from endu.stores.sqlite import Connection, connect


def make_directory(path: Path) -> Connection:
    connection = connect(path)
    for table in schema.directory.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
    return connection
