"""The sealed end of the log: numbered files beside the inbox, in order and without a gap.

A file is named by the places that it takes up (those that were never used among them) and by its
generation, which grows where the file is written again because records of it were erased. The
greatest generation counts; older ones are what a crash left.
"""

import logging
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from endu.announcements import Progress
from endu.events.frame import Frame
from endu.events.keeping import Leaves, erased_in
from endu.stores.files import sync_names
from endu.stores.segment_file import damage_of, frames_of, write_segment

logger = logging.getLogger(__name__)

DIRECTORY = "segments"
UNFINISHED = ".unfinished"

_NAME = re.compile(r"(\d{16})-(\d{16})\.(\d+)\.zst")


class Segment(Struct, frozen=True, order=True):
    """A file of the directory, by what its name says."""

    first: int
    last: int
    generation: int = 1

    @property
    def name(self) -> str:
        return f"{self.first:016}-{self.last:016}.{self.generation}.zst"


class SegmentDiffers(Exception):
    """What was written is not what is read back."""


def in_silence(what: str, done: int, total: int) -> None:
    """How far it is, told to nobody."""


class Segments:
    """Whoever writes here is alone in that; anybody may read beside it."""

    def __init__(self, root: Path) -> None:
        self.directory = root / DIRECTORY

    def all(self) -> list[Segment]:
        """Those that count, in order."""
        found: dict[tuple[int, int], Segment] = {}
        for segment in sorted(self._files()):
            found[segment.first, segment.last] = segment
        return list(found.values())

    def behind(self, after: int) -> Segment | None:
        """The first one that has places behind `after`."""
        return next((segment for segment in self.all() if segment.last > after), None)

    def size_bytes(self) -> int:
        """What they take up, about: files come and go."""
        with suppress(FileNotFoundError):
            return sum(path.stat().st_size for path in self.directory.iterdir())
        return 0

    def end(self) -> int:
        """The last place of the last one; 0 without any."""
        return max((segment.last for segment in self._files()), default=0)

    def frames(self, after: int, until: int) -> Iterator[Frame]:
        """Those with records behind `after`, up to `until`, in order; empty ones, not intact, for
        what is there and cannot be read. What no file holds is passed over, loudly."""
        while after < until:
            segment = self.behind(after)
            reached = min(segment.last if segment else until, until)
            if segment is None or segment.first > after + 1:
                end = segment.first - 1 if segment else until
                logger.error("No segment holds the places %d to %d", after + 1, min(end, until))
            if segment is not None:
                for frame in self._frames_of(segment, after):
                    if frame.first > until:
                        break
                    yield frame
            after = reached

    def damage(self, until: int, progress: Progress = in_silence) -> Iterator[tuple[str, str]]:
        """Reads every byte: which file is not as it was written, and what of it; and the places up
        to `until` that no file holds."""
        expected = 1
        for segment in self.all():
            if segment.first > expected:
                yield _missing(expected, segment.first - 1)
            elif segment.first < expected:
                yield segment.name, f"begins before {expected}, where the one before it ends"
            for what in damage_of(self._path(segment), segment.first, segment.last):
                yield f"{DIRECTORY}/{segment.name}", what
            expected = segment.last + 1
            progress("segments", segment.last, until)
        if expected <= until:
            yield _missing(expected, until)

    def tidy(self) -> None:
        """Removes what a crash left: unfinished files, and generations that do not count."""
        self.directory.mkdir(exist_ok=True, mode=0o700)
        sync_names(self.directory.parent)  # or a power cut may take it, with all that is in it
        counts = set(self.all())
        for segment in self._files():
            if segment not in counts:
                self._path(segment).unlink()
        for path in self.directory.glob(f"*{UNFINISHED}"):
            path.unlink()
        sync_names(self.directory)

    def write(self, segment: Segment, frames: Callable[[], Iterable[Frame]]) -> None:
        """Writes the frames to an unfinished file, reads it back and compares. Raises
        SegmentDiffers."""
        path = self._unfinished(segment)
        try:
            write_segment(path, frames())
            self._compare(path, segment, 0, frames())
        except BaseException:
            path.unlink(missing_ok=True)  # on a full disk it would only be in the way
            raise

    def name(self, segment: Segment) -> None:
        """From now on it counts. Returns once that would survive a power cut."""
        self._unfinished(segment).rename(self._path(segment))
        sync_names(self.directory)

    def compare(self, segment: Segment, after: int, frames: Iterable[Frame]) -> None:
        """Raises SegmentDiffers where it does not hold just these behind `after`."""
        self._compare(self._path(segment), segment, after, frames)

    def remove(self, segment: Segment) -> None:
        self._path(segment).unlink()
        sync_names(self.directory)

    def erase(self, places: Sequence[int], leaves: Leaves) -> None:
        """Writes each segment again in which one of these, ascending, says more than is left of
        it, under its next generation; then the old file goes. Raises SegmentDiffers, OSError."""
        for segment in self.all():
            first, behind = bisect_left(places, segment.first), bisect_right(places, segment.last)
            here = frozenset(places[first:behind])
            if here and any(new != old for old, new in self._erased(segment, here, leaves)):
                self._write_again(segment, here, leaves)

    def _write_again(self, segment: Segment, places: Set[int], leaves: Leaves) -> None:
        again = Segment(segment.first, segment.last, segment.generation + 1)
        self.write(again, lambda: (new for _, new in self._erased(segment, places, leaves)))
        self.name(again)
        self.remove(segment)

    def _erased(
        self, segment: Segment, places: Set[int], leaves: Leaves
    ) -> Iterator[tuple[Frame, Frame]]:
        """Each frame as it is, and as it is to be."""
        for frame in self._frames_of(segment, 0):
            apart = places.isdisjoint(range(frame.first, frame.last + 1))
            yield frame, frame if apart else erased_in(frame, places, leaves)

    def _compare(self, path: Path, segment: Segment, after: int, frames: Iterable[Frame]) -> None:
        written = frames_of(path, segment.first, segment.last, after)
        expected = iter(frames)
        for frame in written:
            if frame != next(expected, None):
                raise SegmentDiffers(f"{path.name} is not as it was written at {frame.first}")
        if next(expected, None) is not None or any(damage_of(path, segment.first, segment.last)):
            raise SegmentDiffers(f"{path.name} is not as it was written")

    def _frames_of(self, segment: Segment, after: int) -> Iterator[Frame]:
        """Of whatever generation is there when it is opened."""
        try:
            yield from frames_of(self._path(segment), segment.first, segment.last, after)
        except FileNotFoundError:
            newer = self.behind(segment.first - 1)
            if newer is None or newer == segment:
                raise
            yield from self._frames_of(newer, after)

    def _files(self) -> Iterator[Segment]:
        if not self.directory.exists():
            return
        for name in os.listdir(self.directory):
            if found := _NAME.fullmatch(name):
                first, last, generation = map(int, found.groups())
                yield Segment(first, last, generation)

    def _path(self, segment: Segment) -> Path:
        return self.directory / segment.name

    def _unfinished(self, segment: Segment) -> Path:
        return self.directory / (segment.name + UNFINISHED)


def _missing(first: int, last: int) -> tuple[str, str]:
    return DIRECTORY, f"no file holds the places {first} to {last}"
