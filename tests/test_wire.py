"""What an event says is read exactly, and every problem is named at once."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.events.json_text import without_comments
from endu.events.request import Said
from endu.events.wire import read_event
from endu.refusals import Refusal
from tests.hostile import HOSTILE
from tests.recording import HAPPENED_AT_MS, NOW_MS, ORGANIZATION_ID, PLATFORM, body

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
DATA = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | KEYS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=5,
)


def said(**fields: Any) -> Said:
    return read_event(body(**(PLATFORM | fields)), NOW_MS)


def paths(read: Said) -> list[str]:
    return [problem.path for problem in read.problems]


def test_the_usual_event_in_endus_terms() -> None:
    read = said()
    assert read.organization_id == ORGANIZATION_ID
    assert read.happened_at_ms == HAPPENED_AT_MS
    assert read.identifiers == ("discord:702877938567086080",)
    assert read.data == b'{"item_id":"8258727671"}'
    assert (read.problems, read.warnings, read.unknown) == ((), (), {})


@settings(deadline=None)
@given(DATA, st.booleans(), st.sampled_from([None, 1]))
def test_event_data_is_kept_exactly(data: Any, ascii_only: bool, indent: int | None) -> None:
    event = json.loads(body(**PLATFORM)) | {"event_data": data}
    text = json.dumps(event, ensure_ascii=ascii_only, indent=indent)
    read = read_event(text.encode(), NOW_MS)
    assert read.problems == ()
    assert exactly(read.data.decode()) == exactly(json.dumps(data))


@settings(deadline=None)
@given(DATA, DATA)
def test_equal_event_data_has_equal_bytes(data: Any, other: Any) -> None:
    ways = [data | other, other | {key: (data | other)[key] for key in data}]
    first, second = (said(event_data=way).data for way in ways)
    assert (first == second) is (exactly(json.dumps(ways[0])) == exactly(json.dumps(ways[1])))


@settings(deadline=None)
@given(st.data())
def test_a_key_that_stands_twice_never_passes(choice: Any) -> None:
    whole = body(**PLATFORM, blockchain={"chain_type": "a", "chain_account": "b"}).decode()
    if choice.draw(st.booleans()):
        whole = json.dumps(json.loads(whole))  # with spaces
    begins = [place for place, character in enumerate(whole) if character == "{"]
    place = choice.draw(st.sampled_from(begins)) + 1
    key = whole[place:].split('"')[1]
    escaped = choice.draw(st.sampled_from([key, "".join(f"\\u{ord(c):04x}" for c in key)]))
    value = choice.draw(st.sampled_from(["null", "{}", '""', '"\\u0022"', "1.50"]))
    text = f'{whole[:place]}"{escaped}":{value},{whole[place:]}'
    assert any("more than once" in problem.message for problem in read(text).problems)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_nothing_but_a_refusal_comes_of_any_bytes(written: bytes) -> None:
    read(written)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_event_is_refused_or_read_as_a_strict_reader_would(choice: Any) -> None:
    whole = bytearray(body(**PLATFORM, event_data={"a": [1, {"b": "é\n"}], "c": -1.5}))
    for _ in range(choice.draw(st.integers(1, 3))):
        place = choice.draw(st.integers(0, len(whole) - 1))
        whole[place] = choice.draw(st.integers(0, 255))
    damaged = read(bytes(whole))
    if damaged.property_id and not damaged.problems:
        strict = exactly(without_comments(bytes(whole)).decode())
        assert exactly(damaged.data.decode()) == (strict.get("event_data") or {})


@pytest.mark.parametrize("written", HOSTILE)
def test_nothing_but_a_refusal_comes_of_a_hostile_body(written: bytes) -> None:
    read(written)


def read(written: bytes | str) -> Said:
    """What was said; of a refused body, nothing."""
    try:
        return read_event(written.encode() if isinstance(written, str) else written, NOW_MS)
    except Refusal as refusal:
        assert refusal.reason.name in ("MALFORMED_JSON", "INVALID_EVENT")
        return read_event(b"{}", NOW_MS)


def exactly(text: str) -> Any:
    """JSON with its numbers told apart as they were written."""
    return json.loads(text, parse_float=lambda number: ("number", str(Decimal(number))))


@pytest.mark.parametrize(
    ("timestamp", "ms"),
    [
        ("1672536219", HAPPENED_AT_MS),
        (1672536219, HAPPENED_AT_MS),
        (" 1672536219 ", HAPPENED_AT_MS),
        ("1672536219.5", HAPPENED_AT_MS + 500),
        (1672536219.25, HAPPENED_AT_MS + 250),
        ("1672536219.123999", HAPPENED_AT_MS + 123),
        ("0.001", 1),
    ],
)
def test_a_timestamp_is_a_decimal_string_or_a_number(timestamp: Any, ms: int) -> None:
    assert said(timestamp=timestamp).happened_at_ms == ms


def test_a_fraction_in_a_number_is_taken_exactly() -> None:
    text = body(**PLATFORM).replace(b'"1672536219"', b"1672536219.001")
    assert read_event(text, NOW_MS).happened_at_ms == HAPPENED_AT_MS + 1


@pytest.mark.parametrize(
    ("timestamp", "says"),
    [
        (0, "1970"),
        (-5, "1970"),
        ("0.0001", "1970"),
        (-1.5, "1970"),
        ("yesterday", "decimal digits"),
        ("-5", "decimal digits"),
        ("1e9", "decimal digits"),
        ("", "decimal digits"),
        (True, "number"),
        ([], "number"),
        (NOW_MS // 1000 + 3602, "1 hour ahead"),
        (NOW_MS, "milliseconds"),
        (str(NOW_MS), "milliseconds"),
        (NOW_MS * 1000, "microseconds"),
        (NOW_MS * 1_000_000, "nanoseconds"),
        (1e300, "nanoseconds"),
        (10**300, "nanoseconds"),
    ],
)
def test_a_timestamp_that_cannot_be_is_named(timestamp: Any, says: str) -> None:
    (problem,) = said(timestamp=timestamp).problems
    assert problem.path == "timestamp"
    assert says in problem.message


@pytest.mark.parametrize(
    "fields",
    [
        {"platform_type": "telegram"},
        {"property_type": "Telegram", "platform_type": ...},
        {"property_type": "TELEGRAM", "platform_type": "Telegram"},
        {"property_type": "TELEGRAM", "platform_type": None},
    ],
)
def test_the_platform_goes_by_either_name_in_any_casing(fields: dict[str, Any]) -> None:
    read = said(**fields)
    assert read.identifiers == ("telegram:702877938567086080",)
    assert read.platform == "telegram"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"property_type": "Telegram"}, "property_type"),
        ({"platform_type": ...}, "platform_type"),
        ({"platform_type": "Slack"}, "platform_type"),
        ({"p_user_id": "@ada"}, "p_user_id"),
        ({"p_user_id": 7.5}, "p_user_id"),
        ({"p_user_id": True}, "p_user_id"),
        ({"c_user_id": "x"}, "c_user_id"),
        ({"fingerprint": "x" * 201}, "fingerprint"),
        ({"blockchain": {"chain_type": "solana"}}, "blockchain.chain_account"),
        ({"blockchain": {"chain_type": 1, "chain_account": "a"}}, "blockchain.chain_type"),
        ({"blockchain": {"chain_type": "", "chain_account": "a"}}, "blockchain.chain_type"),
        (
            {"blockchain": {"chain_type": "a", "chain_account": "b" * 201}},
            "blockchain.chain_account",
        ),
        ({"blockchain": "solana"}, "blockchain"),
        ({"property_id": ...}, "property_id"),
        ({"property_id": ""}, "property_id"),
        ({"property_id": None}, "property_id"),
        ({"event_data": []}, "event_data"),
        ({"event_data": {"a": {"k" * 201: 1}}}, "event_data.a"),
        ({"message_id": "m" * 101}, "message_id"),
        ({"message_id": []}, "message_id"),
        ({"unknown": {"k" * 201: 1}}, "unknown"),
    ],
)
def test_a_fault_is_named_by_its_path(fields: dict[str, Any], path: str) -> None:
    assert paths(said(**fields)) == [path]


def test_all_faults_are_named_at_once() -> None:
    read = said(
        property_id=5,
        timestamp="soon",
        event_data={"a": 1e308, "b": [[[[[[[[1]]]]]]]]},
        platform_type=...,
        c_user_id="x",
        fingerprint=["f"],
    )
    assert set(paths(read)) == {
        *("property_id", "timestamp", "platform_type", "c_user_id", "fingerprint"),
        "event_data.b[0][0][0][0][0][0][0]",
    }


@pytest.mark.parametrize("event_data", [..., None, {}])
def test_event_data_may_be_left_out(event_data: Any) -> None:
    read = said(event_data=event_data)
    assert (read.data, read.problems) == (b"{}", ())


def test_keys_that_endu_does_not_know_are_kept() -> None:
    text = body(
        **PLATFORM, session={"n": 1}, blockchain={"chain_type": "a", "chain_account": "b", "c": 2}
    )
    read = read_event(text.replace(b'"n":1', b'"n":1.50'), NOW_MS)
    assert msgspec.json.encode(read.unknown) == (b'{"session":{"n":1.50},"blockchain":{"c":2}}')
    assert read.problems == ()


def test_the_api_key_of_a_body_is_kept_nowhere() -> None:
    assert "endu_pk_" not in str(said(api_key="endu_pk_1", other=1))


def test_null_is_as_good_as_absent() -> None:
    nothing = dict.fromkeys(["c_user_id", "blockchain", "fingerprint", "message_id"])
    assert said(**nothing) == said()


@pytest.mark.parametrize("value", ["null", "", "0", "[object Object]"])
def test_a_placeholder_is_noted_and_names_nobody(value: str) -> None:
    read = said(p_user_id=value, platform_type=..., fingerprint=value)
    assert read.identifiers == ()
    assert read.blocked == (f"p_user_id:{value}", f"fingerprint:{value}")
    assert read.warnings == ("BLOCKED_IDENTIFIER",)
    assert read.problems == ()


def test_the_account_that_was_sent_stays_on_the_event() -> None:
    address = "0x52908400098527886E0F7030069857D2E4169EE7"
    read = said(blockchain={"chain_type": "Polygon", "chain_account": address})
    assert read.identifiers[1] == f"wallet:eip155:{address.lower()}"
    assert (read.chain_type, read.chain_account) == ("polygon", address)


def test_identifiers_stand_strongest_first() -> None:
    read = said(
        fingerprint="f", blockchain={"chain_type": "solana", "chain_account": "0x0"}, c_user_id=5
    )
    kinds = [identifier.split(":")[0] for identifier in read.identifiers]
    assert kinds == ["c_user_id", "discord", "wallet", "fingerprint"]


def test_the_bodys_message_id_goes_before_the_headers() -> None:
    assert read_event(body(**PLATFORM, message_id=7), NOW_MS, "header").message_id == "7"
    assert read_event(body(**PLATFORM), NOW_MS, "header").message_id == "header"
    assert paths(read_event(body(**PLATFORM), NOW_MS, "h" * 101)) == ["Idempotency-Key"]
