"""A running Endu: its door on a socket, a watch on its parts, and an orderly end."""

import asyncio
import logging
from collections.abc import Callable

from msgspec import Struct

from endu.announcements import Announce, CannotRun, Started
from endu.events.event import Seq
from endu.events.settling import Settling
from endu.journeys.first import first_event
from endu.organizations.beginning import FIRST_PROPERTY, Beginning
from endu.web.api import http_face
from endu.web.crowd import Reception
from endu.web.parts import Parts
from endu.web.server import Entrance, Server

logger = logging.getLogger(__name__)


class Running(Struct, frozen=True, kw_only=True):
    """Everything but the socket. `began` is shown once, and None after the first start; `dead` is
    empty, or says why Endu has to be started again."""

    parts: Parts
    settling: Settling
    began: Beginning | None
    dead: Callable[[], str]


async def run_until_told(
    running: Running, door: Entrance, reception: Reception, address: str, announce: Announce
) -> None:
    """Opens the door, announces it, and serves until a signal, or until a part has died.

    Raises CannotRun where a part died.
    """
    server = Server(http_face(running.parts), door, reception)
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
    if dead := running.dead():
        raise CannotRun(f"Endu stopped. {dead}")


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
