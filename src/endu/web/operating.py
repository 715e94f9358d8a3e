"""For whoever operates Endu: health, metrics, and the API's own description. No key is needed."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from endu.events.inbox import NOT_ACKNOWLEDGED
from endu.web.docs_page import docs_page
from endu.web.document import openapi_document
from endu.web.endpoint import Description, Endpoint, Text, open_endpoint
from endu.web.metrics import MEDIA_TYPE
from endu.web.parts import Parts

GROUP = "Operating"

# The page loads nothing and runs nothing, whatever may be written into it.
NOTHING_FROM_ELSEWHERE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"
}


class Health(Struct, frozen=True):
    status: str


@open_endpoint("/health/live", group=GROUP, media_type="application/json")
async def live(parts: Parts) -> Health:
    """Whether the process answers at all."""
    return Health("live")


@open_endpoint(
    "/health/ready", group=GROUP, refusals=NOT_ACKNOWLEDGED, media_type="application/json"
)
async def ready(parts: Parts) -> Health:
    """Whether events can be kept now; if not, `error_text` says why."""
    why_not = parts.why_not_ready()
    if why_not:
        raise why_not
    return Health("ready")


@open_endpoint("/metrics", group=GROUP, media_type=MEDIA_TYPE)
async def metrics(parts: Parts) -> Text:
    """Counts and durations, for Prometheus."""
    return Text(parts.metrics.exposition(), MEDIA_TYPE)


ENDPOINTS = (live, ready, metrics)


def describing(others: Sequence[Description]) -> tuple[Endpoint, Endpoint]:
    """The two endpoints that answer with the description of all, themselves included."""

    @cache
    def document() -> dict[str, Any]:
        return openapi_document([*others, openapi.description, docs.description])

    @open_endpoint("/openapi.json", group=GROUP, media_type="application/json")
    async def openapi(parts: Parts) -> Text:
        """This description, as OpenAPI 3.1."""
        return Text(msgspec.json.encode(document()), "application/json")

    @open_endpoint("/docs", group=GROUP, media_type="text/html")
    async def docs(parts: Parts) -> Text:
        """This description, for people."""
        return Text(docs_page(document()), "text/html", NOTHING_FROM_ELSEWHERE)

    return openapi, docs
