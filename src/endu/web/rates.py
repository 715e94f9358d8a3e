"""How often something may be asked for: so many times in any hour, said in standard headers."""

from collections import deque
from collections.abc import Hashable, Sequence

from endu.refusals import Reason, Refusal

HOUR_SECONDS = 3600


class HourlyRate:
    """Counts by name; remembers an hour, in memory. What was before a restart has to be told."""

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self._asked: dict[Hashable, deque[int]] = {}

    def knows(self, name: Hashable) -> bool:
        return name in self._asked

    def tell(self, name: Hashable, asked_ms: Sequence[int]) -> None:
        """What was asked before anything was counted here, oldest first; nothing later on."""
        self._asked.setdefault(name, deque(asked_ms))

    def spend(self, name: Hashable, quota: int, now_ms: int, headers: dict[str, str]) -> None:
        """Counts one. Puts RateLimit and RateLimit-Policy into `headers`, raises RATE_LIMITED."""
        asked = self._asked.setdefault(name, deque())
        while asked and asked[0] <= now_ms - HOUR_SECONDS * 1000:
            asked.popleft()
        allowed = len(asked) < quota
        if allowed:
            asked.append(now_ms)
        again_seconds = self._seconds_until_one_is_free(asked, now_ms)
        left = max(0, quota - len(asked))
        headers["RateLimit-Policy"] = f'"{self._policy}";q={quota};w={HOUR_SECONDS}'
        headers["RateLimit"] = f'"{self._policy}";r={left};t={again_seconds}'
        if not allowed:
            raise Refusal(
                Reason.RATE_LIMITED,
                f"{quota} an hour are allowed; the next one in {again_seconds} seconds.",
                retry_after_seconds=again_seconds,
            )

    @staticmethod
    def _seconds_until_one_is_free(asked: deque[int], now_ms: int) -> int:
        if not asked:
            return HOUR_SECONDS
        left_ms = asked[0] + HOUR_SECONDS * 1000 - now_ms
        return max(1, -(-left_ms // 1000))
