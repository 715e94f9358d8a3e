"""Numbers that a batch names: asked for once, adopted once, warned of once."""

from endu.organizations.keyring import KeyKind
from tests.recording import ORGANIZATION_ID, Desk, body, caller, everyone, sent

IMPORT = caller(KeyKind.IMPORT)


def batch_of(*numbers: str) -> bytes:
    return b"\n".join(body(c_user_id=number) for number in numbers)


async def test_a_batch_asks_once_and_warns_once_of_each_new_number() -> None:
    desk = Desk()
    desk.numbers.add((ORGANIZATION_ID, "7"))  # type: ignore[arg-type]
    results = await desk.recorder.record_batch(
        batch_of("5", "7", "5", "6", "5"), IMPORT, sent(), everyone
    )
    new = ("NEW_C_USER_ID",)
    assert [result.warnings for result in results] == [new, (), (), new, ()]
    assert desk.numbers.asked == 1
    await desk.recorder.record_batch(batch_of("7", "5", "6"), IMPORT, sent(), everyone)
    assert desk.numbers.asked == 1


async def test_a_number_that_is_refused_stays_refused_within_the_batch() -> None:
    desk = Desk()
    by = caller(KeyKind.IMPORT, unknown_c_user_id="refuse")
    results = await desk.recorder.record_batch(batch_of("5", "5"), by, sent(), everyone)
    assert [result.error for result in results] == ["UNKNOWN_C_USER_ID"] * 2


async def test_what_was_not_kept_is_not_known() -> None:
    desk = Desk()
    refused = body(c_user_id="5", event_type="NEVER_REGISTERED")
    both = b"\n".join([refused, body(c_user_id="5")])
    results = await desk.recorder.record_batch(both, IMPORT, sent(), everyone)
    assert [result.result for result in results] == ["refused", "ok"]
    assert results[1].warnings == ("NEW_C_USER_ID",)
