"""Operator's rules over HTTP: tried first, made, listed, taken back."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from endu.events.event import RecordId
from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.identities.casebook import StandingRule
from endu.identities.evidence import RuleMade, RuleTakenBack
from endu.identities.identifier import Kind, Number, kind_of
from endu.identities.rulebook import ALWAYS, NEVER, SHARED
from endu.identities.rules import opposed
from endu.journeys.moving import events_of
from endu.journeys.scope import Time, rfc3339
from endu.organizations.keyring import Scope
from endu.refusals import Problem, Reason, Refusal
from endu.web.endpoint import Call, Nothing, endpoint
from endu.web.explaining import PageQuery, read_identifier
from endu.web.lists import Page, read_cursor, write_cursor
from endu.web.log import id_of, keep, seq_of

GROUP = "Rules"

RuleName = Literal["never-link", "always-link", "block", "shared"]
REASON_LENGTH = 1_000


class NewRule(Struct, frozen=True, forbid_unknown_fields=True):
    """`a` and `b` for never-link and always-link, `a` alone for block and shared (a wallet)."""

    rule: RuleName
    a: str
    b: str | None = None
    reason: Annotated[str, Meta(max_length=REASON_LENGTH)] = ""
    dry_run: bool = False


class MoveShown(Struct, frozen=True):
    """An identifier and its events that go from one person to another; an empty c_user_id is
    nobody's."""

    identifier: str
    c_user_id: Number
    would_be: Number
    events: int


class RuleAnswer(Struct, frozen=True, kw_only=True):
    """`rule_id` is null after a dry run. `moves` are those of the moment it was asked."""

    rule_id: RecordId | None
    dry_run: bool
    moves: list[MoveShown]
    identities_moved: int
    events_moved: int


class RuleShown(Struct, frozen=True, kw_only=True):
    """`taken_back_at` is null while the rule holds."""

    rule_id: RecordId
    rule: RuleName
    identifiers: tuple[str, ...]
    author: str
    reason: str
    made_at: Time
    taken_back_at: Time | None
    taken_back_by: str | None


class RuleQuery(Struct, frozen=True, forbid_unknown_fields=True):
    rule_id: str


class TakenBack(Struct, frozen=True):
    rule_id: RecordId


@endpoint(
    "POST",
    "/rules",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.RULE_CONFLICT, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def make_rule(call: Call[Nothing, NewRule]) -> RuleAnswer:
    """Say who is or is not one person, or what identifies nobody.

    The answer says which identifiers, and how many of their events, change hands. With `dry_run`
    nothing is changed. A rule can be taken back: the state before it comes back, exactly.
    """
    parts, body, organization_id = call.parts, call.body, call.organization_id
    identifiers = _identifiers_of(body)
    await parts.fresh()
    if opposed(await parts.rules.all(organization_id), body.rule, identifiers):
        raise Refusal(Reason.RULE_CONFLICT)
    moves = await _moves(call, body.rule, identifiers)
    rule_id = None
    if not body.dry_run:
        made = RuleMade(
            organization_id=organization_id,
            received_at_ms=parts.now_ms(),
            rule=body.rule,
            identifiers=identifiers,
            author=_author(call),
            reason=body.reason,
        )
        rule_id = id_of(parts, await keep(parts, made), made.received_at_ms)
        await parts.fresh()
    return RuleAnswer(
        rule_id=rule_id,
        dry_run=body.dry_run,
        moves=moves,
        identities_moved=len({move.c_user_id for move in moves} - {""}),
        events_moved=sum(move.events for move in moves),
    )


@endpoint("GET", "/rules", group=GROUP, needs=Scope.READ)
async def list_rules(call: Call[PageQuery, None]) -> Page[RuleShown]:
    """Every rule, oldest first, those that were taken back too."""
    (after,) = read_cursor(call.query.cursor, (0,))
    every = await call.parts.rules.all(call.organization_id)
    found = [rule for rule in every if rule.seq > after]
    shown = found[: call.query.limit]
    return Page(
        [rule_shown(call, rule) for rule in shown],
        write_cursor(shown[-1].seq) if len(found) > len(shown) else None,
    )


@endpoint(
    "DELETE",
    "/rules/{rule_id}",
    group=GROUP,
    needs=Scope.MANAGE,
    refusals=(Reason.NOT_FOUND, *NOT_ACKNOWLEDGED, Reason.NOT_SETTLED),
)
async def take_back_rule(call: Call[RuleQuery, None]) -> TakenBack:
    """Take a rule back. Past events move back with it; a second time changes nothing."""
    parts = call.parts
    await parts.fresh()
    seq = seq_of(parts, call.query.rule_id)
    rule = None if seq is None else await parts.rules.find(call.organization_id, seq)
    if rule is None:
        raise Refusal(Reason.NOT_FOUND, "Your organization has no rule of that id.")
    if rule.taken_back_at_ms is None:
        record = RuleTakenBack(
            organization_id=call.organization_id,
            received_at_ms=parts.now_ms(),
            rule_seq=rule.seq,
            author=_author(call),
        )
        await keep(parts, record)
        await parts.fresh()
    return TakenBack(id_of(parts, rule.seq, rule.made_at_ms))


ENDPOINTS = (make_rule, list_rules, take_back_rule)


def _identifiers_of(body: NewRule) -> tuple[str, ...]:
    a = read_identifier("a", body.a)
    if body.rule in (NEVER, ALWAYS):
        if body.b is None:
            raise _wrong("b", f"{body.rule} is about two identifiers")
        b = read_identifier("b", body.b)
        if a == b:
            raise _wrong("b", "is the same identifier as a")
        return (a, b)
    if body.b is not None:
        raise _wrong("b", f"{body.rule} is about one identifier")
    if body.rule == SHARED and kind_of(a) is not Kind.WALLET:
        raise _wrong("a", "is a wallet where the rule is shared")
    return (a,)


def _wrong(path: str, message: str) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, f"{path}: {message}.", problems=[Problem(path, message)])


async def _moves(call: Call[Any, Any], rule: str, identifiers: tuple[str, ...]) -> list[MoveShown]:
    parts, organization_id = call.parts, call.organization_id
    moves = await parts.rules.try_out(organization_id, rule, identifiers)
    subjects = [move.subject for move in moves]
    events = await events_of(parts.ledger, organization_id, subjects) if moves else {}
    return [
        MoveShown(move.identifier, move.c_user_id, move.would_be, events.get(move.subject, 0))
        for move in sorted(moves, key=lambda move: move.identifier)
    ]


def _author(call: Call[Any, Any]) -> str:
    return f"{call.caller.kind} key {call.caller.key_id}"


def rule_shown(call: Call[Any, Any], rule: StandingRule) -> RuleShown:
    taken_back_at_ms = rule.taken_back_at_ms
    return RuleShown(
        rule_id=id_of(call.parts, rule.seq, rule.made_at_ms),
        rule=rule.rule,  # type: ignore[arg-type]
        identifiers=rule.identifiers,
        author=rule.author,
        reason=rule.reason,
        made_at=rfc3339(rule.made_at_ms),
        taken_back_at=None if taken_back_at_ms is None else rfc3339(taken_back_at_ms),
        taken_back_by=rule.taken_back_by,
    )
