"""The events of a shop, as anybody would bring them in, and when what happened in it.

    pytestmark = needs_shop

    def test_…(shop: Running) -> None:
        ...

The fixture `shop` (conftest.py) is a running server that has them, a test file's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import Running, running

ROOT = Path(__file__).parent.parent.parent
EVENTS = ROOT.parent / "shared" / "data" / "ecom.csv.gz"
MAPPING = ROOT / "docs" / "examples" / "ecom.toml"

ALL = {"from": "2024-01-01T00:00:00Z", "to": "2024-07-01T00:00:00Z"}
BEFORE = {"from": "2024-01-01T00:00:00Z", "to": "2024-04-09T00:00:00Z"}
BROKEN = {"from": "2024-04-09T00:00:00Z", "to": "2024-05-10T00:00:00Z"}  # checkout, on mobile
FAILING = {"from": "2024-05-19T00:00:00Z", "to": "2024-06-08T00:00:00Z"}  # payments
AFTER = {"from": "2024-06-08T00:00:00Z", "to": "2024-07-01T00:00:00Z"}

needs_shop = pytest.mark.skipif(not EVENTS.exists(), reason=f"{EVENTS} is not here")


@contextmanager
def running_shop(directory: Path) -> Iterator[Running]:
    with running(directory / "data") as server:
        imported = server.json("import", str(EVENTS), "--mapping", str(MAPPING),
                               "--register-types")  # fmt: skip
        assert imported["refused"] == 0
        yield server
