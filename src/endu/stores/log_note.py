"""Where the log ends, noted beside it.

SQLite takes a damaged commit in its WAL for the end of it, and drops whatever lies behind: nothing
in the file says that there was more. So each commit that is about to be acknowledged is noted
here too. That is not synced: after a power cut the note may be older than the log, never newer.
"""

import os
from contextlib import suppress
from pathlib import Path
from zlib import crc32

PLACE_BYTES, CHECK_BYTES = 8, 4


def noted_end(log: Path) -> int:
    """The last place that was acknowledged; 0 without a note that can be read."""
    with suppress(FileNotFoundError):
        note = _beside(log).read_bytes()
        end = int.from_bytes(note[:PLACE_BYTES], "little")
        if note == _note_of(end):
            return end
    return 0


class EndNote:
    """For whoever writes the log, whose end is given."""

    def __init__(self, log: Path, end: int) -> None:
        self._file = os.open(_beside(log), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.say(end)

    def say(self, end: int) -> None:
        with suppress(OSError):  # the log itself has it: nothing is lost but this proof
            os.pwrite(self._file, _note_of(end), 0)

    def close(self) -> None:
        os.close(self._file)


def _beside(log: Path) -> Path:
    return log.with_name(f"{log.name}-end")


def _note_of(end: int) -> bytes:
    place = end.to_bytes(PLACE_BYTES, "little")
    return place + crc32(place).to_bytes(CHECK_BYTES, "little")
