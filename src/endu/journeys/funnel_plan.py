"""From a funnel as it is asked for to what its SQL has to know, or what is wrong with it."""

from collections.abc import Sequence

from msgspec import UNSET

from endu.events.ledger import Answered
from endu.journeys.about import anonymous_sql
from endu.journeys.conditions import NotACondition, held_sql
from endu.journeys.draft import Draft
from endu.journeys.funnel_course import Course, ValueOf, Void
from endu.journeys.funnel_events import Read, marks_sql
from endu.journeys.funnel_question import Exclusion, FunnelBreakdown, FunnelQuestion
from endu.journeys.funnel_shared import KINDS_AT_MOST, competing, shares_events

MARKS_AT_MOST = 1_000

# Which of the steps an event is, for every event.
MARKS = """
SELECT groupUniqArray({at_most})(toUInt32({marks}))
  FROM endu.events
 WHERE {scan}
"""


class FunnelPlan:
    """Notes what is wrong in the draft; only if nothing is, the rest will do."""

    def __init__(self, draft: Draft, question: FunnelQuestion) -> None:
        self.draft = draft
        self.question = question
        self.steps = [
            draft.step(step, f"steps[{place}]") for place, step in enumerate(question.steps)
        ]
        excluded = [
            draft.step(exclusion, f"exclude[{place}]")
            for place, exclusion in enumerate(question.exclude)
        ]
        self._voids = [self._void(*each) for each in enumerate(question.exclude)]
        self._within_seconds = draft.seconds(question.within, "within")
        self._must_go_together()
        self._value_of = self._named_at(question.breakdown)
        self.read = Read(
            who=draft.who,
            scan=draft.scan([*self.steps, *excluded]),
            anonymous=anonymous_sql(draft),
            marks=[step.is_it for step in (*self.steps, *excluded)],
            held=[self._held(*each) for each in enumerate(question.hold)],
            value=draft.group(question.breakdown) if question.breakdown else "",
        )

    @property
    def groups(self) -> int:
        """How many keep their names; 0 without a breakdown."""
        return self.question.breakdown.limit if self.question.breakdown else 0

    async def course(self) -> tuple[Course, list[Answered]]:
        """With what was read to find it. Raises Refusal INVALID_QUESTION, or TooDear."""
        shared, read = await self._shared()
        question = self.question
        course = Course(
            steps=len(self.steps),
            within_seconds=self._within_seconds,
            order=question.order,
            first_entry=question.entry == "first",
            by_arrival=question.ties == "arrival",
            voids=tuple(self._voids),
            shared=shared,
            held=bool(question.hold),
            value_of=self._value_of,
        )
        return course, read

    async def _shared(self) -> tuple[tuple[int, ...], list[Answered]]:
        """Where events arrived one after the other, and each step comes after the one before, no
        event can be taken for two."""
        alone = tuple(1 << step for step in range(len(self.steps)))
        if self.question.ties == "arrival" or not self._may_share():
            return alone, []
        draft = self.draft
        sql = MARKS.format(
            at_most=MARKS_AT_MOST,
            marks=marks_sql([step.is_it for step in self.steps]),
            scan=self.read.scan,
        )
        answered = await draft.sources.ledger.answer(sql, draft.values.bound)
        marks: Sequence[int] = answered.rows[0][0]
        shared = competing(marks, len(self.steps)) if len(marks) < MARKS_AT_MOST else None
        if shared is None:
            draft.problem(
                "steps",
                f"are the same for too many events: at most {KINDS_AT_MOST} different steps can "
                'have events in common, or any number with `ties` "arrival" and an order',
            )
            draft.must_be_sound()
        return shared or alone, [answered]

    def _may_share(self) -> bool:
        return any(
            shares_events(step.event_ids, other.event_ids)
            for place, step in enumerate(self.steps)
            for other in self.steps[:place]
        )

    def _must_go_together(self) -> None:
        question = self.question
        if question.order != "any":
            return
        if question.ties == "arrival":
            self.draft.problem("ties", 'is "any" where the order is: no event comes before another')
        if question.exclude:
            self.draft.problem("exclude", 'does not go with the order "any": nothing is between')

    def _void(self, place: int, exclusion: Exclusion) -> Void:
        last = len(self.question.steps)
        before = last if exclusion.before is UNSET else exclusion.before
        if before > last:
            self.draft.problem(f"exclude[{place}].before", f"is at most {last}, the last step")
        elif before <= exclusion.after:
            self.draft.problem(f"exclude[{place}].before", "is a later step than `after`")
        return Void(exclusion.after, before)

    def _held(self, place: int, field: str) -> str:
        """A field that is named twice is held all the same."""
        try:
            return held_sql(field, self.draft.values)
        except NotACondition as fault:
            self.draft.problem(f"hold[{place}]", str(fault))
            return "''"

    def _named_at(self, breakdown: FunnelBreakdown | None) -> ValueOf:
        if breakdown is None:
            return None
        if breakdown.at in ("entry", "first", "last"):
            return breakdown.at  # type: ignore[return-value]
        step = int(breakdown.at.removeprefix("step:"))
        if step > len(self.question.steps):
            self.draft.problem("breakdown.at", f"is at most step:{len(self.question.steps)}")
        return step
