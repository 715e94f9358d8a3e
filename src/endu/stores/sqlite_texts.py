"""Many rows into SQLite and out of it as one JSON text, an array of arrays, apart in `json_each`.

A statement is one step then, whatever its size, and SQLite takes it in a thread and without the
interpreter: the loop goes on. Row by row, thread and loop would wait for each other at each row.
"""

import asyncio
from collections.abc import Collection
from typing import Any

import msgspec

from endu.identities.linking import Node
from endu.stores.sqlite import Connection

# SQLite has no booleans: 0 and 1 are read as such.
read_nodes = msgspec.json.Decoder(list[Node], strict=False).decode


def as_json(columns: str, select: str) -> str:
    """The statement that answers with those columns of a SELECT as one text."""
    return f"SELECT json_group_array(json_array({columns})) FROM ({select})"


def json_of(values: Collection[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


async def text_of(connection: Connection, statement: str, values: Any) -> str:
    """What a statement of one text answers."""
    return str(await asyncio.to_thread(_text, connection, statement, values))


async def put(connection: Connection, statement: str, *values: Any) -> None:
    await asyncio.to_thread(connection.execute, statement, values)


def _text(connection: Connection, statement: str, values: Any) -> Any:
    return connection.execute(statement, values).fetchone()[0]
