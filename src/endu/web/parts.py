"""Everything that the HTTP face is made of; the assembly fills it."""

from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from endu.event_types.catalog import Catalog
from endu.event_types.registrar import Registrar
from endu.events.erasures import Erasures
from endu.events.failed import FailedEvents
from endu.events.inbox import Inbox
from endu.events.ledger import Ledger
from endu.events.letting_go import LettingGo
from endu.events.recorder import Recorder
from endu.events.replay import Replay
from endu.identities.directory import Directory
from endu.identities.rules import Rules
from endu.ids import Scramble
from endu.journeys.sources import People
from endu.organizations.keyring import Keyring
from endu.organizations.organization import OrganizationId, Organizations
from endu.organizations.properties import Properties
from endu.refusals import Refusal
from endu.web.body import Bodies
from endu.web.buckets import Counting
from endu.web.metrics import Metrics
from endu.web.rates import HourlyRate


class Parts(Struct, frozen=True, kw_only=True):
    """`fresh` returns once everything that was acknowledged before has settled and is seen by
    every question; after 10 s it raises Refusal NOT_SETTLED. `why_not_ready` is None, or says
    why events cannot be kept now. `identity_limits` are those that were set, not the defaults.
    `created_since` gives the times, oldest first, at which the last so many identities were asked
    for after a time. `randomness(n)` gives n random bytes. `of_the_disk` tells errors
    of files from mistakes."""

    organizations: Organizations
    keyring: Keyring
    catalog: Catalog
    registrar: Registrar
    recorder: Recorder
    inbox: Inbox
    ledger: Ledger
    directory: Directory
    people: People
    rules: Rules
    failed_events: FailedEvents
    erasures: Erasures
    replay: Replay
    properties: Properties
    scramble: Scramble
    identity_limits: Callable[[OrganizationId], Awaitable[dict[str, int]]]
    created_since: Callable[[OrganizationId, int, int], Awaitable[list[int]]]
    fresh: Callable[[], Awaitable[None]]
    why_not_ready: Callable[[], Refusal | None]
    now_ms: Callable[[], int]
    randomness: Callable[[int], bytes]
    of_the_disk: Callable[[Exception], bool]
    rates: Counting
    letting_go: LettingGo
    bodies: Bodies = field(default_factory=Bodies)
    metrics: Metrics = field(default_factory=Metrics)
    creation_rate: HourlyRate = field(default_factory=lambda: HourlyRate("create-identity"))
