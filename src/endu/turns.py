"""Taking turns on one event loop: long work in pieces so short that nobody has to wait for it.

The settler shares its loop with questions and the rest of HTTP. A thread of its own would be worse:
the interpreter runs one thread at a time, and whoever lets go of it at every socket would get it
back only after each switch interval. Measured, when recording was on that loop too: a third of
the requests.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")


async def in_turns(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """`items` in pieces of `size`, with everybody else's turn between two of them."""
    for start in range(0, len(items), size):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + size]


async def one_by_one(items: Sequence[T], size: int) -> AsyncIterator[T]:
    """The same, item by item."""
    async for piece in in_turns(items, size):
        for item in piece:
            yield item
