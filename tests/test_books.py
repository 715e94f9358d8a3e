"""Promises of the bookkeeping beside the ledger: position, failed events, properties."""

from endu.events.event import FailedEvent, Seq
from endu.events.failed import Dropped, Failure, Passed
from endu.events.position import SetAside
from endu.organizations.organization import OrganizationId, Property, PropertyId
from tests.conftest import Books
from tests.log_world import ACME, GLOBEX, NOON


def failure(seq: int, reason: str = "NOBODY_NAMED", whose: OrganizationId = ACME) -> Failure:
    event = FailedEvent(
        organization_id=whose,
        received_at_ms=NOON,
        reason=reason,
        text="Name someone.",
        problems=(("blockchain.chain_account", "is missing"),),
        body=b'{"\xff',
        key_kind="secret",
        message_id="m-1",
    )
    return Failure(Seq(seq), event)


async def test_the_watermark_only_moves_on(books: Books) -> None:
    assert await books.position.watermark() == 0
    await books.position.move(Seq(7))
    await books.position.move(Seq(5))
    assert await books.position.watermark() == 7


async def test_what_is_set_aside_stays_as_it_was_first(books: Books) -> None:
    for record in (SetAside(Seq(5), "b", 1), SetAside(Seq(2), "a", 1), SetAside(Seq(5), "c", 2)):
        await books.position.set_aside(record)
    assert await books.position.count_aside() == 2
    assert await books.position.aside(0, 9) == [SetAside(Seq(2), "a", 1), SetAside(Seq(5), "b", 1)]
    assert await books.position.aside(2, 9) == [SetAside(Seq(5), "b", 1)]
    assert len(await books.position.aside(0, 1)) == 1


async def test_failed_events_come_back_whole(books: Books) -> None:
    for _ in range(2):
        await books.failed.keep([failure(3), failure(4)], [], [])
    assert await books.failed.all(ACME, None, 0, 9) == [failure(3), failure(4)]
    assert await books.failed.find(ACME, [4, 99]) == [failure(4)]


async def test_failed_events_are_listed_by_reason_page_by_page(books: Books) -> None:
    await books.failed.keep([failure(n, "ODD" if n % 2 else "EVEN") for n in range(1, 9)], [], [])
    assert [f.seq for f in await books.failed.all(ACME, "ODD", 0, 2)] == [1, 3]
    assert [f.seq for f in await books.failed.all(ACME, "ODD", 3, 9)] == [5, 7]
    assert await books.failed.counts(ACME) == {"ODD": 4, "EVEN": 4}


async def test_one_that_passed_is_no_longer_waiting_but_known(books: Books) -> None:
    await books.failed.keep([failure(3)], [Passed(ACME, Seq(3), Seq(9))], [])
    await books.failed.keep([failure(3)], [], [])  # a batch that is settled again
    assert await books.failed.all(ACME, None, 0, 9) == []
    assert await books.failed.counts(ACME) == {}
    assert [f.passed for f in await books.failed.find(ACME, [3])] == [9]


async def test_one_that_was_let_go_is_gone(books: Books) -> None:
    await books.failed.keep([failure(3), failure(4)], [], [Dropped(ACME, (3, 77))])
    assert await books.failed.find(ACME, [3, 4]) == [failure(4)]


async def test_another_organizations_failed_events_are_out_of_reach(books: Books) -> None:
    await books.failed.keep([failure(3), failure(4, whose=GLOBEX)], [], [])
    await books.failed.keep([], [Passed(GLOBEX, Seq(3), Seq(9))], [Dropped(GLOBEX, (3,))])
    assert await books.failed.find(ACME, [3, 4]) == [failure(3)]
    assert await books.failed.counts(GLOBEX) == {"NOBODY_NAMED": 1}


async def test_a_property_is_known_since_it_was_first_seen(books: Books) -> None:
    server, chat = PropertyId("D#1"), PropertyId("T#1")
    await books.properties.note({(ACME, server): 20, (GLOBEX, server): 1})
    await books.properties.note({(ACME, server): 10, (ACME, chat): 15})
    await books.properties.note({(ACME, server): 30})
    assert await books.properties.of(ACME) == [Property(server, 10), Property(chat, 15)]
