"""SQL over HTTP: one SELECT in, a table out, in the format that was asked for."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from endu.events.ledger import Table
from endu.journeys.sql import SqlAnswer, SqlQuestion, ask_sql
from endu.journeys.sql_reading import LENGTH_AT_MOST
from endu.organizations.keyring import Scope
from endu.web.endpoint import Call, Nothing, Text, endpoint
from endu.web.journeys import GROUP, REFUSALS, sources_of
from endu.web.sql_arrow import as_arrow, as_parquet
from endu.web.sql_values import as_csv, as_ndjson, rows_as_json

Write = Callable[[Table], bytes]

# Besides JSON.
FORMATS: dict[str, tuple[str, Write]] = {
    "ndjson": ("application/x-ndjson", as_ndjson),
    "csv": ("text/csv; header=present", as_csv),
    "arrow": ("application/vnd.apache.arrow.stream", as_arrow),
    "parquet": ("application/vnd.apache.parquet", as_parquet),
}


class SqlBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One SELECT. What its text has as `{name:Type}` stands in `parameters` under that name."""

    sql: Annotated[str, Meta(min_length=1, max_length=LENGTH_AT_MOST)]
    parameters: dict[str, Any] = {}
    format: Literal["json", "ndjson", "csv", "arrow", "parquet"] = "json"
    fresh: Annotated[
        bool, Meta(description="Answer only after everything acknowledged before has settled.")
    ] = False


class SqlColumn(Struct, frozen=True):
    """`type` is ClickHouse's name of it."""

    name: str
    type: str


class SqlAbout(Struct, frozen=True):
    """`rules_version` counts the changes of the organization's rules."""

    rows_read: int
    elapsed_ms: int
    rules_version: int


class SqlShown(Struct, frozen=True):
    """`truncated`: there are more rows than are answered at once.

    Whole numbers beyond 2^53 and decimals are strings, NaN and infinity null, times RFC 3339.
    """

    columns: list[SqlColumn]
    rows: Annotated[
        Raw,
        Meta(
            description="Each a list, in the order of the columns.",
            extra_json_schema={"type": "array", "items": {"type": "array"}},
        ),
    ]
    truncated: bool
    about: SqlAbout


@endpoint(
    "POST",
    "/journeys/sql",
    group=GROUP,
    needs=Scope.READ,
    refusals=REFUSALS,
    other_media=tuple(media_type for media_type, _ in FORMATS.values()),
)
async def ask_in_sql(call: Call[Nothing, SqlBody]) -> SqlShown | Text:
    """One SELECT of your own over `events`, `identities` and `event_types`.

    ClickHouse's SQL, as far as it only reads these views: no table functions, settings or other
    databases. At most 100,000 rows; formats beside JSON are not in the envelope, and say in the
    header `Endu-Truncated` whether there are more.
    """
    body, sources = call.body, sources_of(call)
    answer = await ask_sql(SqlQuestion(body.sql, body.parameters), sources)
    if body.format == "json":
        version = await sources.people.rules_version(call.organization_id)
        return await asyncio.to_thread(_shown, answer, version)
    media_type, write = FORMATS[body.format]
    content = await asyncio.to_thread(write, answer.table)
    return Text(content, media_type, {"Endu-Truncated": str(answer.truncated).lower()})


ENDPOINTS = (ask_in_sql,)


def _shown(answer: SqlAnswer, rules_version: int) -> SqlShown:
    table = answer.table
    return SqlShown(
        columns=[SqlColumn(*pair) for pair in zip(table.names, table.types, strict=True)],
        rows=rows_as_json(table),
        truncated=answer.truncated,
        about=SqlAbout(table.rows_read, round(table.elapsed_ms), rules_version),
    )
