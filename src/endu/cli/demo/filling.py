"""Sends the demonstration's events to its organization, through the API that everybody uses."""

import time
from collections.abc import Sequence

from msgspec import Struct

from endu.announcements import Progress
from endu.cli.demo.plan import SCHEMAS
from endu.cli.demo.story import Event
from endu.cli.event_types import registration
from endu.cli.importing.rows import ReadRow
from endu.cli.importing.sending import (
    STOPPED,
    Batch,
    Result,
    Sender,
    batches_of,
    import_key,
    largest_batch,
    send_all,
)
from endu.cli.operator import Operator, sentence_of
from endu.cli.stop import FAILED, UNREACHABLE, Stop

SETTLED_WITHIN_SECONDS = 60  # twenty times what it takes a machine with nothing else to do


class Filled(Struct, frozen=True):
    """How many events were sent now, and in which time until they were kept."""

    events: int
    seconds: float


def fill(operator: Operator, events: Sequence[Event], progress: Progress) -> Filled:
    """Every event once, however often this is begun. The last goes alone and behind all others:
    where it is, all are. Raises Stop."""
    began = time.monotonic()
    _register_missing(operator)
    rows = [ReadRow(number, event) for number, event in enumerate(events, 1)]

    def answered(batch: Batch, results: list[Result]) -> None:
        for result in results:
            if result.result == "refused":
                raise Stop(f"The server refused an event: {result.error}: {result.error_text}")
        progress("events", batch.last, len(events))

    with import_key(operator, "demo") as key:
        sender, size = Sender(operator.client, key), largest_batch(operator)
        try:
            for part in (rows[:-1], rows[-1:]):
                send_all(batches_of(part, size), sender, answered)
        except KeyboardInterrupt as interrupt:
            raise Stop(STOPPED) from interrupt
    return Filled(len(events), round(time.monotonic() - began, 3))


def is_full(operator: Operator, events: Sequence[Event]) -> bool:
    """Whether all of them are there, settled and in every answer. Raises Stop."""
    asked = {"fingerprint": events[-1]["fingerprint"], "fresh": True}
    headers = {"Endu-Organization": operator.organization_id}
    until = time.monotonic() + SETTLED_WITHIN_SECONDS
    while time.monotonic() < until:
        answer = operator.client.get("/identities", params=asked, headers=headers)
        if answer.is_success or answer.status_code == 404:
            return answer.is_success
        if answer.status_code != 503:  # that is: not settled yet; the server waited for 10 s
            raise Stop(sentence_of(answer), FAILED)
    raise Stop("The server is busy and has not settled the events; try again.", UNREACHABLE)


def _register_missing(operator: Operator) -> None:
    known = {each["event_type"] for each in operator.pages("/event-types")}
    for name, schema in SCHEMAS.items():
        if name not in known:
            body = registration(name, None, dict(schema), False)
            operator.ask("POST", "/events/create/eventid", body=body)
