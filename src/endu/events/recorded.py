"""What became of what was sent to be recorded: of one event, and of each of a batch."""

from typing import Literal

from msgspec import Struct

from endu.events.event import RecordId
from endu.refusals import Problem, Refusal


class Recorded(Struct, frozen=True):
    """What became of an accepted event. A duplicate has the record id of the first one."""

    record_id: RecordId
    duplicate: bool = False
    warnings: tuple[str, ...] = ()


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event of a batch, as it stands in the answer's `data.results`."""

    result: Literal["ok", "duplicate", "refused", "retry"]
    record_id: RecordId | None = None
    failed_event_id: RecordId | None = None
    error: str = ""
    error_text: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def result_of(recorded: Recorded) -> Result:
    return Result(
        result="duplicate" if recorded.duplicate else "ok",
        record_id=recorded.record_id,
        warnings=recorded.warnings,
    )


def result_of_refusal(refusal: Refusal, result: Literal["refused", "retry"]) -> Result:
    return Result(
        result=result,
        failed_event_id=refusal.data.get("failed_event_id"),
        error=refusal.reason.name,
        error_text=str(refusal),
        problems=refusal.problems,
    )
