"""Where new names come from, and how they look outside.

Inside, an id is a UUIDv7 (RFC 9562) or a 63-bit number; outside, a UUID is 22 characters of
flickr base58, the form of `848WN4oEUgisKrV9dY9Ni6`. Time and randomness come in as arguments.
"""

from msgspec import Struct

ALPHABET = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
SHORT_LENGTH = 22  # 58**22 > 2**128 > 58**21

# A record id is made for every event: so the long number is divided five times, for four
# characters each time, and only what fits a machine's word is divided further.
_PAIR, _FOUR = 58**2, 58**4
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_DIGITS = {character: value for value, character in enumerate(ALPHABET)}

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62
_LOW_62 = (1 << 62) - 1


def short(number: int) -> str:
    """128 bits as 22 characters; sorts as the number does not, but is never ambiguous."""
    number, f = divmod(number, _FOUR)
    number, e = divmod(number, _FOUR)
    number, d = divmod(number, _FOUR)
    number, c = divmod(number, _FOUR)
    a, b = divmod(number, _FOUR)
    return (
        f"{_PAIRS[a]}{_PAIRS[b // _PAIR]}{_PAIRS[b % _PAIR]}{_PAIRS[c // _PAIR]}"
        f"{_PAIRS[c % _PAIR]}{_PAIRS[d // _PAIR]}{_PAIRS[d % _PAIR]}{_PAIRS[e // _PAIR]}"
        f"{_PAIRS[e % _PAIR]}{_PAIRS[f // _PAIR]}{_PAIRS[f % _PAIR]}"
    )


def long(text: str) -> int | None:
    """The number behind a short id, or None if the text cannot be one."""
    if len(text) != SHORT_LENGTH:
        return None
    number = 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            return None
        number = number * 58 + digit
    return number if number < 1 << 128 else None


def new_id(now_ms: int, randomness: bytes) -> str:
    """A UUIDv7 in its short form. `randomness` is at least 10 bytes."""
    bits = int.from_bytes(randomness[:10], "big")
    return short(now_ms << 80 | _VERSION_7 | (bits >> 66 & 0xFFF) << 64 | _VARIANT | bits & _LOW_62)


class Scramble(Struct, frozen=True):
    """A secret one-to-one mixing of 62- and 63-bit numbers.

    Sequence numbers become ids that show neither how many events there are nor who came next,
    and that a rebuild from the log finds again. Mixing is multiplication by an odd number and
    a folding of the high half onto the low one, each of which can be undone (Steele et al.,
    "Fast splittable pseudorandom number generators", use the same steps).
    """

    secret: int

    def mix62(self, number: int) -> int:
        return _mix(number, self.secret, 62)

    def unmix62(self, number: int) -> int:
        return _unmix(number, self.secret, 62)

    def mix63(self, number: int) -> int:
        return _mix(number, self.secret, 63)

    def unmix63(self, number: int) -> int:
        return _unmix(number, self.secret, 63)


def record_id(scramble: Scramble, source: int, seq: int, received_at_ms: int) -> str:
    """The id of the record that `source` numbered `seq`: a UUIDv7 of its time and place."""
    mixed = scramble.mix62(seq)
    return short(received_at_ms << 80 | _VERSION_7 | source << 64 | _VARIANT | mixed)


def place_of_record(scramble: Scramble, text: str) -> tuple[int, int] | None:
    """(source, seq) of a record id, or None if the text was never one."""
    number = long(text)
    if number is None or number & (0xF << 76) != _VERSION_7 or number & (3 << 62) != _VARIANT:
        return None
    return number >> 64 & 0xFFF, scramble.unmix62(number & _LOW_62)


def _mix(number: int, secret: int, bits: int) -> int:
    mask = (1 << bits) - 1
    odd = secret & mask | 1
    number = (number ^ secret >> 64) & mask
    number = number * odd & mask
    number ^= number >> 31
    return number * odd & mask


def _unmix(number: int, secret: int, bits: int) -> int:
    mask = (1 << bits) - 1
    inverse = pow(secret & mask | 1, -1, 1 << bits)
    number = number * inverse & mask
    number ^= number >> 31 ^ number >> 62
    number = number * inverse & mask
    return (number ^ secret >> 64) & mask
