"""What questions are tried on, one for each test file: an engine for random logs, and a server that
has the events of a shop."""

from collections.abc import Iterator

import pytest

from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from tests.journeys.shop import running_shop
from tests.journeys.world import World
from tests.running import Running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_chdb_ledger(tmp_path_factory.mktemp("world") / "ledger", Limits()) as ledger:
        yield World(ledger)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_shop(tmp_path_factory.mktemp("shop")) as server:
        yield server
