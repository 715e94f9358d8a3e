"""What `endu up` prints, as pure functions from announcements to text."""

import json
import shlex
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from endu.announcements import FirstEvent, Started

# Global: it exists in every organization from the start, so that the curl works as pasted.
FIRST_TYPE = "LINK_TRACKING_CLICK"
SOMEONE = "702877938567086080"  # the published example's Discord user

# From "keys list" to the command line that does it with this `endu` on this directory, so that
# what is printed can be pasted.
Say: TypeAlias = Callable[[str], str]


def welcome(started: Started, say: Say, now_seconds: int) -> str:
    """At the first start with keys and a curl to paste; later only where and how to end it."""
    head = f"Endu answers at {started.address}   (Ctrl-C ends it)"
    if not started.first_start:
        return head
    return f"""{head}

  organization      {started.organization_id}
  property          {started.property_id}
  secret key        {started.secret_key}
  publishable key   {started.publishable_key}

The keys are shown this once: keep them. Others: {say("keys create")}

Record a first event by pasting this into another terminal:

{first_curl(started, now_seconds)}

Waiting for it …"""


def first_curl(started: Started, now_seconds: int) -> str:
    """Seed 000's "Platform Identity", as one command."""
    event = {
        "property_id": started.property_id,
        "organization_id": started.organization_id,
        "timestamp": str(now_seconds),
        "event_type": FIRST_TYPE,
        "p_user_id": SOMEONE,
        "platform_type": "Discord",
        "event_data": {"item_id": "8258727671"},
    }
    body = shlex.quote(json.dumps(event, indent=2))
    return (
        f"curl -i {started.address}/events/record \\\n"
        f"  -H 'Authorization: Bearer {started.secret_key}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {body}"
    )


def first_event(event: FirstEvent, say: Say) -> str:
    """Whose the first event is, and how to see everything of theirs."""
    what = f"First event: {event.event_type} (record {event.record_id})"
    if event.c_user_id is None:
        return f"{what}. Its identifiers name nobody, so it belongs to no identity."
    return (
        f"{what} by {', '.join(event.identifiers)} went to the identity {event.c_user_id}.\n"
        f"See everything of theirs: {say('identities timeline ' + event.c_user_id)}"
    )


def as_json(started: Started) -> str:
    return msgspec.json.encode(started).decode()
