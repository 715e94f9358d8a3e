"""How the two processes log: lines for people, or one JSON object a line for machines."""

import logging
import sys
from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

Format = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

CHATTY = ("alembic", "uvicorn", "httpx")


class Logs(Struct, frozen=True):
    """What is logged, and how it is written."""

    level: Level = "info"
    format: Format = "text"


class JsonLines(logging.Formatter):
    """`at`, `level`, `logger`, `message`; `trace` of an exception; what a line was given as
    `about` (its request, say) beside those."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(said).decode()


def set_up(logs: Logs) -> None:
    """For the whole process, onto stderr."""
    lines = logging.StreamHandler(sys.stderr)
    if logs.format == "json":
        lines.setFormatter(JsonLines())
    else:
        lines.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logs.level.upper(), handlers=[lines], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
