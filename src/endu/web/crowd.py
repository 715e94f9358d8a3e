"""How many connections a process holds, and who leaves where there is no room for another."""

import resource
from heapq import nsmallest
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Struct

from endu.refusals import Reason, Refusal
from endu.web.asgi import CLOSE, refusal_response

# Descriptors that a process needs besides: stores, the ledger's parts, its threads' files.
OWN_FILES = 512

FEWEST = 16  # connections, whatever the machine allows

# How large a part of all leaves at once: finding them costs a look at everybody.
LEAVING = 20

NO_ROOM = refusal_response(Refusal(Reason.TOO_MANY_CONNECTIONS), CLOSE)


class Reception(Struct, frozen=True):
    """How those who come are received. `connections` is how many each process holds; `proxies`
    are the networks of those whose X-Forwarded-For is believed."""

    connections: int = 4096
    proxies: tuple[str, ...] = ()


class Idle(NamedTuple):
    """Of two, the lesser leaves first."""

    has_asked: bool
    since: float


class Guest(Protocol):
    def idle(self) -> Idle | None:
        """None where it is being answered."""

    def leave(self) -> None:
        """Closes it at once: what it has not read of its answers is lost."""


G = TypeVar("G", bound=Guest)


def make_room(guests: set[G]) -> bool:
    """Lets those go who have asked nothing yet, and then who has asked nothing for the longest
    time; takes them out of the set. False where everybody is being answered."""
    here = list(guests)
    idle = [(found, place) for place, guest in enumerate(here) if (found := guest.idle())]
    leaving = [here[place] for _, place in nsmallest(1 + len(here) // LEAVING, idle)]
    for guest in leaving:
        guest.leave()
    guests.difference_update(leaving)
    return bool(leaving)


def allow_connections(wanted: int) -> int:
    """How many this process, and those that it starts, can hold of them: its limit of open files
    is raised as far as the machine lets it be, and that may be less than `wanted`."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most == resource.RLIM_INFINITY:
        return wanted
    return max(FEWEST, min(wanted, most - OWN_FILES))
