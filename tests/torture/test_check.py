"""The checker finds everything that can go wrong, and nothing where all is well."""

from msgspec.structs import replace

from endu.torture.answers import RuleMade
from endu.torture.check import Findings, check
from endu.torture.fates import told_by
from endu.torture.history import Outcome, Recovering
from tests.torture.stories import Story, event, stored

UNKNOWN_TYPE = Outcome("refused", "failed 1", "UNKNOWN_EVENT_TYPE")


def findings_of(story: Story) -> Findings:
    return check(told_by(story.lines), story.found)


def wrong_in(findings: Findings) -> dict[str, list[str]]:
    """Only what is not empty."""
    lists = {name: getattr(findings, name) for name in Findings.__struct_fields__}
    return {name: value for name, value in lists.items() if isinstance(value, list) and value}


def test_where_all_is_well_nothing_is_found() -> None:
    story = Story()
    story.keep(1)
    story.send(2)
    story.send(3)
    story.store(3)  # nobody was told, and it was kept all the same
    story.answer(story.send(4), Outcome("refused", "failed 4", "INVALID_EVENT"))
    story.failed_events.add("failed 4")
    findings = findings_of(story)
    assert wrong_in(findings) == {}
    assert (findings.acknowledged, findings.stored, findings.refused) == (1, 2, 1)
    assert (findings.unknown, findings.unknown_stored) == (2, 1)


def test_an_acknowledged_event_that_is_not_there_is_lost() -> None:
    story = Story()
    story.keep(1)
    story.answer(story.send(2), Outcome("ok", "record 2"))
    assert wrong_in(findings_of(story)) == {"lost": ["event 2"]}


def test_an_event_that_is_there_twice_is_found_though_nobody_was_told_of_it() -> None:
    story = Story()
    story.keep(1)
    story.store(1)
    story.send(2)
    story.store(2)
    story.store(2)
    found = wrong_in(findings_of(story))
    assert found == {"duplicated": ["event 1, 2 times", "event 2, 2 times"]}


def test_each_thing_an_event_says_is_compared() -> None:
    for name, other in {
        "event_type": "BEGIN_ENTITY",
        "property_id": "P#2",
        "happened_at_ms": 1_700_000_000_000,
        "identifiers": ("discord:78",),
        "data": {"n": 1, "more": None},
        "record_id": "another",
    }.items():
        story = Story()
        story.keep(1)
        story.events[0] = replace(story.events[0], **{name: other})
        assert list(wrong_in(findings_of(story))) == ["altered"], name


def test_two_answers_that_name_two_records_are_found() -> None:
    story = Story()
    story.keep(1)
    story.answer(story.send(1), Outcome("ok", "another"))
    assert wrong_in(findings_of(story)) == {"altered": ["event 1: record id"]}


def test_a_refused_event_that_is_there_is_found() -> None:
    story = Story()
    story.answer(story.send(1), Outcome("refused", "", "NOT_DURABLE"))
    story.store(1)
    assert wrong_in(findings_of(story)) == {"refused_but_stored": ["event 1"]}


def test_a_refused_event_that_was_tried_before_may_be_there() -> None:
    story = Story()
    story.send(1)
    story.answer(story.send(1), Outcome("refused", "", "NOT_DURABLE"))
    story.store(1)
    assert wrong_in(findings_of(story)) == {}


def test_a_refused_event_that_is_no_failed_event_vanished() -> None:
    story = Story()
    story.answer(story.send(1), UNKNOWN_TYPE)
    assert wrong_in(findings_of(story)) == {"refused_and_lost": ["event 1"]}


def test_an_event_that_nobody_sent_is_found() -> None:
    story = Story()
    story.store(5)
    assert wrong_in(findings_of(story)) == {"never_sent": ["event 5"]}


def test_an_event_that_stands_before_what_was_acknowledged_before_it_was_sent_is_found() -> None:
    story = Story()
    story.keep(1)
    story.keep(2)
    story.events = [stored(0, event(2)), stored(1, event(1))]
    assert wrong_in(findings_of(story)) == {"order_breaks": ["event 1 stands behind event 2"]}


def test_events_that_were_sent_at_the_same_time_have_no_order() -> None:
    story = Story()
    first, second = story.send(1), story.send(2)
    story.answer(first, Outcome("ok", "record 1"))
    story.answer(second, Outcome("ok", "record 2"))
    story.events = [stored(0, event(2)), stored(1, event(1))]
    assert wrong_in(findings_of(story)) == {}


def replayed(story: Story, outcome: Outcome | None) -> None:
    """Event 1 is refused, its type registered, and failed events replayed."""
    story.answer(story.send(1, event_type="LATE"), UNKNOWN_TYPE)
    story.answer(story.ask("type", event_type="LATE"), Outcome("ok"))
    story.event_types.add("LATE")
    request = story.ask("replay")
    if outcome is not None:
        story.answer(request, outcome)


def test_what_a_replay_brought_in_is_there_once() -> None:
    story = Story()
    replayed(story, Outcome("ok"))
    assert wrong_in(findings_of(story)).keys() == {"lost", "refused_and_lost"}
    story.store(1, event_type="LATE")
    assert wrong_in(findings_of(story)) == {}
    story.store(1, event_type="LATE")
    assert wrong_in(findings_of(story)) == {"duplicated": ["event 1, 2 times"]}


def test_a_replay_that_nobody_answered_for_may_have_brought_it_in() -> None:
    story = Story()
    replayed(story, None)
    story.failed_events.add("failed 1")
    assert wrong_in(findings_of(story)) == {}
    story.store(1, event_type="LATE")
    assert wrong_in(findings_of(story)) == {}


def test_an_event_type_that_was_registered_and_is_not_there_is_lost() -> None:
    story = Story()
    story.answer(story.ask("type", event_type="LATE"), Outcome("ok"))
    assert wrong_in(findings_of(story)) == {"lost": ["event type LATE"]}


def test_rules_are_lost_doubled_and_altered_like_events() -> None:
    said = {"rule": "never-link", "a": "discord:1", "b": "telegram:2", "reason": "rule 0-0"}
    made = RuleMade("rule 0-0", "never-link", ("discord:1", "telegram:2"), 0, False)
    story = Story()
    story.answer(story.ask("rule", **said), Outcome("ok", "r"))
    for rules, wrong in (
        ([made], set()),
        ([], {"lost"}),
        ([made, made], {"duplicated"}),
        ([replace(made, rule="always-link")], {"altered"}),
        ([replace(made, taken_back=True)], {"refused_but_stored"}),
    ):
        story.rules = rules
        assert wrong_in(findings_of(story)).keys() == wrong


def test_a_rule_that_was_taken_back_and_still_holds_is_found() -> None:
    said = {"rule": "never-link", "a": "discord:1", "b": "telegram:2", "reason": "rule 0-0"}
    story = Story()
    story.answer(story.ask("rule", **said), Outcome("ok", "r"))
    story.answer(story.ask("undo", reason="rule 0-0"), Outcome("ok"))
    story.rules = [RuleMade("rule 0-0", "never-link", ("discord:1", "telegram:2"), 0, False)]
    assert wrong_in(findings_of(story)) == {"lost": ["rule 0-0, taken back"]}


def test_only_an_event_that_was_sent_after_the_last_fault_shows_that_it_is_over() -> None:
    story = Story()
    story.keep(1)
    story.lines.append(Recovering())
    assert not told_by(story.lines).recovered
    story.keep(2)
    assert told_by(story.lines).recovered
