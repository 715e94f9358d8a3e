"""Every published example, exactly as it stands, does what the seeds say."""

from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from endu.event_types.registrar import Registrar, Registration
from endu.events.json_text import read_any
from endu.refusals import Reason, Refusal
from endu.stores.memory_registry import MemoryCatalog
from endu.web.asgi import accepted_body, refusal_body
from tests.recording import BASE, NOW_MS, PLATFORM, Desk, caller, sent

SPEC = Path(__file__).parent / "spec"
EXPECTED = ".expected.json"

RECORD = sorted(SPEC.glob("record/*.json"))
EVENT_ID = sorted(SPEC.glob("eventid/*.json"))

VARIATIONS: dict[str, dict[str, Any]] = {
    "platform": PLATFORM,
    "number": {"c_user_id": "59078598125872925"},
    "wallet": {"blockchain": {"chain_type": "solana", "chain_account": "0x0"}},
    "fingerprint": {"fingerprint": "xuauwiaufjwaj"},
}
SUBSETS = [names for size in range(1, 5) for names in combinations(VARIATIONS, size)]


def examples(paths: list[Path]) -> list[Path]:
    return [path for path in paths if not path.name.endswith(EXPECTED)]


def expected(example: Path) -> Any:
    return msgspec.json.decode(example.with_name(example.stem + EXPECTED).read_bytes())


@pytest.mark.parametrize("example", examples(RECORD + EVENT_ID), ids=lambda path: path.stem)
def test_every_example_has_an_expectation(example: Path) -> None:
    assert example.with_name(example.stem + EXPECTED).exists()


def test_every_expectation_has_an_example() -> None:
    all_of_them = {path.stem for path in examples(RECORD + EVENT_ID)}
    expectations = {
        path.name.removesuffix(EXPECTED)
        for path in RECORD + EVENT_ID
        if path.name.endswith(EXPECTED)
    }
    assert expectations == all_of_them


@pytest.mark.parametrize("example", examples(RECORD), ids=lambda path: path.stem)
async def test_an_example_is_recorded_as_it_stands(example: Path) -> None:
    desk, wanted = Desk(), expected(example)
    if "refused" in wanted:
        with pytest.raises(Refusal) as refused:
            await desk.recorder.record(example.read_bytes(), caller(), sent())
        assert refused.value.reason.name == wanted["refused"]
        return
    recorded = await desk.recorder.record(example.read_bytes(), caller(), sent())
    (event,) = await desk.events()
    assert {
        "property_id": event.property_id,
        "happened_at_ms": event.happened_at_ms,
        "event_data": msgspec.json.decode(event.data),
        "event_type": event.event_type.removeprefix("id of "),
        "identifiers": list(event.identifiers),
        "platform": event.platform,
        "chain_type": event.chain_type,
        "warnings": list(recorded.warnings),
    } == wanted


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
async def test_every_combination_of_the_variations_is_accepted(names: tuple[str, ...]) -> None:
    desk, event = Desk(), dict(BASE)
    for name in names:
        event |= VARIATIONS[name]
    await desk.recorder.record(msgspec.json.encode(event), caller(), sent())
    (recorded,) = await desk.events()
    assert len(recorded.identifiers) == len(names)


async def test_the_base_event_alone_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        await Desk().recorder.record(msgspec.json.encode(BASE), caller(), sent())
    assert refused.value.reason is Reason.NOBODY_NAMED


@pytest.mark.parametrize("example", examples(EVENT_ID), ids=lambda path: path.stem)
async def test_an_answer_is_letter_for_letter_the_published_one(example: Path) -> None:
    wanted = expected(example)
    if wanted["is"] == "request":
        example, wanted = example.with_name(f"{wanted['answered_by']}.json"), {"to": "a new name"}
    published = read_any(example.read_bytes())
    answered = msgspec.json.decode(await answer_to(wanted["to"]))
    assert list(answered) == list(published)
    assert list(answered["data"]) == list(published["data"])
    assert answered | {"data": 0} == published | {"data": 0}


async def answer_to(case: str) -> bytes:
    """What the published request is answered, in one of the four cases the seed shows."""
    request = read_any((SPEC / "eventid/request.json").read_bytes())
    registrar = Registrar(MemoryCatalog(), lambda length: bytes(range(length)))
    if "exists" in case:
        await register(registrar, request)
    if "confirmed" in case:
        request["confirm_overwrite"] = True
    if "malformed" in case:
        request["event_type"] = "my new event"
    return await register(registrar, request)


async def register(registrar: Registrar, request: dict[str, Any]) -> bytes:
    try:
        registration = msgspec.convert(request, Registration)
        return accepted_body(await registrar.register(caller().organization, registration, NOW_MS))
    except Refusal as refusal:
        return refusal_body(refusal)
