"""What a history says must have become of each event, rule and event type."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from endu.torture.history import Answered, Line, Outcome, Recovering, Sent

NEVER = 1 << 62  # behind every line
REPLAYED = "UNKNOWN_EVENT_TYPE"  # what is refused for this can pass later


class Try(Struct):
    """One request for it, by the lines of the history at which it was sent and answered."""

    sent_at: int
    answered_at: int = NEVER
    outcome: Outcome = Outcome("unknown")


class Fate(Struct):
    """All that was tried with one event, one rule or one event type. `said` is what was sent."""

    said: dict[str, Any]
    tries: list[Try] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return any(each.outcome.verdict == "ok" for each in self.tries)

    @property
    def refused(self) -> bool:
        """For sure: every try was."""
        return all(each.outcome.verdict == "refused" for each in self.tries)

    @property
    def sent_at(self) -> int:
        return min(each.sent_at for each in self.tries)

    @property
    def acknowledged_at(self) -> int:
        """The line of the first answer that said it is kept."""
        answers = [each.answered_at for each in self.tries if each.outcome.verdict == "ok"]
        return min(answers, default=NEVER)

    @property
    def ids(self) -> set[str]:
        """The records that answers named: one, however often it was sent."""
        return {each.outcome.id for each in self.tries if each.outcome.verdict == "ok"}

    @property
    def failed_event_ids(self) -> set[str]:
        refused = [each.outcome for each in self.tries if each.outcome.verdict == "refused"]
        return {outcome.id for outcome in refused if outcome.id}


class Told(Struct):
    """Everything a history says. Events by their number, rules and their undoing by reason, event
    types by name."""

    events: dict[int, Fate] = field(default_factory=dict)
    rules: dict[str, Fate] = field(default_factory=dict)
    undone: dict[str, Fate] = field(default_factory=dict)
    types: dict[str, Fate] = field(default_factory=dict)
    replays: list[Try] = field(default_factory=list)
    recovering_at: int = NEVER  # the line behind the last fault

    @property
    def recovered(self) -> bool:
        """Whether an event that was sent after the last fault is acknowledged."""
        return any(
            each.sent_at > self.recovering_at and each.outcome.verdict == "ok"
            for fate in self.events.values()
            for each in fate.tries
        )

    def may_have_passed(self, fate: Fate) -> bool:
        """Whether a replay can have brought it in although it was refused."""
        registered = self._registered(fate, sure=False)
        return _was_replayable(fate) and any(
            replay.answered_at > fate.sent_at and registered < replay.answered_at
            for replay in self.replays
        )

    def must_have_passed(self, fate: Fate) -> bool:
        """Whether a replay that went well must have brought it in."""
        refused_at = min(each.answered_at for each in fate.tries)
        since = max(refused_at, self._registered(fate, sure=True))
        return _was_replayable(fate) and any(
            replay.outcome.verdict == "ok" and replay.sent_at > since for replay in self.replays
        )

    def _registered(self, fate: Fate, *, sure: bool) -> int:
        """The line from which on its type was there for sure, or may have been."""
        kind = self.types.get(fate.said["event_type"])
        if kind is None:
            return NEVER
        if not sure:
            return kind.sent_at
        there = [t.answered_at for t in kind.tries if t.outcome.verdict != "unknown"]
        return min(there, default=NEVER)


def told_by(history: Iterable[Line]) -> Told:
    """`history` as `read_history` gives it."""
    told = Told()
    open_tries: dict[int, list[Try]] = {}
    for line_number, line in enumerate(history):
        if isinstance(line, Sent):
            open_tries[line.request] = _begin(told, line, line_number)
        elif isinstance(line, Answered):
            for each, outcome in zip(open_tries.pop(line.request), line.outcomes, strict=True):
                each.outcome = outcome
                each.answered_at = line_number
        elif isinstance(line, Recovering):
            told.recovering_at = line_number
    return told


def _begin(told: Told, sent: Sent, at: int) -> list[Try]:
    if sent.kind == "replay":
        told.replays.append(Try(at))
        return told.replays[-1:]
    if sent.events:
        fates = [
            told.events.setdefault(event["event_data"]["n"], Fate(event)) for event in sent.events
        ]
    else:
        kept, name = {
            "rule": (told.rules, "reason"),
            "undo": (told.undone, "reason"),
            "type": (told.types, "event_type"),
        }[sent.kind]
        fates = [kept.setdefault(sent.body[name], Fate(sent.body))]
    for fate in fates:
        fate.tries.append(Try(at))
    return [fate.tries[-1] for fate in fates]


def _was_replayable(fate: Fate) -> bool:
    return any(each.outcome.reason == REPLAYED for each in fate.tries)
