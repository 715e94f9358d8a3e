"""`endu limits`: what an organization may do, as callers with its keys see it."""

from typing import Any

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import facts


@for_operator
def limits(operator: Operator) -> None:
    """The limits that hold for an organization, and its settings."""
    show_limits(operator, operator.ask("GET", "/limits"))


def show_limits(operator: Operator, answer: dict[str, Any]) -> None:
    """Under the names by which `endu organizations limits --set` changes them, fixed ones last."""
    named = {
        "organization_id": answer["organization_id"],
        **answer["settings"],
        **{f"identity.{name}": value for name, value in answer["identity"].items()},
        **{f"{name} (fixed)": value for name, value in answer["fixed"].items()},
    }
    operator.show(answer, facts(named, exact=True))


def read_changes(texts: list[str]) -> dict[str, Any]:
    """From "identity.wallet=20" and its like to what the server takes. Raises Stop."""
    changes: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise Stop(f"--set {text}: say NAME=VALUE, such as event_types_at_most=200.", USAGE)
        group, dot, inner = name.partition(".")
        if dot:
            changes.setdefault(group, {})[inner] = _read(value)
        else:
            changes[name] = _read(value)
    return changes


def _read(value: str) -> bool | int | str:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() else value
