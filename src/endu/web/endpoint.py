"""What an endpoint is: its address, whose key it wants, what it takes and what it answers.

One description serves the router, the OpenAPI document and the tests, so they cannot differ.
A handler is only ever called with a caller whose key may do what the endpoint needs.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args, get_type_hints

from msgspec import Struct, field

from endu.organizations.caller import Caller
from endu.organizations.keyring import KeyKind, Scope
from endu.organizations.organization import OrganizationId
from endu.refusals import Reason
from endu.web.parts import Parts

Q = TypeVar("Q")
B = TypeVar("B")

# A key needs this scope, or has to be the operator's; None: everybody may ask.
Needs: TypeAlias = Scope | KeyKind | None


Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Call(Struct, Generic[Q, B], frozen=True):
    """One authenticated request: `query` has what is in the address, `body` what is in the body.

    What a handler puts into `headers` goes out with the answer, refusals included.
    """

    parts: Parts
    caller: Caller
    query: Q
    body: B
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def organization_id(self) -> OrganizationId:
        return self.caller.organization.organization_id


class Text(Struct, frozen=True):
    """An answer that is no envelope: a page, a document, metrics."""

    content: bytes
    media_type: str
    headers: dict[str, str] = {}


class Lines(Struct, frozen=True):
    """An answer that may be longer than memory: an object a line, sent as it is found."""

    content: AsyncIterator[bytes]


NDJSON = "application/x-ndjson"


class Description(Struct, frozen=True, kw_only=True):
    """All that there is to say about an endpoint before it is called."""

    method: Method
    path: str
    name: str
    group: str
    summary: str
    text: str
    needs: Needs
    query: type
    body: Any  # a type, None where there is no body
    answer: Any
    refusals: tuple[Reason, ...]
    media_type: str = "application/json"
    other_media: tuple[str, ...] = ()  # that the answer can be asked for in instead

    @property
    def is_raw(self) -> bool:
        return self.answer in (None, Text, Lines)


class Endpoint(Struct, frozen=True):
    description: Description
    handle: Callable[[Any], Awaitable[Any]]  # takes a Call; Parts where nobody needs a key


def endpoint(
    method: Method,
    path: str,
    *,
    group: str,
    needs: Scope | KeyKind,
    refusals: tuple[Reason, ...] = (),
    other_media: tuple[str, ...] = (),
) -> Callable[[Callable[[Any], Awaitable[Any]]], Endpoint]:
    """Makes an endpoint of `async def name(call: Call[Query, Body]) -> Answer`.

    The docstring's first line is its summary; refusals are its own, beside those that follow from
    what it needs and takes. With `other_media` it may answer a Text of one of those instead.
    """

    def made(handle: Callable[[Any], Awaitable[Any]]) -> Endpoint:
        hints = get_type_hints(handle, include_extras=True)
        query, body = get_args(hints["call"])
        answer = _besides_text(hints["return"]) if other_media else hints["return"]
        summary, text = _said(handle)
        return Endpoint(
            Description(
                method=method,
                path=path,
                name=handle.__name__,
                group=group,
                summary=summary,
                text=text,
                needs=needs,
                query=query,
                body=None if body is type(None) else body,
                answer=answer,
                refusals=refusals,
                media_type=NDJSON if answer is Lines else "application/json",
                other_media=other_media,
            ),
            handle,
        )

    return made


def open_endpoint(
    path: str, *, group: str, refusals: tuple[Reason, ...] = (), media_type: str
) -> Callable[[Callable[[Parts], Awaitable[Any]]], Endpoint]:
    """Makes an endpoint of `async def name(parts: Parts) -> Answer` that wants no key."""

    def made(handle: Callable[[Parts], Awaitable[Any]]) -> Endpoint:
        summary, text = _said(handle)
        return Endpoint(
            Description(
                method="GET",
                path=path,
                name=handle.__name__,
                group=group,
                summary=summary,
                text=text,
                needs=None,
                query=Nothing,
                body=None,
                answer=get_type_hints(handle)["return"],
                refusals=refusals,
                media_type=media_type,
            ),
            handle,
        )

    return made


def _besides_text(answers: Any) -> Any:
    """The Answer of `Answer | Text`."""
    return next(kind for kind in get_args(answers) if kind is not Text)


def _said(handle: Callable[..., Any]) -> tuple[str, str]:
    summary, _, text = (inspect.getdoc(handle) or "").partition("\n\n")
    return summary.replace("\n", " "), text
