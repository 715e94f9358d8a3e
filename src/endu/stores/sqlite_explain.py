"""Why two identifiers are one person, or are not: the way between them over accepted links."""

import json
from collections.abc import Iterable, Mapping, Sequence

from endu.identities.directory import Explanation, LinkSeen
from endu.identities.groups import shortest_path
from endu.identities.identifier import Kind, Subject
from endu.identities.linking import OPERATOR, Link, Node, pair_of
from endu.identities.rulebook import ALWAYS
from endu.stores.sqlite import Connection
from endu.stores.sqlite_rows import links_of, rules_of

SEEN_ON = """
SELECT s.fingerprint, s.subject, s.first_at_ms, s.first_seq
FROM json_each(?) AS asked CROSS JOIN sightings AS s ON s.fingerprint = asked.value
"""


def explain(db: Connection, one: Node, other: Node, people: Iterable[Node]) -> Explanation:
    """`people` are all identifiers of both their identities."""
    node_of = {node.subject: node for node in people}
    links = links_of(db, node_of)
    ways = [link for link in links if link.verdict == "accepted"]
    ways += rule_links(db, list(node_of.values()))
    ways += _device_links(db, node_of)
    neighbours: dict[Subject, list[Subject]] = {}
    for link in ways:
        neighbours.setdefault(link.a, []).append(link.b)
        neighbours.setdefault(link.b, []).append(link.a)
    path = shortest_path(neighbours, one.subject, other.subject)
    best = {link.pair: link for link in sorted(ways, key=lambda link: link.proof)}
    steps = [best[pair_of(a, b)] for a, b in zip(path, path[1:], strict=False)]
    return Explanation(
        same=one.identity == other.identity,
        path=tuple(link_seen(link, node_of) for link in steps),
        refused=tuple(
            link_seen(link, node_of) for link in links if _parts(link, node_of, one, other)
        ),
    )


def rule_links(db: Connection, nodes: Sequence[Node]) -> list[Link]:
    """The always-link rules in force among these nodes, which are one organization's."""
    subject_of = {node.text: node.subject for node in nodes}
    subject_of |= {f"{Kind.C_USER_ID}:{node.number}": node.subject for node in nodes}
    links = []
    for rule in rules_of(db, nodes[0].organization_id):
        ends = [subject_of[text] for text in rule.identifiers if text in subject_of]
        if rule.rule == ALWAYS and rule.taken_back_at_ms is None and len(ends) == 2:
            a, b = pair_of(*ends)
            at_ms, seq = rule.made_at_ms, rule.seq
            link = Link(
                a=a, b=b, proof=OPERATOR, claimed_at_ms=at_ms, first_seq=seq, verdict="accepted"
            )
            links.append(link)
    return links


def link_seen(link: Link, node_of: Mapping[Subject, Node]) -> LinkSeen:
    """`against` is left out where it is about identifiers that are not among these."""
    against = link.against
    known = against is not None and all(subject in node_of for subject in against)
    return LinkSeen(
        a=node_of[link.a].text,
        b=node_of[link.b].text,
        proof=link.proof,
        claimed_at_ms=link.claimed_at_ms,
        first_seq=link.first_seq,
        verdict=link.verdict,
        reason=link.reason,
        against=(node_of[against[0]].text, node_of[against[1]].text)
        if against is not None and known
        else None,
    )


def _device_links(db: Connection, node_of: Mapping[Subject, Node]) -> list[Link]:
    """A device that is one person's is tied to what it was seen with, at proof 0 (R6)."""
    devices = [n.subject for n in node_of.values() if n.kind is Kind.FINGERPRINT]
    links = []
    for fingerprint, subject, at_ms, seq in db.execute(SEEN_ON, (json.dumps(devices),)):
        device, person = node_of[fingerprint], node_of.get(subject)
        if person is not None and person.identity == device.identity:
            a, b = pair_of(device.subject, person.subject)
            link = Link(a=a, b=b, proof=0, claimed_at_ms=at_ms, first_seq=seq, verdict="accepted")
            links.append(link)
    return links


def _parts(link: Link, node_of: Mapping[Subject, Node], one: Node, other: Node) -> bool:
    """Whether it is a link between the two sides that counts for nothing."""
    if link.verdict == "accepted" or not node_of.keys() >= set(link.pair):
        return False
    sides = {node_of[link.a].identity, node_of[link.b].identity}
    return sides == {one.identity, other.identity}
