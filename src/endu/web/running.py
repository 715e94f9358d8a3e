"""A running Endu: its door on a socket, a watch on its parts, and an orderly end."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator

from msgspec import Struct
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from endu.announcements import Announce, CannotRun, Started
from endu.events.event import Seq
from endu.events.inbox import Inbox
from endu.events.settling import SettlerDied, Settling
from endu.journeys.first import first_event
from endu.organizations.beginning import FIRST_PROPERTY, Beginning
from endu.refusals import Reason, Refusal
from endu.web.api import http_face
from endu.web.metrics import Metrics
from endu.web.parts import Parts
from endu.web.server import Entrance, Server

logger = logging.getLogger(__name__)

FRESH_SECONDS = 10


class Running(Struct, frozen=True, kw_only=True):
    """Everything but the socket. `began` is shown once, and None after the first start."""

    parts: Parts
    settling: Settling
    began: Beginning | None


class Watch:
    """What the HTTP face asks of the parts behind it."""

    def __init__(self, inbox: Inbox, settling: Settling, log_alive: Callable[[], bool]) -> None:
        self._inbox = inbox
        self._settling = settling
        self._log_alive = log_alive

    async def fresh(self) -> None:
        """Returns once everything acknowledged before is in every answer; raises Refusal."""
        try:
            await self._settling.settled(self._inbox.end, FRESH_SECONDS)
        except (TimeoutError, SettlerDied) as problem:
            raise Refusal(Reason.NOT_SETTLED, retry_after_seconds=1) from problem

    def why_not_ready(self) -> str:
        if not self._log_alive():
            return "The log cannot be written; see what Endu printed, then start it again."
        if not self._settling.alive:
            return "Nothing settles any more; see what Endu printed, then start it again."
        return ""

    def metrics(self, elsewhere: Callable[[], Counter[str]]) -> Metrics:
        metrics = Metrics(elsewhere)
        metrics.registry.register(self)
        return metrics

    def collect(self) -> Iterator[Metric]:
        done, waiting = self._settling.counters, self._settling.waiting
        yield GaugeMetricFamily("endu_log_end", "The last place of the log.", self._inbox.end)
        yield GaugeMetricFamily("endu_settle_waiting", "Records that are not settled.", waiting)
        yield CounterMetricFamily("endu_settled_events", "Events settled.", done.events)
        yield CounterMetricFamily("endu_set_aside", "Records set aside.", done.set_aside)
        yield CounterMetricFamily("endu_settle_batches", "Batches settled.", done.batches)


async def run_until_told(
    running: Running, door: Entrance, address: str, announce: Announce
) -> None:
    """Opens the door, announces it, and serves until a signal, or until a part has died.

    Raises CannotRun where a part died.
    """
    server = Server(http_face(running.parts), door)
    serving = asyncio.create_task(server.serve())
    parts = [asyncio.create_task(part) for part in (running.settling.ended(), door.ended())]
    announcing = asyncio.create_task(_announce(running, server, address, announce))
    announcing.add_done_callback(_say_if_it_failed)
    try:
        await asyncio.wait((serving, *parts), return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.stop()
        announcing.cancel()
        await serving
        for part in parts:
            part.cancel()
        await asyncio.gather(announcing, *parts, return_exceptions=True)
    why_not_ready = running.parts.why_not_ready()
    if why_not_ready:
        raise CannotRun(f"Endu stopped. {why_not_ready}")


async def _announce(running: Running, server: Server, address: str, announce: Announce) -> None:
    await server.listening.wait()
    began = running.began
    announce(
        Started(
            address=address,
            organization_id=_first_organization(running),
            property_id=FIRST_PROPERTY,
            secret_key=began.secret_key if began else None,
            publishable_key=began.publishable_key if began else None,
            first_start=began is not None,
        )
    )
    if began:
        await _announce_first_event(running, announce)


async def _announce_first_event(running: Running, announce: Announce) -> None:
    parts = running.parts
    first, seen = None, Seq(0)
    while first is None:
        await parts.inbox.arrival(seen)
        seen = parts.inbox.end
        await running.settling.settled(seen, None)  # behind a large import that takes minutes
        first = await first_event(parts.ledger, parts.directory, parts.catalog, parts.scramble)
    announce(first)


def _say_if_it_failed(announcing: asyncio.Task[None]) -> None:
    if not announcing.cancelled() and (problem := announcing.exception()):
        logger.error("Nothing more is announced", exc_info=problem)


def _first_organization(running: Running) -> str:
    return running.parts.organizations.all()[0].organization_id
