"""The options of a command as the fields of a Struct, where it has many."""

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

W = TypeVar("W", bound=Struct)


def with_options(command: Callable[[W], None]) -> Callable[..., None]:
    """Makes a command of a function that takes its words as a Struct, `said`."""
    own: type[W] = get_type_hints(command)["said"]

    @wraps(command)
    def with_words(**said: Any) -> None:
        command(own(**said))

    signature = inspect.Signature(list(parameters_of(own)))
    with_words.__signature__ = signature  # type: ignore[attr-defined]
    return with_words


def parameters_of(options: type[Struct]) -> Iterator[inspect.Parameter]:
    """One for each field, with its annotation and its default."""
    hints = get_type_hints(options, include_extras=True)
    for field in fields(options):
        default: Any = inspect.Parameter.empty
        if field.default is not NODEFAULT:
            default = field.default
        elif field.default_factory is not NODEFAULT:
            default = field.default_factory()
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=hints[field.name],
        )
