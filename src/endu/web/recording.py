"""What the OpenAPI document says of the two recording endpoints, which are not Litestar's."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.events.recorded import Result
from endu.events.wire import MESSAGE_ID_LENGTH, PROPERTY_ID_LENGTH
from endu.organizations.keyring import Scope
from endu.refusals import Reason
from endu.web.endpoint import Description, Nothing

GROUP = "Recording"

_BATCH = """A JSON array, or one event a line (NDJSON): each as for `/events/record`. One bad event
never harms its neighbours: `data.results[i]` says what became of event i. At most 2,000 events and
5 MiB, unless the operator allows more; a result of `retry` means: send this one again."""

_RECORD = """Name someone: a platform user, a `c_user_id`, a wallet, a fingerprint, or any mix.

Accepted is an **empty 200**, and only once the event would survive a power cut. Send an id of
your own as `message_id` (or the header `Idempotency-Key`) and the event is stored once, however
often it is sent. `gzip`, `deflate` and `zstd` bodies are read. What is refused for what it says is
kept as a failed event: `data.failed_event_id`."""

REFUSED = (
    Reason.INVALID_EVENT,
    Reason.NOBODY_NAMED,
    Reason.UNKNOWN_EVENT_TYPE,
    Reason.UNKNOWN_C_USER_ID,
    Reason.SCHEMA_VIOLATION,
    Reason.WRONG_ORGANIZATION,
    *NOT_ACKNOWLEDGED,
)


class Wallet(Struct, frozen=True):
    chain_type: Annotated[str, Meta(min_length=1, max_length=200)]
    chain_account: Annotated[str, Meta(min_length=1, max_length=200)]


class NewEvent(Struct, frozen=True, kw_only=True):
    """Keys that Endu does not know are kept with the event."""

    property_id: Annotated[str, Meta(min_length=1, max_length=PROPERTY_ID_LENGTH)]
    organization_id: str
    timestamp: Annotated[
        Any,
        Meta(
            description="Unix time in seconds, with or without a fraction.",
            extra_json_schema={
                "anyOf": [
                    {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,9})?$"},
                    {"type": "number", "exclusiveMinimum": 0},
                ]
            },
        ),
    ]
    event_type: str
    event_data: dict[str, Any] = {}
    p_user_id: Annotated[
        str | None, Meta(description="The user's id on the platform: decimal digits.")
    ] = None
    platform_type: Annotated[
        str | None, Meta(description="Discord or Telegram, in any casing; also property_type.")
    ] = None
    c_user_id: Annotated[
        str | None, Meta(description="The number of an identity: 1 to 20 decimal digits.")
    ] = None
    blockchain: Wallet | None = None
    fingerprint: Annotated[str, Meta(max_length=200)] | None = None
    message_id: Annotated[str, Meta(max_length=MESSAGE_ID_LENGTH)] | None = None
    api_key: Annotated[
        str | None, Meta(description="A publishable key, where no header can be sent.")
    ] = None


# Whatever an element is, it is answered for itself and harms no neighbour.
Batch = list[
    Annotated[
        Any,
        Meta(extra_json_schema={"anyOf": [{"$ref": "#/components/schemas/NewEvent"}, {}]}),
    ]
]


class BatchAnswer(Struct, frozen=True):
    results: list[Result]


RECORD = Description(
    method="POST",
    path="/events/record",
    name="record_event",
    group=GROUP,
    summary="Record one event.",
    text=_RECORD,
    needs=Scope.RECORD,
    query=Nothing,
    body=NewEvent,
    answer=None,
    refusals=REFUSED,
)

RECORD_BATCH = Description(
    method="POST",
    path="/events/record/batch",
    name="record_events",
    group=GROUP,
    summary="Record many events at once.",
    text=_BATCH,
    needs=Scope.RECORD,
    query=Nothing,
    body=Batch,
    answer=BatchAnswer,
    refusals=NOT_ACKNOWLEDGED,
)
