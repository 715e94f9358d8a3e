"""What event_data should look like: the seed's small language, or JSON Schema 2020-12."""

from collections.abc import Callable
from typing import Any

from endu.refusals import Problem

Check = Callable[[dict[str, Any]], list[Problem]]


def compile_schema(schema: Any) -> Check:
    """The check of event_data that a schema asks for: it gives the violations, with their paths.

    Raises Refusal INVALID_SCHEMA with every fault of the schema itself.
    """
    raise NotImplementedError
