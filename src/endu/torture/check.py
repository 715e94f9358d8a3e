"""What was answered against what the history says must be: nothing here asks anybody."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from endu.torture.answers import RuleMade, Stored
from endu.torture.fates import Fate, Told

PROPERTY_OF_PLATFORM = ("platform_type", "property_type")


class Findings(Struct):
    """Each list names what it found; only the first five are no findings but counts."""

    acknowledged: int = 0
    stored: int = 0
    refused: int = 0
    unknown: int = 0
    unknown_stored: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    refused_but_stored: list[str] = field(default_factory=list)
    refused_and_lost: list[str] = field(default_factory=list)
    never_sent: list[str] = field(default_factory=list)
    order_breaks: list[str] = field(default_factory=list)


class Found(Struct, frozen=True):
    """What Endu answered. Events in the order of the log."""

    events: Sequence[Stored]
    rules: Sequence[RuleMade]
    event_types: set[str]
    failed_events: set[str]


def check(told: Told, found: Found) -> Findings:
    findings = Findings(stored=len(found.events))
    by_number: dict[int, list[Stored]] = {}
    for event in found.events:
        by_number.setdefault(event.number, []).append(event)
    for number, fate in told.events.items():
        stored = by_number.pop(number, [])
        _count(findings, fate, stored)
        _check_how_often(findings, told, number, fate, len(stored))
        _check_refusal(findings, number, fate, stored, found.failed_events)
        for event in stored:
            _check_what_it_says(findings, fate, event)
    findings.never_sent = [f"event {number}" for number in by_number]
    findings.order_breaks = order_breaks(told, found.events)
    _check_rules(findings, told, found.rules)
    kinds = [name for name, fate in told.types.items() if fate.ok]
    findings.lost += [f"event type {name}" for name in kinds if name not in found.event_types]
    return findings


def order_breaks(told: Told, events: Iterable[Stored]) -> list[str]:
    """Events that were acknowledged before one that stands before them was even sent."""
    breaks = []
    latest_sent, before = -1, -1
    for event in events:
        fate = told.events.get(event.number)
        if fate is None or fate.refused:
            continue  # never sent, or brought in by a replay: that has an order of its own
        if fate.acknowledged_at < latest_sent:
            breaks.append(f"event {event.number} stands behind event {before}")
        if fate.sent_at > latest_sent:
            latest_sent, before = fate.sent_at, event.number
    return breaks


def _count(findings: Findings, fate: Fate, stored: Sequence[Stored]) -> None:
    if fate.ok:
        findings.acknowledged += 1
    elif fate.refused:
        findings.refused += 1
    else:
        findings.unknown += 1
        findings.unknown_stored += bool(stored)


def _check_how_often(findings: Findings, told: Told, number: int, fate: Fate, times: int) -> None:
    if not times and (fate.ok or (fate.refused and told.must_have_passed(fate))):
        findings.lost.append(f"event {number}")
    if times > 1:
        findings.duplicated.append(f"event {number}, {times} times")
    if times and fate.refused and not told.may_have_passed(fate):
        findings.refused_but_stored.append(f"event {number}")


def _check_refusal(
    findings: Findings,
    number: int,
    fate: Fate,
    stored: Sequence[Stored],
    failed_events: set[str],
) -> None:
    """What was refused for what it says is kept as a failed event, until it passes."""
    if not stored and not fate.failed_event_ids <= failed_events:
        findings.refused_and_lost.append(f"event {number}")


def _check_what_it_says(findings: Findings, fate: Fate, event: Stored) -> None:
    said = fate.said
    wrong = [
        name
        for name, is_right in (
            ("event_data", event.data == said["event_data"]),
            ("event_type", event.event_type == said["event_type"]),
            ("property_id", event.property_id == said["property_id"]),
            ("timestamp", event.happened_at_ms == _ms(said["timestamp"])),
            ("identifiers", sorted(event.identifiers) == identifiers_of(said)),
            ("record id", fate.ids <= {event.record_id}),
        )
        if not is_right
    ]
    if wrong:
        findings.altered.append(f"event {event.number}: {', '.join(wrong)}")


def identifiers_of(event: Mapping[str, Any]) -> list[str]:
    """What it names, as answers write it, sorted."""
    named = []
    if "p_user_id" in event:
        platform = next(event[key] for key in PROPERTY_OF_PLATFORM if key in event)
        named.append(f"{platform.lower()}:{event['p_user_id']}")
    if "blockchain" in event:
        named.append(f"wallet:eip155:{event['blockchain']['chain_account']}")
    if "c_user_id" in event:
        named.append(f"c_user_id:{event['c_user_id']}")
    if "fingerprint" in event:
        named.append(f"fingerprint:{event['fingerprint']}")
    return sorted(named)


def _ms(timestamp: Any) -> int:
    try:
        return int(Decimal(str(timestamp)) * 1_000)
    except ArithmeticError:
        return -1  # what it says is no time at all


def _check_rules(findings: Findings, told: Told, rules: Sequence[RuleMade]) -> None:
    times = Counter(rule.reason for rule in rules)
    by_reason = {rule.reason: rule for rule in rules}
    for reason, fate in told.rules.items():
        if fate.ok and not times[reason]:
            findings.lost.append(reason)
        if times[reason] > 1:
            findings.duplicated.append(f"{reason}, {times[reason]} times")
        if times[reason] and fate.refused:
            findings.refused_but_stored.append(reason)
        rule = by_reason.get(reason)
        if rule is not None and not _is_as_said(rule, fate.said):
            findings.altered.append(reason)
    findings.never_sent += [reason for reason in times if reason not in told.rules]
    _check_undone(findings, told, by_reason)


def _check_undone(findings: Findings, told: Told, rules: Mapping[str, RuleMade]) -> None:
    for reason, rule in rules.items():
        undone = told.undone.get(reason)
        if undone is not None and undone.ok and not rule.taken_back:
            findings.lost.append(f"{reason}, taken back")
        if rule.taken_back and (undone is None or undone.refused):
            findings.refused_but_stored.append(f"{reason}, taken back")


def _is_as_said(rule: RuleMade, said: Mapping[str, Any]) -> bool:
    return rule.rule == said["rule"] and rule.identifiers == (said["a"], said["b"])
