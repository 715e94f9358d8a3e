"""Values on their way to the ledger: always beside the text of a question, never in it."""

from typing import Any


class Values:
    """Gives a placeholder for each value. `bound` is what `Ledger.ask` wants beside the text."""

    def __init__(self, **named: Any) -> None:
        self.bound: dict[str, Any] = dict(named)

    def add(self, value: Any, kind: str) -> str:
        """`kind` is ClickHouse's type, one of ours: "String", "Array(Float64)"."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"{{{name}:{kind}}}"
