"""How many connections there is room for, and who leaves where there is none left."""

import asyncio
from contextlib import AsyncExitStack, closing
from pathlib import Path

from endu.stores.sqlite import connect
from endu.web.crowd import FEWEST, Reception
from tests.door_world import Answer, Line, Served, line, line_to, serving


async def test_who_never_asked_makes_room_for_who_comes(tmp_path: Path) -> None:
    async with serving(tmp_path, Reception(FEWEST)) as served, AsyncExitStack() as stack:
        regular = await stack.enter_async_context(line_to(served))
        assert (await regular.ask(served.request())).status == 200
        silent = [await stack.enter_async_context(line_to(served)) for _ in range(FEWEST - 1)]
        for _ in range(FEWEST):
            async with line_to(served) as new:
                assert (await new.ask(served.request())).status == 200
        await one_is_closed(silent)
        assert (await regular.ask(served.request())).status == 200


async def test_so_it_is_behind_the_door(tmp_path: Path) -> None:
    async with serving(tmp_path, Reception(FEWEST)) as served, AsyncExitStack() as stack:
        halves = [await stack.enter_async_context(line_to(served)) for _ in range(FEWEST)]
        for half in halves:
            await half.send(b"GET /health/live HTTP/1.1\r\nHost: endu\r\nX: ")
        for _ in range(FEWEST):
            async with line_to(served) as new:
                answer = await new.ask(b"GET /health/live HTTP/1.1\r\nHost: endu\r\n\r\n")
                assert answer.status == 200
        await one_is_closed(halves)


async def test_where_everybody_is_being_answered_the_next_is_to_come_again(tmp_path: Path) -> None:
    async with serving(tmp_path, Reception(FEWEST)) as served, AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(line_to(served)) for _ in range(FEWEST)]
        for each in lines:
            assert (await each.ask(served.request())).status == 200
        with closing(connect(served.log)) as other:
            other.execute("BEGIN IMMEDIATE")
            for each in lines:
                await each.send(served.request())
            answer = await turned_away(served)
            other.execute("ROLLBACK")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert b'"error":"TOO_MANY_CONNECTIONS"' in answer.body
        assert [(await each.answer()).status for each in lines] == [200] * FEWEST
        assert served.door.shared.turned_away > 0


async def one_is_closed(lines: list[Line]) -> None:
    """Of those that came at the same moment, any may have to leave."""
    waiting = [asyncio.create_task(each.is_let_go()) for each in lines]
    done, still = await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    for each in still:
        each.cancel()
    assert done and still


async def turned_away(served: Served) -> Answer:
    """Who comes before all that was sent is read has room made for them: the next is tried."""
    for _ in range(100):
        async with line(served.port) as late:
            try:
                async with asyncio.timeout(0.1):
                    return await late.answer()
            except TimeoutError:
                pass
    raise AssertionError("everybody had room")
