"""The world that the properties of questions are tried in: one engine for each test file."""

from collections.abc import Iterator

import pytest

from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger
from tests.journeys.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_chdb_ledger(tmp_path_factory.mktemp("world") / "ledger", Limits()) as ledger:
        yield World(ledger)
