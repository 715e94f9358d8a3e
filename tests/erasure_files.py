"""What files say of people who are erased, and servers that die while they erase."""

import asyncio
import signal
import sys
from pathlib import Path

import httpx
import msgspec
from backports import zstd

from endu.announcements import Started
from tests.web_world import World, bearer


def values_in(data: Path, values: list[str]) -> list[str]:
    """Those that stand in a file of the directory, packed ones too."""
    contents = [_content(path) for path in data.rglob("*") if path.is_file()]
    return [value for value in values if any(value.encode() in text for text in contents)]


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return zstd.decompress(content) if path.suffix == ".zst" else content


async def until_it_dies(data: Path, world: World, number: str, step: str) -> None:
    """Of its own hand, at that step of erasing whoever goes by the number, with nobody answered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mortal_server", str(data), step, "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        started = msgspec.json.decode(line, type=Started)
        headers = bearer(world.secret)
        async with httpx.AsyncClient(base_url=started.address, headers=headers) as client:
            try:
                answer = await client.delete(f"/identities/{number}", timeout=30)
            except httpx.TransportError:
                pass
            else:
                raise AssertionError(f"{step} was not reached: {answer.text}")
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def in_silence(what: str, done: int, total: int) -> None:
    pass
