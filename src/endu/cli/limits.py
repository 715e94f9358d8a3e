"""`endu limits`: what an organization may do, as callers with its keys see it."""

from typing import Any

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import facts

# What --set takes beside numbers and texts; null is "for ever", {} "none of its own".
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "{}": {}}


@for_operator
def limits(operator: Operator) -> None:
    """The limits that hold for an organization, and its settings."""
    show_limits(operator, operator.ask("GET", "/limits"))


def show_limits(operator: Operator, answer: dict[str, Any]) -> None:
    """Under the names by which `endu organizations limits --set` changes them, fixed ones last."""
    named = {
        "organization_id": answer["organization_id"],
        **_flat(answer["settings"]),
        **{f"identity.{name}": value for name, value in answer["identity"].items()},
        **{f"{name} (fixed)": value for name, value in answer["fixed"].items()},
    }
    for name, count in (answer["would_let_go"] or {}).items():
        named[f"would be let go: {name}"] = count
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


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """What has names of its own inside, under both names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": of_it for inner, of_it in value.items()}
        else:
            flat[name] = value
    return flat


def _read(value: str) -> Any:
    if value in WORDS:
        return WORDS[value]
    return int(value) if value.isdecimal() else value
