"""Every way Endu says no: one exception, one table of reasons.

The name of a reason is the code that callers see on the wire. `docs/errors.md` has a paragraph
for each: what happened, what to do.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, unique
from typing import Any

from msgspec import Struct


@unique
class Reason(Enum):
    """HTTP status, and a sentence for people that says what to do."""

    MALFORMED_JSON = 400, "The body is not JSON; the text says where the first fault is."
    INVALID_REQUEST = 400, "The request is not of the documented shape; see data.problems."
    UNKNOWN_KEY = 401, "The API key is missing, cut, unknown or revoked; send a live one."
    KEY_NOT_ALLOWED = 403, "This API key may not do that; use a secret key with the right scope."
    WRONG_ORGANIZATION = 403, "The API key belongs to another organization than the body names."
    NOT_FOUND = 404, "There is nothing here under that name or id in your organization."
    METHOD_NOT_ALLOWED = 405, "This address does not answer that method."
    DUPLICATE_EVENT_TYPE = (
        409,
        "A event_type of that name already exists. "
        "Overwriting it may have extreme negative consequences.",
    )
    EVENT_TYPE_LIMIT = 409, "The organization has all its event types; ask the operator for more."
    IDENTITY_CONFLICT = 409, "The identifiers belong to two identities; data.conflict says why."
    RULE_CONFLICT = 409, "A rule that stands says the opposite; take that one back first."
    TOO_SLOW = 408, "The request did not come to its end in time; send it again, faster."
    TOO_LARGE = 413, "The body is larger than allowed; the text names the field and the limit."
    UNSUPPORTED_ENCODING = 415, "Content-Encoding may be gzip, deflate, zstd or identity."
    INVALID_FORMAT = (
        422,
        "The format for event_type or event_displayname is invalid, "
        "or contains too many characters.",
    )
    RESERVED_EVENT_TYPE = 422, "That event_type is defined globally and can be recorded as it is."
    INVALID_SCHEMA = 422, "The event_data_schema is not one that Endu knows; see data.problems."
    INVALID_EVENT = 422, "The event is not of the documented shape; see data.problems."
    NOBODY_NAMED = (
        422,
        "Name someone: p_user_id with platform_type, c_user_id, blockchain or fingerprint.",
    )
    UNKNOWN_EVENT_TYPE = 422, "Register this event_type before sending events of it."
    UNKNOWN_C_USER_ID = 422, "Nobody in your organization has that c_user_id."
    SCHEMA_VIOLATION = 422, "The event_data is not what its type's schema asks for."
    INVALID_QUESTION = 422, "The question cannot be asked like that; see data.problems."
    QUERY_TOO_LARGE = 422, "The question takes more memory than one may; ask for less at once."
    RATE_LIMITED = 429, "Too many requests; send again after Retry-After seconds."
    TOO_MANY_QUESTIONS = 429, "Too many questions are asked at once; ask again in a moment."
    HEAD_TOO_LARGE = 431, "The head of the request is too large; send fewer and shorter headers."
    INTERNAL = 500, "Endu made a mistake; its log has the trace under the request's id."
    STORAGE_FAILED = 503, "Files cannot be read or written; whether this took effect is unknown."
    NOT_SETTLED = 503, "Not everything before this question has settled yet; ask again."
    QUERY_TIMEOUT = 503, "The question took too long and was ended; ask for less, or again later."
    QUERY_LACKS_SPACE = 503, "The disk is nearly full, and the question was ended; ask again later."
    TOO_MANY_CONNECTIONS = 503, "Endu holds as many connections as it may; come again in a moment."
    NOT_DURABLE = 503, "The event could not be kept and was not; send it again."
    DISK_FULL = 503, "The disk is nearly full, so nothing was kept; send it again."
    MAYBE_KEPT = 503, "The log failed before it answered; send it again with the same message_id."

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def sentence(self) -> str:
        return self.value[1]


class Problem(Struct, frozen=True):
    """One fault of a request: where, and what would be right."""

    path: str
    message: str


class Refusal(Exception):
    """A request Endu understood well enough to turn down.

    `data` goes into the answer's envelope beside the problems; `retry_after_seconds` into its
    header of that name.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        problems: Sequence[Problem] = (),
        data: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail or reason.sentence)
        self.reason = reason
        self.problems = tuple(problems)
        self.data = dict(data or {})
        self.retry_after_seconds = retry_after_seconds
