"""What questions are measured against is right: each control equals plain Python on a small log."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.journeys_controls import (
    DEPTH,
    FUNNEL,
    LONGEST,
    PERIODS,
    RETURNED,
    STARTED,
    TOP,
    Control,
    funnel_of_four,
    funnel_with_times,
    paths_of_five,
    timeline_page,
    transitions,
    trend_by_day,
    trend_by_property,
    weekly_retention,
)
from benchmarks.journeys_log import ORGANIZATION, Log, ledger_of
from benchmarks.journeys_rows import TYPES
from endu.stores.chdb_handles import Limits
from endu.stores.chdb_ledger import ChdbLedger, open_chdb_ledger

EVENTS = """
SELECT toUnixTimestamp(ts), seq, subject, toString(event_type), event_data
  FROM endu.events
 WHERE org = {organization:String}
 ORDER BY ts, seq
"""
WEEK_SECONDS, DAY_SECONDS = 604_800, 86_400


class Row(msgspec.Struct, frozen=True):
    at_s: int
    seq: int
    subject: int
    kind: str
    data: str


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChdbLedger]:
    """Few people with many events each, so that there is something in every answer."""
    log = Log(events=20_000, people=250, joins=50)
    made: Path = ledger_of(log, tmp_path_factory.mktemp("cache"))
    with open_chdb_ledger(made, Limits()) as opened:
        yield opened


async def rows_in(ledger: ChdbLedger) -> list[Row]:
    return [Row(*row) for row in await ledger.ask(EVENTS, {"organization": ORGANIZATION})]


async def ask(ledger: ChdbLedger, control: Control) -> list[tuple[Any, ...]]:
    return await ledger.ask(control.sql, control.values)


def by_person(rows: list[Row]) -> dict[int, list[Row]]:
    people: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.subject:
            people[row.subject].append(row)
    return people


def day_of(row: Row) -> date:
    return datetime.fromtimestamp(row.at_s, UTC).date()


async def test_the_trend_by_day(ledger: ChdbLedger) -> None:
    days: dict[date, set[int]] = defaultdict(set)
    for row in await rows_in(ledger):
        days[day_of(row)] |= {row.subject} - {0}
    expected = sorted((day, len(people)) for day, people in days.items())
    assert len(expected) == 90
    assert await ask(ledger, trend_by_day()) == expected


async def test_the_trend_by_a_property(ledger: ChdbLedger) -> None:
    groups: dict[tuple[date, str], set[int]] = defaultdict(set)
    for row in await rows_in(ledger):
        if row.kind == TYPES["ITEM_PURCHASED"] and row.subject:
            tier = msgspec.json.decode(row.data).get("tier", "(none)")
            groups[day_of(row), tier].add(row.subject)
    expected = sorted((day, tier, len(people)) for (day, tier), people in groups.items())
    assert {tier for _, tier, _ in expected} == {"bronze", "silver", "gold", "platinum"}
    assert await ask(ledger, trend_by_property()) == expected


async def test_the_funnel(ledger: ChdbLedger) -> None:
    kinds = [TYPES[name] for name in FUNNEL]
    reached = Counter(
        furthest([(row.at_s, row.kind) for row in rows], kinds)
        for rows in by_person(await rows_in(ledger)).values()
    )
    del reached[0]
    assert len(reached) == 4
    assert await ask(ledger, funnel_of_four()) == sorted(reached.items())


def furthest(events: list[tuple[int, str]], kinds: list[str]) -> int:
    """Tries every entry; each later step as early as it can be, since the kinds differ."""
    best = 0
    for entry in [at for at, kind in events if kind == kinds[0]]:
        step, now = 1, entry
        while step < len(kinds):
            times = [at for at, kind in events if kind == kinds[step] and at >= now]
            if not times or min(times) > entry + WEEK_SECONDS:
                break
            step, now = step + 1, min(times)
        best = max(best, step)
    return best


async def test_the_funnel_with_times(ledger: ChdbLedger) -> None:
    kinds = [TYPES[name] for name in FUNNEL]
    people = by_person(await rows_in(ledger)).values()
    ways = [way_of([(row.at_s, row.kind) for row in rows], kinds) for rows in people]
    counts = [sum(len(way) >= step for way in ways) for step in (1, 2, 3, 4)]
    times = [
        np.quantile([way[n] - way[n - 1] for way in ways if len(way) > n], [0.5, 0.9]).tolist()
        for n in (1, 2, 3)
    ]
    (row,) = await ask(ledger, funnel_with_times())
    assert list(row[:4]) == counts
    for found, expected in zip(row[4:], times, strict=True):
        assert found == pytest.approx(expected)


def way_of(events: list[tuple[int, str]], kinds: list[str]) -> tuple[int, ...]:
    """Of all furthest ways that which is completed first, its other steps as late as can be."""
    ways: list[tuple[int, ...]] = [(at,) for at, kind in events if kind == kinds[0]]
    best: tuple[int, ...] = ()
    for kind in kinds[1:]:
        best = chosen(ways) if ways else best
        times = [at for at, other in events if other == kind]
        ways = [
            (*way, at) for way in ways for at in times if way[-1] <= at <= way[0] + WEEK_SECONDS
        ]
    return chosen(ways) if ways else best


def chosen(ways: list[tuple[int, ...]]) -> tuple[int, ...]:
    return min(ways, key=lambda way: (way[-1], *(-at for at in way[-2::-1])))


async def test_the_weekly_retention(ledger: ChdbLedger) -> None:
    grid: Counter[tuple[int, int]] = Counter()
    for rows in by_person(await rows_in(ledger)).values():
        starts, returns = times_by_week(rows, STARTED), times_by_week(rows, RETURNED)
        for week, started in starts.items():
            grid[week, -1] += 1
            grid.update(
                (week, other - week)
                for other, times in returns.items()
                if week <= other < week + PERIODS and max(times) >= min(started)
            )
    expected = sorted((*cell, people) for cell, people in grid.items())
    assert len(expected) > 50
    assert await ask(ledger, weekly_retention()) == expected


def times_by_week(rows: list[Row], name: str) -> dict[int, list[int]]:
    weeks: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.kind == TYPES[name]:
            weeks[(row.at_s // DAY_SECONDS + 3) // 7].append(row.at_s)
    return weeks


async def test_the_paths(ledger: ChdbLedger) -> None:
    sequences, nodes, links = items_of(await rows_in(ledger), DEPTH)
    ((found_sequences, found_nodes, found_links),) = await ask(ledger, paths_of_five())
    assert found_sequences == sorted(sequences)[:TOP]
    assert sorted(found_nodes) == sorted(nodes)
    assert sorted(found_links) == sorted(links)


async def test_the_transitions(ledger: ChdbLedger) -> None:
    _, _, links = items_of(await rows_in(ledger), LONGEST)
    found = await ask(ledger, transitions())
    assert sorted((-people, -times, item) for item, people, times in found) == sorted(links)


Entry = tuple[int, int, int]  # -people, -times, item


def items_of(rows: list[Row], depth: int) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Sequences, nodes and links."""
    times: dict[int, Counter[int]] = {kind: Counter() for kind in (1, 2, 3)}
    people: dict[int, set[int]] = defaultdict(set)
    for subject, steps in sessions_of(rows):
        walk = [*(list(TYPES.values()).index(kind) + 1 for kind in steps), 15][:depth]
        placed = [node << 4 * place for place, node in enumerate(walk)]
        for kind, found in (
            (1, [sum(placed)]),
            (2, placed),
            (3, [node + following for node, following in pairwise(placed)]),
        ):
            for item in found:
                numbered = (kind << 4 * depth) + item
                times[kind][numbered] += 1
                people[numbered].add(subject)
    sequences, nodes, links = (
        [(-len(people[item]), -count, item) for item, count in times[kind].items()]
        for kind in (1, 2, 3)
    )
    return sequences, nodes, links


def sessions_of(rows: list[Row]) -> Iterator[tuple[int, list[str]]]:
    for subject, events in by_person(rows).items():
        session = 0
        numbered = [(0, events[0].kind)]
        for before, event in pairwise(events):
            session += event.at_s - before.at_s > 1_800
            numbered.append((session, event.kind))
        for _, of_session in groupby(numbered, key=lambda pair: pair[0]):
            yield subject, [kind for kind, _ in groupby(kind for _, kind in of_session)]


async def test_the_timeline_page(ledger: ChdbLedger) -> None:
    rows = await rows_in(ledger)
    subjects = sorted(people := by_person(rows), key=lambda who: -len(people[who]))[:2]
    mine = [(row.at_s, row.seq) for row in rows if row.subject in subjects]
    found = await ask(ledger, timeline_page(subjects))
    assert len(found) == 51
    assert [(at_ms // 1_000, seq) for seq, _, at_ms, *_ in found] == sorted(mine)[::-1][:51]
