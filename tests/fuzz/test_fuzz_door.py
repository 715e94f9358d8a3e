"""Hostile bodies through the real door: no mistake of its own, and kept is what was sent."""

import json
import os
from pathlib import Path

from endu.door.heads import BODY_BYTES_AT_MOST
from endu.events.event import Event, FailedEvent, decode_record
from endu.events.inbox import Found
from endu.organizations.keyring import without_keys
from tests.door_world import Answer, line_to, serving
from tests.fuzz.mutations import bodies
from tests.fuzz.oracle import truth_of, values

BODIES = 3_000 * int(os.environ.get("ENDU_LONG", "1"))
SEED = int(os.environ.get("ENDU_SEED", "1"))

ORGANIZATION = b"848WN4oEUgisKrV9dY9Ni6"  # of every seed
OUTCOMES = {200, 400, 403, 413, 422}


async def test_the_door_keeps_what_was_sent_or_says_why_not(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for name in ("ITEM_PURCHASED", "PAGE_VIEW"):
            asked = {"event_type": name, "event_display_name": name}
            await served.world.ask("POST", "/events/create/eventid", json=asked)
        inbox = served.world.running.parts.inbox
        own = served.world.organization_id.encode()
        begin = inbox.end
        sent = [body.replace(ORGANIZATION, own) for body in bodies(BODIES, SEED)]
        kept: dict[str, bytes] = {}
        async with line_to(served) as line, line_to(served) as behind:
            for body in sent:
                way = line if len(body) <= BODY_BYTES_AT_MOST else behind
                answer = await way.ask(served.with_body(body))
                if (record_id := record_of(answer)) is not None:
                    kept.setdefault(record_id, body)  # else a duplicate, by its message_id
        found = await inbox.take(begin, len(sent))
        assert len(found) == len(kept)
        for body, record in zip(kept.values(), found, strict=True):
            must_be_what_was_sent(body, record)


def record_of(answer: Answer) -> str | None:
    """What it was kept as; None of what is not kept."""
    assert answer.status in OUTCOMES, (SEED, answer)
    if answer.status == 200:
        return answer.headers["endu-record-id"]
    failed: str | None = json.loads(answer.body)["data"].get("failed_event_id")
    return failed


def must_be_what_was_sent(body: bytes, found: Found) -> None:
    record = decode_record(found.record)
    if isinstance(record, FailedEvent):
        assert record.body == without_keys(body)
        return
    truth = truth_of(body)
    assert isinstance(record, Event) and truth is not None
    assert truth.keepable
    assert values(record.data) == truth.data
    assert record.property_id == truth.fields["property_id"]
