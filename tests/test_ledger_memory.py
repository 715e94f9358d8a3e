"""A question that groups more than its memory holds sets the rest aside on the disk."""

from pathlib import Path

from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import open_chdb_ledger

GROUPED = """
SELECT sum(length(told)), count()
  FROM (
    SELECT number % 100000 AS person, groupArray(sipHash128(number)) AS told
      FROM numbers(5000000)
     GROUP BY person
  )
"""


async def test_what_does_not_fit_into_memory_is_grouped_all_the_same(tmp_path: Path) -> None:
    with open_chdb_ledger(tmp_path / "ledger", Limits(memory_bytes=128 << 20)) as ledger:
        assert await ledger.ask(GROUPED, {}) == [(5_000_000, 100_000)]
    aside = tmp_path / "ledger" / "temporary"
    assert [each for each in aside.rglob("*") if each.is_file()] == []
