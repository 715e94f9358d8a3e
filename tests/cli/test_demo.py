"""`endu demo` on a real server: what was planned is what is kept, and what questions answer."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from endu.cli.demo.command import NAMED
from endu.cli.demo.filling import fill
from endu.cli.demo.plan import SOLVED, Plan, monday_before
from endu.cli.demo.story import Event, events_of
from endu.cli.operator import Operator, settings_for
from endu.event_types.event_type import GLOBAL_NAMES
from tests.cli.demo_recount import identifiers_of, people_in
from tests.running import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("demo") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def first(server: Running) -> Any:
    """What the first `endu demo` answers. It finds a third of the events there, as from one that
    was interrupted."""
    made = server.json("organizations", "create", "demo")
    operator = Operator(settings_for(server.data), made["organization_id"], as_json=True)
    with operator.client:
        fill(operator, told_on(made)[:17_000], lambda *_: None)
    return server.json("demo")


def test_everything_is_sent_once_and_every_answer_is_as_planned(first: Any) -> None:
    assert (first["name"], first["sent"], first["people"]) == ("demo", 50_000, 4_000)
    assert [each["name"] for each in first["questions"]] == ["funnel", "retention", "drivers"]
    for question in first["questions"]:
        assert question["answer"] == question["planned"]
        assert question["as_planned"]


def test_a_second_time_it_is_there_and_another_one_is_made_where_that_is_asked_for(
    server: Running, first: Any
) -> None:
    again = server.json("demo")
    assert (again["organization_id"], again["sent"]) == (first["organization_id"], 0)
    assert again["questions"] == first["questions"]
    other = server.json("demo", "--again")
    assert (other["name"], other["sent"]) == ("demo 2", 50_000)
    assert all(question["as_planned"] for question in other["questions"])
    assert server.json("demo")["name"] == "demo 2"


def test_a_persons_accounts_are_joined_and_all_events_are_in_one_timeline(
    server: Running, first: Any
) -> None:
    events = told_on(organization(server, "demo"))
    mine = next(names for names in people_in(events) if len(names) == 5)
    number = next(name for name in mine if name.startswith("c_user_id")).partition(":")[2]
    there = ["--organization", first["organization_id"]]
    shown = server.json("identities", "show", number, *there)
    kinds = sorted(each["kind"] for each in shown["identifiers"])
    assert kinds == sorted(name.partition(":")[0] for name in mine)
    timeline = server.json("identities", "timeline", number, "--limit", "1000", *there)
    sent = [event for event in events if identifiers_of(event)[0] in mine]
    assert sorted(each["message_id"] for each in timeline) == sorted(
        event["message_id"] for event in sent
    )


def test_the_other_organization_has_nothing_of_it(server: Running, first: Any) -> None:
    types = {each["event_type"] for each in server.json("event-types", "list",
                                                        "--organization", "default")}  # fmt: skip
    assert types == set(GLOBAL_NAMES)
    keys = server.json("keys", "list", "--organization", first["organization_id"])
    assert keys and all(key["revoked_at"] is not None for key in keys)


def test_people_see_every_answer_beside_what_it_ought_to_be(server: Running, first: Any) -> None:
    done = server.endu("demo")
    assert done.returncode == 0, done.stderr
    for text in ("already", "62.0%", "31.0%", "60.0%", SOLVED):
        assert text in done.stdout


def test_only_whole_names_are_those_of_demos() -> None:
    assert NAMED.fullmatch("demo") and NAMED.fullmatch("demo 12")
    assert not NAMED.fullmatch("demonstrations") and not NAMED.fullmatch("my demo")


def organization(server: Running, name: str) -> Any:
    return next(each for each in server.json("organizations", "list") if each["name"] == name)


def told_on(organization: Any) -> list[Event]:
    ends_at = monday_before(datetime.fromisoformat(organization["created_at"]))
    return events_of(Plan(seed=1, ends_at_s=ends_at), organization["organization_id"])
