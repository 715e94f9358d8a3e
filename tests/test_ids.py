"""Names that Endu hands out: how they look, and that none is ever handed out twice."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from endu.ids import (
    ALPHABET,
    SHORT_LENGTH,
    Scramble,
    long,
    new_id,
    place_of_record,
    record_id,
    short,
)

uuids = st.integers(0, (1 << 128) - 1)
secrets = st.integers(0, (1 << 128) - 1)
times_ms = st.integers(0, (1 << 48) - 1)
SCRAMBLE = Scramble(0x0123456789ABCDEF0F1E2D3C4B5A6978)


@given(uuids)
def test_a_short_id_is_22_characters_and_means_one_number(number: int) -> None:
    text = short(number)
    assert len(text) == SHORT_LENGTH
    assert set(text) <= set(ALPHABET)
    assert long(text) == number


@given(st.text(max_size=30))
def test_any_text_is_a_short_id_or_is_not_one(text: str) -> None:
    number = long(text)
    assert number is None or short(number) == text


def test_the_least_and_the_greatest_number_have_short_ids_and_a_greater_has_none() -> None:
    assert long(short(0)) == 0
    assert long(short((1 << 128) - 1)) == (1 << 128) - 1
    assert long("Z" * SHORT_LENGTH) is None


def test_letters_that_look_like_others_are_in_no_id() -> None:
    assert not set("0OIl") & set(ALPHABET)
    assert len(set(ALPHABET)) == 58


@given(times_ms, st.binary(min_size=10, max_size=16))
def test_a_new_id_is_a_uuid_of_version_7_with_its_time(now_ms: int, randomness: bytes) -> None:
    number = long(new_id(now_ms, randomness))
    assert number is not None
    made = uuid.UUID(int=number)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert number >> 80 == now_ms


@given(times_ms, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ids_of_one_millisecond_differ_as_their_randomness_does(
    now_ms: int, one: bytes, other: bytes
) -> None:
    low_74_bits = [int.from_bytes(r, "big") >> 66 & 0xFFF for r in (one, other)]
    low_62_bits = [int.from_bytes(r, "big") & (1 << 62) - 1 for r in (one, other)]
    same = low_74_bits[0] == low_74_bits[1] and low_62_bits[0] == low_62_bits[1]
    assert (new_id(now_ms, one) == new_id(now_ms, other)) == same


@given(secrets, st.integers(0, (1 << 62) - 1))
def test_mixing_62_bits_can_be_undone(secret: int, number: int) -> None:
    mixed = Scramble(secret).mix62(number)
    assert 0 <= mixed < 1 << 62
    assert Scramble(secret).unmix62(mixed) == number


@given(secrets, st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 63) - 1))
def test_mixing_63_bits_keeps_different_numbers_different(secret: int, a: int, b: int) -> None:
    scramble = Scramble(secret)
    assert 0 <= scramble.mix63(a) < 1 << 63
    assert (scramble.mix63(a) == scramble.mix63(b)) == (a == b)


@given(secrets, st.integers(0, 4095), st.integers(0, (1 << 62) - 1), times_ms)
def test_a_record_id_leads_back_to_its_place(
    secret: int, source: int, seq: int, received_at_ms: int
) -> None:
    scramble = Scramble(secret)
    text = record_id(scramble, source, seq, received_at_ms)
    assert place_of_record(scramble, text) == (source, seq)
    made = uuid.UUID(int=long(text) or 0)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == received_at_ms


@given(st.text(ALPHABET, min_size=SHORT_LENGTH, max_size=SHORT_LENGTH))
def test_a_text_that_is_no_record_id_has_no_place(text: str) -> None:
    place = place_of_record(SCRAMBLE, text)
    if place is not None:
        received_at_ms = (long(text) or 0) >> 80
        assert record_id(SCRAMBLE, *place, received_at_ms) == text


def test_records_that_follow_each_other_have_ids_that_do_not_show_it() -> None:
    neighbours = [SCRAMBLE.mix62(seq) for seq in range(1, 1001)]
    steps = {b - a for a, b in zip(neighbours, neighbours[1:], strict=False)}
    assert len(steps) > 900
    assert not all(a < b for a, b in zip(neighbours, neighbours[1:], strict=False))
