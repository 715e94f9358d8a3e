"""What the torture and the process it kills say to each other, a JSON object a line."""

from msgspec import Struct

from endu.announcements import Started

READY = b"ready"


class Order(Struct, frozen=True, kw_only=True):
    """What to do. Where `dies_at` names a step of settling, the process kills itself right after
    it, the `times`-th time."""

    data: str
    rebuild: bool = False
    dies_at: str = ""
    times: int = 1


class Step(Struct, frozen=True, tag=True):
    """A step was heard of for the first time."""

    step: str


class Up(Struct, frozen=True, tag=True):
    """The server answers."""

    started: Started


class Problem(Struct, frozen=True, tag=True):
    """It cannot run; one sentence."""

    sentence: str
