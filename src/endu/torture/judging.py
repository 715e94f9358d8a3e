"""The end of a run: everything read back and compared, verified, rebuilt, and read once more."""

import asyncio
from pathlib import Path

from endu.announcements import Progress
from endu.torture.answers import Answers, NoAnswer
from endu.torture.check import Found, check
from endu.torture.comparing import compare_journeys, everything
from endu.torture.fates import Told, told_by
from endu.torture.faults import Broken, rebuild_again
from endu.torture.flips import verify
from endu.torture.history import read_history
from endu.torture.keeper import Keeper
from endu.torture.report import Seen
from endu.torture.server import DidNotStart

PARTS = 4


async def judge(keeper: Keeper, history: Path, seen: Seen, progress: Progress) -> None:
    """Nobody sends any more."""
    told = await asyncio.to_thread(lambda: told_by(read_history(history)))
    try:
        progress("judging", 0, PARTS)
        before = await _look(keeper, told, seen)
        progress("judging", 1, PARTS)
        await _verify(keeper, seen)
        progress("judging", 2, PARTS)
        await rebuild_again(keeper)
        await _verify(keeper, seen)
        progress("judging", 3, PARTS)
        if await _look(keeper, told, seen) != before:
            seen.broken.append("After a rebuild the answers are others.")
        progress("judging", PARTS, PARTS)
    except (DidNotStart, NoAnswer, Broken) as problem:
        seen.broken.append(str(problem))


async def _look(keeper: Keeper, told: Told, seen: Seen) -> Found:
    """What the server answers now, compared. Ends it as an operator does."""
    async with keeper.serving() as server:
        if server is None:
            raise DidNotStart("it was killed, and not by this")
        async with keeper.client(keeper.address) as client:
            answers = Answers(client)
            found = await everything(answers, keeper.beginning)
            seen.findings = check(told, found)
            seen.compared = await compare_journeys(answers, found)
        if not await server.stop():
            raise Broken("A server that was told to end in order did not.")
    if not told.recovered:
        seen.broken.append("After the last fault no event was acknowledged within ten seconds.")
    return found


async def _verify(keeper: Keeper, seen: Seen) -> None:
    ended = await verify(keeper.data)
    if ended.exit_code:
        seen.damage.append(ended.said)
