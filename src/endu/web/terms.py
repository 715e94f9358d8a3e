"""On what terms a server holds connections: how patient it is with each, and with all together."""

from msgspec import Struct, field

from endu.refusals import Reason, Refusal

# A usual head is no longer than one sip, comes in one piece, and is never counted here.
UNFINISHED_BYTES_AT_MOST = 4 * 1024 * 1024

CROWDED = Refusal(Reason.RATE_LIMITED, "Too many requests come in piece by piece; send it again.")


class Patience(Struct, frozen=True):
    """How long a connection may take over each part of a request, and over reading what it is
    sent, before it is closed."""

    head_seconds: float = 10
    body_seconds: float = 15
    answer_seconds: float = 60


PATIENCE = Patience()


class Unfinished(Struct):
    """Heads that are not all here: their bytes, of all connections together."""

    size: int = 0
    at_most: int = UNFINISHED_BYTES_AT_MOST

    @property
    def too_many(self) -> bool:
        return self.size > self.at_most


class Terms(Struct, frozen=True):
    """Of one server, for all its connections."""

    patience: Patience = PATIENCE
    unfinished: Unfinished = field(default_factory=Unfinished)
