"""Sealing goes on in the background: whatever goes wrong with it, it is tried again, and it ends
between two segments."""

import asyncio

import pytest

from endu.events import sealing as sealing_file
from endu.events.event import Seq
from endu.events.sealing import sealing


class Due:
    """A sealer with so many segments to seal, after so many failures."""

    def __init__(self, segments: int, failures: int = 0) -> None:
        self.segments = segments
        self.failures = failures
        self.asked: list[Seq] = []
        self.sealed = asyncio.Event()

    async def seal_once(self, settled: Seq) -> bool:
        self.asked.append(settled)
        if self.failures:
            self.failures -= 1
            raise OSError("No space left on device")
        if not self.segments:
            self.sealed.set()
            return False
        self.segments -= 1
        await asyncio.sleep(0)
        return True


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_file, "LOOK_SECONDS", 0.001)


async def test_it_seals_what_is_due_up_to_what_is_settled_now() -> None:
    due, settled = Due(3), iter(range(100))
    async with asyncio.timeout(5):
        async with sealing(due, lambda: Seq(next(settled))):
            await due.sealed.wait()
    assert due.asked[:4] == [0, 1, 2, 3]


async def test_it_tries_again_where_storage_fails(caplog: pytest.LogCaptureFixture) -> None:
    due = Due(1, failures=3)
    async with asyncio.timeout(5):
        async with sealing(due, lambda: Seq(1)):
            await due.sealed.wait()
    assert caplog.text.count("The log cannot be sealed") == 3


async def test_a_segment_that_is_begun_is_finished_at_the_end() -> None:
    begun, finished = asyncio.Event(), []

    class Slow:
        async def seal_once(self, settled: Seq) -> bool:
            begun.set()
            await asyncio.sleep(0.01)
            finished.append(settled)
            return False

    async with sealing(Slow(), lambda: Seq(1)):
        await begun.wait()
    assert finished == [1]
