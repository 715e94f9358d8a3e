"""The oracle has to be right before it may judge: it keeps the policy's promises by itself."""

import zlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from endu.identities.evidence import Evidence, RuleMade
from tests.identity_logs import (
    Scribe,
    creation,
    limits,
    logs,
    logs_with_creations,
    named_by_number,
    orders,
    possible,
    rule,
    sighting,
    taken_back,
)
from tests.identity_oracle import NOBODY, Answer, work_out
from tests.identity_oracle_links import LIMITS, Log, Numbers, kind_of

D1, D2, T1, W = "discord:1", "discord:2", "telegram:1", "wallet:eip155:0x1"
F = "fingerprint:f"


class Issued(dict[str, str]):
    """On paper, every identifier's number is a check sum of its text."""

    def __missing__(self, name: str) -> str:
        kind, _, value = name.partition(":")
        return value if kind == "c_user_id" else f"{zlib.crc32(name.encode()) + 10**6}"


def on_paper(steps: Sequence[Evidence]) -> tuple[Log, Answer]:
    issued, scribe = Issued(), Scribe()
    for step in steps:
        scribe.write(step, issued[named_by_number(step)])
    names = {name for step in steps for name in getattr(step, "identifiers", ())}
    numbers = Numbers(
        {name.lstrip("@"): issued[name.lstrip("@")] for name in names if "creation" not in name},
        {seq: issued[f"creation:{place}"] for place, seq in enumerate(scribe.creations)},
    )
    return scribe.log, work_out(scribe.log, numbers)


def by_content(log: Log, answer: Answer) -> tuple[object, ...]:
    """An answer without the places in the log, which another order has otherwise."""
    owners = {(item, answer.owners[seq]) for seq, item in log if seq in answer.owners}
    contested = {item for seq, item in log if seq in answer.contested}
    standing = answer.people, answer.accepted, answer.suspended, answer.hubs, answer.burned
    return *standing, answer.refused, owners, contested, answer.names


@given(logs(), st.data())
def test_the_order_and_number_of_events_makes_no_difference(
    steps: list[Evidence], data: st.DataObject
) -> None:
    again = data.draw(orders(steps, repeats=3))
    assert by_content(*on_paper(steps)) == by_content(*on_paper(again))


@given(logs_with_creations(), st.data())
def test_the_order_of_events_between_creations_makes_no_difference(
    steps: list[Evidence], data: st.DataObject
) -> None:
    again = data.draw(orders(steps, repeats=3))
    (log, one), (other_log, other) = on_paper(steps), on_paper(again)
    assert by_content(log, one) == by_content(other_log, other)
    assert list(one.creations.values()) == list(other.creations.values())


@given(logs())
def test_everybody_is_one_person_and_nobody_breaks_a_limit_unless_an_operator_says(
    steps: list[Evidence],
) -> None:
    _, answer = on_paper(steps)
    everyone = [name for person in answer.people for name in person]
    assert len(everyone) == len(set(everyone))
    if any(isinstance(step, RuleMade) and step.rule == "always-link" for step in steps):
        return
    at_most = [LIMITS, *(step.limits for step in steps if hasattr(step, "limits"))][-1]
    for person in answer.people:
        kinds = [kind_of(name) for name in person]
        for kind in ("discord", "telegram", "wallet"):
            assert kinds.count(kind) <= max(1, at_most[kind])


@given(logs(), st.data())
def test_a_rule_that_was_taken_back_was_never_there(
    steps: list[Evidence], data: st.DataObject
) -> None:
    kept = [s for s in steps if not isinstance(s, RuleMade) and not hasattr(s, "rule_seq")]
    doing = data.draw(st.sampled_from([rule("never-link", D1, W), rule("block", W)]))
    place = data.draw(st.integers(0, len(kept)))
    undone = possible([*kept[:place], doing, *kept[place:], taken_back(0)])
    assert by_content(*on_paper(kept)) == by_content(*on_paper(undone))


def test_a_fingerprint_is_nobodys_evidence_that_two_are_one() -> None:
    _, answer = on_paper([sighting(D1, F), sighting(D2, F), sighting(F, at_s=7200)])
    assert answer.people == {frozenset({D1}), frozenset({D2})}
    assert answer.owners[3] == {F}


def test_a_blocked_identifier_owns_nothing() -> None:
    _, answer = on_paper([sighting(D1, W), sighting(D1), rule("block", D1)])
    assert answer.people == {frozenset({W})}
    assert answer.owners == {1: {W}, 2: NOBODY}


def test_an_operators_link_outdoes_a_limit_but_not_a_rule() -> None:
    _, answer = on_paper([rule("always-link", D1, D2), sighting(D1), sighting(D2)])
    assert answer.people == {frozenset({D1, D2})}
    steps = [rule("always-link", D1, T1), rule("always-link", T1, D2, at_s=1)]
    _, answer = on_paper([*steps, rule("never-link", D1, D2)])
    assert answer.people == {frozenset({D1, T1}), frozenset({D2})}


def test_who_is_created_twice_is_created_once() -> None:
    _, answer = on_paper([creation(D1), creation(D1, W, at_s=1), sighting(D2), creation(D1, D2)])
    name = f"c_user_id:{Issued()['creation:0']}"
    assert answer.creations == {1: (name, True), 2: (name, False), 4: None}
    assert frozenset({name, D1, W}) in answer.people


def test_limits_that_are_set_count_for_what_came_before() -> None:
    pairs = [sighting(D1, f"wallet:eip155:0x{n}", at_s=n) for n in range(3)]
    _, answer = on_paper([*pairs, limits(**LIMITS | {"wallet": 2})])
    assert answer.refused == {(D1, "wallet:eip155:0x2"): {"wallet"}}
