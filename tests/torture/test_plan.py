"""The same seed gives the same schedule of faults and the same requests, whatever happens."""

from itertools import islice

import msgspec

from endu.torture.crowd import SENDERS, requests_of
from endu.torture.plan import (
    FLIPS_TOGETHER,
    Flips,
    Plan,
    PowerCut,
    StartKill,
    faults_of,
    kind_of,
    number_of,
)

PLAN = Plan(seed=7, kills=40, power_cuts=9, flips=23, minutes=1)


def test_a_seed_fixes_every_fault() -> None:
    assert faults_of(PLAN) == faults_of(PLAN)
    assert faults_of(PLAN) == faults_of(msgspec.structs.replace(PLAN, minutes=99))
    assert faults_of(PLAN) != faults_of(msgspec.structs.replace(PLAN, seed=8))


def test_a_seed_fixes_every_request_of_every_sender() -> None:
    for sender in range(SENDERS):
        first = list(islice(requests_of(7, sender), 300))
        assert first == list(islice(requests_of(7, sender), 300))
        assert first != list(islice(requests_of(8, sender), 300))
        assert first != list(islice(requests_of(7, sender + 1), 300))


def test_as_many_faults_are_planned_as_were_asked_for_and_of_every_kind() -> None:
    faults = faults_of(PLAN)
    assert sum(map(number_of, faults)) == 40 + 9 + 23
    assert sum(isinstance(fault, PowerCut) for fault in faults) == 9
    flips = [fault for fault in faults if isinstance(fault, Flips)]
    assert [len(each.flips) for each in flips if len(each.flips) != FLIPS_TOGETHER] == [3]
    assert isinstance(faults[0], StartKill)
    assert {kind_of(fault) for fault in faults} == {
        "kill", "kill the door", "kill at a step", "kill at a system call", "kill a start",
        "kill a rebuild", "power cut", "flips",
    }  # fmt: skip


def test_no_two_events_of_a_run_have_one_number() -> None:
    numbers = [
        event["event_data"]["n"]
        for sender in range(SENDERS)
        for request in islice(requests_of(7, sender), 500)
        for event in request.events
    ]
    assert len(numbers) == len(set(numbers))


def test_the_crowd_names_itself_in_every_way_and_does_everything_an_operator_does() -> None:
    requests = list(islice(requests_of(7, 0), 3_000))
    ways = {
        ("p_user_id" in event, "blockchain" in event, "fingerprint" in event, "c_user_id" in event)
        for request in requests
        for event in request.events
    }
    assert len(ways) == 16  # the sixteenth names nobody, and is refused
    assert {request.kind for request in requests} == {
        "record", "batch", "rule", "undo", "type", "replay",
    }  # fmt: skip
    assert {request.copies for request in requests} == {1, 2, 3}
