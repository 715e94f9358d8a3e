"""A ledger for the properties of questions: one engine for a test file, an organization each time.

    @as_many_logs
    @given(st.data())
    async def test_…(world: World, data: st.DataObject) -> None:
        for told in await world.tell_all(data.draw(several_logs)):  # each an organization
            asked = data.draw(common(told.log)) | {"series": [...]}
            answer = await ask_trend(msgspec.convert(asked, TrendQuestion), told.sources)
            assert answer... == oracle(asked, told.rows, told.sources.now_ms)

The fixture `world` (conftest.py) is a test file's; a file that uses it must open no other ledger.
`told.rows` are plain Rows in the order of the log, with whose each is *now*; `world.move(told,
owners)` joins and splits the people of a log that was told, and gives the same log as it is then.
Telling costs more than asking, and the next question more with each time that was told: so several
logs are told for one example, `every_example` of one that tells none.
Oracles take rows and the question as plain JSON (a dict); those of the common parts (range, where,
steps, groups, buckets, about) are in oracle_frame.py.

Subjects are small numbers in a Log and others in the ledger: `row.person` is the ledger's.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec
from hypothesis import HealthCheck, settings
from msgspec import Struct

from endu.event_types.event_type import EventType, EventTypeId
from endu.events.event import Event, Seq, encode_record
from endu.events.ledger import OwnerChange, SettledEvent, VisitChange, Visited
from endu.identities.identifier import Number, Subject
from endu.journeys.sources import Person, Sources
from endu.organizations.organization import OrganizationId, PropertyId
from endu.stores.chdb_ledger import ChdbLedger
from endu.stores.memory_registry import MemoryCatalog
from tests.journeys.logs import LOGS_AT_ONCE, NOBODY, TYPE_IDS, TYPE_NAMES, Happening, Log

EXAMPLES = 300 * int(os.environ.get("ENDU_LONG", "1"))
NOW_MS = 1_735_689_600_000  # 2025: every log is over
SUBJECTS_OF_ONE_LOG = 100

every_example = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

as_many_logs = settings(every_example, max_examples=EXAMPLES // LOGS_AT_ONCE)


class Row(Struct, frozen=True, kw_only=True):
    """An event as an oracle sees it. `person` is 0 for nobody."""

    seq: int
    at_ms: int
    person: int
    type_id: str
    type_name: str
    platform: str
    property_id: str
    chain_type: str
    proof: int
    data: dict[str, Any]
    anonymous: bool
    contested: bool

    @property
    def second(self) -> int:
        return self.at_ms // 1_000


class Told(Struct, frozen=True):
    """`first_subject` and `first_seq` are where those of the log begin in the ledger."""

    log: Log
    rows: list[Row]
    sources: Sources
    first_subject: int
    first_seq: int


class World:
    def __init__(self, ledger: ChdbLedger) -> None:
        self._ledger = ledger
        self._catalog = MemoryCatalog()
        self._organizations = itertools.count(1)
        self._versions = itertools.count(1)
        self._seq = 1

    async def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        return await self._ledger.ask(sql, values)

    async def tell(self, log: Log) -> Told:
        return (await self.tell_all([log]))[0]

    async def tell_all(self, logs: Sequence[Log]) -> list[Told]:
        """An organization for each, all in one go: telling one costs as much as telling ten."""
        told = [self._begun(log) for log in logs]
        await self._ledger.append(0, [
            _settled(each.sources.organization_id, seq, happening, each.first_subject)
            for each in told
            for seq, happening in enumerate(each.log.happenings, each.first_seq)
        ])  # fmt: skip
        visits = [
            VisitChange(
                Seq(seq), Subject(happening.visit + each.first_subject), next(self._versions)
            )
            for each in told
            for seq, happening in enumerate(each.log.happenings, each.first_seq)
            if happening.visit
        ]
        if visits:
            await self._ledger.set_visits(visits)
        return await self._moved([(each, each.log.owners) for each in told])

    async def move(self, told: Told, owners: Mapping[int, int]) -> Told:
        """The same events, once these are the owners."""
        return (await self._moved([(told, owners)]))[0]

    def _begun(self, log: Log) -> Told:
        number = next(self._organizations)
        organization_id = OrganizationId(f"organization-{number}")
        self._register_types(organization_id)
        first_subject, first_seq = number * SUBJECTS_OF_ONE_LOG, self._seq
        self._seq += len(log.happenings)
        sources = self._sources(organization_id, log, first_subject)
        return Told(log, [], sources, first_subject, first_seq)

    async def _moved(self, moved: Sequence[tuple[Told, Mapping[int, int]]]) -> list[Told]:
        await self._ledger.set_owners([
            OwnerChange(
                Subject(told.first_subject + s),
                Subject(told.first_subject + i if i else 0),
                next(self._versions),
            )
            for told, owners in moved
            for s, i in (*told.log.once.items(), *owners.items())
        ])  # fmt: skip
        await self._ledger.refresh()
        return [self._as_it_is(told, owners) for told, owners in moved]

    def _as_it_is(self, told: Told, owners: Mapping[int, int]) -> Told:
        first = told.first_subject
        log = msgspec.structs.replace(told.log, owners=dict(owners))
        rows = [
            _row(seq, happening, log.owners, first)
            for seq, happening in enumerate(log.happenings, told.first_seq)
        ]
        sources = self._sources(told.sources.organization_id, log, first)
        return Told(log, rows, sources, first, told.first_seq)

    def _sources(self, organization_id: OrganizationId, log: Log, first: int) -> Sources:
        people = PlainPeople(log, first)
        return Sources(organization_id, NOW_MS, self._ledger, self._catalog, people)

    def _register_types(self, organization_id: OrganizationId) -> None:
        previous: dict[str, EventTypeId] = {}
        for type_id, name in zip(TYPE_IDS, TYPE_NAMES, strict=True):
            if type_id == name:
                continue  # every organization has it
            self._catalog.put(
                EventType(
                    event_id=EventTypeId(type_id),
                    organization_id=organization_id,
                    name=name,
                    display_name=name,
                    created_at_ms=0,
                    previous=previous.get(name),
                )
            )
            previous[name] = EventTypeId(type_id)


class PlainPeople:
    """What the directory would say of the people of one log."""

    def __init__(self, log: Log, first: int) -> None:
        self._log = log
        self._first = first

    async def visited(self, organization_id: OrganizationId) -> Visited:
        visits = [each for each in self._log.happenings if each.visit]
        if not visits:
            return Visited.NONE
        on_devices = all(each.subject == each.device for each in visits)
        return Visited.ON_DEVICES if on_devices else Visited.ANY

    async def known(
        self, organization_id: OrganizationId, identities: Sequence[Subject]
    ) -> dict[Subject, Person]:
        people = {}
        for identity in identities:
            mine = [
                s for s in range(1, 10) if _owner(s, self._log.owners) + self._first == identity
            ]
            visited = {e.subject for e in self._log.happenings if e.visit in mine}
            subjects = [Subject(self._first + s) for s in sorted({*mine, *visited})]
            people[identity] = Person(Number(str(identity)), subjects)
        return people

    async def rules_version(self, organization_id: OrganizationId) -> int:
        return 7


def _owner(subject: int, owners: Mapping[int, int]) -> int:
    return owners.get(subject, subject)


def _is_contested(happening: Happening, owners: Mapping[int, int]) -> bool:
    person = _owner(happening.visit or happening.subject, owners)
    return len({person, *(_owner(s, owners) for s in happening.others)} - {NOBODY}) > 1


def _row(seq: int, happening: Happening, owners: Mapping[int, int], first: int) -> Row:
    person = _owner(happening.visit or happening.subject, owners)
    device_only = happening.subject == happening.device
    return Row(
        seq=seq,
        at_ms=happening.at_ms,
        person=first + person if person else NOBODY,
        type_id=happening.type_id,
        type_name=dict(zip(TYPE_IDS, TYPE_NAMES, strict=True))[happening.type_id],
        platform=happening.platform,
        property_id=happening.property_id,
        chain_type=happening.chain_type,
        proof=happening.proof,
        data=happening.data,
        anonymous=device_only and person in (NOBODY, happening.subject),
        contested=_is_contested(happening, owners),
    )


def _settled(
    organization_id: OrganizationId, seq: int, happening: Happening, first: int
) -> SettledEvent:
    event = Event(
        organization_id=organization_id,
        property_id=PropertyId(happening.property_id),
        event_type=EventTypeId(happening.type_id),
        happened_at_ms=happening.at_ms,
        claimed_at_ms=happening.at_ms,
        received_at_ms=NOW_MS,
        identifiers=("discord:1",),
        proof=happening.proof,
        platform=happening.platform,
        chain_type=happening.chain_type,
        data=msgspec.json.encode(happening.data),
    )

    def number(subject: int) -> Subject:
        return Subject(first + subject if subject else NOBODY)

    return SettledEvent(
        Seq(seq),
        event,
        crc32(encode_record(event)),
        False,
        number(happening.subject),
        tuple(number(other) for other in happening.others),
        number(happening.device),
    )
