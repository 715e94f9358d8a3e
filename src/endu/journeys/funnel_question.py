"""A funnel as callers ask for it: steps, and what counts as a way through them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from endu.journeys.question import (
    TEXT_LENGTH_AT_MOST,
    Breakdown,
    Duration,
    Field,
    Question,
    Step,
)

STEPS_AT_MOST = 20
EXCLUSIONS_AT_MOST = 5
HELD_AT_MOST = 3

StepNumber = Annotated[int, Meta(ge=1, le=STEPS_AT_MOST, description="Counted from 1.")]


class Exclusion(Step, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What must not be done between two steps, the first and the last if left out: a way on which
    it was done after one of them and before the next one goes no further."""

    after: StepNumber = 1
    before: StepNumber | UnsetType = UNSET


class FunnelBreakdown(Breakdown, frozen=True, forbid_unknown_fields=True):
    """Each person is in one group, which is what the field says at their entry, or at the first or
    the last of their steps where it says something, or at one step: "step:2". The most frequent
    groups are those with the most people."""

    at: Annotated[
        str,
        Meta(
            pattern="^(entry|first|last|step:[1-9][0-9]?)$",
            description="entry, first, last or step:n.",
        ),
    ] = "entry"


class FunnelQuestion(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person has reached a step by a way through all steps up to it, with an event of its own
    for each, at most `within` after the first of them, to the second; the edge counts.

    `order`: "ordered" is one after the other; "strict" is without an event of another of the
    steps between two neighbours; "any" is in any order. `entry`: of all ways "best" takes one that
    goes furthest; with "first" a way must begin with the person's first event of the first step
    (in any order: of any step). `ties`: events of one second count in any order ("any"; what
    happens in the very second of a step is then never between two of them), or in that of their
    arrival. `hold`: all events of a way say the same there; numbers are equal as numbers.
    """

    steps: Annotated[list[Step], Meta(min_length=2, max_length=STEPS_AT_MOST)]
    within: Duration = Duration(days=14)
    order: Literal["ordered", "strict", "any"] = "ordered"
    entry: Literal["best", "first"] = "best"
    ties: Literal["any", "arrival"] = "any"
    exclude: Annotated[list[Exclusion], Meta(max_length=EXCLUSIONS_AT_MOST)] = []
    hold: Annotated[
        list[Field],
        Meta(max_length=HELD_AT_MOST, description="Paths of event_data."),
    ] = []
    breakdown: FunnelBreakdown | None = None


class FunnelPeopleQuestion(FunnelQuestion, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same question, and which bar of its answer: those who reached a step ("converted"), or
    those of them who did not reach the next one ("dropped"); of a group if it is named."""

    step: StepNumber
    outcome: Literal["converted", "dropped"] = "converted"
    group: Annotated[str, Meta(max_length=TEXT_LENGTH_AT_MOST)] | None = None
