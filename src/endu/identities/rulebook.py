"""Operator's rules (R9) as the policy reads them: by subject instead of by name."""

from collections.abc import Iterable, Mapping

from endu.identities.casebook import StandingRule
from endu.identities.identifier import Subject
from endu.identities.linking import OPERATOR, Link, Pair, RuleBook, pair_of, stronger

NEVER, ALWAYS, BLOCK, SHARED = RULES = ("never-link", "always-link", "block", "shared")
OPPOSITE = {NEVER: ALWAYS, ALWAYS: NEVER}


def rule_book(rules: Iterable[StandingRule], subject_of: Mapping[str, Subject]) -> RuleBook:
    """`subject_of` knows every identifier that the rules name. Of several always-links of one pair
    the earliest counts, as with any claim."""
    never: dict[Subject, frozenset[Subject]] = {}
    linked: dict[Pair, Link] = {}
    alone: dict[str, set[Subject]] = {BLOCK: set(), SHARED: set()}
    for rule in rules:
        subjects = [subject_of[text] for text in rule.identifiers]
        if rule.rule == NEVER:
            for one, other in (subjects, subjects[::-1]):
                never[one] = never.get(one, frozenset()) | {other}
        elif rule.rule == ALWAYS:
            a, b = pair = pair_of(*subjects)
            link = Link(a=a, b=b, proof=OPERATOR, claimed_at_ms=rule.made_at_ms, first_seq=rule.seq)
            linked[pair] = stronger(linked[pair], link) if pair in linked else link
        else:
            alone[rule.rule].update(subjects)
    always: dict[Subject, tuple[Link, ...]] = {}
    for link in linked.values():
        always[link.a] = (*always.get(link.a, ()), link)
    return RuleBook(never, always, frozenset(alone[BLOCK]), frozenset(alone[SHARED]))
