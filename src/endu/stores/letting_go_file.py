"""Which old events are being let go of, in a file of the data directory that is there as long as
that lasts."""

import asyncio
import logging
import os
from pathlib import Path

import msgspec

from endu.events.letting_go import Plan
from endu.stores.files import sync_names

logger = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Plan).decode


class LettingGoFile:
    """Fits the port `PlanKeeper`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def planned(self) -> Plan | None:
        return await asyncio.to_thread(read_plan, self._path)

    async def plan(self, plan: Plan) -> None:
        await asyncio.to_thread(_write, self._path, plan)

    async def done(self) -> None:
        await asyncio.to_thread(_remove, self._path)


def read_plan(path: Path) -> Plan | None:
    """None where nothing is planned. What a damaged one named is found again: it is still old."""
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError:
        logger.error("%s is damaged; `endu verify` names what it was about", path)
        return None


def _write(path: Path, plan: Plan) -> None:
    """There as a whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(_encode(plan))
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync_names(path.parent)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_names(path.parent)
