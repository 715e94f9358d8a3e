"""What enters the log beside sightings: identities made beforehand, rules, limits (R8, R9)."""

from collections.abc import Set

from endu.identities.bench import Bench
from endu.identities.case import Case
from endu.identities.casebook import JournalLine, Outcome, StandingRule
from endu.identities.evidence import Creation, Forgetting, LimitsSet, RuleMade, RuleTakenBack
from endu.identities.forgetting import forget
from endu.identities.identifier import Kind, Subject
from endu.identities.linking import ASSERTED, NEVER_SEEN, Node
from endu.identities.rulebook import BLOCK

Decree = Creation | RuleMade | RuleTakenBack | LimitsSet | Forgetting

CLUSTERS_AT_ONCE = 1_000  # when a limit changes and everybody is decided again


async def obey(bench: Bench, seq: int, decree: Decree) -> None:
    """Each decree has one place in the order of the log; obeying it again changes nothing."""
    if isinstance(decree, Creation):
        await _create(bench, seq, decree)
    elif isinstance(decree, RuleMade):
        await _make_rule(bench, seq, decree)
    elif isinstance(decree, RuleTakenBack):
        await _take_back(bench, seq, decree)
    elif isinstance(decree, Forgetting):
        await forget(bench, seq, decree)
    else:
        await _set_limits(bench, seq, decree)


async def _make_rule(bench: Bench, seq: int, made: RuleMade) -> None:
    rule = StandingRule(
        seq=seq,
        organization_id=made.organization_id,
        rule=made.rule,
        identifiers=made.identifiers,
        author=made.author,
        reason=made.reason,
        made_at_ms=made.received_at_ms,
    )
    if await bench.casebook.put_rule(rule):
        await _apply(bench, rule, "rule", (seq, made.received_at_ms))


async def _take_back(bench: Bench, seq: int, decree: RuleTakenBack) -> None:
    at_ms = decree.received_at_ms
    rule = await bench.casebook.take_back(
        decree.organization_id, decree.rule_seq, at_ms, decree.author
    )
    if rule:
        await _apply(bench, rule, "rule taken back", (seq, at_ms))


async def _apply(bench: Bench, rule: StandingRule, change: str, cause: tuple[int, int]) -> None:
    """Decides anew whatever a rule is about, now that it holds or no longer does."""
    case = await bench.open(rule.organization_id, set(rule.identifiers))
    named = {
        case.name(text, rule.seq, position, NEVER_SEEN)
        for position, text in enumerate(rule.identifiers)
    }
    await bench.casebook.put_nodes([case.nodes[subject] for subject in case.fresh])
    case.fresh.clear()
    people = {case.nodes[subject].identity for subject in named}
    await bench.casebook.put_journal([_line(person, rule, change, cause) for person in people])
    bench.law_changed(rule.organization_id)
    concerned = set(named)
    if rule.rule == BLOCK:
        law = await bench.law(rule.organization_id)
        bench.devices.block(named, law.rules.blocked)
        concerned |= await _hubs_beside(bench, case, named)
    await bench.hear(case, cause, concerned)


def _line(person: Subject, rule: StandingRule, change: str, cause: tuple[int, int]) -> JournalLine:
    return JournalLine(
        organization_id=rule.organization_id,
        seq=cause[0],
        at_ms=cause[1],
        change=change,
        subject=person,
        detail={
            "rule": rule.rule,
            "identifiers": rule.identifiers,
            "author": rule.author,
            "reason": rule.reason,
        },
    )


async def _hubs_beside(bench: Bench, case: Case, subjects: Set[Subject]) -> set[Subject]:
    """Hubs that one claim more or fewer may make or end."""
    links = await bench.casebook.links_of(subjects)
    ends = {subject for link in links for subject in link.pair}
    hubs = [node for node in await bench.casebook.nodes(ends) if node.standing == "hub"]
    case.know(hubs)
    return {hub.subject for hub in hubs}


async def _set_limits(bench: Bench, seq: int, decree: LimitsSet) -> None:
    await bench.casebook.put_limits(decree.organization_id, decree.limits)
    bench.law_changed(decree.organization_id)
    clusters = await bench.casebook.all_clusters(decree.organization_id)
    for start in range(0, len(clusters), CLUSTERS_AT_ONCE):
        some = set(clusters[start : start + CLUSTERS_AT_ONCE])
        case = await bench.open(decree.organization_id, set())
        case.know(await bench.casebook.clusters(some))
        case.changed |= case.nodes.keys()
        await bench.hear(case, (seq, decree.received_at_ms))


async def _create(bench: Bench, seq: int, creation: Creation) -> None:
    """Ties the prefilled identifiers to one number: theirs, or a new one (R8). Where the log is
    settled again, "" stands for each that was forgotten since."""
    if await bench.casebook.has_creation(seq):
        return
    case = await bench.open(creation.organization_id, set(creation.identifiers))
    case.recall_before(seq, creation.identifiers)
    if case.was_conflict(seq):
        return
    known = [case.nodes[s] for text in creation.identifiers if (s := case.subject_of.get(text))]
    known = [node for node in known if node.standing != "blocked"]
    strong = [node for node in known if node.kind is not Kind.FINGERPRINT]
    identities = {node.identity for node in strong or known}
    if len(identities) > 1:
        await _remember(bench, seq, case, strong[0].subject, _first_two(strong))
        return
    if not identities and "" in creation.identifiers and case.made_nobody(seq):
        _name(case, seq, creation)
        await bench.hear(case, (seq, creation.received_at_ms))
        return
    created = not identities
    base = case.make_number(seq, creation.received_at_ms) if created else identities.pop()
    case.know(await bench.casebook.nodes({base} - case.nodes.keys()))
    _tie(case, seq, creation, [base] if created else [node.subject for node in strong])
    await bench.hear(case, (seq, creation.received_at_ms))
    after = {n.subject: n for n in await bench.casebook.nodes({base, *case.fresh})}
    apart = [s for s in case.fresh if _parted(after[s].identity, after[base].identity, case, s)]
    conflict = (case.nodes[base].text, case.nodes[apart[0]].text) if apart else None
    await _remember(bench, seq, case, after[base].identity, conflict, created=created)


def _name(case: Case, seq: int, creation: Creation) -> None:
    """They were tied to nobody but those who were forgotten."""
    for position, text in enumerate(creation.identifiers):
        if text:
            case.name(text, seq, position, NEVER_SEEN)


def _tie(case: Case, seq: int, creation: Creation, anchors: list[Subject]) -> None:
    """Whoever was not known yet is tied to whoever was, or to the number that was made."""
    at_ms = creation.received_at_ms
    for position, text in enumerate(creation.identifiers):
        if not text:  # it was forgotten since
            continue
        is_new = text not in case.subject_of
        subject = case.name(text, seq, position, NEVER_SEEN)  # no event names it yet
        if case.nodes[subject].kind is Kind.FINGERPRINT:
            if anchors:
                case.see(subject, anchors[0], (), at_ms, seq)
        elif is_new:
            for anchor in anchors:
                case.link(anchor, subject, ASSERTED, at_ms, seq)
            anchors = anchors or [subject]


def _parted(identity: Subject, base: Subject, case: Case, subject: Subject) -> bool:
    return identity != base and case.nodes[subject].kind is not Kind.FINGERPRINT


def _first_two(nodes: list[Node]) -> tuple[str, str]:
    first = nodes[0]
    return first.text, next(n.text for n in nodes if n.identity != first.identity)


async def _remember(
    bench: Bench,
    seq: int,
    case: Case,
    subject: Subject,
    conflict: tuple[str, str] | None,
    *,
    created: bool = False,
) -> None:
    (named,) = await bench.casebook.nodes({subject})
    (identity,) = await bench.casebook.nodes({named.identity})
    await bench.casebook.put_creation(
        Outcome(
            seq=seq,
            organization_id=case.organization_id,
            number=identity.number,
            created=created,
            conflict=conflict,
        )
    )
