"""What a decision changes: whose owners move, and what the journal says of it (R10)."""

from collections.abc import Iterable, Mapping
from typing import Any

from endu.identities.casebook import JournalLine
from endu.identities.identifier import NOBODY, Subject
from endu.identities.linking import Link, Node, Pair
from endu.organizations.organization import OrganizationId


def owner_of(node: Node) -> Subject:
    """Who the events are whose deciding identifier this is."""
    return NOBODY if node.standing == "blocked" else node.identity


def moved(before: Mapping[Subject, Node], after: Mapping[Subject, Node]) -> dict[Subject, Subject]:
    """The subjects that are somebody else's now; whom nobody knew is its own without a word."""
    return {
        subject: owner_of(node)
        for subject, node in after.items()
        if owner_of(node) != (owner_of(before[subject]) if subject in before else subject)
    }


class Chronicle:
    """Writes the journal of one decision. `caused_by` knows the record behind each subject."""

    def __init__(
        self,
        organization_id: OrganizationId,
        cause: tuple[int, int],
        nodes: Mapping[Subject, Node],
        caused_by: Mapping[Subject, int],
    ) -> None:
        self._organization_id = organization_id
        self._otherwise, self._at_ms = cause
        self._nodes = nodes
        self._caused_by = caused_by
        self.lines: list[JournalLine] = []

    def note(self, change: str, subject: Subject, cause: int = 0, **detail: Any) -> None:
        line = JournalLine(
            organization_id=self._organization_id,
            seq=cause or self._caused_by.get(subject, self._otherwise),
            at_ms=self._at_ms,
            change=change,
            subject=subject,
            detail=detail,
        )
        self.lines.append(line)

    def identities(self, before: Mapping[Subject, Node]) -> None:
        """Created, linked, merged, redirected and split, from the nodes as they were."""
        members: dict[Subject, list[Node]] = {}
        parts: dict[Subject, set[Subject]] = {}
        for node in self._nodes.values():
            known = before.get(node.subject)
            if known is None or known.identity != node.identity:
                members.setdefault(node.identity, []).append(node)
            if known is not None:
                parts.setdefault(known.identity, set()).add(node.identity)
        came_from: dict[Subject, set[Subject]] = {}
        for former, now in parts.items():
            for identity in now:
                came_from.setdefault(identity, set()).add(former)
        for identity, nodes in members.items():
            self._became(identity, nodes, came_from.get(identity, set()), before)
        for former, now in parts.items():
            self._ended(former, now)

    def links(self, before: Mapping[Pair, Link], after: Iterable[Link]) -> None:
        """Refused links that were not refused before."""
        for link in after:
            known = before.get(link.pair)
            if link.verdict == "refused" and (known is None or known.verdict != "refused"):
                text = self._text(link.a), self._text(link.b)
                for subject in link.pair:
                    name = self._nodes[subject].identity
                    self.note("contested", name, link.first_seq, link=text, reason=link.reason)

    def standings(self, before: Mapping[Subject, Node]) -> None:
        for node in self._nodes.values():
            was = before[node.subject].standing if node.subject in before else ""
            if node.standing != was:
                name = node.standing or f"no longer {was}"
                self.note(name, node.identity, identifier=node.text)

    def _became(
        self,
        identity: Subject,
        nodes: list[Node],
        formers: set[Subject],
        before: Mapping[Subject, Node],
    ) -> None:
        new = [node for node in nodes if node.subject not in before]
        texts = [node.text for node in new]
        cause = max((self._caused_by.get(node.subject, 0) for node in nodes), default=0)
        if not formers:
            self.note("created", identity, cause, identifiers=texts)
        elif new:
            self.note("linked", identity, cause, identifiers=texts)
        if len(formers) > 1:
            others = [self._number(former) for former in sorted(formers - {identity})]
            self.note("merged", identity, cause, merged=others)

    def _ended(self, former: Subject, now: set[Subject]) -> None:
        if len(now) > 1:
            self.note("split", former, into=[self._number(identity) for identity in sorted(now)])
        (*_, heir) = sorted(now, key=lambda identity: identity == self._nodes[former].identity)
        if heir != former:
            self.note("redirected", former, to=self._number(heir))

    def _number(self, subject: Subject) -> str:
        return self._nodes[subject].number

    def _text(self, subject: Subject) -> str:
        return self._nodes[subject].text
