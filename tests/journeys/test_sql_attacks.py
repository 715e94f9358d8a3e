"""Nobody sees anything of another organization, or of the machine, whatever they write."""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError

from endu.events.ledger import TooDear
from endu.journeys.sql import SqlQuestion, rebuild
from endu.journeys.sql_allowed import function_named
from endu.journeys.sql_views import Told
from endu.refusals import Reason, Refusal
from tests.journeys.sql_questions import QUESTIONS
from tests.journeys.sql_questions_more import MORE
from tests.journeys.sql_world import MARK, SHOP, Shop, open_ledger, tell_the_other, told_shop
from tests.journeys.world import EXAMPLES

pytestmark = pytest.mark.asyncio(loop_scope="module")

CORPUS = tomllib.loads((Path(__file__).parent / "sql_attacks.toml").read_text())
FILE = "canary.csv"
REFUSED = [sql for kind in CORPUS.values() for sql in kind.get("refused", ())]
HARMLESS = [sql for kind in CORPUS.values() for sql in kind.get("harmless", ())]
ORDINARY = [sql for sql, _ in [*QUESTIONS, *MORE]]

# What a message would only have from the engine's own view of a question.
INTERNAL = (
    "endu.",
    "dictGet",
    "__table",
    "PREWHERE",
    "event_ids",
    "organization",
    "/ledger",
    "DB::",
)


# Functions that only the views use, and what operators and CAST become.
OURS = {
    "dictGetOrDefault",
    "CAST",
    "_CAST",
    "in",
    "notIn",
    "nullIn",
    "globalIn",
    "exists",
    "grouping",
}


class Outcome(Struct, frozen=True):
    """Rows in any order, or the words of a refusal."""

    rows: tuple[str, ...] = ()
    said: str = ""

    @property
    def text(self) -> str:
        return f"{self.rows}{self.said}"


class Besieged:
    """`alone` is what came of each harmless statement before there was another organization."""

    def __init__(self, shop: Shop, directory: Path) -> None:
        self.shop = shop
        self.directory = directory
        self.alone: dict[str, Outcome] = {}

    def filled(self, sql: str) -> str:
        file = str(self.directory / FILE)
        return sql.replace("{file}", file).replace("{name}", "canary")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def besieged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Besieged]:
    """In a directory with a file that must not be read, under two names."""
    directory = tmp_path_factory.mktemp("besieged")
    for name in (FILE, "canary"):
        (directory / name).write_text(f"a,b\n{MARK},1\n")
    with pytest.MonkeyPatch.context() as patch, open_ledger(directory) as ledger:
        patch.chdir(directory)
        shop = await told_shop(ledger, alone=True)
        world = Besieged(shop, directory)
        for sql in [*HARMLESS, *ORDINARY]:
            world.alone[sql] = await outcome_of(world, sql)
        await tell_the_other(ledger)
        yield world


async def outcome_of(besieged: Besieged, sql: str) -> Outcome:
    try:
        table = (await besieged.shop.ask(besieged.filled(sql))).table
    except TooDear as fault:
        return Outcome(said=fault.bound.name)
    except Refusal as refusal:
        assert refusal.reason is Reason.INVALID_QUESTION
        return Outcome(said=f"{refusal}{refusal.problems}{refusal.data}")
    shown = (repr((table.names, table.types, row)) for row in zip(*table.columns, strict=True))
    return Outcome(rows=tuple(sorted(shown)))


def must_tell_nothing(besieged: Besieged, sql: str, outcome: Outcome) -> None:
    """Of others; what was in the statement itself is the caller's own."""
    if MARK not in sql:
        assert MARK not in outcome.text
    if "{file}" not in sql:
        assert str(besieged.directory) not in outcome.said
    for word in INTERNAL:
        assert word in besieged.filled(sql) or word not in outcome.said, outcome.said


async def test_there_are_as_many_attacks_as_were_asked_for() -> None:
    assert len(set(REFUSED)) + len(set(HARMLESS)) >= 150


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: str(sql)[:70])
async def test_what_reaches_elsewhere_is_refused(besieged: Besieged, sql: str) -> None:
    outcome = await outcome_of(besieged, sql)
    assert outcome.said, f"{sql} was answered: {outcome.rows[:3]}"
    must_tell_nothing(besieged, sql, outcome)


@pytest.mark.parametrize("sql", [*HARMLESS, *ORDINARY], ids=lambda sql: str(sql)[:70])
async def test_another_organization_changes_no_answer_and_no_error(
    besieged: Besieged, sql: str
) -> None:
    outcome = await outcome_of(besieged, sql)
    must_tell_nothing(besieged, sql, outcome)
    assert outcome == besieged.alone[sql]


async def test_the_mark_is_there_to_be_found(besieged: Besieged) -> None:
    rows = await besieged.shop.ledger.ask(
        "SELECT count() FROM endu.events WHERE position(event_data, {mark:String}) > 0",
        {"mark": MARK},
    )
    assert rows == [(240,)]


def tokens_of(sql: str) -> list[str]:
    try:
        return [sql[each.start : each.end + 1] for each in ClickHouse().tokenize(sql)]
    except SqlglotError:
        return sql.split()


PIECES = sorted({piece for sql in [*ORDINARY, *HARMLESS, *REFUSED] for piece in tokens_of(sql)})


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A statement that works or nearly does, with pieces of other ones put in, out and about."""
    pieces = tokens_of(draw(st.sampled_from([*ORDINARY, *ORDINARY, *HARMLESS, *REFUSED])))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(pieces) - 1, 0)))
        match draw(st.sampled_from(["put", "swap", "drop", "twice", "splice"])):
            case "put":
                pieces.insert(place, draw(st.sampled_from(PIECES)))
            case "swap":
                pieces[place : place + 1] = [draw(st.sampled_from(PIECES))]
            case "drop":
                del pieces[place : place + draw(st.integers(1, 3))]
            case "twice":
                pieces[place:place] = pieces[place : place + draw(st.integers(1, 6))]
            case _:
                other = tokens_of(draw(st.sampled_from([*REFUSED, *HARMLESS])))
                start = draw(st.integers(0, max(len(other) - 1, 0)))
                pieces[place:place] = other[start : start + draw(st.integers(1, 12))]
    return " ".join(pieces)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sql=mutated())
async def test_no_mixture_of_statements_shows_anything(besieged: Besieged, sql: str) -> None:
    if MARK in sql:
        sql = sql.replace(MARK, "MARK")
    outcome = await outcome_of(besieged, sql)
    must_tell_nothing(besieged, sql, outcome)
    if outcome.rows:
        await must_read_only_events(besieged, sql)


async def must_read_only_events(besieged: Besieged, sql: str) -> None:
    """In the engine's own words: its tables and functions, in what was made of the statement."""
    catalog = besieged.shop.sources.catalog.all(SHOP)
    rebuilt = rebuild(SqlQuestion(besieged.filled(sql), {}), Told(SHOP, catalog, True))
    explain = f"EXPLAIN QUERY TREE {rebuilt.sql}"
    tree = "\n".join(
        str(line) for (line,) in await besieged.shop.ledger.ask(explain, rebuilt.values)
    )
    assert "TABLE_FUNCTION" not in tree
    assert set(re.findall(r"table_name: ([^\s,]+)", tree)) <= {"endu.events", "system.one"}
    for name in set(re.findall(r"function_name: (\w+)", tree)):
        assert function_named(name) or name in OURS, name


async def test_what_reads_elsewhere_is_on_no_list() -> None:
    for name in ("dictGet", "joinGet", "file", "sleep", "getSetting", "hostName", "throwIf", "in"):
        assert function_named(name) is None
    assert function_named("countIf") == "countIf"
    assert function_named("UNIQEXACT") == "uniqExact"
    assert function_named("If") == "if"
    assert function_named("sleepIf") is None


async def test_every_statement_of_any_length_is_answered_soon(besieged: Besieged) -> None:
    hostile: list[Any] = [
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "f(" * 2_000,
        "SELECT " + "NOT " * 4_000 + "1",
        "SELECT 1" + " AND 1" * 3_000,
        "SELECT 1" + " UNION ALL SELECT 1" * 1_000,
        "WITH a AS (" * 1_000 + "SELECT 1",
        "SELECT * FROM " + "(SELECT * FROM " * 60 + "events" + ")" * 60,
        "SELECT " + "CASE WHEN 1 THEN " * 500 + "1" + " END" * 500,
        "SELECT " + "[" * 3_000 + "]" * 3_000,
        "SELECT '" + "\\" * 10_001 + "'",
        "SELECT " + "x -> " * 3_000 + "1",
        "SELECT 1" + "::String" * 2_000,
        "SELECT '\x00'",
    ]
    for sql in hostile:
        assert (await outcome_of(besieged, sql)).said, sql[:30]
