"""Analysts' questions in SQL have the answers that plain Python finds."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from endu.events.ledger import BroughtNumber
from endu.identities.identifier import Number, Subject
from endu.journeys.sql import SqlQuestion, ask_sql
from endu.refusals import Refusal
from tests.journeys.sql_questions import QUESTIONS, Expected
from tests.journeys.sql_questions_more import MORE
from tests.journeys.sql_world import Shop, open_ledger, told_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    with open_ledger(tmp_path_factory.mktemp("shop")) as ledger:
        yield await told_shop(ledger)


def name_of(sql_or_answer: object) -> str:
    """Of a test: the same in every process."""
    return sql_or_answer[:60] if isinstance(sql_or_answer, str) else "answer"


@pytest.mark.parametrize(("sql", "expected"), [*QUESTIONS, *MORE], ids=name_of)
async def test_a_question_has_the_answer_of_plain_python(
    shop: Shop, sql: str, expected: Expected
) -> None:
    answer, right = await shop.rows_of(sql), expected(shop.rows)
    if "ORDER BY" not in sql.rpartition(")")[2]:
        answer, right = sorted(answer, key=repr), sorted(right, key=repr)
    assert [rounded(row) for row in answer] == [rounded(row) for row in right]


async def test_there_are_as_many_questions_as_were_asked_for() -> None:
    assert len({sql for sql, _ in [*QUESTIONS, *MORE]}) >= 60


async def test_parameters_are_values_and_never_text(shop: Shop) -> None:
    sql = "SELECT {a:String}, {n:UInt64}, {x:Float64}, {d:Date}, {t:DateTime}, {many:Array(String)}"
    hostile = "'); DROP TABLE endu.events; --\\ {organization:String}"
    given: dict[str, Any] = {
        "a": hostile,
        "n": 18446744073709551615,
        "x": 0.1,
        "d": "2023-01-31",
        "t": "2023-01-31T10:00:00+01:00",
        "many": [hostile, "\\", "'", "é"],
    }
    ((a, n, x, d, t, many),) = await shop.rows_of(sql, given)
    assert (a, n, x, d.isoformat(), t.isoformat()) == (
        hostile, 18446744073709551615, 0.1, "2023-01-31", "2023-01-31T09:00:00+00:00"
    )  # fmt: skip
    assert many == given["many"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("UInt64", 1 << 64), ("UInt64", -1), ("Int8", 128), ("UInt8", True), ("String", 1),
     ("Float64", "1"), ("Bool", 1), ("Date", "tomorrow"), ("DateTime", 5), ("Array(String)", "x"),
     ("Array(UInt8)", [256]), ("String", None), ("Decimal(9,2)", "1"), ("Map(String,String)", {})],
)  # fmt: skip
async def test_a_parameter_that_its_type_cannot_hold_is_refused(
    shop: Shop, kind: str, value: Any
) -> None:
    with pytest.raises(Refusal) as refused:
        await shop.ask(f"SELECT {{p:{kind}}}", {"p": value})
    assert refused.value.problems[0].path == "parameters.p"


async def test_parameters_and_placeholders_have_to_match(shop: Shop) -> None:
    with pytest.raises(Refusal, match="statement has no parameter b"):
        await shop.ask("SELECT {a:String}", {"a": "", "b": ""})
    with pytest.raises(Refusal, match="parameter a is not among"):
        await shop.ask("SELECT {a:String}")


async def test_more_rows_than_are_allowed_are_cut_and_said_to_be(shop: Shop) -> None:
    for sql in (
        "SELECT event_type FROM events",
        "SELECT event_type FROM events ORDER BY timestamp LIMIT 200",
        "SELECT event_type FROM events UNION ALL SELECT event_type FROM events",
        "(SELECT event_type FROM events)",
        "SELECT event_type FROM events LIMIT 150 BY event_type",
        "SELECT event_type FROM events LIMIT 1000 OFFSET 100",
    ):
        answer = await ask_sql(SqlQuestion(sql, {}, rows_at_most=100), shop.sources)
        assert (answer.table.rows, answer.truncated) == (100, True), sql
    whole = await ask_sql(
        SqlQuestion("SELECT 1 FROM events LIMIT 100", {}, rows_at_most=100), shop.sources
    )
    assert (whole.table.rows, whole.truncated) == (100, False)


async def test_an_answer_without_rows_has_its_columns(shop: Shop) -> None:
    table = (await shop.ask("SELECT c_user_id, timestamp FROM events WHERE platform = 'x'")).table
    assert (table.names, table.rows) == (("c_user_id", "timestamp"), 0)
    assert table.types == ("Nullable(String)", "DateTime64(3, 'UTC')")


async def test_telling_a_number_again_changes_nothing(shop: Shop) -> None:
    for _ in range(2):
        await shop.ledger.set_numbers([BroughtNumber(Subject(104), Number("007"))])
    sql = "SELECT count(), uniqExact(c_user_id) FROM events WHERE c_user_id = '007'"
    assert await shop.rows_of(sql) == [[sum(row.person == "007" for row in shop.rows), 1]]


async def test_messages_speak_of_what_was_written(shop: Shop) -> None:
    for sql, said in (
        ("SELECT 1,\n nope FROM events", r"There is no column nope; .* \(line 2, column 2\)"),
        ("SELECT event_data.price + 1 FROM events", "text until it is read as more"),
        ("SELECT sum(event_type) FROM events", "Illegal type String of argument"),
        ("SELECT count() FROM evnts", "There is no evnts: the views are events"),
        ("SELECT platform, count() FROM events", "GROUP BY"),
        ("SELECT 1 FROM events WHERE count() > 1", "[Aa]ggregate"),
        ("SELECT length(1, 2)", "[Nn]umber of arguments"),
        ("SELECT uniqState(c_user_id) FROM events", "AggregateFunction"),
        ("SELECT (1", "near"),
        ("SELECT 1 SETTINGS max_threads = 1", "SETTINGS is not allowed"),
    ):
        with pytest.raises(Refusal) as refused:
            await shop.ask(sql)
        assert re.search(said, str(refused.value)), refused.value


def rounded(row: list[Any]) -> list[Any]:
    return [round(value, 6) if isinstance(value, float) else value for value in row]
