"""So many a second, and some to spare: a bucket of tokens for each key, and for each stranger.

A bucket fills at a steady rate up to its burst, and whatever is let in takes from it. What asks
for more than a whole bucket is let in when it is full, and pays off the rest before anything
else comes: so no batch is too large for ever, and the rate holds all the same.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from math import ceil
from typing import Protocol

from msgspec import Struct

from endu.organizations.caller import Caller
from endu.refusals import Reason, Refusal
from endu.web.asgi import AsgiScope, Header
from endu.web.proxies import Proxies, forwarded_for

# A key, an address: past this many the oldest are forgotten, which gives them a full bucket.
NAMES_AT_MOST = 65_536
FORGOTTEN_AT_ONCE = 1_024

NEAR = 10  # who has less than a tenth left is told how much that is

# Of requests with no live key from one address: more than people who mistype, less than a load.
STRANGERS_PER_SECOND = 20
STRANGERS_BURST = 400

KEYS, STRANGERS = "events", "unknown-keys"


class Left(Struct, frozen=True):
    """What a bucket holds, where there is something to say of it. `again_seconds` is how long it
    takes until what was asked for is let in, or until the bucket is full."""

    allowed: bool
    policy: str
    per_second: int
    burst: int
    left: int
    again_seconds: int

    @property
    def headers(self) -> list[Header]:
        """RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers has them."""
        window = ceil(self.burst / self.per_second)
        policy = f'"{self.policy}";q={self.burst};w={window}'
        left = f'"{self.policy}";r={self.left};t={self.again_seconds}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]

    @property
    def refusal(self) -> Refusal:
        what = "events of one key" if self.policy == KEYS else "requests without a live key"
        return Refusal(
            Reason.RATE_LIMITED,
            f"{self.per_second:,} {what} a second are let in, and {self.burst:,} at once; "
            f"send it again in {self.again_seconds} s.",
            retry_after_seconds=self.again_seconds,
        )


class _Level:
    __slots__ = ("at_ms", "tokens")

    def __init__(self, tokens: float, at_ms: int) -> None:
        self.tokens = tokens
        self.at_ms = at_ms


class Buckets:
    """Of one policy. A bucket is told its rate each time: that may have been changed."""

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self._levels: dict[str, _Level] = {}

    def spend(self, name: str, count: int, per_second: int, burst: int, now_ms: int) -> Left | None:
        """None where it is let in and plenty is left. A clock that goes back fills nothing."""
        level = self._levels.get(name)
        if level is None:
            level = self._add(name, burst, now_ms)
        tokens = level.tokens
        if now_ms != level.at_ms:
            if now_ms > level.at_ms:
                tokens += (now_ms - level.at_ms) * per_second * 0.001
            level.at_ms = now_ms
        if tokens > burst:
            tokens = burst
        allowed = tokens >= (count if count < burst else burst)
        level.tokens = tokens = tokens - count if allowed else tokens
        if allowed and tokens * NEAR >= burst:
            return None
        wanted = burst if allowed else min(count, burst)
        again_seconds = max(1, ceil((wanted - tokens) / per_second))
        return Left(allowed, self._policy, per_second, burst, max(0, int(tokens)), again_seconds)

    def give_back(self, name: str, count: int) -> None:
        """What was let in and is asked for again elsewhere."""
        if name in self._levels:
            self._levels[name].tokens += count

    def _add(self, name: str, burst: int, now_ms: int) -> _Level:
        if len(self._levels) >= NAMES_AT_MOST:
            for oldest in list(islice(self._levels, FORGOTTEN_AT_ONCE)):
                del self._levels[oldest]
        level = self._levels[name] = _Level(burst, now_ms)
        return level


class OfKey(Struct, frozen=True, tag="of-key"):
    key_id: str
    count: int
    per_second: int
    burst: int


class OfStranger(Struct, frozen=True, tag="of-stranger"):
    """`peer` is whose connection it is, `forwarded_for` what the request says of others."""

    peer: str
    forwarded_for: str


class Counting(Protocol):
    """Wherever rates are counted: a key has one bucket, whichever process it comes to."""

    async def spend(self, asked: OfKey | OfStranger) -> Left | None:
        """As Buckets.spend."""


class Rates:
    """Where the rates of one Endu are counted: the door's process counts for both."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._keys = Buckets(KEYS)
        self._strangers = Buckets(STRANGERS)
        self.proxies = Proxies()

    async def spend(self, asked: OfKey | OfStranger) -> Left | None:
        """As Counting.spend."""
        return self.decide(asked)

    def decide(self, asked: OfKey | OfStranger) -> Left | None:
        now_ms = self._now_ms()
        if isinstance(asked, OfKey):
            rate = asked.per_second, asked.burst
            return self._keys.spend(asked.key_id, asked.count, *rate, now_ms)
        address = self.proxies.address(asked.peer, asked.forwarded_for)
        return self._of_address(address, now_ms)

    def of_event(self, caller: Caller, now_ms: int) -> Left | None:
        """Counts one event that is decided here."""
        settings = caller.organization.settings
        rate = settings.events_per_second_at_most, settings.events_burst_at_most
        return self._keys.spend(caller.key_id, 1, *rate, now_ms)

    def give_back(self, caller: Caller) -> None:
        """It is decided elsewhere after all, and counted there."""
        self._keys.give_back(caller.key_id, 1)

    def why_not(self, peer: str, headers: Mapping[bytes, bytes], now_ms: int) -> Left | None:
        """Why a stranger is not let in; None where it is, and counted where it is answered."""
        address = self.proxies.address(peer, forwarded_for(headers))
        left = self._of_address(address, now_ms)
        if left is not None and not left.allowed:
            return left
        self._strangers.give_back(address, 1)
        return None

    def _of_address(self, address: str, now_ms: int) -> Left | None:
        return self._strangers.spend(address, 1, STRANGERS_PER_SECOND, STRANGERS_BURST, now_ms)


def of_events(caller: Caller, count: int) -> OfKey:
    settings = caller.organization.settings
    return OfKey(
        caller.key_id, count, settings.events_per_second_at_most, settings.events_burst_at_most
    )


def of_stranger(scope: AsgiScope) -> OfStranger:
    peer = scope.get("client") or ("", 0)
    return OfStranger(peer[0], forwarded_for(dict(scope["headers"])))


async def refused_stranger(
    refusal: Refusal, scope: AsgiScope, rates: Counting
) -> tuple[Refusal, list[Header]]:
    """The refusal, and headers to say with it: who sends no live key too often is told that."""
    if refusal.reason is not Reason.UNKNOWN_KEY:
        return refusal, []
    left = await rates.spend(of_stranger(scope))
    if left is None or left.allowed:
        return refusal, []
    return left.refusal, left.headers
