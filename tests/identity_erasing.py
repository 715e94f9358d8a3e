"""Erasing somebody from a small world, plainly: what the ledger would be asked for is counted here,
and so is the log that is left, for the oracle and for a world that settles it again."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from endu.identities.evidence import (
    Creation,
    Evidence,
    Forgetting,
    RuleMade,
    RuleTakenBack,
    Sighting,
    Whose,
)
from endu.identities.forgotten import Plan
from endu.identities.identifier import NOBODY
from endu.stores.sqlite_forgetting import pack, plan_of
from tests.identity_logs import ACME, NOON_MS
from tests.identity_world import SCRAMBLE, SOURCE, World

Log = list[tuple[int, Evidence]]


class Erased(Struct, frozen=True):
    """`left` is what the log still has, `seen` what is left of it as evidence."""

    asked: int
    left: Log
    seen: Log
    plan: Plan


async def erase(world: World, name: str, before: Erased | None = None) -> Erased:
    """Whoever goes by that identifier, perhaps after another erasure."""
    log = before.left if before else world.log
    rows = dict(world.rows("SELECT kind || ':' || value, identity FROM identifiers"))
    known = world.rows("SELECT subject, kind || ':' || value, number, identity FROM identifiers")
    theirs = [row for row in known if row[3] == rows[name]]
    subjects = {row[0] for row in theirs}
    places = _places(world, subjects)
    asked = len(world.log) + (2 if before else 1)
    forgetting = _forgetting(world, subjects, places)
    await world.forget(asked, forgetting)
    plan = plan_of(world.connection, asked)
    assert plan is not None
    gone = {t.subject for t in plan.tombstones}
    names = {text for row in known if row[0] in gone for text in (row[1], f"c_user_id:{row[2]}")}
    theirs_too = {seq for seq, item in log if _rules(item, names) or _made(seq, item, gone, names)}
    left = [(seq, item) for seq, item in log if seq not in places | theirs_too]
    left = _without_loose_ends(left)
    seen = [(seq, _without(item, names)) for seq, item in left]
    for seq, item in log:
        if seq in places and isinstance(item, Sighting):
            seen += _of_others(seq, item, names)
    return Erased(asked, left, sorted(seen, key=lambda each: each[0]), plan)


async def settle_again(world: World, again: World, *erasures: Erased) -> None:
    """What the last of them left, in a world that is told of all of them first, as the first world
    knows their plans by now."""
    for erased in erasures:
        plan = plan_of(world.connection, erased.asked)
        again.connection.execute(
            "INSERT INTO erasures VALUES (?, ?, ?, '[]', '[]', ?, 1, '{}', ?)",
            (erased.asked, ACME, NOON_MS, pack(plan), NOON_MS),
        )
    await again.settle_log(erasures[-1].left)
    nobody = Forgetting(organization_id=ACME, received_at_ms=NOON_MS, subject=NOBODY)
    for erased in erasures:
        await again.forget(erased.asked, nobody)


def _places(world: World, subjects: set[Any]) -> set[int]:
    visits = dict(world.rows("SELECT seq, subject FROM visits WHERE subject <> 0"))
    identity = dict(world.rows("SELECT subject, identity FROM identifiers"))
    of = {identity[subject] for subject in subjects}
    return {
        seq
        for seq, (_, whose) in world.shelf.all().items()
        if identity.get(visits.get(seq, whose.subject)) in of
    }


def _forgetting(world: World, subjects: set[Any], places: Collection[int]) -> Forgetting:
    events = world.shelf.all()
    ours = [_all_of(events[seq][1]) for seq in places]
    others = {s for seq, (_, whose) in events.items() if seq not in places for s in _all_of(whose)}
    beside = {subject for each in ours for subject in each} - subjects - {0}
    together = [
        tuple(s for s in _strong(events[seq][1]) if s and s not in subjects) for seq in places
    ]
    return Forgetting(
        organization_id=ACME,
        received_at_ms=NOON_MS,
        subject=min(subjects),
        places=tuple(sorted(places)),
        beside=frozenset(beside),
        orphans=frozenset(beside - others),
        numbered=frozenset(_numbered(world, beside, places)),
        together=tuple(each for each in together if len(each) > 1),
    )


def _numbered(world: World, beside: set[Any], places: Collection[int]) -> Iterator[Any]:
    """Those whose number is named before they are."""
    for subject in beside:
        for seq, (item, whose) in sorted(world.shelf.all().items()):
            if seq not in places and subject in _all_of(whose):
                if item.identifiers[0] == f"c_user_id:{subject}" and whose.subject == subject:
                    yield subject
                break


def _strong(whose: Whose) -> Sequence[Any]:
    return whose.subject, *whose.others


def _all_of(whose: Whose) -> Sequence[Any]:
    return whose.subject, *whose.others, whose.fingerprint


def _rules(item: Evidence, names: Collection[str]) -> bool:
    return isinstance(item, RuleMade) and bool(set(item.identifiers) & set(names))


def _made(seq: int, item: Evidence, gone: Collection[int], names: Collection[str]) -> bool:
    """An identity made beforehand that was theirs, or in which nobody else is named."""
    if not isinstance(item, Creation):
        return False
    named = set(item.identifiers)
    return (
        SCRAMBLE.mix63((SOURCE << 48 | seq) << 3 | 7) in gone or bool(named) and named <= set(names)
    )


def _without_loose_ends(log: Log) -> Log:
    made = {seq for seq, item in log if isinstance(item, RuleMade)}
    return [
        (seq, item)
        for seq, item in log
        if not isinstance(item, RuleTakenBack) or item.rule_seq in made
    ]


def _without(item: Evidence, names: Collection[str]) -> Evidence:
    if not isinstance(item, Sighting):
        return item
    return replace(item, identifiers=tuple(n for n in item.identifiers if n not in names))


def _of_others(seq: int, item: Sighting, names: Collection[str]) -> Log:
    """What an erased event says of other people's identifiers: that they were seen, and when."""
    strong = [n for n in item.identifiers if n not in names and not n.startswith("fingerprint:")]
    return [(seq, replace(item, identifiers=tuple(strong)))] if strong else []
