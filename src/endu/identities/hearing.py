"""A hearing: what a case touches is fetched, decided, and written back."""

import asyncio
from collections.abc import Mapping, Set

from msgspec import Struct

from endu.identities.aftermath import Chronicle, moved
from endu.identities.case import Case, is_new
from endu.identities.casebook import Casebook
from endu.identities.identifier import Kind, Subject
from endu.identities.linking import (
    ASSERTED,
    Decision,
    Link,
    Node,
    Pair,
    RuleBook,
    decide,
    stronger,
)


class Law(Struct, frozen=True):
    """What an organization's cases are decided by, besides evidence."""

    rules: RuleBook
    limits: Mapping[str, int]


async def hear(
    casebook: Casebook,
    case: Case,
    law: Law,
    cause: tuple[int, int],
    thorough: Set[Subject] = frozenset(),
) -> dict[Subject, Subject]:
    """Returns the subjects that are somebody else's now, each with whose.

    `cause` is the last place in the log that the case is from, and its time in milliseconds.
    `thorough` are nodes for which a rule changed: clusters beside theirs may join or part, so
    those are decided too.
    """
    known = {link.pair: link for link in await casebook.links_between(case.links)}
    new = {pair: link for pair, link in case.links.items() if is_new(link, known.get(pair))}
    touched = case.changed | thorough | {subject for pair in new for subject in pair}
    if not touched:
        return {}
    thorough = thorough | _hubs_in_doubt(case.nodes, new, known)
    before = await _nodes_at_stake(casebook, case, law, touched, thorough)
    nodes = before | {s: n for s in case.changed if _is_strong(n := case.nodes[s])}
    in_part = {s for s, node in nodes.items() if node.standing} - thorough
    links = {link.pair: link for link in await casebook.links_of(nodes.keys() - in_part)}
    links |= {link.pair: link for link in await casebook.counting_links_of(in_part)}
    links_before = known | links
    for pair, link in new.items():
        links[pair] = stronger(known[pair], link) if pair in known else link

    decision = decide(nodes, list(links.values()), law.rules, law.limits, in_part)
    await asyncio.sleep(0)  # everybody else's turn

    chronicle = Chronicle(case.organization_id, cause, decision.nodes, case.caused_by)
    chronicle.identities(before)
    chronicle.links(links_before, decision.links)
    chronicle.standings(before)
    await casebook.put_journal(chronicle.lines)
    await _write(casebook, case, decision, before, links_before)
    return moved(before, decision.nodes)


async def _write(
    casebook: Casebook,
    case: Case,
    decision: Decision,
    nodes_before: Mapping[Subject, Node],
    links_before: Mapping[Pair, Link],
) -> None:
    """What is not as it was; devices, which no decision is about, as the case has them."""
    nodes = [node for s, node in decision.nodes.items() if node != nodes_before.get(s)]
    nodes += [node for s in case.changed if not _is_strong(node := case.nodes[s])]
    await casebook.put_nodes(nodes)
    links = [link for link in decision.links if link != links_before.get(link.pair)]
    await casebook.put_links(case.organization_id, links)


async def _nodes_at_stake(
    casebook: Casebook, case: Case, law: Law, touched: Set[Subject], thorough: Set[Subject]
) -> dict[Subject, Node]:
    """Whole clusters, as the casebook holds them."""
    clusters = {
        case.nodes[subject].cluster
        for subject in touched - case.fresh
        if _is_strong(case.nodes[subject])
    }
    if thorough:
        clusters |= await casebook.clusters_beside(thorough)
        beside = await casebook.nodes(law.rules.linked_with(thorough))
        clusters |= {node.cluster for node in beside}
    return {node.subject: node for node in await casebook.clusters(clusters)}


def _hubs_in_doubt(
    nodes: Mapping[Subject, Node], new: Mapping[Pair, Link], known: Mapping[Pair, Link]
) -> set[Subject]:
    """Hubs that one claim fewer of proof 2 might end: a claim of theirs is proven better now."""
    return {
        subject
        for pair, link in new.items()
        if link.proof >= ASSERTED and pair in known and known[pair].verdict == "hub"
        for subject in pair
        if nodes[subject].standing == "hub"
    }


def _is_strong(node: Node) -> bool:
    return node.kind is not Kind.FINGERPRINT
