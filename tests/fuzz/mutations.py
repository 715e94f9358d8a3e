"""Bodies that nobody sends by mistake: made of good and bad ones, by bytes and by parts."""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile import HOSTILE

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
EXAMPLES = HERE.parent / "spec" / "record"
EXPECTED = ".expected.json"

USUAL_BYTES_AT_MOST = 4096
LARGE_ONE_IN = 2_000  # of those that take long, so that most of the time goes to many

_TOKENS = re.compile(
    rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[{}\[\],:]|[ \t\r\n]+|.', re.DOTALL
)
_VALUE = re.compile(rb'["0-9tfn-]')

VALUES = [
    *(b"null", b"true", b"false", b"0", b"-0", b"-0.0", b"1.50", b"1E5", b"1e400", b"-1e400"),
    *(b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"1.", b".5", b"0x1", b"1e", b"1e-400"),
    *(b"9" * 309, b"9" * 310, b"18446744073709551616", b"-9223372036854775809", b"5e-324"),
    *(b'""', b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\xff"'),
    *(b'"\xed\xa0\x80"', b'"\xc0\xaf"', b'"\xe2\x80\xa8"', b'"\x00"', b'"\x7f"', b'"\\x41"'),
    *(b"{}", b"[]", b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b"[1,]", b"[,]", b"[1,,]"),
    *(b'{"":""}', b"[" * 7 + b"]" * 7, b"[" * 9 + b"]" * 9, b'{"__proto__":{}}', b"1672536219"),
    *(b'"k"' * 2, b"'a'", b"undefined", b'"' + b"x" * 201 + b'"', b"[" + b"0," * 600 + b"0]"),
    b"{" + b",".join(b'"k%d":0' % number for number in range(501)) + b"}",
    b'{"' + b"k" * 201 + b'":1}',
]
PIECES = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"//",
        b"// x\n",
        b"/* x */",
        b"\xef\xbb\xbf",
    ),
    *(b"\x00", b"\xff", b"\r", b"\n", b"\xe2\x80\x8b", b"-", b"e", b".", b"\\u", b"\\u0022"),
    *(b'"event_data":', b'"event_type":', b'"blockchain":', b'"api_key":', b'"p_user_id":'),
]

Random = random.Random
Tokens = list[bytes]


def seeds() -> list[bytes]:
    examples = [path for path in EXAMPLES.glob("*.json") if not path.name.endswith(EXPECTED)]
    return [path.read_bytes() for path in sorted([*examples, *CORPUS.glob("*.json")])] + HOSTILE


def bodies(count: int, seed: int) -> Iterator[bytes]:
    """Every seed as it is, and then what becomes of them. The same for the same seed."""
    chance, every = Random(seed), seeds()
    yield from every[:count]
    usual = [(body, tokens_of(body)) for body in every if len(body) <= USUAL_BYTES_AT_MOST]
    for _ in range(count - len(every)):
        if not chance.randrange(LARGE_ONE_IN):
            body = chance.choice(every)
            yield chance.choice(BYTES)(chance, body, body)
            continue
        body, tokens = chance.choice(usual)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            if tokens and chance.random() < 0.7:
                tokens = chance.choice(STRUCTURE)(chance, tokens)
                body = b"".join(tokens)
            else:
                body = chance.choice(BYTES)(chance, body, chance.choice(usual)[0])
                tokens = tokens_of(body) if len(body) <= USUAL_BYTES_AT_MOST else []
        yield body


def tokens_of(body: bytes) -> Tokens:
    return _TOKENS.findall(body)


def another_value(chance: Random, tokens: Tokens) -> Tokens:
    return _put(chance, tokens, chance.choice(VALUES))


def a_value_deeper(chance: Random, tokens: Tokens) -> Tokens:
    levels = chance.choice((1, 6, 7, 8, 9, 50))
    begin, end = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    place = _place(chance, tokens)
    return [*tokens[:place], begin * levels, tokens[place], end * levels, *tokens[place + 1 :]]


def a_key_more(chance: Random, tokens: Tokens) -> Tokens:
    """Behind an opening brace; often one that is there already, or is known."""
    braces = [place for place, token in enumerate(tokens) if token == b"{"]
    if not braces:
        return tokens
    names = [token for token in tokens if token[:1] == b'"'] or [b'"a"']
    name = chance.choice((chance.choice(names), b'"event_data"', b'"new"', b'"\\u0061"'))
    place = chance.choice(braces) + 1
    value = chance.choice(VALUES)
    return [*tokens[:place], name, b":", value, b",", *tokens[place:]]


def a_part_twice(chance: Random, tokens: Tokens) -> Tokens:
    begin = chance.randrange(len(tokens))
    end = min(len(tokens), begin + chance.randrange(1, 12))
    at = chance.randrange(len(tokens))
    return [*tokens[:at], *tokens[begin:end], *tokens[at:]]


def a_part_less(chance: Random, tokens: Tokens) -> Tokens:
    begin = chance.randrange(len(tokens))
    return [*tokens[:begin], *tokens[begin + chance.randrange(1, 6) :]]


def space_and_comments(chance: Random, tokens: Tokens) -> Tokens:
    place = chance.randrange(len(tokens))
    said = chance.choice((b" ", b"\n", b"\t", b"// x, }\n", b'\r\n// "\r\n', b",", b", "))
    return [*tokens[:place], said, *tokens[place:]]


def letters_as_escapes(chance: Random, tokens: Tokens) -> Tokens:
    place = _place(chance, tokens)
    token = tokens[place]
    if token[:1] != b'"' or not token.isascii() or b"\\" in token:
        return tokens
    written = b'"' + b"".join(b"\\u%04x" % letter for letter in token[1:-1]) + b'"'
    return [*tokens[:place], written, *tokens[place + 1 :]]


def other_bytes(chance: Random, body: bytes, _: bytes) -> bytes:
    changed = bytearray(body or b" ")
    for _ in range(chance.randrange(1, 5)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def a_cut(chance: Random, body: bytes, _: bytes) -> bytes:
    begin = chance.randrange(len(body) + 1)
    return body[:begin] + body[begin + chance.randrange(40) :]


def an_end(chance: Random, body: bytes, _: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def a_piece(chance: Random, body: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 3, 300)) + body[at:]


def two_halves(chance: Random, body: bytes, other: bytes) -> bytes:
    return body[: chance.randrange(len(body) + 1)] + other[chance.randrange(len(other) + 1) :]


STRUCTURE: tuple[Callable[[Random, Tokens], Tokens], ...] = (
    another_value,
    a_value_deeper,
    a_key_more,
    a_part_twice,
    a_part_less,
    space_and_comments,
    letters_as_escapes,
)
BYTES: tuple[Callable[[Random, bytes, bytes], bytes], ...] = (
    other_bytes,
    a_cut,
    an_end,
    a_piece,
    two_halves,
)


def _put(chance: Random, tokens: Tokens, value: bytes) -> Tokens:
    place = _place(chance, tokens)
    return [*tokens[:place], value, *tokens[place + 1 :]]


def _place(chance: Random, tokens: Tokens) -> int:
    """Of a value or a key, where there is one."""
    for _ in range(4):
        place = chance.randrange(len(tokens))
        if _VALUE.match(tokens[place]):
            break
    return place
