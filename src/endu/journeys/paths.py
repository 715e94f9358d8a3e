"""What people do next: the paths that their sessions take, step by step."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from endu.events.ledger import Answered
from endu.journeys.about import About, Counted, about_of
from endu.journeys.draft import Draft, StepSql, draft_of
from endu.journeys.paths_items import Items
from endu.journeys.paths_nodes import nodes_of
from endu.journeys.paths_picture import (
    DEPTH_AT_MOST,
    NO_EARLIER,
    NO_FURTHER,
    LinkPlace,
    NodePlace,
    NotInPicture,
    PathLink,
    PathNode,
    PathSequence,
    Picture,
    Steps,
)
from endu.journeys.paths_sql import PLATFORMS, PathsSql
from endu.journeys.people import PeoplePage, people_behind
from endu.journeys.question import Duration, Question, Step
from endu.journeys.sources import Sources

TOP_AT_MOST = 1_000
EXCLUDED_AT_MOST = 20
PARTS = ("node", "link", "sequence")


class Anchor(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one: paths begin with a session's first event of the step `start`, or they end with
    its last one of the step `end`."""

    start: Step | UnsetType = UNSET
    end: Step | UnsetType = UNSET


class PathsQuestion(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person's events in the order of their seconds, and within one second in that in which they
    arrived, are one session until a silence longer than `session_gap`. A session is one path:
    from the anchor on, or up to it, or from the session's first event where there is none;
    without the anchor it is none. What `exclude` names is left out before anything else, and
    then repeats of a node, one right after the other, are taken as one, unless
    `collapse_repeats` is false. A path has `depth` nodes at most.
    """

    anchor: Anchor | None = None
    depth: Annotated[int, Meta(ge=2, le=DEPTH_AT_MOST)] = 5
    session_gap: Duration = Duration(minutes=30)
    nodes: Annotated[
        Literal["event_type", "platform_and_event_type"],
        Meta(description='ITEM_PURCHASED, or "discord:ITEM_PURCHASED".'),
    ] = "event_type"
    collapse_repeats: bool = True
    exclude: Annotated[list[Step], Meta(max_length=EXCLUDED_AT_MOST)] = []
    top: Annotated[
        int,
        Meta(
            ge=0,
            le=TOP_AT_MOST,
            description="How many sequences, most people first. With 0 they are not counted, "
            "which takes less time.",
        ),
    ] = 50


class PathsPeopleQuestion(PathsQuestion, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same question, and which of its answer's numbers: exactly one of `node`, `link` and
    `sequence`, as the answer has it."""

    node: NodePlace | None = None
    link: LinkPlace | None = None
    sequence: Steps | None = None


class Paths(Struct, frozen=True):
    """Position 0 is the first node, or the last with the anchor `end`, where those before it are
    -1, -2 and so on. Where a path is over before `depth` it has one node more, "(no further
    action)", or "(no earlier action)" before its first with the anchor `end`; sequences are
    without it. Nodes go by position; then, as links and sequences do, by most people, most
    transitions, nearness to position 0, and names. There are 10,000 links at most.
    `share_covered` is the share of all paths that the sequences are; null where there are none,
    or none were asked for."""

    nodes: list[PathNode]
    links: list[PathLink]
    sequences: list[PathSequence]
    share_covered: float | None
    about: About


async def ask_paths(question: PathsQuestion, sources: Sources) -> Paths:
    """Raises Refusal INVALID_QUESTION, or TooDear."""
    plan = _Plan(await draft_of(question, sources), question)
    draft = plan.draft
    draft.must_be_sound()
    sql = await plan.sql()
    answered = await sources.ledger.answer(sql.counted(question.top), draft.values.bound)
    *counted, paths, sequences, nodes, links = answered.rows[0]
    picture = plan.picture(sql.items)
    told = picture.sequences(sequences)
    return Paths(
        nodes=picture.nodes(nodes),
        links=picture.links(links),
        sequences=told,
        share_covered=sum(each.transitions for each in told) / paths if paths else None,
        about=await about_of(draft, [*plan.answered, answered], Counted(*counted)),
    )


async def ask_paths_people(
    question: PathsPeopleQuestion, sources: Sources, after: int, limit: int
) -> PeoplePage:
    """As many as the node, the link or the sequence says. Raises Refusal INVALID_QUESTION, or
    TooDear."""
    plan = _Plan(await draft_of(question, sources), question)
    draft = plan.draft
    chosen = [name for name in PARTS if getattr(question, name) is not None]
    if len(chosen) != 1:
        draft.problem((chosen or PARTS)[-1], f"is asked alone: exactly one of {', '.join(PARTS)}")
    draft.must_be_sound()
    sql = await plan.sql()
    item = 0
    try:
        item = plan.picture(sql.items).item_of(getattr(question, chosen[0]))
    except NotInPicture as fault:
        draft.problem(f"{chosen[0]}{fault.part}", str(fault))
    draft.must_be_sound()
    return await people_behind(draft, sql.behind(item), after, limit)


class _Plan:
    """A question about paths in SQL. `answered` is what had to be asked for that."""

    def __init__(self, draft: Draft, question: PathsQuestion) -> None:
        self.draft = draft
        self.answered: list[Answered] = []
        self._question = question
        excluded = [
            draft.step(step, f"exclude[{place}]") for place, step in enumerate(question.exclude)
        ]
        for place, step in enumerate(question.exclude):
            if not step.event_types and not step.where:
                draft.problem(f"exclude[{place}]", "names event types, or has `where`")
        self._anchor = self._anchored(question.anchor, excluded)
        self._gap_seconds = draft.seconds(question.session_gap, "session_gap")
        self.scan = draft.scan([])
        if excluded:
            self.scan += f"\n   AND NOT ({' OR '.join(step.is_it for step in excluded)})"

    async def sql(self) -> PathsSql:
        """After the draft is known to be sound."""
        sources, question = self.draft.sources, self._question
        kinds = sources.catalog.all(sources.organization_id)
        nodes = nodes_of(kinds, await self._platforms())
        end = NO_EARLIER if self._backwards else NO_FURTHER
        return PathsSql(
            draft=self.draft,
            scan=self.scan,
            items=Items((end, *nodes.names), question.depth),
            node=nodes.place_sql(self.draft.values, first=2),
            anchor=self._anchor,
            backwards=self._backwards,
            gap_seconds=self._gap_seconds,
            collapse=question.collapse_repeats,
        )

    def picture(self, items: Items) -> Picture:
        return Picture(items, self._backwards)

    @property
    def _backwards(self) -> bool:
        anchor = self._question.anchor
        return anchor is not None and anchor.end is not UNSET

    def _anchored(self, anchor: Anchor | None, excluded: Sequence[StepSql]) -> str:
        """The condition that an event is the anchor; "" without one."""
        if anchor is None:
            return ""
        given = {name: step for name, step in (("start", anchor.start), ("end", anchor.end))
                 if step is not UNSET}  # fmt: skip
        if len(given) != 1:
            self.draft.problem("anchor", "has exactly one of start, end")
            return ""
        ((name, step),) = given.items()
        found = self.draft.step(step, f"anchor.{name}")
        covering = [place for place, out in enumerate(excluded) if _is_left_out(found, out)]
        if covering:
            self.draft.problem(f"anchor.{name}", f"is left out by exclude[{covering[0]}]")
        return found.is_it

    async def _platforms(self) -> list[str] | None:
        """All there are; None where they make no difference."""
        if self._question.nodes == "event_type":
            return None
        sql = PLATFORMS.format(scan=self.scan)
        found = await self.draft.sources.ledger.answer(sql, self.draft.values.bound)
        self.answered.append(found)
        return [platform for (platform,) in found.rows]


def _is_left_out(step: StepSql, excluded: StepSql) -> bool:
    """Whether every event of the step is excluded, whatever it has beside its type."""
    if excluded.where or not step.event_ids:
        return False
    return {*step.event_ids} <= {*excluded.event_ids}
