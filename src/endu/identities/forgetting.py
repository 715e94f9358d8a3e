"""A person is forgotten: everything that names them goes, and everybody else is decided anew.

What stays of other people's evidence does so as if the person had never been: a wallet that too
many claimed may be one that few do, a device that two people shared is one person's.
"""

from collections.abc import Iterable, Sequence, Set
from itertools import combinations

from endu.identities.bench import Bench
from endu.identities.casebook import Farewell, Seen, StandingRule
from endu.identities.evidence import Forgetting
from endu.identities.forgotten import Birth, LinkLeft, Plan, Salt, SeenLeft, Spelled, Tombstone
from endu.identities.identifier import Kind, Subject
from endu.identities.linking import Link, Node, pair_of


async def forget(bench: Bench, seq: int, asked: Forgetting) -> None:
    """Obeying it again changes nothing. Where the log is settled again it says who was forgotten,
    and nothing before this place has named them."""
    cause = (seq, asked.received_at_ms)
    plan = await bench.casebook.plan_of(seq)
    if plan is not None:
        await _keep(bench, asked, plan, cause)
        return
    members = await bench.casebook.members(asked.subject)
    leaving = {node.subject: node for node in [*members, *await _orphans(bench, asked, members)]}
    links = await bench.casebook.links_of(leaving.keys())
    rules = await bench.casebook.every_rule(asked.organization_id)
    ends = {subject for link in links for subject in link.pair} - leaving.keys()
    devices = await bench.casebook.fingerprints_seen_with(leaving.keys()) - leaving.keys()
    named = await bench.casebook.nodes(ends | devices | asked.beside)
    ruled = await _ruled(bench, asked, rules, leaving)
    beside = {node.subject: node for node in [*named, *ruled]}
    seen = await bench.casebook.seen_first_at(devices, asked.places)
    staying = [node for subject, node in beside.items() if subject not in leaving]
    texts = {node.text for node in leaving.values()}
    unspelled = await _unspelled(bench, asked, ruled, staying)
    farewell = Farewell(
        seq=seq,
        organization_id=asked.organization_id,
        asked_at_ms=asked.received_at_ms,
        nodes=tuple(leaving.values()),
        places=asked.places,
        plan=Plan(
            tombstones=tuple(_tombstones(bench.salt, leaving.values())),
            births=tuple(_births(bench.salt, staying)),
            kept=tuple(await _links_left(bench, asked, leaving.keys())),
            spelled=tuple(_spelled(staying, unspelled, rules)),
            seen=tuple(_seen_left(seen, leaving.keys())),
            conflicts=tuple(await bench.casebook.conflicts_of(asked.organization_id, texts)),
        ),
    )
    await bench.casebook.forget(farewell)
    await _decide_the_others(bench, farewell, {s for s in ends if beside[s].standing == "hub"})
    await _look_at_devices(bench, asked, devices, cause)
    bench.moved |= {subject: subject for subject in leaving}


async def _orphans(bench: Bench, asked: Forgetting, members: Sequence[Node]) -> list[Node]:
    """Identifiers that no evidence names any more but that of this person."""
    orphans = {node.subject: node for node in await bench.casebook.nodes(asked.orphans)}
    ours = {node.subject for node in members}
    texts = {node.text for node in members}
    ruled = {
        text
        for rule in await bench.casebook.every_rule(asked.organization_id)
        if texts.isdisjoint(rule.identifiers)
        for text in rule.identifiers
    }
    links = await bench.casebook.links_of(orphans.keys())
    staying = {
        s for s, node in orphans.items() if node.text in ruled or node.kind is Kind.C_USER_ID
    }
    while held := _held(orphans.keys() - staying, ours, links):
        staying |= held
    return [node for subject, node in orphans.items() if subject not in staying]


def _held(orphans: Set[Subject], ours: Set[Subject], links: Sequence[Link]) -> set[Subject]:
    """Those that are linked with somebody else."""
    leaving = ours | orphans
    return {
        subject
        for link in links
        if not leaving >= set(link.pair)
        for subject in link.pair
        if subject in orphans
    }


async def _ruled(
    bench: Bench, asked: Forgetting, rules: Sequence[StandingRule], leaving: dict[Subject, Node]
) -> list[Node]:
    """Whom the rules name that name those who leave."""
    texts = {node.text for node in leaving.values()}
    together = {
        text
        for rule in rules
        if not texts.isdisjoint(rule.identifiers)
        for text in rule.identifiers
    }
    named = await bench.casebook.find(asked.organization_id, together) if together else {}
    return list(named.values())


async def _unspelled(
    bench: Bench, asked: Forgetting, ruled: Sequence[Node], staying: Sequence[Node]
) -> set[Subject]:
    """Whom what is left may name by their number before it spells them out, or never does."""
    created = await bench.casebook.created_with({node.subject for node in staying})
    return {*asked.orphans, *asked.numbered, *created, *(node.subject for node in ruled)}


def _tombstones(salt: Salt, nodes: Iterable[Node]) -> Iterable[Tombstone]:
    for node in nodes:
        number = f"{Kind.C_USER_ID}:{node.number}"
        for text in {node.text, number}:
            yield Tombstone(salt.hash_of(node.organization_id, text), node.subject)


def _births(salt: Salt, nodes: Iterable[Node]) -> Iterable[Birth]:
    for node in nodes:
        hashed = salt.hash_of(node.organization_id, node.text)
        yield Birth(hashed, node.subject, node.first_at_ms, node.asserted)


def _spelled(
    nodes: Iterable[Node], unspelled: Set[Subject], rules: Sequence[StandingRule]
) -> Iterable[Spelled]:
    """Of whom a hash is not enough: what names them does not say their text."""
    by_rules = {text for rule in rules for text in rule.identifiers}
    for node in nodes:
        number = f"{Kind.C_USER_ID}:{node.number}"
        if node.text != number and (node.subject in unspelled or number in by_rules):
            yield Spelled(node.subject, node.text)


def _seen_left(sightings: Iterable[Seen | SeenLeft], gone: Set[Subject]) -> Iterable[SeenLeft]:
    """Those of others, as if whoever is gone had not been on them."""
    for seen in sightings:
        if gone.isdisjoint({seen.fingerprint, seen.subject, *seen.before[:1]}):
            before = tuple(subject for subject in seen.before if subject not in gone)
            first = seen.first_at_ms, seen.first_seq
            yield SeenLeft(seen.fingerprint, seen.subject, before, *first)


async def _links_left(bench: Bench, asked: Forgetting, leaving: Set[Subject]) -> Iterable[LinkLeft]:
    pairs = {
        pair_of(*pair)
        for subjects in asked.together
        for pair in combinations(sorted(set(subjects) - leaving), 2)
    }
    return [
        LinkLeft(link.a, link.b, link.proof, link.claimed_at_ms, link.first_seq)
        for link in await bench.casebook.links_between(pairs)
    ]


async def _decide_the_others(bench: Bench, farewell: Farewell, hubs: Set[Subject]) -> None:
    """Whoever evidence could have made one with them, and wallets that have one claim fewer."""
    clusters = {node.cluster for node in farewell.nodes}
    case = await bench.open(farewell.organization_id, set())
    case.know(await bench.casebook.clusters(clusters))
    case.know(await bench.casebook.nodes(hubs))
    bench.law_changed(farewell.organization_id)
    cause = (farewell.seq, farewell.asked_at_ms)
    await bench.hear(case, cause, set(case.nodes))


async def _look_at_devices(
    bench: Bench, asked: Forgetting, devices: Set[Subject], cause: tuple[int, int]
) -> None:
    law = await bench.law(asked.organization_id)
    bench.moved |= await bench.devices.settle(devices, devices, law.rules.blocked, cause)


async def _keep(bench: Bench, asked: Forgetting, plan: Plan, cause: tuple[int, int]) -> None:
    """What erased records said of others, as far as they are still there."""
    case = await bench.open(asked.organization_id, set())
    case.know(await bench.casebook.nodes(_named_in(plan)))
    births = {birth.subject: birth for birth in plan.births}
    for spelled in plan.spelled:
        if spelled.subject not in case.nodes:
            case.recall(spelled.text, births[spelled.subject], cause[0])
    for subject in births.keys() & case.nodes.keys():
        case.as_it_was(births[subject], cause[0])
    for left in plan.kept:
        if {left.a, left.b} <= case.nodes.keys():
            case.link(left.a, left.b, left.proof, left.claimed_at_ms, left.first_seq)
    for seen in _seen_left(plan.seen, _named_in(plan) - case.nodes.keys()):
        first = seen.first_at_ms, seen.first_seq
        case.see(seen.fingerprint, seen.subject, seen.before, *first)
    await bench.hear(case, cause)


def _named_in(plan: Plan) -> set[Subject]:
    """Whoever it says anything of, but those who were forgotten."""
    ends = {subject for left in plan.kept for subject in (left.a, left.b)}
    seen = {s for left in plan.seen for s in (left.fingerprint, left.subject, *left.before)}
    return ends | seen | {birth.subject for birth in plan.births}
