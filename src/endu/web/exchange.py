"""One request and its answer: an id for it, and a line in the log where it failed or
took long. Neither keys nor bodies are ever logged."""

import logging
import re
from collections.abc import Callable
from typing import Any

from endu.web.asgi import AsgiScope, Send
from endu.web.recording import RECORD

logger = logging.getLogger("endu.web")

REQUEST_ID = b"endu-request-id"
# A proxy may have named the request already; what cannot be a name is not written into a log.
NAMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")

SLOW_SECONDS = 5.0  # a question over ten million events takes less


class Exchange:
    """`send` takes the place of the server's; `now` are seconds of a clock that never goes back."""

    def __init__(
        self, scope: AsgiScope, send: Send, new_id: Callable[[], str], now: Callable[[], float]
    ) -> None:
        self._scope = scope
        self._send = send
        self._now = now
        self._began = now()
        self._status = 0
        named = dict(scope.get("headers", ())).get(REQUEST_ID, b"")
        self.id = named.decode() if NAMED.fullmatch(named) else new_id()

    async def send(self, message: Any) -> None:
        """An event that was recorded goes by its record id; all else has that of its request."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._status != 200 or self._scope.get("path") != RECORD.path:
                headers = [*message.get("headers", ()), (REQUEST_ID, self.id.encode())]
                message = {**message, "headers": headers}
        await self._send(message)

    def end(self) -> None:
        took = self._now() - self._began
        if self._status >= 500 or took > SLOW_SECONDS:
            logger.warning(
                "request %s: %s %s answered %d after %.3f s",
                self.id,
                self._scope.get("method"),
                self._scope.get("path"),
                self._status,
                took,
                extra=self.about,
            )

    @property
    def about(self) -> dict[str, Any]:
        """For a line of the log."""
        about = {
            "request_id": self.id,
            "method": self._scope.get("method"),
            "path": self._scope.get("path"),
            "status": self._status or 500,
            "seconds": round(self._now() - self._began, 3),
        }
        return {"about": about}
