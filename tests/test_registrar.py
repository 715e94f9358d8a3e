"""Registering event types as seed 002 says, and putting schemas in force."""

import asyncio
from itertools import count
from typing import Any

import pytest

from endu.event_types.event_type import GLOBAL_NAMES, EventTypeId, SchemaMode
from endu.event_types.registrar import Registered, Registrar, Registration
from endu.organizations.organization import Organization
from endu.refusals import Reason, Refusal
from endu.stores.memory_registry import MemoryCatalog
from tests.recording import NOW_MS, ORGANIZATION_ID, caller

ORGANIZATION = caller().organization


class Office:
    def __init__(self) -> None:
        numbers = count(1)
        self.catalog = MemoryCatalog()
        self.registrar = Registrar(
            self.catalog, lambda length: next(numbers).to_bytes(length, "big")
        )

    async def register(
        self, name: Any, organization: Organization = ORGANIZATION, **fields: Any
    ) -> Registered:
        given = {"event_display_name": "A name"} | fields
        return await self.registrar.register(
            organization, Registration(event_type=name, **given), NOW_MS
        )

    async def refusal(self, name: Any, **fields: Any) -> Refusal:
        with pytest.raises(Refusal) as refused:
            await self.register(name, **fields)
        return refused.value


@pytest.mark.parametrize("name", ["A", "MY_NEW_EVENT", "A_B_C", "A" * 50])
async def test_a_name_is_uppercase_words_joined_by_underscores(name: str) -> None:
    office = Office()
    registered = await office.register(name)
    current = office.catalog.current(ORGANIZATION_ID, name)
    assert current and current.event_id == registered.event_id
    assert registered.event_id_previous is None


@pytest.mark.parametrize(
    "name",
    ["", "my_event", "A__B", "_A", "A_", "A1", "A-B", "A B", "Ä", "A\n", "A" * 51, None, 5, ["A"]],
)
async def test_any_other_name_is_refused(name: Any) -> None:
    assert (await Office().refusal(name)).reason is Reason.INVALID_FORMAT


@pytest.mark.parametrize("display_name", ["x" * 51, 5, {}])
async def test_a_display_name_is_at_most_50_characters(display_name: Any) -> None:
    refusal = await Office().refusal("A", event_display_name=display_name)
    assert refusal.reason is Reason.INVALID_FORMAT
    await Office().register("A", event_display_name="ä" * 50)


@pytest.mark.parametrize("name", GLOBAL_NAMES)
@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_global_name_is_reserved(name: str, confirmed: bool) -> None:
    refusal = await Office().refusal(name, confirm_overwrite=confirmed)
    assert refusal.reason is Reason.RESERVED_EVENT_TYPE


async def test_a_name_that_exists_is_overwritten_only_on_confirmation() -> None:
    office = Office()
    first = await office.register("A")
    for answer in (False, "true", 1, None):
        refusal = await office.refusal("A", confirm_overwrite=answer)
        assert refusal.reason is Reason.DUPLICATE_EVENT_TYPE
    second = await office.register("A", confirm_overwrite=True)
    assert second.event_id_previous == first.event_id
    chain = office.catalog.chain(ORGANIZATION_ID, "A")
    assert [each.event_id for each in chain] == [first.event_id, second.event_id]


async def test_confirming_a_name_that_does_not_exist_registers_it_plainly() -> None:
    assert (await Office().register("A", confirm_overwrite=True)).event_id_previous is None


async def test_two_at_once_of_one_name_are_not_both_the_first() -> None:
    office = Office()
    both = await asyncio.gather(office.register("A"), office.register("A"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in both) == ["Refusal", "Registered"]


async def test_an_organization_has_so_many_names_however_often_overwritten() -> None:
    office, small = Office(), caller(event_types_at_most=2).organization
    await office.register("A", small)
    await office.register("B", small)
    await office.register("B", small, confirm_overwrite=True)
    refusal = await office.refusal("C", organization=small)
    assert refusal.reason is Reason.EVENT_TYPE_LIMIT
    await office.register("C", caller(event_types_at_most=3).organization)


async def test_a_schema_is_put_in_force_with_its_type() -> None:
    office = Office()
    await office.register("A", event_data_schema={"a": "string"})
    current = office.catalog.current(ORGANIZATION_ID, "A")
    assert current and current.schema
    assert (current.schema.version, current.schema.mode) == (1, SchemaMode.FLAG)
    check = office.catalog.check_of(current)
    assert check and [found.path for found in check({})] == ["event_data.a"]


@pytest.mark.parametrize("schema", [{"a": "text"}, [], "string", 5])
async def test_a_bad_schema_registers_nothing(schema: Any) -> None:
    office = Office()
    refusal = await office.refusal("A", event_data_schema=schema)
    assert refusal.reason is Reason.INVALID_SCHEMA
    assert office.catalog.current(ORGANIZATION_ID, "A") is None


@pytest.mark.parametrize("name", ["A", "BEGIN_EVENT"])
async def test_a_new_version_of_a_schema_takes_the_place_of_the_last(name: str) -> None:
    office = Office()
    if name == "A":
        await office.register("A", event_data_schema={"a": "string"})
    current = office.catalog.current(ORGANIZATION_ID, name)
    assert current
    versions = [
        await office.registrar.set_schema(ORGANIZATION, current.event_id, schema, mode, NOW_MS)
        for schema, mode in (({"b": "string"}, SchemaMode.REFUSE), ({}, SchemaMode.OFF))
    ]
    last = office.catalog.current(ORGANIZATION_ID, name)
    assert last and last.schema == versions[-1]
    kept = await office.catalog.schema_versions(ORGANIZATION_ID, current.event_id)
    assert kept[-2:] == versions
    assert office.catalog.check_of(last) is None


@pytest.mark.parametrize(
    ("event_id", "schema", "reason"),
    [
        ("nobody's", {}, Reason.NOT_FOUND),
        ("BEGIN_EVENT", {"a": 1}, Reason.INVALID_SCHEMA),
    ],
)
async def test_a_schema_that_cannot_be_put_in_force(
    event_id: str, schema: Any, reason: Reason
) -> None:
    with pytest.raises(Refusal) as refused:
        await Office().registrar.set_schema(
            ORGANIZATION, EventTypeId(event_id), schema, SchemaMode.FLAG, NOW_MS
        )
    assert refused.value.reason is reason
