"""The one handle and the one thread that write to the ledger: nothing writes beside them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from endu.stores.chdb_engine import Client
from endu.stores.chdb_handles import Rows

T = TypeVar("T")


class Writer:
    """For event loops. What stands below `in_thread` is for its thread, and for whoever opens the
    ledger before anybody else has it."""

    def __init__(self, open_client: Callable[[], Client]) -> None:
        self._open_client = open_client
        self.client: Client = open_client()
        self._thread = ThreadPoolExecutor(1, "ledger")

    async def in_thread(self, work: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *values)

    def close(self) -> None:
        self._thread.shutdown()
        self.client.close()

    def read(self, sql: str, **values: Any) -> Rows:
        rows: Rows = self.run(lambda client: client.query(sql, parameters=values).result_rows)
        return rows

    def command(self, statement: str) -> None:
        self.run(lambda client: client.command(statement))

    def run(self, work: Callable[[Client], Any]) -> Any:
        """What raised may have left rows behind in the handle: it is thrown away."""
        try:
            return work(self.client)
        except BaseException:
            self.client.close()
            self.client = self._open_client()
            raise
