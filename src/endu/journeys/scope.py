"""The frame that questions share: whose events, and how times are written in answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta

from endu.identities.directory import Directory, Identity
from endu.identities.identifier import Subject
from endu.organizations.organization import OrganizationId

Time = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC, milliseconds.",
        examples=["2023-01-01T01:23:39.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]

# Three ways in which an event belongs into a person's story. Each is a condition on its own, so
# that the ledger can use its order for it: one condition with OR would read every event.
OWN = "subject IN {subjects:Array(UInt64)} AND seq NOT IN {lent:Array(UInt64)}"
BORROWED = "seq IN {borrowed:Array(UInt64)}"
RELATED = """subject IN {neighbours:Array(UInt64)}
   AND (hasAny(others, {subjects:Array(UInt64)}) OR fingerprint IN {subjects:Array(UInt64)})"""


def rfc3339(at_ms: int) -> str:
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"


async def whose_events(
    directory: Directory, organization_id: OrganizationId, identity: Identity
) -> tuple[Mapping[str, str], dict[str, Any]]:
    """The conditions that find a person's events, by relation, and the values for all of them.

    A shared device's events are borrowed where they are this person's although the device is
    not, and lent where they are somebody else's although the device is this person's (R6).
    """
    borrowed, lent = await directory.visits_of(organization_id, identity)
    related = await directory.related(organization_id, identity)
    neighbours: list[Subject] = sorted({pair.subject for pair in related})
    conditions = {"own": OWN}
    if borrowed:
        conditions["borrowed"] = BORROWED
    if neighbours:
        conditions["related"] = RELATED
    return conditions, {
        "organization": organization_id,
        "subjects": identity.subjects,
        "borrowed": list(borrowed),
        "lent": list(lent),
        "neighbours": neighbours,
    }
