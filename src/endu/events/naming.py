"""Whether what was sent names a person: for failed events, which were never brought to one form."""

import re
from collections.abc import Iterable

from endu.events.wire import read_event
from endu.refusals import Refusal


class Names:
    """The identifiers of one person, "discord:1", in the form that they are normalised to."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self._identifiers = frozenset(identifiers)
        values = {identifier.rpartition(":")[2] for identifier in self._identifiers}
        any_of_them = b"|".join(re.escape(value.encode()) for value in sorted(values))
        self._anywhere = re.compile(
            rb"(?<![0-9A-Za-z])(?:%s)(?![0-9A-Za-z])" % any_of_them, re.IGNORECASE
        )

    def are_in(self, body: bytes, received_at_ms: int) -> bool:
        """Whether an event as it was sent names one of them. Where it cannot be read as a whole,
        a value of theirs that stands anywhere in it counts: then it may name somebody else too,
        or nobody."""
        if not self._identifiers:
            return False
        try:
            said = read_event(body, received_at_ms)
        except Refusal:
            return self._anywhere.search(body) is not None
        if not self._identifiers.isdisjoint(said.identifiers):
            return True
        return bool(said.problems) and self._anywhere.search(body) is not None
