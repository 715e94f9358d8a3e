"""Work that is for somebody: it ends when nobody waits for its answer any more."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from endu.web.asgi import Receive

T = TypeVar("T")


class NobodyWaits(Exception):
    """The caller is gone, and the work was ended."""


async def while_wanted(receive: Receive, work: Awaitable[T]) -> T:
    """What the work gives. Once the connection is gone it is cancelled, and when that is done
    NobodyWaits is raised. The request's body has been read."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise NobodyWaits
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
