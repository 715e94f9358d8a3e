"""A few numbers that the two processes of one Endu see without asking each other.

A message between them is on its way for a while; these are not. What was acknowledged is counted
here before its sender is told of it, so that whoever then asks the other process is answered by
it; and a key that was revoked is dead in both before that is confirmed.
"""

import mmap

SIZE = mmap.PAGESIZE
_REGISTRY, _LOG_END, _ACCEPTED, _DUPLICATES, _CLOSED, _LIMITED = range(6)
_COMMITS, _COMMIT_MICROSECONDS = 6, 7
_TURNED_AWAY, _TURNED_AWAY_BEHIND = 8, 9


class SharedNumbers:
    """In memory behind one file that both have open. Each number has one process that writes it."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, SIZE)
        self._numbers = memoryview(self._map).cast("Q")  # whole words: none is ever half written

    @property
    def registry(self) -> int:
        """Grows with every change of organizations, keys and event types."""
        return self._numbers[_REGISTRY]

    def registry_changed(self) -> None:
        self._numbers[_REGISTRY] += 1

    @property
    def log_end(self) -> int:
        """The last place that is durable."""
        return self._numbers[_LOG_END]

    @log_end.setter
    def log_end(self, place: int) -> None:
        self._numbers[_LOG_END] = place

    @property
    def accepted(self) -> int:
        """Events that the door recorded itself."""
        return self._numbers[_ACCEPTED]

    @property
    def duplicates(self) -> int:
        """Those that it was sent again."""
        return self._numbers[_DUPLICATES]

    @property
    def closed(self) -> bool:
        """Whether nothing is to be written to the log, for want of space."""
        return bool(self._numbers[_CLOSED])

    @closed.setter
    def closed(self, closed: bool) -> None:
        self._numbers[_CLOSED] = closed

    @property
    def limited(self) -> int:
        """Requests that the door turned away because there were too many."""
        return self._numbers[_LIMITED]

    def count_limited(self) -> None:
        self._numbers[_LIMITED] += 1

    @property
    def turned_away(self) -> int:
        """Connections that there was no room for, at the door and behind it."""
        return self._numbers[_TURNED_AWAY] + self._numbers[_TURNED_AWAY_BEHIND]

    def count_turned_away(self) -> None:
        self._numbers[_TURNED_AWAY] += 1

    def count_turned_away_behind(self) -> None:
        """For the other process."""
        self._numbers[_TURNED_AWAY_BEHIND] += 1

    @property
    def commits(self) -> int:
        """Of the log, whether they went well or not."""
        return self._numbers[_COMMITS]

    @property
    def commit_seconds(self) -> float:
        """What all of them took."""
        return self._numbers[_COMMIT_MICROSECONDS] / 1e6

    def count_commit(self, seconds: float) -> None:
        self._numbers[_COMMITS] += 1
        self._numbers[_COMMIT_MICROSECONDS] += int(seconds * 1e6)

    def count(self, duplicate: bool) -> None:
        self._numbers[_DUPLICATES if duplicate else _ACCEPTED] += 1
