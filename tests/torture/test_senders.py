"""What senders write down of what they are told."""

import asyncio
from itertools import count
from pathlib import Path

from endu.torture.gate import Gate
from endu.torture.history import Answered, History, Outcome, read_history
from endu.torture.senders import Sender

KEPT = b"HTTP/1.1 200 OK\r\nEndu-Record-Id: kept\r\nContent-Length: 0\r\n\r\n"


async def test_what_is_kept_is_acknowledged(tmp_path: Path) -> None:
    first = await first_answer(tmp_path, Gate(), power_goes=False)
    assert (first.status, first.outcomes[0]) == (200, Outcome("ok", "kept"))


async def test_what_is_said_after_the_power_has_gone_nobody_hears(tmp_path: Path) -> None:
    first = await first_answer(tmp_path, Gate(), power_goes=True)
    assert (first.status, first.outcomes[0]) == (0, Outcome("unknown"))


async def first_answer(work: Path, gate: Gate, *, power_goes: bool) -> Answered:
    """To a sender whose server keeps everything, and loses its power just before it says so."""
    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if power_goes:
            gate.cut()
        writer.write(KEPT)
        writer.close()
        answered.set()

    history = History(work / "history.jsonl")
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await gate.open(f"http://127.0.0.1:{port}", "organization", "key")
        sending = asyncio.create_task(Sender(0, 1, gate, history, count(1)).run())
        await answered.wait()
        await gate.end()
        await sending
    await history.close()
    return next(e for e in read_history(work / "history.jsonl") if isinstance(e, Answered))
