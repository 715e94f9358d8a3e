"""Histories and answers made up for tests of the checker: a story in which all is well."""

from typing import Any

from endu.torture.answers import RuleMade, Stored
from endu.torture.check import Found, identifiers_of
from endu.torture.crowd import Kind
from endu.torture.history import Answered, Line, Outcome, Sent

OK = "ok"
REFUSED = "refused"


class Story:
    """A history that is told line by line, and what Endu then answers."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.events: list[Stored] = []
        self.rules: list[RuleMade] = []
        self.event_types = {"BEGIN_EVENT"}
        self.failed_events: set[str] = set()
        self._requests = 0

    @property
    def found(self) -> Found:
        return Found(self.events, self.rules, self.event_types, self.failed_events)

    def send(self, *numbers: int, **said: Any) -> int:
        """The number of the request."""
        return self.ask("record", events=tuple(event(number, **said) for number in numbers))

    def ask(self, kind: Kind, events: tuple[dict[str, Any], ...] = (), **body: Any) -> int:
        self._requests += 1
        self.lines.append(Sent(self._requests, 0, kind, events, body))
        return self._requests

    def answer(self, request: int, *outcomes: Outcome) -> None:
        self.lines.append(Answered(request, 200, outcomes))

    def keep(self, number: int, **said: Any) -> None:
        """Sent, acknowledged and stored, one after the other."""
        self.answer(self.send(number, **said), Outcome("ok", f"record {number}"))
        self.store(number, **said)

    def store(self, number: int, **said: Any) -> None:
        self.events.append(stored(len(self.events), event(number, **said)))


def event(number: int, **said: Any) -> dict[str, Any]:
    return {
        "organization_id": "o",
        "property_id": "P#1",
        "timestamp": "1700000000.250",
        "event_type": "BEGIN_EVENT",
        "event_data": {"n": number},
        "p_user_id": "77",
        "platform_type": "Discord",
    } | said


def stored(place: int, said: dict[str, Any], **other: Any) -> Stored:
    """As Endu would answer with it."""
    values: dict[str, Any] = {
        "place": place,
        "record_id": f"record {said['event_data']['n']}",
        "event_type": said["event_type"],
        "property_id": said["property_id"],
        "happened_at_ms": 1_700_000_000_250,
        "received_at_ms": 1_800_000_000_000 + place,
        "identifiers": tuple(identifiers_of(said)),
        "data": said["event_data"],
    }
    return Stored(**(values | other))
