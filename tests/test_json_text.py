"""JSON that anyone may have written is read exactly, forgivingly where harmless, in linear time."""

import json
import sys
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.events.batch import events_in
from endu.events.json_text import (
    KEY_LENGTH,
    KEYS,
    LEVELS,
    encode,
    faults_in,
    is_keepable,
    read_any,
    without_comments,
)
from endu.refusals import Reason, Refusal
from tests.hostile import HOSTILE

WITHIN_SECONDS = 2  # for a megabyte on a busy machine; quadratic work would take minutes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def test_no_character_is_written_in_fewer_bytes_than_endu_writes_it() -> None:
    short = dict.fromkeys('"\\\b\f\n\r\t', 2)
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if not 0xD800 <= code <= 0xDFFF:
            usual = 6 if code < 0x20 else len(character.encode())
            assert len(encode(character)) == 2 + short.get(character, usual), hex(code)


@given(JSON, st.booleans())
def test_nothing_is_written_in_fewer_bytes_than_endu_writes_it(
    value: Any, ascii_only: bool
) -> None:
    for separators in (",", ":"), (", ", ": "):
        written = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
        assert len(encode(value)) <= len(written.encode())


@pytest.mark.parametrize(
    ("written", "strict"),
    [
        (b'{"a": 1} // why', {"a": 1}),
        (b'{"a": 1, // why\n "b": 2,\n}', {"a": 1, "b": 2}),
        (b'{"a": [1, 2,], }', {"a": [1, 2]}),
        (b'{"a": [1, // x, ]\n // y\r\n ]}', {"a": [1]}),
        (b'{"a": "http://x, ]" /**/}', None),
        (b'{"a": "//", "b": ",}"}', {"a": "//", "b": ",}"}),
        (b'{"a": "\\"// ",}', {"a": '"// '}),
        (b"[,]", None),
        (b"[1,,]", None),
        (b"{ // x\n , }", None),
        (b'{"a" 1}', None),
    ],
)
def test_only_comments_and_trailing_commas_are_forgiven(written: bytes, strict: Any) -> None:
    if strict is None:
        with pytest.raises(Refusal):
            read_any(without_comments(written))
    else:
        assert read_any(without_comments(written)) == strict


@settings(deadline=None)
@given(JSON)
def test_strict_json_is_left_as_it_is(value: Any) -> None:
    text = json.dumps(value).encode()
    assert without_comments(text) == text
    assert read_any(text) == value


@settings(deadline=None)
@given(JSON, st.text(alphabet='/ab",}] ', max_size=8))
def test_a_comment_anywhere_between_lines_changes_nothing(value: Any, words: str) -> None:
    text = json.dumps(value, indent=1).replace("\n", f" // {words}\n")
    if "\n" in text:
        assert read_any(without_comments(text.encode())) == value


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        (b"", 1, 1),
        (b'{"a": nul}', 1, 7),
        (b'{\n  "a": 1\n  "b": 2\n}', 3, 3),
        (b'{"a": NaN}', 1, 7),
        (b'{"NaN": [1,\n -Infinity]}', 2, 2),
        (b'{"a": "\\ud800"}', 1, 8),
        (b'{"a": "\xff"}', 1, 8),
        (b"\xef\xbb\xbf{}", 1, 1),
        (b"{}\x00", 1, 3),
        (b'{"a": "\x01"}', 1, 8),
        ('{"ä": x}'.encode(), 1, 7),
    ],
)
def test_the_first_fault_is_named_by_line_and_column(
    written: bytes, line: int, column: int
) -> None:
    with pytest.raises(Refusal) as refused:
        read_any(written)
    assert refused.value.reason is Reason.MALFORMED_JSON
    assert str(refused.value).startswith(f"Line {line}, column {column}:")


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "-0.0", "1.0", "1", "1E5", "0.10000000000000000001", "1e-400", "9" * 300,
     "123456789012345678901234567890", "18446744073709551616", "1e308"],
)  # fmt: skip
def test_a_number_is_kept_as_it_was_written(number: str) -> None:
    assert encode(read_any(f'{{"n":{number}}}'.encode())) == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 310, "9" * 5000])
def test_a_number_that_readers_would_make_infinite_is_a_fault(number: str) -> None:
    (fault,) = faults_in(read_any(f'{{"a":[{number}]}}'.encode()), "event_data")
    assert fault.path == "event_data.a[0]"


def test_a_key_that_stands_twice_is_a_fault_wherever_it_stands() -> None:
    value = read_any(b'{"a":[{"b":1,"b":1}]}')
    assert not is_keepable(value)
    assert [fault.path for fault in faults_in(value, "")] == ["a[0]"]


@pytest.mark.parametrize(
    ("value", "keepable"),
    [
        (nested(LEVELS), True),
        (nested(LEVELS + 1), False),
        ({"a": [[[[[[[1]]]]]]]}, True),
        ({"a": [[[[[[[[1]]]]]]]]}, False),
        ({str(n): n for n in range(KEYS)}, True),
        ({"a": {str(n): n for n in range(KEYS)}}, False),
        ({"k" * KEY_LENGTH: 1}, True),
        ({"a": [{"k" * (KEY_LENGTH + 1): 1}]}, False),
    ],
)
def test_the_bounds_are_those_of_the_contract(value: dict[str, Any], keepable: bool) -> None:
    assert is_keepable(value) is keepable
    assert (not list(faults_in(value, "event_data"))) is keepable


def test_what_is_nested_beyond_reading_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        read_any(b"[" * 100_000)
    assert refused.value.reason is Reason.INVALID_EVENT


@pytest.mark.parametrize(
    "unit",
    [b'{"a":', b'["a",', b'"\\"', b",", b", ", b"/", b"//\n", b"[", b"{", b'"a"', b"9", b"\\u"],
)
def test_hostile_text_takes_linear_time(unit: bytes) -> None:
    text = b"[" + unit * (1_000_000 // len(unit))
    begun = time.perf_counter()
    for read in (lambda: read_any(without_comments(text)), lambda: events_in(text)):
        with pytest.raises(Refusal):
            read()
    assert time.perf_counter() - begun < WITHIN_SECONDS


@pytest.mark.parametrize("written", HOSTILE)
def test_nothing_but_a_refusal_comes_of_hostile_text(written: bytes) -> None:
    for read in (read_any, events_in):
        try:
            read(written)
        except Refusal as refusal:
            assert str(refusal)


def test_the_events_of_an_array_are_told_apart_though_some_are_not_json() -> None:
    body = b'[{"a": "],["}, NaN, // one\n {"b": 01}, ' + b"[" * 5_000 + b"]" * 5_000 + b", {},]"
    first, *_, last = pieces = events_in(body)
    assert (msgspec.json.decode(first), msgspec.json.decode(last)) == ({"a": "],["}, {})
    assert len(pieces) == 5


@pytest.mark.parametrize("body", [b"[{}", b'[{}, "', b"[{}] x", b"[{}]]", b"", b" \n"])
def test_a_batch_without_an_end_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        events_in(body)
    assert refused.value.reason is Reason.MALFORMED_JSON


def test_one_event_a_line_where_it_is_no_array() -> None:
    assert events_in(b'{"a":1}\r\n\n// note\n{"b":2}\n') == [b'{"a":1}', b'{"b":2}']
