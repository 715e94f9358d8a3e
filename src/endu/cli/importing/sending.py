"""Rows to the server: in batches, several under way at once, each answered for in its order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal

import httpx
import msgspec
from msgspec import Struct

from endu.cli.importing.rows import ReadRow
from endu.cli.operator import Operator, sentence_of
from endu.cli.stop import UNREACHABLE, Stop

# While one batch is written to disk the next is on its way and a third is made.
UNDER_WAY = 3

STOPPED = "Stopped; the same command goes on from here."

# A server that asks for patience (429, 503) or is being started again gets this much of it.
ATTEMPTS = 30
PAUSE_SECONDS = 1.0
BUSY = (429, 503)


class Result(Struct, frozen=True):
    """What the server made of one event of a batch."""

    result: Literal["ok", "duplicate", "refused", "retry"]
    error: str | None = None
    error_text: str | None = None
    warnings: tuple[str, ...] = ()


class Batch(Struct, frozen=True):
    """Rows that follow each other in the file; `lines` are the events among them, encoded."""

    rows: Sequence[ReadRow]
    lines: Sequence[bytes]

    @property
    def last(self) -> int:
        return self.rows[-1].number


class _Results(Struct, frozen=True):
    results: list[Result]


class _Answer(Struct, frozen=True):
    data: _Results


_encode = msgspec.json.Encoder().encode
_answer = msgspec.json.Decoder(_Answer)


class Size(Struct, frozen=True):
    """How much the server takes at once."""

    events: int
    bytes: int


@contextmanager
def import_key(operator: Operator, name: str) -> Iterator[str]:
    """A key for one run alone: with it events keep their own claim times (R2)."""
    made = operator.ask("POST", "/keys", body={"kind": "import", "name": name})
    try:
        yield made["key"]
    finally:
        operator.ask("DELETE", f"/keys/{made['key_id']}")


def largest_batch(operator: Operator) -> Size:
    settings = operator.ask("GET", "/limits")["settings"]
    return Size(settings["events_per_batch_at_most"], settings["batch_bytes_at_most"])


def batches_of(rows: Iterable[ReadRow], at_most: Size) -> Iterator[Batch]:
    """An event that is larger than a batch may be goes alone, and is refused alone."""
    taken: list[ReadRow] = []
    lines: list[bytes] = []
    size = 0
    for row in rows:
        line = b"" if row.event is None else _encode(row.event)
        if len(taken) == at_most.events or size + len(line) >= at_most.bytes:
            if taken:
                yield Batch(taken, lines)
            taken, lines, size = [], [], 0
        taken.append(row)
        if line:
            lines.append(line)
            size += len(line) + 1  # and the end of the line
    if taken:
        yield Batch(taken, lines)


class Sender:
    """Sends batches with an import key, patiently; `stopping` ends its patience."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        self._client = client
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/x-ndjson",
        }
        self.stopping = threading.Event()

    def send(self, batch: Batch) -> list[Result]:
        """One result for every line. Raises Stop where the server does not take the batch."""
        results = self._post(batch.lines)
        for _ in range(ATTEMPTS):
            again = [place for place, each in enumerate(results) if each.result == "retry"]
            if not again:
                return results
            self._pause(PAUSE_SECONDS)
            for place, result in zip(
                again, self._post([batch.lines[place] for place in again]), strict=True
            ):
                results[place] = result
        raise Stop("The server keeps asking for some events again; see its log.", UNREACHABLE)

    def _post(self, lines: Sequence[bytes]) -> list[Result]:
        if not lines:
            return []
        body = b"\n".join(lines)
        for _ in range(ATTEMPTS):
            try:
                answer = self._client.post("/events/record/batch", content=body,
                                           headers=self._headers)  # fmt: skip
            except httpx.TransportError:
                self._pause(PAUSE_SECONDS)
                continue
            if answer.status_code not in BUSY:
                return _read(answer)
            self._pause(float(answer.headers.get("Retry-After", PAUSE_SECONDS)))
        raise Stop("The server does not answer any more.", UNREACHABLE)

    def _pause(self, seconds: float) -> None:
        if self.stopping.wait(seconds):
            raise Stop(STOPPED)


def send_all(
    batches: Iterable[Batch],
    sender: Sender,
    answered: Callable[[Batch, list[Result]], None],
) -> None:
    """Calls `answered` once for every batch, in the order of the file."""
    under_way: deque[tuple[Batch, Future[list[Result]]]] = deque()
    with ThreadPoolExecutor(UNDER_WAY, "import") as threads:
        try:
            for batch in batches:
                if len(under_way) == UNDER_WAY:
                    _settle_first(under_way, answered)
                under_way.append((batch, threads.submit(sender.send, batch)))
        except KeyboardInterrupt:
            sender.stopping.set()
            raise
        finally:  # whatever ended the reading: what was sent is answered for
            while under_way:
                _settle_first(under_way, answered)


def _settle_first(
    under_way: deque[tuple[Batch, Future[list[Result]]]],
    answered: Callable[[Batch, list[Result]], None],
) -> None:
    batch, results = under_way.popleft()
    answered(batch, results.result())


def _read(answer: httpx.Response) -> list[Result]:
    if not answer.is_success:
        raise Stop(sentence_of(answer))
    return _answer.decode(answer.content).data.results
